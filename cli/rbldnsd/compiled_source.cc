// See compiled_source.h.
#include "cli/rbldnsd/compiled_source.h"

#include <fcntl.h>

#include <set>

#include "cli/rbldnsd/build_task.h"
#include "server/swap/load.h"

namespace mz::cli {

Status CompiledSource::Start(const std::vector<std::string>& zones, bool quiet) {
  MZ_ASSIGN_OR_RETURN(specs_, compiler::ParseZoneSpecs(zones));
  std::set<std::string> names, files;
  for (const compiler::ZoneSpec& spec : specs_) {
    if (!spec.zone.empty()) names.insert(spec.zone);
    files.insert(spec.files.begin(), spec.files.end());
  }
  zone_count_ = static_cast<int>(names.size());
  files_.assign(files.begin(), files.end());
  for (const std::string& zone : zones) description_ += (description_.empty() ? "" : " ") + zone;
  return host_.Start(
      [specs = specs_, options = options_, quick_start = quick_start_](BuildMessage request, int socket) {
        RunBuild(specs, options, quick_start, std::move(request), socket);
      },
      quiet);
}

std::vector<CompiledSource::Stamp> CompiledSource::StampsNow() const {
  std::vector<Stamp> stamps;
  for (const std::string& file : files_) {
    struct stat st;
    Stamp s;
    if (::stat(file.c_str(), &st) == 0) s = {true, st.st_ino, st.st_size, st.st_mtim.tv_sec, st.st_mtim.tv_nsec};
    stamps.push_back(s);
  }
  return stamps;
}

control::LoadOutcome CompiledSource::Load(control::LoadReason, const swap::Generation* current, const Logger& log) {
  control::LoadOutcome out;
  // Before the build: what changes meanwhile is seen at the next check.
  std::vector<Stamp> stamps = StampsNow();
  if (current && !retry_ && stamps == stamps_) return out;

  BuildMessage request;
  request.kind = MessageKind::kBuild;
  request.failing = failing_;
  if (image_.valid()) request.fd.reset(::fcntl(image_.get(), F_DUPFD_CLOEXEC, 0));
  retry_ = true;
  StatusOr<BuildAnswer> answer = host_.Build(request, [&](LogLevel level, std::string_view line) { log.Log(level, line); });
  if (!answer.ok()) {
    out.problem = answer.status();
    if (out.problem.code() == StatusCode::kUnavailable)
      out.problem = Annotate(out.problem, "data files cannot be loaded any more, restart the daemon");
    return out;
  }
  stamps_ = std::move(stamps);
  TakeOver(std::move(*answer), &out);
  return out;
}

void CompiledSource::TakeOver(BuildAnswer answer, control::LoadOutcome* out) {
  out->cpu_seconds = answer.cpu_seconds;
  if (answer.verdict == BuildVerdict::kRejected || answer.verdict == BuildVerdict::kIncomplete) {
    out->reloaded = answer.verdict == BuildVerdict::kIncomplete;
    out->problem = MakeStatus(StatusCode::kInvalidArgument, answer.text);
    return;
  }
  out->reloaded = true;
  if (answer.verdict == BuildVerdict::kChanged) {
    UniqueFd keep(::fcntl(answer.image.get(), F_DUPFD_CLOEXEC, 0));
    swap::LoadOptions options;
    options.verify_threads = 2;
    StatusOr<std::unique_ptr<swap::Generation>> next = swap::LoadSealedMemfd(std::move(answer.image), options);
    if (!next.ok()) {
      out->problem = next.status();
      return;
    }
    out->next = std::move(*next);
    image_ = std::move(keep);
  }
  failing_ = answer.failing;
  retry_ = !failing_.empty();
  if (retry_) {
    // rbldnsd's lines about it have been logged.
    out->problem = MakeStatus(StatusCode::kInvalidArgument, answer.text);
    out->problem_logged = true;
  }
}

}  // namespace mz::cli
