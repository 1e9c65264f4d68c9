// Sections: apex SOA, NS and ANY, NS in AUTHORITY with glue and rotation, negative TTLs, what happens when
// things do not fit.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "answer_fixture.h"

namespace mz::answer {
namespace {

using Strings = std::vector<std::string>;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const char kSoaRdata[] = " IN SOA ns.ex.test. adm.ex.test. 17 7200 600 604800 300";

class SectionTest : public ::testing::Test {
 protected:
  void Make(bool soa, std::vector<std::string> ns, uint32_t flags = 0,
            uint32_t profile = image::kProfileRbldnsd) {
    image_ = TestImage(profile);
    const auto d = image_.AddDataset(image::kIp4Set), g = image_.AddDataset(image::kGeneric, 60);
    image_.List(d, "1.2.3.4", image_.Result({{"127.0.0.2", "t"}}));
    image_.AddRecord(g, "@", dns::kTypeA, 60, {9, 9, 9, 9});
    image_.AddRecord(g, "ns1", dns::kTypeA, 60, {10, 0, 0, 1});
    compiler::ZoneModel& zone = image_.AddZone("bl.test", {d, g}, flags);
    if (soa) TestImage::AddSoa(zone);
    if (!ns.empty()) TestImage::AddNs(zone, ns);
    image_.Build();
  }
  TestImage image_;
};

const std::string kN1 = "bl.test. 7200 IN NS n1.t.", kN2 = "bl.test. 7200 IN NS n2.t.",
                  kN3 = "bl.test. 7200 IN NS n3.t.";

TEST_F(SectionTest, ApexSoa) {
  Make(true, {"n1.t"});
  Reply r = image_.Ask("bl.test", "SOA");
  EXPECT_EQ(r.flags(), "qr aa");
  EXPECT_THAT(r.answer(),
              ElementsAre("bl.test. 3600" + std::string(kSoaRdata)));  // the ttl field, not the minimum
  EXPECT_THAT(r.authority(), ElementsAre(kN1));
}

TEST_F(SectionTest, NsRotatesByOnePerUseAndTwiceForApexNs) {
  Make(true, {"n1.t", "n2.t", "n3.t"});
  EXPECT_THAT(image_.Ask("4.3.2.1.bl.test", "A").authority(), ElementsAre(kN1, kN2, kN3));
  EXPECT_THAT(image_.Ask("4.3.2.1.bl.test", "A").authority(), ElementsAre(kN2, kN3, kN1));
  EXPECT_THAT(image_.Ask("5.3.2.1.bl.test", "A").authority(), SizeIs(1));  // a denial does not rotate
  EXPECT_THAT(image_.Ask("4.3.2.1.bl.test", "A").authority(), ElementsAre(kN3, kN1, kN2));
  EXPECT_THAT(image_.Ask("4.3.2.1.bl.test", "A").authority(), ElementsAre(kN1, kN2, kN3));
  Reply r = image_.Ask("bl.test", "NS");
  EXPECT_THAT(r.answer(), ElementsAre(kN2, kN3, kN1));
  EXPECT_THAT(r.authority(), ElementsAre(kN3, kN1, kN2));
  r = image_.Ask("bl.test", "NS");
  EXPECT_THAT(r.answer(), ElementsAre(kN1, kN2, kN3));
}

TEST_F(SectionTest, RotationSurvivesAShrunkenNsSetAndAMissingCounter) {
  Make(true, {"n1.t", "n2.t"});
  image_.state().ns_rotation[0] = 77;
  EXPECT_THAT(image_.Ask("4.3.2.1.bl.test", "A").authority(), ElementsAre(kN1, kN2));
  image_.state().ns_rotation = {};
  EXPECT_THAT(image_.Ask("4.3.2.1.bl.test", "A").authority(), ElementsAre(kN1, kN2));
}

TEST_F(SectionTest, ApexAny) {
  Make(true, {"n1.t"});
  Reply r = image_.Ask("bl.test", "ANY");
  EXPECT_THAT(r.answer(),
              ElementsAre("bl.test. 3600" + std::string(kSoaRdata), kN1, "bl.test. 60 IN A 9.9.9.9"));
  EXPECT_THAT(r.authority(), ElementsAre(kN1));
}

TEST_F(SectionTest, MinimalZonesSendNoNsInAuthority) {
  Make(true, {"n1.t", "ns1.bl.test"}, image::kZoneMinimal);
  for (const char* type : {"SOA", "NS", "ANY", "A"}) {
    Reply r = image_.Ask("bl.test", type);
    EXPECT_FALSE(r.answer().empty()) << type;
    EXPECT_THAT(r.authority(), IsEmpty()) << type;
    EXPECT_THAT(r.additional(), IsEmpty()) << type;
  }
  EXPECT_THAT(image_.Ask("4.3.2.1.bl.test", "A").authority(), IsEmpty());
  EXPECT_THAT(image_.Ask("4.3.2.1.bl.test", "MX").authority(), SizeIs(1));  // the SOA stays
}

TEST_F(SectionTest, RbldnsdRefusesApexQueriesForWhatItWasNotGiven) {
  Make(false, {"n1.t"});
  EXPECT_EQ(image_.Ask("bl.test", "SOA").rcode(), "REFUSED");
  EXPECT_EQ(image_.Ask("bl.test", "SOA").flags(), "qr");
  EXPECT_EQ(image_.Ask("bl.test", "ANY").rcode(), "REFUSED");
  EXPECT_EQ(image_.Ask("bl.test", "NS").rcode(), "NOERROR");
  EXPECT_THAT(image_.Ask("bl.test", "TXT").authority(), IsEmpty());  // NODATA without a SOA to show
  EXPECT_EQ(image_.Ask("bl.test", "TXT").rcode(), "NOERROR");
  EXPECT_EQ(image_.Ask("9.9.9.9.bl.test", "TXT").rcode(), "NXDOMAIN");
  Make(true, {});
  EXPECT_EQ(image_.Ask("bl.test", "SOA").rcode(), "NOERROR");
  EXPECT_EQ(image_.Ask("bl.test", "ANY").rcode(), "REFUSED");
  EXPECT_EQ(image_.Ask("bl.test", "NS").rcode(), "REFUSED");
}

TEST_F(SectionTest, WithoutTheProfileApexQueriesAreNodata) {  // RFC 2308 section 2.2
  Make(true, {}, 0, 0);
  Reply r = image_.Ask("bl.test", "NS");
  EXPECT_EQ(r.rcode(), "NOERROR");
  EXPECT_THAT(r.authority(), SizeIs(1));
  Make(false, {"n1.t"}, 0, 0);
  EXPECT_EQ(image_.Ask("bl.test", "SOA").rcode(), "NOERROR");
}

TEST_F(SectionTest, WithoutTheProfileNsAnswersAreNotRepeated) {
  Make(true, {"n1.t", "ns1.bl.test"}, 0, 0);
  Reply r = image_.Ask("bl.test", "NS");
  EXPECT_THAT(r.answer(), ElementsAre(kN1, "bl.test. 7200 IN NS ns1.bl.test."));
  EXPECT_THAT(r.authority(), IsEmpty());
  EXPECT_THAT(r.additional(), ElementsAre("ns1.bl.test. 60 IN A 10.0.0.1"));  // RFC 1034 section 4.3.2 step 6
}

TEST_F(SectionTest, GlueFollowsAuthorityInTheCaseOfTheQuestion) {
  Make(true, {"ns1.bl.test", "n2.t"});
  Reply r = image_.Ask("4.3.2.1.BL.tesT", "A");
  EXPECT_THAT(r.authority(), ElementsAre("BL.tesT. 7200 IN NS ns1.BL.tesT.", "BL.tesT. 7200 IN NS n2.t."));
  EXPECT_THAT(r.additional(), ElementsAre("ns1.BL.tesT. 60 IN A 10.0.0.1"));
}

TEST_F(SectionTest, NegativeTtl) {  // RFC 2308 section 5
  for (auto [profile, ttl, minimum, want] : {std::tuple{image::kProfileRbldnsd, 100u, 300u, 300u},
                                             {image::kProfileRbldnsd, 3600u, 300u, 300u},
                                             {0u, 100u, 300u, 100u},
                                             {0u, 3600u, 300u, 300u}}) {
    TestImage image(profile);
    const auto d = image.AddDataset(image::kIp4Set);
    TestImage::AddSoa(image.AddZone("bl.test", {d}), ttl, minimum);
    image.Build();
    EXPECT_EQ(image.Ask("9.9.9.9.bl.test", "A").message.authority.at(0).ttl, want);
    EXPECT_EQ(image.Ask("bl.test", "A").message.authority.at(0).ttl, want);
    EXPECT_EQ(image.Ask("bl.test", "SOA").message.answer.at(0).ttl, ttl);
  }
}

// --- what does not fit
// -------------------------------------------------------------------------------------------------

class SizeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto d = image_.AddDataset(image::kIp4Set);
    auto values = [&](int n) {
      std::vector<TestValue> out;
      for (int i = 0; i < n; i++)
        out.push_back({"127.0.0." + std::to_string(i + 1), std::string(60, 'a') + std::to_string(i)});
      return image_.Result(out);
    };
    for (int n = 1; n <= 60; n++) image_.List(d, "1.2.3." + std::to_string(n), values(n));
    compiler::ZoneModel& zone = image_.AddZone("bl.test", {d});
    TestImage::AddSoa(zone);
    TestImage::AddNs(zone, {"ns1.a-long-name-server.test", "ns2.another-long-name.test"});
    image_.Build();
  }
  TestImage image_{image::kProfileRbldnsd};
};

