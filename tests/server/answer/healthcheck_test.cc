// Healthcheck zones: every outcome at every name and type against a table that is written out here, and what is no ID.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "format/healthcheck/outcome.h"
#include "tests/server/answer/healthcheck_fixture.h"

namespace mz::answer {
namespace {

using Texts = std::vector<std::string>;

class HealthcheckTest : public testing::Test {
 protected:
  HealthcheckTest() : image_(0) {
    AddHealthcheckZone(&image_);
    image_.Build();
    options_.now_unix = kHealthcheckNow;
    options_.query.edns = dns::EdnsQuery{};
  }

  Reply Ask(const std::string& name, const std::string& type) { return image_.Ask(name, type, options_); }
  // Below the ID for `words`: "_dmarc" or "".
  Reply AskId(const std::string& words, const std::string& sub, const std::string& type) {
    id_ = HealthcheckIdFor(words);
    return Ask((sub.empty() ? "" : sub + ".") + id_ + ".hc.example", type);
  }
  // "RCODE" for errors, else the data of the answer with "<id>" for the ID; the owners must be the name asked.
  Texts Data(const Reply& r, const std::string& type) {
    if (r.silent) return {"silence"};
    if (r.rcode() != "NOERROR") return {r.rcode()};
    Texts out;
    for (std::string line : r.answer()) {
      for (size_t at = line.find(id_); at != std::string::npos; at = line.find(id_)) line.replace(at, id_.size(), "<id>");
      const std::string mark = " 30 IN " + type + " ";
      const size_t at = line.find(mark);
      EXPECT_NE(at, std::string::npos) << line;
      out.push_back(at == std::string::npos ? line : line.substr(at + mark.size()));
    }
    return out;
  }
  Texts Get(const std::string& words, const std::string& sub, const std::string& type) {
    return Data(AskId(words, sub, type), type);
  }

