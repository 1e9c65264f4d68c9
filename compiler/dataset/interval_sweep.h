// Sorted intervals from nested prefixes, and the order they need.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "compiler/build/model.h"

namespace mz::compiler {

inline net::Ip4 NextAddress(net::Ip4 a) { return a + 1; }
inline net::Ip6 NextAddress(const net::Ip6& a) { return a.Next(); }
inline constexpr net::Ip4 LastAddress(net::Ip4) { return ~0u; }
inline constexpr net::Ip6 LastAddress(net::Ip6) { return net::kIp6Last; }

// Appends to a sorted interval list; neighbours come out different.
template <typename Interval, typename Address>
void AppendInterval(BigVector<Interval>* out, Address start, ResultId result) {
  if (!out->empty() && out->back().start == start) {
    out->back().result = result;
    if (out->size() > 1 && (*out)[out->size() - 2].result == result) out->pop_back();
  } else if (out->empty() || out->back().result != result) {
    out->push_back({start, result});
  }
}

template <typename Interval>
void DropIfEmpty(BigVector<Interval>* map) {
  if (map->size() == 1 && map->front().result == 0) map->clear();
}

template <typename Address>
struct PrefixEntry {
  Address first, last;
  ResultId result;
};

// The longest prefix wins. Requires: entries are prefixes (nested or disjoint), no two are equal. Sorts them.
template <typename Interval, typename Address>
BigVector<Interval> SweepPrefixes(std::vector<PrefixEntry<Address>>* entries) {
  std::sort(entries->begin(), entries->end(), [](const auto& x, const auto& y) {
    return x.first != y.first ? x.first < y.first : y.last < x.last;
  });
  BigVector<Interval> out;
  if (entries->empty()) return out;
  out.reserve(entries->size() * 2 + 1);
  struct Open {
    Address last;
    ResultId result;
  };
  std::vector<Open> open;  // at most one per prefix length
  open.push_back({LastAddress(Address()), 0});
  AppendInterval(&out, Address(), ResultId{0});
  auto close = [&] {
    Address last = open.back().last;
    open.pop_back();
    if (last != LastAddress(Address())) AppendInterval(&out, NextAddress(last), open.back().result);
  };
  for (const PrefixEntry<Address>& e : *entries) {
    while (open.size() > 1 && open.back().last < e.first) close();
    open.push_back({e.last, e.result});
    AppendInterval(&out, e.first, e.result);
  }
  while (open.size() > 1) close();
  DropIfEmpty(&out);
  return out;
}

}  // namespace mz::compiler
