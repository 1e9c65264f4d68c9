// Special entries and generic records.
#include "format/dataset/specials.h"

#include <gtest/gtest.h>

#include <string>

#include "format/dataset/generic_record.h"
#include "format/dns/name.h"

namespace mz::dataset {
namespace {

TEST(SpecialLineTest, TakesFourSpellingsAndAnyCase) {
  for (std::string start : {"$", "#$", ";$", ":$"}) {
    const std::string text = start + "tTl 5";
    SpecialLine line = ParseSpecialLine(text);
    EXPECT_EQ(line.kind, SpecialKind::kTtl) << start;
    EXPECT_EQ(line.text, "5");
  }
  EXPECT_EQ(ParseSpecialLine("$NAMESERVER 1 a").kind, SpecialKind::kNs);
  EXPECT_EQ(ParseSpecialLine("$ENT true").kind, SpecialKind::kEnt);
  EXPECT_EQ(ParseSpecialLine("$1\tx").variable, '1');
  EXPECT_EQ(ParseSpecialLine("$=  a b").text, "a b");
}

TEST(SpecialLineTest, WordNeedsABlankAndAValue) {
  for (const char* line : {"$", "$ TTL 5", "$TTL5", "$TTL", "$9", "$A x", "$10 x", "$1x a", "$=x", "$$ x", "$FOO x", "$SOAX 1"})
    EXPECT_EQ(ParseSpecialLine(line).kind, SpecialKind::kUnknown) << line;
}

int64_t Time(std::string_view text) {
  uint32_t seconds;
  return ParseTimeText(text, &seconds) ? int64_t{seconds} : -1;
}

TEST(TimeTest, ReadsUnits) {
  EXPECT_EQ(Time("0"), 0);
  EXPECT_EQ(Time("5s"), 5);
  EXPECT_EQ(Time("1M"), 60);
  EXPECT_EQ(Time("2h"), 7200);
  EXPECT_EQ(Time("1d"), 86400);
  EXPECT_EQ(Time("1W"), 604800);
  EXPECT_EQ(Time("4294967295"), 4294967295);
  EXPECT_EQ(Time("7101w"), 7101ll * 604800);
  for (const char* bad : {"", "4294967296", "7102w", "1h30m", "5x", "-1", "5 x", "5:", "1hh", "h"})
    EXPECT_EQ(Time(bad), -1) << bad;
}

std::string Soa(std::string_view text) {
  SoaText soa;
  if (!ParseSoaText(text, &soa)) return "invalid";
  auto name = [](const std::string& wire) { return dns::NameText(std::string_view(wire).substr(0, wire.size() - 1)); };
  std::string out = std::to_string(soa.ttl) + " " + name(soa.mname) + " " + name(soa.rname);
  for (uint32_t v : {soa.serial, soa.refresh, soa.retry, soa.expire, soa.minimum}) out += " " + std::to_string(v);
  return out;
}

TEST(SoaTest, ReadsEightFields) {
  EXPECT_EQ(Soa("1h NS.T A\\.B.T 5 1m 2M 3d 4w"), "3600 NS.T A\\.B.T 5 60 120 259200 2419200");
  EXPECT_EQ(Soa("1h . . 0 0 0 0 0"), "3600 . . 0 0 0 0 0");
  EXPECT_EQ(Soa("1  a..b. .c\t01 2 3 4 5"), "1 a.b c 1 2 3 4 5");
  for (const char* bad : {"", "1h a b 1 2 3 4", "1h a b 1 2 3 4 5 6", "1h a b 1 2 3 4 5 # c", "1h a b 1s 2 3 4 5",
                          "1h a b 4294967296 2 3 4 5", "1h a b -1 2 3 4 5", "1h a b 1: 2 3 4 5", "a b 1 2 3 4 5",
                          "1h a b 1 2: 3 4 5", "1h a\\300 b 1 2 3 4 5", "1h: a b 1 2 3 4 5", "1h a b 1 2 3 4 5:"})
    EXPECT_EQ(Soa(bad), "invalid") << bad;
}

std::string Ns(std::string_view text) {
  NsText ns;
  bool ok = ParseNsText(text, &ns);
  std::string out = ok ? std::to_string(ns.ttl) : "invalid";
  for (const std::string& n : ns.names) out += " " + dns::NameText(std::string_view(n).substr(0, n.size() - 1));
  return out;
}

TEST(NsTest, ReadsDistinctNames) {
  EXPECT_EQ(Ns("1h a b a B A"), "3600 a b");
  EXPECT_EQ(Ns("60 n1.t -n2.t n3.t -"), "60 n1.t n3.t");
  EXPECT_EQ(Ns("1h -a -b"), "3600");
  EXPECT_EQ(Ns("1h -" + std::string(64, 'x') + " b"), "3600 b");
  EXPECT_EQ(Ns("1h ."), "3600 .");
  EXPECT_EQ(Ns("1h n1.t ; comment"), "3600 n1.t \\; comment") << "no trailing comments";
}

TEST(NsTest, KeepsTheNamesBeforeABadOne) {
  EXPECT_EQ(Ns("1h a " + std::string(64, 'x') + " b"), "invalid a");
  EXPECT_EQ(Ns("n1.t"), "invalid");
  EXPECT_EQ(Ns("1h"), "invalid");
}

int64_t MaxRange(std::string_view text) {
  uint32_t n;
  return ParseMaxRangeText(text, &n) ? int64_t{n} : -1;
}

TEST(MaxRangeTest, TakesCountsAndBits) {
  EXPECT_EQ(MaxRange("16"), 16);
  EXPECT_EQ(MaxRange("/24"), 256);
  EXPECT_EQ(MaxRange("/32"), 1);
  EXPECT_EQ(MaxRange("/1"), 1ll << 31);
  EXPECT_EQ(MaxRange("4294967295"), 4294967295);
  for (const char* bad : {"0", "/0", "/33", "x", "", "16x", "16 x", "16:", "/ 24", "5/24", "4294967296"})
    EXPECT_EQ(MaxRange(bad), -1) << bad;
}

std::string Stamp(std::string_view text) {
  TimestampText t;
  if (!ParseTimestampText(text, &t)) return "invalid";
  return std::to_string(t.stamp) + " " + std::to_string(t.expires);
}

TEST(TimestampTest, ReadsDatesInUtc) {
  EXPECT_EQ(Stamp("20200102"), "1577923200 0");
  EXPECT_EQ(Stamp("2020-01-02 2037-12-31"), "1577923200 2145830400");
  EXPECT_EQ(Stamp("0 20200101"), "0 1577836800");
  EXPECT_EQ(Stamp("2020:01:01 +1w"), "1577836800 1578441600");
  EXPECT_EQ(Stamp("- -"), "0 0");
  EXPECT_EQ(Stamp("2020:1:2:3"), "1577934000 0");
  EXPECT_EQ(Stamp("20200229"), "1582934400 0");
  EXPECT_EQ(Stamp("2020-01-01-10-20-30"), "1577874030 0");
  for (const char* bad : {"", "0 +1w", "2020:13:01", "2019:02:29", "2020:01:01:00:00:00x 20200301", "20200101 +0",
                          "1969-01-01", "2039-01-01", "2020", "202001", "20200101 20200102 x", "20200101 +1d:",
                          "20200101 +1d x", "2020-01-01-24", "2020-01-01-10-60"})
    EXPECT_EQ(Stamp(bad), "invalid") << bad;
}

TEST(DatasetLineTest, TakesSubzonesUpToAComment) {
  DatasetText d;
  ASSERT_TRUE(ParseDatasetText("ip4set:na:me @ a a#b ;c d", &d));
  EXPECT_EQ(d.type, "ip4set");
  EXPECT_EQ(d.name, "na:me");
  EXPECT_EQ(d.subzones, (std::vector<std::string_view>{"@", "a", "a#b"}));
  ASSERT_TRUE(ParseDatasetText("dnset", &d));
  EXPECT_TRUE(d.subzones.empty());
  EXPECT_FALSE(ParseDatasetText("#x", &d));
}

// "name type ttl rdata-hex", or the result.
std::string Generic(std::string text) {
  GenericLine line;
  std::string arena = "before";
  const char* where;
  switch (ParseGenericLine(text.data(), text.data() + text.size(), &line, &arena, &where)) {
    case GenericResult::kInvalid: EXPECT_EQ(arena, "before") << text; return "invalid";
    case GenericResult::kFatalTtl: return "fatal ttl";
    case GenericResult::kFatalMx: return "fatal mx";
    case GenericResult::kOk: break;
  }
  std::string_view all = std::string_view(arena).substr(6);
  std::string out = dns::NameText(all.substr(0, line.name_bytes)) + " " + std::to_string(line.type) + " " +
                    (line.has_ttl ? std::to_string(line.ttl) : "-") + " ";
  for (unsigned char c : all.substr(line.name_bytes)) {
    char hex[3];
    std::snprintf(hex, sizeof hex, "%02x", c);
    out += hex;
  }
  EXPECT_EQ(all.size(), line.name_bytes + line.rdata_bytes);
  return out;
}

TEST(GenericTest, ReadsAddresses) {
  EXPECT_EQ(Generic("A.b A 1.2.3.4"), "a.b 1 - 01020304");
  EXPECT_EQ(Generic("@ 60 IN a 1.2"), ". 1 60 01000002");
  EXPECT_EQ(Generic("a in A 5"), "a 1 - 00000005");
  EXPECT_EQ(Generic("a 0 A 0"), "a 1 - 00000000");
  EXPECT_EQ(Generic("a A 1.2.3.4junk"), "a 1 - 01020304");
  EXPECT_EQ(Generic("* A 1.2.3.4.5"), "* 1 - 01020304");
  for (const char* bad : {"a A 256", "a A 1.", "a A .1", "a A 1..2", "a A x"}) EXPECT_EQ(Generic(bad), "invalid") << bad;
}

TEST(GenericTest, ReadsTexts) {
  EXPECT_EQ(Generic("a TXT x"), "a 16 - 0178");
  EXPECT_EQ(Generic("a txt \"x\""), "a 16 - 0178");
  EXPECT_EQ(Generic("a TXT \"\""), "a 16 - 00");
  EXPECT_EQ(Generic("a TXT \""), "a 16 - 0122");
  EXPECT_EQ(Generic("a TXT \"a\" \"b\""), "a 16 - 0561222022" "62");
  GenericLine line;
  std::string arena, text = "a TXT " + std::string(256, 'x');
  const char* where;
  ASSERT_EQ(ParseGenericLine(text.data(), text.data() + text.size(), &line, &arena, &where), GenericResult::kOk);
  EXPECT_TRUE(line.truncated);
  EXPECT_EQ(line.rdata_bytes, 256u);
}

TEST(GenericTest, ReadsMx) {
  EXPECT_EQ(Generic("a MX 10 B.c"), "a 15 - 000a0142016300");
  EXPECT_EQ(Generic("a mx 010 ."), "a 15 - 000a00");
  for (const char* bad : {"a MX 65536 b", "a MX x b", "a MX 10b b", "a MX 10: b", "a MX"})
    EXPECT_EQ(Generic(bad), "invalid") << bad;
  EXPECT_EQ(Generic("a MX 10"), "fatal mx");
  EXPECT_EQ(Generic("a MX 10 b c"), "fatal mx");
  EXPECT_EQ(Generic("a MX 10 b ;c"), "fatal mx");
  EXPECT_EQ(Generic("a MX 10 " + std::string(64, 'x')), "fatal mx");
}

TEST(GenericTest, TellsWarningsFromFatalLines) {
  for (const char* bad : {"a", "a A", "a 5", "a IN", "a IN 60 A 1", "a 5 5 A 1", "a AAAA ::1", "a 1: A 1", ". A 1",
                          "a IN IN A 1"})
    EXPECT_EQ(Generic(bad), "invalid") << bad;
  for (const char* bad : {"a 12x A 1", "a 1hh A 1", "a 4294967296 A 1"}) EXPECT_EQ(Generic(bad), "fatal ttl") << bad;
}

}  // namespace
}  // namespace mz::dataset
