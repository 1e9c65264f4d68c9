// The text dump: what it says, and that it depends on nothing but the content. Whole dumps of all samples are
// stored beside the images in tests/data/images/good and compared by corpus_test.
#include "format/image/dump.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "format/image/verify.h"
#include "tests/format/image/sample_models.h"

namespace mz::image {
namespace {

std::string DumpText(const std::vector<uint8_t>& image) {
  std::string text;
  Dump(*Verify(image, VerifyLevel::kEverything), [&](std::string_view lines) {
    EXPECT_EQ(lines.back(), '\n');
    text += lines;
  });
  return text;
}

TEST(DumpTest, TinyImage) {
  EXPECT_EQ(DumpText(SampleImage("tiny")),
            "profile 0x0\n"
            "zone bl.test.\n"
            "  serial 1700000000\n"
            "  soa 3600 ns.bl.test. adm.ex.test. 1700000000 7200 600 604800 300\n"
            "  dataset ip4set ttl 2100\n"
            "    192.0.2.1 A 127.0.0.2 TXT \"listed: $\"\n");
}

TEST(DumpTest, DoesNotDependOnSeedAndTime) {
  for (const std::string& name : SampleNames()) {
    compiler::WriteOptions options;
    options.hash_seed = 99;
    options.created_unix = 12345;
    std::vector<uint8_t> other;
    ASSERT_TRUE(compiler::WriteImage(MakeSample(name), options, &other).ok());
    EXPECT_EQ(DumpText(other), DumpText(SampleImage(name))) << name;
  }
}

TEST(DumpTest, NamesAreSortedParentsFirst) {
  const std::string text = DumpText(SampleImage("every-kind"));
  const size_t com = text.find("    com "), a_com = text.find("    a.com "),
               x_a_com = text.find("    x.a.com ");
  EXPECT_LT(com, a_com);
  EXPECT_LT(a_com, x_a_com);
}

TEST(DumpTest, LargeDumpsComeInPieces) {
  size_t pieces = 0, largest = 0;
  const std::vector<uint8_t> image = SampleImage("direct4");
  Dump(*Verify(image, VerifyLevel::kEverything), [&](std::string_view lines) {
    pieces++;
    largest = std::max(largest, lines.size());
  });
  EXPECT_GT(pieces, 10u);
  EXPECT_LT(largest, 100000u);
}

TEST(PresentTest, ExpansionFillsHolesAndIsCut) {
  // "ab$cd$" as rbldnsd cuts it, at 254 octets.
  std::vector<uint8_t> bytes = {4, 0, 2, kTextCut254, 2, 0, 4, 0, 'a', 'b', 'c', 'd'};
  const Text& text = *reinterpret_cast<const Text*>(bytes.data());
  EXPECT_EQ(ExpandText(text, "X"), "abXcdX");
  EXPECT_EQ(ExpandText(text, std::string(200, 'x')).size(), 254u);
  bytes[3] = 0;
  EXPECT_EQ(ExpandText(text, std::string(200, 'x')).size(), 404u);
}

TEST(PresentTest, RdataForms) {
  EXPECT_EQ(RdataText(1, std::string_view("\x01\x02\x03\x04", 4)), "1.2.3.4");
  EXPECT_EQ(RdataText(16, std::string_view("\x03"
                                           "a\"b\x00",
                                           5)),
            "\"a\\\"b\" \"\"");
  EXPECT_EQ(RdataText(15, std::string_view("\x00\x0a\x01m\x01t\x00", 7)), "10 m.t.");
  EXPECT_EQ(RdataText(99, std::string_view("\x01\xff", 2)), "\\# 2 01ff");
}

TEST(PresentTest, CanonicalOrder) {
  const std::vector<std::string> sorted = {
      "",          "example",         "a.example",   "yljkjljk.a.example", "z.a.example", "zabc.a.example",
      "z.example", "\\001.z.example", "*.z.example", "\\200.z.example"};
  for (size_t i = 0; i + 1 < sorted.size(); i++) {
    const std::string a = Wire(sorted[i]), b = Wire(sorted[i + 1]);
    auto octets = [](const std::string& s) {
      return std::span(reinterpret_cast<const uint8_t*>(s.data()), s.size());
    };
    EXPECT_LT(CompareCanonical(octets(a), octets(b)), 0) << sorted[i];
    EXPECT_GT(CompareCanonical(octets(b), octets(a)), 0) << sorted[i];
    EXPECT_EQ(CompareCanonical(octets(a), octets(a)), 0) << sorted[i];
  }
}

}  // namespace
}  // namespace mz::image
