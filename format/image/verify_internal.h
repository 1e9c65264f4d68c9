// What the parts of the verifier share: claims on heap units, the scopes seen so far, error texts, parallel
// loops. Private to verify*.cc.
//
// Two ideas keep the work linear in the size of the image, whatever the bytes are. Every unit of a heap
// belongs to at most one object (claims), so that no byte is checked twice however many references lead to
// it; and nothing follows a chain deeper than the fixed shape zone -> node -> scope -> subzone node, so
// nothing recurses.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/status.h"
#include "format/image/view.h"

namespace mz::image::internal {

std::string_view SectionName(SectionId id);

// "zone image is damaged: section maps: keys out of order at offset 4096". Offsets count from the start of
// the section.
Status Damaged(std::string_view place, std::string_view what, uint64_t offset_bytes);
inline Status Damaged(SectionId section, std::string_view what, uint64_t offset_bytes) {
  return Damaged(SectionName(section), what, offset_bytes);
}

bool AllZero(const uint8_t* p, uint64_t bytes);

// Runs task(0) .. task(count - 1) on up to `threads` threads and returns the error of the lowest failing
// index, so that the verdict does not depend on timing.
template <typename Task>
Status ParallelFor(uint64_t count, int threads, const Task& task);

// Bits that several threads set. Relaxed order is enough: each bit is only a claim, the joins order
// everything else.
class Bitmap {
 public:
  explicit Bitmap(uint64_t bits = 0) : words_((bits + 63) / 64) {}
  bool Test(uint64_t i) const { return words_[i / 64] >> (i % 64) & 1; }
  // Returns the previous value.
  bool Set(uint64_t i) {
    const uint64_t mask = 1ull << (i % 64);
    return (std::atomic_ref(words_[i / 64]).fetch_or(mask, std::memory_order_relaxed) & mask) != 0;
  }
  // Returns true when some bit of the range was already set.
  bool SetRange(uint64_t first, uint64_t count);
  const std::vector<uint64_t>& words() const { return words_; }
  std::vector<uint64_t>& words() { return words_; }

 private:
  std::vector<uint64_t> words_;
};

// One heap section: where it is, how large its units are, and which units belong to an object.
class Heap {
 public:
  // Units that one thread has claimed: claiming in a bitmap that all threads write costs a cache miss each.
  class Share {
   public:
    explicit Share(const Heap& heap) : words_((heap.units() + 63) / 64) {}
    // Requires: the offset lies in the section.
    void Prefetch(uint64_t offset) const { __builtin_prefetch(&words_[offset / 64], 1); }

   private:
    friend class Heap;
    std::vector<uint64_t> words_;
  };

  Heap(const View& view, SectionId id, uint32_t unit);
  uint32_t unit() const { return unit_; }
  uint64_t units() const { return size_ / unit_; }
  SectionId id() const { return id_; }
  const uint8_t* at(uint64_t offset) const { return base_ + offset * unit_; }
  // `offset` is in units and not 0; [offset, offset + bytes) lies in the section.
  bool Holds(uint64_t offset, uint64_t bytes) const {
    return offset != 0 && offset < units() && bytes <= size_ - offset * unit_;
  }
  // Takes the units of an object and checks that its last unit is padded with zeros.
  // Requires: Holds(offset, bytes rounded up) was checked, or the error is wanted.
  Status Claim(uint64_t offset, uint64_t bytes, std::string_view what);
  // The same for a share; two shares may then claim the same units. Requires: the unit has 16 octets.
  Status Claim(uint64_t offset, uint64_t bytes, std::string_view what, Share* share) const;
  // Adds what shares have claimed. False, and nothing is added: something is claimed twice.
  bool Add(const std::vector<std::unique_ptr<Share>>& shares);
  Status Error(std::string_view what, uint64_t offset) const { return Damaged(id_, what, offset * unit_); }
  // Everything that belongs to no object is zero.
  Status CheckRest() const;

 private:
  SectionId id_;
  uint32_t unit_;
  const uint8_t* base_;
  uint64_t size_;
  Bitmap covered_;
};

// What is known of a scope: what its names mean, and which label counts occur.
struct Scope {
  uint8_t kind = 0;           // DatasetKind
  uint32_t exact_depths = 0;  // as the DatasetRefs say
  uint32_t wild_depths = 0;
  std::atomic<uint32_t> found_exact{0};
  std::atomic<uint32_t> found_wild{0};
};

class Verifier {
 public:
  Verifier(const View& view, int threads);
  // Everything but the header page and the checksums. The order matters: each step relies on the earlier
  // ones.
  Status Run();

 private:
  // verify.cc
  Status CheckValues();
  Status CheckResultTables();

  // verify_names.cc: nodes, datasets, zones and the name index.
  enum class NodeUse { kZone, kSubzone, kAcl };
  Status CheckZones();
  Status CheckNode(uint32_t offset, NodeUse use);
  Status CheckDataset(const DatasetRef& ref, uint64_t place);
  Status CheckBucketShapes();
  Status CheckSubzones();
  Status CheckNames();
  // `share`: where its octets are claimed, null: in the heap itself.
  Status CheckName(uint32_t offset, Heap::Share* share);
  Status CheckBucketNames(uint64_t first, uint64_t end, Heap::Share* share);
  Status CheckParent(uint32_t offset, const NameRecord& r, uint64_t parent_hash);
  Status CheckMeaning(uint32_t offset, const NameRecord& r);
  Status CheckIndexed();

