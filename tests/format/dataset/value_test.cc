// Values of entries and names in keys.
#include "format/dataset/value.h"

#include <gtest/gtest.h>

#include <string>

#include "format/dataset/name_key.h"
#include "format/dns/name.h"

namespace mz::dataset {
namespace {

std::string Value(const std::string& text) {
  ValueText value;
  const char* where;
  switch (ParseValue(text.data(), text.data() + text.size(), &value, &where)) {
    case ValueResult::kInvalidA: return "invalid A";
    case ValueResult::kUnrecognized: return "unrecognized";
    case ValueResult::kOk: break;
  }
  std::string out;
  if (value.has_a)
    for (int i = 0; i < 4; ++i) out += (i ? "." : "") + std::to_string(value.a[i]);
  else
    out = "default";
  return out + (value.has_text ? "|" + std::string(value.text) : "");
}

struct Case {
  const char* text;
  const char* expected;
};

TEST(ValueTest, ReadsTheForms) {
  for (const Case& c : {Case{"", "default"},
                        {"  \t", "default"},
                        {" # comment", "default"},
                        {";comment", "default"},
                        {" own $", "default|own $"},
                        {" text # not a comment", "default|text # not a comment"},
                        {" :5", "127.0.0.5"},
                        {":5:", "127.0.0.5|"},
                        {" :10.1.2.3:a $ b", "10.1.2.3|a $ b"},
                        {" :1.2:two", "1.0.0.2|two"},
                        {" :1.2.3:three", "1.2.0.3|three"},
                        {" :7 : spaced", "127.0.0.7|spaced"},
                        {" :8:  lead", "127.0.0.8|lead"},
                        {" :9:a:b", "127.0.0.9|a:b"},
                        {" :5:: x", "127.0.0.5|: x"},
                        {" :0005", "127.0.0.5"},
                        {" :0.1", "0.0.0.1"},
                        {" :1.0", "1.0.0.0"},
                        {" =x", "default|=x"},
                        {" \":q\"", "default|\":q\""}})
    EXPECT_EQ(Value(c.text), c.expected) << c.text;
}

TEST(ValueTest, RefusesBadAddresses) {
  for (const char* text : {" : 7 : x", ":0:zero", ":0.0", ":00:", ":256:big", "::noa", ":", ":1.", ":1..2", ":1.256", ":x"})
    EXPECT_EQ(Value(text), "invalid A") << text;
  for (const char* text : {":5 tail", ":5;x", ":5 ;x", ":5x", ":1.2.3.4.5", ":1/2", ":1#"})
    EXPECT_EQ(Value(text), "unrecognized") << text;
}

TEST(ValueTest, CutsTextsAt255Octets) {
  std::string text(300, 'a');
  ValueText value;
  const char* where;
  ASSERT_EQ(ParseValue(text.data(), text.data() + 255, &value, &where), ValueResult::kOk);
  EXPECT_FALSE(value.truncated);
  ASSERT_EQ(ParseValue(text.data(), text.data() + 256, &value, &where), ValueResult::kOk);
  EXPECT_TRUE(value.truncated);
  EXPECT_EQ(value.text.size(), 255u);
  EXPECT_EQ(where, text.data() + 255);
}

TEST(AclWordTest, TakesAbbreviatedWordsOfAnyCase) {
  auto word = [](std::string text) { return ParseAclWord(text.data(), text.data() + text.size()); };
  EXPECT_EQ(word(":refuse"), AclWord::kRefuse);
  EXPECT_EQ(word("=EMPTY # c"), AclWord::kEmpty);
  EXPECT_EQ(word(":pass:x"), AclWord::kPass);
  EXPECT_EQ(word(":blackhole;x"), AclWord::kIgnore);
  EXPECT_EQ(word(":ref"), AclWord::kRefuse);
  EXPECT_EQ(word("=i"), AclWord::kIgnore);
  EXPECT_EQ(word(":refusex"), AclWord::kNone);
  EXPECT_EQ(word(":bogus"), AclWord::kNone);
  EXPECT_EQ(word(":5:x"), AclWord::kNone);
  EXPECT_EQ(word(":"), AclWord::kNone);
  EXPECT_EQ(word("refuse"), AclWord::kNone);
  EXPECT_EQ(word(""), AclWord::kNone);
  EXPECT_EQ(word("=bogus"), AclWord::kInvalid);
  EXPECT_EQ(word("="), AclWord::kInvalid);
  EXPECT_EQ(word("= refuse"), AclWord::kInvalid);
}

std::string Name(std::string_view text, bool keep_case = false) {
  std::string wire = "prefix";
  if (!AppendName(text, keep_case, &wire)) {
    EXPECT_EQ(wire, "prefix");
    return "invalid";
  }
  return dns::NameText(std::string_view(wire).substr(6));
}

TEST(NameKeyTest, LowersAndIgnoresExtraDots) {
  EXPECT_EQ(Name("A.B.Com"), "a.b.com");
  EXPECT_EQ(Name("A.B.Com", true), "A.B.Com");
  EXPECT_EQ(Name("..a..b.."), "a.b");
  EXPECT_EQ(Name("."), ".");
  EXPECT_EQ(Name(""), ".");
  EXPECT_EQ(Name("*.a#b:5"), "*.a#b:5");
  EXPECT_EQ(Name("\x80\xff"), "\\128\\255");
}

TEST(NameKeyTest, ReadsEscapes) {
  EXPECT_EQ(Name("esc\\.aped.COM"), "esc\\.aped.com");
  EXPECT_EQ(Name("dec\\065"), "deca");
  EXPECT_EQ(Name("a\\1000"), "ad0");
  EXPECT_EQ(Name("a\\300"), "invalid");
  EXPECT_EQ(Name("a\\"), "a");
  EXPECT_EQ(Name("\\"), ".");
  EXPECT_EQ(Name("a\\\\"), "a\\\\");
}

TEST(NameKeyTest, RefusesLongLabelsAndNames) {
  std::string l63(63, 'x'), l64(64, 'x'), l61(61, 'y'), l62(62, 'y');
  EXPECT_EQ(Name(l63), l63);
  EXPECT_EQ(Name(l64), "invalid");
  EXPECT_EQ(Name("a." + l64 + ".b"), "invalid");
  EXPECT_EQ(Name(l64 + "\\065"), "invalid");
  std::string three = l63 + "." + l63 + "." + l63 + ".";
  EXPECT_EQ(Name(three + l61), three + l61);  // 255 octets with the root
  EXPECT_EQ(Name(three + l62), "invalid");
  EXPECT_EQ(Name(std::string(5000, '.')), "invalid");
}

}  // namespace
}  // namespace mz::dataset
