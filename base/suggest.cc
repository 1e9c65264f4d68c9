// See suggest.h.
#include "base/suggest.h"

#include <algorithm>
#include <vector>

namespace mz {
namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); j++) row[j] = j;
  for (size_t i = 1; i <= a.size(); i++) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); j++) {
      size_t change = diagonal + (Lower(a[i - 1]) != Lower(b[j - 1]));
      diagonal = row[j];
      row[j] = std::min({change, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string Nearest(std::string_view word, std::span<const std::string_view> candidates) {
  size_t limit = std::clamp<size_t>(word.size() / 3, 1, 3);
  std::string_view best;
  for (std::string_view c : candidates) {
    size_t d = EditDistance(word, c);
    if (d <= limit) {
      best = c;
      limit = d == 0 ? 0 : d - 1;
    }
    if (d == 0) break;
  }
  return std::string(best);
}

}  // namespace mz
