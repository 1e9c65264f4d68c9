// `--from-env`: the environment as a configuration file in a directory of its own, beside which image and state lie.
//
//   EnvConfig env;  env.Declare(&options);  options.Parse(...);
//   if (env.wanted()) { if (auto exit = env.Prepare(environ, terminal)) return *exit;  inputs = {env.path()}; }
//
// The object owns a temporary directory when no lasting one can be had: keep it while the configuration is in use.
#pragma once

#include <optional>
#include <string>

#include "cli/options.h"
#include "cli/spf/from_env.h"
#include "cli/terminal.h"

namespace mz::cli {

class EnvConfig {
 public:
  EnvConfig() = default;
  EnvConfig(const EnvConfig&) = delete;
  EnvConfig& operator=(const EnvConfig&) = delete;
  ~EnvConfig();

  void Declare(Options* options);
  bool wanted() const { return wanted_ || print_; }

  // Tells what is odd, and writes the file. Nothing: go on. Else the exit code: 0 after --print-config, 2 when a variable
  // is wrong, 3 or 4 when the directory cannot be used.
  std::optional<int> Prepare(char** environ_block, Terminal& terminal);

  const std::string& path() const { return path_; }       // of the configuration
  const EnvResult& result() const { return result_; }

 private:
  Status MakeDirectory(Terminal& terminal);
  // The directory that mailzoned may write to, when it runs as another user.
  Status MakeUsersDirectory() const;

  bool wanted_ = false, print_ = false;
  std::string directory_;
  std::string temporary_;  // to be removed
  std::string path_;
  EnvResult result_;
};

}  // namespace mz::cli
