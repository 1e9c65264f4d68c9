// Truncated UDP answers on their way to the thread that asks again over TCP.
#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

namespace mz::load {

struct RetryItem {
  uint64_t due_ns;  // of the UDP query: the latency of the whole exchange counts
  uint32_t query;
};

class RetryQueue {
 public:
  void Put(const RetryItem& item) {
    const std::lock_guard lock(mutex_);
    items_.push_back(item);
  }
  void Close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  // Moves what is there to the end of *out. False: closed, and nothing will come any more.
  bool Take(std::vector<RetryItem>* out) {
    const std::lock_guard lock(mutex_);
    out->insert(out->end(), items_.begin(), items_.end());
    items_.clear();
    return !closed_;
  }

 private:
  std::mutex mutex_;
  std::vector<RetryItem> items_;
  bool closed_ = false;
};

}  // namespace mz::load
