// Macro-strings: the examples of RFC 7208 section 7.4, every transformer, cutting, escaping, and the way back to
// text.
#include "format/spf/macro.h"

#include <gtest/gtest.h>

#include <random>

namespace mz::spf {
namespace {

MacroString Parsed(std::string_view text, bool explanation = false) {
  MacroString s;
  size_t at = 0;
  EXPECT_TRUE(ParseMacroString(text, explanation, &s, &at)) << text << " at " << at;
  return s;
}

// The message of section 7.4.
MessageMacros Example() {
  return {.domain = "email.example.com",
          .sender = "strong-bad@email.example.com",
          .helo = "mx.example.org",
          .is_v4 = true,
          .ip4 = 0xc0000203,
          .ip6 = *net::ParseIp6("2001:db8::cb01"),
          .receiver = "example.net",
          .now_unix = 1700000000};
}
std::string For(std::string_view text) { return ExpandFor(Parsed(text, true), Example(), false); }

TEST(MacroTest, ExamplesOfSection74) {
  const std::pair<const char*, const char*> cases[] = {
      {"%{s}", "strong-bad@email.example.com"},
      {"%{o}", "email.example.com"},
      {"%{d}", "email.example.com"},
      {"%{d4}", "email.example.com"},
      {"%{d3}", "email.example.com"},
      {"%{d2}", "example.com"},
      {"%{d1}", "com"},
      {"%{dr}", "com.example.email"},
      {"%{d2r}", "example.email"},
      {"%{l}", "strong-bad"},
      {"%{l-}", "strong.bad"},
      {"%{lr}", "strong-bad"},
      {"%{lr-}", "bad.strong"},
      {"%{l1r-}", "strong"},
      {"%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"},
      {"%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"},
      {"%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"},
      {"%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "3.2.0.192.in-addr.strong.lp._spf.example.com"},
      {"%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net"},
  };
  for (auto [text, want] : cases) EXPECT_EQ(For(text), want) << text;

  MessageMacros v6 = Example();
  v6.is_v4 = false;
  EXPECT_EQ(ExpandFor(Parsed("%{ir}.%{v}._spf.%{d2}"), v6, true),
            "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com");
}

TEST(MacroTest, OtherLetters) {
  EXPECT_EQ(For("%{h} %{p} %{c} %{r} %{t}"), "mx.example.org unknown 192.0.2.3 example.net 1700000000");
  MessageMacros m = Example();
  m.is_v4 = false;
  m.receiver = "";
  EXPECT_EQ(ExpandFor(Parsed("%{c} %{r}", true), m, false), "2001:db8::cb01 unknown");
}

TEST(MacroTest, SenderWithoutLocalPartIsPostmaster) {
  MessageMacros m = Example();
  auto sender = [&m](const char* text) {
    m.sender = text;
    return ExpandFor(Parsed("%{s} %{l} %{o}", true), m, false);
  };
  EXPECT_EQ(sender(""), "postmaster@mx.example.org postmaster mx.example.org");
  EXPECT_EQ(sender("a.example"), "postmaster@a.example postmaster a.example");
  EXPECT_EQ(sender("@a.example"), "postmaster@a.example postmaster a.example");
  EXPECT_EQ(sender("\"x@y\"@a.example"), "\"x@y\"@a.example \"x@y\" a.example");
}

TEST(MacroTest, EscapesBecomeLiterals) {
  const MacroString s = Parsed("a%%b%_c%-d");
  ASSERT_EQ(s.size(), 1u);
  EXPECT_EQ(s[0].literal, "a%b c%20d");
  EXPECT_EQ(MacroText(s), "a%%b%_c%-d");
  EXPECT_EQ(ExplanationText(s), "a%%b c%%20d");
}

TEST(MacroTest, EveryDelimiterSplits) {
  MessageMacros m = Example();
  m.sender = "a.b-c+d,e/f_g=h@example.com";
  auto local = [&m](const char* text) { return ExpandFor(Parsed(text), m, false); };
  EXPECT_EQ(local("%{lr}"), "b-c+d,e/f_g=h.a");
  EXPECT_EQ(local("%{lr-}"), "c+d,e/f_g=h.a.b");
  EXPECT_EQ(local("%{l1+}"), "d,e/f_g=h");
  EXPECT_EQ(local("%{l1,}"), "e/f_g=h");
  EXPECT_EQ(local("%{l1/}"), "f_g=h");
  EXPECT_EQ(local("%{l1_}"), "g=h");
  EXPECT_EQ(local("%{l1=}"), "h");
  EXPECT_EQ(local("%{l.-+,/_=}"), "a.b.c.d.e.f.g.h");
  EXPECT_EQ(local("%{l3r.-+,/_=}"), "c.b.a");
  m.sender = "-a--b-@example.com";
  EXPECT_EQ(local("%{l-}"), ".a..b.");  // empty parts count
  EXPECT_EQ(local("%{l2-}"), "b.");
}

TEST(MacroTest, UpperCaseLettersAreUrlEscaped) {
  MessageMacros m = Example();
  m.sender = "a b~!/%\x80-_.Z9@example.com";
  EXPECT_EQ(ExpandFor(Parsed("%{L}"), m, false), "a%20b~%21%2F%25%80-_.Z9");
  EXPECT_EQ(ExpandFor(Parsed("%{S1}"), m, false), "com");
  EXPECT_EQ(ExpandFor(Parsed("%{L/}"), m, false), "a%20b~%21.%25%80-_.Z9");  // split first, then escaped
  EXPECT_EQ(MacroText(Parsed("%{L2R-}%{IR}")), "%{L2r-}%{Ir}");
}

TEST(MacroTest, StaticKnowsDomainAndFamily) {
  const KnownMacros v4{.domain = "a.b.example", .is_v4 = true}, v6{.domain = "a.b.example", .is_v4 = false};
  auto e = ExpandStatic(Parsed("%{v}.%{d2r}._spf.%{D}."), v4);
  EXPECT_FALSE(e.dynamic);
  EXPECT_EQ(e.text, "in-addr.b.a._spf.a.b.example");
  EXPECT_EQ(ExpandStatic(Parsed("%{v}"), v6).text, "ip6");
  EXPECT_EQ(ExpandStatic(Parsed("%{v1-}"), v4).text, "addr");
  EXPECT_EQ(ExpandStatic(Parsed("a%%b%_c%-d.%{d}"), v4).text, "a%b c%20d.a.b.example");
}

TEST(MacroTest, StaticLeavesTheReceiversMacros) {
  const KnownMacros known{.domain = "a%b.example", .is_v4 = true};
  for (const char* letter : {"i", "s", "l", "o", "h", "p"}) {
    const std::string macro = std::string("%{") + letter + "}";
    auto e = ExpandStatic(Parsed(macro + ".%{v}"), known);
    EXPECT_TRUE(e.dynamic);
    EXPECT_EQ(e.text, macro + ".in-addr");
  }
  // The text is a macro-string again, so literals are escaped: those as written and those that were expanded.
  auto e = ExpandStatic(Parsed("%{L2R-}.%%%_%-.%{d}.%{D}.%{d1}"), known);
  EXPECT_EQ(e.text, "%{L2r-}.%%%_%-.a%%b.example.a%%25b.example.example");
}

TEST(MacroTest, LongNamesLoseLabelsOnTheLeft) {
  const std::string label50(50, 'x');
  std::string tail;
  for (int i = 0; i < 4; i++) tail += "." + label50;
  tail += "." + std::string(40, 'y') + ".example";  // 4 * 51 + 41 + 8 = 253
  ASSERT_EQ(tail.size(), 253u);
  const KnownMacros known{.domain = "d.example", .is_v4 = true};
  EXPECT_EQ(ExpandStatic(Parsed("a" + tail.substr(1)), known).text, "a" + tail.substr(1));  // 253
  EXPECT_EQ(ExpandStatic(Parsed("a" + tail.substr(1) + "."), known).text,
            "a" + tail.substr(1));                                          // the dot does not count
  EXPECT_EQ(ExpandStatic(Parsed("a" + tail), known).text, tail.substr(1));  // 254: one label
  EXPECT_EQ(ExpandStatic(Parsed("a.b.c" + tail), known).text, tail.substr(1));
  MessageMacros m = Example();
  const std::string sender = std::string(300, 'l') + "@example.com";
  m.sender = sender;
  EXPECT_EQ(ExpandFor(Parsed("%{l}.%{d}"), m, true), "email.example.com");
  EXPECT_EQ(ExpandFor(Parsed("%{l}.%{d}"), m, false).size(), 300 + 18u);
  EXPECT_EQ(ExpandFor(Parsed("%{l}"), m, true).size(), 300u);  // one label: nothing to cut at
}

TEST(MacroTest, DynamicAndUses) {
  EXPECT_FALSE(IsDynamic(Parsed("x.%{d}.%{v}")));
  EXPECT_TRUE(IsDynamic(Parsed("x.%{d}.%{i}")));
  EXPECT_TRUE(IsDynamic(Parsed("%{t}", true)));
  EXPECT_TRUE(Uses(Parsed("x.%{P}"), 'p'));
  EXPECT_FALSE(Uses(Parsed("p.%{d}"), 'p'));
  EXPECT_TRUE(MacroText({}).empty());
}

TEST(MacroTest, ErrorsPointAtTheOctet) {
  const std::tuple<const char*, bool, size_t> cases[] = {
      {"a%b", false, 1},       {"ab%", false, 2},       {"%{x}", false, 2},   {"%{}", false, 2},
      {"%{d0}", false, 3},     {"%{d00r}", false, 3},   {"%{d2x}", false, 4}, {"a%{d", false, 1},
      {"%{dr2}", false, 4},    {"%{d.r}", false, 4},    {"%{c}", false, 2},   {"%{R}", false, 2},
      {"%{t}", false, 2},      {"a b", false, 1},       {"a\tb", true, 1},    {"\x7f", true, 0},
      {"ok %{i} %x", true, 8}, {"a\xc3\xa4", false, 1}, {"%{ d}", false, 2}};
  for (auto [text, explanation, want] : cases) {
    MacroString s;
    size_t at = 99;
    EXPECT_FALSE(ParseMacroString(text, explanation, &s, &at)) << text;
    EXPECT_EQ(at, want) << text;
  }
}

TEST(MacroTest, ExplanationsHoldBlanksAndThreeMoreLetters) {
  const MacroString s = Parsed("%{i} is not %{d}'s; at %{t} from %{C} by %{r}%%", true);
  EXPECT_EQ(ExplanationText(FillKnown(s, {.domain = "a.example", .is_v4 = true})),
            "%{i} is not a.example's; at %{t} from %{C} by %{r}%%");
  EXPECT_EQ(FillKnown(Parsed("a.%{d}.b"), {.domain = "x", .is_v4 = true}).size(), 1u);
}

TEST(MacroTest, DigitsSaturate) {
  EXPECT_EQ(Parsed("%{d99999999999999999999}")[0].keep, UINT32_MAX);
  EXPECT_EQ(Parsed("%{d01}")[0].keep, 1u);
}

// Random parts, to text and back: the same parts, and the same expansion.
TEST(MacroTest, TextRoundTrip) {
  std::mt19937 random(7208);
  auto below = [&random](uint32_t n) { return static_cast<uint32_t>(random() % n); };
  for (int round = 0; round < 20000; round++) {
    MacroString s;
    for (uint32_t parts = below(6); parts > 0; parts--) {
      MacroPart part;
      if (below(2) && (s.empty() || s.back().letter)) {
        for (uint32_t n = 1 + below(5); n > 0; n--) {
          static constexpr std::string_view kPieces[] = {"%", " ", "%20", "20", "a",   ".",
                                                         "{", "}", "-",   "_",  "%{d}"};
          part.literal += kPieces[below(std::size(kPieces))];
        }
      } else {
        part.letter = "slodipvh"[below(8)];
        part.url_escape = below(3) == 0;
        part.keep = below(3) ? 0 : 1 + below(200);
        part.reverse = below(2);
        for (uint32_t n = below(4); n > 0; n--) part.delimiters += ".-+,/_="[below(7)];
      }
      s.push_back(std::move(part));
    }
    const std::string text = MacroText(s);
    EXPECT_EQ(text.find(' '), std::string::npos);
    ASSERT_EQ(Parsed(text), s) << text;
    ASSERT_EQ(Parsed(ExplanationText(s), true), s) << text;
    ASSERT_EQ(ExpandFor(Parsed(text), Example(), false), ExpandFor(s, Example(), false));
    // What a compiler leaves open, a receiver fills in to the same name.
    const auto e = ExpandStatic(s, {.domain = Example().domain, .is_v4 = true});
    const std::string name = e.dynamic ? ExpandFor(Parsed(e.text), Example(), true) : e.text;
    ASSERT_EQ(name, ExpandFor(s, Example(), true)) << text;
  }
}

}  // namespace
}  // namespace mz::spf
