// See dump.h.
#include "cli/rbldnsd/dump.h"

#include <time.h>

#include <cstdio>
#include <vector>

#include "cli/rbldnsd/build_task.h"
#include "cli/rbldnsd/log_lines.h"
#include "cli/version.h"
#include "compiler/build/image_writer.h"
#include "format/image/dump_bind.h"
#include "format/image/verify.h"
#include "server/control/privileges.h"

namespace mz::cli {
namespace {

Status Dump(const RbldnsdArguments& arguments, const Logger& log) {
  const control::DaemonOptions& d = arguments.daemon;
  MZ_RETURN_IF_ERROR(control::EnterDirectories(d.chroot_dir, d.work_dir));
  MZ_ASSIGN_OR_RETURN(std::vector<compiler::ZoneSpec> specs, compiler::ParseZoneSpecs(arguments.zones));
  compiler::CompileOptions options = arguments.compile;
  options.now_unix = static_cast<int64_t>(::time(nullptr));
  RbldnsdSink sink;
  MZ_ASSIGN_OR_RETURN(compiler::Assembly assembly, compiler::Assemble(specs, options, nullptr, &sink));
  for (const LogLine& line : AssemblyLines(assembly, &sink, /*expired_zones=*/true))
    if (line.level != LogLevel::kInfo) log.Log(line.level, line.text);
  if (!assembly.all_loaded) return MakeStatus(StatusCode::kInvalidArgument, kLoadingErrors);

  std::vector<uint8_t> bytes;
  MZ_ASSIGN_OR_RETURN(compiler::BuildResult result, compiler::WriteImage(assembly.model, {}, &bytes));
  for (const compiler::BuildWarning& w : result.warnings) log.Warning("zone " + w.zone + ": " + w.message);
  MZ_ASSIGN_OR_RETURN(image::View view, image::Verify(bytes, image::VerifyLevel::kEverything, 2));
  char now[64] = "";
  const time_t when = ::time(nullptr);
  struct tm t {};
  ::localtime_r(&when, &t);
  std::strftime(now, sizeof now, "%a %b %e %H:%M:%S %Y", &t);
  image::DumpBindOptions dump;
  dump.now_text = now;
  dump.program = std::string("rbldnsd version ") + kRbldnsdVersion + ", as mailzone " + std::string(kVersionText);
  bool written = true;
  image::DumpBind(view, dump, [&](std::string_view text) {
    written &= std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  });
  written &= std::fflush(stdout) == 0;
  if (!written) return ErrnoStatus(errno, "unable to write the dump");
  return absl::OkStatus();
}

}  // namespace

int RunRbldnsdDump(const RbldnsdArguments& arguments, const Logger& log) {
  Status s = Dump(arguments, log);
  if (s.ok()) return 0;
  log.Error(Message(s));
  return 1;
}

}  // namespace mz::cli
