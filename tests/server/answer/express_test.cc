// The express lane gives what the general path gives, octet for octet, for any packet; and it takes the queries that it
// is made for.
#include "server/answer/express.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "answer_fixture.h"
#include "tests/compiler/build/spf_models.h"

namespace mz::answer {
namespace {

// Zones that have a plan and zones that just miss one. More than the lane keeps plans for.
TestImage MakeImage(uint32_t profile) {
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
  image.ListName(wild, "*.example.com", one);
  image.AddRecord(records, "www", dns::kTypeA, 77, {1, 1, 1, 1});
  image.AddRecord(records, "a.b.c.d.e", dns::kTypeTxt, 78, {2, 'h', 'i'});
  image.AddRecord(records, "@", dns::kTypeTxt, 80, {4, 'a', 'p', 'e', 'x'});
  for (const char* sub : {"example.com", "a.example.com", "net", "a-label-of-more-than-sixteen.octets.example", "deep.er.est.a.b"}) {
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
                 temp = spf.Program(SpfOutcome::kTemperror, ""), vast = spf.Program(SpfOutcome::kNeutral, std::string(300, 'v')),
                 asked = spf.Program(SpfOutcome::kDynamic, "v=spf1 exists:@ -all");
  spf.program(fail).helpers = {{"a", spf.Text("v=spf1 -all")}};
  const uint32_t shared = spf.Set4({"1.0.0.0/10", "2.2.0.0/16", "3.0.0.0/30"}), other = spf.Set4({"1.2.0.0/16", "0.4.0.0/16"});
  spf.Domain("example.com", {{shared, pass}, {other, asked}}, {}, fail, fail);
  spf.Domain("net", {{other, temp}, {shared, vast}}, {}, pass, fail).subdomains = true;
  spf.Domain("none.org", {}, {}, 0, 0).no_data = true;
  const auto policies = image.AddDataset(image::kSpf, 30);
  image.dataset(policies).spf = spf.Finish();

  auto zone = [&](const char* apex, std::vector<uint32_t> datasets, uint32_t flags = 0) -> compiler::ZoneModel& {
    compiler::ZoneModel& z = image.AddZone(apex, std::move(datasets), flags);
    TestImage::AddSoa(z);
    return z;
  };
  TestImage::AddNs(zone("ip.list.test", {ip, few_records, six}), {"ns1.ip.list.test", "ns2.elsewhere.test"});
  zone("minimal.test", {ip}, image::kZoneMinimal | image::kZoneEntNxdomain);
  zone("t.est", {ip});                       // a short apex
  zone("names.list.test", {names});
  zone("wild.test", {wild});
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
  image.Build();
  return image;
}

class Stream {
 public:
  explicit Stream(uint32_t seed) : random_(seed) {}
  uint32_t Below(uint32_t n) { return static_cast<uint32_t>(random_() % n); }

  std::string Packet() {
    static constexpr const char* kApexes[] = {"ip.list.test", "minimal.test", "t.est",        "names.list.test", "wild.test",
                                              "combined.test", "base.test",   "_spf.test",    "mixed.test",      "acl.test",
                                              "records.test", "old.test",      "down.test",   "in.outer.test", "outer.test",      "nosoa.test",
                                              "list.test",     "xip.list.test"};
    static constexpr const char* kNames[] = {"example.com", "a.example.com", "net", "b.net", "www.example.com", "not.com",
                                             "a-label-of-more-than-sixteen.octets.example", "deep.er.est.a.b", "two.org",
                                             "gen.org", "sub.example", "none.org", "unknown.example", "a-rather-long-label.net",
                                             "x.y.z", "subject.com", "er.est.a.b", "com", "1.2.3.4", "www", "a.b.c.d"};
    std::string name = kApexes[Below(Below(3) ? 8 : std::size(kApexes))];
    if (Below(3)) name = std::string(kNames[Below(std::size(kNames))]) + "." + name;
    const uint32_t octets = Below(8) ? 4 : Below(6);
    for (uint32_t i = 0; i < octets; i++) {
      std::string octet = std::to_string(Below(4) ? Below(8) : Below(260));
      if (Below(40) == 0) octet = "0" + octet;
      name = octet + "." + name;
    }
    if (Below(40) == 0) name = "_p." + name;
    if (Below(30) == 0)
      while (name.size() < 240) name.insert(name.find('.') + 1, std::string(1 + Below(12), 'l') + ".");
    if (Below(3) == 0)
      for (char& c : name)
        if (Below(2)) c = static_cast<char>(std::toupper(c));
    while (name.size() > 250) name = name.substr(name.find('.') + 1);
    dns::QueryOptions options;
    options.id = static_cast<uint16_t>(random_());
    options.flags = Below(2) ? dns::kFlagRd : Below(8) ? 0 : static_cast<uint16_t>(random_());
    if (Below(2)) {
      static constexpr uint16_t kSizes[] = {0, 512, 1232, 4096};
      options.edns = dns::EdnsQuery{.udp_bytes = kSizes[Below(4)], .version = static_cast<uint8_t>(Below(30) == 0)};
      if (Below(3) == 0) options.edns->flags = dns::kEdnsDnssecOk;
      if (Below(4) == 0) options.edns->options.emplace_back(uint16_t{10}, std::string("cookie00"));
      if (Below(20) == 0) options.edns->options.emplace_back(dns::kOptionNsid, "");
    }
    static constexpr uint16_t kTypes[] = {dns::kTypeTxt, dns::kTypeTxt, dns::kTypeTxt, dns::kTypeA, dns::kTypeA,
                                          dns::kTypeAaaa, dns::kTypeSoa, dns::kTypeAny};
    std::string packet =
        dns::BuildQuery(Wire(name), kTypes[Below(Below(3) ? 5 : std::size(kTypes))],
                        Below(40) ? uint16_t{dns::kClassIn} : static_cast<uint16_t>(1 + Below(255)), options);
    if (Below(15) == 0)
      for (uint32_t i = 1 + Below(3); i > 0; i--)
        packet[Below(static_cast<uint32_t>(packet.size()))] = static_cast<char>(Below(2) ? random_() : Below(4));
    if (Below(40) == 0) packet.resize(Below(static_cast<uint32_t>(packet.size()) + 1));
    if (Below(40) == 0) packet += "more";
    return packet;
  }

 private:
  std::mt19937 random_;
};

std::string OutcomeText(const Outcome& o) {
  return std::to_string(o.kind) + " " + std::to_string(o.rcode) + " " + std::to_string(o.answer_count) + " " +
         std::to_string(o.qtype) + " " + std::to_string(o.qclass) + " " + std::to_string(o.qname_bytes) + " " +
         std::to_string(o.zone) + " " + std::to_string(o.delay_ms);
}

class ExpressTest : public ::testing::TestWithParam<uint32_t> {};
INSTANTIATE_TEST_SUITE_P(Profiles, ExpressTest, ::testing::Values(0, image::kProfileRbldnsd));

TEST_P(ExpressTest, EqualsTheGeneralPath) {
  TestImage image = MakeImage(GetParam());
  std::vector<uint32_t> rotation(image.view().zones().size()), general_rotation(rotation.size());
  WorkerState state{.ns_rotation = rotation}, general_state{.ns_rotation = general_rotation};
  Stream stream(7);
  std::map<std::string, int> taken, all;
  for (int round = 0; round < 60000; round++) {
    const std::string packet = stream.Packet();
    // Exactly as large as they are, so that a sanitizer sees every octet too many.
    const std::vector<uint8_t> wire(packet.begin(), packet.end());
    std::vector<uint8_t> response(512 + stream.Below(2) * 800), general_response(response.size());
    Request request{.wire = wire, .client = Client::FromV4(0xc0000200u + stream.Below(128)), .now_unix = 1000 + stream.Below(2)};
    request.tcp = stream.Below(8) == 0;
    Request general = request;
    request.response = response;
    general.response = general_response;
    AnswerGenerally(image.view(), image.settings, general, general_state);
    bool express = false;
    {
      ExpressLane lane(image.view(), image.settings, state);
      ExpressQuery q;
      if (lane.Read(request, &q)) {
        if (stream.Below(2)) lane.Warm(&request, {&q, 1});
        express = q.plan != nullptr && lane.Answer(q, request);
      }
    }
    if (!express) Answer(image.view(), image.settings, request, state);  // learns the zone
    ASSERT_EQ(request.response_size, general.response_size) << round;
    ASSERT_TRUE(std::equal(response.begin(), response.begin() + static_cast<ptrdiff_t>(general.response_size),
                           general_response.begin()))
        << round << " " << express;
    ASSERT_EQ(OutcomeText(request.outcome), OutcomeText(general.outcome)) << round;
    ASSERT_EQ(rotation, general_rotation) << round;
    if (general.outcome.zone < 0) continue;
    const std::string apex = image.model().zones[static_cast<size_t>(general.outcome.zone)].text;
    const std::string key = apex + (general.outcome.kind == Outcome::kNxdomain ? " NXDOMAIN" : general.outcome.answer_count ? "" : " other");
    taken[key] += express;
    all[key]++;
  }
  for (const auto& [key, count] : all)
    if (taken[key] != 0) RecordProperty(key, std::to_string(taken[key]) + " of " + std::to_string(count));
  // Whatever zones were learned last, each of these was among them often enough.
  for (const char* key : {"ip.list.test", "ip.list.test NXDOMAIN", "minimal.test", "minimal.test NXDOMAIN", "t.est",
                          "names.list.test", "names.list.test NXDOMAIN", "combined.test", "combined.test NXDOMAIN", "_spf.test",
                          "nosoa.test NXDOMAIN", "old.test"})
    EXPECT_GT(taken[key], 2) << key << ": " << all[key];
  for (const char* key : {"wild.test", "mixed.test", "acl.test", "outer.test", "down.test other"}) {
    EXPECT_GT(all[key], 0) << key;
    EXPECT_EQ(taken[key], 0) << key;
  }
}

// The other content of an image at the same place, or the same content elsewhere: no plan outlives its image.
TEST(ExpressPlansTest, BelongToOneImage) {
  TestImage first = MakeImage(0);
  ASSERT_FALSE(first.Ask("1.1.0.0.minimal.test", "TXT").silent);
  ASSERT_FALSE(first.Ask("1.1.0.0.minimal.test", "TXT").silent);
  const ExpressPlans& plans = first.state().express;
  ASSERT_GT(plans.count, 0u);
  TestImage second(0);
  const auto ip = second.AddDataset(image::kIp4Set);
  second.List(ip, "0.0.1.1", second.Result({{"127.0.0.9", "second"}}));
  second.AddZone("minimal.test", {ip});
  second.Build();
  second.state().express = plans;
  const Reply reply = second.Ask("1.1.0.0.minimal.test", "TXT");
  EXPECT_EQ(reply.answer(), std::vector<std::string>{"1.1.0.0.minimal.test. 2100 IN TXT \"second\""});
  EXPECT_EQ(second.state().express.base, second.view().bytes().data());
}

}  // namespace
}  // namespace mz::answer
