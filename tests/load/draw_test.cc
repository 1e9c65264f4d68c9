#include "load/draw.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "format/dns/message.h"
#include "format/dns/name.h"
#include "tests/server/answer/varied_image.h"

namespace mz::load {
namespace {

// Without the 400 small zones, which would leave little for the interesting ones, and without access lists.
answer::TestImage& Varied() {
  static answer::TestImage* image = new answer::TestImage(answer::MakeVariedImage(0, 0));
  return *image;
}

std::vector<Question> Draw(const DrawSettings& settings, int count, Drawer::Counts* counts = nullptr) {
  auto drawer = Drawer::Make(Varied().view(), settings);
  EXPECT_TRUE(drawer.ok());
  std::vector<Question> out;
  for (int i = 0; i < count; i++) out.push_back((*drawer)->Next());
  if (counts != nullptr) *counts = (*drawer)->counts();
  return out;
}

std::string Key(const Question& q) { return dns::NameText(q.name) + " " + std::to_string(q.type); }

TEST(DrawTest, TheSeedDecides) {
  const auto a = Draw({.seed = 4}, 2000), b = Draw({.seed = 4}, 2000), c = Draw({.seed = 5}, 2000);
  int same = 0;
  for (size_t i = 0; i < a.size(); i++) {
    ASSERT_EQ(Key(a[i]), Key(b[i]));
    same += Key(a[i]) == Key(c[i]);
  }
  EXPECT_LT(same, 400);
}

TEST(DrawTest, SharesAreAsAskedFor) {
  for (const double hits : {0.0, 0.3, 1.0}) {
    Drawer::Counts c;
    Draw({.hits = hits, .unknown = 0, .seed = 2}, 20'000, &c);
    // 1/128 asks for zone apexes, which are hits.
    EXPECT_NEAR(static_cast<double>(c.hits) / 20'000, hits + (1 - hits) / 128, 0.015) << hits;
    EXPECT_EQ(c.hits + c.misses + c.unknown, 20'000u);
    EXPECT_EQ(c.ip4 + c.ip6 + c.names, 20'000u);
  }
  Drawer::Counts c;
  Draw({.unknown = 0.25, .seed = 2}, 20'000, &c);
  EXPECT_NEAR(static_cast<double>(c.unknown) / 20'000, 0.25, 0.015);
}

TEST(DrawTest, NamesAreNames) {
  std::set<uint16_t> types;
  for (const Question& q : Draw({.ip6 = 0.4, .unknown = 0.1}, 20'000)) {
    ASSERT_LT(q.name.size(), 255u);
    const auto again = dns::ParseName(dns::NameText(q.name));
    ASSERT_TRUE(again.ok());
    ASSERT_EQ(*again, q.name);
    types.insert(q.type);
  }
  for (const uint16_t type : {dns::kTypeA, dns::kTypeTxt, dns::kTypeSoa, dns::kTypeNs, dns::kTypeMx})
    EXPECT_TRUE(types.contains(type)) << type;
}

// What the drawer calls a hit is one to the server: asked as ANY, most hits have an answer, and of the misses
// few do (SPF answers those too).
TEST(DrawTest, HitsAreHitsToTheServer) {
  auto share = [](double hits) {
    int answered = 0, asked = 0;
    auto drawer = Drawer::Make(Varied().view(), {.hits = hits, .unknown = 0, .seed = 8});
    for (int i = 0; i < 4000; i++) {
      const Question q = (*drawer)->Next();
      const std::string text = dns::NameText(q.name);
      if (text.ends_with("spf.test") || text.ends_with("more.spf") || text.ends_with("down.test")) continue;
      if (q.type == dns::kTypeSoa || q.type == dns::kTypeNs) continue;
      asked++;
      answered += !Varied().Ask(text, "ANY", {.client = "198.51.100.1", .tcp = true}).answer().empty();
    }
    return static_cast<double>(answered) / asked;
  };
  EXPECT_GT(share(1), 0.98);
  EXPECT_LT(share(0), 0.05);
}

TEST(DrawTest, ZipfPrefersFewUnits) {
  auto most = [](double zipf) {
    std::map<std::string, int> by_suffix;
    int top = 0;
    for (const Question& q : Draw({.unknown = 0, .zipf = zipf}, 10'000)) {
      const std::string text = dns::NameText(q.name);
      size_t at = text.size();
      for (int dots = 0; dots < 3 && at != std::string::npos && at > 0; dots++) at = text.rfind('.', at - 1);
      top = std::max(top, ++by_suffix[at == std::string::npos ? text : text.substr(at)]);
    }
    return top;
  };
  EXPECT_GT(most(1.5), 3 * most(0));
}

}  // namespace
}  // namespace mz::load
