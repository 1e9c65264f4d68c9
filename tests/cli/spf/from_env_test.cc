// expurgate's variables, one by one, and every mistake that can be made with them.
#include "cli/spf/from_env.h"

#include "cli/config.h"
#include "cli/spf/rbldnsd_options.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace mz::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class FromEnvTest : public ::testing::Test {
 protected:
  // A configuration that LoadConfig takes, whatever the variables said.
  Config Accepted(Environment environment) {
    result_ = ConfigFromEnvironment(environment, "spf.mzi");
    EXPECT_TRUE(result_.ok) << Said();
    struct Sink : dataset::DiagnosticSink {
      void Report(dataset::Diagnostic d) override { text += d.message + "\n"; }
      void ReportSuppressed(uint64_t) override {}
      std::string text;
    } sink;
    StatusOr<Config> config = ParseConfig("/state/from-env.toml", result_.config, {}, &sink);
    EXPECT_TRUE(config.ok()) << sink.text << result_.config;
    return config.ok() ? *config : Config{};
  }
  // The messages of a refusal.
  std::string Refused(Environment environment) {
    result_ = ConfigFromEnvironment(environment, "spf.mzi");
    EXPECT_FALSE(result_.ok) << result_.config;
    EXPECT_EQ(result_.config, "");
    return Said();
  }
  std::string Said() const {
    std::string text;
    for (const EnvMessage& m : result_.messages) {
      text += m.kind == EnvMessage::kError ? "error: " : m.kind == EnvMessage::kWarning ? "warning: " : "";
      text += m.text + "\n" + (m.hint.empty() ? "" : "note: " + m.hint + "\n");
    }
    return text;
  }
  // With what every sensible environment has.
  static Environment With(Environment more) {
    Environment out = {{"MY_DOMAINS", "a.example b.example"}, {"ZONE", "_spf.example.com"}};
    for (auto& entry : more) {
      std::erase_if(out, [&](const auto& e) { return e.first == entry.first; });
      out.push_back(entry);
    }
    return out;
  }

  EnvResult result_;
};

TEST_F(FromEnvTest, TheUsualSet) {
  const Config config = Accepted(With({{"SOURCE_PREFIX", "_src"},
                                       {"DELAY", "120"},
                                       {"NS_RECORD", "ns1.example.com"},
                                       {"SOA_HOSTMASTER", "host.master@example.com"},
                                       {"UPTIMEKUMA_PUSH_URL", "https://up.example/api/push/x?status=up&msg=OK&ping="},
                                       {"TYPE", "combined"},
                                       {"TZ", "Europe/Berlin"},
                                       {"RUNNING_CONFIG_ON", "1"},
                                       {"OPTIONS", "-e -t 5m -l -"}}));
  EXPECT_EQ(Said(), "");
  EXPECT_THAT(config.server.listen, ElementsAre("0.0.0.0:53"));
  EXPECT_EQ(config.server.image, "/state/spf.mzi");
  EXPECT_EQ(config.server.query_log, "-");
  EXPECT_EQ(config.spf.max_refresh, 120u);
  EXPECT_EQ(config.spf.min_refresh, 60u);
  EXPECT_EQ(config.spf.push_interval, 120u);
  EXPECT_EQ(config.spf.push_url, "https://up.example/api/push/x?status=up&msg=OK&ping=");
  ASSERT_EQ(config.zones.size(), 1u);
  const ZoneConfig& zone = config.zones[0];
  EXPECT_EQ(zone.name, "_spf.example.com");
  EXPECT_EQ(zone.type, "spf");
  EXPECT_EQ(zone.source_prefix, "_src");
  EXPECT_THAT(zone.ns, ElementsAre("ns1.example.com"));
  EXPECT_EQ(zone.hostmaster, "host.master@example.com");
  EXPECT_EQ(zone.refresh, 10800u);
  EXPECT_EQ(zone.ttl, 300u);
  EXPECT_THAT(zone.domains, ElementsAre("a.example", "b.example"));
  EXPECT_FALSE(result_.demo);
  EXPECT_FALSE(result_.per_domain);
}

TEST_F(FromEnvTest, NothingSetIsTheDemo) {
  const Config config = Accepted({{"HOME", "/root"}, {"PATH", "/usr/bin"}, {"TZ", "UTC"}, {"TERM", "dumb"}});
  EXPECT_TRUE(result_.demo);
  EXPECT_EQ(config.zones[0].name, kDefaultEnvZone);
  EXPECT_EQ(config.zones[0].source_prefix, "");
  EXPECT_EQ(config.zones[0].domains.size(), 8u);
  EXPECT_EQ(config.zones[0].domains[0], "_spf.google.com");
  EXPECT_THAT(Said(), HasSubstr("demo mode"));
  EXPECT_THAT(Said(), HasSubstr("ZONE is not set"));
}

