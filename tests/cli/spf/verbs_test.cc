// The verbs of `mailzone spf` that look at single domains, in one process, with recorded answers instead of the DNS.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cli/exit_code.h"
#include "cli/verb.h"

namespace mz::cli {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// One recorded answer a line; what is not here fails.
constexpr const char* kRecording =
    R"({"name":"_src.one.example","type":"TXT","kind":"data","ttl":300,"rdata":["v=spf1 ip4:5.6.7.0/24 include:_spf.p.example ?ip4:9.9.9.9 -all"]}
{"name":"_src.two.example","type":"TXT","kind":"data","ttl":300,"rdata":["v=spf1 ip4:5.6.7.0/25 exists:%{l}.x.example ~all"]}
{"name":"_src.three.example","type":"TXT","kind":"data","ttl":300,"rdata":["v=spf1 include:_spf.p.example include:_spf.p.example include:gone.example -all"]}
{"name":"_src.sub.example","type":"TXT","kind":"data","ttl":300,"rdata":["v=spf1 -all"]}
{"name":"_spf.p.example","type":"TXT","kind":"data","ttl":300,"rdata":["v=spf1 ip4:7.7.0.0/16 ip6:2a00:1::/32 ~all"]}
{"name":"gone.example","type":"TXT","kind":"nxdomain","ttl":60}
{"name":"one.example","type":"TXT","kind":"data","ttl":300,"rdata":["v=spf1 include:%{ir}.%{d}._spf.z.example -all","other"]}
{"name":"two.example","type":"TXT","kind":"data","ttl":300,"rdata":["v=spf1 redirect=%{ir}.%{d}._spf.z.example"]}
{"name":"sub.example","type":"TXT","kind":"nodata","ttl":300}
{"name":"h.example","type":"A","kind":"nxdomain","ttl":60}
{"name":"h.example","type":"AAAA","kind":"nxdomain","ttl":60}
)";
constexpr const char* kConfig = R"([resolver]
replay = "answers.jsonl"
[server]
image = "z.mzi"
[[zone]]
name = "_spf.z.example"
type = "spf"
ns = ["ns.z.example"]
hostmaster = "h@z.example"
source_prefix = "_src"
domains = ["one.example", "two.example", "three.example", "+sub.example"]
)";

struct Outcome {
  int code;
  std::string out, err;
  json document() const { return json::parse(out, nullptr, false); }
};

class SpfVerbsTest : public testing::Test {
 protected:
  SpfVerbsTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "mz-spf-XXXXXX").string();
    dir_ = ::mkdtemp(pattern.data());
    std::ofstream(dir_ + "/answers.jsonl") << kRecording;
    std::ofstream(config()) << kConfig;
  }
  ~SpfVerbsTest() override { std::filesystem::remove_all(dir_); }

  std::string config() const { return dir_ + "/z.toml"; }
  std::string replay() const { return "--replay=" + dir_ + "/answers.jsonl"; }

  static Outcome Spf(std::vector<std::string> arguments, bool drawing = false) {
    std::ostringstream out, err;
    Terminal terminal{out, err};
    terminal.out_drawing = drawing;
    arguments.insert(arguments.begin(), "spf");
    const int code = RunMailzone(arguments, terminal);
    return {code, out.str(), err.str()};
  }

  std::string dir_;
};

TEST_F(SpfVerbsTest, HelpAndMistakes) {
  Outcome r = Spf({"--help"});
  EXPECT_EQ(r.code, kExitOk);
  EXPECT_THAT(r.out, StartsWith("Examples:\n  mailzone spf check"));
  for (const char* verb : {"check", "tree", "publish", "explain", "diff"}) {
    r = Spf({verb, "--help"});
    EXPECT_EQ(r.code, kExitOk);
    EXPECT_THAT(r.out, StartsWith(std::string("Examples:\n  mailzone spf ") + verb + " "));
    EXPECT_THAT(Spf({"help", verb}).out, r.out);
    EXPECT_EQ(Spf({verb}).code, kExitUsage);
  }
  r = Spf({"explian"});
  EXPECT_EQ(r.code, kExitUsage);
  EXPECT_THAT(r.err, HasSubstr("did you mean 'explain'?"));
  EXPECT_EQ(Spf({}).code, kExitUsage);
  EXPECT_THAT(Spf({"tree", "--jsno", "x.example"}).err, HasSubstr("did you mean '--json'?"));
}

