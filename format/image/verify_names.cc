// Zones, nodes, datasets, scopes and the name index of a zone image. See verify_internal.h.
#include <algorithm>
#include <utility>

#include "base/give_way.h"
#include "format/image/verify_internal.h"

namespace mz::image::internal {

namespace {

// Buckets per task: large enough to hide the hand-out, small enough to share. And between two calls of GiveWay().
constexpr uint64_t kBucketsPerTask = 4096, kBucketsAtOnce = 128;
constexpr uint64_t kBucketsAhead = 4;

bool IsIp4Kind(uint8_t kind) { return kind == kIp4Set || kind == kIp4Tset || kind == kIp4Trie; }
bool IsIp6Kind(uint8_t kind) { return kind == kIp6Tset || kind == kIp6Trie; }
bool HasScope(uint8_t kind) {
  return kind == kDnset || kind == kGeneric || kind == kCombined || kind == kSpf || kind == kHealthcheck;
}

uint32_t DepthBit(uint32_t labels) { return 1u << std::min(labels, 31u); }

// Labels of 1 to 63 octets that fill the name, in lower case, as many as the record says, 255 octets with the
// root's.
bool WellFormed(const NameRecord& r) {
  const std::span<const uint8_t> name = NameBytes(r);
  if (name.size() > 254) return false;
  uint32_t labels = 0;
  for (size_t i = 0; i < name.size(); labels++) {
    const size_t length = name[i++];
    if (length == 0 || length > 63 || length > name.size() - i) return false;
    for (const size_t end = i + length; i < end; i++)
      if (name[i] >= 'A' && name[i] <= 'Z') return false;
  }
  return labels == r.labels;
}

// HashName() without its copy. HashLabel() reads up to 7 octets behind a label; behind the nodes lies the
// maps section, which is never empty, so these exist. *parent: the same for the name without its first label.
// Requires: WellFormed().
uint64_t HashInPlace(uint64_t seed, uint32_t scope, std::span<const uint8_t> name, uint64_t* parent) {
  uint8_t starts[128];
  size_t labels = 0;
  for (size_t i = 0; i < name.size(); i += 1u + name[i]) starts[labels++] = static_cast<uint8_t>(i);
  NameHasher hasher(seed, scope);
  *parent = hasher.Finish();
  while (labels > 0) {
    if (labels == 1) *parent = hasher.Finish();
    const uint8_t* label = &name[starts[--labels]];
    hasher.Add(HashLabel(seed, label + 1, *label));
  }
  return hasher.Finish();
}

uint64_t PlaceOf(size_t zone) { return zone * sizeof(ZoneRecord); }

}  // namespace

Status Verifier::CheckZones() {
  const std::span<const ZoneRecord> zones = view_.zones();
  uint32_t depths = 0;
  for (size_t i = 0; i < zones.size(); i++) {
    const ZoneRecord& z = zones[i];
    const uint64_t place = PlaceOf(i);
    if ((z.flags & ~uint32_t{kZoneKnownFlags}) != 0) return Damaged(kZones, "unknown flags", place);
    for (const Le32& r : z.reserved)
      if (r != 0) return Damaged(kZones, "reserved octets are not zero", place);
    if (!nodes_.Holds(z.name, sizeof(NameRecord)) ||
        !nodes_.Holds(z.name, sizeof(NameRecord) + view_.name(z.name).name_bytes))
      return Damaged(kZones, "the apex lies outside the nodes", place);
    const NameRecord& apex = view_.name(z.name);
    if (apex.scope != 0 || apex.a != i || apex.labels == 0 || !WellFormed(apex))
      return Damaged(kZones, "the apex is not the name of this zone", place);
    depths |= DepthBit(apex.labels);
    MZ_RETURN_IF_ERROR(CheckNode(z.node, NodeUse::kZone));
    if (z.acl != 0) MZ_RETURN_IF_ERROR(CheckNode(z.acl, NodeUse::kAcl));
    if (z.soa != 0) MZ_RETURN_IF_ERROR(CheckAuthority(z.soa, BlockUse::kSoa, z, place));
    MZ_RETURN_IF_ERROR(CheckRotation(z, place));
  }
  if (depths != view_.zone_depths())
    return Damaged("header", "label counts of the zones are wrong", offsetof(Header, zone_depths));
  if (uint32_t acl = view_.header().global_acl; acl != 0) MZ_RETURN_IF_ERROR(CheckNode(acl, NodeUse::kAcl));
  return {};
}

Status Verifier::CheckNode(uint32_t offset, NodeUse use) {
  if (!nodes_.Holds(offset, sizeof(Node)))
    return nodes_.Error("a dataset list lies outside the section", offset);
  const Node& node = view_.node(offset);
  if (!node_seen_.Set(offset)) {
    if (node.count > kMaxDatasetsPerNode) return nodes_.Error("too many datasets in one list", offset);
    MZ_RETURN_IF_ERROR(
        nodes_.Claim(offset, sizeof(Node) + sizeof(DatasetRef) * size_t{node.count}, "dataset list"));
    if ((node.flags & ~uint32_t{kNodeKnownFlags}) != 0)
      return nodes_.Error("unknown flags of a dataset list", offset);
    for (const Le32& r : node.reserved)
      if (r != 0) return nodes_.Error("reserved octets of a dataset list are not zero", offset);
    bool ip4 = false;
    bool healthcheck = false, foreign = false;  // foreign: not allowed beside healthcheck
    for (const DatasetRef& ref : Datasets(node)) {
      MZ_RETURN_IF_ERROR(CheckDataset(ref, uint64_t{offset} * nodes_.unit()));
      ip4 |= IsIp4Kind(ref.kind);
      if (ref.kind == kCombined) node_combined_.Set(offset);
      if (ref.kind == kAcl) node_acl_.Set(offset);
      if (ref.kind == kSpf || ref.kind == kHealthcheck) node_spf_.Set(offset);
      foreign |= ref.kind != kGeneric && ref.kind != kHealthcheck;
      healthcheck |= ref.kind == kHealthcheck;
    }
    if (healthcheck && foreign) return nodes_.Error("healthcheck among other datasets than generic", offset);
    if (ip4 != ((node.flags & kNodeHasIp4) != 0))
      return nodes_.Error("wrong flags of a dataset list", offset);
    if (node_acl_.Test(offset) && node.count != 1) return nodes_.Error("acl among other datasets", offset);
  }
  if (node_acl_.Test(offset) != (use == NodeUse::kAcl))
    return nodes_.Error("acl and datasets are confused", offset);
  if (use == NodeUse::kSubzone && node_combined_.Test(offset))
    return nodes_.Error("combined inside combined", offset);
  if (use == NodeUse::kSubzone && node_spf_.Test(offset)) return nodes_.Error("spf or healthcheck inside combined", offset);
  return {};
}

Status Verifier::CheckDataset(const DatasetRef& ref, uint64_t place) {
  auto error = [&](std::string_view what) { return Damaged(kNodes, what, place); };
  const uint8_t kind = ref.kind;
  if (kind == 0 || kind > kDatasetKindLast) return error("unknown dataset kind");
  if (!AllZero(ref.reserved, sizeof(ref.reserved))) return error("reserved octets of a dataset are not zero");
  const bool acl = kind == kAcl;
  if (kind == kSpf) {
    MZ_RETURN_IF_ERROR(CheckSpfZone(ref.map4, place));
    spf_scopes_[ref.scope] |= (view_.spf_zone(ref.map4).flags & kSpfHasSubdomains) != 0;
  } else if (kind == kHealthcheck) {
    MZ_RETURN_IF_ERROR(CheckHealthcheckZone(ref.map4, place));
  } else if (ref.map4 != 0 && !IsIp4Kind(kind) && !acl) {
    return error("IPv4 map in a dataset of another kind");
  }
  if (ref.map6 != 0 && !IsIp6Kind(kind) && !acl) return error("IPv6 map in a dataset of another kind");
  const MapUse use = acl ? MapUse::kAcl : MapUse::kValues;
  if (kind != kSpf && kind != kHealthcheck) MZ_RETURN_IF_ERROR(AddMap(ref.map4, /*six=*/false, use));
  MZ_RETURN_IF_ERROR(AddMap(ref.map6, /*six=*/true, use));
  if ((ref.scope != 0) != HasScope(kind)) return error("dataset with a wrong scope");
  if (!HasScope(kind) && ref.exact_depths != 0) return error("label counts in a dataset without names");
  if (kind != kDnset && ref.wild_depths != 0) return error("wildcards in a dataset without them");
  if (ref.scope == 0) return {};
  std::unique_ptr<Scope>& scope = scopes_[ref.scope];
  if (scope == nullptr) {
    scope = std::make_unique<Scope>();
    scope->kind = kind;
    scope->exact_depths = ref.exact_depths;
    scope->wild_depths = ref.wild_depths;
    has_combined_ |= kind == kCombined;
  } else if (scope->kind != kind || scope->exact_depths != ref.exact_depths ||
             scope->wild_depths != ref.wild_depths) {
    return error("two datasets disagree about their scope");
  }
  return {};
}

// Slots fill from 0, and every record they name lies in the section: from here on View::FindName() is safe.
Status Verifier::CheckBucketShapes() {
  const auto* buckets = reinterpret_cast<const Bucket*>(view_.section(kBuckets).data());
  const uint64_t count = view_.bucket_count();
  const uint64_t tasks = (count + kBucketsPerTask - 1) / kBucketsPerTask;
  return ParallelFor(tasks, threads_, [&](uint64_t task) -> Status {
    const uint64_t end = std::min(count, (task + 1) * kBucketsPerTask);
    for (uint64_t b = task * kBucketsPerTask; b < end; b++) {
      bool free = false;
      for (int i = 0; i < kBucketSlots; i++) {
        const uint32_t tag = buckets[b].tag[i], record = buckets[b].record[i];
        if ((tag == 0) != (record == 0) || (tag != 0 && (free || (tag & 1) == 0)))
          return Damaged(kBuckets, "broken slots", b * sizeof(Bucket));
        free |= tag == 0;
        if (tag == 0) continue;
        // Records lie anywhere, so looking at each would cost a cache miss: only those near the end need it.
        if (nodes_.Holds(record, sizeof(NameRecord) + 255)) continue;
        if (!nodes_.Holds(record, sizeof(NameRecord)) ||
            !nodes_.Holds(record, sizeof(NameRecord) + view_.name(record).name_bytes))
          return Damaged(kBuckets, "a name lies outside the nodes", b * sizeof(Bucket));
      }
    }
    return {};
  });
}

// The dataset lists of subzones bring scopes of their own, so they come before the names.
Status Verifier::CheckSubzones() {
  if (!has_combined_) return {};
  const auto* buckets = reinterpret_cast<const Bucket*>(view_.section(kBuckets).data());
  for (uint64_t b = 0; b < view_.bucket_count(); b++) {
    if (b % kBucketsAtOnce == 0) GiveWay();
    for (int i = 0; i < kBucketSlots && buckets[b].tag[i] != 0; i++) {
      const NameRecord& r = view_.name(buckets[b].record[i]);
      if ((r.flags & kNameExact) == 0 || r.scope == 0) continue;
      const auto scope = scopes_.find(r.scope);
      if (scope != scopes_.end() && scope->second->kind == kCombined)
        MZ_RETURN_IF_ERROR(CheckNode(r.a, NodeUse::kSubzone));
    }
  }
  return {};
}

Status Verifier::CheckNames() {
  const uint64_t count = view_.bucket_count();
  if (threads_ < 2 || count <= kBucketsPerTask) return CheckBucketNames(0, count, nullptr);
  const uint64_t tasks = (count + kBucketsPerTask - 1) / kBucketsPerTask;
  std::mutex mutex;
  std::vector<std::unique_ptr<Heap::Share>> shares;  // that no thread has in hand
  MZ_RETURN_IF_ERROR(ParallelFor(tasks, threads_, [&](uint64_t task) -> Status {
    std::unique_ptr<Heap::Share> share;
    {
      std::lock_guard lock(mutex);
      if (!shares.empty()) {
        share = std::move(shares.back());
        shares.pop_back();
      }
    }
    if (share == nullptr) share = std::make_unique<Heap::Share>(nodes_);
    Status status = CheckBucketNames(task * kBucketsPerTask, std::min(count, (task + 1) * kBucketsPerTask), share.get());
    std::lock_guard lock(mutex);
    shares.push_back(std::move(share));
    return status;
  }));
  if (nodes_.Add(shares)) return {};
  return CheckBucketNames(0, count, nullptr);  // finds out which name overlaps another object
}

Status Verifier::CheckBucketNames(uint64_t first, uint64_t end, Heap::Share* share) {
  const auto* buckets = reinterpret_cast<const Bucket*>(view_.section(kBuckets).data());
  for (uint64_t b = first; b < end; b++) {
    if (b % kBucketsAtOnce == 0) GiveWay();
    // Records lie anywhere: fetch those of a later bucket while this one is checked.
    if (b + kBucketsAhead < end) {
      for (int i = 0; i < kBucketSlots; i++) {
        const uint32_t record = buckets[b + kBucketsAhead].record[i];
        __builtin_prefetch(nodes_.at(record));
        if (share != nullptr) share->Prefetch(record);
      }
    }
    for (int i = 0; i < kBucketSlots && buckets[b].tag[i] != 0; i++)
      MZ_RETURN_IF_ERROR(CheckName(buckets[b].record[i], share));
  }
  return {};
}

Status Verifier::CheckName(uint32_t offset, Heap::Share* share) {
  const NameRecord& r = view_.name(offset);
  const uint64_t bytes = sizeof(NameRecord) + r.name_bytes;
  MZ_RETURN_IF_ERROR(share == nullptr ? nodes_.Claim(offset, bytes, "name")
                                      : std::as_const(nodes_).Claim(offset, bytes, "name", share));
  if (r.scope == 0) name_seen_.Set(offset);  // asked for by zones
  if (r.reserved != 0 || r.flags == 0 || (r.flags & ~uint32_t{kNameKnownFlags}) != 0)
    return nodes_.Error("wrong flags of a name", offset);
  if (!WellFormed(r)) return nodes_.Error("malformed name", offset);
  // The slot that led here must also be where a query for the name ends, and it must end at no other record.
  const std::span<const uint8_t> name = NameBytes(r);
  uint64_t parent_hash;
  const uint64_t hash = HashInPlace(view_.hash_seed(), r.scope, name, &parent_hash);
  if (view_.FindName(r.scope, hash, name.data(), name.size()) != &r)
    return nodes_.Error("a name that the index does not find", offset);
  MZ_RETURN_IF_ERROR(CheckParent(offset, r, parent_hash));
  return CheckMeaning(offset, r);
}

// Whatever lists something makes its ancestors exist, one label at a time: the server stops its search, and says NXDOMAIN,
// where a name has nothing below.
Status Verifier::CheckParent(uint32_t offset, const NameRecord& r, uint64_t parent_hash) {
  if (r.scope == 0) return {};
  const bool wild_lists = (r.flags & kNameWild) && r.b != 0;
  if (wild_lists && (r.flags & kNameBelow) == 0) return nodes_.Error("a wildcard with nothing below", offset);
  const bool lists = wild_lists || (r.flags & kNameBelow) || ((r.flags & kNameExact) && r.a != 0);
  if (!lists || r.name_bytes == 0) return {};
  const std::span<const uint8_t> parent = NameBytes(r).subspan(1u + NameBytes(r)[0]);
  const NameRecord* above = view_.FindName(r.scope, parent_hash, parent.data(), parent.size());
  // The apex of a scope need not be stored.
  if (above == nullptr ? !parent.empty() : (above->flags & kNameBelow) == 0)
    return nodes_.Error("a name below one that has nothing below", offset);
  return {};
}

// What `a` and `b` mean depends on the scope.
Status Verifier::CheckMeaning(uint32_t offset, const NameRecord& r) {
  const bool exact = r.flags & kNameExact, wild = r.flags & kNameWild;
  if ((!exact && r.a != 0) || (!wild && r.b != 0)) return nodes_.Error("a name with unused content", offset);
  if (r.scope == 0) {
    if (!exact || wild || r.a >= view_.zones().size() || view_.zones()[r.a].name != offset)
      return nodes_.Error("the name of no zone", offset);
    return {};
  }
  const auto it = scopes_.find(r.scope);
  if (it == scopes_.end()) return nodes_.Error("a name in no dataset", offset);
  Scope& scope = *it->second;
  if (wild && scope.kind != kDnset) return nodes_.Error("a wildcard in a dataset without them", offset);
  auto note = [&](std::atomic<uint32_t>& found) {
    const uint32_t bit = DepthBit(r.labels);
    if ((found.load(std::memory_order_relaxed) & bit) == 0) found.fetch_or(bit, std::memory_order_relaxed);
  };
  if (exact) note(scope.found_exact);
  if (wild) note(scope.found_wild);
  switch (scope.kind) {
    case kDnset:
      if (!ResultOk(r.a) || !ResultOk(r.b) || IsAction(r.a) || IsAction(r.b))
        return nodes_.Error("a name with an impossible result", offset);
      break;
    case kGeneric:
      if (exact) MZ_RETURN_IF_ERROR(CheckRrset(r.a));
      break;
    case kSpf:
      if (exact) {
        MZ_RETURN_IF_ERROR(CheckSpfDomain(r.a));
        if ((view_.spf_domain(r.a).flags & kSpfSubdomains) != 0 && !spf_scopes_.find(r.scope)->second)
          return nodes_.Error("an SPF domain with subdomains in a zone without them", offset);
      }
      break;
    case kHealthcheck:
      if (exact) MZ_RETURN_IF_ERROR(CheckHealthcheckName(r.a));
      break;
    default:  // combined: CheckSubzones() has seen the list
      break;
  }
  return {};
}

// Label counts decide which depths a query looks at: one too few hides names, one too many costs a probe
// each.
Status Verifier::CheckIndexed() {
  for (const auto& [number, scope] : scopes_)
    if (scope->found_exact != scope->exact_depths || scope->found_wild != scope->wild_depths)
      return Damaged(kNodes, "label counts of scope " + std::to_string(number) + " are wrong", 0);
  const std::span<const ZoneRecord> zones = view_.zones();
  for (size_t i = 0; i < zones.size(); i++)
    if (!name_seen_.Test(zones[i].name))
      return Damaged(kZones, "the apex is not in the name index", PlaceOf(i));
  return {};
}

}  // namespace mz::image::internal
