// Maps of shared sets against the interval lists that they were made of.
#include "compiler/build/shared_sets.h"

#include <algorithm>
#include <map>

#include "compiler/build/adopt.h"
#include "format/image/cursor.h"
#include "tests/compiler/build/model_tools.h"

namespace mz::compiler {
namespace {

using testing::AddDataset;
using testing::AddZone;
using testing::TestImage;

using Ranges = std::vector<net::Range4>;
using List = BigVector<Interval4>;

// Intervals under construction: later paint covers earlier paint.
class Canvas {
 public:
  explicit Canvas(ResultId rest) : starts_{{0, rest}} {}
  void Paint(const net::Range4& range, ResultId result) {
    const uint64_t end = uint64_t{range.last} + 1;
    const ResultId behind = std::prev(starts_.upper_bound(end))->second;
    starts_.erase(starts_.lower_bound(range.first), starts_.lower_bound(end));
    starts_[range.first] = result;
    if (end < uint64_t{1} << 32) starts_[end] = behind;
  }
  void Paint(const Ranges& ranges, ResultId result) {
    for (const net::Range4& range : ranges) Paint(range, result);
  }
  List Take() const {
    List out;
    for (const auto& [start, result] : starts_)
      if (out.empty() || out.back().result != result) out.push_back({static_cast<net::Ip4>(start), result});
    return out;
  }

 private:
  std::map<uint64_t, ResultId> starts_;
};

ResultId At(const List& list, net::Ip4 a) {
  return std::prev(std::upper_bound(list.begin(), list.end(), a, [](net::Ip4 x, const Interval4& i) {
           return x < i.start;
         }))->result;
}
bool Any(const List& list, net::Ip4 first, net::Ip4 last) {
  if (At(list, first) != 0) return true;
  return std::any_of(list.begin(), list.end(),
                     [&](const Interval4& i) { return first < i.start && i.start <= last && i.result != 0; });
}
uint32_t Content(const image::View& view, uint32_t result) { return result == 0 ? 0 : LoadBe32(view.value(result).a); }
uint32_t Content(const Pool& pool, ResultId result) { return result == 0 ? 0 : LoadBe32(pool.result(result)[0].a); }

class World {
 public:
  explicit World(uint32_t seed = 1) : random_(seed) {}

  ResultId Result(uint32_t n) {
    ValueModel v;
    v.a[2] = static_cast<uint8_t>(n >> 8);
    v.a[3] = static_cast<uint8_t>(n);
    return model_.pool.InternResult({v});
  }
  // Prefixes between /16 and /32; `narrow`: in a small part of the space, where they overlap and touch.
  Ranges Provider(size_t count, bool narrow = false) {
    Ranges out;
    for (size_t i = 0; i < count; i++) {
      const net::Ip4 at = narrow ? 0x0a000000 + Random(1 << 14) : static_cast<net::Ip4>(random_());
      out.push_back(net::PrefixRange4(at, narrow ? 24 + static_cast<int>(Random(9)) : 16 + static_cast<int>(Random(17))));
    }
    return out;
  }
  uint32_t Random(uint32_t below) { return static_cast<uint32_t>(random_() % below); }

  void Add(List list) {
    DatasetModel* d = AddDataset(&model_, image::kIp4Set, "ip4set:" + std::to_string(model_.datasets.size()));
    d->map4 = std::move(list);
  }

  // Writes the image and compares every map with its list.
  std::unique_ptr<TestImage> Check(SharedSetPolicy policy) {
    std::vector<uint32_t> all;
    for (uint32_t i = 0; i < model_.datasets.size(); i++) all.push_back(i);
    if (model_.zones.empty()) AddZone(&model_, "bl.test", all);
    WriteOptions options;
    options.shared_sets = policy;
    auto image = testing::Write(model_, options);
    if (image == nullptr) return nullptr;
    set_maps_ = 0;
    for (const image::DatasetRef& ref : image::Datasets(image->view.node(image->view.zones()[0].node)))
      CheckMap(image->view, ref.map4, model_.datasets[ref.meta]->map4);
    return image;
  }

  uint32_t set_maps() const { return set_maps_; }
  ImageModel& model() { return model_; }

