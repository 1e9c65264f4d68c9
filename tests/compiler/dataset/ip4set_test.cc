// ip4set: pieces, exclusions, several values, and an oracle of pieces for random files.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "compiler/dataset/ip4set_map.h"
#include "tests/compiler/dataset/probe.h"

namespace mz::compiler {
namespace {

using test::Compiled;

TEST(Ip4SetTest, FinestPieceWithAnyEntryAnswers) {
  Compiled c(image::kIp4Set, "1.0.0.0/24 net\n1.0.0.0/25 half\n2.0.0.0/15 fifteen\n2.0.0.0/16 sixteen\n2.0.0.1 host\n");
  EXPECT_EQ(c.Ip4("1.0.0.1"), "127.0.0.2 \"half\"");
  EXPECT_EQ(c.Ip4("1.0.0.200"), "127.0.0.2 \"net\"");
  EXPECT_EQ(c.Ip4("2.0.9.9"), "127.0.0.2 \"fifteen\" 127.0.0.2 \"sixteen\"");
  EXPECT_EQ(c.Ip4("2.1.9.9"), "127.0.0.2 \"fifteen\"");
  EXPECT_EQ(c.Ip4("2.0.0.1"), "127.0.0.2 \"host\"");
  EXPECT_EQ(c.Ip4("2.2.0.0"), "-");
  EXPECT_EQ(c.model->counts, "e32/24/16/8=129/1/3/0");
}

TEST(Ip4SetTest, ExclusionWinsOnItsPieceAndHidesLargerOnes) {
  Compiled c(image::kIp4Set,
             "!1.0.0.64/26\n1.0.0.70 x\n1.0.0.0/24 net\n!4.0.0.0/24\n4.0.0.1 x\n4.0.0.0/16 sixteen\n!5.0.0.0/8\n5.0.0.0/8\n");
  EXPECT_EQ(c.Ip4("1.0.0.70"), "-");
  EXPECT_EQ(c.Ip4("1.0.0.65"), "-");
  EXPECT_EQ(c.Ip4("1.0.0.1"), "127.0.0.2 \"net\"");
  EXPECT_EQ(c.Ip4("4.0.0.1"), "127.0.0.2 \"x\"");
  EXPECT_EQ(c.Ip4("4.0.0.2"), "-");
  EXPECT_EQ(c.Ip4("4.0.1.2"), "127.0.0.2 \"sixteen\"");
  EXPECT_EQ(c.Ip4("5.1.1.1"), "-");
}

TEST(Ip4SetTest, SeveralValuesComeInTheOrderTheyWereStored) {
  Compiled c(image::kIp4Set, "1.0.0.1 :5:x\n1.0.0.2 :6:y\n1.0.0.2 :5:x\n1.0.0.2 :7:z\n1.0.0.2 :6:y\n1.0.0.2\n");
  EXPECT_EQ(c.Ip4("1.0.0.2"), "127.0.0.2 127.0.0.6 \"y\" 127.0.0.5 \"x\" 127.0.0.7 \"z\"");
  EXPECT_EQ(c.model->counts, "e32/24/16/8=6/0/0/0");
  Compiled d(image::kIp4Set, ":5:x\n9.9.9.9\n1.0.0.1 :6:y\n1.0.0.1\n1.0.0.1 :6:y\n");
  EXPECT_EQ(d.Ip4("1.0.0.1"), "127.0.0.5 \"x\" 127.0.0.6 \"y\"") << "a default counts from its line";
  EXPECT_EQ(d.model->counts, "e32/24/16/8=3/0/0/0");
}

TEST(Ip4SetTest, CoversTheWholeAddressSpace) {
  Compiled c(image::kIp4Set, "0.0.0.0-255.255.255.255 all\n!255.255.255.255\n0.0.0.0 first\n");
  EXPECT_EQ(c.Ip4("0.0.0.0"), "127.0.0.2 \"first\"");
  EXPECT_EQ(c.Ip4("0.0.0.1"), "127.0.0.2 \"all\"");
  EXPECT_EQ(c.Ip4("255.255.255.254"), "127.0.0.2 \"all\"");
  EXPECT_EQ(c.Ip4("255.255.255.255"), "-");
  EXPECT_EQ(c.model->counts, "e32/24/16/8=2/0/0/256");
}

TEST(Ip4SetTest, EmptyFilesListNothing) {
  Compiled c(image::kIp4Set, "");
  ASSERT_TRUE(c.ok());
  EXPECT_TRUE(c.model->map4.empty());
  EXPECT_EQ(c.model->counts, "e32/24/16/8=0/0/0/0");
  EXPECT_TRUE(Compiled(image::kIp4Set, "!1.0.0.1\n").model->map4.empty());
}

// The rule, piece by piece: what rbldnsd stores and how it looks it up.
class PieceOracle {
 public:
  void Add(net::Ip4 first, net::Ip4 last, uint32_t code, bool exclusion) {
    for (uint64_t at = first; at <= last;) {
      int size = 0;
      while (size < 3 && at % (uint64_t{1} << (8 * (size + 1))) == 0 && at + (uint64_t{1} << (8 * (size + 1))) - 1 <= last)
        ++size;
      auto& piece = pieces_[size][at >> (8 * size)];
      exclusion ? void(piece.excluded = true) : void(piece.codes.insert(code));
      at += uint64_t{1} << (8 * size);
    }
  }
  std::vector<uint32_t> Ask(net::Ip4 address) const {
    for (int size = 0; size < 4; ++size) {
      auto it = pieces_[size].find(address >> (8 * size));
      if (it == pieces_[size].end()) continue;
      if (it->second.excluded) return {};
      return {it->second.codes.begin(), it->second.codes.end()};
    }
    return {};
  }
  uint64_t Count(int size) const {
    uint64_t n = 0;
    for (const auto& [key, piece] : pieces_[size]) n += piece.excluded ? 1 : piece.codes.size();
    return n;
  }

