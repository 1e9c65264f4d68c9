// See varied_image.h.
#include "varied_image.h"

#include <algorithm>

#include "tests/compiler/build/spf_models.h"
#include "tests/server/answer/healthcheck_fixture.h"

namespace mz::answer {
namespace {

constexpr uint8_t kVariedIds = 100;

// Two SPF zones with all forms of sets, layouts and programs.
std::vector<uint32_t> AddSpf(TestImage* image) {
  using compiler::SpfEntry;
  using compiler::SpfOutcome;
  std::vector<uint32_t> out;
  for (const bool second : {false, true}) {
    compiler::testing::SpfModelBuilder spf(
        &image->model().pool,
        second ? std::vector<std::string>{"%{i}._ip.%{h}._ehlo.%{d}", "%{d}._h.%{h}._i.%{i}", "%{c}.%{ir}.%{v}.%{d}._spf"}
               : std::vector<std::string>{"%{ir}.%{d}", "i.%{ir}._d.%{d}", "%{ir}.fixed"});
    const uint32_t pass = spf.Program(SpfOutcome::kPass, "v=spf1 ip4:$ -all"),
                   fail = spf.Program(SpfOutcome::kFail, "v=spf1 -all"),
                   temp = spf.Program(SpfOutcome::kTemperror, ""),
                   dynamic = spf.Program(SpfOutcome::kDynamic, "v=spf1 include:_ha.@ -exists:%{l}.x.@ include:_p.@ ~all"),
                   vast = spf.Program(SpfOutcome::kNeutral, std::string(700, 'v') + "$" + std::string(300, 'w'));
    spf.program(dynamic).helpers = {{"a", spf.Text("v=spf1 include:_t.@ -all")}, {"bb", 0}};
    spf.program(fail).explanation = spf.Text("$ is not of @");
    for (int c = 0; c < compiler::kSpfClasses; c++) spf.program(pass).class_text[c] = spf.Text("class " + std::to_string(c));
    const uint32_t shared = spf.Set4({"1.0.0.0/10", "1.128.0.0/9", "2.2.0.0/16", "3.0.0.0/30"}),
                   shared2 = spf.Set4({"1.2.0.0/16", "1.4.0.0/16", "2.2.2.0/24", "192.0.2.1"}),
                   shared6 = spf.Set6({"2001:db8:1::/48", "2001:db8:3::/48", "2001:db8:5::/64"});
    std::vector<std::string> many;
    for (int i = 0; i < 100; i++) many.push_back("1." + std::to_string(2 * i) + ".3.0/24");
    const uint32_t own = spf.Set4(many);
    spf.Domain("example.com", {{own, vast}, {shared, pass}, {shared2, dynamic}}, {{shared6, pass}}, fail, fail);
    spf.Domain("x.example.com", {{shared2, temp}, {spf.Set4({"3.3.3.3", "1.0.0.0/8"}), pass}}, {{shared6, dynamic}}, dynamic, temp);
    spf.Domain("net", {{shared, dynamic}}, {{spf.Set6({"2001:db8::/32"}), vast}, {shared6, fail}}, pass, dynamic).subdomains = true;
    spf.Domain("good.net", {}, {}, 0, 0).no_data = true;
    spf.model().answers_a = second;
    if (second) {
      spf.model().unknown_domain = compiler::SpfUnknown::kText;
      spf.model().unknown_text = spf.Text("v=spf1 ?all");
      spf.model().no_data_text = spf.Text("v=spf1 ~all $ @");
    }
    const auto d = image->AddDataset(image::kSpf, 30);
    image->dataset(d).spf = spf.Finish();
    out.push_back(d);
  }
  return out;
}

// Registered IDs, since they are good at any time: with all outcomes but those whose replies break the rules that hold for
// all others.
void AddVariedHealthcheck(TestImage* image) {
  using namespace healthcheck;  // NOLINT: the names of the catalogue
  std::vector<compiler::RegisteredId> ids;
  for (uint8_t i = 0; i < kVariedIds; i++) {
    compiler::RegisteredId id;
    id.id[15] = i;
    auto code = [i](Dimension d) { return static_cast<uint8_t>(i % Outcomes(d).size()); };
    for (int d = 0; d < kDimensionCount; d++) id.settings.code[d] = code(static_cast<Dimension>(d));
    const uint8_t fault = id.settings[kFault];
    if (i < 40 || fault == kFaultFormerrEdns || fault == kFaultWrongCase || fault == kFaultOversize)
      id.settings[kFault] = kFaultNone;
    ids.push_back(id);
  }
  AddHealthcheckZone(image, {.registered = std::move(ids)});
}

}  // namespace

TestImage MakeVariedImage(uint32_t profile, int more_zones) {
  TestImage image(profile);
  const auto ip = image.AddDataset(image::kIp4Set), trie = image.AddDataset(image::kIp4Trie, 60),
             six = image.AddDataset(image::kIp6Trie, 300), names = image.AddDataset(image::kDnset),
             records = image.AddDataset(image::kGeneric), combined = image.AddDataset(image::kCombined),
             large = image.AddDataset(image::kIp4Set), acl = image.AddDataset(image::kAcl),
             global = image.AddDataset(image::kAcl);
  const auto one = image.Result({{"127.0.0.2", "see http://example/?$"}});
  std::vector<TestValue> many;
  for (int i = 1; i < 30; i++)
    many.push_back({"127.0.1." + std::to_string(i), std::string(7 * i, 'x') + "$"});
  const auto full = image.Result(many);
  const auto bare = image.Result({{"127.0.0.3", ""}, {"127.0.0.4", ""}});
  const auto plain = image.Result({{"127.0.0.9", std::string(400, 'p') + "$" + std::string(100, 'q'), 0}});
  image.List(ip, "0.0.0.0/6", one);
  image.List(ip, "1.0.0.0/8", full);
  image.List(ip, "1.1.0.0/16", 0);
  image.List(ip, "2.2.2.2", bare);
  image.List(trie, "2.0.0.0/7", plain);
  image.List(trie, "1.2.3.4", one);
  image.List(six, "2001:db8::/32", one);
  image.List(six, "2001:db8:1::/64", full);
  image.List(six, "2002::/17", bare);
  for (const char* name : {"example.com", "*.example.com", "*.net", "a.b.c.d.e.f.g"})
    image.ListName(names, name, one);
  image.ListName(names, "*.good.net", 0);
  image.ListName(names, "*.x.example.com", full);
  for (char c = 1; c < 20; c++) image.AddRecord(records, "many", dns::kTypeA, 100u + c, {1, 1, 1, c});
  image.AddRecord(records, "www", dns::kTypeA, 77, {1, 1, 1, 1});
  image.AddRecord(records, "www", dns::kTypeTxt, 78, {2, 'h', 'i'});
  image.AddRecord(records, "a.b", dns::kTypeMx, 79, std::string("\0\12", 2) + Wire("mx.bl.test") + '\0');
  image.AddRecord(records, "@", dns::kTypeTxt, 80, {4, 'a', 'p', 'e', 'x'});
  image.AddRecord(records, "ns1", dns::kTypeA, 60, {10, 0, 0, 1});
  for (int i = 0; i < 200; i++)
    image.List(image.AddPart(combined, image::kIp4Set, {"s" + std::to_string(i)}),
               std::to_string(i % 4) + ".0.0.0/8", i % 3 ? one : plain);
  image.List(image.AddPart(combined, image::kIp6Trie, {"s1", "six"}), "2001:db8::/32", one);
  image.ListName(image.AddPart(combined, image::kDnset, {"dn"}), "*.example.com", one);
  image.AddRecord(image.AddPart(combined, image::kGeneric, {"@", "d.e.f"}), "www", dns::kTypeA, 5,
                  {5, 5, 5, 5});
  BigVector<compiler::Interval4> map{{0, 0}};
  for (uint32_t i = 0; i < 60000; i++) {
    map.push_back({i * 1009 + 1, i % 5 ? one : full});
    map.push_back({i * 1009 + 2, 0});
  }
  image.dataset(large).map4 = map;
  image.List(acl, "192.0.2.0/26", image.Action(image::kAclEmpty));
  image.List(acl, "192.0.2.64/26", image.Result({{"127.0.0.88", "client $"}}));
  image.List(acl, "2001:db8::/48", image.Result({{"127.0.0.89", "client $"}}));
  image.List(global, "192.0.2.128/28", image.Action(image::kAclRefuse));
  image.List(global, "192.0.2.144/28", image.Action(image::kAclIgnore));

  auto add = [&](const char* apex, std::vector<uint32_t> datasets, uint32_t flags) -> compiler::ZoneModel& {
    compiler::ZoneModel& zone = image.AddZone(apex, std::move(datasets), flags);
    TestImage::AddSoa(zone);
    return zone;
  };
  TestImage::AddNs(add("in.bl.test", {trie}, 0), {"n.t"});
  TestImage::AddNs(add("bl.test", {ip, trie, six, records}, 0), {"ns1.bl.test", "ns2.t", "ns3.t"});
  add("dn.test", {names, records}, image::kZoneEntNxdomain).acl = acl;
  TestImage::AddNs(add("c.test", {combined, names}, 0), {"ns1.bl.test"});
  add("big.test", {large}, image::kZoneMinimal).acl = acl;
  add("down.test", {ip}, image::kZoneNotLoaded);
  image.AddZone("bare.test", {ip});
  const std::vector<uint32_t> spf = AddSpf(&image);
  add("spf.test", {spf[0]}, image::kZoneMinimal).acl = acl;
  TestImage::AddNs(add("more.spf", {spf[1], records}, 0), {"ns1.bl.test"});
  AddVariedHealthcheck(&image);
  for (int i = 0; i < more_zones; i++) image.AddZone("z" + std::to_string(i) + ".example", {ip});
  image.model().global_acl = global;
  image.Build();
  return image;
}

Client RequestStream::NextClient() {
  if (Below(6) == 0) return Client::FromV6({0x20010db800000000ull | Below(1u << 18), Below(9)});
  return Client::FromV4(Below(4) == 0 ? 0xc0000200u | Below(256) : static_cast<uint32_t>(random_()));
}

std::string RequestStream::NextName() {
  static constexpr const char* kApexes[] = {"in.bl.test", "bl.test",     "bl.test",   "dn.test",
                                            "c.test",     "big.test",    "down.test", "bare.test",
                                            "test",       "example.com", ""};
  static constexpr const char* kSubzones[] = {
      "six", "dn", "d.e.f", "e.f",           "f",   "none",       "www",   "many",
      "a.b", "b",  "ns1",   "x.example.com", "net", "c.good.net", "y.net", "b.c.d.e.f.g"};
  std::string apex =
      Below(9) == 0 ? "z" + std::to_string(Below(450)) + ".example" : kApexes[Below(std::size(kApexes))];
  if (Below(3) == 0) apex = std::string(kSubzones[Below(std::size(kSubzones))]) + "." + apex;
  if (Below(3) == 0) apex = "s" + std::to_string(Below(210)) + ".c.test";
  const int octets = static_cast<int>(Below(11));
  if (octets == 10) return "9.9.9.1.bl.test";  // the longest list of values
  if (octets == 9 && Below(2)) return "many.bl.test";  // and of records
  std::string left;
  if (octets <= 4) {
    for (int i = 0; i < octets; i++) left += std::to_string(Below(Below(2) ? 4 : 300)) + ".";
  } else if (octets == 5) {
    const uint32_t address = Below(60000) * 1009 + 1;
    left = net::ToString(net::Ip4{ByteSwap(address)}) + ".";
  } else if (octets == 6) {
    static constexpr const char* kPrefixes[] = {"8.b.d.0.1.0.0.2.", "2.0.0.2.",
                                                "f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0."};
    std::string prefix = kPrefixes[Below(3)];
    const size_t count = Below(3) ? 32 : Below(34);
    while (prefix.size() < 2 * count) prefix = std::string(1, "0123456789abcdefF"[Below(17)]) + "." + prefix;
    left = prefix;
  } else if (octets == 7) {
    for (uint32_t i = Below(100); i > 0; i--) left += "a.";
  }
  std::string name = left + apex;
  while (name.size() > 250) name = name.substr(name.find('.') + 1);
  if (Below(4) == 0)
    for (char& c : name)
      if (Below(2)) c = static_cast<char>(std::toupper(c));
  return name;
}

// A name as an SPF client asks it, or nearly.
std::string RequestStream::NextSpfName() {
  const uint32_t address = Below(4) == 0 ? Below(0x04000000) : Below(5) * 0x01000000u + Below(4) * 0x10000u + Below(4) * 256 + Below(4);
  std::string ip = net::ToString(net::Ip4{address});
  if (Below(3) == 0) {
    ip.clear();
    std::string nibbles = "20010db8000" + std::to_string(Below(6)) + std::string(20, '0');
    if (Below(3)) std::reverse(nibbles.begin(), nibbles.end());
    if (Below(9) == 0) nibbles.resize(Below(33));
    for (const char c : nibbles) ip += (ip.empty() ? "" : ".") + std::string(1, c);
  }
  if (Below(12) == 0) ip = "2001:db8::" + std::to_string(Below(99));
  static constexpr const char* kDomains[] = {"example.com", "x.example.com", "net", "a.b.net", "good.net", "other.org", "com"};
  const std::string domain = kDomains[Below(std::size(kDomains))];
  std::string name;
  switch (Below(8)) {
    case 0: name = "i." + ip + "._d." + domain + ".spf.test"; break;
    case 1: name = ip + ".fixed.spf.test"; break;
    case 2: name = ip + "._ip." + std::string(1 + Below(60), 'h') + ".helo._ehlo." + domain + ".more.spf"; break;
    case 3: name = domain + "._h.a.helo._i." + ip + ".more.spf"; break;
    case 4: name = std::string(1, "psnfz1"[Below(6)]) + "." + ip + (Below(2) ? ".in-addr." : ".ip6.") + domain + "._spf.more.spf"; break;
    default: name = ip + "." + domain + ".spf.test"; break;
  }
  static constexpr const char* kHelpers[] = {"_p.", "_t.", "_x.", "_ha.", "_hbb.", "_hccccc.", "_q.", "x."};
  if (Below(5) == 0) name = kHelpers[Below(std::size(kHelpers))] + name;
  for (uint32_t cut = Below(4) ? 0 : Below(6); cut > 0 && name.find('.') != name.npos; cut--) name = name.substr(name.find('.') + 1);
  if (Below(12) == 0)  // as long as names get: what a client had to cut
    while (name.size() < 247) name.insert(name.find('.') + 1, std::string(std::min<size_t>(60, 252 - name.size()), 'l') + ".");
  while (name.size() > 253) name = name.substr(name.find('.') + 1);
  return name;
}

// A name below an ID, or nearly.
std::string RequestStream::NextHealthcheckName() {
  static constexpr const char* kSubs[] = {"", "", "", "_dmarc.", "s1._domainkey.", "_domainkey.", "_mta-sts.", "mta-sts.",
                                          "_smtp._tls.", "default._bimi.", "_25._tcp.mx.", "mx.", "c.", "i11.", "sub.",
                                          "25.2.0.192.e.", "192.e.", "loop.", "mxalias.", "nobody.", "4.3.2.1."};
  char id[33];
  std::snprintf(id, sizeof id, "%030x%02X", 0, Below(kVariedIds + 5));
  std::string label = id;
  if (Below(10) == 0) label[Below(32)] = static_cast<char>('a' + Below(10));
  if (Below(20) == 0) label.resize(1 + Below(31));
  return std::string(kSubs[Below(std::size(kSubs))]) + label + ".hc.example";
}

std::string RequestStream::NextPacket() {
  static constexpr uint16_t kTypes[] = {dns::kTypeA,
                                        dns::kTypeA,
                                        dns::kTypeTxt,
                                        dns::kTypeTxt,
                                        dns::kTypeAny,
                                        dns::kTypeSoa,
                                        dns::kTypeNs,
                                        dns::kTypeMx,
                                        dns::kTypeAaaa,
                                        dns::kTypeAxfr,
                                        257};
  dns::QueryOptions options;
  options.id = static_cast<uint16_t>(random_());
  if (Below(3) == 0) options.flags = dns::kFlagRd;
  if (Below(30) == 0) options.flags = static_cast<uint16_t>(random_());
  if (Below(2) == 0) {
    static constexpr uint16_t kSizes[] = {0, 512, 800, 1232, 4096, 65535};
    options.edns =
        dns::EdnsQuery{.udp_bytes = kSizes[Below(6)], .version = static_cast<uint8_t>(Below(20) == 0)};
    if (Below(3) == 0) options.edns->flags = dns::kEdnsDnssecOk;
    if (Below(3) == 0) options.edns->options.emplace_back(dns::kOptionNsid, "");
    if (Below(9) == 0)
      options.edns->options.emplace_back(static_cast<uint16_t>(Below(20)), std::string(Below(40), 'o'));
  }
  uint16_t qclass = dns::kClassIn, qtype = kTypes[Below(std::size(kTypes))];
  std::string name = Below(3) == 0 ? NextSpfName() : NextName();
  if (Below(12) == 0) {
    name = NextHealthcheckName();
    if (Below(8) == 0) qtype = 99;
  }
  if (Below(20) == 0) qclass = Below(2) ? uint16_t{dns::kClassAny} : static_cast<uint16_t>(Below(6));
  if (Below(40) == 0) {
    name = Below(2) ? "version.bind" : "ID.server";
    qclass = dns::kClassCh;
    qtype = dns::kTypeTxt;
  }
  std::string packet = dns::BuildQuery(Wire(name), qtype, qclass, options);
  if (Below(12) == 0)
    for (uint32_t i = Below(4); i > 0; i--)
      packet[Below(static_cast<uint32_t>(packet.size()))] = static_cast<char>(random_());
  if (Below(25) == 0) packet.resize(Below(static_cast<uint32_t>(packet.size()) + 1));
  return packet;
}

}  // namespace mz::answer
