// The worked example of format/image/IMAGE.md is what the writer makes today.
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <iterator>

#include "tests/format/image/sample_models.h"

namespace mz::image {
namespace {

// "00001000  01 02 ...  |..|", lines of zeros left out.
std::string HexText(const std::vector<uint8_t>& bytes) {
  std::string out;
  for (size_t line = 0; line < bytes.size(); line += 16) {
    bool zero = true;
    for (size_t i = line; i < line + 16; i++) zero &= bytes[i] == 0;
    if (zero) continue;
    char buffer[32];
    std::snprintf(buffer, sizeof buffer, "%06zx ", line);
    out += buffer;
    std::string ascii;
    for (size_t i = line; i < line + 16; i++) {
      std::snprintf(buffer, sizeof buffer, "%s%02x", i % 8 == 0 ? "  " : " ", bytes[i]);
      out += buffer;
      ascii += bytes[i] > 32 && bytes[i] < 127 && bytes[i] != '`' ? static_cast<char>(bytes[i]) : '.';
    }
    out += "  " + ascii + "\n";
  }
  return out;
}

TEST(ImageMdTest, WorkedExampleIsWhatTheWriterMakes) {
  std::ifstream in(std::string(MZ_TEST_SOURCE_DIR) + "/../../../format/image/IMAGE.md");
  const std::string page{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  const std::string begin = "<!-- example -->\n```\n", end = "```\n<!-- /example -->";
  const size_t from = page.find(begin), to = page.find(end);
  ASSERT_NE(from, std::string::npos);
  ASSERT_NE(to, std::string::npos);
  const std::string expected = HexText(SampleImage("tiny"));
  EXPECT_EQ(page.substr(from + begin.size(), to - from - begin.size()), expected)
      << "put this into IMAGE.md:\n"
      << expected;
}

}  // namespace
}  // namespace mz::image
