// The configuration: good files, and what is said about bad ones.
#include "cli/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/diagnostics.h"

namespace mz::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Collector : public dataset::DiagnosticSink {
 public:
  void Report(dataset::Diagnostic d) override { all.push_back(std::move(d)); }
  std::vector<dataset::Diagnostic> all;
};

constexpr std::string_view kGood = R"([server]
listen = ["0.0.0.0:53", "[::]:53"]
image = "out/zone.mzi"
workers = 2
query_log = "+queries.log"
stats_file = "-"
tcp_idle_timeout = "30s"

[build]
ttl = "35m:1m:1d"
ent = "nxdomain"

[watch]
quiet_ms = 50

[[zone]]
name = "bl.example.org"
type = "ip4set"
files = ["bl.txt", "/abs/more.txt"]
ns = ["ns1.example.net", "ns2.example.net"]
hostmaster = "john.doe@example.net"
serial = 7
minimal = true

[[zone]]
name = "dn.example.org"
type = "dnset"
files = ["dn.txt"]
ttl = 600
)";

struct Result {
  StatusOr<Config> config;
  std::vector<dataset::Diagnostic> said;
};
Result Load(std::string_view text, const Environment& environment = {}, const std::string& path = "/etc/mz/m.toml") {
  Collector sink;
  StatusOr<Config> config = ParseConfig(path, text, environment, &sink);
  return {std::move(config), std::move(sink.all)};
}

// One zone behind some lines.
std::string WithZone(std::string_view lines) {
  return std::string(lines) + "\n[[zone]]\nname = \"a.test\"\ntype = \"ip4set\"\nfiles = [\"a\"]\n";
}

TEST(ConfigTest, ReadsEveryKindOfKey) {
  Result r = Load(kGood);
  ASSERT_TRUE(r.config.ok()) << (r.said.empty() ? "" : FormatDiagnostic(r.said[0], false));
  const Config& c = *r.config;
  EXPECT_THAT(c.server.listen, ElementsAre("0.0.0.0:53", "[::]:53"));
  EXPECT_EQ(c.server.workers, 2u);
  EXPECT_EQ(c.server.tcp_idle_timeout, 30u);
  EXPECT_EQ(c.build.ttl, "35m:1m:1d");
  EXPECT_EQ(c.build.ent, "nxdomain");
  EXPECT_EQ(c.watch.quiet_ms, 50u);
  ASSERT_EQ(c.zones.size(), 2u);
  EXPECT_EQ(c.zones[0].serial, 7u);
  EXPECT_EQ(c.zones[0].minimal, true);
  EXPECT_EQ(c.zones[0].ttl, std::nullopt);
  EXPECT_EQ(c.zones[1].ttl, 600u);
}

TEST(ConfigTest, RelativePathsBelongToTheFilesDirectory) {
  Result r = Load(kGood);
  ASSERT_TRUE(r.config.ok());
  EXPECT_EQ(r.config->server.image, "/etc/mz/out/zone.mzi");
  EXPECT_EQ(r.config->server.stats_page, "/etc/mz/out/zone.mzi.stats");
  EXPECT_EQ(r.config->server.query_log, "+/etc/mz/queries.log");
  EXPECT_EQ(r.config->server.stats_file, "-");
  EXPECT_THAT(r.config->zones[0].files, ElementsAre("/etc/mz/bl.txt", "/abs/more.txt"));
  Result here = Load(WithZone(""), {}, "m.toml");
  ASSERT_TRUE(here.config.ok());
  EXPECT_EQ(here.config->server.image, "m.mzi");
  EXPECT_THAT(here.config->zones[0].files, ElementsAre("a"));
}

TEST(ConfigTest, UnknownKeyHasPlaceLineAndSuggestion) {
  Result r = Load(WithZone("[server]\n  lisen = [\"127.0.0.1:53\"]\n"));
  ASSERT_FALSE(r.config.ok());
  EXPECT_EQ(r.config.status().code(), StatusCode::kInvalidArgument);
  ASSERT_EQ(r.said.size(), 1u);
  EXPECT_EQ(FormatDiagnostic(r.said[0], false),
            "/etc/mz/m.toml:2:3: error: unknown key 'lisen' in [server]\n"
            "  lisen = [\"127.0.0.1:53\"]\n"
            "  ^~~~~\n"
            "note: did you mean 'listen'?\n");
}

