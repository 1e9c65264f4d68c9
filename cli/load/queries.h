// The queries of a run: from a file or from an image, with their EDNS, PROXY headers, and expected answers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/image_file.h"
#include "cli/load/arguments.h"
#include "format/dataset/diagnostic.h"
#include "load/draw.h"
#include "load/query_pool.h"

namespace mz::cli {

struct LoadQueries {
  load::QueryPool pool;
  std::vector<uint32_t> sequence;      // numbers in the pool, in the order in which to send
  std::vector<load::Address> clients;  // by number: what the PROXY header says; empty without
  std::optional<ImageFile> image;
  load::Drawer::Counts drawn;  // with an image
  size_t units = 0;
  uint64_t left_out = 0;       // verify: queries that the server would not answer
  uint64_t skipped_lines = 0;  // of the query file
};

// A file with bad lines is InvalidArgument, after the sink has heard of each. Errors: those of reading;
// InvalidArgument.
StatusOr<LoadQueries> MakeLoadQueries(const LoadArguments& arguments, dataset::DiagnosticSink& sink);

// Says of every query in the pool what the answer must be, by the server's own code; takes the queries that
// get no answer out of the sequence. Requires: queries->image. Errors: FailedPrecondition (the answers depend
// on what is not known).
Status ExpectAnswers(const LoadArguments& arguments, LoadQueries* queries);

// What the image says to one query of the pool, as a message.
std::string ExpectedMessage(const LoadArguments& arguments, const LoadQueries& queries, uint32_t query);

}  // namespace mz::cli
