// mailzone dump: an image as text.
#include <ctime>

#include "cli/diagnostics.h"
#include "cli/exit_code.h"
#include "cli/image_file.h"
#include "cli/options.h"
#include "cli/verb.h"
#include "cli/version.h"
#include "format/image/dump.h"
#include "format/image/dump_bind.h"

namespace mz::cli {

int RunDumpVerb(const std::vector<std::string>& arguments, Terminal& terminal) {
  std::string image;
  std::optional<std::string> format;
  std::optional<uint64_t> now;
  Options options("dump", "Prints an image: as stable text for diff(1), or as master files like `rbldnsd -d`.",
                  "mailzone dump bl.mzi | less\n"
                  "mailzone dump --format=bind bl.mzi > bl.zone\n");
  options.Choice("--format", &format, {"text", "bind"}, "what to print (text)");
  options.Number("--now", &now, 0, 1ull << 40, "EPOCH", "time in the comment of --format=bind (now)");
  options.Positional("IMAGE", &image, "the image file", Options::kRequired);
  if (auto exit = options.Parse(arguments, terminal)) return *exit;
  StatusOr<ImageFile> file = OpenImageFile(image);
  if (!file.ok()) {
    Complain(terminal, Printable(Message(file.status())));
    return ExitCodeFor(file.status());
  }
  image::TextSink sink = [&](std::string_view text) { terminal.out << text; };
  if (format.value_or("text") == "text") {
    image::Dump(file->view, sink);
    return kExitOk;
  }
  std::time_t t = static_cast<std::time_t>(now.value_or(static_cast<uint64_t>(std::time(nullptr))));
  std::tm tm{};
  char text[64];
  if (::localtime_r(&t, &tm) == nullptr || std::strftime(text, sizeof text, "%a %b %e %H:%M:%S %Y", &tm) == 0) text[0] = '\0';
  image::DumpBind(file->view, {.now_text = text, .program = "mailzone " + std::string(kVersionText)}, sink);
  return kExitOk;
}

}  // namespace mz::cli
