// Lines of generic datasets: NAME|@ [ttl] [IN] A|TXT|MX data.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "format/dataset/chars.h"

namespace mz::dataset {

inline constexpr uint16_t kTypeA = 1, kTypeMx = 15, kTypeTxt = 16;

struct GenericLine {
  uint32_t name_bytes = 0;    // of the wire name appended to *arena; 0 for "@"
  uint32_t rdata_bytes = 0;   // of the rdata appended behind it
  uint16_t type = 0;
  bool has_ttl = false;       // a ttl other than 0 was written
  uint32_t ttl = 0;
  bool truncated = false;     // TXT cut to 255 octets
};

enum class GenericResult : uint8_t {
  kOk,
  kInvalid,   // a warning; the line is skipped
  kFatalTtl,  // the dataset does not load
  kFatalMx,
};
// Appends name and rdata to *arena when the line is good. On failure *where points at the offending octet.
GenericResult ParseGenericLine(const char* p, const char* end, GenericLine* line, std::string* arena,
                               const char** where);

}  // namespace mz::dataset
