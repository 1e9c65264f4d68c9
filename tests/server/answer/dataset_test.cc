// Address datasets: query forms, values, text templates, TTLs, several datasets in one zone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "answer_fixture.h"

namespace mz::answer {
namespace {

using Strings = std::vector<std::string>;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const char kSoa[] = "bl.test. 300 IN SOA ns.ex.test. adm.ex.test. 17 7200 600 604800 300";

class DatasetTest : public ::testing::Test {
 protected:
  // ip4set with 127.0.0.2 (A and TXT), 10.0.0.0/8 but for 10.1.0.0/16.
  void OneList(uint32_t profile = image::kProfileRbldnsd) {
    image_ = TestImage(profile);
    const auto d = image_.AddDataset(image::kIp4Set);
    image_.List(d, "127.0.0.2", image_.Result({{"127.0.0.2", "listed: $"}}));
    image_.List(d, "10.0.0.0/8", image_.Result({{"127.0.0.3", ""}}));
    image_.List(d, "10.1.0.0/16", 0);
    image_.List(d, "255.255.255.255", image_.Result({{"127.0.0.9", "last"}}));
    image_.List(d, "0.0.0.0", image_.Result({{"127.0.0.8", "first"}}));
    TestImage::AddSoa(image_.AddZone("bl.test", {d}));
    image_.Build();
  }
  TestImage image_;
};

TEST_F(DatasetTest, AnswersListedAddressWithA) {
  OneList();
  Reply r = image_.Ask("2.0.0.127.bl.test", "A");
  EXPECT_EQ(r.rcode(), "NOERROR");
  EXPECT_EQ(r.flags(), "qr aa");
  EXPECT_THAT(r.question(), ElementsAre("2.0.0.127.bl.test IN A"));
  EXPECT_THAT(r.answer(), ElementsAre("2.0.0.127.bl.test. 2100 IN A 127.0.0.2"));
  EXPECT_THAT(r.authority(), IsEmpty());
  EXPECT_EQ(r.bytes.size(), 51u);  // as rbldnsd's: question and one compressed RR
  EXPECT_EQ(r.outcome.kind, Outcome::kAnswered);
  EXPECT_EQ(r.outcome.zone, 0);
}

TEST_F(DatasetTest, AnswersListedAddressWithTextAndBoth) {
  OneList();
  EXPECT_THAT(image_.Ask("2.0.0.127.bl.test", "TXT").answer(),
              ElementsAre("2.0.0.127.bl.test. 2100 IN TXT \"listed: 127.0.0.2\""));
  EXPECT_THAT(image_.Ask("2.0.0.127.bl.test", "ANY").answer(),
              ElementsAre("2.0.0.127.bl.test. 2100 IN A 127.0.0.2",
                          "2.0.0.127.bl.test. 2100 IN TXT \"listed: 127.0.0.2\""));
}

TEST_F(DatasetTest, ListedWithoutTheTypeIsNodataWithSoa) {
  OneList();
  for (const char* type : {"TXT", "MX", "AAAA", "NS", "SOA", "PTR", "TYPE249"}) {
    Reply r = image_.Ask("1.0.0.10.bl.test", type);
    EXPECT_EQ(r.rcode(), "NOERROR") << type;
    EXPECT_EQ(r.flags(), "qr aa") << type;
    EXPECT_THAT(r.answer(), IsEmpty()) << type;
    EXPECT_THAT(r.authority(), ElementsAre(kSoa)) << type;  // RFC 2308 section 2.2
  }
}

TEST_F(DatasetTest, UnlistedIsNxdomainWithSoa) {
  OneList();
  for (const char* name :
       {"1.0.0.127.bl.test", "1.0.1.10.bl.test", "1.0.0.0.bl.test", "254.255.255.255.bl.test"}) {
    Reply r = image_.Ask(name, "A");
    EXPECT_EQ(r.rcode(), "NXDOMAIN") << name;
    EXPECT_EQ(r.flags(), "qr aa") << name;
    EXPECT_THAT(r.authority(), ElementsAre(kSoa)) << name;  // RFC 2308 section 2.1
    EXPECT_EQ(r.outcome.kind, Outcome::kNxdomain);
  }
}

TEST_F(DatasetTest, FindsFirstAndLastAddress) {
  OneList();
  EXPECT_THAT(image_.Ask("255.255.255.255.bl.test", "TXT").answer(),
              ElementsAre("255.255.255.255.bl.test. 2100 IN TXT \"last\""));
  EXPECT_THAT(image_.Ask("0.0.0.0.bl.test", "TXT").answer(),
              ElementsAre("0.0.0.0.bl.test. 2100 IN TXT \"first\""));
}

TEST_F(DatasetTest, TakesOneToThreeDigitsAndNothingElse) {
  OneList();
  for (const char* name : {"2.0.0.127.bl.test", "002.0.00.127.bl.test", "02.000.0.127.BL.TEST"})
    EXPECT_EQ(image_.Ask(name, "A").answer().size(), 1u) << name;
  for (const char* name : {"0002.0.0.127.bl.test", "256.0.0.10.bl.test", "a.0.0.10.bl.test",
                           "1.0.0.0.10.bl.test", "-1.0.0.10.bl.test", "*.0.0.10.bl.test", "1a.0.0.10.bl.test",
                           "x.1.0.0.10.bl.test", "999.0.0.10.bl.test", "1\\.0.0.0.10.bl.test"})
    EXPECT_EQ(image_.Ask(name, "A").rcode(), "NXDOMAIN") << name;
}

TEST_F(DatasetTest, KeepsTheCaseOfTheQuestion) {
  OneList();
  Reply r = image_.Ask("2.0.0.127.Bl.tEsT", "A");  // RFC 4343
  EXPECT_THAT(r.question(), ElementsAre("2.0.0.127.Bl.tEsT IN A"));
  EXPECT_THAT(r.answer(), ElementsAre("2.0.0.127.Bl.tEsT. 2100 IN A 127.0.0.2"));
}

TEST_F(DatasetTest, ForeignNamesAreRefused) {
  OneList();
  for (const char* name : {"", "test", "example.com", "2.0.0.127.bl.test.example", "xbl.test", "l.test"}) {
    Reply r = image_.Ask(name, "A");
    EXPECT_EQ(r.rcode(), "REFUSED") << name;
    EXPECT_EQ(r.flags(), "qr") << name;
    EXPECT_TRUE(r.answer().empty() && r.authority().empty() && r.additional().empty());
    EXPECT_EQ(r.outcome.zone, -1);
  }
}

TEST_F(DatasetTest, SeveralValuesKeepTheirOrderWithTextBehindItsAddress) {
  const auto d = image_.AddDataset(image::kIp4Set);
  image_.List(d, "1.2.3.4",
              image_.Result({{"127.0.0.5", "five"}, {"127.0.0.2", "two $"}, {"127.0.0.9", ""}}));
  image_.AddZone("bl.test", {d});
  image_.Build();
  EXPECT_THAT(
      image_.Ask("4.3.2.1.bl.test", "ANY").answer(),
      ElementsAre("4.3.2.1.bl.test. 2100 IN A 127.0.0.5", "4.3.2.1.bl.test. 2100 IN TXT \"five\"",
                  "4.3.2.1.bl.test. 2100 IN A 127.0.0.2", "4.3.2.1.bl.test. 2100 IN TXT \"two 1.2.3.4\"",
                  "4.3.2.1.bl.test. 2100 IN A 127.0.0.9"));
}

TEST_F(DatasetTest, EqualRecordsAppearOnce) {  // RFC 2181 section 5
  const auto d = image_.AddDataset(image::kIp4Set);
  image_.List(
      d, "1.2.3.4",
      image_.Result(
          {{"127.0.0.2", "one"}, {"127.0.0.2", "two"}, {"127.0.0.3", "one"}, {"127.0.0.2", "three"}}));
  image_.AddZone("bl.test", {d});
  image_.Build();
  EXPECT_THAT(image_.Ask("4.3.2.1.bl.test", "A").answer(),
              ElementsAre("4.3.2.1.bl.test. 2100 IN A 127.0.0.2", "4.3.2.1.bl.test. 2100 IN A 127.0.0.3"));
  EXPECT_EQ(image_.Ask("4.3.2.1.bl.test", "TXT").answer().size(), 3u);
}

TEST_F(DatasetTest, EqualLongTextsAppearOnce) {
  // rbldnsd compares only the low octet of RDLENGTH; 255 octets of text make 256 of RDATA.
  const std::string text(255, 'x');
  const auto d = image_.AddDataset(image::kGeneric), e = image_.AddDataset(image::kGeneric);
  for (auto g : {d, e}) image_.AddRecord(g, "a", dns::kTypeTxt, 60, '\xff' + text);
  image_.AddZone("bl.test", {d, e});
  image_.Build();
  EXPECT_EQ(image_.Ask("a.bl.test", "TXT").answer().size(), 1u);
}

TEST_F(DatasetTest, AllDatasetsAnswerInOrderAndTheSmallestTtlCounts) {  // RFC 2181 section 5.2
  const auto d = image_.AddDataset(image::kIp4Set, 500), e = image_.AddDataset(image::kIp4Trie, 300),
             f = image_.AddDataset(image::kIp4Tset, 400);
  image_.List(d, "1.2.3.4", image_.Result({{"127.0.0.9", "d"}}));
  image_.List(e, "1.2.0.0/16", image_.Result({{"127.0.0.2", ""}, {"127.0.0.9", ""}}));
  image_.List(f, "1.2.3.4", image_.Result({{"127.0.0.1", "f"}}));
  image_.AddZone("bl.test", {d, e, f});
  image_.Build();
  EXPECT_THAT(image_.Ask("4.3.2.1.bl.test", "ANY").answer(),
              ElementsAre("4.3.2.1.bl.test. 300 IN A 127.0.0.9", "4.3.2.1.bl.test. 400 IN TXT \"d\"",
                          "4.3.2.1.bl.test. 300 IN A 127.0.0.2", "4.3.2.1.bl.test. 300 IN A 127.0.0.1",
                          "4.3.2.1.bl.test. 400 IN TXT \"f\""));
}

TEST_F(DatasetTest, SmallerTtlOfADuplicateCounts) {
  const auto d = image_.AddDataset(image::kIp4Set, 500), e = image_.AddDataset(image::kIp4Set, 300);
  for (auto list : {d, e}) image_.List(list, "1.2.3.4", image_.Result({{"127.0.0.2", ""}}));
  image_.AddZone("bl.test", {d, e});
  image_.Build();
  EXPECT_THAT(image_.Ask("4.3.2.1.bl.test", "A").answer(),
              ElementsAre("4.3.2.1.bl.test. 300 IN A 127.0.0.2"));
}

TEST_F(DatasetTest, TextIsCutAt254Octets) {
  const auto d = image_.AddDataset(image::kIp4Set);
  image_.List(d, "1.2.3.4", image_.Result({{"127.0.0.2", std::string(250, 'x') + "$end"}}));
  image_.List(d, "1.2.3.5", image_.Result({{"127.0.0.2", std::string(300, 'y')}}));
  image_.List(d, "1.2.3.6",
              image_.Result({{"127.0.0.2", "$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$"}}));
  image_.AddZone("bl.test", {d});
  image_.Build();
  EXPECT_THAT(image_.Ask("4.3.2.1.bl.test", "TXT").answer(),
              ElementsAre("4.3.2.1.bl.test. 2100 IN TXT \"" + std::string(250, 'x') + "1.2.\""));
  EXPECT_THAT(image_.Ask("5.3.2.1.bl.test", "TXT").answer(),
              ElementsAre("5.3.2.1.bl.test. 2100 IN TXT \"" + std::string(254, 'y') + "\""));
  EXPECT_EQ(image_.Ask("6.3.2.1.bl.test", "TXT").message.answer.at(0).rdata.size(), 255u);
}

TEST_F(DatasetTest, LongTextIsSplitIntoStringsOf255) {  // RFC 1035 section 3.3.14, RFC 7208 section 3.3
  const auto d = image_.AddDataset(image::kIp4Set);
  image_.List(d, "1.2.3.4",
              image_.Result({{"127.0.0.2", std::string(250, 'x') + "$" + std::string(260, 'z'), 0}}));
  image_.List(d, "1.2.3.5", image_.Result({{"127.0.0.2", std::string(255, 'y'), 0}}));
  image_.AddZone("bl.test", {d});
  image_.Build();
  AskOptions big;
  big.query.edns = dns::EdnsQuery{.udp_bytes = 1232};
  EXPECT_THAT(image_.Ask("4.3.2.1.bl.test", "TXT", big).answer(),
              ElementsAre("4.3.2.1.bl.test. 2100 IN TXT \"" + std::string(250, 'x') + "1.2.3\" \".4" +
                          std::string(253, 'z') + "\" \"zzzzzzz\""));
  EXPECT_THAT(image_.Ask("5.3.2.1.bl.test", "TXT", big).answer(),
              ElementsAre("5.3.2.1.bl.test. 2100 IN TXT \"" + std::string(255, 'y') + "\""));
}

TEST_F(DatasetTest, HolesAtTheEndsAndSideBySide) {
  const auto d = image_.AddDataset(image::kIp4Set);
  image_.List(d, "1.2.3.4", image_.Result({{"127.0.0.2", "$$-$"}}));
  image_.AddZone("bl.test", {d});
  image_.Build();
  EXPECT_THAT(image_.Ask("4.3.2.1.bl.test", "TXT").answer(),
              ElementsAre("4.3.2.1.bl.test. 2100 IN TXT \"1.2.3.41.2.3.4-1.2.3.4\""));
}

// --- IPv6 and the IPv4 images in it
// -------------------------------------------------------------------------------------

std::string Nibbles(const char* address) {
  const net::Ip6 a = net::ParseIp6(address).value();
  std::string out;
  for (int i = 0; i < 32; i++) {
    out += "0123456789abcdef"[(i < 16 ? a.low >> (4 * i) : a.high >> (4 * (i - 16))) & 15];
    out += '.';
  }
  return out + "bl.test";
}

TEST_F(DatasetTest, AnswersIp6InNibblesOfAnyCase) {
  const auto d = image_.AddDataset(image::kIp6Trie);
  image_.List(d, "2001:db8::/32", image_.Result({{"127.0.0.2", "at $"}}));
  TestImage::AddSoa(image_.AddZone("bl.test", {d}));
  image_.Build();
  std::string name = Nibbles("2001:db8::ab:0:1");
  EXPECT_THAT(image_.Ask(name, "TXT").answer(), ElementsAre(name + ". 2100 IN TXT \"at 2001:db8::ab:0:1\""));
  for (char& c : name) c = static_cast<char>(std::toupper(c));
  EXPECT_EQ(image_.Ask(name, "A").answer().size(), 1u);
  EXPECT_EQ(image_.Ask("0." + name, "A").rcode(), "NXDOMAIN");
  EXPECT_EQ(image_.Ask(Nibbles("2001:db9::1"), "A").rcode(), "NXDOMAIN");
  std::string bad = Nibbles("2001:db8::1");
  bad[0] = 'g';
  EXPECT_EQ(image_.Ask(bad, "A").rcode(), "NXDOMAIN");
  // Without an IPv4 dataset, mapped addresses are ordinary IPv6.
  EXPECT_EQ(image_.Ask(Nibbles("::ffff:1.2.3.4"), "A").rcode(), "NXDOMAIN");
}

TEST_F(DatasetTest, Ip4DatasetTakes6To4AndMappedNames) {  // RFC 5782 section 2.4 meets rbldnsd
  const auto d = image_.AddDataset(image::kIp4Set);
  image_.List(d, "1.2.3.4", image_.Result({{"127.0.0.2", "v4 $"}}));
  image_.AddZone("bl.test", {d});
  image_.Build();
  for (const char* address : {"2002:102:304::", "2002:102:304:ffff::9", "::ffff:1.2.3.4"})
    EXPECT_THAT(image_.Ask(Nibbles(address), "TXT").answer(),
                ElementsAre(Nibbles(address) + ". 2100 IN TXT \"v4 1.2.3.4\""))
        << address;
  EXPECT_EQ(image_.Ask(Nibbles("2002:102:305::"), "TXT").rcode(), "NXDOMAIN");
  EXPECT_EQ(image_.Ask(Nibbles("::1.2.3.4"), "TXT").rcode(), "NXDOMAIN");
}

TEST_F(DatasetTest, Ip6DatasetsAreAskedFor6To4ButNotForMapped) {
  const auto d = image_.AddDataset(image::kIp4Set), e = image_.AddDataset(image::kIp6Trie);
  image_.List(d, "1.2.3.4", image_.Result({{"127.0.0.4", "v4 $"}}));
  image_.List(e, "::/0", image_.Result({{"127.0.0.6", "v6 $"}}));
  image_.AddZone("bl.test", {e, d});
  image_.Build();
  EXPECT_THAT(image_.Ask(Nibbles("2002:102:304::1"), "TXT").answer(),
              ElementsAre(Nibbles("2002:102:304::1") + ". 2100 IN TXT \"v6 2002:102:304::1\"",
                          Nibbles("2002:102:304::1") + ". 2100 IN TXT \"v4 1.2.3.4\""));
  EXPECT_THAT(image_.Ask(Nibbles("::ffff:1.2.3.4"), "TXT").answer(),
              ElementsAre(Nibbles("::ffff:1.2.3.4") + ". 2100 IN TXT \"v4 1.2.3.4\""));
  EXPECT_EQ(image_.Ask(Nibbles("::ffff:1.2.3.5"), "TXT").rcode(), "NXDOMAIN");
}

// --- large maps
// --------------------------------------------------------------------------------------------------------

TEST_F(DatasetTest, LargeListAnswersExactly) {
  const auto d = image_.AddDataset(image::kIp4Set);
  BigVector<compiler::Interval4> map{{0, 0}};
  const compiler::ResultId results[] = {image_.Result({{"127.0.0.2", "a $"}}),
                                        image_.Result({{"127.0.0.3", "b"}}),
                                        image_.Result({{"127.0.0.4", ""}})};
  for (uint32_t i = 0; i < 100000; i++) {  // every second address of a few networks
    map.push_back({0x0a000000 + 2 * i * 37, results[i % 3]});
    map.push_back({0x0a000000 + 2 * i * 37 + 1, 0});
  }
  image_.dataset(d).map4 = map;
  image_.AddZone("bl.test", {d});
  image_.Build();
  const char* addresses[] = {"127.0.0.2", "127.0.0.3", "127.0.0.4"};
  for (uint32_t i = 0; i < 100000; i += 991) {
    const uint32_t ip = 0x0a000000 + 2 * i * 37;
    auto name = [](uint32_t a) { return net::ToString(net::Ip4{ByteSwap(a)}) + ".bl.test"; };
    EXPECT_THAT(image_.Ask(name(ip), "A").answer(),
                ElementsAre(name(ip) + ". 2100 IN A " + addresses[i % 3]));
    EXPECT_EQ(image_.Ask(name(ip + 1), "A").rcode(), "NXDOMAIN");
  }
}

}  // namespace
}  // namespace mz::answer
