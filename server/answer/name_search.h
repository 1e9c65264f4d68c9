// Searches in the name index for one job: the zone, the subzone, a dnset entry, a generic owner.
//
// Depth bitmaps say how many labels stored names have, so only those suffixes are probed, deepest first: the first hit is
// the most specific one. A query costs one probe per stored depth at most; ordinary images have one to three depths.
#pragma once

#include "server/answer/job.h"

namespace mz::answer {

// Hash of the deepest suffix that could be an apex, for prefetching; false when there is none.
inline bool FirstZoneHash(const image::View& view, Job* job, uint64_t* hash) {
  for (unsigned depth = job->labels(); depth > 0; depth--) {
    if (!HasDepth(view.zone_depths(), depth)) continue;
    *hash = HashRelative(view, 0, job->labels() - depth, job->labels(), job);
    return true;
  }
  return false;
}

// The most specific zone that holds the name; sets zone, zone_index and apex.
inline void FindZone(const image::View& view, Job* job) {
  const unsigned labels = job->labels();
  for (unsigned depth = labels; depth > 0; depth--) {
    if (!HasDepth(view.zone_depths(), depth)) continue;
    const image::NameRecord* r = FindRelative(view, 0, labels - depth, labels, job);
    if (r == nullptr || (r->flags & image::kNameExact) == 0) continue;
    job->zone_index = static_cast<int32_t>(uint32_t{r->a});
    job->zone = &view.zones()[r->a];
    job->apex = static_cast<uint8_t>(labels - depth);
    return;
  }
}

// How deep the subzone of an address query probably is: what remains left of it is a whole address.
inline int GuessSubzoneLabels(const Job& job, unsigned left) {
  if (job.has_ip6 && left >= 32) return static_cast<int>(left - 32);
  if (job.has_ip4 && left >= 4) return static_cast<int>(left - 4);
  return -1;
}

// The most specific subzone of a combined dataset that holds the labels [0, left), or null. `depth` is its label count.
inline const image::NameRecord* FindSubzone(const image::View& view, const image::DatasetRef& ref, unsigned left,
                                            Job* job, uint8_t* depth) {
  if (job->subzone_of == &ref) {
    *depth = job->subzone_labels;
    return job->subzone;
  }
  auto probe = [&](unsigned n) -> const image::NameRecord* {
    const image::NameRecord* r = FindRelative(view, ref.scope, left - n, left, job);
    return r != nullptr && (r->flags & image::kNameExact) ? r : nullptr;
  };
  const uint32_t depths = ref.exact_depths;
  const int guess = GuessSubzoneLabels(*job, left);
  const image::NameRecord* best = nullptr;
  unsigned best_depth = 0;
  bool search = true;
  unsigned stop = 0;  // depths below it are settled
  if (guess >= 0 && HasDepth(depths, static_cast<unsigned>(guess))) {
    best = probe(static_cast<unsigned>(guess));
    if (best != nullptr) {
      best_depth = static_cast<unsigned>(guess);
      stop = best_depth + 1;
      // Nothing is stored below it: this one probe settles the matter.
      search = guess == 0 ? HasDeeper(depths, 0) : (best->flags & image::kNameBelow) != 0;
    }
  }
  for (unsigned n = left; search && n + 1 > stop; n--) {
    if (HasDepth(depths, n) && static_cast<int>(n) != guess) {
      const image::NameRecord* r = probe(n);
      if (r != nullptr) {
        best = r;
        best_depth = n;
        break;
      }
    }
    if (n == 0) break;
  }
  *depth = static_cast<uint8_t>(best_depth);
  if (job->subzone_of == nullptr) {
    job->subzone_of = &ref;
    job->subzone = best;
    job->subzone_labels = *depth;
  }
  return best;
}

// dnset: the exact entry, else the longest wildcard. The first hit decides; an exclusion is "not listed" (0). `entry` is
// the record that answered.
inline uint32_t FindDnset(const image::View& view, const image::DatasetRef& ref, unsigned left, Job* job,
                          const image::NameRecord** entry) {
  if (left == 0) return 0;  // never the apex
  if (HasDepth(ref.exact_depths, left)) {
    const image::NameRecord* r = FindRelative(view, ref.scope, 0, left, job);
    if (r != nullptr && (r->flags & image::kNameExact)) {
      *entry = r;
      return r->a;
    }
  }
  const uint32_t wild = ref.wild_depths;
  if (wild == 0) return 0;
  for (unsigned n = left - 1; n > 0; n--) {
    if (!HasDepth(wild, n)) continue;
    const image::NameRecord* r = FindRelative(view, ref.scope, left - n, left, job);
    if (r != nullptr && (r->flags & image::kNameWild)) {
      *entry = r;
      return r->b;
    }
  }
  return 0;
}

// generic: the records of the owner, or null.
inline const image::RrsetHeader* FindGeneric(const image::View& view, const image::DatasetRef& ref, unsigned left,
                                             Job* job) {
  if (!HasDepth(ref.exact_depths, left)) return nullptr;
  const image::NameRecord* r = FindRelative(view, ref.scope, 0, left, job);
  return r != nullptr && (r->flags & image::kNameExact) ? &view.rrset(r->a) : nullptr;
}

}  // namespace mz::answer