TEST(ConfigTest, ColumnsCountOctetsButCaretsCountCharacters) {
  Result r = Load(WithZone("[server]\nserver_id = \"\xc3\xa4\xc3\xb6\"\n[build]\n\"\xc3\xa4\" = { ttll = 5 }\n"));
  ASSERT_EQ(r.said.size(), 1u);
  EXPECT_EQ(r.said[0].line, 4u);
  EXPECT_EQ(r.said[0].column, 1u);
  EXPECT_THAT(FormatDiagnostic(r.said[0], false), HasSubstr("\n^~~\n"));
}

TEST(ConfigTest, KeyInTheWrongPlaceIsSentHome) {
  EXPECT_EQ(Load(WithZone("listen = [\"a\"]\n")).said.at(0).hint, "it belongs under [server]");
  EXPECT_EQ(Load(WithZone("[build]\nhostmaster = \"a\"\n")).said.at(0).hint, "it belongs under [[zone]]");
  EXPECT_EQ(Load(WithZone("[sever]\n")).said.at(0).hint, "did you mean 'server'?");
}

TEST(ConfigTest, TypeErrorsPointAtTheValue) {
  Result r = Load(WithZone("[server]\nlisten = \"127.0.0.1:53\"\nworkers = \"2\"\npin_workers = 1\nio = 2.5\n"));
  ASSERT_EQ(r.said.size(), 4u);
  EXPECT_EQ(r.said[0].message, "'listen' wants a list, not text");
  EXPECT_EQ(r.said[0].hint, "write listen = [\"127.0.0.1:53\"]");
  EXPECT_EQ(r.said[0].line, 2u);
  EXPECT_EQ(r.said[0].column, 10u);
  EXPECT_EQ(r.said[0].length, 14u);
  EXPECT_EQ(r.said[1].message, "'workers' wants a number, not text");
  EXPECT_EQ(r.said[2].message, "'pin_workers' wants true or false, not a number");
  EXPECT_EQ(r.said[3].message, "'io' wants text, not a floating-point number");
}

TEST(ConfigTest, ValuesAreChecked) {
  EXPECT_EQ(Load(WithZone("[server]\nworkers = 0\n")).said.at(0).hint, "from 1 to 1024");
  EXPECT_EQ(Load(WithZone("[server]\nworkers = -1\n")).said.at(0).hint, "from 1 to 1024");
  EXPECT_EQ(Load(WithZone("[server]\nio = \"urin\"\n")).said.at(0).hint, "did you mean 'uring'?");
  EXPECT_EQ(Load(WithZone("[server]\nlisten = [\"127.0.0.1:\"]\n")).said.at(0).hint,
            "HOST:PORT, [IPV6]:PORT or HOST/PORT");
  EXPECT_THAT(Load(WithZone("[build]\nttl = \"::120\"\n")).said.at(0).message, HasSubstr("inconsistent"));
  EXPECT_THAT(Load(WithZone("[server]\ntcp_idle_timeout = \"1h30m\"\n")).said.at(0).message, HasSubstr("not a time"));
  std::string long_label(64, 'x');
  EXPECT_THAT(Load("[[zone]]\nname = \"" + long_label + ".test\"\n").said.at(0).message,
              HasSubstr("is not a domain name"));
}

TEST(ConfigTest, TypesThatAreNotSupportedSayWhatIs) {
  Result r = Load("[[zone]]\nname = \"a.test\"\ntype = \"wholly-new\"\nfiles = [\"a\"]\n");
  ASSERT_EQ(r.said.size(), 1u);
  EXPECT_EQ(r.said[0].message, "unknown type 'wholly-new'");
  EXPECT_THAT(r.said[0].hint, HasSubstr("ip4set"));
  EXPECT_EQ(r.said[0].line, 3u);
  EXPECT_THAT(Load("[[zone]]\ntype = \"ip4sett\"\n").said.at(0).hint, HasSubstr("'ip4set'"));
  EXPECT_THAT(Load("[[zone]]\ntype = \"acl\"\n").said.at(0).hint, HasSubstr("key 'acl'"));
}

