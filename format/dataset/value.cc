// See value.h.
#include "format/dataset/value.h"

#include "format/dataset/address_key.h"

namespace mz::dataset {

ValueResult ParseValue(const char* p, const char* end, ValueText* value, const char** where) {
  *value = ValueText();
  p = SkipBlanks(p, end);
  if (p == end || IsComment(*p)) return ValueResult::kOk;

  if (*p == ':') {
    *where = ++p;
    net::Ip4 address;
    int octets = ParseOctets(&p, end, &address);
    if (octets == 0 || address == 0) return ValueResult::kInvalidA;
    uint8_t written[4] = {static_cast<uint8_t>(address >> 24), static_cast<uint8_t>(address >> 16),
                          static_cast<uint8_t>(address >> 8), static_cast<uint8_t>(address)};
    // The last octet written is the last of the address; a lone one stands behind 127.0.0.
    uint8_t last = written[octets - 1];
    if (octets < 4) written[octets - 1] = 0;
    written[3] = last;
    if (octets == 1) written[0] = 127;
    for (int i = 0; i < 4; ++i) value->a[i] = written[i];
    value->has_a = true;
    p = SkipBlanks(p, end);
    if (p == end) return ValueResult::kOk;
    if (*p != ':') {
      *where = p;
      return ValueResult::kUnrecognized;
    }
    p = SkipBlanks(p + 1, end);
  }
  value->has_text = true;
  value->text = Between(p, end);
  if (value->text.size() > kMaxTemplateBytes) {
    *where = p + kMaxTemplateBytes;
    value->text = value->text.substr(0, kMaxTemplateBytes);
    value->truncated = true;
  }
  return ValueResult::kOk;
}

AclWord ParseAclWord(const char* p, const char* end) {
  if (p == end || (*p != ':' && *p != '=')) return AclWord::kNone;
  bool keyword_only = *p == '=';
  const char* word = ++p;
  while (p < end && !IsBlank(*p) && !IsComment(*p) && *p != ':') ++p;
  std::string_view text = Between(word, p);
  struct Keyword { std::string_view text; AclWord word; };
  constexpr Keyword kKeywords[] = {{"ignore", AclWord::kIgnore}, {"blackhole", AclWord::kIgnore},
                                   {"refuse", AclWord::kRefuse}, {"empty", AclWord::kEmpty}, {"pass", AclWord::kPass}};
  for (const Keyword& keyword : kKeywords) {
    if (!text.empty() && EqualsIgnoreCase(text, keyword.text.substr(0, text.size()))) return keyword.word;
  }
  return keyword_only ? AclWord::kInvalid : AclWord::kNone;
}

}  // namespace mz::dataset