  // verify_maps.cc
  // What its results are. kClasses, kPrograms: of SPF; kSetClasses: of the shared sets; kOwn: result ids + 1.
  enum class MapUse : uint8_t { kValues, kAcl, kClasses, kPrograms, kSetClasses, kOwn };
  Status AddMap(uint32_t offset, bool six, MapUse use);
  bool MapResultOk(MapUse use, bool six, uint32_t id) const;
  MapUse UseOf(uint32_t offset) const;
  Status AddDirect(uint32_t offset, const MapHeader& map);
  Status CheckMaps();
  Status CheckMapResults(uint32_t offset) const;
  Status CheckTree(uint32_t offset) const;
  Status CheckDirectPart(uint32_t offset, uint32_t first_high, uint32_t last_high) const;

  // verify_sets.cc
  Status CheckSharedSets();
  Status CheckSetRanges() const;
  Status CheckSetMap(uint32_t offset);

  // verify_spf.cc
  Status CheckSpfHeader();
  // Class lists of SPF or of the shared sets.
  struct ClassTableShape {
    Heap& heap;
    uint32_t offset, words, set_count;
    uint32_t max_members;
  };
  Status CheckClasses(const ClassTableShape& shape, Bitmap* starts);
  Status CheckSpfProgram(uint32_t id);
  Status CheckSpfText(uint32_t offset, uint64_t place);
  Status CheckSpfZone(uint32_t offset, uint64_t place);
  Status CheckSpfLayout(std::span<const SpfPart> parts, uint64_t offset);
  Status CheckSpfDomain(uint32_t offset);

  // verify_healthcheck.cc
  Status CheckHealthcheckZone(uint32_t offset, uint64_t place);
  Status CheckRegistered(const HealthcheckZone& zone, uint64_t offset);
  Status CheckHealthcheckName(uint32_t offset);
  enum class AnswerUse { kSource, kChased, kFault };
  Status CheckHealthcheckSources(uint32_t offset, bool may_chase);
  Status CheckHealthcheckAnswer(uint32_t offset, AnswerUse use);
  Status CheckHealthcheckRecords(const HealthcheckAnswer& answer, uint64_t offset);

  // verify_records.cc
  Status CheckText(uint32_t offset);
  Status CheckRrset(uint32_t offset);
  enum class BlockUse { kSoa, kNs };
  Status CheckAuthority(uint32_t offset, BlockUse use, const ZoneRecord& zone, uint64_t place);
  Status CheckRotation(const ZoneRecord& zone, uint64_t place);

  // 0 or the first value of a result.
  bool ResultOk(uint32_t id) const { return id == 0 || (id < view_.value_count() && result_start_.Test(id)); }
  bool IsAction(uint32_t id) const { return has_actions_ && id != 0 && action_.Test(id); }

  // What an AuthorityBlock demands of the apex names it is used with.
  struct BlockDemand {
    uint64_t targets[4] = {};  // bit n: some pointer goes to offset n of the apex name
    int excess = -1000;        // max over names of (own octets - target): + apex octets must stay within 254
    BlockUse use = BlockUse::kSoa;
    uint32_t soa_serial = 0, soa_minimum = 0;
  };
  Status WalkAuthority(uint32_t offset, BlockUse use, BlockDemand* demand);

  const View& view_;
  const int threads_;
  Heap nodes_, maps_, texts_, rrsets_, spf_, healthcheck_;
  Bitmap result_start_, action_;
  bool has_actions_ = false;
  Bitmap name_seen_, node_seen_, node_combined_, node_acl_, node_spf_;
  Bitmap map_seen_, map_six_, map_plain_;
  Bitmap map_class_, map_program_, map_set_class_, map_own_;
  std::mutex map_mutex_;  // names are checked by several threads, and SPF domains bring maps
  Bitmap text_seen_, rrset_seen_;
  Bitmap spf_zone_seen_, spf_domain_seen_;
  std::mutex healthcheck_mutex_;  // names are checked by several threads, and share answers
  Bitmap healthcheck_zone_seen_, healthcheck_name_seen_, healthcheck_answer_seen_, healthcheck_list_seen_;
  Bitmap class_start4_, class_start6_, set_class_start_;  // by word of the classes
  absl::flat_hash_map<uint32_t, bool> spf_scopes_;  // scope -> its zones say kSpfHasSubdomains
  std::vector<uint32_t> map_offsets_;
  std::vector<uint32_t> big_maps_;  // Direct4, in pieces
  absl::flat_hash_map<uint32_t, std::unique_ptr<Scope>> scopes_;
  absl::flat_hash_map<uint32_t, BlockDemand> blocks_;
  absl::flat_hash_map<uint32_t, uint8_t> rotation_counts_;
  bool has_combined_ = false;
};

}  // namespace mz::image::internal

#include "format/image/verify_parallel.h"
