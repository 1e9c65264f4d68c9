// View: read access to a verified zone image. Owns nothing: the bytes must outlive it.
//
//   MZ_ASSIGN_OR_RETURN(View view, Verify(bytes, VerifyLevel::kEverything));
//   const NameRecord* r = view.FindName(scope, hash, name, name_bytes);
//   uint32_t result = FindAddress(view.map(ref.map4), ip).result;       // 0: not listed
//
// After Verify(kEverything) every offset in the image is known to be good, so lookups check nothing: they must not be
// called on a view that was verified at kStructure only. All functions are const, pure, and may be called by any thread;
// none allocates, locks or makes a system call. A view is a few pointers: copy it.
#pragma once

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "base/copy.h"
#include "format/image/layout.h"
#include "format/image/name_hash.h"
#include "format/net/address.h"

namespace mz::image {

class View {
 public:
  View() = default;
  // Requires: `bytes` passed Verify(). The verifier is the only caller outside tests.
  explicit View(std::span<const uint8_t> bytes);

  std::span<const uint8_t> bytes() const { return bytes_; }
  const Header& header() const { return *reinterpret_cast<const Header*>(bytes_.data()); }
  uint64_t hash_seed() const { return hash_seed_; }
  uint32_t profile() const { return profile_; }
  std::span<const ZoneRecord> zones() const { return {zones_, zone_count_}; }
  uint32_t zone_depths() const { return zone_depths_; }
  // What queries read: the sections of names, maps, values and texts together.
  uint64_t served_bytes() const { return served_bytes_; }
  uint32_t bucket_count() const { return bucket_count_; }
  std::string_view meta() const { return section(kMeta); }
  std::string_view section(SectionId id) const;

  const NameRecord& name(uint32_t offset) const { return At<NameRecord>(nodes_ + size_t{offset} * 16); }
  const Node& node(uint32_t offset) const { return At<Node>(nodes_ + size_t{offset} * 16); }
  const MapHeader& map(uint32_t offset) const { return At<MapHeader>(maps_ + size_t{offset} * 64); }
  // Requires: the image has shared sets, as it has when some map is kMapSets4.
  const SharedSets& shared_sets() const { return At<SharedSets>(maps_ + size_t{shared_sets_} * 64); }
  bool has_shared_sets() const { return shared_sets_ != 0; }
  const Value& value(uint32_t id) const { return values_[id]; }
  uint32_t value_count() const { return value_count_; }
  const Text& text(uint32_t offset) const { return At<Text>(texts_ + size_t{offset} * 8); }
  const RrsetHeader& rrset(uint32_t offset) const { return At<RrsetHeader>(rrsets_ + size_t{offset} * 8); }
  const AuthorityBlock& authority(uint32_t offset) const {
    return At<AuthorityBlock>(rrsets_ + size_t{offset} * 8);
  }
  // Null when the image has no spf dataset.
  const SpfHeader* spf() const { return has_spf_ ? &At<SpfHeader>(spf_ + 8) : nullptr; }
  const SpfZone& spf_zone(uint32_t offset) const { return At<SpfZone>(spf_ + size_t{offset} * 8); }
  const SpfDomain& spf_domain(uint32_t offset) const { return At<SpfDomain>(spf_ + size_t{offset} * 8); }
  // Requires: the image has an spf dataset.
  const SpfProgram& spf_program(uint32_t id) const {
    return (&At<SpfProgram>(spf_ + size_t{spf()->programs} * 8))[id];
  }
  const uint8_t* spf_base() const { return spf_; }
  const HealthcheckZone& healthcheck_zone(uint32_t offset) const {
    return At<HealthcheckZone>(healthcheck_ + size_t{offset} * 8);
  }
  const HealthcheckName& healthcheck_name(uint32_t offset) const {
    return At<HealthcheckName>(healthcheck_ + size_t{offset} * 8);
  }
  const HealthcheckAnswer& healthcheck_answer(uint32_t offset) const {
    return At<HealthcheckAnswer>(healthcheck_ + size_t{offset} * 8);
  }
  const uint8_t* healthcheck_base() const { return healthcheck_; }
  uint32_t rotation(const ZoneRecord& zone, uint32_t i) const {
    return At<Le32>(rrsets_ + size_t{zone.ns} * 8 + size_t{i} * 4);
  }

  void PrefetchBucket(uint64_t hash) const {
    __builtin_prefetch(buckets_ + HashBucket(hash, bucket_count_));
  }
  // The stored record of this relative name (lower-case wire form without root), or null.
  const NameRecord* FindName(uint32_t scope, uint64_t hash, const uint8_t* name, size_t name_bytes) const;
  // The same for a name that is compared by the caller: same(stored) tells whether it is these `name_bytes` octets.
  template <typename Same>
  const NameRecord* FindNameIf(uint32_t scope, uint64_t hash, size_t name_bytes, Same same) const;
  // The record that FindName would compare first, for prefetching; null when no tag matches in the first bucket.
  const NameRecord* GuessName(uint64_t hash) const;

  // value ids: result id 0 is "not listed"; else the first value, more follow while kValueMore is set.
  const uint8_t* maps_base() const { return maps_; }
  uint32_t result_table_entry(uint32_t index) const { return result_tables_[index]; }

 private:
  template <typename T>
  static const T& At(const uint8_t* p) {
    static_assert(alignof(T) == 1);
    return *reinterpret_cast<const T*>(p);
  }