constexpr std::string_view kHealthcheck = R"([[zone]]
name = "hc.test"
type = "healthcheck"
ns = ["ns1.hc.test"]
hostmaster = "h@hc.test"
key_files = ["id.key", "id2.key"]
signing_key = 1
expiry = "2d"
opaque_ids = true
mail_hosts = ["mail.hc.test 192.0.2.25"]
dkim_keys = "keys"
registered = "ids.txt"
)";

TEST(ConfigTest, HealthcheckZones) {
  Result r = Load(kHealthcheck);
  ASSERT_TRUE(r.config.ok()) << r.said.at(0).message;
  const ZoneConfig& z = r.config->zones.at(0);
  EXPECT_THAT(z.key_files, ElementsAre("/etc/mz/id.key", "/etc/mz/id2.key"));
  EXPECT_EQ(z.dkim_keys, "/etc/mz/keys");
  EXPECT_EQ(z.registered, "/etc/mz/ids.txt");
  EXPECT_EQ(z.expiry, 2u * 86400);
  EXPECT_EQ(z.signing_key, 1u);
  EXPECT_TRUE(r.config->HasHealthcheck());
  Result env = Load(kHealthcheck, {{"MAILZONE_ZONE_1_EXPIRY", "3h"}, {"MAILZONE_ZONE_1_OPAQUE_IDS", "false"}});
  ASSERT_TRUE(env.config.ok());
  EXPECT_EQ(env.config->zones.at(0).expiry, 3u * 3600);
  EXPECT_EQ(env.config->zones.at(0).opaque_ids, false);
}

TEST(ConfigTest, IncompleteHealthcheckZones) {
  auto without = [](std::string_view key) {
    std::string text(kHealthcheck);
    const size_t at = text.find(std::string(key) + " = ");
    text.erase(at, text.find('\n', at) + 1 - at);
    Result r = Load(text);
    return r.said.empty() ? std::string("accepted") : r.said[0].message;
  };
  EXPECT_THAT(without("ns"), HasSubstr("'ns' and 'hostmaster'"));
  EXPECT_THAT(without("mail_hosts"), HasSubstr("no mail host"));
  EXPECT_THAT(without("dkim_keys"), HasSubstr("no DKIM keys"));
  EXPECT_THAT(without("key_files"), HasSubstr("'signing_key' names a key that is not there"));
  EXPECT_EQ(without("registered"), "accepted");
  EXPECT_THAT(Load(std::string(kHealthcheck) + "ttl = 61\n").said.at(0).message, HasSubstr("more than 60"));
  EXPECT_THAT(Load(std::string(kHealthcheck) + "files = [\"a\"]\n").said.at(0).message, HasSubstr("has no files"));
  EXPECT_THAT(Load(std::string(kHealthcheck) + std::string(kHealthcheck)).said.at(0).message, HasSubstr("given twice"));
  EXPECT_THAT(Load(WithZone("") + "selector = \"s1\"\n").said.at(0).message, HasSubstr("keys of a healthcheck zone"));
}

TEST(ConfigTest, IncompleteZonesAreReportedWhereTheyBegin) {
  Result r = Load(WithZone("") + "\n[[zone]]\nname = \"b.test\"\n");
  ASSERT_EQ(r.said.size(), 2u);
  EXPECT_EQ(r.said[0].line, 7u);
  EXPECT_EQ(r.said[0].message, "the zone has no type");
  EXPECT_EQ(r.said[1].message, "the zone has no files");
  EXPECT_EQ(Load("").said.at(0).message, "there is no [[zone]]");
  EXPECT_EQ(Load("[zone]\nname = \"a\"\n").said.at(0).hint, "write [[zone]]");
  EXPECT_EQ(Load("[[server]]\nworkers = 1\n").said.at(0).hint, "write [server]");
}