  TestImage image_;
  AskOptions options_;
  std::string id_;
};

const std::string kPass = "\"v=spf1 ip4:192.0.2.25 ip6:2001:db8::25 -all\"";

std::string Includes() {
  std::string out = "\"v=spf1 ";
  for (int i = 1; i <= 11; i++) {
    std::string word = "include:i" + std::to_string(i) + ".<id>.hc.example ";
    out += word;
  }
  return out + "-all\"";
}

// Without the quotes between strings.
std::string Joined(std::string text) {
  for (size_t at = text.find("\" \""); at != std::string::npos; at = text.find("\" \"")) text.erase(at, 3);
  return text;
}

const std::map<std::string, Texts>& SpfTable() {
  static const std::map<std::string, Texts> kTable = {
      {"none", {}},
      {"pass", {kPass}},
      {"neutral", {"\"v=spf1 ?all\""}},
      {"softfail", {"\"v=spf1 ~all\""}},
      {"fail", {"\"v=spf1 -all\""}},
      {"none-nxdomain", {"NXDOMAIN"}},
      {"none-type99", {}},
      {"pass-a", {"\"v=spf1 a:a.<id>.hc.example -all\""}},
      {"pass-mx", {"\"v=spf1 mx:m.<id>.hc.example -all\""}},
      {"pass-include", {"\"v=spf1 include:inc.<id>.hc.example -all\""}},
      {"pass-redirect", {"\"v=spf1 redirect=inc.<id>.hc.example\""}},
      {"pass-exists", {"\"v=spf1 exists:%{ir}.e.<id>.hc.example -all\""}},
      {"pass-split", {kPass}},
      {"pass-all", {"\"v=spf1 +all\""}},
      {"permerror-syntax", {"\"v=spf1 ip4:999.1.1.1 -all\""}},
      {"permerror-two-records", {kPass, "\"v=spf1 ~all\""}},
      {"permerror-lookup-limit", {Includes()}},
      {"permerror-void-lookups",
       {"\"v=spf1 a:v1.<id>.hc.example a:v2.<id>.hc.example a:v3.<id>.hc.example ip4:192.0.2.25 ip6:2001:db8::25 -all\""}},
      {"permerror-include-none", {"\"v=spf1 include:none.<id>.hc.example -all\""}},
      {"permerror-redirect-loop", {"\"v=spf1 redirect=<id>.hc.example\""}},
      {"permerror-macro", {"\"v=spf1 exists:%{z}.<id>.hc.example -all\""}},
      {"temperror-servfail", {"SERVFAIL"}},
      {"temperror-refused", {"REFUSED"}},
      {"temperror-silence", {"silence"}},
      {"temperror-include", {"\"v=spf1 include:sf.<id>.hc.example -all\""}},
      {"pass-ptr", {"\"v=spf1 ptr:mail.hc.example -all\""}},
      {"fail-explained", {"\"v=spf1 -all exp=exp.<id>.hc.example\""}},
      {"permerror-redirect-none", {"\"v=spf1 redirect=none.<id>.hc.example\""}},
      {"permerror-unknown-mechanism", {"\"v=spf1 ipv4:192.0.2.1 ip4:192.0.2.25 ip6:2001:db8::25 -all\""}},
      {"none-wrong-version", {"\"v=spf10 ip4:192.0.2.25 ip6:2001:db8::25 -all\""}},
  };
  return kTable;
}

TEST_F(HealthcheckTest, EverySpfOutcome) {
  const std::set<std::string> apart = {"pass-cname", "pass-tcp"};  // tests of their own
  for (const healthcheck::Outcome& o : healthcheck::Outcomes(healthcheck::kSpf)) {
    const std::string word(o.word);
    if (apart.contains(word)) continue;
    ASSERT_TRUE(SpfTable().contains(word)) << word;
    for (const std::string sub : {"", "sub", "bounce"}) {
      Texts got = Get("spf=" + word, sub, "TXT");
      for (std::string& t : got) t = Joined(t);
      EXPECT_EQ(got, SpfTable().at(word)) << word << " at '" << sub << "'";
      Texts old_type = Get("spf=" + word, sub, "TYPE99");
      if (word == "none-type99")
        EXPECT_EQ(old_type.size(), 1u);
      else
        EXPECT_EQ(old_type.size(), SpfTable().at(word).size()) << word;
    }
    // Whatever SPF does, resolvers find the way to the other records.
    EXPECT_EQ(Get("spf=" + word + " dmarc=reject", "_dmarc", "TXT"),
              Texts{"\"v=DMARC1; p=reject; rua=mailto:r@hc.example\""})
        << word;
    const Reply a = AskId("spf=" + word, "", "A");
    EXPECT_EQ(a.rcode(), "NOERROR") << word;
    EXPECT_EQ(AskId("spf=" + word, "_domainkey", "TXT").rcode(), "NOERROR") << word;
  }
}

TEST_F(HealthcheckTest, SplitRecordHasTwoStrings) {
  EXPECT_EQ(Get("spf=pass-split", "", "TXT"), Texts{"\"v=spf1 ip4:19\" \"2.0.2.25 ip6:2001:db8::25 -all\""});
}

TEST_F(HealthcheckTest, LongRecordTakesTcp) {
  const Reply udp = AskId("spf=pass-tcp", "", "TXT");
  EXPECT_EQ(udp.flags(), "qr aa tc");
  EXPECT_TRUE(udp.answer().empty());
  options_.tcp = true;
  const Reply tcp = AskId("spf=pass-tcp", "", "TXT");
  ASSERT_EQ(tcp.answer().size(), 1u);
  EXPECT_GT(tcp.bytes.size(), 1400u);
  EXPECT_NE(Joined(tcp.answer()[0]).find("ip4:198.51.100.90 ip4:192.0.2.25"), std::string::npos);
}

TEST_F(HealthcheckTest, AliasIsFollowed) {
  const Reply r = AskId("spf=pass-cname mx=pass", "", "TXT");
  ASSERT_EQ(r.answer().size(), 2u);
  EXPECT_EQ(r.answer()[0], id_ + ".hc.example. 30 IN CNAME c." + id_ + ".hc.example.");
  EXPECT_EQ(r.answer()[1], "c." + id_ + ".hc.example. 30 IN TXT " + kPass);
  const Reply mx = AskId("spf=pass-cname mx=pass", "", "MX");
  ASSERT_EQ(mx.answer().size(), 2u);
  EXPECT_EQ(mx.answer()[1], "c." + id_ + ".hc.example. 30 IN MX 10 mx." + id_ + ".hc.example.");
  const Reply a = AskId("spf=pass-cname", "", "A");
  EXPECT_EQ(a.answer().size(), 2u);
  EXPECT_EQ(AskId("spf=pass-cname", "", "CNAME").answer().size(), 1u);
  EXPECT_EQ(AskId("spf=pass-cname", "c", "TXT").answer().size(), 1u);
  // An alias for a type that the target lacks.
  const Reply none = AskId("spf=pass-cname", "", "SRV");
  EXPECT_EQ(none.rcode(), "NOERROR");
  EXPECT_EQ(none.answer().size(), 1u);
}

TEST_F(HealthcheckTest, NamesThatSpfRecordsLeadTo) {
  EXPECT_EQ(Get("", "a", "A"), Texts{"192.0.2.25"});
  EXPECT_EQ(Get("", "a", "AAAA"), Texts{"2001:db8::25"});
  EXPECT_EQ(Get("", "m", "MX"), Texts{"10 mx.<id>.hc.example."});
  EXPECT_EQ(Get("", "mx", "A"), Texts{"192.0.2.25"});
  EXPECT_EQ(Get("", "inc", "TXT"), Texts{kPass});
  EXPECT_EQ(Get("", "25.2.0.192.e", "A"), Texts{"127.0.0.2"});
  EXPECT_EQ(Get("", "26.2.0.192.e", "A"), Texts{"NXDOMAIN"});
  EXPECT_EQ(Get("", "2.0.192.e", "A"), Texts{});
  EXPECT_EQ(Get("", "5.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.e", "A"), Texts{"127.0.0.2"});
  EXPECT_EQ(Get("", "v1", "A"), Texts{});
  EXPECT_EQ(Get("", "none", "TXT"), Texts{});
  EXPECT_EQ(Get("", "sf", "TXT"), Texts{"SERVFAIL"});
  EXPECT_EQ(Get("", "sf", "A"), Texts{});
  EXPECT_EQ(Get("", "i11", "TXT"), Texts{"\"v=spf1 ip4:198.51.100.11 ?all\""});
  EXPECT_EQ(Get("", "exp", "TXT"), Texts{"\"This test mail was made to fail: %{i} may not send for <id>\""});
}

TEST_F(HealthcheckTest, EveryDkimOutcome) {
  const std::string good = "\"v=DKIM1; k=rsa; p=KEYrsa2048\"";
  const std::map<std::string, Texts> table = {
      {"none", {}}, {"missing", {}}, {"parent-domain", {}}, {"nxdomain", {"NXDOMAIN"}},
      {"pass-rsa4096", {"\"v=DKIM1; k=rsa; p=KEYrsa4096\""}},
      {"pass-rsa1024", {"\"v=DKIM1; k=rsa; p=KEYrsa1024\""}},
      {"pass-ed25519", {"\"v=DKIM1; k=ed25519; p=KEYed25519\""}},
      {"revoked", {"\"v=DKIM1; k=rsa; p=\""}},
      {"wrong-key", {"\"v=DKIM1; k=rsa; p=KEYother\""}},
      {"bad-base64", {"\"v=DKIM1; k=rsa; p=%%%not-base64%%%\""}},
      {"unknown-key-type", {"\"v=DKIM1; k=mlkem; p=AAAA\""}},
      {"testing", {"\"v=DKIM1; k=rsa; t=y; p=KEYrsa2048\""}},
      {"sha1-only", {"\"v=DKIM1; k=rsa; h=sha1; p=KEYrsa2048\""}},
      {"service-other", {"\"v=DKIM1; k=rsa; s=tlsrpt; p=KEYrsa2048\""}},
      {"two-keys", {"\"v=DKIM1; k=rsa; p=KEYother\"", good}},
      {"temperror-servfail", {"SERVFAIL"}}, {"temperror-silence", {"silence"}},
      {"weak-512", {"\"v=DKIM1; k=rsa; p=KEYrsa512\""}},
      {"weak-768", {"\"v=DKIM1; k=rsa; p=KEYrsa768\""}},
      {"wrong-version", {"\"v=DKIM2; k=rsa; p=KEYrsa2048\""}},
  };
  for (const healthcheck::Outcome& o : healthcheck::Outcomes(healthcheck::kDkim)) {
    const std::string word(o.word);
    const auto it = table.find(word);
    EXPECT_EQ(Get("dkim=" + word, "s1._domainkey", "TXT"), it == table.end() ? Texts{good} : it->second) << word;
    EXPECT_EQ(AskId("dkim=" + word, "_domainkey", "TXT").rcode(), "NOERROR") << word;
    EXPECT_EQ(AskId("dkim=" + word, "other._domainkey", "TXT").rcode(), "NXDOMAIN") << word;
    const Texts second = Get("dkim=" + word, "s1e._domainkey", "TXT");
    EXPECT_EQ(second, word == "dual" ? Texts{"\"v=DKIM1; k=ed25519; p=KEYed25519\""} : Texts{}) << word;
  }
}

TEST_F(HealthcheckTest, EveryDmarcOutcome) {
  const std::string r = "; rua=mailto:r@hc.example\"";
  const std::map<std::string, Texts> table = {
      {"none", {}},
      {"p-none", {"\"v=DMARC1; p=none" + r}},
      {"quarantine", {"\"v=DMARC1; p=quarantine" + r}},
      {"reject", {"\"v=DMARC1; p=reject" + r}},
      {"pct0", {"\"v=DMARC1; p=reject; pct=0" + r}},
      {"strict", {"\"v=DMARC1; p=reject; adkim=s; aspf=s" + r}},
      {"two-records", {"\"v=DMARC1; p=reject" + r, "\"v=DMARC1; p=none" + r}},
      {"missing-policy", {"\"v=DMARC1; adkim=r\""}},
      {"misspelt-policy", {"\"v=DMARC1; p=rejct" + r}},
      {"version-not-first", {"\"p=reject; v=DMARC1" + r}},
      {"sp-reject", {"\"v=DMARC1; p=none; sp=reject" + r}},
      {"np-reject", {"\"v=DMARC1; p=none; np=reject" + r}},
      {"testing", {"\"v=DMARC1; p=reject; t=y" + r}},
      {"psd", {"\"v=DMARC1; p=reject; psd=n" + r}},
      {"external-reports", {"\"v=DMARC1; p=none; rua=mailto:reports@unasked.example\""}},
      {"temperror-servfail", {"SERVFAIL"}},
      {"temperror-silence", {"silence"}},
  };
  for (const healthcheck::Outcome& o : healthcheck::Outcomes(healthcheck::kDmarc)) {
    ASSERT_TRUE(table.contains(std::string(o.word))) << o.word;
    EXPECT_EQ(Get("dmarc=" + std::string(o.word), "_dmarc", "TXT"), table.at(std::string(o.word))) << o.word;
    EXPECT_EQ(AskId("dmarc=" + std::string(o.word), "_dmarc", "A").rcode(), "NOERROR") << o.word;
  }
}

TEST_F(HealthcheckTest, EveryMxOutcome) {
  const std::map<std::string, Texts> table = {
      {"none", {}},
      {"pass", {"10 mx.<id>.hc.example."}},
      {"invalid-host", {"10 invalid.<id>.hc.example."}},
      {"null", {"0 ."}},
      {"ip-literal", {"10 192.0.2.25."}},
      {"cname", {"10 mxalias.<id>.hc.example."}},
      {"private", {"10 private.<id>.hc.example."}},
      {"temperror-servfail", {"SERVFAIL"}},
  };
  for (const healthcheck::Outcome& o : healthcheck::Outcomes(healthcheck::kMx)) {
    ASSERT_TRUE(table.contains(std::string(o.word))) << o.word;
    EXPECT_EQ(Get("mx=" + std::string(o.word), "", "MX"), table.at(std::string(o.word))) << o.word;
    EXPECT_EQ(Get("mx=" + std::string(o.word), "", "A"), Texts{"192.0.2.25"}) << o.word;
  }
  EXPECT_EQ(AskId("mx=invalid-host", "invalid", "A").rcode(), "NXDOMAIN");
  EXPECT_EQ(Get("mx=private", "private", "A"), Texts{"10.0.0.25"});
  EXPECT_EQ(AskId("mx=cname", "mxalias", "A").answer().size(), 2u);
}

TEST_F(HealthcheckTest, EveryInboundAndBimiOutcome) {
  const std::string report = "\"v=TLSRPTv1; rua=mailto:postmaster@hc.example\"";
  const std::set<std::string> sts = {"sts-enforce", "sts-bad-certificate", "sts-foreign-mx", "sts-testing",
                                     "sts-missing-policy"};
  for (const healthcheck::Outcome& o : healthcheck::Outcomes(healthcheck::kInbound)) {
    const std::string word(o.word), words = "inbound=" + word;
    EXPECT_EQ(Get(words, "_smtp._tls", "TXT"), word == "none" ? Texts{} : Texts{report}) << word;
    EXPECT_EQ(Get(words, "_mta-sts", "TXT"), sts.contains(word)         ? Texts{"\"v=STSv1; id=<id>;\""}
                                             : word == "sts-bad-record" ? Texts{"\"v=STSv1;\""}
                                                                        : Texts{})
        << word;
    EXPECT_EQ(Get(words, "mta-sts", "A"),
              (sts.contains(word) && word != "sts-missing-policy") || word == "sts-bad-record" ? Texts{"192.0.2.25"}
                                                                                               : Texts{})
        << word;
    const Reply tlsa = AskId(words, "_25._tcp.mx", "TLSA");
    EXPECT_EQ(tlsa.rcode(), "NOERROR");
    ASSERT_EQ(tlsa.answer().size(), word.starts_with("tlsa-") ? 1u : 0u) << word;
  }
  EXPECT_EQ(AskId("", "_tcp.mx", "A").rcode(), "NOERROR");
  EXPECT_EQ(AskId("", "_tls", "A").rcode(), "NOERROR");
  EXPECT_EQ(Get("bimi=none", "default._bimi", "TXT"), Texts{});
  EXPECT_EQ(Get("bimi=valid", "default._bimi", "TXT"), Texts{"\"v=BIMI1; l=https://hc.example/logo.svg; a=;\""});
  EXPECT_EQ(Get("bimi=declined", "default._bimi", "TXT"), Texts{"\"v=BIMI1; l=; a=;\""});
  EXPECT_EQ(Get("bimi=broken", "default._bimi", "TXT"), Texts{"\"v=BIMI1; l=ftp://hc.example/logo.exe; a=;\""});
}

TEST_F(HealthcheckTest, NamesOfHeloAndSender) {
  EXPECT_EQ(Get("", "helo", "A"), Texts{"192.0.2.25"});
  EXPECT_EQ(AskId("", "nohelo", "A").rcode(), "NXDOMAIN");
  EXPECT_EQ(Get("", "sub", "A"), Texts{"192.0.2.25"});
  EXPECT_EQ(AskId("", "nx", "A").rcode(), "NXDOMAIN");
  EXPECT_EQ(AskId("", "_dmarc.nx", "TXT").rcode(), "NXDOMAIN");
}

// --- faults ----------------------------------------------------------------------------------------------------

TEST_F(HealthcheckTest, FaultsThatAreErrors) {
  for (const std::string sub : {"", "_dmarc", "s1._domainkey", "_mta-sts", "default._bimi", "unknown"}) {
    EXPECT_EQ(Get("spf=pass dmarc=reject fault=servfail", sub, "TXT"), Texts{"SERVFAIL"});
    EXPECT_EQ(Get("spf=pass dmarc=reject fault=refused", sub, "TXT"), Texts{"REFUSED"});
    EXPECT_EQ(Get("spf=pass dmarc=reject fault=notimp", sub, "TXT"), Texts{"NOTIMPL"});
    EXPECT_EQ(Get("spf=pass dmarc=reject fault=silence", sub, "TXT"), Texts{"silence"});
    EXPECT_EQ(Get("spf=pass dmarc=reject fault=nxdomain", sub, "TXT"), Texts{"NXDOMAIN"});
    EXPECT_EQ(Get("spf=pass dmarc=reject fault=nxdomain", sub, "A"), Texts{"NXDOMAIN"});
  }
  EXPECT_EQ(Get("mx=pass fault=servfail", "", "MX"), Texts{"SERVFAIL"});
}

// RFC 9156: what a resolver asks on its way must not be the fault.
TEST_F(HealthcheckTest, MinimisedNamesAreSparedByFaults) {
  for (const healthcheck::Outcome& o : healthcheck::Outcomes(healthcheck::kFault)) {
    const std::string word(o.word);
    if (word == "nxdomain" || word == "ent-nxdomain") continue;
    for (const std::string sub : {"", "_domainkey", "_tls", "_smtp._tls", "_tcp.mx"})
      for (const std::string type : {"A", "NS", "AAAA"}) {
        const Reply r = AskId("spf=pass fault=" + word, sub, type);
        ASSERT_FALSE(r.silent) << word << sub << type;
        EXPECT_EQ(r.rcode(), "NOERROR") << word << sub << type;
        EXPECT_EQ(r.outcome.delay_ms, 0) << word;
        EXPECT_EQ(r.flags(), "qr aa") << word;
      }
  }
}

TEST_F(HealthcheckTest, Delays) {
  const std::map<std::string, int> table = {
      {"delay-500ms", 500}, {"delay-2s", 2000}, {"delay-4900ms", 4900}, {"delay-9s", 9000}, {"none", 0}};
  for (const auto& [word, ms] : table) {
    const Reply r = AskId("spf=pass fault=" + word, "", "TXT");
    EXPECT_EQ(r.outcome.delay_ms, ms);
    EXPECT_EQ(Data(r, "TXT"), Texts{kPass});
  }
}

TEST_F(HealthcheckTest, FormerrForEdnsOnly) {
  // Without OPT, which no other reply to EDNS lacks; so it is asked for as bytes.
  id_ = HealthcheckIdFor("spf=pass fault=formerr-edns");
  std::vector<uint8_t> buffer(4096);
  const std::string packet = dns::BuildQuery(Wire(id_ + ".hc.example"), 16, 1, options_.query);
  Request request{.wire = {reinterpret_cast<const uint8_t*>(packet.data()), packet.size()},
                  .client = Client::FromV4(1),
                  .now_unix = kHealthcheckNow,
                  .response = buffer};
  Answer(image_.view(), image_.settings, request, image_.state());
  EXPECT_EQ(request.outcome.rcode, 1);
  EXPECT_EQ(request.response_size, packet.size() - dns::kOptRecordBytes);
  options_.query.edns.reset();
  EXPECT_EQ(Get("spf=pass fault=formerr-edns", "", "TXT"), Texts{kPass});
}

TEST_F(HealthcheckTest, Truncation) {
  EXPECT_EQ(AskId("spf=pass fault=truncate", "", "TXT").flags(), "qr aa tc");
  EXPECT_EQ(AskId("spf=pass fault=truncate-no-tcp", "", "TXT").flags(), "qr aa tc");
  options_.tcp = true;
  EXPECT_EQ(Get("spf=pass fault=truncate", "", "TXT"), Texts{kPass});
  EXPECT_TRUE(AskId("spf=pass fault=truncate-no-tcp", "", "TXT").silent);
}

TEST_F(HealthcheckTest, EmptyNonTerminals) {
  for (const std::string sub : {"_domainkey", "_tls", "_tcp.mx", "_bimi", "e", "0.192.e"}) {
    EXPECT_EQ(AskId("", sub, "TXT").rcode(), "NOERROR") << sub;
    EXPECT_EQ(AskId("fault=ent-nxdomain", sub, "TXT").rcode(), "NXDOMAIN") << sub;
    EXPECT_EQ(AskId("fault=ent-nxdomain", sub, "A").rcode(), "NXDOMAIN") << sub;
  }
  EXPECT_EQ(Get("dkim=pass fault=ent-nxdomain", "s1._domainkey", "TXT").size(), 1u);
}

TEST_F(HealthcheckTest, CnameLoop) {
  for (const std::string sub : {"", "_dmarc", "loop"}) {
    const Reply r = AskId("spf=pass fault=cname-loop", sub, "TXT");
    ASSERT_EQ(r.answer().size(), 1u);
    EXPECT_TRUE(r.answer()[0].ends_with(" CNAME loop." + id_ + ".hc.example.")) << r.answer()[0];
  }
}

TEST_F(HealthcheckTest, ExtraAndOversize) {
  EXPECT_EQ(Get("spf=pass fault=extra-txt", "", "TXT").size(), 2u);
  EXPECT_EQ(Get("spf=none fault=extra-txt", "", "TXT").size(), 0u);
  EXPECT_EQ(Get("mx=pass fault=extra-txt", "", "MX").size(), 1u);
  id_ = HealthcheckIdFor("spf=pass fault=oversize");
  options_.query.edns.reset();
  // The reply is larger than any client without EDNS takes, so it is asked for as bytes.
  const Reply r = image_.Ask(id_ + ".hc.example", "TXT", [&] {
    AskOptions o = options_;
    o.tcp = true;
    return o;
  }());
  EXPECT_EQ(r.answer().size(), 5u);
  std::vector<uint8_t> buffer(4096);
  dns::QueryOptions query;
  const std::string packet = dns::BuildQuery(Wire(id_ + ".hc.example"), 16, 1, query);
  Request request{.wire = {reinterpret_cast<const uint8_t*>(packet.data()), packet.size()},
                  .client = Client::FromV4(1),
                  .now_unix = kHealthcheckNow,
                  .response = buffer};
  Answer(image_.view(), image_.settings, request, image_.state());
  EXPECT_GT(request.response_size, 1000u);
  EXPECT_EQ(request.outcome.answer_count, 5);
}

TEST_F(HealthcheckTest, LameAndNoAddress) {
  const Reply r = AskId("spf=pass fault=lame", "", "TXT");
  EXPECT_EQ(r.flags(), "qr");
  EXPECT_TRUE(r.answer().empty());
  EXPECT_EQ(r.authority().size(), 1u);
  EXPECT_EQ(Get("fault=no-address", "", "A"), Texts{});
  EXPECT_EQ(Get("fault=no-address", "", "AAAA"), Texts{});
  EXPECT_EQ(Get("spf=pass fault=no-address", "", "TXT"), Texts{kPass});
  EXPECT_EQ(Get("fault=no-address", "mx", "A"), Texts{"192.0.2.25"});
}

TEST_F(HealthcheckTest, WrongCase) {
  const std::string name = HealthcheckIdFor("spf=pass fault=wrong-case") + ".Hc.eXample";
  std::vector<uint8_t> buffer(4096);
  const std::string packet = dns::BuildQuery(Wire(name), 16, 1, {});
  Request request{.wire = {reinterpret_cast<const uint8_t*>(packet.data()), packet.size()},
                  .client = Client::FromV4(1),
                  .now_unix = kHealthcheckNow,
                  .response = buffer};
  Answer(image_.view(), image_.settings, request, image_.state());
  ASSERT_GT(request.response_size, 60u);
  const std::string question(reinterpret_cast<const char*>(buffer.data()) + 12 + 33, 12);
  EXPECT_EQ(question, std::string("\2hC\7ExAMPLE", 11) + '\0');
}

// --- what is no ID -----------------------------------------------------------------------------------------------

TEST_F(HealthcheckTest, WrongIdsDoNotExist) {
  const std::string good = HealthcheckIdFor("spf=pass");
  auto rcode = [&](const std::string& label) { return Ask(label + ".hc.example", "TXT").rcode(); };
  EXPECT_EQ(rcode(good), "NOERROR");
  EXPECT_EQ(rcode(good.substr(1)), "NXDOMAIN");
  EXPECT_EQ(rcode(good + "0"), "NXDOMAIN");
  for (size_t i = 0; i < good.size(); i++) {
    std::string bad = good;
    bad[i] = bad[i] == '0' ? '1' : '0';
    EXPECT_EQ(rcode(bad), "NXDOMAIN") << i;
    bad[i] = 'g';
    EXPECT_EQ(rcode(bad), "NXDOMAIN") << i;
  }
  std::string upper = good;
  for (char& c : upper)
    if (c >= 'a') c = static_cast<char>(c - 32);
  EXPECT_EQ(rcode(upper), "NOERROR");
  EXPECT_EQ(Ask("a.b." + good + ".hc.example", "TXT").rcode(), "NXDOMAIN");
  EXPECT_EQ(Ask(good + "." + good + ".hc.example", "TXT").rcode(), "NXDOMAIN");
  EXPECT_EQ(rcode(HealthcheckIdFor("spf=pass", false, kHealthcheckNow - 7 * 86400 + 60)), "NOERROR");
  EXPECT_EQ(rcode(HealthcheckIdFor("spf=pass", false, kHealthcheckNow - 7 * 86400 - 120)), "NXDOMAIN");
  EXPECT_EQ(rcode(HealthcheckIdFor("spf=pass", false, kHealthcheckNow + 240)), "NOERROR");
  EXPECT_EQ(rcode(HealthcheckIdFor("spf=pass", false, kHealthcheckNow + 480)), "NXDOMAIN");
  EXPECT_EQ(rcode(HealthcheckIdFor("spf=pass", false, kHealthcheckNow, 1)), "NOERROR");
  EXPECT_EQ(rcode(HealthcheckIdFor("spf=pass", true)), "NXDOMAIN");
}

TEST_F(HealthcheckTest, DenialsCarryTheSoa) {
  for (const std::string& name : {std::string("x.hc.example"), HealthcheckIdFor("") + ".hc.example"}) {
    const Reply r = Ask(name, "TXT");
    ASSERT_EQ(r.authority().size(), 1u) << name;
    EXPECT_NE(r.authority()[0].find(" 60 IN SOA "), std::string::npos) << r.authority()[0];
  }
}

TEST_F(HealthcheckTest, NamesOfTheZoneItself) {
  EXPECT_EQ(Ask("mail.hc.example", "A").answer(), Texts{"mail.hc.example. 30 IN A 192.0.2.25"});
  EXPECT_EQ(Ask("ns1.hc.example", "A").answer().size(), 1u);
  EXPECT_EQ(Ask("hc.example", "MX").answer(), Texts{"hc.example. 30 IN MX 10 mail.hc.example."});
  EXPECT_EQ(Ask("hc.example", "TXT").answer().size(), 1u);
  EXPECT_EQ(Ask("hc.example", "SOA").answer().size(), 1u);
  EXPECT_EQ(Ask("_dmarc.hc.example", "TXT").answer(),
            Texts{"_dmarc.hc.example. 30 IN TXT \"v=DMARC1; p=none; rua=mailto:r@hc.example\""});
  EXPECT_EQ(Ask("s1._domainkey.hc.example", "TXT").answer().size(), 1u);
  EXPECT_EQ(Ask("_domainkey.hc.example", "TXT").rcode(), "NOERROR");
  EXPECT_EQ(Ask("1.2.3.4.hc.example", "TXT").rcode(), "NXDOMAIN");  // like an address, but this is no list
}

TEST(HealthcheckOpaqueTest, OpaqueIds) {
  TestImage image(0);
  AddHealthcheckZone(&image, {.opaque = true, .registered = {}});
  image.Build();
  AskOptions options;
  options.now_unix = kHealthcheckNow;
  for (const uint8_t key : {0, 1}) {
    const std::string id = HealthcheckIdFor("spf=softfail", true, kHealthcheckNow, key);
    EXPECT_EQ(image.Ask(id + ".hc.example", "TXT", options).answer(), Texts{id + ".hc.example. 30 IN TXT \"v=spf1 ~all\""});
  }
  EXPECT_EQ(image.Ask(HealthcheckIdFor("spf=pass") + ".hc.example", "TXT", options).rcode(), "NXDOMAIN");
}

TEST(HealthcheckRegisteredTest, TableAndIds) {
  std::vector<compiler::RegisteredId> ids;
  for (const char* text : {"00000000000000000000000000000000", "0000ffffffffffffffffffffffffffff",
                           "0001abcdefabcdefabcdefabcdefabcd", "ffffffffffffffffffffffffffffffff"}) {
    compiler::RegisteredId id;
    ASSERT_EQ(healthcheck::ReadIdText(text, &id.id), healthcheck::IdError::kNone);
    id.settings[healthcheck::kSpf] = healthcheck::kSpfFail;
    id.settings[healthcheck::kDmarc] = healthcheck::kDmarcSilence;
    ids.push_back(id);
  }
  for (const bool keys : {false, true}) {
    TestImage image(0);
    AddHealthcheckZone(&image, {.registered = ids, .keys = keys});
    image.Build();
    AskOptions options;
    options.now_unix = kHealthcheckNow;
    for (const compiler::RegisteredId& id : ids) {
      const std::string name = healthcheck::IdText(id.id) + ".hc.example";
      EXPECT_EQ(image.Ask(name, "TXT", options).answer(), Texts{name + ". 30 IN TXT \"v=spf1 -all\""});
      EXPECT_TRUE(image.Ask("_dmarc." + name, "TXT", options).silent);
    }
    for (const char* other : {"00000000000000000000000000000001", "0000fffffffffffffffffffffffffffe",
                              "fffffffffffffffffffffffffffffffe", "7f000000000000000000000000000000"})
      EXPECT_EQ(image.Ask(std::string(other) + ".hc.example", "TXT", options).rcode(), "NXDOMAIN");
    EXPECT_EQ(image.Ask(HealthcheckIdFor("spf=pass") + ".hc.example", "TXT", options).rcode(), keys ? "NOERROR" : "NXDOMAIN");
  }
}

}  // namespace
}  // namespace mz::answer
