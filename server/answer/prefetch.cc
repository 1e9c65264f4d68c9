// See prefetch.h.
#include "server/answer/prefetch.h"

#include "server/answer/answer.h"
#include "server/answer/name_search.h"
#include "server/answer/reversed.h"
#include "server/answer/spf_query.h"

namespace mz::answer {
namespace {

// So few apexes stay in the cache by themselves; staging their lookups would only cost time.
constexpr size_t kHotZones = 256;
// A node's further datasets are looked up without help.
constexpr size_t kWarmDatasets = 4;
// Levels of an IPv4 tree below its root that are fetched ahead: enough for 65535 keys, more than trees are
// built for.
constexpr int kWarmLevels = 3;
constexpr size_t kLine = 64;

void PrefetchLines(const void* p, int lines) {
  for (int i = 0; i < lines; i++) __builtin_prefetch(static_cast<const char*>(p) + i * kLine);
}

std::span<const image::DatasetRef> FirstDatasets(const image::Node& node) {
  const std::span<const image::DatasetRef> all = image::Datasets(node);
  return all.first(all.size() < kWarmDatasets ? all.size() : kWarmDatasets);
}

// The name lookup and the map of one job that are worth waiting for.
struct Chain {
  uint64_t hash;
  const image::DatasetRef* named;  // dataset whose name index will be asked; null: none
  const image::NameRecord* record;
  const image::Node* node;  // whose maps will be asked; null: none
  unsigned left;
  const image::MapHeader* map4;  // null: none, or settled
  uint32_t tree_node;            // where the descent in it stands
  net::Ip4 ip4;
};

// Stage 1: the bucket of the name that will most probably be looked up.
void StartName(const image::View& view, Job& job, Chain* c) {
  c->named = nullptr;
  c->record = nullptr;
  c->node = &view.node(job.zone->node);
  c->left = job.apex;
  for (const image::DatasetRef& ref : FirstDatasets(*c->node)) {
    unsigned first = 0;
    if (ref.kind == image::kSpf) {
      if (c->left == 0 || !GuessSpf(view, ref, &job)) continue;
      c->named = &ref;
      c->hash = job.spf_hash;
      view.PrefetchBucket(c->hash);
      return;
    }
    if (ref.kind == image::kCombined) {
      const int guess = GuessSubzoneLabels(job, c->left);
      if (guess < 0 || !HasDepth(ref.exact_depths, static_cast<unsigned>(guess))) continue;
      first = c->left - static_cast<unsigned>(guess);
    } else if (ref.kind == image::kDnset || ref.kind == image::kGeneric) {
      if (!HasDepth(ref.exact_depths, c->left)) continue;
    } else {
      continue;
    }
    c->named = &ref;
    c->hash = HashRelative(view, ref.scope, first, c->left, &job);
    if (ref.kind == image::kCombined) {
      job.guess_of = &ref;
      job.guess_hash = c->hash;
    }
    view.PrefetchBucket(c->hash);
    return;
  }
}

// Stage 2: the record; a subzone's node lies behind its name.
void StartRecord(const image::View& view, Chain* c) {
  if (c->named == nullptr) return;
  c->record = view.GuessName(c->hash);
  if (c->record != nullptr) PrefetchLines(c->record, c->named->kind == image::kCombined || c->named->kind == image::kSpf ? 2 : 1);
}

// SPF: the domain's list, and the class map of the address's family.
void StartSpf(const image::View& view, const Job& job, Chain* c) {
  const image::SpfHeader& h = *view.spf();
  c->node = nullptr;
  if (c->record != nullptr && c->record->scope == c->named->scope && (c->record->flags & image::kNameExact))
    PrefetchLines(&view.spf_domain(c->record->a), 2);
  if (!job.spf_name.has_address) return;
  if (!job.spf_name.is_v4) {
    if (h.class_map6 != 0) PrefetchLines(&view.map(h.class_map6), 3);
    return;
  }
  if (h.class_map4 == 0) return;
  c->ip4 = job.spf_name.ip4;
  c->tree_node = 0;
  c->map4 = &view.map(h.class_map4);
  PrefetchLines(c->map4, 2);
}

// Stage 3: what the record leads to, and the map headers with their root nodes.
void StartMap(const image::View& view, Job& job, Chain* c) {
  c->map4 = nullptr;
  if (c->named != nullptr) {
    if (c->named->kind == image::kSpf) return StartSpf(view, job, c);
    if (c->named->kind == image::kCombined) {
      uint8_t depth;
      const image::NameRecord* subzone = FindSubzone(view, *c->named, c->left, &job, &depth);
      if (subzone != nullptr) {
        c->node = &view.node(subzone->a);
        c->left -= depth;
      }
    } else if (c->record != nullptr && c->record->a != 0) {
      if (c->named->kind == image::kDnset)
        __builtin_prefetch(&view.value(c->record->a < view.value_count() ? uint32_t{c->record->a} : 0));
      else if (c->record->scope == c->named->scope)
        __builtin_prefetch(&view.rrset(c->record->a));
    }
  }
  const ReversedAddress address = AddressFor(job, *c->node, c->left);
  if (!address.has_ip4 && !address.has_ip6) {
    c->node = nullptr;
    return;
  }
  c->ip4 = address.ip4;
  c->tree_node = 0;
  for (const image::DatasetRef& ref : FirstDatasets(*c->node)) {
    if (ref.kind >= image::kSpf) continue;  // what they have there is no map
    if (address.has_ip4 && ref.map4 != 0) {
      if (c->map4 == nullptr) c->map4 = &view.map(ref.map4);
      PrefetchLines(&view.map(ref.map4), 2);
    } else if (address.has_ip6 && ref.map6 != 0) {
      PrefetchLines(&view.map(ref.map6), 3);
    }
  }
}

// Stage 4, once per level: one step down in the first IPv4 map.
void StepDown(const image::View& view, Chain* c) {
  // A map of shared sets is one line, which is there now; the search goes through the class map, whose root stays warm.
  if (c->map4->kind == image::kMapSets4) c->map4 = &view.map(view.shared_sets().class_map);
  const image::MapHeader& map = *c->map4;
  if (map.kind == image::kMapDirect4) {
    const Le32* direct = reinterpret_cast<const Le32*>(view.maps_base() + size_t{map.direct} * kLine);
    __builtin_prefetch(direct + (c->ip4 >> 16));
    return;
  }
  const image::TreeNode4* nodes = image::internal::Tree4(map);
  const uint64_t child = uint64_t{c->tree_node} * (image::kNode4Keys + 1) + 1 +
                         image::internal::CountLessOrEqual(nodes[c->tree_node], c->ip4);
  if (child >= map.node_count) {
    c->map4 = nullptr;
    return;
  }
  c->tree_node = static_cast<uint32_t>(child);
  __builtin_prefetch(nodes + child);
}

// Stage 5: the middle of the lower halves of a direct table, where its binary search begins.
void StartLows(const image::View& view, const Chain& c) {
  const image::MapHeader& map = *c.map4;
  const Le32* direct = reinterpret_cast<const Le32*>(view.maps_base() + size_t{map.direct} * kLine);
  const Le16* lows = reinterpret_cast<const Le16*>(view.maps_base() + size_t{map.lows} * kLine);
  const uint32_t base = direct[c.ip4 >> 16], end = direct[(c.ip4 >> 16) + 1];
  const uint32_t middle = base + (end - base) / 2;
  __builtin_prefetch(lows + middle);
  if (map.value_bytes != 0)
    __builtin_prefetch(view.maps_base() + size_t{map.values} * kLine + size_t{middle} * map.value_bytes);
}

}  // namespace

void FindZones(const image::View& view, std::span<Job> jobs) {
  if (view.zones().size() <= kHotZones || jobs.size() == 1) {
    const image::ZoneRecord* last = nullptr;
    for (Job& job : jobs) {
      if (!job.wants_zone) continue;
      if (!IsInZone(view, last, &job)) FindZone(view, &job);
      if (job.zone != nullptr) last = job.zone;
    }
    return;
  }
  uint64_t hash[kBatch];
  bool has_hash[kBatch];
  for (size_t i = 0; i < jobs.size(); i++) {
    has_hash[i] = jobs[i].wants_zone && FirstZoneHash(view, &jobs[i], &hash[i]);
    if (has_hash[i]) view.PrefetchBucket(hash[i]);
  }
  for (size_t i = 0; i < jobs.size(); i++)
    if (has_hash[i])
      if (const image::NameRecord* r = view.GuessName(hash[i])) __builtin_prefetch(r);
  for (Job& job : jobs) {
    if (!job.wants_zone) continue;
    FindZone(view, &job);
    if (job.zone != nullptr) __builtin_prefetch(job.zone);
  }
  for (Job& job : jobs)
    if (job.zone != nullptr) PrefetchLines(&view.node(job.zone->node), 1);
}

void WarmDatasets(const image::View& view, std::span<Job> jobs) {
  Chain chains[kBatch];
  for (size_t i = 0; i < jobs.size(); i++)
    if (jobs[i].zone != nullptr) StartName(view, jobs[i], &chains[i]);
  for (size_t i = 0; i < jobs.size(); i++)
    if (jobs[i].zone != nullptr) StartRecord(view, &chains[i]);
  bool trees = false, tables = false;
  for (size_t i = 0; i < jobs.size(); i++) {
    chains[i].map4 = nullptr;
    if (jobs[i].zone == nullptr) continue;
    StartMap(view, jobs[i], &chains[i]);
  }
  for (int level = 0; level < kWarmLevels && (level == 0 || trees); level++) {
    trees = false;
    for (size_t i = 0; i < jobs.size(); i++) {
      if (chains[i].map4 == nullptr) continue;
      if (level > 0 && chains[i].map4->kind == image::kMapDirect4) continue;
      StepDown(view, &chains[i]);
      const bool table = chains[i].map4 != nullptr && chains[i].map4->kind == image::kMapDirect4;
      tables |= table;
      trees |= !table && chains[i].map4 != nullptr;
    }
  }
  if (!tables) return;
  for (size_t i = 0; i < jobs.size(); i++)
    if (chains[i].map4 != nullptr && chains[i].map4->kind == image::kMapDirect4) StartLows(view, chains[i]);
}

}  // namespace mz::answer