TEST_F(FromEnvTest, DomainsAreSplitAtAnyBlank) {
  const Config config = Accepted(With({{"MY_DOMAINS", "  a.example\n\tB.example,c.example  a.EXAMPLE nodot bad..example d!.example "}}));
  EXPECT_THAT(config.zones[0].domains, ElementsAre("a.example", "B.example", "c.example"));
  EXPECT_THAT(Said(), HasSubstr("warning: MY_DOMAINS: left out: 'nodot' has only one label\n"));
  EXPECT_THAT(Said(), HasSubstr("'bad..example'"));
  EXPECT_THAT(Said(), HasSubstr("'d!.example'"));
}

TEST_F(FromEnvTest, NoUsableDomainIsAnError) {
  EXPECT_THAT(Refused(With({{"MY_DOMAINS", ""}})), HasSubstr("error: MY_DOMAINS is empty"));
  EXPECT_THAT(Refused(With({{"MY_DOMAINS", "nodot"}})), HasSubstr("error: MY_DOMAINS holds no usable domain"));
}

TEST_F(FromEnvTest, ADomainListFromAUrl) {
  Config config = Accepted({{"ZONE", "z.example"}, {"RESTDB_URL", "https://db.example/rest/d"}, {"RESTDB_KEY", "se\"cret\\"}});
  EXPECT_EQ(config.zones[0].domains_url, "https://db.example/rest/d");
  EXPECT_EQ(config.zones[0].domains_key, "se\"cret\\");
  EXPECT_THAT(config.zones[0].domains, IsEmpty());
  EXPECT_FALSE(result_.demo);
  config = Accepted(With({{"RESTDB_URL", "https://db.example/rest/d"}}));
  EXPECT_THAT(config.zones[0].domains, IsEmpty());
  EXPECT_THAT(Said(), HasSubstr("warning: MY_DOMAINS is ignored"));
  EXPECT_THAT(Refused(With({{"RESTDB_URL", "db.example/rest"}})), HasSubstr("error: RESTDB_URL: 'db.example/rest' is not a URL"));
  Accepted(With({{"RESTDB_KEY", "secret"}}));
  EXPECT_THAT(Said(), HasSubstr("RESTDB_KEY does nothing without RESTDB_URL"));
}

TEST_F(FromEnvTest, ThePrefix) {
  EXPECT_EQ(Accepted(With({})).zones[0].source_prefix, "_xpg8");
  EXPECT_EQ(Accepted(With({{"SOURCE_PREFIX", ""}})).zones[0].source_prefix, "_xpg8");
  EXPECT_EQ(Accepted(With({{"SOURCE_PREFIX", "a.b."}})).zones[0].source_prefix, "a.b");
  EXPECT_THAT(Refused(With({{"SOURCE_PREFIX", "_x y"}})), HasSubstr("error: SOURCE_PREFIX: '_x y' is not a name"));
  for (const char* on : {"True", "1", "yes", "ON"}) EXPECT_EQ(Accepted(With({{"SOURCE_PREFIX_OFF", on}})).zones[0].source_prefix, "");
  for (const char* off : {"False", "0", "no", "off", ""}) {
    EXPECT_EQ(Accepted(With({{"SOURCE_PREFIX_OFF", off}})).zones[0].source_prefix, "_xpg8") << off;
    EXPECT_THAT(Said(), HasSubstr("keeps the prefix"));  // expurgate took it as off
  }
  EXPECT_THAT(Refused(With({{"SOURCE_PREFIX_OFF", "perhaps"}})), HasSubstr("'perhaps' is neither true nor false"));
}

TEST_F(FromEnvTest, TheDelay) {
  EXPECT_EQ(Accepted(With({})).spf.max_refresh, 300u);
  EXPECT_EQ(Accepted(With({{"DELAY", "30"}})).spf.max_refresh, 30u);
  EXPECT_EQ(Accepted(With({{"DELAY", " 30 "}})).spf.min_refresh, 30u);
  EXPECT_EQ(Accepted(With({{"DELAY", "29"}})).spf.max_refresh, 300u);
  EXPECT_THAT(Said(), HasSubstr("less than 30 seconds counts as 300"));
  EXPECT_EQ(Accepted(With({{"DELAY", "99999999"}})).spf.max_refresh, 604800u);
  EXPECT_EQ(Accepted(With({{"DELAY", ""}})).spf.max_refresh, 300u);
  for (const char* bad : {"5m", "-1", "1.5", "99999999999999999999999"})
    EXPECT_THAT(Refused(With({{"DELAY", bad}})), HasSubstr(std::string("DELAY: '") + bad + "' is not a number"));
}

