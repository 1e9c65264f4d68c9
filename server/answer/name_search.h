// Searches in the name index for one job: the zone, the subzone, a dnset entry, a generic owner.
//
// Depth bitmaps say how many labels stored names have, so only those suffixes are probed, deepest first: the
// first hit is the most specific one. A query costs one probe per stored depth at most; ordinary images have
// one to three depths.
#pragma once

#include "server/answer/job.h"

namespace mz::answer {

// Hash of the deepest suffix that could be an apex, for prefetching; false when there is none.
inline bool FirstZoneHash(const image::View& view, Job* job, uint64_t* hash) {
  const int depth = DeepestUpTo(view.zone_depths(), static_cast<int>(job->labels()));
  if (depth <= 0) return false;
  *hash = HashRelative(view, 0, job->labels() - static_cast<unsigned>(depth), job->labels(), job);
  return true;
}

// Queries come in swarms for one zone: when the name ends in the apex of `last` (may be null) and no apex
// lies below that one, it is found without a lookup.
inline bool IsInZone(const image::View& view, const image::ZoneRecord* last, Job* job) {
  if (last == nullptr) return false;
  const image::NameRecord& apex = view.name(last->name);
  if (job->labels() < apex.labels || (apex.flags & image::kNameBelow)) return false;
  const unsigned first = job->labels() - apex.labels;
  if (job->LabelBytes(first, job->labels()) != apex.name_bytes ||
      !SameShort(job->Labels(first), image::NameBytes(apex).data(), apex.name_bytes))
    return false;
  job->zone = last;
  job->zone_index = static_cast<int32_t>(uint32_t{apex.a});
  job->apex = static_cast<uint8_t>(first);
  return true;
}

// The most specific zone that holds the name; sets zone, zone_index and apex.
inline void FindZone(const image::View& view, Job* job) {
  const uint32_t depths = view.zone_depths();
  for (int depth = DeepestUpTo(depths, static_cast<int>(job->labels())); depth > 0;
       depth = DeepestUpTo(depths, depth - 1)) {
    const unsigned first = job->labels() - static_cast<unsigned>(depth);
    const image::NameRecord* r = FindRelative(view, 0, first, job->labels(), job);
    if (r == nullptr || (r->flags & image::kNameExact) == 0) continue;
    job->zone_index = static_cast<int32_t>(uint32_t{r->a});
    job->zone = &view.zones()[r->a];
    job->apex = static_cast<uint8_t>(first);
    return;
  }
}

// How deep the subzone of an address query probably is: what remains left of it is a whole address.
inline int GuessSubzoneLabels(const Job& job, unsigned left) {
  if (job.has_ip6 && left >= 32) return static_cast<int>(left - 32);
  if (job.has_ip4 && left >= 4) return static_cast<int>(left - 4);
  return -1;
}

// The most specific subzone of a combined dataset that holds the labels [0, left), or null. `depth` is its
// label count.
inline const image::NameRecord* FindSubzone(const image::View& view, const image::DatasetRef& ref,
                                            unsigned left, Job* job, uint8_t* depth) {
  if (job->subzone_of == &ref) {
    *depth = job->subzone_labels;
    return job->subzone;
  }
  auto probe = [&](int n, uint64_t hash) -> const image::NameRecord* {
    const image::NameRecord* r =
        FindHashed(view, ref.scope, hash, left - static_cast<unsigned>(n), left, *job);
    return r != nullptr && (r->flags & image::kNameExact) ? r : nullptr;
  };
  auto hash_of = [&](int n) {
    return HashRelative(view, ref.scope, left - static_cast<unsigned>(n), left, job);
  };
  const uint32_t depths = ref.exact_depths;
  const int guess = GuessSubzoneLabels(*job, left);
  const image::NameRecord* best = nullptr;
  int best_depth = -1;
  bool search = true;
  if (guess >= 0 && HasDepth(depths, static_cast<unsigned>(guess))) {
    best = probe(guess, job->guess_of == &ref ? job->guess_hash : hash_of(guess));
    if (best != nullptr) {
      best_depth = guess;
      // Nothing is stored below it: this one probe settles the matter.
      search = guess == 0 ? HasDeeper(depths, 0) : (best->flags & image::kNameBelow) != 0;
    }
  }
  const int stop = best_depth;
  for (int n = DeepestUpTo(depths, static_cast<int>(left)); search && n > stop;
       n = DeepestUpTo(depths, n - 1)) {
    if (n == guess) continue;
    const image::NameRecord* r = probe(n, hash_of(n));
    if (r == nullptr) continue;
    best = r;
    best_depth = n;
    search = false;
  }
  *depth = static_cast<uint8_t>(best == nullptr ? 0 : best_depth);
  if (job->subzone_of == nullptr) {
    job->subzone_of = &ref;
    job->subzone = best;
    job->subzone_labels = *depth;
  }
  return best;
}

// dnset: the exact entry, else the longest wildcard. The first hit decides; an exclusion is "not listed" (0).
// `entry` is the record that answered.
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
  for (int n = DeepestUpTo(wild, static_cast<int>(left) - 1); n > 0; n = DeepestUpTo(wild, n - 1)) {
    const image::NameRecord* r = FindRelative(view, ref.scope, left - static_cast<unsigned>(n), left, job);
    if (r != nullptr && (r->flags & image::kNameWild)) {
      *entry = r;
      return r->b;
    }
  }
  return 0;
}

// generic: the records of the owner, or null.
inline const image::RrsetHeader* FindGeneric(const image::View& view, const image::DatasetRef& ref,
                                             unsigned left, Job* job) {
  if (!HasDepth(ref.exact_depths, left)) return nullptr;
  const image::NameRecord* r = FindRelative(view, ref.scope, 0, left, job);
  return r != nullptr && (r->flags & image::kNameExact) ? &view.rrset(r->a) : nullptr;
}

}  // namespace mz::answer
