// Zones: SOA, NS, glue, expiry, access lists, nodes; their wire bytes after relocation.
#include "compiler/build/zone_encoder.h"

#include "tests/compiler/build/model_tools.h"

namespace mz::compiler {
namespace {

using testing::AddDataset;
using testing::AddDnset;
using testing::AddZone;
using testing::ARecord;
using testing::FullWire;
using testing::Wire;

// A message of nothing but the question name and the records, so that pointers can be followed: "NAME TTL TYPE RDATA".
class Message {
 public:
  Message(const image::View& view, uint32_t offset, const std::string& question_name, size_t apex_offset)
      : bytes_(12, '\0') {
    bytes_ += question_name;
    size_t start = bytes_.size();
    const image::AuthorityBlock& block = view.authority(offset);
    std::string records(reinterpret_cast<const char*>(image::AuthorityRecords(block)),
                        size_t{block.rr_bytes} + block.glue_bytes);
    for (const image::Relocation& r : image::Relocations(block)) {
      size_t target = r.target & image::kRelocateQuestion
                          ? 12 + apex_offset + (r.target & ~unsigned{image::kRelocateQuestion})
                          : start + r.target;
      StoreBe16(records.data() + r.position, static_cast<uint16_t>(0xc000 | target));
    }
    bytes_ += records;
    size_t at = start;
    while (at < bytes_.size()) lines_.push_back(Record(&at));
    rr_count_ = block.rr_count;
    EXPECT_EQ(lines_.size(), size_t{block.rr_count} + block.glue_count);
  }
  const std::vector<std::string>& lines() const { return lines_; }
  size_t rr_count() const { return rr_count_; }