TEST_F(SizeTest, AnswersAreWholeOrTruncated) {  // RFC 2181 section 9
  for (bool edns : {false, true}) {
    bool seen_whole = false, seen_cut = false;
    for (int n = 1; n <= 60; n++) {
      AskOptions o;
      if (edns) o.query.edns = dns::EdnsQuery{.udp_bytes = 1232};
      Reply r = image_.Ask(std::to_string(n) + ".3.2.1.bl.test", "TXT", o);
      EXPECT_EQ(r.rcode(), "NOERROR");
      if (r.message.Has(dns::kFlagTc)) {
        EXPECT_EQ(r.flags(), "qr aa tc");
        EXPECT_THAT(r.answer(), IsEmpty());
        EXPECT_THAT(r.question(), SizeIs(1));
        EXPECT_EQ(r.edns() != nullptr, edns);
        EXPECT_EQ(r.outcome.answer_count, 0);
        seen_cut = true;
      } else {
        EXPECT_FALSE(seen_cut) << "a longer answer fitted: " << n;
        EXPECT_THAT(r.answer(), SizeIs(n));
        seen_whole = true;
      }
    }
    EXPECT_TRUE(seen_whole && seen_cut);
  }
}

TEST_F(SizeTest, TcpIsNotCutByTheEdnsSize) {  // RFC 6891 section 6.2.5
  AskOptions o;
  o.tcp = true;
  EXPECT_THAT(image_.Ask("60.3.2.1.bl.test", "ANY", o).answer(), SizeIs(120));
  o.query.edns = dns::EdnsQuery{.udp_bytes = 512};
  Reply r = image_.Ask("60.3.2.1.bl.test", "ANY", o);
  EXPECT_THAT(r.answer(), SizeIs(120));
  EXPECT_THAT(r.authority(), SizeIs(2));
  EXPECT_EQ(r.flags(), "qr aa");
  o.response_bytes = 2000;  // a small TCP buffer cuts
  EXPECT_EQ(image_.Ask("60.3.2.1.bl.test", "ANY", o).flags(), "qr aa tc");
}

