// MapCursor: pulls the intervals of an address map one after the other, in ascending order, "not listed"
// included.
//
//   MapCursor<net::Ip4> c(view, ref.map4);                  // offset 0: one interval, not listed
//   while (c.Next()) Use(c.first(), c.last(), c.result());
//
// Neighbouring intervals have different results. A copy goes on from the same place. Requires: the view is
// verified (everything) and outlives the cursor. For dump, diff and the compiler, not for answering. Allocates for a
// kMapSets4 only; copies share what was allocated.
#pragma once

#include <cstdint>
#include <memory>
#include <type_traits>
#include <vector>

#include "format/image/view.h"

namespace mz::image {

// Visits the places of an implicit search tree in key order.
class TreeOrder {
 public:
  TreeOrder(uint32_t fanout, uint32_t node_count) : fanout_(fanout), node_count_(node_count) { Descend(0); }
  // Requires: at most as many calls as the tree has places.
  void Next(uint32_t* node, uint32_t* slot) {
    while (stack_[depth_ - 1].slot == fanout_ - 1) depth_--;
    Frame& top = stack_[depth_ - 1];
    *node = static_cast<uint32_t>(top.node);
    *slot = top.slot++;
    Descend(top.node * fanout_ + 1 + top.slot);
  }

 private:
  struct Frame {
    uint64_t node;
    uint32_t slot;
  };
  void Descend(uint64_t node) {
    for (; node < node_count_; node = node * fanout_ + 1) stack_[depth_++] = {node, 0};
  }
  uint32_t fanout_;
  uint32_t node_count_;
  int depth_ = 0;
  Frame stack_[16];  // 2^32 nodes are 12 levels of an 8-ary tree
};

template <typename Address>
class MapCursor {
 public:
  MapCursor(const View& view, uint32_t map_offset)
      : view_(view),
        map_(view.map(map_offset)),
        order_(map_.kind == kMapTree4 ? kNode4Keys + 1 : kNode6Keys + 1,
               map_.kind == kMapSets4 ? 0u : uint32_t{map_.node_count}),
        next_result_(map_.before) {
    if constexpr (kIs4) {
      if (map_.kind == kMapSets4) {
        sets_ = std::make_shared<const std::vector<SetInterval>>(SetMapIntervals(view, AsSetMap(map_)));
        seen_ = 1;
        next_result_ = sets_->front().result;
        return;
      }
    }
    if (map_.kind != kMapDirect4) return;
    Address key;
    NextKey(&key, &next_result_);
  }

  bool Next() {
    if (done_) return false;
    first_ = next_first_;
    result_ = next_result_;
    while (NextKey(&next_first_, &next_result_)) {
      if (next_result_ == result_) continue;
      last_ = Before(next_first_);
      return true;
    }
    last_ = Last();
    done_ = true;
    return true;
  }
  using Range = std::conditional_t<sizeof(Address) == sizeof(net::Ip4), net::Range4, net::Range6>;
  Range range() const { return {first_, last_}; }
  const Address& first() const { return first_; }
  const Address& last() const { return last_; }
  uint32_t result() const { return result_; }

 private:
  static constexpr bool kIs4 = sizeof(Address) == sizeof(net::Ip4);
  static Address Before(const Address& a) {
    if constexpr (kIs4)
      return a - 1;
    else
      return a.Previous();
  }
  static Address Last() {
    if constexpr (kIs4)
      return ~0u;
    else
      return net::kIp6Last;
  }

  bool NextKey(Address* key, uint32_t* result) {
    if constexpr (kIs4) {
      if (sets_ != nullptr) {
        if (seen_ == sets_->size()) return false;
        *key = (*sets_)[seen_].first;
        *result = (*sets_)[seen_++].result;
        return true;
      }
    }
    if (seen_ == map_.count) return false;
    if constexpr (kIs4) {
      if (map_.kind == kMapDirect4) {
        const Le32* direct = reinterpret_cast<const Le32*>(view_.maps_base() + size_t{map_.direct} * 64);
        const Le16* lows = reinterpret_cast<const Le16*>(view_.maps_base() + size_t{map_.lows} * 64);
        if (seen_ == direct[high_ + 1]) high_++;
        *key = high_ << 16 | lows[seen_];
        *result = map_.value_bytes == 0
                      ? uint32_t{map_.result[view_.maps_base()[size_t{map_.values} * 64 + seen_ / 8] >>
                                                 (seen_ % 8) &
                                             1]}
                      : internal::ResultAt(view_, map_, seen_);
        seen_++;
        return true;
      }
    }
    uint32_t node, slot;
    order_.Next(&node, &slot);
    seen_++;
    bool bit;
    uint32_t keys = kNode6Keys;
    if constexpr (kIs4) {
      const TreeNode4& n = internal::Tree4(map_)[node];
      *key = n.key[slot];
      bit = n.bits >> slot & 1;
      keys = kNode4Keys;
    } else if (map_.kind == kMapTree6High) {
      const TreeNode6High& n = internal::Tree6High(map_)[node];
      *key = {n.key[slot], 0};
      bit = n.bits >> slot & 1;
    } else {
      const TreeNode6& n = internal::Tree6(map_)[node];
      *key = {n.high[slot], n.low[slot]};
      bit = n.bits >> slot & 1;
    }
    *result = map_.value_bytes == 0 ? uint32_t{map_.result[bit]}
                                    : internal::ResultAt(view_, map_, size_t{node} * keys + slot);
    return true;
  }

  View view_;  // a few pointers
  const MapHeader& map_;
  TreeOrder order_;
  uint32_t seen_ = 0;  // keys
  uint32_t high_ = 0;  // Direct4
  std::shared_ptr<const std::vector<SetInterval>> sets_;  // kMapSets4: all intervals
  bool done_ = false;
  Address first_{}, last_{}, next_first_{};
  uint32_t result_ = 0, next_result_;
};

}  // namespace mz::image
