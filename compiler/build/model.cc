// See model.h.
#include "compiler/build/model.h"

#include "base/status.h"

namespace mz::compiler {

namespace {

// Byte strings that are equal exactly when the objects are.
std::string TextKey(const TextModel& text) {
  std::string key;
  key.reserve(3 + 2 * text.holes.size() + text.literal.size());
  key.push_back(static_cast<char>(text.flags));
  key.push_back(static_cast<char>(text.holes.size() & 255));
  key.push_back(static_cast<char>(text.holes.size() >> 8));
  for (uint16_t hole : text.holes) {
    key.push_back(static_cast<char>(hole & 255));
    key.push_back(static_cast<char>(hole >> 8));
  }
  key += text.literal;
  return key;
}

std::string ResultKey(const std::vector<ValueModel>& values) {
  std::string key;
  key.reserve(values.size() * 9);
  for (const ValueModel& v : values) {
    key.append(reinterpret_cast<const char*>(v.a), 4);
    for (int shift = 0; shift < 32; shift += 8) key.push_back(static_cast<char>(v.text >> shift));
    key.push_back(static_cast<char>(v.is_action));
  }
  return key;
}

}  // namespace

TextId Pool::InternText(TextModel text) {
  auto [it, inserted] = text_index_.try_emplace(TextKey(text), static_cast<uint32_t>(texts_.size() + 1));
  if (inserted) texts_.push_back(std::move(text));
  return it->second;
}

ResultId Pool::InternResult(const std::vector<ValueModel>& values) {
  MZ_CHECK(!values.empty());
  auto [it, inserted] = result_index_.try_emplace(ResultKey(values), static_cast<uint32_t>(results_.size() + 1));
  if (inserted) results_.push_back(values);
  return it->second;
}

NameRef NameArena::Add(std::string_view wire) {
  MZ_CHECK(wire.size() <= 255 && bytes_.size() + wire.size() <= UINT32_MAX);
  NameRef ref{static_cast<uint32_t>(bytes_.size()), static_cast<uint8_t>(wire.size())};
  bytes_.append(wire);
  return ref;
}

}  // namespace mz::compiler
