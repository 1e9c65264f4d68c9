// The header page, the section table, checksums, values; and the order of all other checks. See verify.h, and
// verify_internal.h for how the work stays linear.
#include "format/image/verify.h"

#include <xxhash.h>

#include <algorithm>
#include <memory>

#include "base/give_way.h"
#include "format/image/verify_internal.h"

namespace mz::image {
namespace internal {
namespace {

// Between two calls of GiveWay().
constexpr uint64_t kWordsAtOnce = 4096, kValuesAtOnce = 1024;
constexpr uint64_t kChecksumAtOnce = 256u << 10;  // octets

}  // namespace

std::string_view SectionName(SectionId id) {
  static constexpr std::string_view kNames[kSectionCount] = {"zones",         "buckets",   "nodes", "maps",
                                                             "result tables", "values",    "texts", "rrsets",
                                                             "meta",          "provenance", "spf",  "healthcheck"};
  return kNames[id];
}

Status Damaged(std::string_view place, std::string_view what, uint64_t offset_bytes) {
  std::string message = "zone image is damaged: ";
  if (place != "header") message += "section ";
  message.append(place).append(": ").append(what).append(" at offset ").append(std::to_string(offset_bytes));
  return MakeStatus(StatusCode::kDataLoss, message);
}

bool AllZero(const uint8_t* p, uint64_t bytes) {
  uint64_t any = 0;
  while (bytes >= 8) {
    uint64_t word;
    std::memcpy(&word, p, 8);
    any |= word;
    p += 8;
    bytes -= 8;
  }
  for (; bytes > 0; bytes--) any |= *p++;
  return any == 0;
}

bool Bitmap::SetRange(uint64_t first, uint64_t count) {
  bool any = false;
  while (count > 0) {
    const uint64_t shift = first % 64;
    const uint64_t n = std::min<uint64_t>(count, 64 - shift);
    const uint64_t mask = (n == 64 ? ~0ull : (1ull << n) - 1) << shift;
    any |= (std::atomic_ref(words_[first / 64]).fetch_or(mask, std::memory_order_relaxed) & mask) != 0;
    first += n;
    count -= n;
  }
  return any;
}

Heap::Heap(const View& view, SectionId id, uint32_t unit)
    : id_(id),
      unit_(unit),
      base_(reinterpret_cast<const uint8_t*>(view.section(id).data())),
      size_(view.section(id).size()),
      covered_(size_ / unit) {
  covered_.Set(0);
}

Status Heap::Claim(uint64_t offset, uint64_t bytes, std::string_view what) {
  const uint64_t rounded = (bytes + unit_ - 1) / unit_ * unit_;
  if (!Holds(offset, rounded)) return Error(std::string(what) + ": outside the section", offset);
  if (covered_.SetRange(offset, rounded / unit_))
    return Error(std::string(what) + ": overlaps another object", offset);
  if (!AllZero(at(offset) + bytes, rounded - bytes))
    return Error(std::string(what) + ": not padded with zeros", offset);
  return {};
}

Status Heap::Claim(uint64_t offset, uint64_t bytes, std::string_view what, Share* share) const {
  const uint64_t units = (bytes + unit_ - 1) / unit_, padding = units * unit_ - bytes;
  if (!Holds(offset, units * unit_)) return Error(std::string(what) + ": outside the section", offset);
  bool taken = false;
  for (uint64_t first = offset, count = units; count > 0;) {
    const uint64_t shift = first % 64, n = std::min<uint64_t>(count, 64 - shift);
    const uint64_t mask = (n == 64 ? ~0ull : (1ull << n) - 1) << shift;
    uint64_t& word = share->words_[first / 64];
    taken |= (word & mask) != 0;
    word |= mask;
    first += n;
    count -= n;
  }
  if (taken) return Error(std::string(what) + ": overlaps another object", offset);
  // The padding is the end of the last unit.
  const uint8_t* end = at(offset + units);
  const uint64_t high = *reinterpret_cast<const Le64*>(end - 8), low = *reinterpret_cast<const Le64*>(end - 16);
  const bool zero = padding == 0  ? true
                    : padding <= 8 ? high >> (64 - 8 * padding) == 0
                                   : high == 0 && low >> (128 - 8 * padding) == 0;
  if (!zero) return Error(std::string(what) + ": not padded with zeros", offset);
  return {};
}

bool Heap::Add(const std::vector<std::unique_ptr<Share>>& shares) {
  std::vector<uint64_t>& words = covered_.words();
  uint64_t twice = 0;
  for (size_t w = 0; w < words.size(); w++) {
    if (w % kWordsAtOnce == 0) GiveWay();
    uint64_t claimed = words[w];
    for (const auto& share : shares) {
      twice |= claimed & share->words_[w];
      claimed |= share->words_[w];
    }
  }
  if (twice != 0) return false;
  for (const auto& share : shares)
    for (size_t w = 0; w < words.size(); w++) words[w] |= share->words_[w];
  return true;
}

Status Heap::CheckRest() const {
  const std::vector<uint64_t>& words = covered_.words();
  for (uint64_t w = 0; w < words.size(); w++) {
    if (w % kWordsAtOnce == 0) GiveWay();
    uint64_t free = ~words[w];
    while (free != 0) {
      const uint64_t i = w * 64 + static_cast<uint64_t>(std::countr_zero(free));
      if (i >= units()) return {};
      if (!AllZero(at(i), unit_)) return Error("bytes that belong to no object", i);
      free &= free - 1;
    }
  }
  return {};
}

Verifier::Verifier(const View& view, int threads)
    : view_(view),
      threads_(threads),
      nodes_(view, kNodes, 16),
      maps_(view, kMaps, 64),
      texts_(view, kTexts, 8),
      rrsets_(view, kRrsets, 8),
      spf_(view, kSpfData, 8),
      healthcheck_(view, kHealthcheckData, 8),
      result_start_(view.value_count()),
      action_(view.value_count()),
      name_seen_(nodes_.units()),
      node_seen_(nodes_.units()),
      node_combined_(nodes_.units()),
      node_acl_(nodes_.units()),
      node_spf_(nodes_.units()),
      map_seen_(maps_.units()),
      map_six_(maps_.units()),
      map_plain_(maps_.units()),
      map_class_(maps_.units()),
      map_program_(maps_.units()),
      map_set_class_(maps_.units()),
      map_own_(maps_.units()),
      text_seen_(texts_.units()),
      rrset_seen_(rrsets_.units()),
      spf_zone_seen_(spf_.units()),
      spf_domain_seen_(spf_.units()),
      healthcheck_zone_seen_(healthcheck_.units()),
      healthcheck_name_seen_(healthcheck_.units()),
      healthcheck_answer_seen_(healthcheck_.units()),
      healthcheck_list_seen_(healthcheck_.units()) {}

Status Verifier::CheckValues() {
  bool more = false;  // the entry before continues here
  for (uint32_t id = 1; id < view_.value_count(); id++) {
    if (id % kValuesAtOnce == 0) GiveWay();
    const Value& v = view_.value(id);
    const uint32_t ref = v.ref;
    if (!more) result_start_.Set(id);
    if (ref & kValueAction) {
      if (ref != kValueAction || more || v.a[0] != 0 || v.a[1] != 0 || v.a[2] != 0 || v.a[3] > kAclEmpty)
        return Damaged(kValues, "acl action with other content", uint64_t{id} * sizeof(Value));
      action_.Set(id);
      has_actions_ = true;
    }
    if (uint32_t text = ref & kValueTextMask; text != 0) {
      MZ_RETURN_IF_ERROR(CheckText(text));
      if (view_.text(text).flags & kTextSpf)
        return Damaged(kValues, "a value with the text of an SPF program", uint64_t{id} * sizeof(Value));
    }
    more = (ref & kValueMore) != 0;
  }
  if (more) return Damaged(kValues, "list of values does not end", view_.section(kValues).size());
  if (!AllZero(reinterpret_cast<const uint8_t*>(&view_.value(0)), sizeof(Value)))
    return Damaged(kValues, "entry 0 is not empty", 0);
  return {};
}

Status Verifier::CheckResultTables() {
  const uint64_t count = view_.section(kResultTables).size() / sizeof(Le32);
  for (uint64_t i = 0; i < count; i++)
    if (!ResultOk(view_.result_table_entry(static_cast<uint32_t>(i))))
      return Damaged(kResultTables, "entry is no result", i * sizeof(Le32));
  return {};
}

Status Verifier::Run() {
  for (const Heap* heap : {&nodes_, &maps_, &texts_, &rrsets_, &spf_, &healthcheck_})
    if (!AllZero(heap->at(0), heap->unit())) return heap->Error("the reserved first unit is not empty", 0);
  MZ_RETURN_IF_ERROR(CheckValues());
  MZ_RETURN_IF_ERROR(CheckResultTables());
  MZ_RETURN_IF_ERROR(CheckBucketShapes());
  MZ_RETURN_IF_ERROR(CheckSpfHeader());
  MZ_RETURN_IF_ERROR(CheckSharedSets());
  MZ_RETURN_IF_ERROR(CheckZones());
  MZ_RETURN_IF_ERROR(CheckSubzones());
  MZ_RETURN_IF_ERROR(CheckNames());
  MZ_RETURN_IF_ERROR(CheckIndexed());
  MZ_RETURN_IF_ERROR(CheckMaps());
  MZ_RETURN_IF_ERROR(CheckSetRanges());
  for (const Heap* heap : {&nodes_, &maps_, &texts_, &rrsets_, &spf_, &healthcheck_}) MZ_RETURN_IF_ERROR(heap->CheckRest());
  return {};
}

namespace {

constexpr std::string_view kHeaderPlace = "header";

uint64_t AlignSection(uint64_t n) { return (n + kSectionAlignment - 1) & ~uint64_t{kSectionAlignment - 1}; }

uint32_t ElementBytes(SectionId id) {
  switch (id) {
    case kZones:
      return sizeof(ZoneRecord);
    case kBuckets:
      return sizeof(Bucket);
    case kNodes:
      return 16;
    case kMaps:
      return 64;
    case kResultTables:
      return sizeof(Le32);
    case kValues:
      return sizeof(Value);
    case kTexts:
    case kRrsets:
    case kSpfData:
    case kHealthcheckData:
      return 8;
    default:
      return 1;
  }
}

// Sections that are never empty: the index has a bucket, the others their reserved first unit.
bool MustExist(SectionId id) {
  return id == kBuckets || id == kNodes || id == kMaps || id == kValues || id == kTexts || id == kRrsets ||
         id == kSpfData || id == kHealthcheckData;
}

Status CheckSectionTable(const Header& h, uint64_t file_size) {
  uint64_t expected = kHeaderBytes;
  for (uint32_t i = 0; i < kSectionCount; i++) {
    const auto id = static_cast<SectionId>(i);
    const uint64_t entry = offsetof(Header, sections) + i * sizeof(SectionEntry);
    const uint64_t offset = h.sections[i].offset, size = h.sections[i].size;
    if (offset != expected) return Damaged(SectionName(id), "section does not follow the one before", entry);
    if (size > file_size - offset)
      return Damaged(SectionName(id), "section ends behind the end of the file", entry);
    const uint32_t element = ElementBytes(id);
    if (size % element != 0 || (MustExist(id) && size == 0))
      return Damaged(SectionName(id), "section has an impossible size", entry);
    // Offsets and indexes are 32 bits wide.
    if (element != 1 && size / element > 0xffffffffu)
      return Damaged(SectionName(id), "section is too large", entry);
    expected = AlignSection(offset + size);
    if (expected > file_size)
      return Damaged(SectionName(id), "the file ends inside the section's padding", entry);
  }
  if (expected != file_size)
    return Damaged(kHeaderPlace, "the file goes on behind the last section", offsetof(Header, sections));
  return {};
}

Status CheckHeader(std::span<const uint8_t> bytes) {
  if (bytes.size() < sizeof(kMagic) || std::memcmp(bytes.data(), kMagic, sizeof(kMagic)) != 0)
    return MakeStatus(StatusCode::kDataLoss, "not a zone image: the first octets are wrong");
  if (bytes.size() < kHeaderBytes)
    return Damaged(kHeaderPlace, "the file ends inside the header page", bytes.size());
  const Header& h = *reinterpret_cast<const Header*>(bytes.data());
  // The version decides what everything behind it means, so it comes before the checksum.
  if (h.version != kVersion)
    return MakeStatus(StatusCode::kDataLoss, "zone image has format version " +
                                                 std::to_string(uint32_t{h.version}) +
                                                 ", this program reads version " + std::to_string(kVersion) +
                                                 ": build it again with the matching compiler");
  if (h.checksum != XXH3_64bits(&h, offsetof(Header, checksum)))
    return Damaged(kHeaderPlace, "checksum of the header page is wrong", offsetof(Header, checksum));
  if (h.header_bytes != kHeaderBytes)
    return Damaged(kHeaderPlace, "unknown header size", offsetof(Header, header_bytes));
  if (h.file_size != bytes.size())
    return Damaged(kHeaderPlace,
                   "the file has " + std::to_string(bytes.size()) + " octets instead of " +
                       std::to_string(uint64_t{h.file_size}) + ", named",
                   offsetof(Header, file_size));
  if (bytes.size() > kMaxImageBytes)
    return Damaged(kHeaderPlace, "image is too large", offsetof(Header, file_size));
  if (h.section_count != kSectionCount)
    return Damaged(kHeaderPlace, "unknown number of sections", offsetof(Header, section_count));
  if ((h.profile & ~uint32_t{kProfileKnownBits}) != 0)
    return Damaged(kHeaderPlace, "unknown profile bits", offsetof(Header, profile));
  if (h.max_probes < 1 || h.max_probes > kMaxProbes)
    return Damaged(kHeaderPlace, "impossible number of probes", offsetof(Header, max_probes));
  if (!AllZero(h.reserved, sizeof(h.reserved)))
    return Damaged(kHeaderPlace, "reserved octets are not zero", offsetof(Header, reserved));
  Header blank = h;
  blank.created_unix = 0;
  blank.identity = 0;
  blank.checksum = 0;
  if (h.identity != XXH3_64bits(&blank, sizeof(blank)))
    return Damaged(kHeaderPlace, "identity does not match the content", offsetof(Header, identity));
  return CheckSectionTable(h, bytes.size());
}

uint64_t Checksum(const uint8_t* bytes, uint64_t size) {
  if (size <= kChecksumAtOnce) return XXH3_64bits(bytes, size);
  const std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> state(XXH3_createState(), &XXH3_freeState);
  if (state == nullptr) return XXH3_64bits(bytes, size);
  XXH3_64bits_reset(state.get());
  for (uint64_t at = 0; at < size; at += kChecksumAtOnce) {
    XXH3_64bits_update(state.get(), bytes + at, std::min(kChecksumAtOnce, size - at));
    GiveWay();
  }
  return XXH3_64bits_digest(state.get());
}

Status CheckSectionChecksums(const View& view, int threads) {
  // The largest sections first, so that the threads end together.
  std::vector<uint32_t> order(kSectionCount);
  for (uint32_t i = 0; i < kSectionCount; i++) order[i] = i;
  const Header& h = view.header();
  std::stable_sort(order.begin(), order.end(),
                   [&](uint32_t a, uint32_t b) { return h.sections[a].size > h.sections[b].size; });
  return ParallelFor(kSectionCount, threads, [&](uint64_t i) -> Status {
    const auto id = static_cast<SectionId>(order[i]);
    const SectionEntry& e = h.sections[id];
    const uint64_t padded = AlignSection(e.size);
    const uint8_t* base = view.bytes().data() + e.offset;
    if (e.checksum != Checksum(base, padded)) return Damaged(id, "checksum of the section is wrong", 0);
    if (!AllZero(base + e.size, padded - e.size))
      return Damaged(id, "the padding behind the section is not zero", e.size);
    return {};
  });
}

}  // namespace
}  // namespace internal

StatusOr<View> Verify(std::span<const uint8_t> bytes, VerifyLevel level, int threads) {
  MZ_RETURN_IF_ERROR(internal::CheckHeader(bytes));
  View view(bytes);
  if (level == VerifyLevel::kEverything) {
    MZ_RETURN_IF_ERROR(internal::CheckSectionChecksums(view, threads));
    MZ_RETURN_IF_ERROR(internal::Verifier(view, threads).Run());
  }
  return view;
}

}  // namespace mz::image
