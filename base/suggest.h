// "Did you mean": the nearest of a list of known words.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace mz {

// The candidate with the smallest edit distance (case-insensitive), or "" when none is within a third of the word's
// length (at least 1, at most 3 edits).
std::string Nearest(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace mz
