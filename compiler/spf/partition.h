// The policy of one record for one address family: which residual program serves which addresses.
//
// A partition is a first-match list: the first entry whose set holds the address decides, else the default. Sets are those
// of the records themselves (the pass set of an include, the own addresses of a domain), so a domain costs as much as it
// has terms, however many prefixes its providers have, and equal sets are shared by all domains.
#pragma once

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "compiler/spf/address_set.h"
#include "compiler/spf/program.h"

namespace mz::compiler::spf {

struct Entry {
  SetId set = kEmptySet;
  ProgramId program = 0;
  friend bool operator==(const Entry&, const Entry&) = default;
};

struct Partition {
  std::vector<Entry> entries;
  ProgramId fallback = 0;
  friend bool operator==(const Partition&, const Partition&) = default;
};

// A record as include sees it: disjoint regions, without the one where it does not match.
struct Included {
  std::vector<Entry> regions;  // programs in the normal form of ProgramPool::AsIncluded
};

// Operations on the partitions of one family. Refers to the pools, which must outlive it.
template <typename F>
class Partitions {
 public:
  Partitions(SetPool<F>* sets, ProgramPool* programs) : sets_(*sets), programs_(*programs) {}

  // The addresses of `set` get `program`, whatever came behind.
  void Decide(SetId set, ProgramId program, Partition* p) {
    if (set == kEmptySet) return;
    if (set == kAllAddresses) {
      p->entries.clear();
      p->fallback = program;
      return;
    }
    // What the same set said further back is never reached.
    std::erase_if(p->entries, [set](const Entry& e) { return e.set == set; });
    p->entries.insert(p->entries.begin(), {set, program});
    Trim(p);
  }

  template <typename Fn>
  void Map(Fn f, Partition* p) {
    for (Entry& e : p->entries) e.program = f(e.program);
    p->fallback = f(p->fallback);
    Trim(p);
  }

  // An include with qualifier q in front.
  void Include(Qualifier q, const Included& included, TextRef explanation, Partition* p) {
    std::vector<Entry> decided, undecided;
    for (const Entry& region : included.regions)
      (programs_.IsDecided(region.program) ? decided : undecided).push_back(region);
    if (!undecided.empty()) {
      std::vector<Entry> front;
      for (const Entry& region : undecided) {
        for (const Entry& e : p->entries) {
          const SetId both = sets_.Intersect(region.set, e.set);
          if (both != kEmptySet)
            front.push_back({both, programs_.Include(q, region.program, e.program, explanation)});
        }
        const ProgramId rest = programs_.Include(q, region.program, p->fallback, explanation);
        if (region.set == kAllAddresses) {
          p->entries = std::move(front);
          p->fallback = rest;
          front.clear();
          break;  // regions are disjoint: this one is alone
        }
        front.push_back({region.set, rest});
      }
      p->entries.insert(p->entries.begin(), front.begin(), front.end());
    }
    for (const Entry& region : decided)
      Decide(region.set, programs_.Include(q, region.program, p->fallback, explanation), p);
    Trim(p);
  }

  Included AsIncluded(const Partition& p) {
    Partition mapped = p;
    for (Entry& e : mapped.entries) e.program = programs_.AsIncluded(e.program);
    mapped.fallback = programs_.AsIncluded(mapped.fallback);
    Included out;
    const ProgramId no_match = programs_.Decided(Default::kFail);
    for (const Entry& region : Regions(mapped))
      if (region.program != no_match) out.regions.push_back(region);
    return out;
  }

  // Disjoint sets that cover everything, one per program, in the order in which their first addresses come; the
  // default's is last. One sweep over the borders of all sets.
  std::vector<Entry> Regions(const Partition& p) {
    using Address = typename F::Address;
    struct Border {
      Address at;
      uint32_t entry;
      bool begins;
    };
    std::vector<Border> borders;
    for (uint32_t i = 0; i < p.entries.size(); i++) {
      for (const typename F::Range& r : sets_.Get(p.entries[i].set)) {
        borders.push_back({r.first, i, true});
        if (r.last != F::kLast) borders.push_back({F::Next(r.last), i, false});
      }
    }
    std::sort(borders.begin(), borders.end(), [](const Border& x, const Border& y) { return x.at < y.at; });
    std::vector<ProgramId> order;
    absl::flat_hash_map<ProgramId, std::vector<typename F::Range>> ranges;
    auto add = [&](const Address& first, const Address& last, ProgramId program) {
      auto [it, fresh] = ranges.try_emplace(program);
      if (fresh) order.push_back(program);
      std::vector<typename F::Range>& list = it->second;
      if (!list.empty() && F::Next(list.back().last) == first)
        list.back().last = last;
      else
        list.push_back({first, last});
    };
    std::set<uint32_t> active;  // the first of them decides
    Address from{};
    for (size_t i = 0; i < borders.size();) {
      const Address at = borders[i].at;
      if (from < at) add(from, F::Previous(at), active.empty() ? p.fallback : p.entries[*active.begin()].program);
      from = at;
      for (; i < borders.size() && borders[i].at == at; i++) {
        if (borders[i].begins)
          active.insert(borders[i].entry);
        else
          active.erase(borders[i].entry);
      }
    }
    add(from, F::kLast, active.empty() ? p.fallback : p.entries[*active.begin()].program);
    std::stable_partition(order.begin(), order.end(), [&p](ProgramId id) { return id != p.fallback; });
    std::vector<Entry> out;
    for (ProgramId id : order) out.push_back({sets_.Intern(std::move(ranges[id])), id});
    return out;
  }

  ProgramId Find(const Partition& p, const typename F::Address& address) const {
    for (const Entry& e : p.entries)
      if (sets_.Contains(e.set, address)) return e.program;
    return p.fallback;
  }

 private:
  // Entries at the end that say what the default says do nothing.
  void Trim(Partition* p) {
    while (!p->entries.empty() && p->entries.back().program == p->fallback) p->entries.pop_back();
  }

  SetPool<F>& sets_;
  ProgramPool& programs_;
};

}  // namespace mz::compiler::spf
