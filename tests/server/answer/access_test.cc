// acl datasets: effects, precedence, subjects.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "answer_fixture.h"

namespace mz::answer {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class AccessTest : public ::testing::Test {
 protected:
  AccessTest() {
    list_ = image_.AddDataset(image::kIp4Set);
    image_.List(list_, "1.2.3.4", image_.Result({{"127.0.0.2", "listed"}}));
    names_ = image_.AddDataset(image::kDnset);
    image_.ListName(names_, "bad.com", image_.Result({{"127.0.0.3", "name"}}));
    records_ = image_.AddDataset(image::kGeneric);
    image_.AddRecord(records_, "www", dns::kTypeA, 60, {1, 1, 1, 1});
    image_.AddRecord(records_, "x.y", dns::kTypeA, 60, {1, 1, 1, 1});
    six_ = image_.AddDataset(image::kIp6Trie);
    global_ = image_.AddDataset(image::kAcl, 111);
    local_ = image_.AddDataset(image::kAcl, 222);
  }
  void Build() {
    compiler::ZoneModel& zone = image_.AddZone("bl.test", {list_, records_});
    TestImage::AddSoa(zone);
    TestImage::AddNs(zone, {"n1.t"});
    zone.acl = local_;
    compiler::ZoneModel& names = image_.AddZone("dn.test", {names_});
    TestImage::AddSoa(names);
    names.acl = local_;
    image_.AddZone("six.test", {six_}).acl = local_;
    image_.AddZone("free.test", {list_});
    image_.model().global_acl = global_;
    image_.Build();
  }
  Reply Ask(const char* client, const char* name, const char* type = "A", const char* qclass = "IN") {
    AskOptions o;
    o.client = client;
    o.qclass = qclass;
    return image_.Ask(name, type, o);
  }
  TestImage image_;
  uint32_t list_, names_, records_, six_, global_, local_;
};

TEST_F(AccessTest, IgnoreIsSilence) {
  image_.List(global_, "192.0.2.1", image_.Action(image::kAclIgnore));
  image_.List(local_, "192.0.2.2", image_.Action(image::kAclIgnore));
  Build();
  // Global: everything. Zone: only what falls into it.
  for (const char* name : {"4.3.2.1.bl.test", "bl.test", "4.3.2.1.free.test", "example"})
    EXPECT_TRUE(Ask("192.0.2.1", name).silent);
  EXPECT_TRUE(Ask("192.0.2.1", "version.bind", "TXT", "CH").silent);
  EXPECT_TRUE(Ask("192.0.2.2", "4.3.2.1.bl.test").silent);
  EXPECT_TRUE(Ask("192.0.2.2", "bl.test", "SOA").silent);
  EXPECT_EQ(Ask("192.0.2.2", "4.3.2.1.bl.test").outcome.zone, 0);
  EXPECT_EQ(Ask("192.0.2.2", "4.3.2.1.free.test").rcode(), "NOERROR");
  EXPECT_EQ(Ask("192.0.2.2", "example").rcode(), "REFUSED");
  EXPECT_EQ(Ask("192.0.2.3", "4.3.2.1.bl.test").rcode(), "NOERROR");
}

TEST_F(AccessTest, RefuseIsRefusedInZonesOnly) {
  image_.settings.version = image_.settings.server_id =
      std::span<const uint8_t>(reinterpret_cast<const uint8_t*>("v"), 1);
  image_.List(global_, "192.0.2.1", image_.Action(image::kAclRefuse));
  Build();
  for (const char* name : {"4.3.2.1.bl.test", "bl.test", "www.bl.test", "9.9.9.9.free.test"}) {
    AskOptions o;
    o.query.edns = dns::EdnsQuery{};
    Reply r = image_.Ask(name, "SOA", o);
    EXPECT_EQ(r.rcode(), "REFUSED");
    EXPECT_EQ(r.flags(), "qr");
    EXPECT_THAT(r.authority(), IsEmpty());
    EXPECT_EQ(r.Option(dns::kOptionExtendedError), std::string("\0\22", 2));  // RFC 8914: 18, prohibited
  }
  EXPECT_EQ(Ask("192.0.2.1", "version.bind", "TXT", "CH").rcode(), "NOERROR");
}

TEST_F(AccessTest, EmptyHidesListingsAndLeavesApexAndGenericAlone) {
  image_.List(local_, "192.0.2.1", image_.Action(image::kAclEmpty));
  Build();
  EXPECT_EQ(Ask("192.0.2.1", "4.3.2.1.bl.test").rcode(), "NXDOMAIN");
  EXPECT_EQ(Ask("192.0.2.1", "3.2.1.bl.test").rcode(), "NXDOMAIN");  // nothing listed, so nothing below
  EXPECT_EQ(Ask("192.0.2.1", "bad.com.dn.test").rcode(), "NXDOMAIN");
  EXPECT_EQ(Ask("192.0.2.1", "com.dn.test").rcode(), "NXDOMAIN");
  EXPECT_THAT(Ask("192.0.2.1", "bl.test", "SOA").answer(), SizeIs(1));
  EXPECT_THAT(Ask("192.0.2.1", "bl.test", "NS").answer(), SizeIs(1));
  EXPECT_THAT(Ask("192.0.2.1", "www.bl.test").answer(), SizeIs(1));
  EXPECT_EQ(Ask("192.0.2.1", "y.bl.test").rcode(), "NOERROR");
  EXPECT_EQ(Ask("192.0.2.9", "4.3.2.1.bl.test").rcode(), "NOERROR");
}

TEST_F(AccessTest, AValueListsEverythingThatCouldBeAsked) {
  image_.List(local_, "192.0.2.0/24", image_.Result({{"127.0.0.99", "you are $"}}));
  Build();
  for (const char* name : {"4.3.2.1.bl.test", "9.9.9.9.bl.test", "any.name.dn.test"}) {
    EXPECT_THAT(Ask("192.0.2.7", name).answer(), ElementsAre(std::string(name) + ". 222 IN A 127.0.0.99"));
    EXPECT_THAT(Ask("192.0.2.7", name, "TXT").answer(),
                ElementsAre(std::string(name) + ". 222 IN TXT \"you are 192.0.2.7\""));
    EXPECT_THAT(Ask("192.0.2.7", name, "ANY").answer(), SizeIs(2));
    EXPECT_EQ(Ask("192.0.2.7", name, "MX").rcode(), "NOERROR");
    EXPECT_THAT(Ask("192.0.2.7", name, "MX").answer(), IsEmpty());
  }
  EXPECT_EQ(Ask("192.0.2.7", "9.9.9.9.9.bl.test").rcode(), "NXDOMAIN");
  EXPECT_EQ(Ask("192.0.2.7", "nonsense.bl.test").rcode(), "NXDOMAIN");
  EXPECT_EQ(Ask("192.0.2.7", "9.9.bl.test").rcode(), "NOERROR");  // every address is listed, so some below
  EXPECT_THAT(Ask("192.0.2.7", "9.9.bl.test").answer(), IsEmpty());
  EXPECT_THAT(Ask("192.0.2.7", "dn.test").answer(), IsEmpty());  // never the apex
  EXPECT_THAT(Ask("192.0.2.7", "www.bl.test").answer(), ElementsAre("www.bl.test. 60 IN A 1.1.1.1"));
  EXPECT_EQ(Ask("192.0.2.7", "40.3.2.1.six.test").rcode(), "NXDOMAIN");  // no IPv4 dataset there
  const std::string nibbles = "4.0.3.0.2.0.1.0.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.";
  EXPECT_THAT(Ask("192.0.2.7", (nibbles + "six.test").c_str()).answer(), SizeIs(1));
  EXPECT_THAT(Ask("192.0.2.7", (nibbles + "bl.test").c_str()).answer(), SizeIs(1));
}

TEST_F(AccessTest,
       TheStrongestEffectCounts) {  // ignore > refuse > empty > value; a zone's pass undoes nothing
  auto set = [&](uint32_t acl, int n, compiler::ResultId r) {
    image_.List(acl, "192.0.2." + std::to_string(n), r);
  };
  const auto ignore = image_.Action(image::kAclIgnore), refuse = image_.Action(image::kAclRefuse),
             empty = image_.Action(image::kAclEmpty), pass = image_.Action(image::kAclPass),
             a = image_.Result({{"127.0.0.10", ""}}), b = image_.Result({{"127.0.0.20", ""}});
  const compiler::ResultId effects[] = {ignore, refuse, empty, a, pass};
  const char* expected[] = {"silence", "REFUSED", "NXDOMAIN", "NOERROR", "NXDOMAIN"};
  for (int g = 0; g < 5; g++)
    for (int z = 0; z < 5; z++) {
      set(global_, 10 * g + z, effects[g]);
      set(local_, 10 * g + z, z == 3 ? b : effects[z]);
    }
  Build();
  for (int g = 0; g < 5; g++)
    for (int z = 0; z < 5; z++) {
      const std::string client = "192.0.2." + std::to_string(10 * g + z);
      Reply r = Ask(client.c_str(), "9.9.9.9.bl.test");
      EXPECT_EQ(r.rcode(), expected[std::min(g, z)]) << g << z;
      if (std::min(g, z) == 3) {
        EXPECT_THAT(r.answer(), ElementsAre(g == 3 ? "9.9.9.9.bl.test. 111 IN A 127.0.0.10"
                                                   : "9.9.9.9.bl.test. 222 IN A 127.0.0.20"));
      }
    }
}

TEST_F(AccessTest, ServfailComesBetweenIgnoreAndRefuse) {
  image_.List(local_, "192.0.2.1", image_.Action(image::kAclIgnore));
  image_.List(local_, "192.0.2.2", image_.Action(image::kAclRefuse));
  compiler::ZoneModel& zone = image_.AddZone("bad.test", {list_}, image::kZoneNotLoaded);
  zone.acl = local_;
  Build();
  EXPECT_TRUE(Ask("192.0.2.1", "4.3.2.1.bad.test").silent);
  EXPECT_EQ(Ask("192.0.2.2", "4.3.2.1.bad.test").rcode(), "SERVFAIL");
}

TEST_F(AccessTest, LongestPrefixOfTheClientsFamily) {
  image_.List(local_, "192.0.0.0/8", image_.Action(image::kAclRefuse));
  image_.List(local_, "192.0.2.0/24", image_.Action(image::kAclPass));
  image_.List(local_, "2001:db8::/32", image_.Action(image::kAclRefuse));
  image_.List(local_, "2001:db8:1::/48", image_.Result({{"127.0.0.6", "six $"}}));
  image_.List(local_, "::ffff:10.0.0.0/104", image_.Action(image::kAclRefuse));
  image_.List(local_, "11.0.0.0/8", image_.Action(image::kAclRefuse));
  Build();
  EXPECT_EQ(Ask("192.0.3.1", "4.3.2.1.bl.test").rcode(), "REFUSED");
  EXPECT_EQ(Ask("192.0.2.1", "4.3.2.1.bl.test").rcode(), "NOERROR");
  EXPECT_EQ(Ask("2001:db8::1", "4.3.2.1.bl.test").rcode(), "REFUSED");
  EXPECT_EQ(Ask("2001:db9::1", "4.3.2.1.bl.test").rcode(), "NOERROR");
  EXPECT_THAT(Ask("2001:db8:1::1", "4.3.2.1.bl.test", "TXT").answer(),
              ElementsAre("4.3.2.1.bl.test. 222 IN TXT \"six 2001:db8:1::1\""));
  // A v4-mapped peer is an IPv4 client: IPv4 rules apply to it (rbldnsd: IPv6 rules only).
  EXPECT_EQ(Ask("::ffff:11.0.0.1", "4.3.2.1.bl.test").rcode(), "REFUSED");
  EXPECT_EQ(Ask("::ffff:10.0.0.1", "4.3.2.1.bl.test").rcode(), "NOERROR");
}

}  // namespace
}  // namespace mz::answer
