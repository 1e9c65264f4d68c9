// See model.h.
#include "compiler/build/model.h"

#include <xxhash.h>

#include "base/endian.h"
#include "base/status.h"

namespace mz::compiler {

namespace {

uint64_t HashText(const TextModel& text) {
  const uint64_t shape = XXH3_64bits_withSeed(text.holes.data(), text.holes.size() * sizeof(uint16_t), text.flags);
  return XXH3_64bits_withSeed(text.literal.data(), text.literal.size(), shape);
}

uint64_t HashResult(const std::vector<ValueModel>& values) {
  uint64_t hash = values.size();
  for (const ValueModel& v : values) {
    const uint64_t fields[2] = {LoadBe32(v.a), uint64_t{v.text} << 1 | static_cast<uint64_t>(v.is_action)};
    hash = XXH3_64bits_withSeed(fields, sizeof fields, hash);
  }
  return hash;
}

// The id of `object`, which is stored as the last one when it is new. Ids count from 1.
template <typename Object>
uint32_t Intern(Object object, uint64_t hash, absl::flat_hash_map<uint64_t, uint32_t>* index,
                std::vector<Object>* objects) {
  for (;; hash++) {
    auto [it, inserted] = index->try_emplace(hash, static_cast<uint32_t>(objects->size() + 1));
    if (inserted) {
      objects->push_back(std::move(object));
      return it->second;
    }
    if ((*objects)[it->second - 1] == object) return it->second;
  }
}

}  // namespace

TextId Pool::InternText(TextModel text) {
  const uint64_t hash = HashText(text);
  return Intern(std::move(text), hash, &text_index_, &texts_);
}

ResultId Pool::InternResult(const std::vector<ValueModel>& values) {
  MZ_CHECK(!values.empty());
  return Intern(values, HashResult(values), &result_index_, &results_);
}

}  // namespace mz::compiler
