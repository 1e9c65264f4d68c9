// Texts, generic records and the pre-encoded SOA and NS records of a zone image. See verify_internal.h.
#include <algorithm>
#include <array>

#include "format/image/verify_internal.h"

namespace mz::image::internal {

namespace {

constexpr uint16_t kTypeA = 1, kTypeNs = 2, kTypeSoa = 6, kTypeMx = 15, kTypeTxt = 16, kTypeOpt = 41;
constexpr uint16_t kClassIn = 1;
constexpr size_t kRecordHead = 10;  // type, class, ttl, rdlength
constexpr size_t kMaxRelativeName = 254;
constexpr uint16_t kPointerMark = 0xc000;  // what stands where a relocation will write a pointer

// Types that exist in queries and messages only (RFC 6895 section 3.1).
bool IsMetaType(uint16_t type) { return type == 0 || type == kTypeOpt || (type >= 128 && type <= 255); }

// An uncompressed name that fills the octets exactly.
bool IsWholeName(std::span<const uint8_t> p) {
  if (p.size() > kMaxRelativeName + 1) return false;
  for (size_t i = 0; i < p.size(); i += 1u + p[i]) {
    if (p[i] > 63) return false;
    if (p[i] == 0) return i + 1 == p.size();
  }
  return false;
}

// RDATA of the types whose form we know; the others are opaque.
bool RdataOk(uint16_t type, std::span<const uint8_t> rdata) {
  switch (type) {
    case kTypeA:
      return rdata.size() == 4;
    case kTypeMx:
      return rdata.size() > 2 && IsWholeName(rdata.subspan(2));
    case kTypeTxt: {
      size_t i = 0;
      while (i < rdata.size()) i += 1u + rdata[i];
      return i == rdata.size() && i != 0;
    }
    default:
      return true;
  }
}

}  // namespace

Status Verifier::CheckText(uint32_t offset) {
  if (!texts_.Holds(offset, sizeof(Text))) return texts_.Error("a text lies outside the section", offset);
  if (text_seen_.Set(offset)) return {};
  const Text& text = view_.text(offset);
  MZ_RETURN_IF_ERROR(texts_.Claim(offset, sizeof(Text) + 2 * size_t{text.holes} + text.bytes, "text"));
  if ((text.flags & ~uint32_t{kTextKnownFlags}) != 0) return texts_.Error("unknown flags of a text", offset);
  if ((text.flags & kTextSpf) && (text.flags & kTextCut254)) return texts_.Error("contradicting flags of a text", offset);
  uint32_t last = 0;
  for (const Le16& place : Holes(text)) {
    const uint32_t hole = text.flags & kTextSpf ? place & ~uint32_t{kHoleQueryName} : uint32_t{place};
    if (hole < last || hole > text.bytes) return texts_.Error("holes of a text out of order", offset);
    last = hole;
  }
  return {};
}

Status Verifier::CheckRrset(uint32_t offset) {
  if (!rrsets_.Holds(offset, sizeof(RrsetHeader)))
    return rrsets_.Error("records lie outside the section", offset);
  if (rrset_seen_.Set(offset)) return {};
  const RrsetHeader& header = view_.rrset(offset);
  MZ_RETURN_IF_ERROR(rrsets_.Claim(offset, sizeof(RrsetHeader) + uint64_t{header.bytes}, "record set"));
  auto error = [&](std::string_view what) { return rrsets_.Error(what, offset); };
  if (header.reserved != 0) return error("reserved octets of a record set are not zero");
  if (header.count == 0) return error("empty record set");
  std::span<const uint8_t> rest = Records(header);
  std::vector<uint16_t> types;  // one per run of equal types, checked for repetition at the end
  for (uint32_t i = 0; i < header.count; i++) {
    if (rest.size() < kRecordHead) return error("record outside its set");
    const uint16_t type = LoadBe16(&rest[0]), rdlength = LoadBe16(&rest[8]);
    if (rest.size() - kRecordHead < rdlength) return error("record outside its set");
    if (IsMetaType(type) || LoadBe16(&rest[2]) != kClassIn)
      return error("record of an impossible type or class");
    if (!RdataOk(type, rest.subspan(kRecordHead, rdlength))) return error("malformed record data");
    if (types.empty() || types.back() != type) types.push_back(type);
    rest = rest.subspan(kRecordHead + rdlength);
  }
  if (!rest.empty()) return error("octets behind the last record");
  std::sort(types.begin(), types.end());
  if (std::adjacent_find(types.begin(), types.end()) != types.end())
    return error("records are not grouped by type");
  return {};
}

namespace {

// A name inside an AuthorityBlock, seen from one of its label starts to its end.
struct Suffix {
  uint16_t octets = 0;  // labels up to the end or to the pointer to the apex
  int16_t target = -1;  // offset in the apex name where it goes on; -1: it ends with the root
};

// Walks the records of one AuthorityBlock with the pointers that its relocations stand for.
class AuthorityWalk {
 public:
  explicit AuthorityWalk(const AuthorityBlock& block)
      : records_(AuthorityRecords(block), size_t{block.rr_bytes} + block.glue_bytes),
        relocations_(Relocations(block)),
        suffixes_(records_.size()),
        is_start_(records_.size()) {}

