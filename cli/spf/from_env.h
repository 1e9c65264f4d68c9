// expurgate's environment variables as a mailzone configuration (docs/EXPURGATE.md has the table).
//
//   EnvResult r = ConfigFromEnvironment(AllOf(environ), "spf.mzi");
//   if (r.ok) { write r.config to a file, go on as with any mailzone.toml }
//
// Pure: opens nothing, looks at nothing but its arguments. Every value is checked here, so that messages name the
// variable; MAILZONE_... variables are none of these and are applied by LoadConfig() as always.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/config.h"

namespace mz::cli {

struct EnvMessage {
  enum Kind { kInfo, kWarning, kError } kind = kWarning;
  std::string text;   // "DELAY: 'x' is not a number of seconds"
  std::string hint;   // may be empty
};

struct EnvResult {
  bool ok = false;          // no message is an error
  std::string config;       // text of a mailzone.toml
  std::vector<EnvMessage> messages;
  bool demo = false;        // no domains were given: the fixed list
  std::string user;         // of OPTIONS -u: mailzoned runs as this user, and writes into the directory `run`
  bool per_domain = false;  // RUNNING_CONFIG_ON=0: `spf emit` writes one file per domain
};

// `image`: path for server.image, relative to the configuration's directory or absolute.
EnvResult ConfigFromEnvironment(const Environment& environment, std::string_view image);

// All variables, sorted by name.
Environment AllOf(char** environ_block);

// The zone of the solo container, for those who set none.
inline constexpr std::string_view kDefaultEnvZone = "_default.xpg8.tk";

}  // namespace mz::cli
