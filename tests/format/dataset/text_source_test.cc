// Reading data files: line cutting, gzip, errors.
#include "format/dataset/text_source.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <random>

namespace mz::dataset {
namespace {

struct ReadLine {
  std::string text;
  bool cut = false;
};

struct ReadResult {
  std::vector<ReadLine> lines;
  bool incomplete = false;
  std::string error;
};

ReadResult ReadAll(TextSource* source) {
  ReadResult out;
  TextBlock block;
  while (source->Next(&block)) {
    size_t cut = 0;
    std::string_view text = block.text();
    EXPECT_TRUE(text.empty() || text.back() == '\n');
    EXPECT_EQ(*block.end(), '\0');
    for (size_t at = 0; at < text.size();) {
      size_t lf = text.find('\n', at);
      ReadLine line{std::string(text.substr(at, lf - at)), false};
      if (cut < block.cut_lines.size() && block.cut_lines[cut] == at) {
        line.cut = true;
        ++cut;
      }
      out.lines.push_back(line);
      at = lf + 1;
    }
    EXPECT_EQ(cut, block.cut_lines.size());
    out.incomplete |= block.last_incomplete;
  }
  out.error = source->Finish().message;
  return out;
}

ReadResult ReadText(std::string_view text) {
  TextSource source;
  source.OpenString(text);
  return ReadAll(&source);
}

class TextSourceFileTest : public ::testing::Test {
 protected:
  TextSourceFileTest() : path_(testing::TempDir() + "text_source_test." + std::to_string(::getpid())) {}
  ~TextSourceFileTest() override { std::filesystem::remove(path_); }
  void Write(std::string_view bytes) { std::ofstream(path_, std::ios::binary) << bytes; }
  ReadResult Read(bool refuse_gzip = false) {
    TextSource source;
    SourceError error = source.Open(path_, refuse_gzip);
    if (!error.ok()) return {{}, false, error.message};
    return ReadAll(&source);
  }
  static std::string Gzip(std::string_view text) {
    z_stream z{};
    EXPECT_EQ(deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
    std::string out(compressBound(text.size()) + 100, '\0');
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    z.avail_in = static_cast<uInt>(text.size());
    z.next_out = reinterpret_cast<Bytef*>(out.data());
    z.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(deflate(&z, Z_FINISH), Z_STREAM_END);
    out.resize(z.total_out);
    deflateEnd(&z);
    return out;
  }
  std::string path_;
};

TEST(TextSourceTest, GivesWholeLines) {
  ReadResult r = ReadText("a\n\nb\n");
  ASSERT_EQ(r.lines.size(), 3u);
  EXPECT_EQ(r.lines[0].text, "a");
  EXPECT_EQ(r.lines[1].text, "");
  EXPECT_FALSE(r.incomplete);
  EXPECT_TRUE(ReadText("").lines.empty());
}

TEST(TextSourceTest, MarksALastLineWithoutLineEnd) {
  ReadResult r = ReadText("a\nb");
  ASSERT_EQ(r.lines.size(), 2u);
  EXPECT_EQ(r.lines[1].text, "b");
  EXPECT_TRUE(r.lines[1].cut);
  EXPECT_TRUE(r.incomplete);
}

// Offsets of a line of 300000 octets, and where rbldnsd was seen to cut it; the lines before it are 1000 octets long.
TEST(TextSourceTest, CutsLongLinesWhereRbldnsdDoes) {
  const struct { size_t offset, cut; } kObserved[] = {
      {0, 65536},     {10, 65526},    {100, 65436},   {1000, 64536},  {20000, 45536}, {32767, 32769},
      {32768, 32768}, {32769, 65535}, {40000, 58304}, {60000, 38304}, {65535, 32769}, {65536, 65536},
      {65537, 65535}, {70000, 61072}, {98304, 65536}, {98305, 65535}, {100000, 63840}, {131072, 65536}};
  for (const auto& o : kObserved) {
    std::string text;
    while (text.size() < o.offset) text += std::string(std::min<size_t>(1000, o.offset - text.size()) - 1, '#') + "\n";
    text += std::string(300000, 'x') + "\nnext\n";
    ReadResult r = ReadText(text);
    ASSERT_GE(r.lines.size(), 2u);
    const ReadLine& line = r.lines[r.lines.size() - 2];
    EXPECT_EQ(line.text.size(), o.cut) << "line at " << o.offset;
    EXPECT_TRUE(line.cut);
    EXPECT_EQ(r.lines.back().text, "next");
    EXPECT_FALSE(r.lines.back().cut);
  }
}

// rbldnsd's buffer, octet by octet: the oracle for any mixture of line lengths.
std::vector<ReadLine> CutLikeABuffer(std::string_view text) {
  std::vector<ReadLine> out;
  size_t begin = 0, end = std::min<size_t>(65536, text.size());  // of the buffer's unread octets
  bool dropping = false;
  while (begin < text.size()) {
    size_t lf = text.substr(0, end).find('\n', begin);
    if (lf == std::string_view::npos && end < text.size()) {
      size_t unread = end - begin;
      if (unread < 32768) {
        end = std::min(text.size(), end + (unread == 0 ? 65536 : 32768));
        lf = text.substr(0, end).find('\n', begin);
      }
    }
    bool whole = lf != std::string_view::npos;
    size_t stop = whole ? lf : end;
    if (!dropping) out.push_back({std::string(text.substr(begin, stop - begin)), !whole});
    dropping = !whole;
    begin = whole ? lf + 1 : end;
  }
  return out;
}

TEST(TextSourceTest, CutsLikeRbldnsdsBufferOnRandomLines) {
  std::mt19937 random(7);
  for (int round = 0; round < 60; ++round) {
    std::string text;
    size_t target = 100000 + random() % 3000000;
    while (text.size() < target) {
      size_t length = random() % 10 == 0 ? random() % 200000 : random() % 10 == 1 ? 30000 + random() % 40000 : random() % 3000;
      text += std::string(length, static_cast<char>('a' + random() % 26));
      if (text.size() < target || random() % 2) text += '\n';
    }
    ReadResult r = ReadText(text);
    std::vector<ReadLine> expected = CutLikeABuffer(text);
    ASSERT_EQ(r.lines.size(), expected.size()) << "round " << round;
    for (size_t i = 0; i < expected.size(); ++i) {
      ASSERT_EQ(r.lines[i].text, expected[i].text) << "round " << round << " line " << i;
      ASSERT_EQ(r.lines[i].cut, expected[i].cut) << "round " << round << " line " << i;
    }
    EXPECT_EQ(r.incomplete, text.back() != '\n');
  }
}

TEST_F(TextSourceFileTest, ReadsAllGzipMembers) {
  Write(Gzip("one\n") + Gzip("two\nthr") + Gzip("ee\n"));
  ReadResult r = Read();
  ASSERT_EQ(r.lines.size(), 3u);
  EXPECT_EQ(r.lines[2].text, "three");
  EXPECT_EQ(r.error, "");
}

TEST_F(TextSourceFileTest, IgnoresPaddingBehindGzipData) {
  Write(Gzip("one\n") + std::string(100, '\0'));
  ReadResult r = Read();
  ASSERT_EQ(r.lines.size(), 1u);
  EXPECT_EQ(r.error, "");
}

TEST_F(TextSourceFileTest, RefusesDamagedGzipData) {
  std::string good = Gzip("1.0.0.1\n1.0.0.2\n");
  std::string bad_crc = good;
  bad_crc[bad_crc.size() - 6] ^= 1;
  for (const std::string& bytes : {good.substr(0, good.size() - 3), good.substr(0, 2), bad_crc, good + good.substr(0, 9)}) {
    Write(bytes);
    EXPECT_EQ(Read().error, "error reading file: Protocol error");
  }
}

TEST_F(TextSourceFileTest, RefusesGzipWhenTold) {
  Write(Gzip("one\n"));
  EXPECT_EQ(Read(/*refuse_gzip=*/true).error, "file is compressed, decompression disabled");
}

TEST_F(TextSourceFileTest, ReadsBinaryThatOnlyBeginsLikeGzip) {
  Write("\x1f");
  EXPECT_EQ(Read().lines.size(), 1u);
}

TEST_F(TextSourceFileTest, SaysWhatCannotBeRead) {
  EXPECT_EQ(Read().error, "unable to open file: No such file or directory");
  path_ = testing::TempDir();
  EXPECT_EQ(Read().error, "error reading file: Is a directory");
  path_ = "";
}

TEST_F(TextSourceFileTest, NoticesAFileThatChanges) {
  Write("one\n");
  TextSource source;
  ASSERT_TRUE(source.Open(path_, false).ok());
  TextBlock block;
  while (source.Next(&block)) {
  }
  Write("one\ntwo\n");
  EXPECT_EQ(source.Finish().message, "file changed while we where reading it, data load aborted");
}

TEST_F(TextSourceFileTest, KeepsBlocksApart) {
  std::string text;
  for (int i = 0; i < 400000; ++i) text += std::to_string(i) + "\n";
  Write(text);
  ReadResult r = Read();
  ASSERT_EQ(r.lines.size(), 400000u);
  for (int i = 0; i < 400000; ++i) ASSERT_EQ(r.lines[static_cast<size_t>(i)].text, std::to_string(i));
  Write(Gzip(text));
  EXPECT_EQ(Read().lines.size(), 400000u);
}

}  // namespace
}  // namespace mz::dataset
