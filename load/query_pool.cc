// See query_pool.h.
#include "load/query_pool.h"

#include <algorithm>
#include <map>

namespace mz::load {

uint32_t QueryPool::Add(std::string_view prefix, std::string_view message) {
  const Query q{bytes_.size(), static_cast<uint16_t>(prefix.size() + message.size()),
                static_cast<uint16_t>(prefix.size())};
  bytes_.insert(bytes_.end(), prefix.begin(), prefix.end());
  bytes_.insert(bytes_.end(), message.begin(), message.end());
  queries_.push_back(q);
  return static_cast<uint32_t>(queries_.size() - 1);
}

void QueryPool::Expect(uint32_t query, uint64_t hash) {
  if (expected_.size() < queries_.size()) expected_.resize(queries_.size(), kNoExpectation);
  expected_[query] = hash;
}

Plan MakePlan(const QueryPool& pool, std::span<const uint32_t> sequence, unsigned max_train, size_t reorder) {
  Plan plan;
  const size_t total = sequence.size() >= reorder
                           ? sequence.size()
                           : sequence.size() * ((reorder + sequence.size() - 1) / sequence.size());
  plan.order.reserve(total);
  for (size_t begin = 0; begin < total; begin += reorder) {
    const size_t end = std::min(total, begin + reorder);
    std::map<size_t, std::vector<uint32_t>> open;  // by length
    auto close = [&](size_t bytes, std::vector<uint32_t>* list) {
      plan.trains.push_back({static_cast<uint32_t>(plan.order.size()), static_cast<uint16_t>(list->size()),
                             static_cast<uint16_t>(bytes)});
      plan.order.insert(plan.order.end(), list->begin(), list->end());
      list->clear();
    };
    for (size_t i = begin; i < end; i++) {
      const uint32_t query = sequence[i % sequence.size()];
      const size_t bytes = pool.wire(query).size();
      std::vector<uint32_t>& list = open[bytes];
      list.push_back(query);
      const size_t most = std::clamp<size_t>(kMaxTrainBytes / std::max<size_t>(bytes, 1), 1, max_train);
      if (list.size() >= most) close(bytes, &list);
    }
    for (auto& [bytes, list] : open)
      if (!list.empty()) close(bytes, &list);
  }
  return plan;
}

}  // namespace mz::load
