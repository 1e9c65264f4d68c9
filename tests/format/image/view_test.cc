// Lookups in images against the models they were made of: every border of every map, names that are there and
// are not.
#include "format/image/view.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "format/image/verify.h"
#include "tests/format/image/sample_models.h"

namespace mz::image {
namespace {

// The image's result against the model's.
void ExpectSame(const View& view, uint32_t result, const compiler::Pool& pool, compiler::ResultId id) {
  ASSERT_EQ(result == 0, id == 0);
  if (id == 0) return;
  const std::vector<compiler::ValueModel>& values = pool.result(id);
  for (size_t i = 0; i < values.size(); i++) {
    const Value& v = view.value(result + static_cast<uint32_t>(i));
    ASSERT_EQ(std::memcmp(v.a, values[i].a, 4), 0);
    ASSERT_EQ((v.ref & kValueMore) != 0, i + 1 < values.size());
    const uint32_t text = v.ref & kValueTextMask;
    ASSERT_EQ(text != 0, values[i].text != 0);
    if (text == 0) continue;
    const std::string& literal = pool.text(values[i].text).literal;
    ASSERT_EQ(
        std::string_view(reinterpret_cast<const char*>(Literal(view.text(text))), view.text(text).bytes),
        literal);
  }
}

template <typename Interval>
const Interval& IntervalOf(const BigVector<Interval>& map, const auto& address) {
  return *std::prev(std::upper_bound(map.begin(), map.end(), address,
                                     [](const auto& a, const Interval& i) { return a < i.start; }));
}

TEST(ViewTest, EveryBorderOfIpv4MapsIsFound) {
  for (const char* sample : {"addresses4", "direct4", "sets4"}) {
    const compiler::ImageModel m = MakeSample(sample);
    const std::vector<uint8_t> image = SampleImage(sample);
    const View view = *Verify(image, VerifyLevel::kEverything);
    std::mt19937 random(1);
    const auto refs = Datasets(view.node(view.zones()[0].node));
    ASSERT_EQ(refs.size(), m.datasets.size());
    for (size_t i = 0; i < refs.size(); i++) {
      const auto& map = m.datasets[i]->map4;
      if (map.empty()) {
        EXPECT_EQ(refs[i].map4, 0u);
        continue;
      }
      const MapHeader& header = view.map(refs[i].map4);
      auto check = [&](net::Ip4 a) {
        const auto& expected = IntervalOf(map, a);
        ExpectSame(view, FindAddress(view, header, a).result, m.pool, expected.result);
      };
      for (const compiler::Interval4& interval : map)
        for (uint32_t delta : {~0u, 0u, 1u}) check(interval.start + delta);
      check(~0u);
      for (int n = 0; n < 1000; n++) check(random());
      // Whether ranges of all lengths are listed, against the list itself.
      for (int n = 0; n < 1000; n++) {
        const net::Ip4 first = random() % 4 == 0 ? map[random() % map.size()].start : random();
        const auto length = static_cast<net::Ip4>(random() >> (random() % 32));
        const net::Ip4 last = first + std::min(length, ~0u - first);
        bool listed = false;
        for (const auto* at = &IntervalOf(map, first); at != map.data() + map.size() && at->start <= last;
             at++)
          listed |= at->result != 0;
        ASSERT_EQ(AnyListed(view, header, first, last), listed)
            << sample << " " << i << " " << first << "-" << last;
      }
      if (HasFatalFailure()) return;
    }
  }
}

TEST(ViewTest, EveryBorderOfIpv6MapsIsFound) {
  const compiler::ImageModel m = MakeSample("addresses6");
  const std::vector<uint8_t> image = SampleImage("addresses6");
  const View view = *Verify(image, VerifyLevel::kEverything);
  std::mt19937_64 random(1);
  const auto refs = Datasets(view.node(view.zones()[0].node));
  for (size_t i = 0; i < refs.size(); i++) {
    const auto& map = m.datasets[i]->map6;
    const MapHeader& header = view.map(refs[i].map6);
    auto check = [&](const net::Ip6& a) {
      ExpectSame(view, FindAddress(view, header, a).result, m.pool, IntervalOf(map, a).result);
    };
    for (const compiler::Interval6& interval : map) {
      check(interval.start);
      check(interval.start.Next());
      check(interval.start.Previous());
    }
    check(net::kIp6Last);
    for (int n = 0; n < 1000; n++) {
      net::Ip6 first =
          n % 2 ? map[random() % map.size()].start : net::Ip6{random() >> (random() % 40), random()};
      net::Ip6 last{first.high + (random() >> (random() % 63 + 1)), random()};
      if (last < first) last = net::kIp6Last;
      bool listed = false;
      for (const auto* at = &IntervalOf(map, first); at != map.data() + map.size() && at->start <= last; at++)
        listed |= at->result != 0;
      ASSERT_EQ(AnyListed(view, header, first, last), listed) << i;
    }
    if (HasFatalFailure()) return;
  }
}

TEST(ViewTest, NamesAreFoundInTheirScopeOnly) {
  const std::vector<uint8_t> image = SampleImage("every-kind");
  const View view = *Verify(image, VerifyLevel::kEverything);
  auto find = [&](uint32_t scope, const std::string& text) {
    const std::string wire = Wire(text);
    const auto* p = reinterpret_cast<const uint8_t*>(wire.data());
    return view.FindName(scope, HashName(view.hash_seed(), scope, {p, wire.size()}), p, wire.size());
  };
  for (size_t i = 0; i < view.zones().size(); i++) EXPECT_EQ(view.name(view.zones()[i].name).a, i);
  ASSERT_NE(find(0, "bl.test"), nullptr);
  EXPECT_EQ(find(0, "test"), nullptr);
  EXPECT_EQ(find(0, "a.bl.test"), nullptr);
  const uint32_t scope = Datasets(view.node(view.zones()[0].node))[0].scope;
  ASSERT_NE(find(scope, "x.a.com"), nullptr);
  EXPECT_EQ(find(scope, "x.a.com")->a, 0u);
  EXPECT_EQ(find(scope + 1000, "x.a.com"), nullptr);
  EXPECT_EQ(find(0, "x.a.com"), nullptr);
  ASSERT_NE(find(scope, "er.than.this.org"), nullptr);
  EXPECT_EQ(find(scope, "er.than.this.org")->flags, kNameBelow);
}

}  // namespace
}  // namespace mz::image
