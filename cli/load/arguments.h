// The command line of `mailzone load`: declared, parsed, checked, and turned into the engine's settings.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/options.h"
#include "cli/terminal.h"
#include "load/draw.h"
#include "load/query_pool.h"
#include "load/search.h"
#include "load/settings.h"

namespace mz::cli {

// What goes into each query besides name and type.
struct QueryForm {
  bool recursion_desired = true;
  bool edns = true;
  uint16_t edns_bytes = 1232;
  bool dnssec_ok = false;
  bool cookie = false;                      // 8 random octets each, RFC 7873
  std::vector<load::Subnet> client_subnet;  // RFC 7871; drawn within, cut to the prefix
  int client_subnet_bits = 0;
  uint16_t padding = 0;  // to a multiple of this; 0: none
  std::vector<std::pair<uint16_t, std::string>> edns_options;
};

enum class LoadMode { kOnce, kRamp, kFindMax };

struct LoadArguments {
  std::string target_text;
  std::string query_file;  // "-": standard input; empty: none
  std::string image;
  load::Settings settings;
  size_t reorder = 1024;
  QueryForm form;
  load::DrawSettings draw;
  size_t pool = 100'000;
  bool verify = false;
  uint16_t max_udp_bytes = 1232;
  LoadMode mode = LoadMode::kOnce;
  load::Ramp ramp;
  load::SearchLimits limits;
  uint64_t step_ns = 2'000'000'000;
  bool json = false;
  std::string html;
};

// Nothing: go on. Else the exit code.
std::optional<int> ParseLoadArguments(const std::vector<std::string>& words, Terminal& terminal,
                                      LoadArguments* out);

}  // namespace mz::cli
