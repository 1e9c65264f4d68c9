// SPF outcomes as records (RFC 7208). Each record is served as TXT and, as the older program did, as the withdrawn type 99.
#include <algorithm>

#include "compiler/healthcheck/answers.h"

namespace mz::compiler {

namespace {

using namespace healthcheck;  // NOLINT: the names of the catalogue

class SpfAnswers {
 public:
  explicit SpfAnswers(const HealthcheckContext& c) : c_(c), ips_(c.IpMechanisms()) {}

  void Run() {
    const std::string pass = "v=spf1 " + ips_ + " -all";
    Serve(kSpfPass, {pass});
    Serve(kSpfNeutral, {"v=spf1 ?all"});
    Serve(kSpfSoftfail, {"v=spf1 ~all"});
    Serve(kSpfFail, {"v=spf1 -all"});
    Act(kSpfNoneNxdomain, image::kHealthcheckNxdomain, image::kHealthcheckPolicyTypes);
    SetAll(kSpfNoneType99, c_.model->Records({{kHcTypeSpf, c_.options.ttl, c_.make.Text("v=spf1 -all")}}));
    Serve(kSpfPassA, {"v=spf1 a:a.@D -all"});
    c_.model->Always("a", c_.model->Records(c_.Addresses()));
    Serve(kSpfPassMx, {"v=spf1 mx:m.@D -all"});
    c_.model->Always("m", c_.model->Records({c_.Mx(10, "mx.@D")}));
    Serve(kSpfPassInclude, {"v=spf1 include:inc.@D -all"});
    Serve(kSpfPassRedirect, {"v=spf1 redirect=inc.@D"});
    c_.model->Always("inc", c_.model->Records(Both({pass})));
    Serve(kSpfPassExists, {"v=spf1 exists:%{ir}.e.@D -all"});
    AddExistsNames();
    // The alias stands for all types of the name, so what it leads to has everything that the name would have.
    const uint32_t alias = c_.model->Alias(c_.make.Name("c.@D"), c_.options.ttl, "c");
    for (const std::string_view name : kNames) c_.model->Set(name, kSpf, kSpfPassCname, alias);
    c_.model->Set("c", kSpf, kSpfPassCname, c_.model->Records(Both({pass})));
    AddSplit(pass);
    Serve(kSpfPassTcp, {LongRecord()});
    Serve(kSpfPassAll, {"v=spf1 +all"});
    Serve(kSpfPermerrorSyntax, {"v=spf1 ip4:999.1.1.1 -all"});
    Serve(kSpfPermerrorTwoRecords, {pass, "v=spf1 ~all"});
    AddLookupLimit();
    Serve(kSpfPermerrorVoidLookups, {"v=spf1 a:v1.@D a:v2.@D a:v3.@D " + ips_ + " -all"});
    for (const std::string_view name : {"v1", "v2", "v3", "none"}) c_.model->Name(name);  // they exist, without records
    Serve(kSpfPermerrorIncludeNone, {"v=spf1 include:none.@D -all"});
    Serve(kSpfPermerrorRedirectLoop, {"v=spf1 redirect=@D"});
    Serve(kSpfPermerrorMacro, {"v=spf1 exists:%{z}.@D -all"});
    Act(kSpfTemperrorServfail, image::kHealthcheckServfail, image::kHealthcheckTextTypes);
    Act(kSpfTemperrorRefused, image::kHealthcheckRefused, image::kHealthcheckTextTypes);
    Act(kSpfTemperrorSilence, image::kHealthcheckSilence, image::kHealthcheckTextTypes);
    Serve(kSpfTemperrorInclude, {"v=spf1 include:sf.@D -all"});
    c_.model->Always("sf", c_.model->Action(image::kHealthcheckServfail, image::kHealthcheckTextTypes));
    Serve(kSpfPassPtr, {"v=spf1 ptr:" + HostText() + " -all"});
    Serve(kSpfFailExplained, {"v=spf1 -all exp=exp.@D"});
    c_.model->Always("exp", c_.model->Records({c_.Txt("This test mail was made to fail: %{i} may not send for @I")}));
    Serve(kSpfPermerrorRedirectNone, {"v=spf1 redirect=none.@D"});
    Serve(kSpfPermerrorUnknownMechanism, {"v=spf1 ipv4:192.0.2.1 " + ips_ + " -all"});
    Serve(kSpfNoneWrongVersion, {"v=spf10 " + ips_ + " -all"});
  }

