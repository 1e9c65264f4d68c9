// See name_index_builder.h.
#include "compiler/build/name_index_builder.h"

#include <algorithm>
#include <cstring>

#include "absl/container/flat_hash_set.h"
#include "compiler/build/parallel.h"
#include "format/image/name_hash.h"

namespace mz::compiler {

using image::Bucket;
using image::NameRecord;

namespace {

// Load of the table: 4.8 names in a bucket of 8 on average.
constexpr double kNamesPerBucket = 0.6 * image::kBucketSlots;
// A longer probe sequence than this makes the table grow ...
constexpr uint32_t kWantedProbes = 8;
// ... by a quarter, this many times; then up to kMaxProbes are taken.
constexpr int kGrowths = 6;
constexpr int kSeeds = 8;
constexpr int kMaxLabels = 128;

// Hashes of all suffixes: out[n] is the hash of the last n labels, starts[n] where they begin. Returns the label
// count.
int HashSuffixes(uint64_t seed, uint32_t scope, std::string_view name, uint64_t* out, uint8_t* starts) {
  uint8_t padded[255 + 8];
  std::memcpy(padded, name.data(), name.size());
  std::memset(padded + name.size(), 0, 8);
  uint8_t label[kMaxLabels];
  int labels = 0;
  for (size_t i = 0; i < name.size(); i += 1u + padded[i]) label[labels++] = static_cast<uint8_t>(i);
  image::NameHasher hasher(seed, scope);
  out[0] = hasher.Finish();
  starts[0] = static_cast<uint8_t>(name.size());
  for (int n = 1; n <= labels; n++) {
    uint8_t start = label[labels - n];
    hasher.Add(image::HashLabel(seed, padded + start + 1, padded[start]));
    out[n] = hasher.Finish();
    starts[n] = start;
  }
  return labels;
}

bool Lists(const NameRecord& r) {
  if (r.scope == 0) return true;
  return ((r.flags & image::kNameExact) && r.a != 0) || ((r.flags & image::kNameWild) && r.b != 0);
}

// An object, not a function: std::sort inlines it.
constexpr auto kBefore = [](const HashedRecord& x, const HashedRecord& y) {
  return x.hash != y.hash ? x.hash < y.hash : x.record < y.record;
};

}  // namespace

void NameIndexBuilder::Reserve(size_t names, size_t name_bytes) {
  if (entries_.size() + names > entries_.capacity())
    entries_.reserve(std::max(entries_.size() + names, entries_.capacity() + entries_.capacity() / 2));
  nodes_.Reserve(names * (sizeof(NameRecord) + 8) + name_bytes);  // 8: padding to 16, on average
}

StatusOr<uint32_t> NameIndexBuilder::Add(uint32_t scope, std::string_view name, uint8_t flags, uint32_t a,
                                         uint32_t b) {
  int labels = 0;
  size_t i = 0;
  for (; i < name.size(); labels++) {
    size_t length = static_cast<uint8_t>(name[i]);
    if (length == 0 || length > 63) return MakeStatus(StatusCode::kInternal, "a name to store has a bad label");
    i += 1 + length;
  }
  if (i != name.size() || name.size() > 254)
    return MakeStatus(StatusCode::kInternal, "a name to store is malformed or too long");
  MZ_ASSIGN_OR_RETURN(uint32_t offset, nodes_.Allocate(sizeof(NameRecord) + name.size()));
  NameRecord* r = nodes_.As<NameRecord>(offset);
  r->scope = scope;
  r->a = a;
  r->b = b;
  r->flags = flags;
  r->labels = static_cast<uint8_t>(labels);
  r->name_bytes = static_cast<uint8_t>(name.size());
  std::memcpy(r + 1, name.data(), name.size());
  if ((flags & image::kNameWild) && b != 0) r->flags |= image::kNameBelow;
  entries_.push_back({0, offset});
  return offset;
}

std::string_view NameIndexBuilder::NameOf(uint32_t record) const {
  const NameRecord* r = reinterpret_cast<const NameRecord*>(nodes_.At(record));
  return {reinterpret_cast<const char*>(r + 1), r->name_bytes};
}

uint32_t NameIndexBuilder::ScopeOf(uint32_t record) const {
  return reinterpret_cast<const NameRecord*>(nodes_.At(record))->scope;
}

bool NameIndexBuilder::SameName(uint32_t record, const Ancestor& a) const {
  return ScopeOf(record) == ScopeOf(a.record) && NameOf(record) == NameOf(a.record).substr(a.skip);
}

void NameIndexBuilder::HashAll(uint64_t seed, std::vector<Ancestor>* ancestors) {
  auto hash = [&](uint32_t i) { return static_cast<size_t>((*ancestors)[i].hash); };
  auto equal = [&](uint32_t i, uint32_t j) {
    const Ancestor &x = (*ancestors)[i], &y = (*ancestors)[j];
    return x.hash == y.hash && ScopeOf(x.record) == ScopeOf(y.record) &&
           NameOf(x.record).substr(x.skip) == NameOf(y.record).substr(y.skip);
  };
  absl::flat_hash_set<uint32_t, decltype(hash), decltype(equal)> known(0, hash, equal);
  uint64_t hashes[kMaxLabels];
  uint8_t starts[kMaxLabels];
  for (HashedRecord& e : entries_) {
    const NameRecord& r = *reinterpret_cast<const NameRecord*>(nodes_.At(e.record));
    int labels = HashSuffixes(seed, r.scope, NameOf(e.record), hashes, starts);
    e.hash = hashes[labels];
    if (!Lists(r)) continue;
    for (int n = labels - 1; n >= 0; n--) {
      ancestors->push_back({hashes[n], e.record, starts[n]});
      if (known.insert(static_cast<uint32_t>(ancestors->size() - 1)).second) continue;
      ancestors->pop_back();  // and all shorter ones are known with it
      break;
    }
  }
}

Status NameIndexBuilder::AddAncestors(std::vector<Ancestor> ancestors) {
  std::vector<HashedRecord> added;
  for (const Ancestor& a : ancestors) {
    auto it = std::lower_bound(entries_.begin(), entries_.end(), a.hash,
                               [](const HashedRecord& e, uint64_t hash) { return e.hash < hash; });
    while (it != entries_.end() && it->hash == a.hash && !SameName(it->record, a)) ++it;
    if (it != entries_.end() && it->hash == a.hash) {
      NameRecord* r = nodes_.As<NameRecord>(it->record);
      r->flags |= image::kNameBelow;
      continue;
    }
    uint32_t scope = ScopeOf(a.record);
    std::string name(NameOf(a.record).substr(a.skip));
    if (scope == 0 || name.empty()) continue;
    size_t before = entries_.size();
    MZ_ASSIGN_OR_RETURN(uint32_t offset, Add(scope, name, image::kNameBelow, 0, 0));
    entries_.resize(before);  // Add() appended; keep entries_ sorted while it is searched
    added.push_back({a.hash, offset});
  }
  std::sort(added.begin(), added.end(), kBefore);
  size_t middle = entries_.size();
  entries_.insert(entries_.end(), added.begin(), added.end());
  std::inplace_merge(entries_.begin(), entries_.begin() + static_cast<ptrdiff_t>(middle), entries_.end(), kBefore);
  return absl::OkStatus();
}

Status NameIndexBuilder::CheckDistinct() const {
  for (size_t i = 0; i < entries_.size(); i++)
    for (size_t j = i + 1; j < entries_.size() && entries_[j].hash == entries_[i].hash; j++)
      if (SameName(entries_[j].record, Ancestor{0, entries_[i].record, 0}))
        return MakeStatus(StatusCode::kInvalidArgument, "the same name is stored twice");
  return absl::OkStatus();
}

StatusOr<NameIndex> NameIndexBuilder::Finish(uint64_t seed, bool seed_is_fixed, int threads) {
  std::vector<Ancestor> ancestors;
  HashAll(seed, &ancestors);
  SortByHash(&entries_, threads);
  MZ_RETURN_IF_ERROR(AddAncestors(std::move(ancestors)));
  MZ_RETURN_IF_ERROR(CheckDistinct());
  NameIndex index;
  index.names = entries_.size();
  for (int attempt = 0; attempt < (seed_is_fixed ? 1 : kSeeds); attempt++) {
    if (attempt > 0) {
      seed = seed * image::kHashMultiplier1 + 1;
      uint64_t hashes[kMaxLabels];
      uint8_t starts[kMaxLabels];
      for (HashedRecord& e : entries_)
        e.hash = hashes[HashSuffixes(seed, ScopeOf(e.record), NameOf(e.record), hashes, starts)];
      SortByHash(&entries_, threads);
    }
    index.hash_seed = seed;
    double count = static_cast<double>(entries_.size()) / kNamesPerBucket + 1;
    for (int growth = 0; growth <= kGrowths; growth++, count *= 1.25) {
      if (count > static_cast<double>(UINT32_MAX)) break;
      index.max_probes = FillBuckets(entries_, static_cast<uint32_t>(count), &index.buckets);
      if (index.max_probes <= kWantedProbes) return index;
    }
    if (index.max_probes <= image::kMaxProbes) return index;
  }
  return MakeStatus(StatusCode::kResourceExhausted, "the name index needs more than " +
                                                        std::to_string(image::kMaxProbes) +
                                                        " probes: try another hash seed");
}

void SortByHash(std::vector<HashedRecord>* entries, int threads) {
  constexpr size_t kSmall = 1 << 16;
  constexpr int kRangeBits = 12;
  if (entries->size() < kSmall) {
    std::sort(entries->begin(), entries->end(), kBefore);
    return;
  }
  // One counting pass by the upper bits, then small sorts that stay in the cache and can run side by side.
  std::vector<size_t> ends(size_t{1} << kRangeBits);
  for (const HashedRecord& e : *entries) ends[e.hash >> (64 - kRangeBits)]++;
  size_t sum = 0;
  for (size_t& end : ends) {
    size_t start = sum;
    sum += end;
    end = start;
  }
  std::vector<HashedRecord> sorted(entries->size());
  for (const HashedRecord& e : *entries) sorted[ends[e.hash >> (64 - kRangeBits)]++] = e;
  entries->swap(sorted);
  sorted = {};
  ParallelFor(threads, ends.size(), [&](size_t range) {
    size_t start = range == 0 ? 0 : ends[range - 1];
    std::sort(entries->begin() + static_cast<ptrdiff_t>(start),
              entries->begin() + static_cast<ptrdiff_t>(ends[range]), kBefore);
  });
}

uint32_t FillBuckets(std::span<const HashedRecord> sorted, uint32_t bucket_count, Bytes* out) {
  out->assign(size_t{bucket_count} * sizeof(Bucket), 0);
  Bucket* buckets = reinterpret_cast<Bucket*>(out->data());
  uint32_t longest = 1;
  // Homes ascend with the hash, so the first bucket with room is never before the last one used, until the end wraps.
  uint32_t current = 0;
  int used = 0;
  bool wrapped = false;
  for (const HashedRecord& e : sorted) {
    const uint32_t home = image::HashBucket(e.hash, bucket_count);
    if (!wrapped && home > current) {
      current = home;
      used = 0;
    }
    while (used == image::kBucketSlots) {
      current++;
      used = 0;
      if (current == bucket_count) {
        current = 0;
        wrapped = true;
      }
      if (wrapped)
        while (used < image::kBucketSlots && buckets[current].tag[used] != 0) used++;
    }
    buckets[current].tag[used] = image::HashTag(e.hash);
    buckets[current].record[used] = e.record;
    used++;
    longest = std::max(longest, (current >= home ? current - home : bucket_count - home + current) + 1);
  }
  return longest;
}

}  // namespace mz::compiler
