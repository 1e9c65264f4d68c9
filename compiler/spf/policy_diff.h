// Where two policies of one domain differ: sets of addresses with the residual before and after.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compiler/spf/partition.h"

namespace mz::compiler::spf {

struct PolicyDelta {
  SetId set = kEmptySet;
  ProgramId before = 0, after = 0;
};

// Each address whose program differs is in exactly one delta. Order: that of the new policy's regions.
template <typename F>
std::vector<PolicyDelta> DiffPolicies(SetPool<F>* sets, Partitions<F>* partitions, const Partition& before,
                                      const Partition& after) {
  std::vector<PolicyDelta> out;
  if (before == after) return out;
  const std::vector<Entry> old_regions = partitions->Regions(before);
  for (const Entry& now : partitions->Regions(after)) {
    for (const Entry& was : old_regions) {
      if (was.program == now.program) continue;
      const SetId both = sets->Intersect(was.set, now.set);
      if (both != kEmptySet) out.push_back({both, was.program, now.program});
    }
  }
  return out;
}

// The prefixes that cover exactly these ranges, as text; at most `limit`, the rest is only counted in *total.
template <typename F>
std::vector<std::string> PrefixTexts(const std::vector<typename F::Range>& ranges, size_t limit, uint64_t* total) {
  std::vector<std::string> out;
  *total = 0;
  constexpr int kBits = F::kIsV4 ? 32 : 128;
  for (const typename F::Range& r : ranges) {
    typename F::Address at = r.first;
    while (true) {
      int length = kBits;  // shorten while the prefix begins here and ends within the range
      while (length > 0) {
        const typename F::Range wider = F::Prefix(at, length - 1);
        if (wider.first != at || r.last < wider.last) break;
        length--;
      }
      const typename F::Range prefix = F::Prefix(at, length);
      if (out.size() < limit)
        out.push_back(net::ToString(at) + (length < kBits ? "/" + std::to_string(length) : std::string()));
      ++*total;
      if (prefix.last == r.last) break;
      at = F::Next(prefix.last);
    }
  }
  return out;
}

}  // namespace mz::compiler::spf