  std::span<const uint8_t> bytes_;
  const ZoneRecord* zones_ = nullptr;
  const Bucket* buckets_ = nullptr;
  const uint8_t* nodes_ = nullptr;
  const uint8_t* maps_ = nullptr;
  const Le32* result_tables_ = nullptr;
  const Value* values_ = nullptr;
  const uint8_t* texts_ = nullptr;
  const uint8_t* rrsets_ = nullptr;
  const uint8_t* spf_ = nullptr;
  const uint8_t* healthcheck_ = nullptr;
  uint64_t hash_seed_ = 0;
  uint64_t served_bytes_ = 0;
  uint32_t zone_count_ = 0;
  uint32_t bucket_count_ = 0;
  uint32_t value_count_ = 0;
  uint32_t max_probes_ = 0;
  uint32_t profile_ = 0;
  uint32_t zone_depths_ = 0;
  uint32_t shared_sets_ = 0;
  bool has_spf_ = false;
};

inline std::span<const uint8_t> NameBytes(const NameRecord& r) {
  return {reinterpret_cast<const uint8_t*>(&r + 1), r.name_bytes};
}
inline std::span<const DatasetRef> Datasets(const Node& n) {
  return {reinterpret_cast<const DatasetRef*>(&n + 1), n.count};
}
inline const uint8_t* Literal(const Text& t) {
  return reinterpret_cast<const uint8_t*>(&t + 1) + 2 * size_t{t.holes};
}
inline std::span<const Le16> Holes(const Text& t) { return {reinterpret_cast<const Le16*>(&t + 1), t.holes}; }
inline std::span<const uint8_t> Records(const RrsetHeader& r) {
  return {reinterpret_cast<const uint8_t*>(&r + 1), r.bytes};
}
inline std::span<const Relocation> Relocations(const AuthorityBlock& b) {
  return {reinterpret_cast<const Relocation*>(&b + 1), b.relocation_count};
}
inline const uint8_t* AuthorityRecords(const AuthorityBlock& b) {
  return reinterpret_cast<const uint8_t*>(&b + 1) + 4 * size_t{b.relocation_count};
}

namespace internal {

// Which of the bucket's slots carry the tag: bit i for slot i. One compare for four slots: which slot it is cannot be
// predicted, and a loop would stumble over it.
inline unsigned SlotsWith(const Bucket& bucket, uint32_t tag) {
#if defined(__SSE2__)
  const __m128i wanted = _mm_set1_epi32(static_cast<int>(tag));
  const __m128i* slots = reinterpret_cast<const __m128i*>(&bucket);
  const __m128i low = _mm_cmpeq_epi32(_mm_loadu_si128(slots), wanted);
  const __m128i high = _mm_cmpeq_epi32(_mm_loadu_si128(slots + 1), wanted);
  return static_cast<unsigned>(_mm_movemask_epi8(_mm_packs_epi16(_mm_packs_epi32(low, high), _mm_setzero_si128())));
#else
  unsigned slots = 0;
  for (int i = 0; i < kBucketSlots; i++) slots |= unsigned{bucket.tag[i] == tag} << i;
  return slots;
#endif
}

}  // namespace internal

template <typename Same>
inline const NameRecord* View::FindNameIf(uint32_t scope, uint64_t hash, size_t name_bytes, Same same) const {
  const uint32_t tag = HashTag(hash);
  uint32_t index = HashBucket(hash, bucket_count_);
  for (uint32_t probe = 0; probe < max_probes_; probe++) {
    const Bucket& bucket = buckets_[index];
    for (unsigned slots = internal::SlotsWith(bucket, tag); slots != 0; slots &= slots - 1) {
      const NameRecord& r = this->name(bucket.record[std::countr_zero(slots)]);
      if (r.scope == scope && r.name_bytes == name_bytes && same(NameBytes(r).data())) return &r;
    }
    if (bucket.tag[kBucketSlots - 1] == 0) return nullptr;
    index = index + 1 == bucket_count_ ? 0 : index + 1;
  }
  return nullptr;
}

inline const NameRecord* View::FindName(uint32_t scope, uint64_t hash, const uint8_t* name,
                                        size_t name_bytes) const {
  return FindNameIf(scope, hash, name_bytes,
                    [=](const uint8_t* stored) { return SameShort(stored, name, name_bytes); });
}

inline const NameRecord* View::GuessName(uint64_t hash) const {
  const Bucket& bucket = buckets_[HashBucket(hash, bucket_count_)];
  const unsigned slots = internal::SlotsWith(bucket, HashTag(hash));
  return slots == 0 ? nullptr : &this->name(bucket.record[std::countr_zero(slots)]);
}

// The interval that holds an address.
template <typename Address>
struct Interval {
  uint32_t result = 0;
  bool has_start = false;  // false: below the first key; never known of a kMapSets4
  Address start{};         // of the interval, when has_start
};

Interval<net::Ip4> FindAddress(const View& view, const MapHeader& map, net::Ip4 address);
Interval<net::Ip6> FindAddress(const View& view, const MapHeader& map, const net::Ip6& address);

// True when some address in [first, last] is listed. Exact, and bounded: two searches, in a kMapSets4 one for each set or
// prefix of its list.
bool AnyListed(const View& view, const MapHeader& map, net::Ip4 first, net::Ip4 last);
bool AnyListed(const View& view, const MapHeader& map, const net::Ip6& first, const net::Ip6& last);

// Calls visit(first, last, result) for every interval in ascending order, result 0 included. For dump, diff and re-use by
// the compiler; not for the hot path.
template <typename Visit>
void ForEachInterval4(const View& view, const MapHeader& map, Visit visit);
template <typename Visit>
void ForEachInterval6(const View& view, const MapHeader& map, Visit visit);

}  // namespace mz::image

#include "format/image/view_inl.h"
