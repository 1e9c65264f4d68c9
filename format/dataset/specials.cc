// See specials.h.
#include "format/dataset/specials.h"

#include "format/dataset/name_key.h"

namespace mz::dataset {
namespace {

// Decimal up to `limit`, at least one digit; *p moves behind it.
bool ParseNumber(const char** p, const char* end, uint64_t limit, uint64_t* value) {
  const char* q = *p;
  uint64_t v = 0;
  for (; q < end && IsDigit(*q); ++q) {
    v = v * 10 + static_cast<uint64_t>(*q - '0');
    if (v > limit) return false;
  }
  if (q == *p) return false;
  *p = q;
  *value = v;
  return true;
}

constexpr uint64_t kMax32 = 0xffffffff;

// The next blank-separated word; empty at the end.
std::string_view TakeWord(const char** p, const char* end) {
  const char* begin = SkipBlanks(*p, end);
  *p = SkipWord(begin, end);
  return Between(begin, *p);
}

bool TakeName(const char** p, const char* end, std::string* wire) {
  std::string_view word = TakeWord(p, end);
  wire->clear();
  if (word.empty() || !AppendName(word, /*keep_case=*/true, wire)) return false;
  wire->push_back('\0');
  return true;
}

// A time value behind blanks; blanks are skipped behind it too.
bool TakeTime(const char** p, const char* end, uint32_t* seconds) {
  *p = SkipBlanks(*p, end);
  return ParseTimeValue(p, end, seconds);
}

bool IsLeap(int64_t year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

// Days from 1970-01-01.
int64_t DaysSinceEpoch(int64_t year, int64_t month, int64_t day) {
  int64_t days = 0;
  for (int64_t y = 1970; y < year; ++y) days += IsLeap(y) ? 366 : 365;
  constexpr int kBefore[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
  days += kBefore[month - 1] + (month > 2 && IsLeap(year) ? 1 : 0);
  return days + day - 1;
}

bool TakeDigits(const char** p, const char* end, int digits, int64_t* value) {
  int64_t v = 0;
  int n = 0;
  const char* q = *p;
  for (; n < digits && q < end && IsDigit(*q); ++q, ++n) v = v * 10 + (*q - '0');
  if (n == 0) return false;
  *p = q;
  *value = v;
  return true;
}

// yyyy[:-]mm[:-]dd[[:-]hh[[:-]mi[[:-]ss]]] in UTC; "0", "-" and ":" alone stand for "absent".
bool ParseStamp(const char** p, const char* end, int64_t* stamp) {
  const char* q = *p;
  auto ends_here = [&](const char* at) { return at == end || IsBlank(*at); };
  *stamp = 0;
  if (q < end && (*q == '0' || *q == '-' || *q == ':') && ends_here(q + 1)) {
    *p = q + 1;
    return true;
  }
  struct Field { int digits; int64_t low, high; };
  constexpr Field kFields[6] = {{4, 1970, 2038}, {2, 1, 12}, {2, 1, 31}, {2, 0, 23}, {2, 0, 59}, {2, 0, 59}};
  int64_t v[6] = {0, 0, 0, 0, 0, 0};
  int n = 0;
  for (; n < 6; ++n) {
    if (n >= 3 && ends_here(q)) break;
    if (n > 0 && q < end && (*q == ':' || *q == '-')) ++q;
    if (!TakeDigits(&q, end, kFields[n].digits, &v[n])) return false;
    if (v[n] < kFields[n].low || v[n] > kFields[n].high) return false;
  }
  if (!ends_here(q)) return false;
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  int64_t days = kDays[v[1] - 1] + (v[1] == 2 && IsLeap(v[0]) ? 1 : 0);
  if (v[2] > days) return false;
  *stamp = ((DaysSinceEpoch(v[0], v[1], v[2]) * 24 + v[3]) * 60 + v[4]) * 60 + v[5];
  *p = q;
  return true;
}

}  // namespace

SpecialLine ParseSpecialLine(std::string_view line) {
  SpecialLine special;
  const char* p = line.data() + (line[0] == '$' ? 1 : 2);
  const char* end = line.data() + line.size();
  const char* word_end = SkipWord(p, end);
  special.word = Between(p, word_end);
  special.text = Between(SkipBlanks(word_end, end), end);
  if (special.text.empty()) return special;  // the word must be followed by a blank, and the line is stripped
  const std::string_view w = special.word;
  if (w.size() == 1 && (IsDigit(w[0]) || w[0] == '=')) {
    special.kind = SpecialKind::kVariable;
    special.variable = w[0];
  } else if (EqualsIgnoreCase(w, "soa")) {
    special.kind = SpecialKind::kSoa;
  } else if (EqualsIgnoreCase(w, "ns") || EqualsIgnoreCase(w, "nameserver")) {
    special.kind = SpecialKind::kNs;
  } else if (EqualsIgnoreCase(w, "ttl")) {
    special.kind = SpecialKind::kTtl;
  } else if (EqualsIgnoreCase(w, "maxrange4")) {
    special.kind = SpecialKind::kMaxRange4;
  } else if (EqualsIgnoreCase(w, "timestamp")) {
    special.kind = SpecialKind::kTimestamp;
  } else if (EqualsIgnoreCase(w, "dataset")) {
    special.kind = SpecialKind::kDataset;
  } else if (EqualsIgnoreCase(w, "ent")) {
    special.kind = SpecialKind::kEnt;
  }
  return special;
}

bool ParseTimeValue(const char** p, const char* end, uint32_t* seconds) {
  const char* q = *p;
  uint64_t v;
  if (!ParseNumber(&q, end, kMax32, &v)) return false;
  if (q < end && !IsBlank(*q) && *q != ':') {
    switch (LowerChar(*q++)) {
      case 's': break;
      case 'm': v *= 60; break;
      case 'h': v *= 3600; break;
      case 'd': v *= 86400; break;
      case 'w': v *= 604800; break;
      default: return false;
    }
    if (v > kMax32) return false;
  }
  if (q < end && !IsBlank(*q) && *q != ':') return false;
  *p = q;
  *seconds = static_cast<uint32_t>(v);
  return true;
}

bool ParseTimeText(std::string_view text, uint32_t* seconds) {
  const char* p = text.data();
  const char* end = p + text.size();
  return ParseTimeValue(&p, end, seconds) && SkipBlanks(p, end) == end;
}

bool ParseSoaText(std::string_view text, SoaText* soa) {
  const char* p = text.data();
  const char* end = p + text.size();
  uint64_t serial;
  if (!TakeTime(&p, end, &soa->ttl)) return false;
  if (!TakeName(&p, end, &soa->mname) || !TakeName(&p, end, &soa->rname)) return false;
  p = SkipBlanks(p, end);
  if (!ParseNumber(&p, end, kMax32, &serial) || (p < end && !IsBlank(*p))) return false;
  soa->serial = static_cast<uint32_t>(serial);
  for (uint32_t* field : {&soa->refresh, &soa->retry, &soa->expire, &soa->minimum})
    if (!TakeTime(&p, end, field) || (p < end && !IsBlank(*p))) return false;
  return SkipBlanks(p, end) == end;
}

bool ParseNsText(std::string_view text, NsText* ns) {
  ns->names.clear();
  const char* p = text.data();
  const char* end = p + text.size();
  if (!TakeTime(&p, end, &ns->ttl)) return false;
  p = SkipBlanks(p, end);
  if (p == end) return false;
  std::vector<std::string> lower;  // of ns->names
  for (; p < end; p = SkipBlanks(p, end)) {
    if (*p == '-') {  // disabled, unread
      p = SkipWord(p, end);
      continue;
    }
    std::string wire;
    if (!TakeName(&p, end, &wire)) return false;
    std::string key = wire;
    for (char& c : key) c = LowerChar(c);  // length octets are no letters
    bool known = false;
    for (const std::string& other : lower) known |= other == key;
    if (known) continue;
    ns->names.push_back(std::move(wire));
    lower.push_back(std::move(key));
  }
  return true;
}

bool ParseMaxRangeText(std::string_view text, uint32_t* max_range) {
  const char* p = text.data();
  const char* end = p + text.size();
  uint64_t v;
  if (p < end && *p == '/') {
    ++p;
    if (!ParseNumber(&p, end, 32, &v) || v == 0) return false;
    v = 1ull << (32 - v);
  } else if (!ParseNumber(&p, end, kMax32, &v) || v == 0) {
    return false;
  }
  *max_range = static_cast<uint32_t>(v);
  return SkipBlanks(p, end) == end;
}

bool ParseTimestampText(std::string_view text, TimestampText* timestamp) {
  const char* p = text.data();
  const char* end = p + text.size();
  if (!ParseStamp(&p, end, &timestamp->stamp)) return false;
  p = SkipBlanks(p, end);
  timestamp->expires = 0;
  if (p == end) return true;
  if (*p == '+') {
    ++p;
    uint32_t seconds;
    if (timestamp->stamp == 0 || !ParseTimeValue(&p, end, &seconds) || seconds == 0) return false;
    timestamp->expires = timestamp->stamp + seconds;
  } else if (!ParseStamp(&p, end, &timestamp->expires)) {
    return false;
  }
  return SkipBlanks(p, end) == end;
}

bool ParseDatasetText(std::string_view text, DatasetText* dataset) {
  const char* p = text.data();
  const char* end = p + text.size();
  std::string_view type = TakeWord(&p, end);
  if (type.empty() || IsComment(type[0])) return false;
  size_t colon = type.find(':');
  dataset->type = type.substr(0, colon);
  dataset->name = colon == std::string_view::npos ? std::string_view() : type.substr(colon + 1);
  dataset->subzones.clear();
  for (;;) {
    std::string_view word = TakeWord(&p, end);
    if (word.empty() || IsComment(word[0])) return true;
    dataset->subzones.push_back(word);
  }
}

}  // namespace mz::dataset
