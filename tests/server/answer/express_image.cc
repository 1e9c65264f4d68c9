// See express_image.h.
#include "express_image.h"

#include "tests/compiler/build/spf_models.h"

namespace mz::answer {

std::string LongDomain(size_t bytes) {
  const std::string label(63, 'd');
  return std::string(bytes, 'd') + "." + label + "." + label + "." + label;
}

TestImage MakeExpressImage(uint32_t profile) {
  TestImage image(profile);
  const auto one = image.Result({{"127.0.0.2", "see http://bl.example/?$ there"}}),
             plain = image.Result({{"127.0.0.3", "listed"}}), bare = image.Result({{"127.0.0.4", ""}}),
             several = image.Result({{"127.0.0.5", "a $"}, {"127.0.0.6", "b"}}),
             long_text = image.Result({{"127.0.0.7", std::string(239, 'l') + "$"}}),
             two_holes = image.Result({{"127.0.0.8", "$ and $"}});
  const std::vector<compiler::ResultId> results = {one, plain, bare, several, long_text, two_holes, 0};
  auto fill = [&](compiler::DatasetModel& d, unsigned step) {
    for (unsigned i = 0; i < 40; i++)
      image.List(d, std::to_string(i * step % 7) + "." + std::to_string(i % 5) + ".0.0/" + std::to_string(12 + i % 20),
                 results[i % results.size()]);
  };
  const auto few_records = image.AddDataset(image::kGeneric);
  image.AddRecord(few_records, "www", dns::kTypeTxt, 4, {1, 'w'});
  const auto ip = image.AddDataset(image::kIp4Set), six = image.AddDataset(image::kIp6Trie, 300),
             names = image.AddDataset(image::kDnset, 90), wild = image.AddDataset(image::kDnset),
             records = image.AddDataset(image::kGeneric), combined = image.AddDataset(image::kCombined),
             acl = image.AddDataset(image::kAcl), base = image.AddDataset(image::kCombined);
  fill(image.dataset(ip), 3);
  image.List(six, "2001:db8::/32", one);
  for (const char* name : {"example.com", "www.example.com", "a-rather-long-label.net", "x.y.z", "com"})
    image.ListName(names, name, name[0] == 'x' ? bare : name[0] == 'w' ? several : plain);
  image.ListName(names, "not.com", 0);
  image.ListName(names, "subject.com", one);
  image.ListName(wild, "*.example.com", bare);
  image.ListName(wild, "a.example.com", plain);
  image.ListName(wild, "*.com", plain);
  image.ListName(wild, "*.not.com", 0);
  image.ListName(wild, "net", plain);
  image.ListName(wild, "x.y.z", plain);
  const auto only_records = image.AddDataset(image::kGeneric);
  image.AddRecord(only_records, "www", dns::kTypeA, 77, {1, 1, 1, 1});
  image.AddRecord(only_records, "example.com", dns::kTypeTxt, 78, {4, 't', 'e', 'x', 't'});
  image.AddRecord(only_records, "example.com", dns::kTypeA, 79, {1, 2, 3, 4});
  image.AddRecord(only_records, "net", dns::kTypeTxt, 80, {1, 'a'});
  image.AddRecord(only_records, "net", dns::kTypeTxt, 81, {1, 'b'});
  image.AddRecord(only_records, "x.y.z", dns::kTypeTxt, 82, {1, 'z'});
  const auto beside = image.AddDataset(image::kGeneric), sparse = image.AddDataset(image::kDnset),
             sparse_records = image.AddDataset(image::kGeneric), six2 = image.AddDataset(image::kIp6Tset), seven = image.AddDataset(image::kIp6Trie);
  image.AddRecord(beside, "1.0.2.3", dns::kTypeTxt, 83, {1, 'b'});
  image.AddRecord(beside, "x.y.z", dns::kTypeTxt, 84, {1, 'c'});
  image.ListName(sparse, "com", plain);
  image.ListName(sparse, "deep.er.est.a.b", plain);
  image.AddRecord(sparse_records, "net", dns::kTypeTxt, 85, {1, 'd'});
  image.AddRecord(sparse_records, "www", dns::kTypeTxt, 87, '\372' + std::string(250, 'a') + '\372' + std::string(250, 'b'));
  image.AddRecord(sparse_records, "deep.er.est.a.b", dns::kTypeTxt, 86, {1, 'e'});
  image.List(six2, "2001:db8::/33", plain);
  image.List(seven, "7001:db8::/32", plain);
  image.List(seven, "2001:db8::/34", plain);
  image.List(seven, "2001:db8::1:0:0:0/80", one);  // keys of 128 bits
  image.AddRecord(records, "www", dns::kTypeA, 77, {1, 1, 1, 1});
  image.AddRecord(records, "a.b.c.d.e", dns::kTypeTxt, 78, {2, 'h', 'i'});
  image.AddRecord(records, "@", dns::kTypeTxt, 80, {4, 'a', 'p', 'e', 'x'});
  image.List(image.AddPart(combined, image::kIp6Trie, {"example.com"}, 61), "2001:db8::/44", one);
  image.List(image.AddPart(combined, image::kIp6Tset, {"six.org"}, 62), "2001:db8::/33", plain);
  for (const char* sub : {"example.com", "a.example.com", "net", "kin.org", "3.kin.org", "a-label-of-more-than-sixteen.octets.example", "deep.er.est.a.b"}) {
    fill(image.AddPart(combined, image::kIp4Set, {sub}, 60), static_cast<unsigned>(sub[0]));
    if (sub[0] == 'n') image.List(image.AddPart(combined, image::kIp6Trie, {sub}), "1234::/16", one);
  }
  fill(image.AddPart(combined, image::kIp4Set, {"two.org"}), 2);
  fill(image.AddPart(combined, image::kIp4Trie, {"two.org"}), 5);
  image.AddRecord(image.AddPart(combined, image::kGeneric, {"gen.org"}), "1.2.3.4", dns::kTypeTxt, 5, {1, 'g'});
  fill(image.AddPart(base, image::kIp4Set, {"@"}), 4);
  fill(image.AddPart(base, image::kIp4Set, {"sub.example"}), 6);
  image.List(acl, "192.0.2.0/26", image.Action(image::kAclEmpty));

  compiler::testing::SpfModelBuilder spf(&image.model().pool, {"%{ir}.%{d}"});
  using compiler::SpfOutcome;
  const uint32_t pass = spf.Program(SpfOutcome::kPass, "v=spf1 ip4:$ -all"), fail = spf.Program(SpfOutcome::kFail, "v=spf1 -all"),
                 temp = spf.Program(SpfOutcome::kTemperror, "v=spf1 -all"), vast = spf.Program(SpfOutcome::kNeutral, std::string(300, 'v')),
                 asked = spf.Program(SpfOutcome::kDynamic, "v=spf1 exists:@ -all");
  spf.program(fail).helpers = {{"a", spf.Text("v=spf1 -all")}};
  const uint32_t shared = spf.Set4({"1.0.0.0/10", "2.2.0.0/16", "3.0.0.0/30"}), other = spf.Set4({"1.2.0.0/16", "0.4.0.0/16"});
  spf.Domain("example.com", {{shared, pass}, {other, asked}}, {{spf.Set6({"2001:db8::/40", "1234::/20"}), pass}}, fail, fail);
  spf.Domain("net", {{other, temp}, {shared, vast}}, {}, pass, fail).subdomains = true;
  const uint32_t wordy = spf.Program(SpfOutcome::kPass, std::string(239, 'w'));
  spf.Domain(LongDomain(40), {}, {}, pass, pass);
  spf.Domain(LongDomain(30), {}, {}, wordy, wordy);
  spf.Domain("none.org", {}, {}, 0, 0).no_data = true;
  const auto policies = image.AddDataset(image::kSpf, 30);
  image.dataset(policies).spf = spf.Finish();

  compiler::testing::SpfModelBuilder forward(&image.model().pool, {"%{i}.%{d}"});
  const uint32_t yes = forward.Program(SpfOutcome::kPass, "v=spf1 ip4:$ -all"), no = forward.Program(SpfOutcome::kFail, "v=spf1 -all");
  forward.Domain("example.com", {{forward.Set4({"1.0.0.0/8", "2.2.0.0/16"}), yes}}, {}, no, no);
  const auto forward_policies = image.AddDataset(image::kSpf);
  image.dataset(forward_policies).spf = forward.Finish();
  const auto second_ip = image.AddDataset(image::kIp4Trie);
  fill(image.dataset(second_ip), 5);

  auto zone = [&](const char* apex, std::vector<uint32_t> datasets, uint32_t flags = 0) -> compiler::ZoneModel& {
    compiler::ZoneModel& z = image.AddZone(apex, std::move(datasets), flags);
    TestImage::AddSoa(z);
    return z;
  };
  TestImage::AddNs(zone("ip.list.test", {ip, few_records, six}), {"ns1.ip.list.test", "ns2.elsewhere.test"});
  zone("minimal.test", {ip}, image::kZoneMinimal | image::kZoneEntNxdomain);
  zone("six.test", {six, few_records});
  zone("t.est", {ip});                       // a short apex
  zone("names.list.test", {names});
  zone("wild.test", {wild});
  zone("both.test", {names, six});           // names, and parts of reversed IPv6 addresses
  zone("sixes.test", {six, six2});
  zone("nibbles.test", {ip, seven});
  zone("pair.test", {ip, second_ip});
  zone("_forward.test", {forward_policies});
  std::vector<std::string> servers;          // which a reply of 512 octets has no room for behind a long text
  for (char c = 'a'; c < 'e'; c++) servers.push_back(std::string(50, c) + ".test");
  TestImage::AddNs(zone("a-longer-apex.list.test", {ip}), servers);
  zone("beside.test", {ip, beside});
  zone("named.test", {names, beside});
  zone("sparse.test", {sparse});
  zone("sparse-records.test", {sparse_records});
  TestImage::AddNs(zone("generic.test", {only_records}), {"ns1.generic.test"});
  zone("records.test", {ip, records});
  TestImage::AddNs(zone("combined.test", {combined}), {"ns1.ip.list.test", "a.b", "c.d"});
  zone("base.test", {base});
  zone("_spf.test", {policies});
  zone("mixed.test", {ip, combined});
  zone("acl.test", {ip}).acl = acl;
  const auto old = image.AddDataset(image::kIp4Set);
  fill(image.dataset(old), 3);
  image.dataset(old).expires_unix = 1000;
  zone("old.test", {old});
  zone("down.test", {ip}, image::kZoneNotLoaded);
  zone("in.outer.test", {ip});
  zone("outer.test", {ip});
  image.AddZone("nosoa.test", {ip, six}, image::kZoneEntNxdomain);
  const auto large = image.AddDataset(image::kIp4Set);  // a direct table
  auto& map = image.dataset(large).map4 = {{0, 0}};
  for (uint32_t i = 0; i < 70000; i++) map.push_back({i * 0x1000 + 1, results[i % 7]});
  zone("large.test", {large}, image::kZoneMinimal);
  image.Build(compiler::SharedSetPolicy::kAlways);
  return image;
}

}  // namespace mz::answer
