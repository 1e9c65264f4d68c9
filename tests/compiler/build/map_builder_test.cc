// Every kind of map against the interval list it was made of.
#include "compiler/build/map_builder.h"

#include <algorithm>

#include "tests/compiler/build/model_tools.h"

namespace mz::compiler {
namespace {

using testing::AddDataset;
using testing::AddZone;
using testing::OnlyDataset;
using testing::TestImage;

constexpr net::Ip4 kLast4 = ~0u;

// The oracle: a linear look at the list.
template <typename Interval, typename Address>
ResultId Oracle(const BigVector<Interval>& map, const Address& a) {
  ResultId result = 0;
  for (const Interval& i : map)
    if (i.start <= a) result = i.result;
  return result;
}

// `boundaries` become starts; results are drawn from `results` distinct ones and 0.
template <typename Interval, typename Address>
BigVector<Interval> MakeMap(std::vector<Address> boundaries, uint32_t results, std::mt19937* random, Pool* pool) {
  boundaries.push_back({});
  std::sort(boundaries.begin(), boundaries.end());
  boundaries.erase(std::unique(boundaries.begin(), boundaries.end()), boundaries.end());
  BigVector<Interval> map;
  for (const Address& start : boundaries) {
    ResultId r;
    do {
      uint32_t pick = (*random)() % (results + 1);
      ValueModel v;
      v.a[1] = static_cast<uint8_t>(pick >> 16);
      v.a[2] = static_cast<uint8_t>(pick >> 8);
      v.a[3] = static_cast<uint8_t>(pick);
      r = pick == 0 ? 0 : pool->InternResult({v});
    } while (!map.empty() && map.back().result == r);
    map.push_back({start, r});
  }
  return map;
}

// The A address of a result in the image, 0 for "not listed".
uint32_t Content(const image::View& view, uint32_t result) { return result == 0 ? 0 : LoadBe32(view.value(result).a); }
uint32_t Content(const Pool& pool, ResultId result) { return result == 0 ? 0 : LoadBe32(pool.result(result)[0].a); }

template <typename Address>
bool AnyListedOracle(const ImageModel& model, Address first, const Address& last) {
  auto result = [&](const Address& a) {
    if constexpr (std::is_same_v<Address, net::Ip4>) return Oracle(model.datasets[0]->map4, a);
    else return Oracle(model.datasets[0]->map6, a);
  };
  if (result(first) != 0 || result(last) != 0) return true;
  auto any_start = [&](const auto& map) {
    return std::any_of(map.begin(), map.end(),
                       [&](const auto& i) { return first < i.start && i.start <= last && i.result != 0; });
  };
  if constexpr (std::is_same_v<Address, net::Ip4>) return any_start(model.datasets[0]->map4);
  else return any_start(model.datasets[0]->map6);
}

net::Ip4 Next(net::Ip4 a) { return a + 1; }
net::Ip4 Previous(net::Ip4 a) { return a - 1; }
net::Ip6 Next(const net::Ip6& a) { return a.Next(); }
net::Ip6 Previous(const net::Ip6& a) { return a.Previous(); }

// Asks for every boundary and its neighbours, the ends of the address space and some ranges; walks the map.
template <typename Interval>
void CheckAgainst(const ImageModel& model, const BigVector<Interval>& map, const image::View& view, uint32_t offset,
                  std::mt19937* random) {
  using Address = decltype(Interval::start);
  const Address last = [] {
    if constexpr (std::is_same_v<Address, net::Ip4>) return kLast4;
    else return net::kIp6Last;
  }();
  if (std::all_of(map.begin(), map.end(), [](const Interval& i) { return i.result == 0; })) {
    EXPECT_EQ(offset, 0u);
    return;
  }
  ASSERT_NE(offset, 0u);
  const image::MapHeader& header = view.map(offset);
  auto check = [&](size_t index, const Address& a) {
    auto found = image::FindAddress(view, header, a);
    ASSERT_EQ(Content(view, found.result), Content(model.pool, map[index].result)) << net::ToString(a);
  };
  const size_t step = std::max<size_t>(1, map.size() / 5000);
  for (size_t i = 0; i < map.size(); i += step) {
    check(i, map[i].start);
    if (i > 0) check(i - 1, Previous(map[i].start));
    if (i + 1 == map.size() ? map[i].start != last : map[i + 1].start != Next(map[i].start)) check(i, Next(map[i].start));
  }
  check(map.size() - 1, last);

  std::vector<Address> ends{Address{}, last, Previous(last)};
  for (int i = 0; i < 20; i++) {
    Address start = map[(*random)() % map.size()].start;
    ends.insert(ends.end(), {start, Previous(start), Next(start)});
  }
  if (map.size() < 500)
    for (const Address& a : ends)
      for (const Address& b : ends)
        if (a <= b) {
          ASSERT_EQ(image::AnyListed(view, header, a, b), AnyListedOracle(model, a, b))
              << net::ToString(a) << " " << net::ToString(b);
        }

  size_t seen = 0;
  auto visit = [&](const Address& first, const Address& end, uint32_t result) {
    ASSERT_LT(seen, map.size());
    ASSERT_EQ(net::ToString(first), net::ToString(map[seen].start));
    ASSERT_EQ(Content(view, result), Content(model.pool, map[seen].result));
    ASSERT_EQ(net::ToString(end), net::ToString(seen + 1 == map.size() ? last : Previous(map[seen + 1].start)));
    seen++;
  };
  if constexpr (std::is_same_v<Address, net::Ip4>) image::ForEachInterval4(view, header, visit);
  else image::ForEachInterval6(view, header, visit);
  EXPECT_EQ(seen, map.size());
}

void Check4(std::vector<net::Ip4> boundaries, uint32_t results, uint8_t kind, uint8_t value_bytes, uint32_t seed = 1) {
  SCOPED_TRACE(std::to_string(boundaries.size()) + " boundaries, " + std::to_string(results) + " results");
  std::mt19937 random(seed);
  ImageModel model;
  DatasetModel* d = AddDataset(&model, image::kIp4Set, "ip4set:x");
  AddZone(&model, "bl.test", {0});
  d->map4 = MakeMap<Interval4>(std::move(boundaries), results, &random, &model.pool);
  auto image = testing::Write(model);
  ASSERT_NE(image, nullptr);
  uint32_t offset = OnlyDataset(image->view).map4;
  if (offset != 0) {
    EXPECT_EQ(image->view.map(offset).kind, kind);
    EXPECT_EQ(image->view.map(offset).value_bytes, value_bytes);
  }
  CheckAgainst(model, d->map4, image->view, offset, &random);
}

void Check6(std::vector<net::Ip6> boundaries, uint32_t results, uint8_t kind, uint8_t value_bytes, uint32_t seed = 1) {
  SCOPED_TRACE(std::to_string(boundaries.size()) + " boundaries, " + std::to_string(results) + " results");
  std::mt19937 random(seed);
  ImageModel model;
  DatasetModel* d = AddDataset(&model, image::kIp6Trie, "ip6trie:x");
  AddZone(&model, "bl.test", {0});
  d->map6 = MakeMap<Interval6>(std::move(boundaries), results, &random, &model.pool);
  auto image = testing::Write(model);
  ASSERT_NE(image, nullptr);
  uint32_t offset = OnlyDataset(image->view).map6;
  if (offset != 0) {
    EXPECT_EQ(image->view.map(offset).kind, kind);
    EXPECT_EQ(image->view.map(offset).value_bytes, value_bytes);
  }
  CheckAgainst(model, d->map6, image->view, offset, &random);
}

std::vector<net::Ip4> Random4(size_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<net::Ip4> out;
  for (size_t i = 0; i < count; i++) out.push_back(static_cast<net::Ip4>(random()));
  return out;
}

std::vector<net::Ip6> Random6(size_t count, bool high_only, uint32_t seed) {
  std::mt19937_64 random(seed);
  std::vector<net::Ip6> out;
  for (size_t i = 0; i < count; i++) out.push_back({random(), high_only ? 0 : random()});
  return out;
}

TEST(MapBuilderTest, NothingListedIsNoMap) {
  Check4({}, 0, 0, 0);
  ImageModel model;
  AddDataset(&model, image::kIp4Set, "ip4set:empty");
  AddZone(&model, "bl.test", {0});
  auto image = testing::Write(model);
  EXPECT_EQ(OnlyDataset(image->view).map4, 0u);
}

TEST(MapBuilderTest, EverythingListed) {
  ImageModel model;
  DatasetModel* d = AddDataset(&model, image::kIp4Trie, "ip4trie:all");
  d->map4 = {{0, testing::Result(&model.pool, 7)}};
  AddDataset(&model, image::kIp6Trie, "ip6trie:all")->map6 = {{{}, testing::Result(&model.pool, 7)}};
  AddZone(&model, "bl.test", {0});
  AddZone(&model, "b6.test", {1});
  auto image = testing::Write(model);
  for (net::Ip4 a : {0u, 1u, kLast4}) {
    uint32_t r = image::FindAddress(image->view, image->view.map(OnlyDataset(image->view).map4), a).result;
    ASSERT_NE(r, 0u);
    EXPECT_EQ(image->view.value(r).a[3], 7);
  }
  EXPECT_NE(image::FindAddress(image->view, image->view.map(OnlyDataset(image->view, 1).map6), net::kIp6Last).result, 0u);
}

TEST(MapBuilderTest, SmallTreesOfEverySize) {
  // Up to three levels of 15 keys, every count around the node borders.
  for (uint32_t n = 1; n <= 300; n++) Check4(Random4(n, n), 1, image::kMapTree4, 0, n);
}

TEST(MapBuilderTest, FirstAndLastAddresses) {
  for (std::vector<net::Ip4> b : std::vector<std::vector<net::Ip4>>{
           {kLast4}, {1}, {1, kLast4}, {kLast4 - 1, kLast4}, {1, 2, 3}, {0x80000000u}, {1, kLast4 - 1}})
    for (uint32_t seed = 0; seed < 20; seed++) Check4(b, 1, image::kMapTree4, 0, seed);
  const net::Ip6 last = net::kIp6Last;
  for (uint32_t seed = 0; seed < 20; seed++) {
    Check6({last}, 1, image::kMapTree6, 0, seed);
    Check6({{0, 1}, last.Previous(), last}, 1, image::kMapTree6, 0, seed);
    Check6({{~0ull, 0}}, 1, image::kMapTree6High, 0, seed);
    Check6({{1, 0}, {~0ull - 1, 0}, {~0ull, 0}}, 1, image::kMapTree6High, 0, seed);
    Check6({{1, 0}, {5, 0}}, 1, image::kMapTree6High, 0, seed);
    Check6({{1, 0}, {5, 1}}, 1, image::kMapTree6, 0, seed);
  }
}

TEST(MapBuilderTest, ValueWidths) {
  Check4(Random4(2000, 5), 2, image::kMapTree4, 1);
  Check4(Random4(20000, 6), 255, image::kMapTree4, 1);
  Check4(Random4(20000, 7), 300, image::kMapTree4, 2);
  Check6(Random6(2000, true, 5), 2, image::kMapTree6High, 1);
  Check6(Random6(5000, true, 6), 300, image::kMapTree6High, 2);
  Check6(Random6(2000, false, 5), 2, image::kMapTree6, 1);
  Check6(Random6(5000, false, 6), 300, image::kMapTree6, 2);
}

TEST(MapBuilderTest, ValueWidthsChangeExactlyAtTheirLimits) {
  for (auto [results, value_bytes] : {std::pair(2u, 0), {3u, 1}, {256u, 1}, {257u, 2}, {65536u, 2}, {65537u, 4}}) {
    SCOPED_TRACE(results);
    ImageModel model;
    DatasetModel* d = AddDataset(&model, image::kIp6Trie, "ip6trie:x");
    AddZone(&model, "bl.test", {0});
    d->map6.push_back({{}, 0});
    for (uint64_t i = 1; i <= results; i++) {
      ValueModel v;
      for (int k = 0; k < 3; k++) v.a[k + 1] = static_cast<uint8_t>(i >> (8 * k));
      d->map6.push_back({{i, 0}, model.pool.InternResult({v})});
    }
    d->map6.push_back({{results + 1, 0}, d->map6[1].result});
    auto image = testing::Write(model);
    ASSERT_NE(image, nullptr);
    const uint32_t offset = OnlyDataset(image->view).map6;
    EXPECT_EQ(image->view.map(offset).value_bytes, value_bytes);
    std::mt19937 random(1);
    CheckAgainst(model, d->map6, image->view, offset, &random);
  }
}

TEST(MapBuilderTest, Ipv6TreesOfEverySize) {
  for (uint32_t n = 1; n <= 130; n++) {
    Check6(Random6(n, true, n), 1, image::kMapTree6High, 0, n);
    Check6(Random6(n, false, n), 1, image::kMapTree6, 0, n);
  }
}

TEST(MapBuilderTest, DirectTables) {
  Check4(Random4(70000, 8), 1, image::kMapDirect4, 0);
  Check4(Random4(70000, 9), 200, image::kMapDirect4, 1);
  Check4(Random4(70000, 10), 1000, image::kMapDirect4, 2);
  // Dense at both ends, with whole upper halves without a boundary, and others that begin with one.
  std::vector<net::Ip4> b;
  for (uint32_t i = 1; i <= 40000; i++) b.insert(b.end(), {i, kLast4 - i + 1});
  for (uint32_t high = 300; high < 60000; high += 7) b.push_back(high << 16);
  Check4(b, 1, image::kMapDirect4, 0);
  Check4(b, 20, image::kMapDirect4, 1);
}

TEST(MapBuilderTest, MoreThan65536Results) {
  Check4(Random4(60000 * 3, 11), 90000, image::kMapDirect4, 4);
  Check6(Random6(60000 * 3, true, 12), 90000, image::kMapTree6High, 4);
  Check6(Random6(60000 * 3, false, 13), 90000, image::kMapTree6, 4);
}

// All kinds of IPv4 map answer alike, on all interval lists over a small universe: every subset of eight boundaries.
TEST(MapBuilderTest, TreeAndDirectAgreeExhaustively) {
  const net::Ip4 places[] = {1, 0xffff, 0x10000, 0x10001, 0x7fffffff, 0xffff0000, 0xfffffffe, kLast4};
  for (uint32_t subset = 0; subset < 256; subset++) {
    for (bool listed_first : {false, true}) {
      Pool pool;
      ResultId one = testing::Result(&pool, 9);
      BigVector<Interval4> map{{0, listed_first ? one : 0}};
      for (int i = 0; i < 8; i++)
        if (subset >> i & 1) map.push_back({places[i], map.back().result == 0 ? one : 0});
      ValueEncoder values(pool);
      MapBuilder trees(&values), tables(&values, 0);
      StatusOr<uint32_t> tree = trees.Add(std::span<const Interval4>(map));
      StatusOr<uint32_t> table = tables.Add(std::span<const Interval4>(map));
      ASSERT_TRUE(tree.ok() && table.ok());
      ASSERT_EQ(*tree == 0, *table == 0);
      if (*tree == 0) continue;
      // Views need whole images; the maps are read through one header page that points at them.
      auto view_of = [](const Bytes& maps, Bytes* bytes) {
        image::Header h{};
        h.sections[image::kMaps].offset = sizeof h;
        h.sections[image::kMaps].size = maps.size();
        bytes->resize(sizeof h + maps.size());
        std::memcpy(bytes->data(), &h, sizeof h);
        std::memcpy(bytes->data() + sizeof h, maps.data(), maps.size());
        return image::View(*bytes);
      };
      Bytes tree_bytes, table_bytes;
      image::View tree_view = view_of(trees.TakeMaps(), &tree_bytes);
      image::View table_view = view_of(tables.TakeMaps(), &table_bytes);
      ASSERT_EQ(table_view.map(*table).kind, image::kMapDirect4);
      std::vector<net::Ip4> questions{0, 2, 0x20000, 0x80000000u, 0xfffffff0u};
      for (net::Ip4 p : places) questions.insert(questions.end(), {p - 1, p, p + 1});
      for (net::Ip4 a : questions) {
        bool listed = Oracle(map, a) != 0;
        ASSERT_EQ(image::FindAddress(tree_view, tree_view.map(*tree), a).result != 0, listed) << subset << " " << a;
        ASSERT_EQ(image::FindAddress(table_view, table_view.map(*table), a).result != 0, listed) << subset << " " << a;
        for (net::Ip4 b : questions) {
          // Long ranges cost a direct table many steps: only some of them.
          if (b < a || (b - a > 0x2000000 && subset % 16 != 9)) continue;
          bool any = std::any_of(map.begin(), map.end(), [&](const Interval4& i) {
                       return a < i.start && i.start <= b && i.result != 0;
                     }) || listed;
          ASSERT_EQ(image::AnyListed(tree_view, tree_view.map(*tree), a, b), any) << subset << " " << a << "-" << b;
          ASSERT_EQ(image::AnyListed(table_view, table_view.map(*table), a, b), any) << subset << " " << a << "-" << b;
        }
      }
    }
  }
}

TEST(MapBuilderTest, EqualMapsAreStoredOnce) {
  ImageModel model;
  ResultId r = testing::Result(&model.pool, 2);
  for (int i = 0; i < 3; i++)
    AddDataset(&model, image::kIp4Set, "ip4set:" + std::to_string(i))->map4 = {{0, 0}, {10, r}, {i == 2 ? 21u : 20u, 0}};
  for (uint32_t i = 0; i < 3; i++) AddZone(&model, "z" + std::to_string(i) + ".test", {i});
  auto image = testing::Write(model);
  EXPECT_EQ(OnlyDataset(image->view, 0).map4, OnlyDataset(image->view, 1).map4);
  EXPECT_NE(OnlyDataset(image->view, 0).map4, OnlyDataset(image->view, 2).map4);
}

TEST(MapBuilderTest, RefusesBrokenLists) {
  ImageModel model;
  ResultId r = testing::Result(&model.pool, 2);
  DatasetModel* d = AddDataset(&model, image::kIp4Set, "ip4set:x");
  AddZone(&model, "bl.test", {0});
  std::vector<uint8_t> out;
  for (BigVector<Interval4> map : std::vector<BigVector<Interval4>>{
           {{1, r}}, {{0, 0}, {5, r}, {5, 0}}, {{0, 0}, {6, r}, {5, 0}}, {{0, r}, {5, r}}, {{0, 77}}, {{0, 0}, {3, 77}}}) {
    d->map4 = map;
    EXPECT_EQ(WriteImage(model, {}, &out).status().code(), StatusCode::kInternal);
  }
}

}  // namespace
}  // namespace mz::compiler
