// The record grammar of RFC 7208 section 12, production by production: what is taken, and where and how the rest
// is refused.
#include "format/spf/record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "format/spf/result.h"

namespace mz::spf {
namespace {

using ::testing::HasSubstr;

std::string V(std::string_view terms) { return "v=spf1 " + std::string(terms); }

Record Good(std::string_view terms) {
  Record record;
  SyntaxError error;
  EXPECT_TRUE(ParseRecord(V(terms), &record, &error)) << terms << ": " << error.column << " " << error.message;
  EXPECT_TRUE(FindErrors(V(terms)).empty());
  return record;
}

Term One(std::string_view term) {
  Record record = Good(term);
  EXPECT_EQ(record.terms.size(), 1u) << term;
  return record.terms.empty() ? Term() : record.terms[0];
}

// Columns count in the terms: 1 is the octet behind "v=spf1 ".
SyntaxError Bad(std::string_view terms) {
  Record record;
  SyntaxError error;
  EXPECT_FALSE(ParseRecord(V(terms), &record, &error)) << terms;
  error.column -= std::min(error.column, 7u);
  return error;
}

struct BadCase {
  const char* terms;
  uint32_t column, length;
  const char* message;  // a part of it
  const char* hint;     // all of it; nullptr: any
};
void Check(std::initializer_list<BadCase> cases) {
  for (const BadCase& c : cases) {
    const SyntaxError e = Bad(c.terms);
    EXPECT_EQ(e.column, c.column) << c.terms << ": " << e.message;
    EXPECT_EQ(e.length, c.length) << c.terms << ": " << e.message;
    EXPECT_THAT(e.message, HasSubstr(c.message)) << c.terms;
    if (c.hint) {
      EXPECT_EQ(e.hint, c.hint) << c.terms << ": " << e.message;
    }
    EXPECT_THAT(std::string(e.section), HasSubstr("RFC 7208 section ")) << c.terms;
  }
}

// ---- record = version terms *SP

TEST(RecordTest, VersionAloneOrFollowedByABlank) {
  for (const char* text : {"v=spf1", "v=spf1 ", "V=SPF1 -all", "v=Spf1  "}) EXPECT_TRUE(IsSpfRecord(text)) << text;
  for (const char* text :
       {"", "v=spf", "v=spf10", "v=spf1\t-all", " v=spf1", "v=spf1-all", "v=spf2.0/pra", "spf1 -all"})
    EXPECT_FALSE(IsSpfRecord(text)) << text;
  Record record;
  SyntaxError error;
  EXPECT_TRUE(ParseRecord("v=spf1", &record, &error));
  EXPECT_TRUE(ParseRecord("V=SPF1   ", &record, &error));
  EXPECT_TRUE(record.terms.empty() && !record.redirect && !record.explanation);
}

TEST(RecordTest, BlanksSeparateTerms) {
  const Record record = Good("  mx   ip4:192.0.2.1  -all  ");
  ASSERT_EQ(record.terms.size(), 3u);
  EXPECT_EQ(record.terms[0].column, 10u);
  EXPECT_EQ(record.terms[1].column, 15u);
  EXPECT_EQ(record.terms[1].length, 13u);
  EXPECT_EQ(record.terms[2].column, 30u);
}

TEST(RecordTest, OnlyPrintableAscii) {
  Check({{"mx\t-all", 3, 1, "octet 0x09", "terms are separated by blanks, not tabs"},
         {"-all\n", 5, 1, "octet 0x0a", nullptr},
         {"\r", 1, 1, "octet 0x0d", nullptr},
         {"a \xe2\x80\x93"
          "all",
          3, 3, "octet 0xe2", nullptr},
         {"include:b\xc3\xbc.de", 10, 2, "octet 0xc3", nullptr},
         {"x=\x7f", 3, 1, "octet 0x7f", ""}});
  Record record;
  SyntaxError error;
  EXPECT_FALSE(ParseRecord(std::string_view("v=spf1 a\0b", 10), &record, &error));
  EXPECT_EQ(error.column, 9u);
}

TEST(RecordTest, FirstErrorWinsAlsoBehindAll) {
  Check({{"-all ip4:300.0.0.1 foo", 10, 3, "octet over 255", nullptr}});
}

// ---- directive = [ qualifier ] mechanism

TEST(RecordTest, Qualifiers) {
  EXPECT_EQ(One("mx").qualifier, Qualifier::kPass);
  EXPECT_EQ(One("+mx").qualifier, Qualifier::kPass);
  EXPECT_EQ(One("-mx").qualifier, Qualifier::kFail);
  EXPECT_EQ(One("~mx").qualifier, Qualifier::kSoftfail);
  EXPECT_EQ(One("?mx").qualifier, Qualifier::kNeutral);
  for (char c : {'+', '-', '~', '?'}) EXPECT_EQ(QualifierSign(One(std::string(1, c) + "all").qualifier), c);
  Check({{"- all", 1, 1, "qualifier without a mechanism", "no blank behind + - ~ ?"},
         {"--all", 2, 4, "a term begins with", ""},
         {"=all", 1, 4, "a term begins with", ""},
         {"-redirect=a.example", 1, 1, "takes no qualifier", "redirect=a.example"}});
}

TEST(RecordTest, UnknownMechanisms) {
  Check({{"ipv4:192.0.2.1", 1, 4, "unknown mechanism \"ipv4\"", "ip4:192.0.2.1"},
         {"ip:192.0.2.1/24", 1, 2, "unknown mechanism", "ip4:192.0.2.1/24"},
         {"ip:2001:db8::1", 1, 2, "unknown mechanism", "ip6:2001:db8::1"},
         {"ipv6:2001:db8::1", 1, 4, "unknown mechanism", "ip6:2001:db8::1"},
         {"mx inlcude:a.example", 4, 7, "unknown mechanism", "include:a.example"},
         {"-al", 2, 2, "unknown mechanism", nullptr},
         {"exist:%{i}.a.example", 1, 5, "unknown mechanism", "exists:%{i}.a.example"},
         {"redirect:a.example", 1, 8, "unknown mechanism", "redirect=a.example"},
         {"exp:a.example", 1, 3, "unknown mechanism", "exp=a.example"},
         {"_spf.example.com", 1, 16, "a term begins with", ""},
         {"spf.example.com", 1, 15, "unknown mechanism", "include:spf.example.com or a:spf.example.com"},
         {"192.0.2.1", 1, 9, "a term begins with", "ip4:192.0.2.1"},
         {"~2001:db8::/32", 2, 13, "a term begins with", "ip6:2001:db8::/32"},
         {"a.b:c.example", 1, 3, "unknown mechanism", nullptr},
         {"foobar", 1, 6, "unknown mechanism", ""}});
}

TEST(RecordTest, All) {
  EXPECT_EQ(One("ALL").mechanism, Mechanism::kAll);
  Check({{"-all:a.example", 5, 10, "\"all\" takes no argument", "all"},
         {"all/8", 4, 2, "takes no argument", "all"}});
  EXPECT_EQ(Bad("all:").section, "RFC 7208 section 5.1");
  // Terms behind "all" are kept: who asks decides.
  EXPECT_EQ(Good("-all mx").terms.size(), 2u);
}

TEST(RecordTest, IncludeAndExists) {
  for (const char* name : {"include", "exists"}) {
    const Term t = One(std::string("~") + name + ":%{l}.Example.com");
    EXPECT_EQ(MechanismName(t.mechanism), name);
    ASSERT_TRUE(t.domain.has_value());
    EXPECT_EQ(MacroText(*t.domain), "%{l}.Example.com");
  }
  EXPECT_EQ(One("INCLUDE:a.example").mechanism, Mechanism::kInclude);
  Check({{"include", 1, 7, "include without a domain name", "include:example.com"},
         {"-include:", 2, 8, "include: without a domain name", "include:example.com"},
         {"exists/24", 1, 6, "exists without a domain name", "exists:example.com"},
         {"include:a.example/24", 18, 3, "include takes no prefix length", "include:a.example"},
         {"exists:%{d}/24", 12, 3, "exists takes no prefix length", "exists:%{d}"},
         {"include:192.0.2.0/24", 9, 12, "an address where a name belongs", "ip4:192.0.2.0/24"},
         {"include:2001:db8::1", 9, 11, "an address where a name belongs", "ip6:2001:db8::1"}});
  EXPECT_EQ(Bad("include:").section, "RFC 7208 section 5.2");
  EXPECT_EQ(Bad("exists").section, "RFC 7208 section 5.7");
}

TEST(RecordTest, AAndMxWithDualCidr) {
  for (const std::string name : {"a", "mx"}) {
    const Term plain = One(name);
    EXPECT_EQ(plain.mechanism, name == "a" ? Mechanism::kA : Mechanism::kMx);
    EXPECT_FALSE(plain.domain.has_value());
    EXPECT_EQ(plain.prefix4, 32);
    EXPECT_EQ(plain.prefix6, 128);
    for (const std::string domain : {"", ":a.example", ":%{d}", ":a/b.example"}) {
      Term t = One(name + domain + "/24");
      EXPECT_EQ(t.prefix4, 24);
      EXPECT_EQ(t.prefix6, 128);
      t = One(name + domain + "//64");
      EXPECT_EQ(t.prefix4, 32);
      EXPECT_EQ(t.prefix6, 64);
      t = One(name + domain + "/0//0");
      EXPECT_EQ(t.prefix4, 0);
      EXPECT_EQ(t.prefix6, 0);
      EXPECT_EQ(t.domain.has_value(), !domain.empty());
      if (t.domain) {
        EXPECT_EQ(MacroText(*t.domain), domain.substr(1));
      }
    }
  }
  Check({{"a:", 1, 2, "a: without a domain name", "a:example.com"},
         {"a/", 2, 1, "\"/\" without a prefix length", ""},
         {"mx:a.example/", 13, 1, "\"/\" without a prefix length", ""},
         {"a//", 2, 2, "without a prefix length", nullptr},
         {"a/24//", 5, 2, "without a prefix length", nullptr},
         {"a/33", 3, 2, "prefix length over 32", "//33 is the length for IPv6"},
         {"a/129", 3, 3, "prefix length over 32", ""},
         {"a//129", 4, 3, "prefix length over 128", nullptr},
         {"a/024", 3, 3, "leading zero", nullptr},
         {"a//00", 4, 2, "leading zero", nullptr},
         {"a///24", 2, 1, "\"/\" without a prefix length", nullptr},
         {"a/99999999999999999999", 3, 20, "prefix length over 32", ""},
         {"a/24/64", 6, 2, "prefix length over 32", "//64 is the length for IPv6"},
         {"a/24/16", 2, 3, "not what follows a", nullptr},
         {"mx/x", 3, 2, "not what follows mx", nullptr},
         {"a:a.example/0x", 5, 10, "not a top-level label", nullptr}});
  EXPECT_EQ(Bad("mx:").section, "RFC 7208 section 5.4");
}

TEST(RecordTest, Ptr) {
  EXPECT_FALSE(One("ptr").domain.has_value());
  EXPECT_EQ(MacroText(*One("-ptr:a.example").domain), "a.example");
  Check({{"ptr:", 1, 4, "ptr: without a domain name", "ptr:example.com"},
         {"ptr/24", 4, 3, "ptr takes no prefix length", "ptr"},
         {"ptr:a.example/24", 14, 3, "ptr takes no prefix length", "ptr:a.example"}});
}

TEST(RecordTest, Ip4) {
  const Term t = One("-IP4:192.0.2.77/24");
  EXPECT_EQ(t.mechanism, Mechanism::kIp4);
  EXPECT_EQ(t.ip4, 0xc000024du);
  EXPECT_EQ(t.prefix4, 24);
  EXPECT_EQ(One("ip4:0.0.0.0/0").prefix4, 0);
  EXPECT_EQ(One("ip4:255.255.255.255").prefix4, 32);
  Check({{"ip4:10.0.0.0/33", 14, 2, "prefix length over 32", ""},
         {"ip4", 1, 3, "ip4 without an address", "ip4:192.0.2.0/24"},
         {"ip4:", 1, 4, "ip4 without an address", "ip4:192.0.2.0/24"},
         {"ip4/24", 1, 6, "ip4 without an address", nullptr},
         {"ip4:10.0.0.0/", 13, 1, "without a prefix length", nullptr},
         {"ip4:10.0.0.0/08", 14, 2, "leading zero in a prefix length", nullptr},
         {"ip4:10.0.0.0/255.255.255.0", 14, 13, "not a prefix length", "/24"},
         {"ip4:10.0.0.0//24", 14, 3, "not a prefix length", ""},
         {"ip4:192.0.02.1", 11, 2, "leading zero in an octet", "2"},
         {"ip4:192.0.00.1", 11, 2, "leading zero in an octet", "0"},
         {"ip4:256.0.2.1", 5, 3, "octet over 255", ""},
         {"ip4:1.2.3.99999999999999", 11, 14, "octet over 255", ""},
         {"ip4:10/8", 5, 2, "four octets", "ip4:10.0.0.0/8"},
         {"ip4:10.1.2", 5, 6, "four octets", "ip4:10.1.2.0"},
         {"ip4:1.2.3.4.5", 5, 9, "four octets", ""},
         {"ip4:1.2..3", 5, 6, "not an IPv4 address", ""},
         {"ip4:mail.example.com", 5, 4, "not an IPv4 address",
          "ip4 takes an address; a:mail.example.com is for names"},
         {"ip4:2001:db8::1", 5, 11, "not an IPv4 address", nullptr},
         {"ip4:1.2.3.4,", 11, 2, "not an IPv4 address", nullptr}});
  EXPECT_EQ(Bad("ip4:2001:db8::1").hint, "ip6:2001:db8::1");
}

TEST(RecordTest, Ip6) {
  const Term t = One("ip6:2001:DB8::1/32");
  EXPECT_EQ(t.mechanism, Mechanism::kIp6);
  EXPECT_EQ(t.ip6, (net::Ip6{0x20010db800000000, 1}));
  EXPECT_EQ(t.prefix6, 32);
  for (const char* good : {"::", "::/0", "::1", "1::", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8",
                           "::1.2.3.4", "1:2:3:4:5:6:1.2.3.4/128", "::ffff:192.0.2.1/96", "0001:00a::"})
    One(std::string("ip6:") + good);
  for (const char* bad : {":", ":::", "1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "1:2:3:4::5:6:7:8",
                          "g::", "12345::", "::1.2.3", "::1.2.3.256", "::1.2.3.04", "1.2.3.4", "::1%eth0", "[::1]",
                          "1:2:3:4:5:6:7:1.2.3.4", " "})
    Bad(std::string("ip6:") + bad);
  Check({{"ip6", 1, 3, "ip6 without an address", "ip6:2001:db8::/32"},
         {"ip6:2001:db8::/129", 16, 3, "prefix length over 128", ""},
         {"ip6:2001:db8::/", 15, 1, "without a prefix length", ""},
         {"ip6:2001:db8::/064", 16, 3, "leading zero", ""},
         {"ip6:192.0.2.1/24", 5, 9, "not an IPv6 address", "ip4:192.0.2.1/24"},
         {"ip6:2001:db8:1", 5, 10, "not an IPv6 address", "eight groups, or :: in place of the missing ones"},
         {"ip6:[::1]", 5, 5, "not an IPv6 address", "without brackets"}});
}

// ---- domain-spec = macro-string domain-end

TEST(RecordTest, DomainEndIsAToplabelOrAMacro) {
  for (const char* good :
       {"example.com", "example.com.", "a.b1",  "a.1b",          "a.1-2",   "a.x-y",    "a.x--y",     "a.xn--p1ai",
        ".com",        "a..com",       "-.com", "%{d}",          "x%{d}",   "%{d}.com", "%{i}x.com.", "a.%%",
        "a.%_",        "a.%-",         "%%",    "a/b:c,d;e.com", "_x.%{l}", "a%%b.com", "A.COM",      "a=b.com"})
    EXPECT_EQ(One(std::string("include:") + good).domain.has_value(), true);
  for (const char* bad :
       {"com",   "com.",    "a.1",   "a.12",   "a.-b",  "a.b-",  "a.b..",    ".",      "..",     "a.",    "a.b_c",
        "a.b/c", "%{d}com", "%{d}.", "%{d}.1", "%{d}1", "a.%%b", "a.com%%x", "a.b:25", "a.com,", "a.com;"})
    Bad(std::string("include:") + bad);
  Check({{"a:localhost", 3, 9, "not a top-level label", "a name of at least two labels, such as example.com"},
         {"include:a.example,", 18, 1, "separated by blanks only", "include:a.example"},
         {"mx:a.12", 6, 2, "not a top-level label", nullptr},
         {"include:%{d}com", 13, 3, "not a top-level label",
          "a domain name ends in a label such as com, or in a macro"},
         {"a:192.0.2.1", 3, 9, "an address where a name belongs", "ip4:192.0.2.1"},
         {"mx:192.0.2.1/24", 4, 9, "an address where a name belongs", "ip4:192.0.2.1"}});
}

TEST(RecordTest, Macros) {
  const MacroString s = *One("exists:%{L1R-+}.%{d}").domain;
  ASSERT_EQ(s.size(), 3u);
  EXPECT_EQ(s[0], (MacroPart{"", 'l', true, 1, true, "-+"}));
  EXPECT_EQ(s[1].literal, ".");
  EXPECT_EQ(s[2], (MacroPart{"", 'd', false, 0, false, ""}));
  Check({{"exists:%{d", 8, 3, "macro without \"}\"", "%{d}"},
         {"exists:%{d.com -all", 8, 4, "macro without \"}\"", "%{d}"},
         {"exists:%{x}.com", 10, 1, "unknown macro letter x", "one of s l o d i p v h"},
         {"exists:%{c}.com", 10, 1, "for explanation texts only", ""},
         {"exists:%{T}.com", 10, 1, "for explanation texts only", ""},
         {"exists:a.%{d0}", 13, 1, "at least 1 part", nullptr},
         {"exists:%{d2x}", 12, 1, "not a macro transformer", nullptr},
         {"exists:%{dr2}", 12, 1, "not a macro transformer", nullptr},
         {"exists:%{}", 10, 1, "begins with a letter", nullptr},
         {"exists:a%b.com", 9, 1, "\"%\" begins no macro", "%% for a percent sign, or %{...}"},
         {"exists:a.com%", 13, 1, "\"%\" begins no macro", nullptr},
         {"exists:%(d).com", 8, 1, "\"%\" begins no macro", nullptr}});
}

// ---- modifiers

TEST(RecordTest, RedirectAndExp) {
  const Record record = Good("EXP=e.%{d} mx Redirect=_spf.example.com");
  ASSERT_TRUE(record.redirect && record.explanation);
  EXPECT_EQ(MacroText(record.redirect->value), "_spf.example.com");
  EXPECT_EQ(record.redirect->column, 22u);
  EXPECT_EQ(record.redirect->length, 25u);
  EXPECT_EQ(MacroText(record.explanation->value), "e.%{d}");
  EXPECT_EQ(record.explanation->column, 8u);
  Check({{"redirect=a.example redirect=b.example", 20, 18, "second redirect modifier", nullptr},
         {"exp=a.example EXP=a.example", 15, 13, "second exp modifier", nullptr},
         {"redirect=", 1, 9, "redirect= without a domain name", "redirect=example.com"},
         {"mx exp=", 4, 4, "exp= without a domain name", "exp=example.com"},
         {"redirect=com", 10, 3, "not a top-level label", nullptr},
         {"exp=%{t}.com", 7, 1, "for explanation texts only", nullptr},
         {"redirect=:a.1", 13, 1, "not a top-level label", nullptr}});
  EXPECT_EQ(Bad("redirect=").section, "RFC 7208 section 6.1");
  EXPECT_EQ(Bad("exp=").section, "RFC 7208 section 6.2");
}

TEST(RecordTest, UnknownModifiersAreWellFormedAndIgnored) {
  const Record record = Good("x= moo.x-y_z=%{c}/:%{R}%{t}%%%_%- a=b include=x ip4=1 all=? v=spf1 x= mx");
  EXPECT_EQ(record.terms.size(), 1u);
  Check({{"x=%", 3, 1, "begins no macro", nullptr}, {"moo=a%{z}", 8, 1, "unknown macro letter z", nullptr}});
  // The "=" has to come before ":" and "/".
  EXPECT_EQ(One("a:b=c.example").mechanism, Mechanism::kA);
  Check({{"1x=y", 1, 4, "a term begins with", nullptr}, {"_x=y", 1, 4, "a term begins with", nullptr}});
}

// ---- good records that hardly say what was meant

TEST(RecordTest, Warnings) {
  struct {
    const char* terms;
    uint32_t column, length;
    const char* message;
    const char* hint;
  } const cases[] = {
      {"include=a.example -all", 1, 17, "\"include=\" is an unknown modifier", "include:a.example"},
      {"ip4=192.0.2.1 -all", 1, 13, "unknown modifier", "ip4:192.0.2.1"},
      {"mx redirct=a.example", 4, 17, "unknown modifier", "redirect=a.example"},
      {"v=spf1 mx -all", 1, 6, "second \"v=spf1\"", "one record"},
      {"mx -all a ?all", 9, 1, "behind \"all\"", ""},
      {"redirect=a.example -all", 1, 18, "redirect= has no effect", ""},
      {"ptr -all", 1, 3, "ptr", ""},
      {"+all", 1, 4, "every address passes", "~all"},
      {"ip4:192.0.2.77/24 -all", 1, 17, "bits behind the prefix", "ip4:192.0.2.0/24"},
      {"-ip6:2001:db8::1/32 -all", 1, 19, "bits behind the prefix", "-ip6:2001:db8::/32"},
      {"ip6:::ffff:192.0.2.0/120 -all", 1, 24, "matches no client", "ip4:192.0.2.0/24"},
  };
  for (const auto& c : cases) {
    const auto found = FindWarnings(V(c.terms));
    ASSERT_FALSE(found.empty()) << c.terms;
    EXPECT_EQ(found[0].column, c.column + 7) << c.terms;
    EXPECT_EQ(found[0].length, c.length) << c.terms;
    EXPECT_THAT(found[0].message, HasSubstr(c.message)) << c.terms;
    EXPECT_THAT(found[0].hint, HasSubstr(c.hint)) << c.terms;
  }
  for (const char* quiet :
       {"mx a:a.example/24 ip4:192.0.2.0/24 ip6:2001:db8::/32 include:a.example -all", "redirect=a.example", "",
        "moo=x ra=postmaster rp=100 rr=all exp=a.example ?all", "ip4:0.0.0.0/1 ip6:::/0 ~all"})
    EXPECT_TRUE(FindWarnings(V(quiet)).empty()) << quiet;
  EXPECT_TRUE(FindWarnings(V("include=a.example foo")).empty());  // a record with errors has only those
}

// ---- all errors, bounds

TEST(RecordTest, FindErrorsGoesOn) {
  const auto errors = FindErrors("v=spf1 ip4:1 mx foo include: redirect=a.b redirect=c.d x=% -all");
  ASSERT_EQ(errors.size(), 5u);
  const uint32_t columns[] = {12, 17, 21, 43, 58};
  for (size_t i = 0; i < 5; i++) EXPECT_EQ(errors[i].column, columns[i]) << errors[i].message;
  std::string many = "v=spf1";
  for (int i = 0; i < 500; i++) many += " foo";
  EXPECT_EQ(FindErrors(many).size(), 100u);
}

// Linear: 64 KiB of anything stay far below the time limit of the test even under sanitizers.
TEST(RecordTest, LongRecords) {
  constexpr size_t kSize = 65536;
  for (const char* unit : {" a",
                           "%{d}",
                           "a",
                           "/",
                           "//",
                           "1",
                           "1.",
                           ":",
                           "%",
                           "%%",
                           " mx/24//64",
                           " include:%{l}.%{d}",
                           "=",
                           ".",
                           "-",
                           " ip6:1:2:3",
                           "a-",
                           " r=%{i}",
                           " ip4:1.2.3.4/24",
                           "{",
                           "}",
                           "%{",
                           "\xff",
                           " \xff"}) {
    for (const char* start : {"v=spf1 ", "v=spf1 a", "v=spf1 a:", "v=spf1 ip4:", "v=spf1 ip6:",
                              "v=spf1 exists:%{d", "v=spf1 x=", "v=spf1 redirect=a."}) {
      std::string text = start;
      while (text.size() < kSize) text += unit;
      Record record;
      SyntaxError error;
      const bool good = ParseRecord(text, &record, &error);
      EXPECT_EQ(good, FindErrors(text).empty());
      if (!good) {
        EXPECT_LT(error.message.size() + error.hint.size(), 400u) << start << unit;
      }
    }
  }
}

TEST(ResultTest, NamesAndQualifiers) {
  EXPECT_EQ(ResultName(OfQualifier(Qualifier::kPass)), "pass");
  EXPECT_EQ(ResultName(OfQualifier(Qualifier::kFail)), "fail");
  EXPECT_EQ(ResultName(OfQualifier(Qualifier::kSoftfail)), "softfail");
  EXPECT_EQ(ResultName(OfQualifier(Qualifier::kNeutral)), "neutral");
  EXPECT_EQ(ResultName(Result::kNone), "none");
  EXPECT_EQ(ResultName(Result::kTemperror), "temperror");
  EXPECT_EQ(ResultName(Result::kPermerror), "permerror");
}

}  // namespace
}  // namespace mz::spf