TEST_F(FromEnvTest, RunningConfigDecidesAboutFiles) {
  Accepted(With({{"RUNNING_CONFIG_ON", "0"}}));
  EXPECT_TRUE(result_.per_domain);
  EXPECT_THAT(Refused(With({{"RUNNING_CONFIG_ON", "2"}})), HasSubstr("RUNNING_CONFIG_ON: '2' is neither 0 nor 1"));
  EXPECT_THAT(Refused(With({{"RUNNING_CONFIG_ON", "true"}})), HasSubstr("neither 0 nor 1"));
}

TEST_F(FromEnvTest, AuthorityNeedsBoth) {
  Config config = Accepted(With({{"NS_RECORD", "ns1.example.com."}}));
  EXPECT_THAT(config.zones[0].ns, IsEmpty());
  EXPECT_THAT(Said(), HasSubstr("SOA_HOSTMASTER is missing"));
  config = Accepted(With({{"SOA_HOSTMASTER", "h@example.com"}}));
  EXPECT_EQ(config.zones[0].hostmaster, "");
  EXPECT_THAT(Said(), HasSubstr("NS_RECORD is missing"));
  config = Accepted(With({{"SOA_HOSTMASTER", "h@example.com"}, {"NS_RECORD", "ns1.example.com."}}));
  EXPECT_THAT(config.zones[0].ns, ElementsAre("ns1.example.com"));
  EXPECT_THAT(Refused(With({{"SOA_HOSTMASTER", "h.example.com"}, {"NS_RECORD", "ns1.example.com"}})),
              HasSubstr("SOA_HOSTMASTER: 'h.example.com' is not a mail address"));
  EXPECT_THAT(Refused(With({{"SOA_HOSTMASTER", "h@example.com"}, {"NS_RECORD", "ns1"}})),
              HasSubstr("NS_RECORD: 'ns1' is not a host name"));
}

TEST_F(FromEnvTest, TheZone) {
  EXPECT_EQ(Accepted(With({{"ZONE", "_spf.example.com."}})).zones[0].name, "_spf.example.com");
  EXPECT_THAT(Refused(With({{"ZONE", "a b"}})), HasSubstr("ZONE: 'a b' is not a name"));
  EXPECT_THAT(Refused(With({{"ZONE", "z.example:combined:x"}})), HasSubstr("is not a name"));
  Accepted(With({{"TYPE", "ip4set"}}));
  EXPECT_THAT(Said(), HasSubstr("TYPE: 'ip4set' does nothing here"));
}

TEST_F(FromEnvTest, PushAndWebhookAddresses) {
  for (const char* bad : {"up.example/api/push/x?&ping=", "https://up.example/push/x?a&ping=", "https://up.example/api/push/x",
                          "https://up.example/api/push/x y&ping="}) {
    EXPECT_EQ(Accepted(With({{"UPTIMEKUMA_PUSH_URL", bad}})).spf.push_url, "") << bad;
    EXPECT_THAT(Said(), HasSubstr("UPTIMEKUMA_PUSH_URL")) << bad;
  }
  const std::string hook = "https://discord.com/api/webhooks/1/x";
  EXPECT_EQ(Accepted(With({{"DISCORD_WEBHOOK", hook}})).spf.hook_webhook, hook);
  EXPECT_EQ(Said(), "");
  EXPECT_EQ(Accepted(With({{"DISCORD_WEBHOOK", "https://other.example/x"}})).spf.hook_webhook, "");
  EXPECT_THAT(Said(), HasSubstr("DISCORD_WEBHOOK"));
  Accepted(With({{"SUPERVISOR_PW", "x"}}));
  EXPECT_THAT(Said(), HasSubstr("SUPERVISOR_PW does nothing"));
}

TEST_F(FromEnvTest, OptionsThatMeanSomething) {
  Config config = Accepted(With({{"OPTIONS", "-n -e -t 2m:1m:1h -c 90 -l +q.log -s s.txt -p /run/x.pid -u nobody -b 192.0.2.1/5353 -b ::1"}}));
  EXPECT_EQ(Said(), "");
  EXPECT_THAT(config.server.listen, ElementsAre("192.0.2.1:5353", "[::1]:53"));
  EXPECT_EQ(config.server.query_log, "+/state/q.log");
  EXPECT_EQ(config.server.stats_file, "/state/s.txt");
  EXPECT_EQ(config.server.pid_file, "/run/x.pid");
  EXPECT_EQ(config.server.user, "nobody");
  EXPECT_EQ(config.server.check_interval, 90u);
  EXPECT_EQ(config.zones[0].ttl, 120u);
  EXPECT_EQ(config.zones[0].ttl_floor, 60u);
  config = Accepted(With({{"OPTIONS", "-c0 -ent5m"}}));
  EXPECT_EQ(config.server.check_interval, 0u);
  EXPECT_EQ(config.zones[0].ttl, 300u);
}

