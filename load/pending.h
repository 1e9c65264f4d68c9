// The queries of one source port (or TCP connection) that wait for an answer, found by their ID.
//
//   uint16_t id = table.Add(due_ns, query, lost);      // goes into the packet
//   switch (table.Take(id, &entry)) ...                // an answer with this ID came
//   table.Expire(now - timeout, lost);                 // lost(entry) for each that waited too long
//
// IDs count up, so that the oldest query is always known and a number comes round only after `slots` others:
// until then a second answer is recognised as a duplicate, and an answer after the timeout as late. Not
// thread-safe.
#pragma once

#include <cstdint>
#include <vector>

namespace mz::load {

struct PendingQuery {
  uint64_t due_ns = 0;  // latency counts from here
  uint32_t query = 0;   // number in the pool
  uint16_t id = 0;
  enum State : uint8_t { kFree, kWaiting, kAnswered, kLost } state = kFree;
};

class PendingTable {
 public:
  enum Match { kAnswer, kDuplicate, kLate, kUnexpected };

  // Requires: `slots` is a power of two, at most 65536.
  PendingTable(uint32_t slots, uint16_t first_id) : mask_(slots - 1), first_id_(first_id), slots_(slots) {}

  // A query that still waits in the slot (all IDs are in use) is given up: lost(entry).
  template <typename Lost>
  uint16_t Add(uint64_t due_ns, uint32_t query, Lost lost) {
    const uint16_t id = static_cast<uint16_t>(first_id_ + next_);
    if (next_ - oldest_ > mask_) {
      GiveUp(slots_[oldest_ & mask_], lost);
      oldest_++;
    }
    slots_[next_++ & mask_] = {due_ns, query, id, PendingQuery::kWaiting};
    waiting_++;
    return id;
  }

  Match Take(uint16_t id, PendingQuery* out) {
    PendingQuery& e = slots_[static_cast<uint16_t>(id - first_id_) & mask_];
    if (e.id != id || e.state == PendingQuery::kFree) return kUnexpected;
    *out = e;
    if (e.state == PendingQuery::kAnswered) return kDuplicate;
    if (e.state == PendingQuery::kLost) return kLate;
    e.state = PendingQuery::kAnswered;
    waiting_--;
    return kAnswer;
  }

  // The packet never left: it is as if Add() had not been called, but its ID stays used. Null: it does not
  // wait any more.
  const PendingQuery* Unsend(uint16_t id) {
    PendingQuery& e = slots_[static_cast<uint16_t>(id - first_id_) & mask_];
    if (e.id != id || e.state != PendingQuery::kWaiting) return nullptr;
    e.state = PendingQuery::kFree;
    waiting_--;
    return &e;
  }

  // Gives up on what was due before `before_ns`.
  template <typename Lost>
  void Expire(uint64_t before_ns, Lost lost) {
    for (; oldest_ < next_; oldest_++) {
      PendingQuery& e = slots_[oldest_ & mask_];
      if (e.state == PendingQuery::kWaiting && e.due_ns >= before_ns) return;
      GiveUp(e, lost);
    }
  }

  uint32_t waiting() const { return waiting_; }

 private:
  template <typename Lost>
  void GiveUp(PendingQuery& e, Lost lost) {
    if (e.state != PendingQuery::kWaiting) return;
    e.state = PendingQuery::kLost;
    waiting_--;
    lost(e);
  }

  uint32_t mask_;
  uint16_t first_id_;
  uint64_t next_ = 0, oldest_ = 0;
  uint32_t waiting_ = 0;
  std::vector<PendingQuery> slots_;
};

}  // namespace mz::load