TEST_F(SpfVerbsTest, DomainThatNoZoneServes) {
  Outcome r = Spf({"explain", config(), "onee.example", "5.6.7.8"});
  EXPECT_EQ(r.code, kExitUsage);
  EXPECT_THAT(r.err, HasSubstr("did you mean 'one.example'?"));
  r = Spf({"explain", config(), "somebody.test", "5.6.7.8"});
  EXPECT_THAT(r.err, HasSubstr("--zone NAME"));
  EXPECT_EQ(Spf({"explain", config(), "one.example", "5.6.7"}).code, kExitUsage);
  EXPECT_EQ(Spf({"explain", dir_ + "/none.toml", "one.example", "5.6.7.8"}).code, kExitUnreadable);
  r = Spf({"publish", config(), "one.example", "--zone", "_spf.y.example"});
  EXPECT_EQ(r.code, kExitUsage);
  EXPECT_THAT(r.err, HasSubstr("did you mean '_spf.z.example'?"));
}

TEST_F(SpfVerbsTest, ExplainShowsTheDecidingTerms) {
  Outcome r = Spf({"explain", config(), "ONE.example", "7.7.1.2"});
  EXPECT_EQ(r.code, kExitOk);
  EXPECT_THAT(r.out, StartsWith("one.example  7.7.1.2: pass\n"));
  EXPECT_THAT(r.out, HasSubstr("2.1.7.7.one.example._spf.z.example TXT"));
  EXPECT_THAT(r.out, HasSubstr("v=spf1 ip4:7.7.1.2 -all"));
  EXPECT_THAT(r.out, HasSubstr("  =>   include:_spf.p.example"));
  EXPECT_THAT(r.out, HasSubstr("  =>     ip4:7.7.0.0/16"));
  // An include that does not match is one line.
  r = Spf({"explain", config(), "one.example", "2a00:2::1"});
  EXPECT_THAT(r.out, HasSubstr("no match: 1 record read"));
  EXPECT_THAT(r.out, Not(HasSubstr("ip6:2a00:1::/32")));
  EXPECT_THAT(Spf({"explain", "--all", config(), "one.example", "2a00:2::1"}).out, HasSubstr("ip6:2a00:1::/32 "));
}

TEST_F(SpfVerbsTest, ExplainNamesWhatTheReceiverLooksUp) {
  const json d = Spf({"explain", "--json", config(), "two.example", "1.2.3.4", "--sender", "bob@c.example"}).document();
  EXPECT_EQ(d["result"], "depends on the message");
  EXPECT_EQ(d["answer"], "v=spf1 exists:%{l}.x.example ~all");
  EXPECT_EQ(d["receiver_lookups"],
            json::parse(R"([{"type":"A","name":"bob.x.example","term":"exists:%{l}.x.example"}])"));
  EXPECT_EQ(d["steps"][2]["outcome"], "left to the receiver");
  EXPECT_TRUE(d["steps"][3]["decides"]);
  EXPECT_THAT(Spf({"explain", config(), "two.example", "1.2.3.4"}).out, HasSubstr("%{l}.x.example"));
}

TEST_F(SpfVerbsTest, NamesBelowADomainWithSubdomains) {
  const json d = Spf({"explain", "--json", config(), "deep.sub.example", "1.2.3.4"}).document();
  EXPECT_EQ(d["source"], "_src.sub.example");
  EXPECT_EQ(d["query_name"], "4.3.2.1.deep.sub.example._spf.z.example");
  EXPECT_EQ(d["result"], "fail");
}