TEST(ConfigTest, SoaValuesNeedWhatASoaIsMadeOf) {
  EXPECT_THAT(Load(WithZone("") + "refresh = 60\n").said.at(0).message, HasSubstr("without 'hostmaster'"));
  EXPECT_THAT(Load(WithZone("") + "hostmaster = \"a@b\"\n").said.at(0).message, HasSubstr("without 'ns'"));
  EXPECT_TRUE(Load(WithZone("") + "hostmaster = \"a@b\"\nprimary = \"ns.b\"\nrefresh = \"2h\"\n").config.ok());
}

TEST(ConfigTest, SyntaxErrorsHaveAPlace) {
  Result r = Load("[server\nlisten = 5\n");
  ASSERT_EQ(r.said.size(), 1u);
  EXPECT_EQ(r.said[0].line, 1u);
  EXPECT_GT(r.said[0].column, 1u);
  EXPECT_EQ(r.said[0].source_line, "[server");
}

TEST(ConfigTest, AnyOctetsAreSafe) {
  uint32_t state = 1;
  for (int round = 0; round < 3000; round++) {
    std::string text(kGood);
    for (int flips = 0; flips < 5; flips++) {
      state = state * 1664525 + 1013904223;
      text[(state >> 8) % text.size()] = static_cast<char>(state >> 24);
    }
    Load(text);
  }
}

TEST(ConfigEnvironmentTest, VariablesBeatTheFile) {
  Result r = Load(kGood, {{"MAILZONE_SERVER_LISTEN", "127.0.0.1:5353, [::1]:5353"},
                          {"MAILZONE_SERVER_WORKERS", "7"},
                          {"MAILZONE_BUILD_MINIMAL", "true"},
                          {"MAILZONE_ZONE_2_FILES", "x.txt"},
                          {"MAILZONE_UNRELATED", "1"}});
  ASSERT_TRUE(r.config.ok()) << FormatDiagnostic(r.said.at(0), false);
  EXPECT_THAT(r.config->server.listen, ElementsAre("127.0.0.1:5353", "[::1]:5353"));
  EXPECT_EQ(r.config->server.workers, 7u);
  EXPECT_EQ(r.config->build.minimal, true);
  EXPECT_THAT(r.config->zones[1].files, ElementsAre("/etc/mz/x.txt"));
}

TEST(ConfigEnvironmentTest, ZonesMayComeFromVariablesAlone) {
  Result r = Load("", {{"MAILZONE_ZONE_1_FILES", "a.txt"},
                       {"MAILZONE_ZONE_1_NAME", "a.test"},
                       {"MAILZONE_ZONE_1_TYPE", "ip4set"}});
  ASSERT_TRUE(r.config.ok());
  EXPECT_EQ(r.config->zones.at(0).name, "a.test");
}

TEST(ConfigEnvironmentTest, MistakesNameTheVariable) {
  auto said = [](const std::string& name, const std::string& value) {
    Result r = Load(kGood, {{name, value}});
    return r.said.empty() ? std::string() : FormatDiagnostic(r.said[0], false);
  };
  EXPECT_EQ(said("MAILZONE_SERVER_LISEN", "x"),
            "environment variable MAILZONE_SERVER_LISEN: error: unknown key 'lisen' in [server]\n"
            "note: did you mean 'listen'?\n");
  EXPECT_THAT(said("MAILZONE_SERVER_WORKERS", "two"), HasSubstr("'two' is not a number"));
  EXPECT_THAT(said("MAILZONE_BUILD_MINIMAL", "maybe"), HasSubstr("'maybe' is not true or false"));
  EXPECT_THAT(said("MAILZONE_ZONE_NAME", "x"), HasSubstr("numbered from 1"));
  EXPECT_THAT(said("MAILZONE_ZONE_9_NAME", "x"), HasSubstr("without gaps"));
}

}  // namespace
}  // namespace mz::cli
