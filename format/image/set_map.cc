// See set_map_inl.h.
#include "format/image/view.h"

#include <algorithm>
#include <set>

namespace mz::image {

namespace {

// Paints ranges over each other: where several hold an address, the one of the lowest order shows.
class Painter {
 public:
  void Add(net::Ip4 first, net::Ip4 last, uint32_t order, uint32_t result) {
    events_.push_back({first, order, result, true});
    if (last != ~0u) events_.push_back({last + 1, order, result, false});
  }
  std::vector<SetInterval> Paint(uint32_t rest) {
    std::sort(events_.begin(), events_.end(), [](const Event& x, const Event& y) {
      return x.at != y.at ? x.at < y.at : x.begins != y.begins ? x.begins < y.begins : x.order < y.order;
    });
    std::vector<SetInterval> out{{0, rest}};
    std::set<std::pair<uint32_t, uint32_t>> active;  // order, result
    for (size_t i = 0; i < events_.size();) {
      const net::Ip4 at = events_[i].at;
      for (; i < events_.size() && events_[i].at == at; i++) {
        if (events_[i].begins) {
          active.insert({events_[i].order, events_[i].result});
        } else {
          active.erase({events_[i].order, events_[i].result});
        }
      }
      const uint32_t result = active.empty() ? rest : active.begin()->second;
      if (out.back().first == at) {
        out.back().result = result;  // only at the first address
      } else if (out.back().result != result) {
        out.push_back({at, result});
      }
    }
    return out;
  }

 private:
  struct Event {
    net::Ip4 at;
    uint32_t order, result;
    bool begins;
  };
  std::vector<Event> events_;
};

}  // namespace

std::vector<SetInterval> SetMapIntervals(const View& view, const SetMap4& map) {
  const SetMapParts parts = PartsOf(map);
  const SharedSets& shared = view.shared_sets();
  Painter painter;
  for (uint32_t place = 0; place < parts.places && parts.set[place] != 0; place++) {
    const SetRanges ranges = RangesOfSet(view, shared, parts.set[place]);
    for (uint32_t i = 0; i < ranges.count; i++)
      painter.Add(ranges.range[i].first, ranges.range[i].last, place, parts.SetResult(place));
  }
  for (uint32_t i = 0; i < parts.own_count; i++) {
    const net::Range4 range = parts.OwnRange(i);
    painter.Add(range.first, range.last, parts.places, parts.OwnResult(i));
  }
  if (parts.own_map != 0)
    ForEachInterval4(view, view.map(parts.own_map), [&](net::Ip4 first, net::Ip4 last, uint32_t result) {
      if (result != 0) painter.Add(first, last, parts.places, result - 1);
    });
  return painter.Paint(map.rest);
}

}  // namespace mz::image