 private:
  void CheckMap(const image::View& view, uint32_t offset, const List& list) {
    if (offset == 0) {
      EXPECT_FALSE(Any(list, 0, ~0u));
      return;
    }
    const image::MapHeader& map = view.map(offset);
    set_maps_ += map.kind == image::kMapSets4;
    for (const Interval4& i : list)
      for (const net::Ip4 a : {i.start - 1, i.start, i.start + 1})
        ASSERT_EQ(Content(view, image::FindAddress(view, map, a).result), Content(model_.pool, At(list, a)))
            << net::ToString(a);
    for (int n = 0; n < 200; n++) {
      const net::Ip4 near = list[Random(static_cast<uint32_t>(list.size()))].start - Random(2);
      const net::Ip4 start = n % 2 == 0 ? near : static_cast<net::Ip4>(random_());
      const net::Ip4 last = start + std::min(static_cast<net::Ip4>(random_() >> Random(32)), ~0u - start);
      ASSERT_EQ(image::AnyListed(view, map, start, last), Any(list, start, last))
          << net::ToString(start) << " " << net::ToString(last);
    }
    image::MapCursor<net::Ip4> cursor(view, offset);
    size_t at = 0;
    image::ForEachInterval4(view, map, [&](net::Ip4 first, net::Ip4 last, uint32_t result) {
      ASSERT_LT(at, list.size());
      ASSERT_EQ(first, list[at].start);
      ASSERT_EQ(last, at + 1 < list.size() ? list[at + 1].start - 1 : ~0u);
      ASSERT_EQ(Content(view, result), Content(model_.pool, list[at].result));
      ASSERT_TRUE(cursor.Next());
      ASSERT_EQ(cursor.first(), first);
      ASSERT_EQ(cursor.last(), last);
      ASSERT_EQ(cursor.result(), result);
      at++;
    });
    ASSERT_EQ(at, list.size());
    ASSERT_FALSE(cursor.Next());
  }

