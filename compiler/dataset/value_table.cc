// See value_table.h.
#include "compiler/dataset/value_table.h"

#include <xxhash.h>

#include <algorithm>

namespace mz::compiler {
namespace {

// The first chunk holds any one text; combined datasets have thousands of small tables.
constexpr size_t kFirstChunk = 256, kLargestChunk = 1u << 20;

uint64_t Hash(const uint8_t a[4], std::string_view text) {
  uint32_t seed;
  std::memcpy(&seed, a, 4);
  return XXH3_64bits_withSeed(text.data(), text.size(), seed);
}

}  // namespace

ValueTable::ValueTable() {
  constexpr uint8_t kBuiltinAddress[4] = {127, 0, 0, 2};
  slots_.assign(8, 0);
  ids_.push_back(Intern(kBuiltinAddress, {}));
}

uint32_t ValueTable::Intern(const uint8_t a[4], std::string_view text) {
  if ((entries_.size() + 1) * 4 > slots_.size() * 3) Grow();
  const size_t mask = slots_.size() - 1;
  size_t i = Hash(a, text) & mask;
  for (; slots_[i] != 0; i = (i + 1) & mask) {
    uint32_t id = slots_[i] - 1;
    if (std::memcmp(entries_[id].a, a, 4) == 0 && this->text(id) == text) return id;
  }
  Entry entry;
  entry.text = KeepText(text);
  entry.length = static_cast<uint8_t>(text.size());
  std::memcpy(entry.a, a, 4);
  entries_.push_back(entry);
  slots_[i] = static_cast<uint32_t>(entries_.size());
  return slots_[i] - 1;
}

const char* ValueTable::KeepText(std::string_view text) {
  if (text.empty()) return "";
  if (chunk_bytes_ - chunk_used_ < text.size()) {
    chunk_bytes_ = std::clamp<size_t>(chunk_bytes_ * 2, kFirstChunk, kLargestChunk);
    chunks_.push_back(std::unique_ptr<char[]>(new char[chunk_bytes_]));
    chunk_used_ = 0;
  }
  char* kept = chunks_.back().get() + chunk_used_;
  std::memcpy(kept, text.data(), text.size());
  chunk_used_ += text.size();
  return kept;
}

void ValueTable::Grow() {
  slots_.assign(slots_.size() * 2, 0);
  const size_t mask = slots_.size() - 1;
  for (uint32_t id = 0; id < entries_.size(); ++id) {
    size_t i = Hash(entries_[id].a, text(id)) & mask;
    while (slots_[i] != 0) i = (i + 1) & mask;
    slots_[i] = id + 1;
  }
}

}  // namespace mz::compiler
