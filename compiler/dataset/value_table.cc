// See value_table.h.
#include "compiler/dataset/value_table.h"

#include <xxhash.h>

namespace mz::compiler {
namespace {

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
  entry.offset = texts_.size();
  entry.length = static_cast<uint8_t>(text.size());
  std::memcpy(entry.a, a, 4);
  texts_.append(text);
  entries_.push_back(entry);
  slots_[i] = static_cast<uint32_t>(entries_.size());
  return slots_[i] - 1;
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