  std::mt19937_64 random_;
  ImageModel model_;
  uint32_t set_maps_ = 0;
};

// Everything at once: providers that overlap or touch, several results, own addresses, defaults, exclusions.
TEST(SharedSetsTest, RandomModels) {
  uint32_t set_maps = 0;
  for (uint32_t seed = 1; seed <= 60; seed++) {
    SCOPED_TRACE(seed);
    World w(seed);
    const bool narrow = seed % 2 == 0;
    std::vector<Ranges> providers;
    for (uint32_t i = 0; i < 2 + w.Random(12); i++) providers.push_back(w.Provider(1 + w.Random(20), narrow));
    const uint32_t maps = 2 + w.Random(40);
    for (uint32_t m = 0; m < maps; m++) {
      const uint32_t kind = w.Random(4);
      Canvas canvas(kind < 2 ? 0 : w.Result(9));
      const uint32_t takes = w.Random(8);
      for (uint32_t i = 0; i < takes; i++)
        canvas.Paint(providers[w.Random(static_cast<uint32_t>(providers.size()))], w.Result(1 + w.Random(4) / 3));
      const uint32_t own = w.Random(10) == 0 ? 60 : w.Random(6);
      if (w.Random(2) == 0) canvas.Paint(w.Provider(own, narrow), w.Result(w.Random(10)));
      if (kind % 2 == 1) canvas.Paint(w.Provider(1 + w.Random(4), narrow), 0);
      if (w.Random(8) == 0) canvas.Paint(net::Range4{0, 5}, w.Result(3));
      if (w.Random(8) == 0) canvas.Paint(net::Range4{~0u - 5, ~0u}, w.Result(3));
      w.Add(canvas.Take());
    }
    w.Check(SharedSetPolicy::kAlways);
    set_maps += w.set_maps();
    if (seed % 8 == 0) w.Check(SharedSetPolicy::kWhenSmaller);
  }
  EXPECT_GT(set_maps, 300u);
}

// Subzones as expurgate writes them.
TEST(SharedSetsTest, ManySubzonesOfFewProviders) {
  World w;
  std::vector<Ranges> providers;
  for (int i = 0; i < 20; i++) providers.push_back(w.Provider(75));
  for (int m = 0; m < 2000; m++) {
    Canvas canvas(w.Result(99));
    for (int i = 0; i < 4; i++) canvas.Paint(providers[w.Random(20)], w.Result(3));
    canvas.Paint(w.Provider(5), w.Result(3));
    w.Add(canvas.Take());
  }
  auto sets = w.Check(SharedSetPolicy::kWhenSmaller);
  ASSERT_NE(sets, nullptr);
  EXPECT_EQ(w.set_maps(), 2000u);
  auto trees = w.Check(SharedSetPolicy::kNever);
  ASSERT_NE(trees, nullptr);
  EXPECT_EQ(w.set_maps(), 0u);
  EXPECT_LT(sets->view.section(image::kMaps).size() * 5, trees->view.section(image::kMaps).size());
  EXPECT_GT(sets->result.addresses_intervals, trees->result.addresses_intervals);  // the class map's besides
}

// Nothing in common, or too little: the image is the one without shared sets.
TEST(SharedSetsTest, ListsOfTheirOwnStayTrees) {
  for (const bool few : {false, true}) {
    World w;
    const Ranges provider = w.Provider(40);
    for (int m = 0; m < (few ? 4 : 50); m++) {
      Canvas canvas(0);
      canvas.Paint(few ? provider : w.Provider(100), w.Result(1));
      canvas.Paint(w.Provider(3), w.Result(2));
      w.Add(canvas.Take());
    }
    auto image = w.Check(SharedSetPolicy::kWhenSmaller);
    auto without = w.Check(SharedSetPolicy::kNever);
    ASSERT_TRUE(image != nullptr && without != nullptr);
    EXPECT_TRUE(image->bytes == without->bytes);
  }
}

// More sets, prefixes and results than a map of shared sets can have.
TEST(SharedSetsTest, Limits) {
  World w;
  std::vector<Ranges> providers;
  for (net::Ip4 i = 0; i < 100; i++) {
    Ranges ranges;
    for (net::Ip4 k = 0; k < 3 + i % 5; k++) ranges.push_back(net::PrefixRange4((i + 1) << 24 | k << 12, 22));
    providers.push_back(ranges);
  }
  // So that no two of them are in the same maps.
  for (int m = 0; m < 200; m++) {
    Canvas canvas(0);
    for (int i = 0; i < 100; i++)
      if (w.Random(3) == 0) canvas.Paint(providers[static_cast<size_t>(i)], w.Result(1));
    w.Add(canvas.Take());
  }
  Canvas all(0), results(0), own(w.Result(7)), excluding(w.Result(7)), ends(0);
  for (uint32_t i = 0; i < 100; i++) {
    all.Paint(providers[i], w.Result(1));
    results.Paint(providers[i], w.Result(1000 + 20 * i));
    own.Paint(providers[i], w.Result(1));
    excluding.Paint(providers[i], w.Result(1));
  }
  for (net::Ip4 i = 0; i < 300; i++) {
    results.Paint(net::Range4{0xc0000000 + 4 * i, 0xc0000001 + 4 * i}, w.Result(5000 + i));
    own.Paint(net::Range4{0xc0000000 + 4 * i, 0xc0000001 + 4 * i}, w.Result(8));
    excluding.Paint(net::Range4{0xc0000000 + 4 * i, 0xc0000001 + 4 * i}, 0);
  }
  own.Paint(net::Range4{0, 1}, w.Result(8));
  own.Paint(net::Range4{2, 2}, w.Result(9));
  own.Paint(net::Range4{~0u, ~0u}, w.Result(9));
  ends.Paint(providers[0], w.Result(1));
  ends.Paint(net::Range4{0, 0}, w.Result(2));
  ends.Paint(net::Range4{~0u, ~0u}, w.Result(2));
  for (const Canvas& c : {all, results, own, excluding, ends}) w.Add(c.Take());
  auto image = w.Check(SharedSetPolicy::kAlways);
  ASSERT_NE(image, nullptr);
  auto refs = image::Datasets(image->view.node(image->view.zones()[0].node));
  auto kind = [&](size_t i) { return image->view.map(refs[i].map4).kind; };
  auto sets = [&](size_t i) -> const image::SetMap4& { return image::AsSetMap(image->view.map(refs[i].map4)); };
  ASSERT_EQ(kind(200), image::kMapSets4);
  EXPECT_EQ(sets(200).set_blocks, image::kMaxSetBlocks);
  EXPECT_EQ(sets(200).own_count, image::kOwnMap);  // the sets that found no room
  EXPECT_EQ(sets(201).own_count, image::kOwnMap);
  EXPECT_EQ(kind(202), image::kMapSets4);
  EXPECT_EQ(sets(202).own_count, image::kOwnMap);
  EXPECT_EQ(kind(203), image::kMapTree4);  // an own map cannot exclude
  EXPECT_EQ(kind(204), image::kMapSets4);
}

// An address in more sets than a class may have.
TEST(SharedSetsTest, DeepOverlap) {
  World w;
  for (net::Ip4 i = 0; i < 300; i++) {
    Canvas canvas(0);
    const net::Ip4 width = 16 * (i / 2 + 1);  // pairs, so that each is shared
    for (net::Ip4 at = 0x0a000000; at < 0x0a400000; at += 0x100000)
      canvas.Paint(net::Range4{at - width, at + width}, w.Result(1));
    canvas.Paint(net::Range4{i, i}, w.Result(2));
    w.Add(canvas.Take());
  }
  w.Check(SharedSetPolicy::kAlways);
  EXPECT_GT(w.set_maps(), 0u);
  EXPECT_LT(w.set_maps(), 300u);
}

TEST(SharedSetsTest, LargeMapsAreLeftAlone) {
  World w;
  const Ranges provider = w.Provider(50);
  for (int m = 0; m < 3; m++) {
    Canvas canvas(0);
    canvas.Paint(provider, w.Result(1));
    if (m == 0)
      for (net::Ip4 i = 1; i < 40000; i++) canvas.Paint(net::Range4{i * 90001, i * 90001}, w.Result(1));
    w.Add(canvas.Take());
  }
  auto image = w.Check(SharedSetPolicy::kAlways);
  ASSERT_NE(image, nullptr);
  auto refs = image::Datasets(image->view.node(image->view.zones()[0].node));
  EXPECT_EQ(image->view.map(refs[0].map4).kind, image::kMapDirect4);
}

// Taken over from an image: the same lists, and with them the same image.
TEST(SharedSetsTest, AdoptedMapsGiveTheSameImage) {
  World w(5);
  std::vector<Ranges> providers;
  for (int i = 0; i < 6; i++) providers.push_back(w.Provider(30));
  for (int m = 0; m < 40; m++) {
    Canvas canvas(m % 3 == 0 ? w.Result(9) : 0);
    for (int i = 0; i < 3; i++) canvas.Paint(providers[w.Random(6)], w.Result(1 + w.Random(2)));
    canvas.Paint(w.Provider(m % 7 == 0 ? 70 : 3), w.Result(3));
    w.Add(canvas.Take());
  }
  auto image = w.Check(SharedSetPolicy::kAlways);
  ASSERT_NE(image, nullptr);
  ASSERT_GT(w.set_maps(), 10u);
  Adopter previous(image->view);
  ImageModel again;
  for (const auto& d : w.model().datasets) {
    auto adopted = previous.Adopt(previous.Find(d->spec), &again.pool);
    ASSERT_TRUE(adopted.ok()) << adopted.status().ToString();
    again.datasets.push_back(*std::move(adopted));
  }
  again.zones = w.model().zones;
  WriteOptions options;
  options.shared_sets = SharedSetPolicy::kAlways;
  auto copy = testing::Write(again, options);
  ASSERT_NE(copy, nullptr);
  EXPECT_TRUE(copy->bytes == image->bytes);
}

// A list that breaks the rules is refused as ever.
TEST(SharedSetsTest, BrokenListsAreErrors) {
  World w;
  const ResultId r = w.Result(1);
  for (const List& broken : {List{{0, 0}, {9, r}, {5, 0}}, List{{3, r}}, List{{0, 0}, {4, r}, {5, r}},
                             List{{0, 0}, {4, 999}, {5, 0}}}) {
    ImageModel model;
    model.pool = w.model().pool;
    for (int i = 0; i < 4; i++) {
      AddDataset(&model, image::kIp4Set, std::to_string(i))->map4 =
          i == 1 ? broken : List{{0, 0}, {4, r}, {5, 0}, {10u + static_cast<net::Ip4>(i), r}};
    }
    AddZone(&model, "bl.test", {0, 1, 2, 3});
    WriteOptions options;
    options.shared_sets = SharedSetPolicy::kAlways;
    std::vector<uint8_t> out;
    EXPECT_EQ(WriteImage(model, options, &out).status().code(), StatusCode::kInternal);
  }
}

}  // namespace
}  // namespace mz::compiler
