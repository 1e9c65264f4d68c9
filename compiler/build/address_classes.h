// The classes of one address family: which shared sets hold an address (see SpfHeader and SharedSets in
// format/image/layout.h).
//
// A class is a set of sets; every address has one. Their number is at most that of the sets' borders, but their
// lists can grow with the square of it when many sets overlap, so both the length of a list and the sum are
// bounded: sets that would break a bound are left out ("evicted"), those with the fewest users first, and get maps
// of their own.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "compiler/build/model.h"
#include "format/net/address.h"

namespace mz::compiler {

struct ClassLimits {
  uint32_t depth = 64;                  // sets in one class
  uint64_t words = uint64_t{32} << 20;  // of all classes, with one word for the length of each
};

template <typename Address>
struct AddressFamily;
template <>
struct AddressFamily<net::Ip4> {
  using Range = net::Range4;
  using Interval = Interval4;
  static constexpr int kBits = 32;
  static bool IsLast(net::Ip4 a) { return a == ~0u; }
  static net::Ip4 Next(net::Ip4 a) { return a + 1; }
};
template <>
struct AddressFamily<net::Ip6> {
  using Range = net::Range6;
  using Interval = Interval6;
  static constexpr int kBits = 128;
  static bool IsLast(const net::Ip6& a) { return a == net::kIp6Last; }
  static net::Ip6 Next(const net::Ip6& a) { return a.Next(); }
};

template <typename Address>
struct SharedSet {
  const std::vector<typename AddressFamily<Address>::Range>* ranges;
  uint32_t users;
};

template <typename Address>
struct ClassTable {
  std::vector<typename AddressFamily<Address>::Interval> intervals;  // results: class ids
  std::vector<uint32_t> words;                                   // empty without sets; else as in the image
  std::vector<uint32_t> set_ids;                                 // by index of the given sets; 0: evicted
  uint32_t set_count = 0;
};

template <typename Address>
ClassTable<Address> BuildClasses(std::span<const SharedSet<Address>> sets, const ClassLimits& limits);

extern template ClassTable<net::Ip4> BuildClasses(std::span<const SharedSet<net::Ip4>>,
                                                        const ClassLimits&);
extern template ClassTable<net::Ip6> BuildClasses(std::span<const SharedSet<net::Ip6>>,
                                                        const ClassLimits&);

}  // namespace mz::compiler
