// See build_task.h.
#include "cli/rbldnsd/build_task.h"

#include <sys/stat.h>
#include <time.h>

#include <optional>

#include "base/file.h"
#include "cli/rbldnsd/log_lines.h"
#include "compiler/build/adopt.h"
#include "compiler/build/image_writer.h"
#include "format/image/verify.h"

namespace mz::cli {
namespace {

using compiler::Assembly;

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> out;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    out.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

// The image in service, mapped and verified.
class PreviousImage {
 public:
  explicit PreviousImage(const UniqueFd& fd) {
    struct stat st;
    if (!fd.valid() || ::fstat(fd.get(), &st) != 0) return;
    StatusOr<Mapping> mapping = Mapping::MapFd(fd.get(), static_cast<size_t>(st.st_size), "the image in service");
    if (!mapping.ok()) return;
    mapping_ = std::move(*mapping);
    StatusOr<image::View> view = image::Verify(mapping_.bytes(), image::VerifyLevel::kEverything, 2);
    if (view.ok()) adopter_.emplace(*view);
  }
  const compiler::Adopter* adopter() const { return adopter_ ? &*adopter_ : nullptr; }

 private:
  Mapping mapping_;
  std::optional<compiler::Adopter> adopter_;
};

void SendLines(const std::vector<LogLine>& lines, int socket) {
  for (const LogLine& line : lines) {
    BuildMessage m;
    m.kind = MessageKind::kLine;
    m.value = static_cast<uint32_t>(line.level);
    m.text = line.text;
    if (!SendMessage(socket, m).ok()) return;
  }
}

void SendResult(BuildVerdict verdict, std::string failing, std::string text, UniqueFd image, int socket) {
  BuildMessage m;
  m.kind = MessageKind::kResult;
  m.value = static_cast<uint32_t>(verdict);
  m.failing = std::move(failing);
  m.text = std::move(text);
  m.fd = std::move(image);
  // When the daemon is gone nobody needs the result.
  (void)SendMessage(socket, m);
}

}  // namespace

void RunBuild(const std::vector<compiler::ZoneSpec>& specs, const compiler::CompileOptions& base_options,
              bool quick_start, BuildMessage request, int socket) {
  compiler::CompileOptions options = base_options;
  options.now_unix = static_cast<int64_t>(::time(nullptr));
  options.provenance = false;  // nobody can look into this image, and it stays in memory as a whole
  options.failing_before = Lines(request.failing);
  const PreviousImage previous(request.fd);
  RbldnsdSink sink;
  StatusOr<Assembly> assembly = compiler::Assemble(specs, options, previous.adopter(), &sink);
  if (!assembly.ok())
    return SendResult(BuildVerdict::kRejected, "", std::string(Message(assembly.status())), UniqueFd(), socket);
  SendLines(AssemblyLines(*assembly, &sink, /*expired_zones=*/false), socket);

  std::string failing, text;
  for (const Assembly::Dataset& d : assembly->datasets) {
    if (d.state != Assembly::Dataset::kKept && d.state != Assembly::Dataset::kMissing) continue;
    failing += d.spec + "\n";
    text += (text.empty() ? "" : "; ") + d.spec + ": " + d.error;
  }
  // Only the first load has nothing to fall back on.
  if (!assembly->all_loaded && !quick_start && !previous.adopter())
    return SendResult(BuildVerdict::kIncomplete, failing, kLoadingErrors, UniqueFd(), socket);
  if (!assembly->changed && previous.adopter())
    return SendResult(BuildVerdict::kUnchanged, failing, text, UniqueFd(), socket);

  compiler::WriteOptions write_options;
  write_options.provenance = false;
  compiler::BuildResult result;
  StatusOr<UniqueFd> image = compiler::WriteImageMemfd(assembly->model, write_options, &result);
  if (!image.ok())
    return SendResult(BuildVerdict::kRejected, failing, std::string(Message(image.status())), UniqueFd(), socket);
  std::vector<LogLine> warnings;
  for (const compiler::BuildWarning& w : result.warnings)
    warnings.push_back({LogLevel::kWarning, "zone " + w.zone + ": " + w.message});
  SendLines(warnings, socket);
  SendResult(BuildVerdict::kChanged, failing, text, std::move(*image), socket);
}

}  // namespace mz::cli
