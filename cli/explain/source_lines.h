// The text of lines that were compiled, as long as their files have not changed since. Reads gzip files too.
#pragma once

#include <map>
#include <set>
#include <string>

#include "compiler/build/model.h"

namespace mz::cli {

struct SourceText {
  std::map<uint32_t, std::string> lines;  // by number
  std::string missing;                    // why there are none; "" = all are there
};

SourceText ReadLines(const compiler::SourceFile& file, const std::set<uint32_t>& wanted);

}  // namespace mz::cli