 private:
  std::string Name(size_t* at) {
    std::string wire;
    bool jumped = false;
    for (size_t p = *at;;) {
      uint8_t length = static_cast<uint8_t>(bytes_.at(p));
      if (length >= 0xc0) {
        if (!jumped) *at = p + 2;
        jumped = true;
        size_t next = LoadBe16(bytes_.data() + p) & 0x3fff;
        if (next >= p) return "FORWARD";
        p = next;
      } else if (length == 0) {
        if (!jumped) *at = p + 1;
        return dns::NameText(wire);
      } else {
        wire += bytes_.substr(p, 1u + length);
        p += 1u + length;
      }
    }
  }
  std::string Record(size_t* at) {
    std::string line = Name(at);
    uint16_t type = LoadBe16(bytes_.data() + *at);
    line += " " + std::to_string(LoadBe32(bytes_.data() + *at + 4));
    size_t end = *at + 10 + LoadBe16(bytes_.data() + *at + 8);
    *at += 10;
    if (type == 2) line += " NS " + Name(at);
    if (type == 1) {
      line += " A " + net::ToString(LoadBe32(bytes_.data() + *at));
      *at += 4;
    }
    if (type == 6) {
      line += " SOA " + Name(at);
      line += " " + Name(at);
      for (; *at < end; *at += 4) line += " " + std::to_string(LoadBe32(bytes_.data() + *at));
    }
    EXPECT_EQ(*at, end);
    return line;
  }
  std::string bytes_;
  std::vector<std::string> lines_;
  size_t rr_count_ = 0;
};

Soa MakeSoa() { return {3600, FullWire("Ns.Ex.test"), FullWire("adm.ex.test"), 0, 7200, 600, 604800, 300}; }

Message Ns(const image::View& view, uint32_t rotation, size_t zone = 0) {
  std::string apex(reinterpret_cast<const char*>(image::NameBytes(view.name(view.zones()[zone].name)).data()),
                   view.name(view.zones()[zone].name).name_bytes);
  return Message(view, view.rotation(view.zones()[zone], rotation), "\3www" + apex + '\0', 4);
}

TEST(ZoneEncoderTest, SoaOfTheFirstDatasetThatHasOne) {
  ImageModel model;
  AddDataset(&model, image::kIp4Set, "ip4set:a")->newest_mtime = 1600000000;
  DatasetModel* b = AddDataset(&model, image::kIp4Set, "ip4set:b");
  b->soa = MakeSoa();
  b->newest_mtime = 1700000000;
  DatasetModel* c = AddDataset(&model, image::kIp4Set, "ip4set:c");
  c->soa = MakeSoa();
  c->soa->serial = 99;
  c->ns = NameServers{600, {FullWire("n1.else.org")}};
  AddDataset(&model, image::kAcl, "acl:d")->newest_mtime = 1800000000;
  AddZone(&model, "bl.test", {0, 1, 2})->acl = 3;
  auto image = testing::Write(model);
  ASSERT_NE(image, nullptr);
  const image::ZoneRecord& zone = image->view.zones()[0];
  EXPECT_EQ(zone.serial, 1700000000u) << "serial 0: the newest file, access lists do not count";
  EXPECT_EQ(zone.soa_ttl, 3600u);
  EXPECT_EQ(zone.soa_minimum, 300u);
  Message soa(image->view, zone.soa, std::string("\3www\2bL\4TesT\0", 13), 4);
  EXPECT_EQ(soa.lines(), (std::vector<std::string>{
                             "bL.TesT 3600 SOA Ns.Ex.TesT adm.Ex.TesT 1700000000 7200 600 604800 300"}));
  EXPECT_EQ(Ns(image->view, 0).lines(), (std::vector<std::string>{"bl.test 600 NS n1.else.org"}));
  EXPECT_EQ(image->view.node(zone.acl).count, 1u);
  EXPECT_EQ(image::Datasets(image->view.node(zone.acl))[0].kind, image::kAcl);
  EXPECT_EQ(image->view.header().global_acl, 0u);
}

TEST(ZoneEncoderTest, ConfiguredSoaAndNsWin) {
  ImageModel model;
  DatasetModel* a = AddDataset(&model, image::kIp4Set, "ip4set:a");
  a->soa = MakeSoa();
  a->ns = NameServers{600, {FullWire("n1.else.org")}};
  ZoneModel* zone = AddZone(&model, "bl.test", {0});
  zone->soa = MakeSoa();
  zone->soa->serial = 5;
  zone->ns = NameServers{60, {FullWire("n2.else.org"), FullWire("N2.ELSE.org"), FullWire(".")}};
  auto image = testing::Write(model);
  EXPECT_EQ(image->view.zones()[0].serial, 5u);
  EXPECT_EQ(Ns(image->view, 1).lines(), (std::vector<std::string>{"bl.test 60 NS .", "bl.test 60 NS n2.else.org"}));
}

TEST(ZoneEncoderTest, NsRotateAndGlueStays) {
  ImageModel model;
  DatasetModel* g = AddDataset(&model, image::kGeneric, "generic:g");
  g->ns = NameServers{3600, {FullWire("ns1.bl.test"), FullWire("ns2.bl.test"), FullWire("ns3.Other.test"),
                             FullWire("ns9.out.test")}};
  g->generic.push_back({g->names.Add(Wire("ns1")), {ARecord(2100, 1), ARecord(2100, 2)}});
  g->generic.push_back({g->names.Add(Wire("www")), {ARecord(2100, 9)}});
  DatasetModel* o = AddDataset(&model, image::kGeneric, "generic:o");
  o->generic.push_back({o->names.Add(Wire("ns3")), {ARecord(300, 3)}});
  AddZone(&model, "bl.test", {0});
  AddZone(&model, "other.test", {1});
  auto image = testing::Write(model);
  ASSERT_EQ(image->view.zones()[0].ns_count, 4u);
  EXPECT_EQ(Ns(image->view, 1).lines(),
            (std::vector<std::string>{"bl.test 3600 NS ns2.bl.test", "bl.test 3600 NS ns3.Other.test",
                                      "bl.test 3600 NS ns9.out.test", "bl.test 3600 NS ns1.bl.test",
                                      "ns1.bl.test 300 A 10.0.0.1", "ns1.bl.test 300 A 10.0.0.2",
                                      "ns3.Other.test 300 A 10.0.0.3"}));
  EXPECT_EQ(Ns(image->view, 3).lines()[0], "bl.test 3600 NS ns9.out.test");
  ASSERT_EQ(image->result.warnings.size(), 1u);
  EXPECT_EQ(image->result.warnings[0].zone, "bl.test");
  EXPECT_EQ(image->result.warnings[0].message, "no glue record(s) for ns2.bl.test NS found");
}

TEST(ZoneEncoderTest, NamesAreCompressedWhateverTheirCase) {
  ImageModel model;
  DatasetModel* d = AddDataset(&model, image::kIp4Set, "ip4set:d");
  d->ns = NameServers{600, {FullWire("n1.Out.example"), FullWire("n2.oUt.example"), FullWire("x.Example"),
                            FullWire("n1.TEST"), FullWire("BL.test")}};
  AddZone(&model, "bl.test", {0});
  auto image = testing::Write(model);
  // As measured with rbldnsd: the later name takes the letter case of the earlier one, or of the question.
  EXPECT_EQ(Ns(image->view, 0).lines(),
            (std::vector<std::string>{"bl.test 600 NS n1.Out.example", "bl.test 600 NS n2.Out.example",
                                      "bl.test 600 NS x.example", "bl.test 600 NS n1.test", "bl.test 600 NS bl.test"}));
  const image::AuthorityBlock& block = image->view.authority(image->view.rotation(image->view.zones()[0], 0));
  EXPECT_EQ(block.rr_bytes, 5 * 12 + 16 + 5 + 4 + 5 + 2);
}

TEST(ZoneEncoderTest, ZonesShareEqualRecords) {
  ImageModel model;
  DatasetModel* d = AddDataset(&model, image::kIp4Set, "ip4set:d");
  d->ns = NameServers{600, {FullWire("n1.out.example"), FullWire("n2.out.example")}};
  d->soa = MakeSoa();
  AddZone(&model, "one.zone", {0});
  AddZone(&model, "two.zone", {0});
  auto image = testing::Write(model);
  EXPECT_EQ(image->view.zones()[0].soa, image->view.zones()[1].soa);
  EXPECT_EQ(image->view.zones()[0].ns, image->view.zones()[1].ns);
}

TEST(ZoneEncoderTest, GlueOfTwoServersWithOneAddress) {
  ImageModel model;
  DatasetModel* g = AddDataset(&model, image::kGeneric, "generic:g");
  g->ns = NameServers{3600, {FullWire("ns1.bl.test"), FullWire("ns2.bl.test")}};
  g->generic.push_back({g->names.Add(Wire("ns1")), {ARecord(300, 1)}});
  g->generic.push_back({g->names.Add(Wire("ns2")), {ARecord(60, 1)}});
  AddZone(&model, "bl.test", {0});
  auto image = testing::Write(model);
  auto lines = Ns(image->view, 0).lines();
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[2], "ns1.bl.test 60 A 10.0.0.1");
  EXPECT_EQ(lines[3], "ns2.bl.test 60 A 10.0.0.1");
  EXPECT_TRUE(image->result.warnings.empty());
}

TEST(ZoneEncoderTest, GlueFromEveryKindOfDataset) {
  ImageModel model;
  ResultId one = testing::Result(&model.pool, 11), two = testing::Result(&model.pool, 12),
           three = testing::Result(&model.pool, 13);
  DatasetModel* d = AddDataset(&model, image::kDnset, "dnset:d");
  d->ttl = 100;
  AddDnset(d, "exact", image::kNameExact, one, 0);
  AddDnset(d, "wild", image::kNameWild, 0, two);
  AddDnset(d, "deep.wild", image::kNameWild, 0, three);
  AddDnset(d, "not.wild", image::kNameExact, 0, 0);
  DatasetModel* c = AddDataset(&model, image::kCombined, "combined:c");
  auto part = std::make_unique<DatasetModel>();
  part->kind = image::kIp4Set;
  part->spec = "ip4set";
  part->ttl = 50;
  part->map4 = {{0, 0}, {0x01020304, three}, {0x01020305, 0}};
  c->parts.push_back(std::move(part));
  auto base = std::make_unique<DatasetModel>();
  base->kind = image::kDnset;
  base->spec = "dnset";
  AddDnset(base.get(), "sub", image::kNameWild, 0, one);
  c->parts.push_back(std::move(base));
  c->subzones.push_back({c->names.Add(""), {1}});
  c->subzones.push_back({c->names.Add(Wire("sub")), {0}});
  c->subzones.push_back({c->names.Add(Wire("other")), {1}});
  auto add = [&](std::initializer_list<const char*> names) {
    NameServers ns{600, {}};
    for (const char* name : names) ns.names.push_back(FullWire(name));
    return ns;
  };
  d->ns = add({"exact.dn.test", "x.wild.dn.test", "a.deep.wild.dn.test", "not.wild.dn.test", "wild.dn.test",
               "4.3.2.1.sub.c.test", "5.3.2.1.sub.c.test"});
  AddZone(&model, "dn.test", {0});
  AddZone(&model, "c.test", {1});
  auto image = testing::Write(model);
  auto lines = Ns(image->view, 0).lines();
  ASSERT_EQ(lines.size(), 7u + 4u);
  EXPECT_EQ(lines[7], "exact.dn.test 50 A 127.0.0.11");
  EXPECT_EQ(lines[8], "x.wild.dn.test 50 A 127.0.0.12");
  EXPECT_EQ(lines[9], "a.deep.wild.dn.test 50 A 127.0.0.13");
  EXPECT_EQ(lines[10], "4.3.2.1.sub.c.test 50 A 127.0.0.13");
  EXPECT_EQ(image->result.warnings.size(), 3u);
}

TEST(ZoneEncoderTest, TooLongRecordsAreIgnoredWithAWarning) {
  ImageModel model;
  DatasetModel* d = AddDataset(&model, image::kIp4Set, "ip4set:d");
  d->soa = MakeSoa();
  auto ns_of = [](size_t last) {
    NameServers ns{3600, {}};
    for (char c = 'a'; c < 'k'; c++) ns.names.push_back(FullWire(std::string(30, c)));
    ns.names.push_back(FullWire(std::string(last, 'y')));
    return ns;
  };
  // Measured with rbldnsd: 33 octets in the last label still fit, 34 do not; with the longer zone name 13 and 14.
  for (auto [zone, fits] : {std::pair("bl.test", 33), std::pair("a.b.c.d.e.f.example.bl.test", 13)}) {
    model.zones.clear();
    AddZone(&model, zone, {0});
    d->ns = ns_of(static_cast<size_t>(fits));
    auto image = testing::Write(model);
    EXPECT_EQ(image->view.zones()[0].ns_count, 11u);
    EXPECT_TRUE(image->result.warnings.empty());
    d->ns = ns_of(static_cast<size_t>(fits) + 1);
    image = testing::Write(model);
    EXPECT_EQ(image->view.zones()[0].ns_count, 0u);
    EXPECT_NE(image->view.zones()[0].soa, 0u);
    ASSERT_EQ(image->result.warnings.size(), 1u);
    EXPECT_EQ(image->result.warnings[0].message, "NS or SOA RRs are too long, will be ignored");
    WriteOptions options;
    options.authority_limit_bytes = image::kMaxAuthorityBytes;
    EXPECT_EQ(testing::Write(model, options)->view.zones()[0].ns_count, 11u);
  }
  // A SOA that is too long takes the NS with it.
  d->ns = NameServers{600, {FullWire("n1.else.org")}};
  std::string labels[8];
  for (int i = 0; i < 8; i++) labels[i] = std::string(60, static_cast<char>('a' + i));
  d->soa->mname = FullWire(labels[0] + "." + labels[1] + "." + labels[2] + "." + labels[3]);
  d->soa->rname = FullWire(labels[4] + "." + labels[5] + "." + labels[6] + "." + labels[7]);
  auto image = testing::Write(model);
  EXPECT_EQ(image->view.zones()[0].soa, 0u);
  EXPECT_EQ(image->view.zones()[0].ns, 0u);
  EXPECT_EQ(image->result.warnings.size(), 1u);
}

TEST(ZoneEncoderTest, ManyNameServers) {
  ImageModel model;
  DatasetModel* d = AddDataset(&model, image::kIp4Set, "ip4set:d");
  d->ns = NameServers{3600, {}};
  for (int i = 0; i < 70; i++) d->ns->names.push_back(FullWire("n" + std::to_string(i) + ".example.org"));
  AddZone(&model, "bl.test", {0});
  WriteOptions options;
  options.authority_limit_bytes = image::kMaxAuthorityBytes;
  auto image = testing::Write(model, options);
  EXPECT_EQ(image->view.zones()[0].ns_count, image::kMaxNs);
  EXPECT_EQ(image->result.warnings.size(), 1u);
  EXPECT_EQ(Ns(image->view, 63).lines()[0], "bl.test 3600 NS n63.example.org");
}

TEST(ZoneEncoderTest, EarliestExpiryOfTheDatasets) {
  ImageModel model;
  AddDataset(&model, image::kIp4Set, "ip4set:a")->expires_unix = 0;
  AddDataset(&model, image::kIp4Set, "ip4set:b")->expires_unix = 2000000000;
  AddDataset(&model, image::kIp4Set, "ip4set:c")->expires_unix = 1900000000;
  AddDataset(&model, image::kAcl, "acl:d")->expires_unix = 1;
  AddZone(&model, "bl.test", {0, 1, 2})->acl = 3;
  AddZone(&model, "b2.test", {0});
  auto image = testing::Write(model);
  EXPECT_EQ(image->view.zones()[0].expires_unix, 1900000000u);
  EXPECT_EQ(image->view.zones()[1].expires_unix, 0u);
}

TEST(ZoneEncoderTest, DatasetsThatNeverLoadedAreLeftOut) {
  ImageModel model;
  model.datasets.push_back(nullptr);
  DatasetModel* d = AddDataset(&model, image::kIp4Set, "ip4set:a");
  d->map4 = {{0, testing::Result(&model.pool, 2)}};
  AddZone(&model, "bl.test", {0, 1})->flags = image::kZoneNotLoaded;
  AddZone(&model, "none.test", {0})->acl = 0;
  model.global_acl = 0;
  auto image = testing::Write(model);
  ASSERT_NE(image, nullptr);
  EXPECT_EQ(image->view.zones()[0].flags, image::kZoneNotLoaded);
  EXPECT_EQ(testing::OnlyDataset(image->view).meta, 1u);
  EXPECT_EQ(image->view.node(image->view.zones()[1].node).count, 0u);
}

TEST(ZoneEncoderTest, RefusesModelsThatContradictThemselves) {
  std::vector<uint8_t> out;
  ImageModel twice;
  AddDataset(&twice, image::kIp4Set, "ip4set:a");
  AddZone(&twice, "bl.test", {0});
  AddZone(&twice, "bl.test", {0});
  EXPECT_EQ(WriteImage(twice, {}, &out).status().code(), StatusCode::kInvalidArgument);
  ImageModel missing;
  AddZone(&missing, "bl.test", {3});
  EXPECT_EQ(WriteImage(missing, {}, &out).status().code(), StatusCode::kInternal);
  ImageModel acl;
  AddDataset(&acl, image::kIp4Set, "ip4set:a");
  AddZone(&acl, "bl.test", {0})->acl = 0;
  EXPECT_EQ(WriteImage(acl, {}, &out).status().code(), StatusCode::kInternal);
}

}  // namespace
}  // namespace mz::compiler
