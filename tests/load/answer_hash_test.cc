#include "load/answer_hash.h"

#include <gtest/gtest.h>

#include <string>

namespace mz::load {
namespace {

uint64_t Hash(const std::string& bytes) {
  return AnswerHash({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
}

std::string Header(char answers, char authority = 0, char additional = 0, const std::string& id = "ab") {
  return id + std::string("\x84\0\0\1\0", 5) + answers + std::string(1, '\0') + authority +
         std::string(1, '\0') + additional;
}
const std::string kQuestion("\2bl\4test\0\0\2\0\1", 13);

std::string Rr(const std::string& owner, char type, const std::string& rdata, char ttl = 60) {
  return owner + std::string(1, '\0') + type + std::string("\0\1\0\0\0", 5) + ttl + std::string(1, '\0') +
         static_cast<char>(rdata.size()) + rdata;
}
const std::string kAsked("\xc0\x0c", 2);
const std::string kNs1("\3ns1\xc0\x0c", 6), kNs2("\3ns2\xc0\x0c", 6);

TEST(AnswerHashTest, TheIdDoesNotCount) {
  EXPECT_EQ(Hash(Header(0) + kQuestion), Hash(Header(0, 0, 0, "xy") + kQuestion));
}

TEST(AnswerHashTest, RotatedRecordsAreAlike) {
  const std::string one = Rr(kAsked, 2, kNs1), two = Rr(kAsked, 2, kNs2);
  EXPECT_EQ(Hash(Header(2) + kQuestion + one + two), Hash(Header(2) + kQuestion + two + one));
  EXPECT_NE(Hash(Header(2) + kQuestion + one + two), Hash(Header(2) + kQuestion + one + one));
  EXPECT_NE(Hash(Header(2) + kQuestion + one + two), Hash(Header(1, 1) + kQuestion + one + two));
}

TEST(AnswerHashTest, CompressionIsNoDifference) {
  const std::string plain("\2bl\4test\0", 9), long_ns("\3ns1\2bl\4test\0", 13);
  EXPECT_EQ(Hash(Header(1) + kQuestion + Rr(kAsked, 2, kNs1)),
            Hash(Header(1) + kQuestion + Rr(plain, 2, long_ns)));
}

TEST(AnswerHashTest, EveryOctetOfRecordsCounts) {
  const std::string good = Header(2, 0, 1) + kQuestion + Rr(kAsked, 1, "\x7f\1\1\2") +
                           Rr(kAsked, 16, "\3abc") + std::string("\0\0\x29\4\xd0\0\0\0\0\0\0", 11);
  for (size_t i = 2; i < good.size(); i++)
    for (const int bit : {0, 3, 7}) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ (1 << bit));
      EXPECT_NE(Hash(bad), Hash(good)) << "octet " << i << " bit " << bit;
    }
  EXPECT_NE(Hash(good + "x"), Hash(good));
  for (size_t cut = 0; cut < good.size(); cut++) EXPECT_NE(Hash(good.substr(0, cut)), Hash(good)) << cut;
}

}  // namespace
}  // namespace mz::load