TEST_F(SizeTest, NsIsLeftOutWithoutTruncation) {
  int with = 0, without = 0;
  for (int n = 1; n <= 60; n++) {
    Reply r = image_.Ask(std::to_string(n) + ".3.2.1.bl.test", "A");
    if (r.message.Has(dns::kFlagTc)) continue;
    EXPECT_TRUE(r.authority().empty() || r.authority().size() == 2);
    (r.authority().empty() ? without : with)++;
  }
  EXPECT_GT(with, 0);
  EXPECT_GT(without, 0);
}

TEST_F(SizeTest, DuplicatesThatDoNotFitDoNotTruncate) {
  TestImage image;
  const auto d = image.AddDataset(image::kIp4Set);
  std::vector<TestValue> values;
  for (int i = 0; i < 20; i++)
    values.push_back({"127.0.0." + std::to_string(i), std::string(200, i % 2 ? 'a' : 'b')});
  image.List(d, "1.2.3.4", image.Result(values));
  image.AddZone("bl.test", {d});
  image.Build();
  EXPECT_THAT(image.Ask("4.3.2.1.bl.test", "TXT").answer(), SizeIs(2));
}

TEST_F(SizeTest, SoaThatDoesNotFitTruncatesADenial) {
  TestImage image;
  const auto d = image.AddDataset(image::kIp4Set);
  const std::string label(63, 'x');
  compiler::ZoneModel& zone = image.AddZone("bl.test", {d});
  zone.soa = compiler::Soa{60,
                           Wire(label + "." + label + "." + label) + '\0',
                           Wire(std::string(63, 'm') + "." + std::string(62, 'm')) + '\0',
                           1,
                           2,
                           3,
                           4,
                           5};
  image.Build();
  const std::string name = label + "." + label + "." + label + "." + std::string(50, 'y') + ".bl.test";
  Reply r = image.Ask(name, "A");
  EXPECT_EQ(r.flags(), "qr aa tc");
  EXPECT_EQ(r.rcode(), "NXDOMAIN");
  AskOptions tcp;
  tcp.tcp = true;
  EXPECT_THAT(image.Ask(name, "A", tcp).authority(), SizeIs(1));
}

