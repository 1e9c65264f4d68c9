// Header folding, encoded words, quoted-printable, and what a user may put into a header field.
#include "cli/healthcheck/message.h"

#include <gtest/gtest.h>

#include <random>

namespace mz::mail {
namespace {

size_t LongestLine(std::string_view text) {
  size_t longest = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find("\r\n", at), text.size());
    longest = std::max(longest, end - at);
    at = end + 2;
  }
  return longest;
}

TEST(MessageTest, FoldsAtBlanks) {
  EXPECT_EQ(Folded("Subject", "short"), " short");
  std::string many;
  for (int k = 0; k < 40; ++k) many += "word" + std::to_string(k) + " ";
  const std::string folded = Folded("Subject", many);
  EXPECT_LE(LongestLine("Subject:" + folded), 78u);
  EXPECT_EQ(folded.find("\r\n\r\n"), folded.npos);
  for (size_t at = folded.find("\r\n"); at != folded.npos; at = folded.find("\r\n", at + 2))
    EXPECT_EQ(folded[at + 2], ' ');
  // A word longer than a line stays whole, and no line consists of a blank only.
  EXPECT_EQ(Folded("X", std::string(200, 'a')), " " + std::string(200, 'a'));
}

TEST(MessageTest, ParseReadsFoldsBack) {
  Message m;
  m.Add("Subject", std::string(30, 'a') + " " + std::string(30, 'b') + " " + std::string(30, 'c'));
  m.Add("To", "x@y.example");
  m.body = "one\r\ntwo\r\n";
  const Message again = ParseMessage(m.Text()).value();
  EXPECT_EQ(again.Text(), m.Text());
  EXPECT_EQ(ParseMessage("A: b\nC: d\n\nx")->Text(), "A: b\r\nC: d\r\n\r\nx\r\n");
  EXPECT_FALSE(ParseMessage("no field\r\n\r\n").ok());
  EXPECT_FALSE(ParseMessage(" folded: before a field\r\n\r\n").ok());
}

TEST(MessageTest, HeaderTextOfUsersCannotBreakOut) {
  EXPECT_TRUE(CheckHeaderText("Grüße, \"quoted\" <x>", "--subject").ok());
  for (std::string_view bad :
       {std::string_view("a\r\nBcc: x@y"), std::string_view("a\nb"), std::string_view("a\rb"),
        std::string_view("a\0b", 3), std::string_view("\x1b[2J"), std::string_view("\x7f"),
        std::string_view("\xc3"), std::string_view("\xc0\xaf"), std::string_view("\xed\xa0\x80")})
    EXPECT_FALSE(CheckHeaderText(bad, "--subject").ok()) << bad;
  EXPECT_TRUE(CheckHeaderText(std::string(500, 'x'), "s").ok());
  EXPECT_FALSE(CheckHeaderText(std::string(501, 'x'), "s").ok());
}

TEST(MessageTest, EncodedWordsKeepCharactersWhole) {
  EXPECT_EQ(EncodedWords("plain text"), "plain text");
  EXPECT_EQ(EncodedWords("Grüße"), "=?UTF-8?Q?Gr=C3=BC=C3=9Fe?=");
  EXPECT_EQ(EncodedWords("=?trick?="), "=?UTF-8?Q?=3D=3Ftrick=3F=3D?=");
  std::string text;
  for (int k = 0; k < 100; ++k) text += "ü";
  const std::string encoded = EncodedWords(text);
  for (size_t at = 0; at < encoded.size();) {
    const size_t end = std::min(encoded.find(' ', at), encoded.size());
    const std::string word = encoded.substr(at, end - at);
    EXPECT_LE(word.size(), 75u);
    EXPECT_TRUE(word.starts_with("=?UTF-8?Q?=C3=BC") && word.ends_with("=C3=BC?=")) << word;
    at = end + 1;
  }
  EXPECT_EQ(DisplayName("Health Check"), "Health Check");
  EXPECT_EQ(DisplayName("Check, \"Health\" <x@y>"), "\"Check, \\\"Health\\\" <x@y>\"");
}

TEST(MessageTest, Dates) {
  EXPECT_EQ(DateText(0), "Thu, 01 Jan 1970 00:00:00 +0000");
  EXPECT_EQ(DateText(1795250400), "Sat, 21 Nov 2026 08:40:00 +0000");
}

std::string QuotedPrintableDecoded(std::string_view text) {
  std::string out;
  for (size_t k = 0; k < text.size(); ++k) {
    if (text[k] != '=') {
      out += text[k];
    } else if (text.substr(k, 3) == "=\r\n") {
      k += 2;
    } else {
      out += static_cast<char>(std::stoi(std::string(text.substr(k + 1, 2)), nullptr, 16));
      k += 2;
    }
  }
  return out;
}

TEST(MessageTest, QuotedPrintableRoundTrip) {
  std::mt19937 random(7);
  constexpr std::string_view kAlphabet = "ab .=\t\xc3\xbc\nFrom <";
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (size_t n = random() % 300; n > 0; --n) text += kAlphabet[random() % kAlphabet.size()];
    const std::string coded = QuotedPrintable(text);
    EXPECT_LE(LongestLine(coded), 76u);
    EXPECT_EQ(coded.find(" \r\n"), coded.npos);
    EXPECT_FALSE(coded.starts_with('.') || coded.find("\r\n.") != coded.npos) << coded;
    std::string want;
    for (char c : text) want += c == '\n' ? "\r\n" : std::string(1, c);
    ASSERT_EQ(QuotedPrintableDecoded(coded), want);
  }
  EXPECT_EQ(QuotedPrintable("a \r\nb"), "a=20\r\nb");
}

TEST(MessageTest, MultipartHasBothParts) {
  Message m;
  const std::string body = MultipartAlternative("plain\n", "<p>html</p>\n", "b0", &m);
  EXPECT_EQ(m.Find("content-type")->value, " multipart/alternative; boundary=\"=_b0\"");
  EXPECT_NE(body.find("\r\n--=_b0\r\nContent-Type: text/plain; charset=utf-8\r\n"), body.npos);
  EXPECT_NE(body.find("<p>html</p>\r\n\r\n--=_b0--\r\n"), body.npos) << body;
  EXPECT_EQ(HtmlEscaped("<a href=\"x\">&'"), "&lt;a href=&quot;x&quot;&gt;&amp;&#39;");
}

}  // namespace
}  // namespace mz::mail
