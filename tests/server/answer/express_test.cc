// The express lane gives what the general path gives, octet for octet, for any packet; and it takes the queries that it
// is made for.
#include "server/answer/express.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "express_image.h"
#include "format/image/verify.h"
#include "server/answer/job.h"

namespace mz::answer {
namespace {

class Stream {
 public:
  explicit Stream(uint32_t seed) : random_(seed) {}
  uint32_t Below(uint32_t n) { return static_cast<uint32_t>(random_() % n); }

  std::string Packet() {
    static constexpr const char* kApexes[] = {"ip.list.test", "minimal.test", "t.est", "six.test",       "names.list.test", "wild.test", "generic.test",
                                              "combined.test", "base.test",   "_spf.test",    "mixed.test",      "acl.test",
                                              "records.test", "old.test",      "down.test",   "in.outer.test", "outer.test",      "nosoa.test",
                                              "list.test",     "xip.list.test", "both.test",    "sixes.test",      "nibbles.test", "large.test", "pair.test", "_forward.test", "a-longer-apex.list.test",
                                              "b-longer-apex.list.test", "beside.test", "named.test", "sparse.test", "sparse-records.test"};
    static constexpr const char* kNames[] = {"example.com", "a.example.com", "net", "b.net", "www.example.com", "not.com",
                                             "a-label-of-more-than-sixteen.octets.example", "deep.er.est.a.b", "two.org",
                                             "gen.org", "sub.example", "six.org", "none.org", "unknown.example", "a-rather-long-label.net",
                                             "x.y.z", "subject.com", "er.est.a.b", "com", "1.2.3.4", "www", "a.b.c.d", "2", "1.0.0.2", "1.0.0.7", "1.0.2.3", "1.0.4.5", "est.a.b", "kin.org"};
    std::string name = kApexes[Below(Below(2) ? 11 : std::size(kApexes))];
    if (Below(3)) name = std::string(kNames[Below(std::size(kNames))]) + "." + name;
    if (Below(200) == 0) name = LongDomain(Below(2) ? 40 : 30) + "._spf.test";
    const uint32_t octets = Below(2) ? 4 : Below(3) ? 0 : Below(6);
    if (Below(4) == 0) {
      static constexpr const char* kStarts[] = {"20010db80000", "123400", "2002", "00000000000000000000ffff", "f"};
      std::string digits = kStarts[Below(Below(3) ? 2 : std::size(kStarts))];
      while (digits.size() < (Below(20) ? 32 : 30)) digits += "0123456789abcdefABg"[Below(Below(40) ? 3 : 19)];
      for (const char c : digits) name = std::string(1, c) + "." + name;
    } else for (uint32_t i = 0; i < octets; i++) {
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
  TestImage image = MakeExpressImage(GetParam());
  const std::string id = "node";
  image.settings.server_id = {reinterpret_cast<const uint8_t*>(id.data()), id.size()};
  if (GetParam() != 0) image.settings.max_udp_bytes = 300;  // 512 it is
  std::vector<uint32_t> rotation(image.view().zones().size()), general_rotation(rotation.size());
  WorkerState state{.ns_rotation = rotation}, general_state{.ns_rotation = general_rotation};
  Stream stream(7);
  std::map<std::string, int> taken, all;
  const image::NameRecord* other = nullptr;  // some record: a guess may be wrong in any way
  for (int round = 0; round < 250000; round++) {
    const std::string packet = stream.Packet();
    // Exactly as large as they are, so that a sanitizer sees every octet too many.
    const std::vector<uint8_t> wire(packet.begin(), packet.end());
    std::vector<uint8_t> response(stream.Below(50) ? 512 + stream.Below(2) * 800 : stream.Below(512)),
        general_response(response.size());
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
      lane.Read({&request, 1}, {&q, 1});
      if (q.plan != nullptr) {
        if (stream.Below(2)) {
          lane.Warm({&request, 1}, {&q, 1});
          if (q.plan != nullptr && q.plan->kind != ExpressPlan::kAddresses && q.guess != nullptr) other = q.guess;
        } else {
          q.guess = other;
        }
        express = lane.Answer({&request, 1}, {&q, 1}, 0) == 1;
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
    const std::string key = (wire.size() > 80 && wire[12] == 1 && wire[44] == 1 ? "6 " : "") + apex + (general.outcome.kind == Outcome::kNxdomain ? " NXDOMAIN" : general.outcome.answer_count ? "" : " other");
    taken[key] += express;
    all[key]++;
  }
  for (const auto& [key, count] : all)
    if (taken[key] != 0) RecordProperty(key, std::to_string(taken[key]) + " of " + std::to_string(count));
  // Whatever zones were learned last, each of these was among them often enough.
  for (const char* key : {"ip.list.test", "ip.list.test NXDOMAIN", "minimal.test", "minimal.test NXDOMAIN", "t.est",
                          "names.list.test", "names.list.test NXDOMAIN", "combined.test", "combined.test NXDOMAIN", "_spf.test",
                          "nosoa.test NXDOMAIN", "old.test", "6 ip.list.test", "6 ip.list.test NXDOMAIN",
                          "wild.test", "wild.test NXDOMAIN", "generic.test",
                          "generic.test NXDOMAIN", "6 combined.test", "6 _spf.test", "6 six.test", "a-longer-apex.list.test", "named.test", "named.test NXDOMAIN",
                          "sparse.test", "sparse.test NXDOMAIN", "sparse-records.test", "sparse-records.test NXDOMAIN", "large.test", "6 nibbles.test"})
    EXPECT_GT(taken[key], 0) << key << ": " << all[key];
  for (const char* key : {"mixed.test", "acl.test", "outer.test", "down.test other", "both.test", "both.test other", "6 sixes.test", "pair.test", "_forward.test"}) {
    EXPECT_GT(all[key], 0) << key;
    EXPECT_EQ(taken[key], 0) << key;
  }
}

// Of every length, octet by octet; what lies behind the end does not count.
TEST(LowerTest, WholeVectorsAreReadAsOneByOne) {
  std::mt19937 random(9);
  for (int round = 0; round < 20000; round++) {
    constexpr size_t kMost = 255, kBehind = 16;
    const size_t bytes = 1 + static_cast<size_t>(round) % kMost;
    uint8_t any[kMost + kBehind], lower[kMost + kBehind], copy[kMost + kBehind];
    for (size_t i = 0; i < sizeof any; i++) {
      any[i] = static_cast<uint8_t>(round % 2 ? random() : "@AZ[`az{"[random() % 8]);
      lower[i] = any[i] >= 'A' && any[i] <= 'Z' ? static_cast<uint8_t>(any[i] + 32) : any[i];
      if (i >= bytes) lower[i] ^= 1;
    }
    CopyLower(any, bytes, copy);
    ASSERT_TRUE(std::equal(copy, copy + bytes, lower)) << bytes;
    ASSERT_TRUE(SameLower(any, lower, bytes)) << bytes;
    if (bytes <= dns::kMaxLabelBytes) {
      ASSERT_EQ(HashLabelLower(17, any, static_cast<unsigned>(bytes)), image::HashLabel(17, lower, bytes)) << bytes;
    }
    const size_t other = random() % bytes;
    lower[other] ^= static_cast<uint8_t>(1u << random() % 8);
    ASSERT_FALSE(SameLower(any, lower, bytes)) << bytes << " " << other;
  }
}

TEST(NibbleLabelsTest, AreReadAsOneByOne) {
  std::mt19937 random(5);
  int good = 0;
  for (int round = 0; round < 100000; round++) {
    uint8_t labels[kNibbleLabelBytes];
    for (size_t i = 0; i < sizeof labels; i += 2) {
      labels[i] = 1;
      labels[i + 1] = static_cast<uint8_t>("0123456789abcdefABCDEF"[random() % 22]);
    }
    if (random() % 2) labels[random() % sizeof labels] = static_cast<uint8_t>(random());
    bool valid = true;
    net::Ip6 expected;
    for (unsigned i = 0; i < 32; i++) {
      const uint8_t label[2] = {labels[2 * i], static_cast<uint8_t>(std::tolower(labels[2 * i + 1]))};
      unsigned nibble = 0;
      valid &= internal::ParseNibble(label, &nibble);
      (i < 16 ? expected.low : expected.high) |= uint64_t{nibble} << (4 * (i % 16));
    }
    net::Ip6 address;
    ASSERT_EQ(ParseNibbleLabels(labels, &address), valid) << round;
    ASSERT_TRUE(!valid || address == expected) << round;
    good += valid;
  }
  EXPECT_GT(good, 50000);
}

TEST(OctetLabelsTest, AreReadAsOneByOne) {
  std::mt19937 random(6);
  int good = 0, zeros = 0;
  for (int round = 0; round < 300000; round++) {
    // Behind the labels: anything, also what looks like more digits.
    uint8_t labels[16 + 4];
    for (uint8_t& octet : labels) octet = static_cast<uint8_t>(random() % 2 ? '0' + random() % 10 : random());
    size_t at = 0;
    for (int i = 0; i < 4; i++) {
      std::string text = std::to_string(random() % (random() % 8 ? 256 : 1000));
      if (random() % 12 == 0 && text.size() < 3) text.insert(0, 1 + random() % (3 - text.size()), '0');
      labels[at] = static_cast<uint8_t>(text.size());
      std::copy(text.begin(), text.end(), labels + at + 1);
      at += 1 + text.size();
    }
    if (random() % 3 == 0) labels[random() % at] = static_cast<uint8_t>(random() % 2 ? random() % 6 : random());
    bool valid = true, leading_zeros = false;
    net::Ip4 expected = 0;
    unsigned bytes = 0;
    for (unsigned i = 0; i < 4 && valid; i++) {
      const uint8_t* label = labels + bytes;
      unsigned octet = 0;
      valid = internal::ParseOctet(label, &octet);
      expected |= octet << (8 * i);
      leading_zeros |= valid && std::to_string(octet).size() != label[0];
      bytes += 1u + label[0];
    }
    // Sixteen octets are all that may be looked at.
    const std::vector<uint8_t> exactly(labels, labels + 16);
    OctetLabels octets;
    ASSERT_EQ(ParseOctetLabels(exactly.data(), &octets), valid) << round;
    if (!valid) continue;
    ASSERT_EQ(octets.ip4, expected) << round;
    ASSERT_EQ(octets.bytes, bytes) << round;
    ASSERT_EQ(octets.leading_zeros, leading_zeros) << round;
    good++;
    zeros += leading_zeros;
  }
  EXPECT_GT(good, 100000);
  EXPECT_GT(zeros, 10000);
}

// The other content of an image at the same place, or the same content elsewhere: no plan outlives its image.
TEST(ExpressPlansTest, BelongToOneImage) {
  TestImage first = MakeExpressImage(0);
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

// Answers by plans of `view`'s image, whatever was there before.
void ExpectOwnPlans(const image::View& view, ExpressPlans* plans) {
  const std::string packet = dns::BuildQuery(Wire("1.1.0.0.minimal.test"), dns::kTypeTxt, dns::kClassIn, {});
  const Settings settings;
  std::vector<uint8_t> response(512), expected(512);
  Request request{.wire = {reinterpret_cast<const uint8_t*>(packet.data()), packet.size()}, .now_unix = 1000};
  Request general = request;
  request.response = response;
  general.response = expected;
  WorkerState state{.express = *plans}, general_state;
  for (int i = 0; i < 2; i++) Answer(view, settings, request, state);
  AnswerGenerally(view, settings, general, general_state);
  EXPECT_EQ(response, expected);
  ASSERT_EQ(state.express.count, 1u);
  EXPECT_EQ(state.express.plans[0].zone_index, general.outcome.zone);
  EXPECT_EQ(state.express.base, view.bytes().data());
  EXPECT_EQ(state.express.plans[0].zone, &view.zones()[static_cast<size_t>(state.express.plans[0].zone_index)]);
  *plans = state.express;
}

TEST(ExpressPlansTest, AreMadeAnewForTheSameContentElsewhere) {
  TestImage first = MakeExpressImage(0), second = MakeExpressImage(0);
  ASSERT_EQ(first.view().header().identity, second.view().header().identity);
  ExpressPlans plans;
  ExpectOwnPlans(first.view(), &plans);
  ExpectOwnPlans(second.view(), &plans);
}

TEST(ExpressPlansTest, AreMadeAnewForOtherContentAtTheSamePlace) {
  TestImage first = MakeExpressImage(0), second(0);
  second.AddZone("other.test", {second.AddDataset(image::kIp4Set)});
  const auto ip = second.AddDataset(image::kIp4Set);
  second.List(ip, "0.0.1.1", second.Result({{"127.0.0.9", "second"}}));
  second.AddZone("minimal.test", {ip});
  second.Build();
  const std::span<const uint8_t> large = first.view().bytes(), small = second.view().bytes();
  std::vector<uint8_t> place(large.begin(), large.end());
  ExpressPlans plans;
  ExpectOwnPlans(*image::Verify(place, image::VerifyLevel::kEverything), &plans);
  std::copy(small.begin(), small.end(), place.begin());
  ExpectOwnPlans(*image::Verify(std::span(place).first(small.size()), image::VerifyLevel::kEverything), &plans);
}

}  // namespace
}  // namespace mz::answer
