// Header, format errors, opcodes, classes and types: rbldnsd's way and the RFCs' way, and what both share.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "answer_fixture.h"

namespace mz::answer {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr uint32_t kRfc = 0;

TestImage MakeImage(uint32_t profile) {
  TestImage image(profile);
  const auto d = image.AddDataset(image::kIp4Set), g = image.AddDataset(image::kGeneric);
  image.List(d, "127.0.0.2", image.Result({{"127.0.0.2", "t"}}));
  image.AddRecord(g, "www", dns::kTypeTxt, 60, {1, 'x'});
  image.AddRecord(g, "www", dns::kTypeA, 60, {1, 2, 3, 4});
  compiler::ZoneModel& zone = image.AddZone("bl.test", {d, g});
  TestImage::AddSoa(zone);
  TestImage::AddNs(zone, {"n1.t"});
  image.Build();
  return image;
}

class ProfileTest : public ::testing::Test {
 protected:
  // The image owns its bytes on the heap, so moving it keeps the view good; the rotation span is set up anew.
  TestImage rbldnsd_ = MakeImage(image::kProfileRbldnsd);
  TestImage rfc_ = MakeImage(kRfc);
  std::string query_ = dns::BuildQuery(Wire("2.0.0.127.bl.test"), dns::kTypeA, dns::kClassIn, {.id = 4711});
};

std::string With(std::string packet, size_t at, std::string_view bytes) {
  return packet.replace(at, bytes.size(), bytes);
}

TEST_F(ProfileTest, NeverAnswersAResponse) {  // RFC 1035 section 7.3
  for (TestImage* image : {&rbldnsd_, &rfc_})
    for (int flags = 0x80; flags < 0x100; flags++)
      EXPECT_TRUE(image->AskBytes(With(query_, 2, std::string(1, static_cast<char>(flags)))).silent);
}

TEST_F(ProfileTest, CopiesRdAndClearsEverythingElse) {  // RFC 1035 section 4.1.1, RFC 6895 section 2.1
  for (int low = 0; low < 256; low++)
    for (bool rd : {false, true}) {
      const std::string flags{static_cast<char>(rd), static_cast<char>(low)};
      for (TestImage* image : {&rbldnsd_, &rfc_}) {
        Reply r = image->AskBytes(With(query_, 2, flags));
        EXPECT_EQ(r.flags(), rd ? "qr aa rd" : "qr aa");
        EXPECT_EQ(r.rcode(), "NOERROR");
        EXPECT_THAT(r.answer(), SizeIs(1));
      }
    }
}

TEST_F(ProfileTest, AaOrTcInAQuery) {
  for (const char* flags : {"\x04", "\x02", "\x06"}) {
    Reply r = rbldnsd_.AskBytes(With(With(query_, 2, flags), 3, "\x10"));
    EXPECT_EQ(r.rcode(), "NOTIMPL");
    EXPECT_EQ(r.flags(), "qr");
    EXPECT_EQ(rfc_.AskBytes(With(query_, 2, flags)).rcode(), "NOERROR");  // RFC 8906 section 3.1.3: ignored
  }
  Reply r = rbldnsd_.AskBytes(With(query_, 2, "\x05"));  // RD goes with it
  EXPECT_EQ(r.flags(), "qr");
}

TEST_F(ProfileTest, OtherOpcodes) {  // RFC 8906 section 3.1.4
  for (int opcode = 1; opcode < 16; opcode++) {
    const std::string flags(1, static_cast<char>(opcode << 3 | 1));
    Reply r = rfc_.AskBytes(With(query_, 2, flags));
    EXPECT_EQ(r.rcode(), "NOTIMPL");
    EXPECT_EQ(r.message.opcode(), opcode);  // RFC 6895 section 2.2
    EXPECT_EQ(r.flags(), "qr rd");
    EXPECT_THAT(r.question(), SizeIs(1));
    r = rfc_.AskBytes(With(query_, 2, flags).substr(0, 4) + std::string(8, '\0'));  // header only
    EXPECT_EQ(r.rcode(), "NOTIMPL");
    EXPECT_EQ(r.message.opcode(), opcode);
    EXPECT_THAT(r.question(), IsEmpty());
    r = rbldnsd_.AskBytes(With(query_, 2, flags));
    EXPECT_EQ(r.rcode(), "NOTIMPL");
    EXPECT_EQ(r.message.opcode(), 0);
    EXPECT_EQ(r.flags(), "qr");
    EXPECT_TRUE(rbldnsd_.AskBytes(With(query_, 2, flags).substr(0, 4) + std::string(8, '\0')).silent);
  }
}

TEST_F(ProfileTest, QuestionCount) {  // RFC 9619
  for (const char* count : {"\0\0", "\0\2", "\0\3", "\1\1", "\xff\xff"}) {
    const std::string packet = With(query_, 4, std::string(count, 2));
    EXPECT_TRUE(rbldnsd_.AskBytes(packet).silent);
    Reply r = rfc_.AskBytes(packet);
    EXPECT_EQ(r.rcode(), "FORMERR");
    EXPECT_EQ(r.flags(), "qr");
    EXPECT_THAT(r.question(), IsEmpty());
  }
  const std::string two = With(query_, 4, std::string("\0\2", 2)) + query_.substr(12);
  EXPECT_EQ(rfc_.AskBytes(two).rcode(), "FORMERR");
}

TEST_F(ProfileTest, MalformedQuestions) {
  auto packet = [](std::string_view body) {
    return std::string("\0\7\1\0\0\1\0\0\0\0\0\0", 12) + std::string(body);
  };
  using std::string_literals::operator""s;
  for (const std::string& body : {""s, "\0"s, "\0\0\1\0"s, "\xc0\x0c\0\1\0\1"s,
                                  "\x40"
                                  "aaaa\0\0\1\0\1"s,
                                  "\5aaa\0\0\1\0\1"s, "\x80\0\0\1\0\1"s, "\77"s + std::string(63, 'a')}) {
    EXPECT_TRUE(rbldnsd_.AskBytes(packet(body)).silent);
    EXPECT_EQ(rfc_.AskBytes(packet(body)).rcode(), "FORMERR");
  }
  // 256 octets of name
  std::string name;
  for (int i = 0; i < 4; i++) name += "\77"s + std::string(63, 'a');
  EXPECT_TRUE(rbldnsd_.AskBytes(packet(name + "\0\0\1\0\1"s)).silent);
  EXPECT_EQ(rfc_.AskBytes(packet(name + "\0\0\1\0\1"s)).rcode(), "FORMERR");
  name = name.substr(0, 192) + "\75"s + std::string(61, 'a');  // 255 with the root
  EXPECT_EQ(rbldnsd_.AskBytes(packet(name + "\0\0\1\0\1"s)).rcode(), "REFUSED");
  EXPECT_EQ(rfc_.AskBytes(packet("\0\0\1\0\1"s)).rcode(), "REFUSED");
}

TEST_F(ProfileTest, EveryCutOfAQueryIsSafe) {
  AskOptions o;
  const std::string full =
      dns::BuildQuery(Wire("2.0.0.127.bl.test"), dns::kTypeA, dns::kClassIn,
                      {.id = 1, .edns = dns::EdnsQuery{.options = {{3, ""}, {10, "12345678"}}}});
  for (size_t n = 0; n < full.size(); n++) {
    EXPECT_EQ(rfc_.AskBytes(full.substr(0, n)).rcode(), n < 12 ? "silence" : "FORMERR") << n;
    // rbldnsd looks at nothing behind the question.
    EXPECT_EQ(rbldnsd_.AskBytes(full.substr(0, n)).rcode(), n < query_.size() ? "silence" : "NOERROR") << n;
  }
}

TEST_F(ProfileTest, OtherCountsAndTrailingOctets) {
  using std::string_literals::operator""s;
  const std::string lies = With(query_, 6, "\0\5\0\6\0\7"s);
  EXPECT_THAT(rbldnsd_.AskBytes(lies).answer(), SizeIs(1));
  EXPECT_EQ(rfc_.AskBytes(lies).rcode(), "FORMERR");
  for (TestImage* image : {&rbldnsd_, &rfc_})
    EXPECT_THAT(image->AskBytes(query_ + "\xde\xad\xbe\xef").answer(), SizeIs(1));
  // Records in the other sections are skipped (RFC 1995 puts a SOA into AUTHORITY of a query).
  const std::string record = "\xc0\x0c\0\1\0\1\0\0\0\0\0\4abcd"s;
  for (TestImage* image : {&rbldnsd_, &rfc_})
    EXPECT_THAT(image->AskBytes(With(query_, 6, "\0\1\0\1\0\1"s) + record + record + record).answer(),
                SizeIs(1));
}

TEST_F(ProfileTest, Classes) {
  for (TestImage* image : {&rbldnsd_, &rfc_}) {
    for (int c = 0; c < 65536; c++) {
      const std::string qclass = {static_cast<char>(c >> 8), static_cast<char>(c)};
      Reply r = image->AskBytes(With(query_, query_.size() - 2, qclass));
      if (c == 1) {
        EXPECT_EQ(r.flags(), "qr aa");
      } else if (c == 255) {
        EXPECT_EQ(r.flags(), "qr");  // RFC 1034 section 6.2.6
        EXPECT_THAT(r.answer(), ElementsAre("2.0.0.127.bl.test. 2100 IN A 127.0.0.2"));
      } else {
        ASSERT_EQ(r.rcode(), "REFUSED") << c;
      }
    }
    AskOptions any;
    any.qclass = "ANY";
    EXPECT_EQ(image->Ask("bl.test", "SOA", any).answer().size(), 1u);
    EXPECT_EQ(image->Ask("9.9.9.9.bl.test", "A", any).flags(), "qr");
    EXPECT_EQ(image->Ask("9.9.9.9.bl.test", "A", any).rcode(), "NXDOMAIN");
  }
}

TEST_F(ProfileTest, AllTypesAtOneListedAndOneMissingName) {
  const std::string missing = dns::BuildQuery(Wire("9.9.9.9.bl.test"), 0, dns::kClassIn, {.id = 1});
  const std::string foreign = dns::BuildQuery(Wire("example"), 0, dns::kClassIn, {.id = 1});
  for (int type = 0; type < 65536; type++) {
    const std::string qtype = {static_cast<char>(type >> 8), static_cast<char>(type)};
    auto ask = [&](TestImage& image, const std::string& q) {
      return image.AskBytes(With(q, q.size() - 4, qtype));
    };
    const bool data = type == dns::kTypeA || type == dns::kTypeTxt || type == dns::kTypeAny;
    Reply r = ask(rbldnsd_, query_);
    if (type >= 250 && type != 255) {
      ASSERT_EQ(r.rcode(), "NOTIMPL") << type;
      ASSERT_EQ(r.flags(), "qr");
      ASSERT_EQ(ask(rbldnsd_, missing).rcode(), "NOTIMPL");
      ASSERT_EQ(ask(rbldnsd_, foreign).rcode(), "NOTIMPL");
    } else {
      ASSERT_EQ(r.rcode(), "NOERROR") << type;
      ASSERT_EQ(r.answer().empty(), !data) << type;
      ASSERT_EQ(ask(rbldnsd_, missing).rcode(), "NXDOMAIN");
      ASSERT_EQ(ask(rbldnsd_, foreign).rcode(), "REFUSED");
    }
    r = ask(rfc_, query_);
    std::string meta;  // RFC 6895 section 3.1: an error, never data
    if (type == 0 || type == dns::kTypeOpt || (type >= 128 && type <= 255 && type != dns::kTypeAny))
      meta = "FORMERR";
    if (type == dns::kTypeAxfr || type == dns::kTypeIxfr) meta = "REFUSED";  // RFC 5936 section 2.2.1
    if (type == dns::kTypeMaila || type == dns::kTypeMailb) meta = "NOTIMPL";
    if (!meta.empty()) {
      ASSERT_EQ(r.rcode(), meta) << type;
      ASSERT_EQ(r.flags(), "qr");
      continue;
    }
    // RFC 3597 section 3: unknown types are ordinary. RFC 2308 section 2.1: NXDOMAIN is for the name.
    ASSERT_EQ(r.rcode(), "NOERROR") << type;
    ASSERT_EQ(r.answer().empty(), !data) << type;
    ASSERT_EQ(r.authority().size(), 1u);
    ASSERT_EQ(ask(rfc_, missing).rcode(), "NXDOMAIN") << type;
    ASSERT_EQ(ask(rfc_, foreign).rcode(), "REFUSED") << type;
  }
}

TEST_F(ProfileTest, AnyIsOneRrsetWithoutTheProfile) {  // RFC 8482 section 4.1
  EXPECT_THAT(rfc_.Ask("2.0.0.127.bl.test", "ANY").answer(),
              ElementsAre("2.0.0.127.bl.test. 2100 IN A 127.0.0.2"));
  EXPECT_THAT(rfc_.Ask("www.bl.test", "ANY").answer(), ElementsAre("www.bl.test. 60 IN TXT \"x\""));
  EXPECT_THAT(rfc_.Ask("bl.test", "ANY").answer(), SizeIs(1));
  EXPECT_THAT(rbldnsd_.Ask("2.0.0.127.bl.test", "ANY").answer(), SizeIs(2));
  EXPECT_THAT(rbldnsd_.Ask("www.bl.test", "ANY").answer(), SizeIs(2));
}

// --- CHAOS
// -----------------------------------------------------------------------------------------------------------------

TEST_F(ProfileTest, VersionAndServerIdAreConfiguredOrRefused) {  // RFC 4892
  AskOptions ch;
  ch.qclass = "CH";
  const std::string version = "mailzone 1", id = "node7";
  for (TestImage* image : {&rbldnsd_, &rfc_}) {
    for (const char* name : {"version.bind", "version.server", "id.server", "hostname.bind"})
      EXPECT_EQ(image->Ask(name, "TXT", ch).rcode(), "REFUSED");
    auto bytes = [](const std::string& s) {
      return std::span<const uint8_t>(reinterpret_cast<const uint8_t*>(s.data()), s.size());
    };
    image->settings.version = bytes(version);
    image->settings.server_id = bytes(id);
    for (const char* name : {"version.bind", "VERSION.Server"}) {
      Reply r = image->Ask(name, "TXT", ch);
      EXPECT_EQ(r.rcode(), "NOERROR");
      EXPECT_EQ(r.flags(), "qr");
      EXPECT_THAT(r.answer(), ElementsAre(std::string(name) + ". 0 CH TXT \"mailzone 1\""));
      EXPECT_EQ(r.outcome.kind, Outcome::kAnswered);
    }
    EXPECT_THAT(image->Ask("id.server", "TXT", ch).answer(), ElementsAre("id.server. 0 CH TXT \"node7\""));
    EXPECT_THAT(image->Ask("hostname.bind", "TXT", ch).answer(), SizeIs(1));
    EXPECT_EQ(image->Ask("version.bind", "A", ch).rcode(), "REFUSED");
    EXPECT_EQ(image->Ask("authors.bind", "TXT", ch).rcode(), "REFUSED");
    EXPECT_EQ(image->Ask("xversion.bind", "TXT", ch).rcode(), "REFUSED");
    EXPECT_EQ(image->Ask("2.0.0.127.bl.test", "TXT", ch).rcode(), "REFUSED");  // never IN data
    EXPECT_EQ(image->Ask("version.bind", "TXT").rcode(), "REFUSED");           // class IN is somebody's zone
    // rbldnsd echoes AD, CD and RCODE of the query here; we do not.
    ch.query.flags = 0x01bf;
    EXPECT_EQ(image->Ask("version.bind", "TXT", ch).flags(), "qr rd");
    ch.query.flags = 0;
  }
}

// --- zone states
// -----------------------------------------------------------------------------------------------------------

TEST_F(ProfileTest, ZonesThatAreNotLoadedOrExpiredAreServfail) {
  TestImage image;
  const auto d = image.AddDataset(image::kIp4Set), e = image.AddDataset(image::kIp4Set);
  image.List(d, "1.2.3.4", image.Result({{"127.0.0.2", ""}}));
  image.List(e, "1.2.3.4", image.Result({{"127.0.0.2", ""}}));
  image.dataset(e).expires_unix = 5000;
  TestImage::AddSoa(image.AddZone("bad.test", {d}, image::kZoneNotLoaded));
  image.AddZone("old.test", {d, e});
  image.Build();
  AskOptions o;
  o.query.edns = dns::EdnsQuery{};
  for (const char* name : {"4.3.2.1.bad.test", "9.9.9.9.bad.test", "bad.test"}) {
    Reply r = image.Ask(name, "SOA", o);
    EXPECT_EQ(r.rcode(), "SERVFAIL");
    EXPECT_EQ(r.flags(), "qr");
    EXPECT_EQ(r.Option(dns::kOptionExtendedError), std::string("\0\16", 2));  // RFC 8914: 14, not ready
    EXPECT_EQ(r.outcome.zone, 0);
    EXPECT_EQ(image.Ask(name, "SOA").edns(), nullptr);
  }
  o.now_unix = 5000;
  EXPECT_EQ(image.Ask("4.3.2.1.old.test", "A", o).rcode(), "NOERROR");
  o.now_unix = 5001;
  EXPECT_EQ(image.Ask("4.3.2.1.old.test", "A", o).rcode(), "SERVFAIL");
}

}  // namespace
}  // namespace mz::answer
