// Plain address lines: SIMD and portable parsing agree, on good lines and on everything else.
#include "format/dataset/plain_addresses.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace mz::dataset {
namespace {

struct Parsed {
  size_t at;
  std::vector<net::Ip4> addresses;
  bool operator==(const Parsed&) const = default;
};

template <typename Parse>
Parsed ParseAll(Parse parse, const std::string& text, size_t most) {
  std::vector<net::Ip4> out(most);
  size_t count = 0;
  // Without an octet behind it, so that a sanitizer sees every octet too many.
  const std::vector<char> exact(text.begin(), text.end());
  const char* end = parse(exact.data(), exact.data() + exact.size(), most, out.data(), &count);
  out.resize(count);
  return {static_cast<size_t>(end - exact.data()), out};
}

TEST(PlainAddressesTest, EveryShapeOfALine) {
  for (int a : {0, 9, 10, 99, 100, 255})
    for (int b : {1, 42, 128})
      for (int c : {7, 70, 207})
        for (int d : {3, 33, 133, 255}) {
          std::string line = std::to_string(a) + "." + std::to_string(b) + "." + std::to_string(c) + "." + std::to_string(d) + "\n";
          Parsed p = ParseAll(ParsePlainAddresses, line + "1.2.3.4\n255.255.255.255\n", 10);
          ASSERT_EQ(p.addresses.size(), 3u) << line;
          EXPECT_EQ(p.addresses[0], net::Ip4(uint32_t(a) << 24 | uint32_t(b) << 16 | uint32_t(c) << 8 | uint32_t(d)));
          EXPECT_EQ(p.addresses[2], ~0u);
        }
}

TEST(PlainAddressesTest, StopsAtTheMostAndAtOtherLines) {
  const std::string text = "1.2.3.4\n5.6.7.8\n9.9.9.9/8\n1.1.1.1\n2.2.2.2\n";
  EXPECT_EQ(ParseAll(ParsePlainAddresses, text, 1).at, 8u);
  EXPECT_EQ(ParseAll(ParsePlainAddresses, text, 9).at, 16u);
  for (const char* bad : {"1.2.3\n", "1.2.3.256\n", "1.2.3.4 \n", "1..2.3\n", ".1.2.3\n", "1.2.3.\n", "1.2.3.4.5\n", "0001.2.3.4\n",
                          "1.2.3.4\r\n", "\n", "#\n", "1.2.3.a\n"})
    EXPECT_EQ(ParseAll(ParsePlainAddresses, bad + std::string("1.2.3.4\n1.2.3.4\n1.2.3.4\n"), 9).at, 0u) << bad;
}

TEST(PlainAddressesTest, AgreesWithThePortableParser) {
  std::mt19937 random(3);
  for (int round = 0; round < 200000; ++round) {
    std::string text;
    for (unsigned lines = 1 + random() % 4; lines > 0; --lines) {
      std::string line;
      for (int i = 0; i < 4; ++i) line += (i ? "." : "") + std::to_string(random() % (random() % 8 ? 256 : 1100));
      if (random() % 4 == 0) line[random() % line.size()] = "0123456789./:- \n\r\xff"[random() % 18];
      text += line + "\n";
    }
    const size_t most = 1 + random() % 5;
    ASSERT_EQ(ParseAll(ParsePlainAddresses, text, most), ParseAll(ParsePlainAddressesPortably, text, most)) << text;
  }
}

}  // namespace
}  // namespace mz::dataset
