// See generic_record.h.
#include "format/dataset/generic_record.h"

#include "format/dataset/address_key.h"
#include "format/dataset/name_key.h"
#include "format/dataset/specials.h"
#include "format/dataset/value.h"

namespace mz::dataset {
namespace {

GenericResult ParseData(std::string_view type, const char* p, const char* end, GenericLine* line,
                        std::string* arena, const char** where) {
  *where = p;
  if (EqualsIgnoreCase(type, "a")) {
    line->type = kTypeA;
    net::Ip4 address;
    int octets = ParseOctets(&p, end, &address);  // what follows is not looked at
    if (octets == 0) return GenericResult::kInvalid;
    // inet_aton style: the last octet written is the last of the address.
    if (octets < 4) {
      int shift = 32 - 8 * octets;
      net::Ip4 last = (address >> shift) & 0xff;
      address = (address & ~(0xffu << shift)) | last;
    }
    for (int i = 24; i >= 0; i -= 8) arena->push_back(static_cast<char>(address >> i));
    return GenericResult::kOk;
  }
  if (EqualsIgnoreCase(type, "txt")) {
    line->type = kTypeTxt;
    std::string_view text = Between(p, end);
    if (text.size() >= 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
    if (text.size() > kMaxTemplateBytes) {
      *where = text.data() + kMaxTemplateBytes;
      text = text.substr(0, kMaxTemplateBytes);
      line->truncated = true;
    }
    arena->push_back(static_cast<char>(text.size()));
    arena->append(text);
    return GenericResult::kOk;
  }
  if (EqualsIgnoreCase(type, "mx")) {
    line->type = kTypeMx;
    uint32_t preference = 0;
    const char* digits = p;
    while (p < end && IsDigit(*p) && preference <= 0xffff)
      preference = preference * 10 + static_cast<uint32_t>(*p++ - '0');
    if (p == digits || preference > 0xffff || (p < end && !IsBlank(*p))) return GenericResult::kInvalid;
    p = SkipBlanks(p, end);
    const char* name_end = SkipWord(p, end);
    *where = p;
    if (p == end) return GenericResult::kFatalMx;
    arena->push_back(static_cast<char>(preference >> 8));
    arena->push_back(static_cast<char>(preference));
    if (!AppendName(Between(p, name_end), /*keep_case=*/true, arena)) return GenericResult::kFatalMx;
    arena->push_back('\0');
    *where = SkipBlanks(name_end, end);
    return *where == end ? GenericResult::kOk : GenericResult::kFatalMx;
  }
  return GenericResult::kInvalid;
}

}  // namespace

GenericResult ParseGenericLine(const char* p, const char* end, GenericLine* line, std::string* arena,
                               const char** where) {
  *line = GenericLine();
  const size_t start = arena->size();
  *where = p;
  const char* word_end = SkipWord(p, end);
  std::string_view name = Between(p, word_end);
  if (name != "@") {
    if (!AppendName(name, /*keep_case=*/false, arena)) return GenericResult::kInvalid;
    if (arena->size() == start) return GenericResult::kInvalid;
    line->name_bytes = static_cast<uint32_t>(arena->size() - start);
  }
  auto fail = [&](GenericResult result) {
    arena->resize(start);
    return result;
  };

  p = SkipBlanks(word_end, end);
  *where = p;
  if (p < end && IsDigit(*p)) {
    if (!ParseTimeValue(&p, end, &line->ttl)) return fail(GenericResult::kFatalTtl);
    line->has_ttl = line->ttl != 0;
    p = SkipBlanks(p, end);
  }
  *where = p;
  word_end = SkipWord(p, end);
  std::string_view type = Between(p, word_end);
  if (EqualsIgnoreCase(type, "in")) {
    p = SkipBlanks(word_end, end);
    *where = p;
    word_end = SkipWord(p, end);
    type = Between(p, word_end);
  }
  if (word_end == end) return fail(GenericResult::kInvalid);  // no data
  p = SkipBlanks(word_end, end);
  const char* type_at = *where;
  size_t rdata_at = arena->size();
  GenericResult result = ParseData(type, p, end, line, arena, where);
  if (line->type == 0) *where = type_at;
  if (result != GenericResult::kOk) return fail(result);
  line->rdata_bytes = static_cast<uint32_t>(arena->size() - rdata_at);
  return result;
}

}  // namespace mz::dataset
