// Names: rbldnsd's presentation form, limits, mnemonics.
#include "format/dns/name.h"

#include <gtest/gtest.h>

namespace mz::dns {
namespace {

using std::string_literals::operator""s;

TEST(NameTest, ParsesDotsAndEscapes) {
  EXPECT_EQ(*ParseName("www.Example.com"), "\3www\7Example\3com");
  EXPECT_EQ(*ParseName("a\\.b.c"), "\3a.b\1c");
  EXPECT_EQ(*ParseName("\\097\\0\\1.\\300x"s.substr(0, 9)), "\3a\0\1"s);
  EXPECT_EQ(*ParseName("x\\\\y"), "\3x\\y");
  EXPECT_EQ(*ParseName("\\2555"), "\2\3775"s);
}

TEST(NameTest, IgnoresTrailingAndDoubledDots) {
  EXPECT_EQ(*ParseName("a..b."), "\1a\1b");
  EXPECT_EQ(*ParseName("..a"), "\1a");
  EXPECT_EQ(*ParseName("."), "");
  EXPECT_EQ(*ParseName(""), "");
  EXPECT_EQ(*ParseName("..."), "");
}

TEST(NameTest, RejectsLabelOver63Octets) {  // RFC 1035 section 2.3.4
  EXPECT_TRUE(ParseName(std::string(63, 'a') + ".b").ok());
  EXPECT_FALSE(ParseName(std::string(64, 'a') + ".b").ok());
}

TEST(NameTest, RejectsNameOver255Octets) {  // RFC 1035 section 2.3.4, root octet included
  const std::string label(63, 'a');
  const std::string three = label + "." + label + "." + label + ".";
  EXPECT_TRUE(ParseName(three + std::string(61, 'a')).ok());
  EXPECT_FALSE(ParseName(three + std::string(62, 'a')).ok());
  std::string many;
  for (int i = 0; i < 127; i++) many += "a.";
  EXPECT_TRUE(ParseName(many).ok());
  EXPECT_FALSE(ParseName(many + "b").ok());
}

TEST(NameTest, RejectsBadEscapes) {
  for (const char* text : {"\\", "a.b\\", "\\256", "\\999"})
    EXPECT_EQ(ParseName(text).status().code(), StatusCode::kInvalidArgument) << text;
}

TEST(NameTest, TextEscapesLikeRbldnsd) {
  EXPECT_EQ(NameText("\3a.b\1c"), "a\\.b.c");
  EXPECT_EQ(NameText("\x09\"\\;@$ \x7f\xff!"), "\\\"\\\\\\;\\@\\$\\032\\127\\255!");
  EXPECT_EQ(NameText(""), ".");
  EXPECT_EQ(NameText("\1a\0"s), "a");
}

TEST(NameTest, TextAndParseAreInverse) {
  for (int c = 0; c < 256; c++) {
    const std::string wire = std::string("\2") + static_cast<char>(c) + "x\1y";
    EXPECT_EQ(*ParseName(NameText(wire)), wire) << c;
  }
}

TEST(NameTest, FormatNameNeverWritesBehindItsCapacity) {
  const std::string wire = "\3a\377b\1c";
  const std::span<const uint8_t> bytes{reinterpret_cast<const uint8_t*>(wire.data()), wire.size()};
  const std::string full = NameText(wire);
  for (size_t capacity = 0; capacity <= full.size() + 1; capacity++) {
    std::string out(capacity + 1, '#');
    EXPECT_EQ(FormatName(bytes, out.data(), capacity), full.size());
    EXPECT_EQ(out.substr(0, std::min(capacity, full.size())), full.substr(0, capacity));
    EXPECT_EQ(out[capacity], '#');
  }
}

TEST(NameTest, FormatNameSurvivesCutLabels) {
  const uint8_t cut[] = {5, 'a', 'b'};
  char out[16];
  EXPECT_EQ(std::string(out, FormatName(cut, out, sizeof out)), "ab");
}

TEST(NameTest, LowersAsciiOnly) {  // RFC 4343
  std::string wire;
  for (int c = 0; c < 256; c++) wire += static_cast<char>(c);
  LowerName(&wire);
  for (int c = 0; c < 256; c++) EXPECT_EQ(static_cast<uint8_t>(wire[c]), c >= 'A' && c <= 'Z' ? c + 32 : c);
}

TEST(NameTest, CountsLabelsAndFindsSuffixesAtBorders) {
  EXPECT_EQ(CountLabels(""), 0);
  EXPECT_EQ(CountLabels("\1a\2bc"), 2);
  EXPECT_TRUE(EndsWith("\1a\2bc", "\2bc"));
  EXPECT_TRUE(EndsWith("\1a\2bc", ""));
  EXPECT_TRUE(EndsWith("\1a", "\1a"));
  EXPECT_FALSE(EndsWith("\2bc", "\1a\2bc"));
  EXPECT_FALSE(EndsWith("\3x\1a", "\1a"));  // the octets fit, the border does not
}

TEST(NameTest, MnemonicsAreRbldnsds) {
  EXPECT_EQ(TypeText(0), "INVALID");
  EXPECT_EQ(TypeText(1), "A");
  EXPECT_EQ(TypeText(16), "TXT");
  EXPECT_EQ(TypeText(23), "NSAP_PTR");
  EXPECT_EQ(TypeText(28), "AAAA");
  EXPECT_EQ(TypeText(41), "OPT");
  EXPECT_EQ(TypeText(42), "type42");
  EXPECT_EQ(TypeText(249), "type249");
  EXPECT_EQ(TypeText(250), "TSIG");
  EXPECT_EQ(TypeText(255), "ANY");
  EXPECT_EQ(TypeText(256), "ZXFR");
  EXPECT_EQ(TypeText(257), "type257");
  EXPECT_EQ(ClassText(1), "IN");
  EXPECT_EQ(ClassText(7), "class7");
  EXPECT_EQ(RcodeText(4), "NOTIMPL");
  EXPECT_EQ(RcodeText(16), "BADVERS");
}

}  // namespace
}  // namespace mz::dns
