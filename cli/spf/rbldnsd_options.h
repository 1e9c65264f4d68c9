// rbldnsd's command line flags (variable OPTIONS) as far as they mean something to `mailzone serve`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mz::cli {

struct RbldnsdOptions {
  std::vector<std::string> listen;              // HOST:PORT, [IPV6]:PORT
  std::string query_log, stats_file, pid_file, user;
  std::optional<uint64_t> check_interval;       // seconds
  std::optional<uint32_t> ttl, min_ttl, max_ttl;  // seconds
  std::vector<std::string> ignored;             // one sentence each
  std::vector<std::string> errors;              // one sentence each
};

RbldnsdOptions ReadRbldnsdOptions(std::string_view text);

}  // namespace mz::cli
