// The queries of a run: each distinct one once, ready for the wire but for its ID; and the plan, the order in
// which they are sent, sorted into trains of equal length.
//
// A train travels to the kernel as one buffer that it cuts into datagrams (UDP_SEGMENT), for which all must
// have one length. The plan therefore reorders queries, but never across the border of a block of `reorder`
// queries.
//
// Both are built by one thread before the run and only read during it.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace mz::load {

class QueryPool {
 public:
  // `prefix` goes in front of the message in the same datagram (a PROXY header). Returns the query's number.
  uint32_t Add(std::string_view prefix, std::string_view message);

  size_t size() const { return queries_.size(); }
  // Prefix and message.
  std::span<const uint8_t> wire(uint32_t query) const {
    return {bytes_.data() + queries_[query].offset, queries_[query].bytes};
  }
  size_t prefix_bytes(uint32_t query) const { return queries_[query].prefix; }
  std::span<const uint8_t> message(uint32_t query) const {
    return wire(query).subspan(queries_[query].prefix);
  }

  // What AnswerHash() must say of the answer (answer_hash.h); kNoExpectation: anything is right; kSilence: no
  // answer.
  static constexpr uint64_t kNoExpectation = 0, kSilence = 1;
  void Expect(uint32_t query, uint64_t hash);
  uint64_t expected(uint32_t query) const { return expected_.empty() ? kNoExpectation : expected_[query]; }

 private:
  struct Query {
    uint64_t offset;
    uint16_t bytes, prefix;
  };
  std::vector<Query> queries_;
  std::vector<uint8_t> bytes_;
  std::vector<uint64_t> expected_;
};

inline constexpr unsigned kMaxTrain = 64;        // UDP_MAX_SEGMENTS of Linux before 6.9
inline constexpr size_t kMaxTrainBytes = 65000;  // one UDP datagram before it is cut

struct Train {
  uint32_t first;  // index into Plan::order
  uint16_t count;
  uint16_t bytes;  // of each query with its prefix
};

struct Plan {
  std::vector<uint32_t> order;  // numbers of queries
  std::vector<Train> trains;    // cover `order` without gaps
  double mean_train() const {
    return trains.empty() ? 0 : static_cast<double>(order.size()) / static_cast<double>(trains.size());
  }
};

// `sequence`: numbers of queries as they shall be sent, over and over. Short ones are repeated, so that
// trains fill. Requires: sequence is not empty; 1 <= max_train <= kMaxTrain; reorder >= 1.
Plan MakePlan(const QueryPool& pool, std::span<const uint32_t> sequence, unsigned max_train, size_t reorder);

// A place in a plan that goes round for ever; one for each thread.
class PlanCursor {
 public:
  // Thread `index` of `count` begins at its own place.
  PlanCursor(const Plan& plan, unsigned index, unsigned count)
      : plan_(&plan), train_(plan.trains.size() * index / count) {}

  // Length of what Take() hands out next, and how many there are of it.
  size_t next_bytes() const { return plan_->trains[train_].bytes; }
  unsigned available() const { return plan_->trains[train_].count - used_; }
  // At most `most` (at least 1) queries of one length.
  std::span<const uint32_t> Take(unsigned most) {
    const Train& t = plan_->trains[train_];
    const unsigned n = most < available() ? most : available();
    std::span<const uint32_t> out(plan_->order.data() + t.first + used_, n);
    used_ += n;
    if (used_ == t.count) {
      used_ = 0;
      if (++train_ == plan_->trains.size()) train_ = 0;
    }
    return out;
  }

 private:
  const Plan* plan_;
  size_t train_;
  unsigned used_ = 0;
};

}  // namespace mz::load