  // Reads the name at `*at` and leaves `*at` behind it. Null, or what is wrong.
  const char* Name(size_t* at, bool glue, Suffix* whole) {
    std::array<uint16_t, 128> starts;
    size_t labels = 0;
    const size_t begin = *at;
    size_t p = begin;
    Suffix tail;
    for (;;) {
      if (next_ < relocations_.size() && relocations_[next_].position == p) {
        if (const char* what = Pointer(p, glue, &tail)) return what;
        p += 2;
        break;
      }
      if (p >= records_.size()) return "name outside the records";
      const size_t length = records_[p];
      if (length == 0) {
        p++;
        break;
      }
      if (length > 63 || length >= records_.size() - p || labels == starts.size()) return "malformed name";
      starts[labels++] = static_cast<uint16_t>(p);
      p += 1 + length;
    }
    const size_t own_end = labels == 0 ? begin : starts[labels - 1] + 1u + records_[starts[labels - 1]];
    if (own_end - begin + tail.octets > kMaxRelativeName) return "name of more than 255 octets";
    for (size_t i = 0; i < labels; i++) {
      suffixes_[starts[i]] = {static_cast<uint16_t>(own_end - starts[i] + tail.octets), tail.target};
      is_start_[starts[i]] = true;
    }
    *whole = {static_cast<uint16_t>(own_end - begin + tail.octets), tail.target};
    *at = p;
    return nullptr;
  }

  std::span<const uint8_t> records() const { return records_; }
  bool AllRelocationsUsed() const { return next_ == relocations_.size(); }

 private:
  const char* Pointer(size_t position, bool glue, Suffix* tail) {
    if (records_.size() - position < 2) return "pointer outside the records";
    if (LoadBe16(&records_[position]) != kPointerMark) return "relocation of something that is no pointer";
    const uint32_t target = relocations_[next_++].target;
    if (target & kRelocateQuestion) {
      const uint32_t apex_offset = target & ~uint32_t{kRelocateQuestion};
      if (apex_offset >= kMaxRelativeName) return "pointer outside the apex name";
      *tail = {0, static_cast<int16_t>(apex_offset)};
      return nullptr;
    }
    // RFC 1035 section 4.1.4: a prior occurrence of the same name.
    if (glue || target >= position || !is_start_[target]) return "pointer to no earlier name";
    *tail = suffixes_[target];
    return nullptr;
  }

