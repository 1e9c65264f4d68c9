// Special entries: $SOA, $NS, $TTL, $MAXRANGE4, $0-$9, $=, $TIMESTAMP, $DATASET.
//
// These functions read the text of one special; what it does to a dataset (first or last one wins, clamping) is the
// compiler's. Text is what stands behind the word, stripped. Names come out in wire form with the root octet, case kept.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "format/dataset/chars.h"

namespace mz::dataset {

enum class SpecialKind : uint8_t {
  kUnknown, kSoa, kNs, kTtl, kMaxRange4, kVariable, kTimestamp, kDataset,
  kEnt,  // of a later rbldnsd branch: accepted, without effect (empty non-terminals are a server option)
};

// A stripped line that begins with "$", "#$", ";$" or ":$".
inline bool IsSpecialLine(const char* p, const char* end) {
  return p < end && (*p == '$' || ((IsComment(*p) || *p == ':') && p + 1 < end && p[1] == '$'));
}

struct SpecialLine {
  SpecialKind kind = SpecialKind::kUnknown;
  char variable = 0;      // kVariable: '0'..'9' or '='
  std::string_view word;  // "TTL"
  std::string_view text;  // behind the word and its blanks
};
// Requires: IsSpecialLine.
SpecialLine ParseSpecialLine(std::string_view line);

// Decimal with an optional unit s m h d w, ended by a blank, ":" or the end; *p moves behind it. False on overflow.
bool ParseTimeValue(const char** p, const char* end, uint32_t* seconds);
// A time value and nothing else.
bool ParseTimeText(std::string_view text, uint32_t* seconds);

struct SoaText {
  uint32_t ttl = 0;
  std::string mname, rname;
  uint32_t serial = 0, refresh = 0, retry = 0, expire = 0, minimum = 0;
};
bool ParseSoaText(std::string_view text, SoaText* soa);

struct NsText {
  uint32_t ttl = 0;
  std::vector<std::string> names;  // distinct ignoring case
};
// False: the special is invalid. The names before the bad one are in *ns, and rbldnsd uses them with TTL 0.
bool ParseNsText(std::string_view text, NsText* ns);

// N or /BITS; 1..2^32-1.
bool ParseMaxRangeText(std::string_view text, uint32_t* max_range);

struct TimestampText {
  int64_t stamp = 0;    // 0: absent
  int64_t expires = 0;  // 0: never
};
bool ParseTimestampText(std::string_view text, TimestampText* timestamp);

struct DatasetText {
  std::string_view type, name;                // TYPE[:NAME]
  std::vector<std::string_view> subzones;     // up to a comment
};
bool ParseDatasetText(std::string_view text, DatasetText* dataset);

}  // namespace mz::dataset