 private:
  // The names with the ID's SPF record: its own, and those that From: or MAIL FROM may have instead.
  static constexpr std::string_view kNames[] = {"", kFromLabel, kEnvelopeLabel};

  std::vector<HealthcheckRecord> Both(const std::vector<std::string>& texts) const {
    std::vector<HealthcheckRecord> out;
    for (const uint16_t type : {kHcTypeTxt, kHcTypeSpf})
      for (const std::string& text : texts) out.push_back({type, c_.options.ttl, c_.make.Text(text)});
    return out;
  }
  void SetAll(uint8_t code, uint32_t answer) {
    for (const std::string_view name : kNames) c_.model->Set(name, kSpf, code, answer);
  }
  void Serve(uint8_t code, const std::vector<std::string>& texts) { SetAll(code, c_.model->Records(Both(texts))); }
  void Act(uint8_t code, image::HealthcheckAction action, image::HealthcheckTypes types) {
    SetAll(code, c_.model->Action(action, types));
  }

  // exists:%{ir}: reversed octets or nibbles; other addresses are no names.
  void AddExistsNames() {
    const uint32_t yes = c_.model->Records({{kHcTypeA, c_.options.ttl, std::string("\x7f\0\0\2", 4)}});
    for (const HealthcheckHost& host : c_.options.mail_hosts) {
      for (const net::Ip4 ip : host.ip4) {
        std::string name;
        for (int shift = 0; shift < 32; shift += 8) name += std::to_string(ip >> shift & 255) + ".";
        c_.model->Always(name + "e", yes);
      }
      for (const net::Ip6& ip : host.ip6) {
        std::string name;
        for (int i = 0; i < 32; i++) {
          const uint64_t half = i < 16 ? ip.low : ip.high;
          name += "0123456789abcdef"[half >> (4 * (i % 16)) & 15];
          name += '.';
        }
        c_.model->Always(name + "e", yes);
      }
    }
  }

  // RFC 7208 section 3.3: strings join without blank.
  void AddSplit(const std::string& pass) {
    const size_t middle = pass.find(':') + 3;
    std::vector<HealthcheckRecord> records;
    for (const uint16_t type : {kHcTypeTxt, kHcTypeSpf})
      records.push_back({type, c_.options.ttl, c_.make.Strings({pass.substr(0, middle), pass.substr(middle)})});
    SetAll(kSpfPassSplit, c_.model->Records(std::move(records)));
  }

  // Longer than a UDP answer may be, so that it takes TCP. Addresses of TEST-NET-2 (RFC 5737).
  std::string LongRecord() const {
    std::string text = "v=spf1 ";
    for (int i = 1; i <= 90; i++) text += "ip4:198.51.100." + std::to_string(i) + " ";
    return text + ips_ + " -all";
  }

  void AddLookupLimit() {
    std::string text = "v=spf1 ";
    for (int i = 1; i <= 11; i++) {
      const std::string label = "i" + std::to_string(i);
      text += "include:" + label + ".@D ";
      c_.model->Always(label, c_.model->Records(Both({"v=spf1 ip4:198.51.100." + std::to_string(i) + " ?all"})));
    }
    Serve(kSpfPermerrorLookupLimit, {text + "-all"});
  }

  std::string HostText() const {
    std::string out;
    const std::string& wire = c_.options.mail_hosts[0].name;
    for (size_t i = 0; i < wire.size(); i += 1u + static_cast<uint8_t>(wire[i]))
      out += (out.empty() ? "" : ".") + wire.substr(i + 1, static_cast<uint8_t>(wire[i]));
    return out;
  }

  const HealthcheckContext& c_;
  const std::string ips_;
};

}  // namespace

void AddSpfAnswers(const HealthcheckContext& c) { SpfAnswers(c).Run(); }

}  // namespace mz::compiler
