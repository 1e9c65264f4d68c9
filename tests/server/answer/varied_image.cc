// See varied_image.h.
#include "varied_image.h"

namespace mz::answer {

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
  std::vector<compiler::Interval4> map{{0, 0}};
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
  std::string name = NextName();
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