TEST_F(SpfVerbsTest, PublishComparesFormsAndWhatIsPublished) {
  Outcome r = Spf({"publish", config(), "one.example"});
  EXPECT_EQ(r.code, kExitOk);
  EXPECT_THAT(r.out, HasSubstr("one.example. TXT \"v=spf1 redirect=%{ir}.%{d}._spf.z.example\""));
  EXPECT_THAT(r.out, HasSubstr("neutral becomes fail for 9.9.9.9"));
  EXPECT_THAT(r.out, HasSubstr("warning: neutral becomes fail for 9.9.9.9"));
  EXPECT_EQ(Spf({"publish", "--check", config(), "one.example"}).code, kExitFindings);
  EXPECT_EQ(Spf({"publish", "--check", config(), "two.example"}).code, kExitOk);
  const json d = Spf({"publish", "--json", config(), "two.example"}).document();
  EXPECT_TRUE(d["dynamic"]);
  EXPECT_EQ(d["published"]["state"], "ours");
  ASSERT_EQ(d["forms"].size(), 4u);
  EXPECT_EQ(d["forms"][1]["form"], "include");
  EXPECT_TRUE(d["forms"][1]["exact"]);
  EXPECT_FALSE(d["forms"][2]["possible"]);
  EXPECT_EQ(d["forms"][3]["needs"], "form = \"classes\" and layout = \"{class}.%{ir}.%{d}\"");
  EXPECT_THAT(Spf({"publish", config(), "sub.example"}).out, HasSubstr("warning: no SPF record"));
}

TEST_F(SpfVerbsTest, PublishForADomainThatIsNotListedYet) {
  const Outcome r = Spf({"publish", config(), "gone.example", "--zone", "_spf.z.example"});
  EXPECT_EQ(r.code, kExitOk);
  EXPECT_THAT(r.out, HasSubstr("in no list of the zone"));
}

TEST_F(SpfVerbsTest, TreeDrawsIncludes) {
  Outcome r = Spf({"tree", config(), "three.example"});
  EXPECT_EQ(r.code, kExitFindings);
  EXPECT_THAT(r.out, HasSubstr("\n|- include:_spf.p.example"));
  EXPECT_THAT(r.out, HasSubstr("again, see above"));
  EXPECT_THAT(r.out, HasSubstr("\n`- include:gone.example"));
  EXPECT_THAT(r.out, HasSubstr("the name does not exist"));
  EXPECT_THAT(r.out, HasSubstr("3 lookups"));
  EXPECT_THAT(Spf({"tree", config(), "three.example"}, true).out, HasSubstr("\n└─ include:gone.example"));
  const json d = Spf({"tree", "--json", replay(), "_spf.p.example"}).document();
  EXPECT_EQ(d["tree"][0]["ip4"], 1);
  EXPECT_EQ(d["lookups"], 0);
}

TEST_F(SpfVerbsTest, CheckADomain) {
  Outcome r = Spf({"check", replay(), "one.example"});
  EXPECT_EQ(r.code, kExitOk) << r.out;
  EXPECT_THAT(r.out, HasSubstr("fine: every receiver comes to a result"));
  r = Spf({"check", "--config", config(), "--source", "three.example"});
  EXPECT_EQ(r.code, kExitFindings);
  EXPECT_THAT(r.out, HasSubstr("permerror for clients that no earlier term matches"));
  EXPECT_THAT(r.out, HasSubstr("_spf.p.example is read 2 times"));
  EXPECT_EQ(Spf({"check", replay(), "unknown.example"}).code, kExitTemporary);
  EXPECT_EQ(Spf({"check", replay(), "gone.example"}).code, kExitFindings);
}

