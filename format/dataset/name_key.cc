// See name_key.h.
#include "format/dataset/name_key.h"

#include "format/dataset/chars.h"
#include "format/dns/name.h"

namespace mz::dataset {
namespace {

bool AppendEscapedName(std::string_view text, bool keep_case, std::string* out) {
  size_t backslashes = 0;
  while (backslashes < text.size() && text[text.size() - 1 - backslashes] == '\\') ++backslashes;
  if (backslashes % 2 == 1) text.remove_suffix(1);
  auto wire = dns::ParseName(text);
  if (!wire.ok()) return false;
  if (!keep_case) dns::LowerName(&*wire);
  out->append(*wire);
  return true;
}

}  // namespace

bool AppendName(std::string_view text, bool keep_case, std::string* out) {
  // The common case, without escapes, in one pass: a length octet per label, filled in at its end.
  const size_t start = out->size();
  size_t used = start;
  if (text.size() > 4 * dns::kMaxNameBytes) return false;
  out->resize(start + text.size() + 1);
  char* wire = out->data();
  size_t length_at = used++;
  for (char c : text) {
    if (c == '.') {
      size_t label = used - length_at - 1;
      if (label == 0) continue;
      if (label > dns::kMaxLabelBytes) break;
      wire[length_at] = static_cast<char>(label);
      length_at = used++;
      continue;
    }
    if (c == '\\') {
      out->resize(start);
      return AppendEscapedName(text, keep_case, out);
    }
    wire[used++] = keep_case ? c : LowerChar(c);
  }
  size_t label = used - length_at - 1;
  if (label == 0) {
    used = length_at;
  } else {
    wire[length_at] = static_cast<char>(label);
  }
  bool ok = label <= dns::kMaxLabelBytes && used - start + 1 <= dns::kMaxNameBytes;
  out->resize(ok ? used : start);
  return ok;
}

}  // namespace mz::dataset