 private:
  struct Piece {
    bool excluded = false;
    std::set<uint32_t> codes;
  };
  std::map<uint64_t, Piece> pieces_[4];
};

TEST(Ip4SetTest, AgreesWithThePieceOracleOnRandomEntries) {
  std::mt19937 random(1);
  ValueTable table;
  for (int i = 0; i < 6; ++i) {
    uint8_t a[4] = {127, 0, 0, static_cast<uint8_t>(10 + i)};
    table.Store(a, "");
  }
  for (int round = 0; round < 400; ++round) {
    // Few distinct octets, so that everything overlaps.
    auto octet = [&] { constexpr uint8_t k[] = {0, 0, 1, 2, 254, 255, 255}; return uint32_t{k[random() % 7]}; };
    auto address = [&] { return octet() << 24 | octet() << 16 | octet() << 8 | octet(); };
    PieceOracle oracle;
    Ip4SetMap map(round % 3 == 0 ? 1 : Ip4SetMap::kManyEntries);  // also in partitions
    std::vector<net::Ip4> borders = {0, ~0u};
    int entries = static_cast<int>(random() % 24);
    for (int i = 0; i < entries; ++i) {
      net::Ip4 first = address(), last = first;
      if (random() % 2) {
        int bits = static_cast<int>(8 + random() % 25);
        net::Range4 range = net::PrefixRange4(first, bits);
        first = range.first, last = range.last;
      } else if (random() % 3 == 0) {
        last = (first & ~0xffffu) | (address() & 0xffff);
        if (last < first) std::swap(first, last);
      }
      bool exclusion = random() % 5 == 0;
      uint32_t code = 1 + random() % 6;
      oracle.Add(first, last, code, exclusion);
      if (exclusion) map.AddExclusion(first, last);
      else if (first == last) map.AddSingle(first, code);
      else map.AddRange(first, last, code);
      for (net::Ip4 b : {first, first - 1, last, last + 1}) borders.push_back(b);
    }
    Pool pool;
    Substitutions none;
    ResultMap results(table, none, &pool);
    DatasetModel model;
    model.map4 = map.Build(&results, 1 + round % 2);
    for (size_t i = 1; i < model.map4.size(); ++i) {
      ASSERT_LT(model.map4[i - 1].start, model.map4[i].start);
      ASSERT_NE(model.map4[i - 1].result, model.map4[i].result);
    }
    if (!model.map4.empty()) {
      ASSERT_EQ(model.map4[0].start, 0u);
    }
    for (int i = 0; i < 60; ++i) borders.push_back(address());
    for (net::Ip4 b : borders) {
      std::string expected;
      for (uint32_t code : oracle.Ask(b)) expected += (expected.empty() ? "" : " ") + std::string("127.0.0.") + std::to_string(9 + code);
      if (expected.empty()) expected = "-";
      ASSERT_EQ(test::AskIp4(model, pool, net::ToString(b)), expected) << net::ToString(b) << " round " << round;
    }
    for (int size = 0; size < 4; ++size)
      ASSERT_EQ(map.piece_counts()[static_cast<size_t>(size)], oracle.Count(size)) << "size " << size;
  }
}

TEST(Ip4SetTest, ManyPointsInAnyOrderGiveTheSameMap) {
  std::mt19937 random(2);
  std::string sorted, shuffled;
  std::vector<uint32_t> addresses;
  for (int i = 0; i < 100000; ++i) addresses.push_back(random());
  std::vector<uint32_t> in_order = addresses;
  std::sort(in_order.begin(), in_order.end());
  for (uint32_t a : in_order) sorted += net::ToString(a) + "\n";
  for (uint32_t a : addresses) shuffled += net::ToString(a) + "\n";
  Compiled x(image::kIp4Set, sorted), y(image::kIp4Set, shuffled);
  ASSERT_EQ(x.model->map4.size(), y.model->map4.size());
  for (size_t i = 0; i < x.model->map4.size(); ++i) ASSERT_EQ(x.model->map4[i].start, y.model->map4[i].start);
  EXPECT_EQ(x.model->counts, y.model->counts);
}

}  // namespace
}  // namespace mz::compiler
