// Octet classes of the rbldnsd text dialect. White space is space and TAB only: CR is data.
#pragma once

#include <cstdint>
#include <string_view>

namespace mz::dataset {

inline bool IsBlank(char c) { return c == ' ' || c == '\t'; }
inline bool IsComment(char c) { return c == '#' || c == ';'; }
inline bool IsDigit(char c) { return static_cast<uint8_t>(c - '0') < 10; }

inline const char* SkipBlanks(const char* p, const char* end) {
  while (p < end && IsBlank(*p)) ++p;
  return p;
}
inline const char* SkipWord(const char* p, const char* end) {
  while (p < end && !IsBlank(*p)) ++p;
  return p;
}
inline std::string_view Between(const char* p, const char* end) {
  return {p, static_cast<size_t>(end - p)};
}

inline char LowerChar(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
inline bool EqualsIgnoreCase(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (size_t i = 0; i < text.size(); ++i)
    if (LowerChar(text[i]) != lower[i]) return false;
  return true;
}

}  // namespace mz::dataset
