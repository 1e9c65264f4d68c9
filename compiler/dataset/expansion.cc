// See expansion.h.
#include "compiler/dataset/expansion.h"

#include <algorithm>

namespace mz::compiler {
namespace {

// rbldnsd's limit of the expanded text; the server cuts texts with holes, texts without are cut here.
constexpr size_t kCutBytes = 254;
// More values than fit into any answer: rbldnsd counts them in one octet.
constexpr size_t kMaxValues = 255;

class Expander {
 public:
  explicit Expander(const Substitutions& substitutions) : substitutions_(substitutions) {}

  // `equals` is what "$=" stands for; nullopt: the subject.
  void Expand(std::string_view text, std::optional<std::string_view> equals) {
    for (size_t i = 0; i < text.size(); ++i) {
      size_t dollar = std::min(text.find('$', i), text.size());
      text_.literal.append(text, i, dollar - i);
      i = dollar;
      if (i == text.size()) break;
      char next = i + 1 < text.size() ? text[i + 1] : '\0';
      if (next == '$') {
        text_.literal.push_back('$');
      } else if (next == '=') {
        if (equals) text_.literal.append(*equals);
        else Hole();
      } else if (next >= '0' && next <= '9') {
        const auto& variable = substitutions_.variables[static_cast<size_t>(next - '0')];
        if (variable) text_.literal.append(*variable);
        else text_.literal.append({'$', next});
      } else {
        Hole();
        continue;  // the next octet is text of its own
      }
      ++i;
    }
  }

  TextModel Take() {
    if (text_.literal.size() > kCutBytes) text_.literal = text_.literal.substr(0, kCutBytes);
    while (!text_.holes.empty() && text_.holes.back() >= kCutBytes) text_.holes.pop_back();
    return std::move(text_);
  }

 private:
  void Hole() { text_.holes.push_back(static_cast<uint16_t>(std::min<size_t>(text_.literal.size(), kCutBytes))); }

  const Substitutions& substitutions_;
  TextModel text_;
};

}  // namespace

TextModel ExpandTemplate(std::string_view raw, const Substitutions& substitutions) {
  Expander expander(substitutions);
  bool own = !raw.empty() && raw[0] == '=';
  if (own) raw.remove_prefix(1);
  if (!own && substitutions.base && !substitutions.base->empty()) {
    expander.Expand(*substitutions.base, raw.empty() ? std::nullopt : std::optional(raw));
  } else {
    expander.Expand(raw, raw);
  }
  return expander.Take();
}

ResultId ResultMap::SingleAction(uint32_t code) {
  ValueModel action;
  action.is_action = true;
  action.a[0] = action.a[1] = action.a[2] = 0;
  action.a[3] = static_cast<uint8_t>(code & 0xff);
  return pool_->InternResult({action});
}

ResultId ResultMap::MakeSingle(uint32_t id) {
  if (single_.size() <= id) single_.resize(table_.id_count());
  ValueModel value;
  std::copy_n(table_.a(id), 4, value.a);
  TextModel text = ExpandTemplate(table_.text(id), substitutions_);
  if (!text.literal.empty() || !text.holes.empty()) value.text = pool_->InternText(std::move(text));
  return single_[id] = pool_->InternResult({value});
}

void ResultMap::ResolveAll(size_t many) {
  if (table_.id_count() < many) return;
  for (uint32_t id = 0; id < table_.id_count(); ++id)
    if (id >= single_.size() || single_[id] == 0) MakeSingle(id);
}

size_t ResultMap::Stored(std::span<const uint32_t> codes) const {
  size_t stored = codes.empty() ? 0 : 1;
  for (size_t i = 1; i < codes.size(); ++i) stored += table_.id(codes[i]) != table_.id(codes[i - 1]);
  return stored;
}

ResultId ResultMap::Several(std::span<const uint32_t> codes) {
  if (codes.size() == 1) return Single(codes[0]);
  std::vector<ValueModel> values;
  for (uint32_t code : codes) {
    const ValueModel value = pool_->result(Single(code))[0];
    if (std::find(values.begin(), values.end(), value) == values.end()) values.push_back(value);
    if (values.size() == kMaxValues) break;
  }
  return pool_->InternResult(values);
}

}  // namespace mz::compiler