  std::span<const uint8_t> records_;
  std::span<const Relocation> relocations_;
  std::vector<Suffix> suffixes_;
  std::vector<bool> is_start_;
  size_t next_ = 0;
};

}  // namespace

Status Verifier::WalkAuthority(uint32_t offset, BlockUse use, BlockDemand* demand) {
  auto error = [&](std::string_view what) { return rrsets_.Error(what, offset); };
  const AuthorityBlock& block = view_.authority(offset);
  const size_t bytes = size_t{block.rr_bytes} + block.glue_bytes;
  MZ_RETURN_IF_ERROR(rrsets_.Claim(
      offset, sizeof(AuthorityBlock) + 4 * uint64_t{block.relocation_count} + bytes, "authority records"));
  for (const Le16& r : block.reserved)
    if (r != 0) return error("reserved octets of authority records are not zero");
  if (bytes > kMaxAuthorityBytes) return error("too many authority records");
  if (use == BlockUse::kSoa ? block.rr_count != 1 || block.glue_count != 0 : block.rr_count == 0)
    return error("wrong number of authority records");

  AuthorityWalk walk(block);
  const std::span<const uint8_t> records = walk.records();
  auto note = [&](const Suffix& name) {
    if (name.target < 0) return;
    demand->targets[name.target / 64] |= 1ull << (name.target % 64);
    demand->excess = std::max(demand->excess, int{name.octets} - name.target);
  };
  size_t at = 0;
  const uint32_t count = uint32_t{block.rr_count} + block.glue_count;
  for (uint32_t i = 0; i < count; i++) {
    const bool glue = i >= block.rr_count;
    if (i == block.rr_count && at != block.rr_bytes)
      return error("authority records do not fill their octets");
    const size_t end_of_part = glue ? records.size() : size_t{block.rr_bytes};
    const size_t owner_at = at;
    Suffix name;
    if (const char* what = walk.Name(&at, glue, &name)) return error(what);
    note(name);
    // The owner of SOA and NS is the apex as the client wrote it: a pointer to it and nothing else.
    if (!glue && (at != owner_at + 2 || name.octets != 0 || name.target != 0))
      return error("owner of an authority record is not the apex");
    if (at > end_of_part || end_of_part - at < kRecordHead)
      return error("authority record outside its block");
    const uint16_t type = LoadBe16(&records[at]), rr_class = LoadBe16(&records[at + 2]);
    const size_t rdlength = LoadBe16(&records[at + 8]);
    at += kRecordHead;
    if (end_of_part - at < rdlength) return error("authority record outside its block");
    const uint16_t wanted = glue ? kTypeA : use == BlockUse::kSoa ? kTypeSoa : kTypeNs;
    if (type != wanted || rr_class != kClassIn) return error("authority record of another type or class");
    const size_t end = at + rdlength;
    if (glue) {
      at += 4;
    } else {
      for (int names = use == BlockUse::kSoa ? 2 : 1; names > 0; names--) {
        if (const char* what = walk.Name(&at, glue, &name)) return error(what);
        note(name);
      }
      if (use == BlockUse::kSoa) {
        at += 20;
        if (at == end) {
          demand->soa_serial = LoadBe32(&records[at - 20]);
          demand->soa_minimum = LoadBe32(&records[at - 4]);
        }
      }
    }
    if (at != end) return error("malformed authority record data");
  }
  if (at != records.size()) return error("authority records do not fill their octets");
  if (!walk.AllRelocationsUsed()) return error("a relocation where no name can continue");
  demand->use = use;
  return {};
}

// A block may serve several zones: it is walked once, then each apex name only meets the summary.
Status Verifier::CheckAuthority(uint32_t offset, BlockUse use, const ZoneRecord& zone, uint64_t place) {
  auto it = blocks_.find(offset);
  if (it == blocks_.end()) {
    if (!rrsets_.Holds(offset, sizeof(AuthorityBlock)))
      return Damaged(kZones, "authority records lie outside the section", place);
    BlockDemand demand;
    MZ_RETURN_IF_ERROR(WalkAuthority(offset, use, &demand));
    it = blocks_.emplace(offset, demand).first;
  }
  const BlockDemand& demand = it->second;
  if (demand.use != use) return Damaged(kZones, "SOA and NS records are confused", place);
  const std::span<const uint8_t> apex = NameBytes(view_.name(zone.name));
  uint64_t starts[4] = {};
  for (size_t i = 0; i < apex.size(); i += 1u + apex[i]) starts[i / 64] |= 1ull << (i % 64);
  for (int i = 0; i < 4; i++)
    if ((demand.targets[i] & ~starts[i]) != 0)
      return Damaged(kZones, "pointer to no label of the apex name", place);
  if (demand.excess + static_cast<int>(apex.size()) > static_cast<int>(kMaxRelativeName))
    return Damaged(kZones, "authority record with a name of more than 255 octets", place);
  if (use == BlockUse::kSoa && (demand.soa_serial != zone.serial || demand.soa_minimum != zone.soa_minimum))
    return Damaged(kZones, "SOA record and zone disagree", place);
  return {};
}

Status Verifier::CheckRotation(const ZoneRecord& zone, uint64_t place) {
  if ((zone.ns == 0) != (zone.ns_count == 0) || zone.ns_count > kMaxNs)
    return Damaged(kZones, "impossible number of name servers", place);
  if (zone.ns == 0) return {};
  const uint64_t bytes = uint64_t{zone.ns_count} * sizeof(Le32);
  if (!rrsets_.Holds(zone.ns, bytes)) return Damaged(kZones, "NS rotations lie outside the section", place);
  const auto [it, is_new] = rotation_counts_.emplace(zone.ns, static_cast<uint8_t>(zone.ns_count));
  if (is_new) {
    MZ_RETURN_IF_ERROR(rrsets_.Claim(zone.ns, bytes, "table of NS rotations"));
  } else if (it->second != zone.ns_count) {
    return Damaged(kZones, "two zones disagree about their NS rotations", place);
  }
  for (uint32_t i = 0; i < zone.ns_count; i++)
    MZ_RETURN_IF_ERROR(CheckAuthority(view_.rotation(zone, i), BlockUse::kNs, zone, place));
  return {};
}

}  // namespace mz::image::internal
