// dnsperf's query file: one "NAME TYPE" a line, separated by blanks; empty lines and lines that begin with ;
// or # are skipped. A name with or without trailing dot; a type as mnemonic or TYPE257.
//
// Any bytes are safe. Each bad line is reported with its place; the good ones are returned all the same, so
// that one run shows all mistakes. Dynamic updates (dnsperf -u) are not supported: their lines are reported
// as bad.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "format/dataset/diagnostic.h"

namespace mz::load {

struct Question {
  std::string name;  // relative wire form, case as written
  uint16_t type = 1;
};

// `file`: the name in diagnostics.
std::vector<Question> ParseQueryFile(std::string_view text, const std::string& file,
                                     dataset::DiagnosticSink& sink);

}  // namespace mz::load
