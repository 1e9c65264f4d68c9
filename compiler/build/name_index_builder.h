// The name index: records (section kNodes) and the hash table over them (section kBuckets).
//
//   NameIndexBuilder index;
//   MZ_ASSIGN_OR_RETURN(uint32_t at, index.Add(scope, name, image::kNameExact, a, b));   // record offset in kNodes
//   ... index.nodes() for the Nodes beside the records ...
//   MZ_ASSIGN_OR_RETURN(NameIndex done, index.Finish(seed, /*seed_is_fixed=*/false, threads));
//
// Finish() also makes empty non-terminals exist: every ancestor (below the scope's apex) of a name that lists something
// becomes a record with kNameBelow; exclusions list nothing and make no ancestor exist. Scope 0 holds zone apexes: there
// only stored apexes are marked. Records lie in the order of Add(), then the empty non-terminals.
// Cost: 16 bytes a name besides the sections, 32 while sorting; no allocation per name. Errors: ResourceExhausted,
// InvalidArgument (a name twice in one scope).
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "compiler/build/heap.h"
#include "format/image/layout.h"

namespace mz::compiler {

struct HashedRecord {
  uint64_t hash;
  uint32_t record;  // kNodes offset
};

struct NameIndex {
  uint64_t hash_seed = 0;
  uint32_t max_probes = 1;
  uint64_t names = 0;  // records, empty non-terminals included
  Bytes buckets;
};

class NameIndexBuilder {
 public:
  // `name`: relative wire form, lower case. Returns the record's offset in nodes().
  StatusOr<uint32_t> Add(uint32_t scope, std::string_view name, uint8_t flags, uint32_t a, uint32_t b);
  // The same for many names at once, in the order of their numbers 0..count - 1. `get` is called from several threads, twice
  // for every number; names without flags are left out. Returns which label counts there are, as in image::DatasetRef.
  struct Name {
    std::string_view name;
    uint8_t flags;
    uint32_t a, b;
  };
  struct Depths {
    uint32_t exact = 0, wild = 0;
  };
  StatusOr<Depths> AddMany(uint32_t scope, size_t count, const std::function<Name(size_t)>& get, int threads);
  Heap& nodes() { return nodes_; }
  // Room for `names` more records whose names have `name_bytes` octets together.
  void Reserve(size_t names, size_t name_bytes);
  StatusOr<NameIndex> Finish(uint64_t seed, bool seed_is_fixed, int threads);

 private:
  struct Ancestor {
    uint64_t hash;
    uint32_t record;  // whose name ends in it ...
    uint8_t skip;     // ... after this many octets
  };
  std::string_view NameOf(uint32_t record) const;
  uint32_t ScopeOf(uint32_t record) const;
  bool SameName(uint32_t record, const Ancestor& a) const;
  class AncestorSet;
  std::vector<Ancestor> HashAll(uint64_t seed, int threads);
  Status AddAncestors(std::vector<Ancestor> ancestors);
  Status CheckDistinct() const;

  Heap nodes_{16};
  BigVector<HashedRecord> entries_;
};

// Sorts by hash; equal hashes by record.
void SortByHash(BigVector<HashedRecord>* entries, int threads);

// Fills `bucket_count` buckets from entries sorted by hash; returns the longest probe sequence. Requires: the buckets have
// more slots than there are entries.
uint32_t FillBuckets(std::span<const HashedRecord> sorted, uint32_t bucket_count, Bytes* buckets);

}  // namespace mz::compiler