TEST_F(FromEnvTest, OptionsThatDoNot) {
  Accepted(With({{"OPTIONS", "-q -a -r /chroot -w data -F local0 -x ext -4 -v"}}));
  for (const char* flag : {"-q", "-a", "-r", "-w", "-F", "-x", "-4", "-v"})
    EXPECT_THAT(Said(), HasSubstr(std::string("OPTIONS: ") + flag + " does nothing here (")) << flag;
  EXPECT_THAT(Said(), HasSubstr("-v does nothing here (version.bind: "));
  EXPECT_THAT(Refused(With({{"OPTIONS", "-z"}})), HasSubstr("OPTIONS: rbldnsd has no option -z"));
  EXPECT_THAT(Refused(With({{"OPTIONS", "-t"}})), HasSubstr("-t wants a value"));
  EXPECT_THAT(Refused(With({{"OPTIONS", "-t soon"}})), HasSubstr("-t 'soon'"));
  EXPECT_THAT(Refused(With({{"OPTIONS", "-c x"}})), HasSubstr("-c 'x' is not a time"));
  EXPECT_THAT(Refused(With({{"OPTIONS", "-b /53"}})), HasSubstr("-b '/53'"));
  EXPECT_THAT(Refused(With({{"OPTIONS", "-e example.com:combined:x"}})), HasSubstr("is not an option"));
}

TEST_F(FromEnvTest, MistypedNames) {
  const std::pair<const char*, const char*> kMistakes[] = {
      {"SOURCE_PREFIXX", "SOURCE_PREFIX"},   {"SOA_HOSTMASTERS", "SOA_HOSTMASTER"}, {"SOURCE_PREFIX_OF", "SOURCE_PREFIX_OFF"},
      {"NS_RECORDS", "NS_RECORD"},           {"DELAYS", "DELAY"},                   {"OPTION", "OPTIONS"},
      {"RUNNING_CONFIG", "RUNNING_CONFIG_ON"}, {"UPTIME_KUMA_PUSH_URL", "UPTIMEKUMA_PUSH_URL"}, {"my_domain", "MY_DOMAINS"},
      {"RESTDB_URI", "RESTDB_URL"}};
  for (const auto& [wrong, right] : kMistakes) {
    Environment environment = With({{wrong, "x"}});
    if (std::string_view(right) == "MY_DOMAINS") continue;  // the right one is there as well
    Accepted(environment);
    EXPECT_THAT(Said(), HasSubstr(std::string("warning: environment variable ") + wrong + " is unknown\nnote: did you mean " +
                                  right + "?\n"));
  }
}

TEST_F(FromEnvTest, WithoutDomainsAMistypedNameIsAnError) {
  for (const char* wrong : {"MY_DOMAIN", "MYDOMAINS", "MY_DOMIANS", "MAIL_DOMAINS"})
    EXPECT_THAT(Refused({{"ZONE", "z.example"}, {wrong, "a.example"}}),
                HasSubstr(std::string("error: environment variable ") + wrong +
                          " is unknown, and no domains are given\nnote: did you mean MY_DOMAINS?\n"));
  EXPECT_THAT(Refused({{"ZONE", "z.example"}, {"RESTDB_URLS", "https://x.example"}}), HasSubstr("did you mean RESTDB_URL?"));
  Accepted({{"ZONE", "z.example"}, {"ZONEINFO", "x"}, {"DISPLAY", ":0"}, {"MAILZONE_SERVER_LISTEN", "127.0.0.1:5300"}});
  EXPECT_THAT(Said(), Not(HasSubstr("did you mean")));
}

TEST_F(FromEnvTest, ValuesCannotLeaveTheirQuotes) {
  const Config config = Accepted({{"ZONE", "z.example"}, {"RESTDB_URL", "https://db.example/\"\\"}, {"RESTDB_KEY", "k\"\n[server]\nuser=\"x"}});
  EXPECT_EQ(config.zones[0].domains_key, "k\"\n[server]\nuser=\"x");
  EXPECT_EQ(config.server.user, "");
}

}  // namespace
}  // namespace mz::cli
