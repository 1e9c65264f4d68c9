// See address_classes.h.
#include "compiler/build/address_classes.h"

#include <xxhash.h>

#include <algorithm>

#include "absl/container/flat_hash_map.h"

namespace mz::compiler {

namespace {

template <typename Address>
struct Event {
  Address at;
  uint32_t set;
  bool begins;
};

template <typename Address>
class ClassBuilder {
 public:
  ClassBuilder(std::span<const SharedSet<Address>> sets, const ClassLimits& limits)
      : sets_(sets), limits_(limits), evicted_(sets.size()) {}

  ClassTable<Address> Build() {
    using Family = AddressFamily<Address>;
    for (uint32_t s = 0; s < sets_.size(); s++) {
      for (const auto& r : *sets_[s].ranges) {
        events_.push_back({r.first, s, true});
        if (!Family::IsLast(r.last)) events_.push_back({Family::Next(r.last), s, false});
      }
    }
    std::sort(events_.begin(), events_.end(), [](const Event<Address>& x, const Event<Address>& y) {
      return x.at != y.at ? x.at < y.at : x.begins != y.begins ? x.begins < y.begins : x.set < y.set;
    });
    // With one set per class the words are no more than twice the sets, so this ends.
    for (uint32_t depth = std::max(limits_.depth, 1u);; depth = std::max(depth / 4, 1u)) {
      Evict(depth);
      if (Sweep() || depth == 1) break;
    }
    return std::move(table_);
  }

 private:
  // Marks sets until no address is in more than `depth` of the others.
  void Evict(uint32_t depth) {
    std::vector<uint32_t> active;
    for (const Event<Address>& e : events_) {
      if (evicted_[e.set]) continue;
      if (!e.begins) {
        std::erase(active, e.set);
        continue;
      }
      active.push_back(e.set);
      if (active.size() <= depth) continue;
      auto least = std::min_element(active.begin(), active.end(), [&](uint32_t x, uint32_t y) {
        return sets_[x].users != sets_[y].users ? sets_[x].users < sets_[y].users : x > y;
      });
      evicted_[*least] = true;
      active.erase(least);
    }
  }

  // Makes the table of the sets that are left. False: too many words.
  bool Sweep() {
    table_ = {};
    ids_of_hash_.clear();
    table_.set_ids.resize(sets_.size());
    for (uint32_t s = 0; s < sets_.size(); s++)
      if (!evicted_[s]) table_.set_ids[s] = ++table_.set_count;
    if (table_.set_count == 0) return true;
    table_.words.push_back(0);
    table_.intervals.push_back({Address{}, 0});
    std::vector<uint32_t> active;  // ascending ids
    for (size_t i = 0; i < events_.size();) {
      const Address at = events_[i].at;
      for (; i < events_.size() && events_[i].at == at; i++) {
        const uint32_t id = table_.set_ids[events_[i].set];
        if (id == 0) continue;
        auto place = std::lower_bound(active.begin(), active.end(), id);
        if (events_[i].begins) {
          active.insert(place, id);
        } else {
          active.erase(place);
        }
      }
      const uint32_t id = ClassOf(active);
      if (table_.words.size() > limits_.words) return false;
      auto& last = table_.intervals.back();
      if (last.start == at) {
        last.result = id;  // only at the first address
      } else if (last.result != id) {
        table_.intervals.push_back({at, id});
      }
    }
    return true;
  }

  uint32_t ClassOf(const std::vector<uint32_t>& members) {
    if (members.empty()) return 0;
    for (uint64_t hash = XXH3_64bits(members.data(), members.size() * sizeof(uint32_t));; hash++) {
      auto [it, inserted] = ids_of_hash_.try_emplace(hash, static_cast<uint32_t>(table_.words.size()));
      const uint32_t id = it->second;
      if (inserted) {
        table_.words.push_back(static_cast<uint32_t>(members.size()));
        table_.words.insert(table_.words.end(), members.begin(), members.end());
        return id;
      }
      if (table_.words[id] == members.size() &&
          std::equal(members.begin(), members.end(), table_.words.begin() + id + 1))
        return id;
    }
  }

  std::span<const SharedSet<Address>> sets_;
  const ClassLimits limits_;
  std::vector<bool> evicted_;
  std::vector<Event<Address>> events_;
  absl::flat_hash_map<uint64_t, uint32_t> ids_of_hash_;
  ClassTable<Address> table_;
};

}  // namespace

template <typename Address>
ClassTable<Address> BuildClasses(std::span<const SharedSet<Address>> sets, const ClassLimits& limits) {
  return ClassBuilder<Address>(sets, limits).Build();
}

template ClassTable<net::Ip4> BuildClasses(std::span<const SharedSet<net::Ip4>>, const ClassLimits&);
template ClassTable<net::Ip6> BuildClasses(std::span<const SharedSet<net::Ip6>>, const ClassLimits&);

}  // namespace mz::compiler