TEST_F(SpfVerbsTest, CheckAText) {
  Outcome r = Spf({"check", replay(), "v=spf1 ip4:1.2.3.400 -all"});
  EXPECT_EQ(r.code, kExitFindings);
  EXPECT_THAT(r.out, HasSubstr("permerror for everybody: a syntax error"));
  EXPECT_THAT(r.out, HasSubstr("record:1:18: error: octet over 255"));
  EXPECT_THAT(r.out, HasSubstr("\n                 ^~~\n"));
  r = Spf({"check", replay(), "v=spf1 ip4:1.2.3.4 ip4:1.2.3.4 -all"});
  EXPECT_EQ(r.code, kExitOk);
  EXPECT_THAT(r.out, HasSubstr("warning: everything it matches is matched by terms before it"));
  EXPECT_EQ(Spf({"check", "--strict", replay(), "v=spf1 ip4:1.2.3.4 ip4:1.2.3.4 -all"}).code, kExitFindings);
  const json d = Spf({"check", "--json", replay(), "v=spf1 a -all", "--domain", "h.example"}).document();
  EXPECT_EQ(d["verdict"], "good");
  EXPECT_EQ(d["void_lookups_ip6"].size(), 1u);
  EXPECT_EQ(Spf({"check", replay(), "v=spf2 a -all"}).code, kExitUsage);
  EXPECT_EQ(Spf({"check", replay(), "--source", "one.example"}).code, kExitUsage);
}

TEST_F(SpfVerbsTest, DiffOfTwoDomains) {
  Outcome r = Spf({"diff", config(), "one.example", "one.example"});
  EXPECT_EQ(r.code, kExitOk);
  EXPECT_EQ(r.out, "# no difference\n");
  r = Spf({"diff", config(), "one.example", "sub.example"});
  EXPECT_EQ(r.code, kExitFindings);
  EXPECT_THAT(r.out, HasSubstr("  - v=spf1 ip4:$IP -all\n  + v=spf1 -all\n      5.6.7.0/24 7.7.0.0/16\n"));
  EXPECT_THAT(r.out, HasSubstr("  - v=spf1 ?all\n  + v=spf1 -all\n      9.9.9.9\n"));
  EXPECT_THAT(r.out, HasSubstr("# 65,793 IPv4 addresses get another answer"));
  EXPECT_THAT(Spf({"diff", "--max-prefixes=1", config(), "one.example", "sub.example"}).out, HasSubstr("5.6.7.0/24 and 1 more"));
  EXPECT_EQ(Spf({"diff", config(), "one.example"}).code, kExitUsage);
}

TEST_F(SpfVerbsTest, DiffOfTwoImages) {
  std::ostringstream out, err;
  Terminal terminal{out, err};
  const std::string before = dir_ + "/a.mzi", after = dir_ + "/b.mzi";
  ASSERT_EQ(RunMailzone({"build", "-o", before, config()}, terminal), kExitOk) << err.str();
  std::string changed = kRecording;
  changed.replace(changed.find("7.7.0.0/16"), 10, "7.7.0.0/17");
  std::ofstream(dir_ + "/answers.jsonl") << changed;
  ASSERT_EQ(RunMailzone({"build", "-o", after, config()}, terminal), kExitOk) << err.str();
  EXPECT_EQ(Spf({"diff", before, before}).code, kExitOk);
  Outcome r = Spf({"diff", before, after, "one.example"});
  EXPECT_EQ(r.code, kExitFindings);
  EXPECT_THAT(r.out, StartsWith("one.example\n"));
  EXPECT_THAT(r.out, HasSubstr("7.7.128.0/17"));
  EXPECT_EQ(Spf({"diff", before, after, "two.example"}).code, kExitOk);
  EXPECT_EQ(Spf({"diff", "--json", before, after}).document()["changes"].size(), 2u);  // three.example, too
  EXPECT_EQ(Spf({"diff", before, config()}).code, kExitUnreadable);
}

}  // namespace
}  // namespace mz::cli
