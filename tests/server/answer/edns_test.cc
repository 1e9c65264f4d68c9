// EDNS(0), RFC 6891, and the options that are spoken.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "answer_fixture.h"

namespace mz::answer {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

class EdnsTest : public ::testing::TestWithParam<uint32_t> {
 protected:
  EdnsTest() : image_(GetParam()) {
    const auto d = image_.AddDataset(image::kIp4Set);
    image_.List(d, "127.0.0.2", image_.Result({{"127.0.0.2", std::string(200, 'x')}}));
    std::vector<TestValue> many;
    for (int i = 0; i < 7; i++) many.push_back({"127.0.0.2", std::string(100, static_cast<char>('a' + i))});
    image_.List(d, "127.0.0.3", image_.Result(many));
    TestImage::AddSoa(image_.AddZone("bl.test", {d}));
    image_.Build();
  }
  AskOptions With(dns::EdnsQuery edns) {
    AskOptions o;
    o.query.edns = std::move(edns);
    return o;
  }
  TestImage image_;
};

INSTANTIATE_TEST_SUITE_P(Profiles, EdnsTest, ::testing::Values(0, image::kProfileRbldnsd));

TEST_P(EdnsTest, OptInOptOutWhateverTheRcode) {  // RFC 6891 section 6.1.1
  for (const char* name : {"2.0.0.127.bl.test", "9.9.9.9.bl.test", "bl.test", "example"}) {
    Reply r = image_.Ask(name, "A", With({}));
    ASSERT_NE(r.edns(), nullptr) << name;
    EXPECT_EQ(r.edns()->version, 0);
    EXPECT_EQ(r.edns()->udp_bytes, 1232);
    EXPECT_EQ(r.edns()->flags, 0);
    EXPECT_EQ(image_.Ask(name, "A").edns(), nullptr) << name;
  }
}

TEST_P(EdnsTest, OtherVersionsGetBadvers) {  // RFC 6891 section 6.1.3
  for (int version = 1; version < 256; version++) {
    Reply r = image_.Ask("2.0.0.127.bl.test", "A", With({.version = static_cast<uint8_t>(version)}));
    EXPECT_EQ(r.rcode(), "BADVERS");
    EXPECT_EQ(r.flags(), "qr");
    EXPECT_EQ(r.edns()->version, 0);
    EXPECT_EQ(r.outcome.rcode, 16);
    EXPECT_EQ(r.outcome.kind, Outcome::kError);
    EXPECT_THAT(r.answer(), IsEmpty());
    EXPECT_THAT(r.question(), SizeIs(1));
  }
}

TEST_P(EdnsTest, UnknownFlagsAreClearedAndDoIsCopied) {  // RFC 6891 section 6.1.4, RFC 3225 section 3
  for (int bit = 0; bit < 16; bit++) {
    const uint16_t flags = static_cast<uint16_t>(1 << bit);
    Reply r = image_.Ask("2.0.0.127.bl.test", "A", With({.flags = flags}));
    EXPECT_EQ(r.rcode(), "NOERROR");
    EXPECT_EQ(r.edns()->flags, flags & dns::kEdnsDnssecOk);
  }
}

TEST_P(EdnsTest, UnknownOptionsAreIgnored) {  // RFC 6891 section 6.1.2
  for (int code = 0; code < 65536; code += code < 300 ? 1 : 997) {
    Reply r =
        image_.Ask("2.0.0.127.bl.test", "A", With({.options = {{static_cast<uint16_t>(code), "abcdefgh"}}}));
    EXPECT_EQ(r.rcode(), "NOERROR") << code;
    EXPECT_THAT(r.edns()->options, IsEmpty()) << code;
  }
}

TEST_P(EdnsTest, SizesBelow512CountAs512) {  // RFC 6891 section 6.2.3
  for (uint16_t size : {0, 1, 100, 511, 512}) {
    Reply r = image_.Ask("2.0.0.127.bl.test", "TXT", With({.udp_bytes = size}));
    EXPECT_THAT(r.answer(), SizeIs(1)) << size;
  }
}

TEST_P(EdnsTest, TheSmallerOfBothSizesLimitsTheReply) {
  for (size_t offered = 512; offered <= 1400; offered++)
    for (uint16_t ours : {512, 900, 1232, 4096}) {
      image_.settings.max_udp_bytes = ours;
      Reply r = image_.Ask("3.0.0.127.bl.test", "TXT", With({.udp_bytes = static_cast<uint16_t>(offered)}));
      const size_t whole = 12 + 23 + 7 * 113 + 11;
      ASSERT_EQ(r.message.Has(dns::kFlagTc), std::min<size_t>(offered, ours) < whole)
          << offered << " " << ours;
      ASSERT_EQ(r.edns()->udp_bytes, ours);
    }
}

TEST_P(EdnsTest, TwoOptRecordsAreFormerr) {  // RFC 6891 section 6.1.1
  std::string q =
      dns::BuildQuery(Wire("2.0.0.127.bl.test"), dns::kTypeA, dns::kClassIn, {.edns = dns::EdnsQuery{}});
  q += dns::BuildOpt({});
  q[11] = 2;
  Reply r = image_.AskBytes(q);
  EXPECT_EQ(r.rcode(), "FORMERR");
  EXPECT_NE(r.edns(), nullptr);
}

TEST_P(EdnsTest, OptMustHaveTheRootAsOwner) {  // RFC 6891 section 6.1.2
  std::string q = dns::BuildQuery(Wire("2.0.0.127.bl.test"), dns::kTypeA, dns::kClassIn, {});
  for (const std::string& owner : {std::string("\1a\0", 3), std::string("\xc0\x0c", 2)}) {
    std::string packet = q + owner + dns::BuildOpt({}).substr(1);
    packet[11] = 1;
    EXPECT_EQ(image_.AskBytes(packet).rcode(), "FORMERR");
  }
}

TEST_P(EdnsTest, OptStandsAnywhereInAdditional) {  // RFC 6891 section 6.1.1
  const std::string record("\0\0\1\0\1\0\0\0\0\0\4abcd", 15);
  const std::string question = dns::BuildQuery(Wire("2.0.0.127.bl.test"), dns::kTypeA, dns::kClassIn, {});
  for (const std::string& tail : {record + dns::BuildOpt({}), dns::BuildOpt({}) + record}) {
    std::string packet = question + tail;
    packet[11] = 2;
    Reply r = image_.AskBytes(packet);
    EXPECT_EQ(r.rcode(), "NOERROR");
    EXPECT_NE(r.edns(), nullptr);
  }
  // Elsewhere it means nothing.
  std::string packet = question + dns::BuildOpt({});
  packet[9] = 1;
  EXPECT_EQ(image_.AskBytes(packet).edns(), nullptr);
}

TEST_P(EdnsTest, OptionsThatLieAboutTheirLength) {
  for (const std::string& options :
       {std::string("\0\3\0", 3), std::string("\0\3\0\1", 4), std::string("\0\3\xff\xff x", 6)}) {
    std::string opt = dns::BuildOpt({});
    opt[10] = static_cast<char>(options.size());
    std::string packet =
        dns::BuildQuery(Wire("2.0.0.127.bl.test"), dns::kTypeA, dns::kClassIn, {}) + opt + options;
    packet[11] = 1;
    Reply r = image_.AskBytes(packet);
    // rbldnsd does not look into OPT.
    EXPECT_EQ(r.rcode(), GetParam() == 0 ? "FORMERR" : "NOERROR");
    EXPECT_NE(r.edns(), nullptr);
  }
}

TEST_P(EdnsTest, NsidOnlyWhenAskedAndConfigured) {  // RFC 5001 section 2
  const dns::EdnsQuery ask{.options = {{dns::kOptionNsid, ""}}};
  EXPECT_EQ(image_.Ask("2.0.0.127.bl.test", "A", With(ask)).Option(dns::kOptionNsid), std::nullopt);
  const std::string id = "node7";
  image_.settings.server_id = {reinterpret_cast<const uint8_t*>(id.data()), id.size()};
  EXPECT_EQ(image_.Ask("2.0.0.127.bl.test", "A", With(ask)).Option(dns::kOptionNsid), "node7");
  EXPECT_EQ(image_.Ask("example", "A", With(ask)).Option(dns::kOptionNsid), "node7");
  EXPECT_EQ(image_.Ask("2.0.0.127.bl.test", "A", With({})).Option(dns::kOptionNsid), std::nullopt);
}

TEST_P(EdnsTest, LongNsidNeverBreaksAReply) {
  const std::string id(128, 'n');
  image_.settings.server_id = {reinterpret_cast<const uint8_t*>(id.data()), id.size()};
  const std::string label(63, 'a');
  const std::string longest = label + "." + label + "." + label + "." + std::string(53, 'b') + ".bl.test";
  Reply r = image_.Ask(longest, "A", With({.udp_bytes = 512, .options = {{dns::kOptionNsid, ""}}}));
  EXPECT_EQ(r.rcode(), "NXDOMAIN");
  EXPECT_NE(r.edns(), nullptr);
}

TEST_P(EdnsTest, ExtendedErrorOnForeignNames) {  // RFC 8914 section 4.21
  EXPECT_EQ(image_.Ask("example", "A", With({})).Option(dns::kOptionExtendedError), std::string("\0\24", 2));
  EXPECT_EQ(image_.Ask("9.9.9.9.bl.test", "A", With({})).Option(dns::kOptionExtendedError), std::nullopt);
}

TEST_P(EdnsTest, TruncatedRepliesCarryOpt) {
  Reply r = image_.Ask("3.0.0.127.bl.test", "TXT", With({.udp_bytes = 512}));
  EXPECT_EQ(r.flags(), "qr aa tc");
  EXPECT_NE(r.edns(), nullptr);
}

}  // namespace
}  // namespace mz::answer
