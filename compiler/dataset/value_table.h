// The values of one dataset as they are written: A addresses and raw TXT templates.
//
// Several values of one key are answered in the order in which rbldnsd stored them, and it stores a value again whenever it
// differs from the one stored last. So there are two numberings: a *code* for each time a value was stored, which is the
// order, and an *id* for each distinct value.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace mz::compiler {

class ValueTable {
 public:
  // Code 0 and id 0 are the built-in default: 127.0.0.2 without text.
  static constexpr uint32_t kBuiltin = 0;

  ValueTable();
  // The code of a value that is written here. Requires: text.size() <= 255.
  uint32_t Store(const uint8_t a[4], std::string_view text) { return StoreId(Intern(a, text)); }
  // The same for a value that was stored before.
  uint32_t StoreAgain(uint32_t code) { return StoreId(id(code)); }

  uint32_t id(uint32_t code) const { return ids_[code]; }
  const uint8_t* a(uint32_t id) const { return entries_[id].a; }
  // Stays where it is for the lifetime of the table.
  std::string_view text(uint32_t id) const { return {entries_[id].text, entries_[id].length}; }
  size_t id_count() const { return entries_.size(); }

 private:
  struct Entry {
    const char* text;
    uint8_t length;
    uint8_t a[4];
  };
  uint32_t Intern(const uint8_t a[4], std::string_view text);
  uint32_t StoreId(uint32_t id) {
    if (ids_.size() == 1 || ids_.back() != id) ids_.push_back(id);
    return static_cast<uint32_t>(ids_.size() - 1);
  }
  const char* KeepText(std::string_view text);
  void Grow();

  std::vector<std::unique_ptr<char[]>> chunks_;  // of texts
  size_t chunk_bytes_ = 0, chunk_used_ = 0;      // of the last one
  std::vector<Entry> entries_;   // by id
  std::vector<uint32_t> ids_;    // by code
  std::vector<uint32_t> slots_;  // open addressing over entries_; id + 1, 0 = free
};

}  // namespace mz::compiler
