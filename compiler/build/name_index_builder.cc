// See name_index_builder.h.
#include "compiler/build/name_index_builder.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "base/copy.h"
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
constexpr size_t kReadBehind = 8;
// What a thread takes of many names at once.
constexpr size_t kPieceNames = 1 << 14;
// Fewer names than this are not worth a thread.
constexpr size_t kManyNames = 1 << 15;

// Checks a name to store and counts its labels.
Status CountLabels(std::string_view name, int* labels) {
  *labels = 0;
  size_t i = 0;
  for (; i < name.size(); ++*labels) {
    size_t length = static_cast<uint8_t>(name[i]);
    if (length == 0 || length > 63) return MakeStatus(StatusCode::kInternal, "a name to store has a bad label");
    i += 1 + length;
  }
  if (i != name.size() || name.size() > 254)
    return MakeStatus(StatusCode::kInternal, "a name to store is malformed or too long");
  return absl::OkStatus();
}

// Writes the record of a name, but for its padding.
void PutRecord(NameRecord* r, uint32_t scope, std::string_view name, int labels, uint8_t flags, uint32_t a, uint32_t b) {
  r->scope = scope;
  r->a = a;
  r->b = b;
  r->flags = flags;
  r->labels = static_cast<uint8_t>(labels);
  r->name_bytes = static_cast<uint8_t>(name.size());
  r->reserved = 0;
  if ((flags & image::kNameWild) && b != 0) r->flags |= image::kNameBelow;
  CopyShort(reinterpret_cast<uint8_t*>(r + 1), reinterpret_cast<const uint8_t*>(name.data()), name.size());
}

