// The distinct values of one dataset as they are written: an A address and a raw TXT template. The id of a value is its
// rank of first appearance, which is the order in which several values of one key are answered.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace mz::compiler {

class ValueTable {
 public:
  // Id 0 is the built-in default: 127.0.0.2 without text.
  static constexpr uint32_t kBuiltin = 0;

  ValueTable();
  // Requires: text.size() <= 255.
  uint32_t Intern(const uint8_t a[4], std::string_view text);

  size_t size() const { return entries_.size(); }
  const uint8_t* a(uint32_t id) const { return entries_[id].a; }
  std::string_view text(uint32_t id) const {
    return std::string_view(texts_).substr(entries_[id].offset, entries_[id].length);
  }

 private:
  struct Entry {
    uint64_t offset;  // into texts_
    uint8_t length;
    uint8_t a[4];
  };
  uint64_t Hash(const uint8_t a[4], std::string_view text) const;
  void Grow();

  std::string texts_;
  std::vector<Entry> entries_;
  std::vector<uint32_t> slots_;  // open addressing; id + 1, 0 = free
};

}  // namespace mz::compiler
