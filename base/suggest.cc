// See suggest.h.
#include "base/suggest.h"

#include <algorithm>
#include <vector>

namespace mz {
namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

// Insertions, deletions, changes and swaps of neighbours (optimal string alignment): swapped letters are the typo that
// fingers make most.
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1), previous(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); j++) row[j] = j;
  for (size_t i = 1; i <= a.size(); i++) {
    before.swap(previous);
    previous.swap(row);
    row[0] = i;
    for (size_t j = 1; j <= b.size(); j++) {
      bool same = Lower(a[i - 1]) == Lower(b[j - 1]);
      row[j] = std::min({previous[j - 1] + (same ? 0 : 1), previous[j] + 1, row[j - 1] + 1});
      bool swapped = i > 1 && j > 1 && Lower(a[i - 1]) == Lower(b[j - 2]) && Lower(a[i - 2]) == Lower(b[j - 1]);
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
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
