// The recorded cases: source zones, clients, and the shortest residual record that gives RFC 7208's result.
#include <fstream>
#include <nlohmann/json.hpp>

#include "compiler/spf/evaluator.h"
#include "compiler/spf/residual.h"
#include "compiler/spf/zone.h"
#include "gtest/gtest.h"
#include "tests/compiler/spf/map_source.h"

namespace mz::compiler::spf {
namespace {

using nlohmann::json;

void Load(const json& zone, MapSource* source) {
  for (const auto& [name, records] : zone.items()) {
    for (const json& r : records) {
      const std::string type = r[0];
      if (type == "TXT") {
        source->AddTxt(name, r[1].is_string() ? std::vector<std::string>{r[1]} : r[1].get<std::vector<std::string>>());
      } else if (type == "A") {
        source->AddA(name, r[1]);
      } else if (type == "AAAA") {
        source->AddAaaa(name, r[1]);
      } else if (type == "MX") {
        source->AddMx(name, r[1], r[2]);
      } else if (type == "CNAME") {
        source->AddCname(name, r[1]);
      } else if (type == "TIMEOUT") {
        source->Fail(name);
      } else {
        ASSERT_EQ(type, "PTR");  // asked by receivers only
      }
    }
  }
}

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) text.replace(at, from.size(), to);
  return text;
}

TEST(RecordedCases, ResidualsAreTheShortest) {
  std::ifstream file(std::string(MZ_TEST_SOURCE_DIR) + "/../../data/spf_cases.json");
  const json document = json::parse(file);
  size_t checks = 0;
  for (const json& c : document["cases"]) {
    SCOPED_TRACE(c["id"].get<std::string>() + ": " + c["note"].get<std::string>());
    MapSource source;
    Load(c["zone"], &source);
    Evaluator evaluator(&source, {});
    const std::string domain = MapSource::Wire(c["domain"]);
    const std::string owner = c["source_at"].is_null() ? domain : MapSource::Wire(c["source_at"]);
    const Policy& policy = evaluator.Evaluate({domain, owner});
    EXPECT_TRUE(policy.complete);
    const Form form = c["form"] == "include" ? Form::kInclude : Form::kRedirect;
    for (const json& check : c["checks"]) {
      const std::string ip = check["ip"];
      std::optional<net::Ip4> v4 = net::ParseIp4(ip);
      if (!v4) {
        if (std::optional<net::Ip6> v6 = net::ParseIp6(ip); v6 && net::IsV4Mapped(*v6)) v4 = static_cast<net::Ip4>(v6->low);
      }
      const ProgramId program = v4 ? evaluator.partitions4().Find(policy.v4, *v4)
                                   : evaluator.partitions6().Find(policy.v6, *net::ParseIp6(ip));
      std::string text = ResidualText(&evaluator.programs(), program, v4.has_value(), form);
      if (text == "v=spf1 exists:%{x}") {
        text = evaluator.programs().program(program).fallback == Default::kNone ? "NONE" : "PERMERROR";
      } else if (text == "SERVFAIL") {
        text = "TEMPERROR";
      }
      std::string expected = check["residual"];
      expected = Replaced(expected, "$H", "_h");
      expected = Replaced(expected, "_h0", "_h0.$NAME");
      expected = Replaced(expected, "$O", "$NAME");
      EXPECT_EQ(text, expected) << ip << " " << check["sender"];
      checks++;
    }
  }
  EXPECT_EQ(checks, 111u);
}

}  // namespace
}  // namespace mz::compiler::spf
