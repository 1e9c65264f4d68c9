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
// So many lower halves of a direct table are fetched as a whole: four lines.
constexpr uint32_t kWarmLows = 128;
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
  MapWalk<net::Ip4> walk;  // without a map: none
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
  c->walk = {&view.map(h.class_map4), job.spf_name.ip4};
  PrefetchLines(c->walk.map, 2);
}

// Stage 3: what the record leads to, and the map headers with their root nodes.
void StartMap(const image::View& view, Job& job, Chain* c) {
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
  for (const image::DatasetRef& ref : FirstDatasets(*c->node)) {
    if (ref.kind >= image::kSpf) continue;  // what they have there is no map
    if (address.has_ip4 && ref.map4 != 0) {
      if (c->walk.map == nullptr) c->walk = {&view.map(ref.map4), address.ip4};
      PrefetchLines(&view.map(ref.map4), 2);
    } else if (address.has_ip6 && ref.map6 != 0) {
      PrefetchLines(&view.map(ref.map6), 3);
    }
  }
}

// One step down. False: that was the last one.
template <typename TreeNode, typename Address>
bool StepDown(const TreeNode* nodes, uint32_t fanout, MapWalk<Address>* w) {
  const uint32_t below = image::internal::CountLessOrEqual(nodes[w->node], w->address);
  const uint32_t here = w->node * fanout + below - 1;
  w->best = below != 0 ? here : w->best;
  const uint64_t child = uint64_t{w->node} * fanout + 1 + below;
  if (child >= w->map->node_count) return false;
  w->node = static_cast<uint32_t>(child);
  PrefetchLines(nodes + child, sizeof(TreeNode) / kCacheLine);
  return true;
}

bool StepDown(MapWalk<net::Ip4>* w) {
  return StepDown(image::internal::Tree4(*w->map), image::kNode4Keys + 1, w);
}
bool StepDown(MapWalk<net::Ip6>* w) {
  const image::MapHeader& map = *w->map;
  return map.kind == image::kMapTree6High ? StepDown(image::internal::Tree6High(map), image::kNode6Keys + 1, w)
                                          : StepDown(image::internal::Tree6(map), image::kNode6Keys + 1, w);
}

uint32_t ResultOf(const image::View& view, const MapWalk<net::Ip4>& w) {
  return image::internal::TreeResult(view, *w.map, w.best).result;
}
uint32_t ResultOf(const image::View& view, const MapWalk<net::Ip6>& w) {
  const image::MapHeader& map = *w.map;
  return map.kind == image::kMapTree6High
             ? image::internal::TreeResult6(view, map, image::internal::Tree6High(map), w.best).result
             : image::internal::TreeResult6(view, map, image::internal::Tree6(map), w.best).result;
}

// `trees`: indexes of the walks to be taken.
template <typename Address>
void WalkTrees(const image::View& view, std::span<MapWalk<Address>> walks, uint8_t* trees, size_t count) {
  while (count > 0) {
    size_t left = 0;
    for (size_t i = 0; i < count; i++) {
      const uint8_t walk = trees[i];
      if (StepDown(&walks[walk]))
        trees[left++] = walk;
      else if (walks[walk].result != nullptr)
        *walks[walk].result = ResultOf(view, walks[walk]);
    }
    count = left;
  }
}

// The lower halves of a direct table under one upper half, which a binary search goes through, and their values.
void StartLows(const image::View& view, const MapWalk<net::Ip4>& w) {
  const image::MapHeader& map = *w.map;
  const Le32* direct = reinterpret_cast<const Le32*>(view.maps_base() + size_t{map.direct} * kCacheLine);
  const Le16* lows = reinterpret_cast<const Le16*>(view.maps_base() + size_t{map.lows} * kCacheLine);
  const uint32_t high = w.address >> 16, base = direct[high], end = direct[high + 1];
  const uint8_t* values = view.maps_base() + size_t{map.values} * kCacheLine;
  if (end - base <= kWarmLows) {
    for (uint32_t i = base; i < end; i += kCacheLine / sizeof(Le16)) __builtin_prefetch(lows + i);
    __builtin_prefetch(lows + end - 1);
    __builtin_prefetch(map.value_bytes == 0 ? values + base / 8 : values + size_t{base} * map.value_bytes);
    return;
  }
  const uint32_t middle = base + (end - base) / 2;
  __builtin_prefetch(lows + middle);
  __builtin_prefetch(map.value_bytes == 0 ? values + middle / 8 : values + size_t{middle} * map.value_bytes);
}

}  // namespace

void WalkMaps(const image::View& view, std::span<MapWalk<net::Ip4>> walks) {
  uint8_t trees[kBatch], tables[kBatch];
  size_t tree_count = 0, table_count = 0;
  for (size_t i = 0; i < walks.size(); i++) {
    // A map of shared sets is one line, which is there now; the search goes through the class map.
    if (walks[i].map->kind == image::kMapSets4)
      walks[i] = {&view.map(view.shared_sets().class_map), walks[i].address};
    const image::MapHeader& map = *walks[i].map;
    if (map.kind == image::kMapTree4) {
      trees[tree_count++] = static_cast<uint8_t>(i);
    } else {
      tables[table_count++] = static_cast<uint8_t>(i);
      const Le32* direct = reinterpret_cast<const Le32*>(view.maps_base() + size_t{map.direct} * kCacheLine);
      __builtin_prefetch(direct + (walks[i].address >> 16));
    }
  }
  WalkTrees(view, walks, trees, tree_count);
  for (size_t i = 0; i < table_count; i++) StartLows(view, walks[tables[i]]);
}

void WalkMaps(const image::View& view, std::span<MapWalk<net::Ip6>> walks) {
  uint8_t trees[kBatch];
  for (size_t i = 0; i < walks.size(); i++) trees[i] = static_cast<uint8_t>(i);
  WalkTrees(view, walks, trees, walks.size());
}

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
  MapWalk<net::Ip4> walks[kBatch];
  size_t count = 0;
  for (size_t i = 0; i < jobs.size(); i++) {
    if (jobs[i].zone == nullptr) continue;
    chains[i].walk.map = nullptr;
    StartMap(view, jobs[i], &chains[i]);
    if (chains[i].walk.map != nullptr) walks[count++] = chains[i].walk;
  }
  WalkMaps(view, std::span(walks, count));
}

}  // namespace mz::answer
