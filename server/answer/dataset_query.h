// Asks the datasets of a zone for one name: what is listed, and what merely lies above something listed.
#pragma once

#include "server/answer/composer.h"
#include "server/answer/job.h"

namespace mz::answer {

// What a healthcheck zone does to the response besides its content.
enum class Effect : uint8_t { kNone, kSilence, kFormErrEdns, kTruncate, kTruncateNoTcp, kWrongCase, kOversize, kLame };

struct Search {
  const image::View& view;
  Job& job;
  const Client& client;
  Composer& composer;
  WorkerState& state;
  uint16_t rcode = 0;  // set by QueryDatasets(): the response is this error (SERVFAIL, REFUSED) instead
  uint32_t now_unix = 0;
  uint16_t delay_ms = 0;  // set by healthcheck zones
  Effect effect = Effect::kNone;
};

// Appends the answers of every dataset of the job's zone, in order. Returns whether the name exists by them
// (with or without records of the asked type).
bool QueryDatasets(Search& search);

// True when the name is an empty non-terminal: something listed or stored lies below it (RFC 8020, RFC 4592
// section 2.2.2). Only meaningful for names that QueryDatasets() did not find.
bool IsEmptyNonTerminal(Search& search);

}  // namespace mz::answer
