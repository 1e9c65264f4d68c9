// Sets of addresses as sorted ranges, stored once each.
//
//   SetPool<V4> pool;
//   SetId a = pool.FromPrefixes({{ip, 24}, ...});
//   SetId b = pool.Union(a, pool.Intern(ranges));
//
// Equal sets have equal ids, so a comparison of two policies is a comparison of numbers. A set is ranges in ascending
// order, disjoint and not adjacent. Not thread-safe; a reference from Get() stays valid.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <iterator>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/hash/hash.h"
#include "format/net/address.h"

namespace mz::compiler::spf {

struct V4 {
  using Address = net::Ip4;
  using Range = net::Range4;
  static constexpr bool kIsV4 = true;
  static constexpr Address kLast = 0xffffffff;
  static Address Next(Address a) { return a + 1; }
  static Address Previous(Address a) { return a - 1; }
  static Range Prefix(Address a, int length) { return net::PrefixRange4(a, length); }
};
struct V6 {
  using Address = net::Ip6;
  using Range = net::Range6;
  static constexpr bool kIsV4 = false;
  static constexpr Address kLast = net::kIp6Last;
  static Address Next(const Address& a) { return a.Next(); }
  static Address Previous(const Address& a) { return a.Previous(); }
  static Range Prefix(const Address& a, int length) { return net::PrefixRange6(a, length); }
};

using SetId = uint32_t;
inline constexpr SetId kEmptySet = 0;
inline constexpr SetId kAllAddresses = 1;

template <typename F>
class SetPool {
 public:
  using Address = typename F::Address;
  using Range = typename F::Range;
  using Ranges = std::vector<Range>;

  SetPool() {
    Intern({});
    Intern({Range{Address{}, F::kLast}});
  }

  const Ranges& Get(SetId id) const { return sets_[id]; }
  size_t size() const { return sets_.size(); }

  // Requires: canonical ranges.
  SetId Intern(Ranges ranges) {
    uint64_t hash = HashOf(ranges);
    for (;; hash++) {  // where two contents have one hash, the second lies at the next number
      auto [it, fresh] = index_.try_emplace(hash, static_cast<SetId>(sets_.size()));
      if (fresh) {
        sets_.push_back(std::move(ranges));
        return it->second;
      }
      if (sets_[it->second] == ranges) return it->second;
    }
  }

  // Any ranges, in any order.
  SetId FromRanges(Ranges ranges) { return Intern(Canonical(std::move(ranges))); }

  SetId Union(SetId a, SetId b) {
    if (a == b || b == kEmptySet) return a;
    if (a == kEmptySet) return b;
    if (a == kAllAddresses || b == kAllAddresses) return kAllAddresses;
    Ranges all;
    all.reserve(sets_[a].size() + sets_[b].size());
    std::merge(sets_[a].begin(), sets_[a].end(), sets_[b].begin(), sets_[b].end(), std::back_inserter(all), Earlier);
    return Intern(Joined(std::move(all)));
  }

  SetId Intersect(SetId a, SetId b) {
    if (a == b || b == kAllAddresses) return a;
    if (a == kAllAddresses) return b;
    Ranges out;
    const Ranges &x = sets_[a], &y = sets_[b];
    for (size_t i = 0, j = 0; i < x.size() && j < y.size();) {
      const Address first = std::max(x[i].first, y[j].first), last = std::min(x[i].last, y[j].last);
      if (first <= last) out.push_back({first, last});
      if (x[i].last < y[j].last)
        i++;
      else
        j++;
    }
    return Intern(std::move(out));
  }

  SetId Complement(SetId a) {
    Ranges out;
    Address next{};
    for (const Range& r : sets_[a]) {
      if (next < r.first) out.push_back({next, F::Previous(r.first)});
      if (r.last == F::kLast) return Intern(std::move(out));
      next = F::Next(r.last);
    }
    out.push_back({next, F::kLast});
    return Intern(std::move(out));
  }

  SetId Subtract(SetId a, SetId b) {
    if (b == kEmptySet || a == kEmptySet) return a;
    if (a == b || b == kAllAddresses) return kEmptySet;
    return Intersect(a, Complement(b));
  }

  bool Contains(SetId id, const Address& address) const {
    const Ranges& r = sets_[id];
    auto it = std::upper_bound(r.begin(), r.end(), address,
                               [](const Address& a, const Range& range) { return a < range.first; });
    return it != r.begin() && !(std::prev(it)->last < address);
  }

 private:
  static bool Earlier(const Range& x, const Range& y) { return x.first < y.first; }
  static Ranges Canonical(Ranges ranges) {
    std::sort(ranges.begin(), ranges.end(), Earlier);
    return Joined(std::move(ranges));
  }
  // Requires: sorted by first.
  static Ranges Joined(Ranges ranges) {
    size_t n = 0;
    for (const Range& r : ranges) {
      if (n > 0 && (ranges[n - 1].last == F::kLast || r.first <= F::Next(ranges[n - 1].last)))
        ranges[n - 1].last = std::max(ranges[n - 1].last, r.last);
      else
        ranges[n++] = r;
    }
    ranges.resize(n);
    return ranges;
  }

  static uint64_t HashOf(const Ranges& ranges) {
    uint64_t h = 0x9e3779b97f4a7c15ull + ranges.size();
    auto mix = [&h](uint64_t v) { h = (h ^ v) * 0xff51afd7ed558ccdull, h ^= h >> 32; };
    for (const Range& r : ranges) {
      if constexpr (F::kIsV4)
        mix(uint64_t{r.first} << 32 | r.last);
      else
        mix(r.first.high), mix(r.first.low), mix(r.last.high), mix(r.last.low);
    }
    return h;
  }

  std::deque<Ranges> sets_;  // references stay valid
  absl::flat_hash_map<uint64_t, SetId> index_;
};

}  // namespace mz::compiler::spf
