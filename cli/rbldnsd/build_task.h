// What the compiling child does for one build: text files in, log lines, a verdict and a sealed image out.
#pragma once

#include <vector>

#include "cli/rbldnsd/build_channel.h"
#include "compiler/dataset/compile.h"

namespace mz::cli {

// How rbldnsd says that it will not start.
inline constexpr char kLoadingErrors[] = "zone loading errors, aborting";

// `request` carries the image in service, if there is one, from which unchanged and failing datasets are taken over.
// `quick_start`: datasets that never loaded are no reason to refuse; their zones answer SERVFAIL.
void RunBuild(const std::vector<compiler::ZoneSpec>& specs, const compiler::CompileOptions& options, bool quick_start,
              BuildMessage request, int socket);

}  // namespace mz::cli