TEST_F(SizeTest, GlueIsDroppedBeforeTheNs) {
  TestImage image;
  const auto g = image.AddDataset(image::kGeneric), d = image.AddDataset(image::kIp4Set);
  for (char c : {1, 2, 3, 4, 5, 6}) image.AddRecord(g, "ns", dns::kTypeA, 60, {c, c, c, c});
  compiler::ZoneModel& zone = image.AddZone("bl.test", {d, g});
  TestImage::AddNs(zone, {"ns.bl.test"});
  int seen[3] = {0, 0, 0};
  for (int n = 1; n < 250; n++)
    image.List(d, "1.2.3." + std::to_string(n),
               image.Result({{"127.0.0.2", std::string(254, 'a')},
                             {"127.0.0.2", std::string(static_cast<size_t>(n), 'b')}}));
  image.Build();
  for (int n = 1; n < 250; n++) {
    Reply r = image.Ask(std::to_string(n) + ".3.2.1.bl.test", "TXT");
    if (r.message.Has(dns::kFlagTc)) continue;
    if (!r.additional().empty()) {
      EXPECT_THAT(r.additional(), SizeIs(6));
      EXPECT_THAT(r.authority(), ElementsAre("bl.test. 7200 IN NS ns.bl.test."));
      seen[0]++;
    } else {
      if (!r.authority().empty()) {
        EXPECT_THAT(r.authority(), ElementsAre("bl.test. 7200 IN NS ns.bl.test."));
      }
      seen[r.authority().empty() ? 2 : 1]++;
    }
  }
  EXPECT_GT(seen[0], 0);
  EXPECT_GT(seen[1], 0);
  EXPECT_GT(seen[2], 0);
}

TEST_F(SizeTest, AtMost255Answers) {
  TestImage image;
  const auto g = image.AddDataset(image::kGeneric);
  for (int i = 0; i < 400; i++)
    image.AddRecord(g, "a", dns::kTypeA, 60, {1, 2, static_cast<char>(i >> 8), static_cast<char>(i)});
  image.AddZone("bl.test", {g});
  image.Build();
  AskOptions tcp;
  tcp.tcp = true;
  EXPECT_THAT(image.Ask("a.bl.test", "A", tcp).answer(), SizeIs(255));
}

TEST_F(SizeTest, EveryBufferSizeIsRespected) {
  for (size_t room = 512; room < 1400; room++) {
    AskOptions o;
    o.query.edns = dns::EdnsQuery{.udp_bytes = 4096};
    o.response_bytes = room;
    image_.settings.max_udp_bytes = 4096;
    Reply r = image_.Ask("9.3.2.1.bl.test", "TXT", o);
    EXPECT_TRUE(r.message.Has(dns::kFlagTc) || r.answer().size() == 9u);
  }
}

}  // namespace
}  // namespace mz::answer
