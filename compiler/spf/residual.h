// Residual programs -> the texts that are served (RFC 7208 section 4.6.1), and what a receiver must still look up for them.
#pragma once

#include <cstdint>
#include <string>

#include "compiler/build/spf_model.h"
#include "compiler/spf/program.h"

namespace mz::compiler::spf {

// How the customer's record sends the receiver to us; see docs/SPF.md for what each keeps of the source's results.
enum class Form : uint8_t { kRedirect, kInclude, kExists, kClasses };

struct ResidualCost {
  uint32_t lookups = 0;        // mechanisms that count against the receiver's limit of 10, helpers included
  uint32_t exists = 0;         // of them exists: each miss is a void lookup, 2 are allowed
  uint32_t text_bytes = 0;     // of the longest text, without the holes
  bool below_name = false;     // some text leads to a name below the one that was asked
  bool too_deep = false;       // helpers nested deeper than labels can say: served as permerror
};

// The program for clients of one family. kInclude first takes it as include sees it; kExists needs the outcome only.
SpfProgram ServedProgram(ProgramPool* programs, ProgramId id, bool is_v4, Form form, Pool* pool, ResidualCost* cost);

// The text as a person reads it: $IP and $NAME stand for the holes; "SERVFAIL" for temperror.
std::string ResidualText(ProgramPool* programs, ProgramId id, bool is_v4, Form form);

}  // namespace mz::compiler::spf
