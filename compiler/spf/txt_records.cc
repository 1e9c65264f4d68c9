// See txt_records.h.
#include "compiler/spf/txt_records.h"

#include "format/spf/record.h"

namespace mz::compiler::spf {

bool JoinStrings(std::string_view rdata, std::string* out) {
  out->clear();
  for (size_t i = 0; i < rdata.size();) {
    const size_t n = static_cast<uint8_t>(rdata[i]);
    if (i + 1 + n > rdata.size()) return false;
    out->append(rdata.substr(i + 1, n));
    i += 1 + n;
  }
  return true;
}

std::vector<std::string> SpfRecordsOf(const resolve::Answer& answer) {
  std::vector<std::string> out;
  std::string text;
  for (const std::string& rdata : answer.rdata)
    if (JoinStrings(rdata, &text) && mz::spf::IsSpfRecord(text)) out.push_back(text);
  return out;
}

}  // namespace mz::compiler::spf
