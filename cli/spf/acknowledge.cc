// See acknowledge.h.
#include "cli/spf/acknowledge.h"

#include <unistd.h>

#include "base/file.h"
#include "cli/spf/change_record.h"
#include "compiler/spf/wire_names.h"

namespace mz::cli {
namespace {

std::string AckFile(const SpfConfig& config) { return config.state + ".ack"; }

}  // namespace

std::optional<resolve::Question> ParseQuestion(std::string_view text) {
  const size_t blank = text.find(' ');
  const std::string_view type = blank == std::string_view::npos ? "TXT" : text.substr(blank + 1);
  std::optional<std::string> name = compiler::spf::WireName(text.substr(0, blank));
  if (!name) return std::nullopt;
  resolve::Question q{std::move(*name), 0};
  q.type = type == "TXT" ? 16 : type == "A" ? 1 : type == "AAAA" ? 28 : type == "MX" ? 15 : 0;
  if (q.type == 0) return std::nullopt;
  return q;
}

Status Acknowledge(const SpfConfig& config, const std::vector<resolve::Question>& questions) {
  std::vector<std::string> lines;
  for (const resolve::Question& q : questions) lines.push_back(QuestionText(q));
  return AppendLines(AckFile(config), lines);
}

std::vector<resolve::Question> TakeAcknowledged(const SpfConfig& config) {
  std::vector<resolve::Question> out;
  // Renamed first, so that a line written meanwhile is not lost.
  const std::string taken = AckFile(config) + ".taken";
  if (::rename(AckFile(config).c_str(), taken.c_str()) != 0) return out;
  StatusOr<std::string> text = ReadFile(taken);
  ::unlink(taken.c_str());
  if (!text.ok()) return out;
  std::string_view rest = *text;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    if (std::optional<resolve::Question> q = ParseQuestion(rest.substr(0, end))) out.push_back(std::move(*q));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return out;
}

}  // namespace mz::cli