// Hashes of all suffixes: out[n] is the hash of the last n labels, starts[n] where they begin. Returns the label
// count. Requires: kReadBehind octets behind the name are readable.
int HashSuffixes(uint64_t seed, uint32_t scope, std::string_view name, uint64_t* out, uint8_t* starts) {
  const auto* octets = reinterpret_cast<const uint8_t*>(name.data());
  uint8_t label[kMaxLabels];
  int labels = 0;
  for (size_t i = 0; i < name.size(); i += 1u + octets[i]) label[labels++] = static_cast<uint8_t>(i);
  image::NameHasher hasher(seed, scope);
  out[0] = hasher.Finish();
  starts[0] = static_cast<uint8_t>(name.size());
  for (int n = 1; n <= labels; n++) {
    uint8_t start = label[labels - n];
    hasher.Add(image::HashLabel(seed, octets + start + 1, octets[start]));
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
  mz::Reserve(&entries_, names);
  nodes_.Reserve(names * (sizeof(NameRecord) + 8) + name_bytes);  // 8: padding to 16, on average
}

StatusOr<uint32_t> NameIndexBuilder::Add(uint32_t scope, std::string_view name, uint8_t flags, uint32_t a,
                                         uint32_t b) {
  int labels;
  MZ_RETURN_IF_ERROR(CountLabels(name, &labels));
  MZ_ASSIGN_OR_RETURN(uint32_t offset, nodes_.Allocate(sizeof(NameRecord) + name.size()));
  PutRecord(nodes_.As<NameRecord>(offset), scope, name, labels, flags, a, b);
  const HashedRecord entry{0, offset};
  Append(&entries_, &entry, 1);
  return offset;
}

StatusOr<NameIndexBuilder::Depths> NameIndexBuilder::AddMany(uint32_t scope, size_t count,
                                                             const std::function<Name(size_t)>& get, int threads) {
  constexpr size_t kUnit = 16, kSpareBytes = 4096;
  struct Piece {
    Status status;
    Depths depths;
    size_t units = 0, names = 0;  // then: those before
  };
  auto units = [](std::string_view name) { return (sizeof(NameRecord) + name.size() + kUnit - 1) / kUnit; };
  std::vector<Piece> pieces(count / kPieceNames + 1);
  auto end_of = [&](size_t p) { return std::min(count, (p + 1) * kPieceNames); };
  ParallelFor(threads, pieces.size(), [&](size_t p) {
    Piece piece;
    for (size_t i = p * kPieceNames; i < end_of(p) && piece.status.ok(); i++) {
      const Name n = get(i);
      if (n.flags == 0) continue;
      int labels;
      piece.status = CountLabels(n.name, &labels);
      const uint32_t depth = 1u << std::min(labels, 31);
      if (n.flags & image::kNameExact) piece.depths.exact |= depth;
      if (n.flags & image::kNameWild) piece.depths.wild |= depth;
      piece.units += units(n.name);
      piece.names++;
    }
    pieces[p] = std::move(piece);
  });
  Depths depths;
  size_t all_units = 0, all_names = 0;
  for (Piece& piece : pieces) {
    MZ_RETURN_IF_ERROR(piece.status);
    depths.exact |= piece.depths.exact;
    depths.wild |= piece.depths.wild;
    all_units += std::exchange(piece.units, all_units);
    all_names += std::exchange(piece.names, all_names);
  }
  if (all_names == 0) return depths;
  // Further records and ancestors follow: growing by them would copy everything.
  nodes_.Reserve(all_units * kUnit + all_units + kSpareBytes);
  MZ_ASSIGN_OR_RETURN(const uint32_t first, nodes_.AllocateUnset(all_units * kUnit));
  if (first + all_units - 1 > UINT32_MAX)
    return MakeStatus(StatusCode::kResourceExhausted, "the names would take more than 64 GiB");
  const size_t entries = entries_.size();
  mz::Reserve(&entries_, all_names + all_names / 16);
  entries_.resize(entries + all_names);
  ParallelFor(threads, pieces.size(), [&](size_t p) {
    size_t at = first + pieces[p].units, entry = entries + pieces[p].names;
    for (size_t i = p * kPieceNames; i < end_of(p); i++) {
      const Name n = get(i);
      if (n.flags == 0) continue;
      int labels = 0;
      (void)CountLabels(n.name, &labels);
      uint8_t* record = nodes_.At(static_cast<uint32_t>(at));
      const size_t size = units(n.name) * kUnit;
      std::memset(record + size - kUnit, 0, kUnit);
      PutRecord(reinterpret_cast<NameRecord*>(record), scope, n.name, labels, n.flags, n.a, n.b);
      entries_[entry++] = {0, static_cast<uint32_t>(at)};
      at += size / kUnit;
    }
  });
  return depths;
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

// Ancestors by name, in the order in which they are met.
class NameIndexBuilder::AncestorSet {
 public:
  explicit AncestorSet(const NameIndexBuilder* names) : names_(names), known_(0, Hash{this}, Equal{this}) {}
  AncestorSet(const AncestorSet&) = delete;
  AncestorSet& operator=(const AncestorSet&) = delete;

  // False: it is known.
  bool Add(const Ancestor& a) {
    uint32_t& recent = recent_[a.hash % kRecent];
    if (recent < list_.size() && Same(list_[recent], a)) return false;
    list_.push_back(a);
    auto [it, added] = known_.insert(static_cast<uint32_t>(list_.size() - 1));
    recent = *it;
    if (!added) list_.pop_back();
    return added;
  }
  std::vector<Ancestor> Take() { return std::move(list_); }

 private:
  struct Hash {
    const AncestorSet* set;
    size_t operator()(uint32_t i) const { return static_cast<size_t>(set->list_[i].hash); }
  };
  struct Equal {
    const AncestorSet* set;
    bool operator()(uint32_t i, uint32_t j) const { return set->Same(set->list_[i], set->list_[j]); }
  };
  bool Same(const Ancestor& x, const Ancestor& y) const {
    if (x.hash != y.hash || names_->ScopeOf(x.record) != names_->ScopeOf(y.record)) return false;
    const std::string_view a = names_->NameOf(x.record).substr(x.skip), b = names_->NameOf(y.record).substr(y.skip);
    return a.size() == b.size() && SameShort(reinterpret_cast<const uint8_t*>(a.data()),
                                             reinterpret_cast<const uint8_t*>(b.data()), a.size());
  }
  static constexpr size_t kRecent = 1024;  // places for those met lately, by hash
  const NameIndexBuilder* names_;
  std::vector<Ancestor> list_;
  absl::flat_hash_set<uint32_t, Hash, Equal> known_;
  std::vector<uint32_t> recent_ = std::vector<uint32_t>(kRecent);
};

// Each thread takes a part of the records and finds the ancestors in it; put together in order, what is new in a part
// comes as if one had done all.
std::vector<NameIndexBuilder::Ancestor> NameIndexBuilder::HashAll(uint64_t seed, int threads) {
  nodes_.Reserve(kReadBehind);
  const size_t parts = entries_.size() < kManyNames ? 1 : static_cast<size_t>(std::max(threads, 1));
  std::vector<std::vector<Ancestor>> found(parts);
  ParallelFor(threads, parts, [&](size_t part) {
    AncestorSet ancestors(this);
    uint64_t hashes[kMaxLabels];
    uint8_t starts[kMaxLabels];
    const size_t end = entries_.size() * (part + 1) / parts;
    for (size_t i = entries_.size() * part / parts; i < end; i++) {
      HashedRecord& e = entries_[i];
      const NameRecord& r = *reinterpret_cast<const NameRecord*>(nodes_.At(e.record));
      int labels = HashSuffixes(seed, r.scope, NameOf(e.record), hashes, starts);
      e.hash = hashes[labels];
      if (!Lists(r)) continue;
      for (int n = labels - 1; n >= 0; n--)
        if (!ancestors.Add({hashes[n], e.record, starts[n]})) break;  // all shorter ones are known with it
    }
    found[part] = ancestors.Take();
  });
  if (parts == 1) return std::move(found[0]);
  AncestorSet all(this);
  for (const std::vector<Ancestor>& list : found)
    for (const Ancestor& a : list) all.Add(a);
  return all.Take();
}

Status NameIndexBuilder::AddAncestors(std::vector<Ancestor> ancestors) {
  std::vector<HashedRecord> added;
  const size_t middle = entries_.size();
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
    MZ_ASSIGN_OR_RETURN(uint32_t offset, Add(scope, name, image::kNameBelow, 0, 0));
    entries_.resize(middle);  // Add() appended; keep entries_ sorted while it is searched
    added.push_back({a.hash, offset});
  }
  std::sort(added.begin(), added.end(), kBefore);
  // Merged from the end: every entry moves at most once.
  mz::Reserve(&entries_, added.size());
  entries_.resize(middle + added.size());
  size_t from = middle, to = entries_.size();
  while (!added.empty()) {
    const bool take_added = from == 0 || kBefore(entries_[from - 1], added.back());
    entries_[--to] = take_added ? added.back() : entries_[--from];
    if (take_added) added.pop_back();
  }
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
  std::vector<Ancestor> ancestors = HashAll(seed, threads);
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
      nodes_.Reserve(kReadBehind);
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

void SortByHash(BigVector<HashedRecord>* entries, int threads) {
  constexpr int kRangeBits = 12, kPlaceBits = 10;
  constexpr size_t kInsertion = 16;
  const size_t n = entries->size();
  if (n < kManyNames) {
    std::sort(entries->begin(), entries->end(), kBefore);
    return;
  }
  // Hashes are evenly distributed: one pass by the upper bits makes ranges that stay in the cache, one by the next bits
  // puts nearly every entry into its place. Threads take shares of the first pass, ranges of the second.
  const size_t ranges = size_t{1} << kRangeBits;
  auto range_of = [](const HashedRecord& e) { return static_cast<size_t>(e.hash >> (64 - kRangeBits)); };
  const size_t shares = static_cast<size_t>(std::clamp(threads, 1, 16));
  std::vector<std::vector<size_t>> at(shares, std::vector<size_t>(ranges));
  ParallelFor(threads, shares, [&](size_t share) {
    for (size_t i = n * share / shares; i < n * (share + 1) / shares; i++) at[share][range_of((*entries)[i])]++;
  });
  std::vector<size_t> starts(ranges + 1, n);
  size_t sum = 0;
  for (size_t r = 0; r < ranges; r++) {
    starts[r] = sum;
    for (std::vector<size_t>& counts : at) sum += std::exchange(counts[r], sum);
  }
  BigVector<HashedRecord> scattered(n);
  ParallelFor(threads, shares, [&](size_t share) {
    std::vector<size_t>& next = at[share];
    for (size_t i = n * share / shares; i < n * (share + 1) / shares; i++) {
      const HashedRecord& e = (*entries)[i];
      scattered[next[range_of(e)]++] = e;
    }
  });
  ParallelFor(threads, ranges, [&](size_t range) {
    const HashedRecord *begin = scattered.data() + starts[range], *end = scattered.data() + starts[range + 1];
    HashedRecord* out = entries->data() + starts[range];
    auto place_of = [](const HashedRecord& e) { return e.hash << kRangeBits >> (64 - kPlaceBits); };
    uint32_t ends[1u << kPlaceBits] = {};
    for (const HashedRecord* e = begin; e < end; e++) ends[place_of(*e)]++;
    uint32_t before = 0;
    for (uint32_t& place : ends) before += std::exchange(place, before);
    for (const HashedRecord* e = begin; e < end; e++) out[ends[place_of(*e)]++] = *e;
    uint32_t first = 0;
    for (const uint32_t last : ends) {
      if (last - first > kInsertion) {
        std::sort(out + first, out + last, kBefore);
      } else {
        for (uint32_t i = first + 1; i < last; i++) {
          const HashedRecord e = out[i];
          uint32_t j = i;
          for (; j > first && kBefore(e, out[j - 1]); j--) out[j] = out[j - 1];
          out[j] = e;
        }
      }
      first = last;
    }
  });
}

uint32_t FillBuckets(std::span<const HashedRecord> sorted, uint32_t bucket_count, Bytes* out) {
  out->resize(size_t{bucket_count} * sizeof(Bucket));
  std::memset(out->data(), 0, out->size());
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
