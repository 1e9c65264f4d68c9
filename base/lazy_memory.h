// Memory that exists page by page as it is written: for buffers whose size is that of the worst case.
//
//   LazyMemory buffers(64 * 4160);        // 260 KiB of addresses, no memory yet
//
// Zeroed, at least cache-line aligned, never backed by huge pages (one octet would then take 2 MiB). A page that has been
// written stays. Moves, does not copy.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mz {

class LazyMemory {
 public:
  LazyMemory() = default;
  // Throws std::bad_alloc when the system refuses the addresses.
  explicit LazyMemory(size_t bytes);
  LazyMemory(LazyMemory&& other) noexcept;
  LazyMemory& operator=(LazyMemory&& other) noexcept;
  ~LazyMemory();

  uint8_t* data() const { return data_; }
  size_t size() const { return size_; }
  // Takes the pages of these octets now instead of at their first use. Best effort. Requires: end <= size().
  void Populate(size_t begin, size_t end) const;

 private:
  uint8_t* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace mz
