// Text data files as the source of a daemon's images: looks whether a file has changed, has the compiler process build,
// and takes the image over.
//
// A change is a different size, modification time (with nanoseconds) or inode of any file, or a file that cannot be looked
// at. When nothing changed a check is silent. A dataset that does not load keeps its last good data and is tried again at
// every check.
#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>
#include <vector>

#include "cli/rbldnsd/compiler_host.h"
#include "compiler/dataset/compile.h"
#include "server/control/image_source.h"

namespace mz::cli {

class CompiledSource final : public control::ImageSource {
 public:
  CompiledSource(compiler::CompileOptions options, bool quick_start)
      : options_(std::move(options)), quick_start_(quick_start) {}

  // Parses the specifications and starts the compiler process. Call it when privileges are dropped and no thread exists.
  // Errors: InvalidArgument with rbldnsd's text.
  Status Start(const std::vector<std::string>& zones, bool quiet);

  control::LoadOutcome Load(control::LoadReason reason, const swap::Generation* current, const Logger& log) override;
  void Cancel() override { host_.Cancel(); }
  std::string description() const override { return description_; }
  int zones_configured() const override { return zone_count_; }
  const CompilerHost& host() const { return host_; }

 private:
  struct Stamp {
    bool there = false;
    ino_t inode = 0;
    off_t size = 0;
    int64_t seconds = 0, nanoseconds = 0;
    bool operator==(const Stamp&) const = default;
  };
  std::vector<Stamp> StampsNow() const;
  void TakeOver(BuildAnswer answer, control::LoadOutcome* out);

  const compiler::CompileOptions options_;
  const bool quick_start_;
  std::vector<compiler::ZoneSpec> specs_;
  std::vector<std::string> files_;
  std::string description_;
  int zone_count_ = -1;
  CompilerHost host_;

  std::vector<Stamp> stamps_;   // of files_, from before the last build that gave a verdict
  bool retry_ = true;           // the last build failed, or some dataset did
  std::string failing_;         // specs of the last build
  UniqueFd image_;              // the last one taken over: the next build starts from it
};

}  // namespace mz::cli
