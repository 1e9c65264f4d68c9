// See value_encoder.h.
#include "compiler/build/value_encoder.h"

#include <cstring>

namespace mz::compiler {

using image::Text;
using image::Value;

ValueEncoder::ValueEncoder(const Pool& pool)
    : pool_(pool), result_ids_(pool.result_count() + 1), text_offsets_(pool.text_count() + 1) {
  values_.push_back(Value{{0, 0, 0, 0}, 0u});
}

uint32_t ValueEncoder::Encode(ResultId id) {
  const std::vector<ValueModel>& result = pool_.result(id);
  if (values_.size() + result.size() > UINT32_MAX) {
    status_ = MakeStatus(StatusCode::kResourceExhausted, "more than 4294967295 values");
    return 0;
  }
  uint32_t first = static_cast<uint32_t>(values_.size());
  for (size_t i = 0; i < result.size(); i++) {
    const ValueModel& v = result[i];
    uint32_t ref = v.is_action ? static_cast<uint32_t>(image::kValueAction) : v.text == 0 ? 0u : EncodeText(v.text);
    if (i + 1 < result.size()) ref |= image::kValueMore;
    Value out;
    std::memcpy(out.a, v.a, 4);
    out.ref = ref;
    values_.push_back(out);
  }
  return result_ids_[id] = first;
}

uint32_t ValueEncoder::EncodeText(TextId id) {
  if (text_offsets_[id] != 0) return text_offsets_[id];
  const TextModel& text = pool_.text(id);
  return text_offsets_[id] = StoreText(text, static_cast<uint8_t>(text.flags & ~unsigned{image::kTextSpf}));
}

uint32_t ValueEncoder::UseSpfText(TextId id) {
  if (id == 0) return 0;
  if (id > pool_.text_count()) {
    status_ = MakeStatus(StatusCode::kInternal, "an SPF program has a text that is not in the pool");
    return 0;
  }
  if (spf_text_offsets_.empty()) spf_text_offsets_.resize(pool_.text_count() + 1);
  if (spf_text_offsets_[id] == 0) spf_text_offsets_[id] = StoreText(pool_.text(id), image::kTextSpf);
  return spf_text_offsets_[id];
}

uint32_t ValueEncoder::StoreText(const TextModel& text, uint8_t flags) {
  if (text.literal.size() > UINT16_MAX || text.holes.size() > UINT8_MAX) {
    status_ = MakeStatus(StatusCode::kResourceExhausted,
                         "a TXT template of " + std::to_string(text.literal.size()) + " octets with " +
                             std::to_string(text.holes.size()) + " holes (at most 65535 and 255)");
    return 0;
  }
  StatusOr<uint32_t> at = texts_.Allocate(sizeof(Text) + 2 * text.holes.size() + text.literal.size());
  if (!at.ok() || *at > image::kValueTextMask) {
    status_ = at.ok() ? MakeStatus(StatusCode::kResourceExhausted, "more than 8 GiB of TXT templates") : at.status();
    return 0;
  }
  Text* header = texts_.As<Text>(*at);
  header->bytes = static_cast<uint16_t>(text.literal.size());
  header->holes = static_cast<uint8_t>(text.holes.size());
  header->flags = flags;
  Le16* holes = reinterpret_cast<Le16*>(header + 1);
  for (size_t i = 0; i < text.holes.size(); i++) holes[i] = text.holes[i];
  std::memcpy(holes + text.holes.size(), text.literal.data(), text.literal.size());
  return *at;
}

Bytes ValueEncoder::TakeValues() {
  const uint8_t* p = reinterpret_cast<const uint8_t*>(values_.data());
  return {p, p + values_.size() * sizeof(Value)};
}

}  // namespace mz::compiler
