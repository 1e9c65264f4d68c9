// mailzone healthcheck keygen: the keys of a zone, in one directory.
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/suggest.h"
#include "cli/exit_code.h"
#include "cli/healthcheck/key_files.h"
#include "cli/healthcheck/verbs.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/spf/page.h"

namespace mz::cli {

using healthcheck::DkimKey;

namespace {

using nlohmann::json;

constexpr std::string_view kIdKey = "id";

struct Wanted {
  std::string word;  // "id", or that of a DKIM key
  std::string path;
  std::optional<DkimKey> dkim;
};

// Errors: InvalidArgument.
StatusOr<std::vector<Wanted>> WantedKeys(const std::string& directory, const std::vector<std::string>& only,
                                         const std::string& id_file) {
  std::vector<Wanted> all = {{std::string(kIdKey), directory + "/" + id_file, {}}};
  std::vector<std::string_view> names = {kIdKey};
  for (int k = 0; k < healthcheck::kDkimKeyCount; ++k) {
    const auto key = static_cast<DkimKey>(k);
    names.push_back(DkimKeyWord(key));
    all.push_back({std::string(names.back()), DkimKeyPath(directory, key, ".pem"), key});
  }
  if (only.empty()) return all;
  std::vector<Wanted> some;
  for (const std::string& word : only) {
    const auto found = std::find_if(all.begin(), all.end(), [&](const Wanted& w) { return w.word == word; });
    if (found == all.end()) {
      const std::string nearest = Nearest(word, names);
      return MakeStatus(StatusCode::kInvalidArgument,
                        "--only: there is no key '" + Printable(word) + "'" +
                            (nearest.empty() ? "" : "; did you mean '" + nearest + "'?"));
    }
    some.push_back(*found);
  }
  return some;
}

Status Make(const std::string& directory, const Wanted& wanted) {
  return wanted.dkim ? WriteDkimKey(directory, *wanted.dkim) : WriteIdKey(wanted.path);
}

int Fail(const Status& status, Terminal& terminal) {
  Complain(terminal, Printable(Message(status)));
  // A file in the way is the caller's to decide about.
  return status.code() == StatusCode::kFailedPrecondition ? kExitUsage : ExitCodeFor(status);
}

}  // namespace

int RunHealthcheckKeygen(const std::vector<std::string>& arguments, Terminal& terminal) {
  std::string directory, id_file = "id.key";
  std::vector<std::string> only;
  bool as_json = false;
  Options options(
      "healthcheck keygen",
      "Makes the keys of a healthcheck zone: 32 random octets that sign the IDs, and DKIM keys, of which some are "
      "weak on purpose. Never overwrites a file. To change the ID key: make another with --only id --id-file "
      "id2.key, add "
      "it to key_files on all servers, then set signing_key = 1; later keys take the two places in turn, each "
      "when the last ID of the one before has expired.",
      "mailzone healthcheck keygen /etc/mailzone/healthcheck\n"
      "mailzone healthcheck keygen /etc/mailzone/healthcheck --only id --id-file id2.key\n");
  options.Texts(
      "--only", &only, "KEY",
      "only this one: id, rsa2048, rsa4096, rsa1024, rsa768, rsa512, ed25519, other; may be given several times");
  options.Text("--id-file", &id_file, "NAME", "file name of the ID key (id.key)");
  options.Flag("--json", &as_json, "one JSON document on standard output");
  options.Positional("DIR", &directory, "the directory; made with mode 0700 when it is not there",
                     Options::kRequired);
  if (auto exit = options.Parse(arguments, terminal)) return *exit;
  if (id_file.empty() || id_file.find('/') != id_file.npos || id_file[0] == '.')
    return options.UsageError(terminal, "--id-file: a file name without '/'");
  while (directory.size() > 1 && directory.ends_with('/')) directory.pop_back();
  StatusOr<std::vector<Wanted>> wanted = WantedKeys(directory, only, id_file);
  if (!wanted.ok()) return options.UsageError(terminal, Message(wanted.status()));

  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)
    return Fail(ErrnoStatus(errno, directory), terminal);
  std::error_code ignored;
  for (const Wanted& w : *wanted)  // all or nothing
    if (std::filesystem::exists(w.path, ignored))
      return Fail(
          MakeStatus(StatusCode::kFailedPrecondition, w.path + " is there already; keys are never overwritten. "
                                                               "Remove it, or make the missing ones with --only"),
          terminal);
  Progress progress(terminal);
  json made = json::array();
  for (const Wanted& w : *wanted) {
    progress.Show(w.word, made.size(), wanted->size());
    Status status = Make(directory, w);
    progress.Clear();
    if (!status.ok()) return Fail(status, terminal);
    made.push_back({{"key", w.word}, {"file", w.path}});
  }
  if (as_json) {
    terminal.out << JsonText({{"directory", directory}, {"made", made}});
    return kExitOk;
  }
  const std::string place = std::filesystem::absolute(directory, ignored).lexically_normal().string();
  for (const json& m : made) terminal.out << "made " << Printable(m["file"].get<std::string>()) << "\n";
  terminal.out << "\nIn the configuration, under [[zone]] with type = \"healthcheck\":\n\n"
               << "  key_files = [\"" << Printable(place + "/" + id_file) << "\"]\n"
               << "  dkim_keys = \"" << Printable(place) << "\"\n";
  return kExitOk;
}

}  // namespace mz::cli
