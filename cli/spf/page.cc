// See page.h.
#include "cli/spf/page.h"

#include <nlohmann/json.hpp>

#include "cli/exit_code.h"
#include "compiler/spf/policy_diff.h"

namespace mz::cli {

namespace spf = compiler::spf;

std::string Tinted(const Terminal& terminal, Tint tint, std::string_view text) {
  if (!terminal.out_colour) return std::string(text);
  constexpr std::string_view kCodes[] = {"\033[32m", "\033[33m", "\033[31m", "\033[2m", "\033[1m"};
  return std::string(kCodes[static_cast<size_t>(tint)]) + std::string(text) + "\033[0m";
}

std::string PrefixesText(spf::Evaluator* evaluator, spf::SetId set4, spf::SetId set6, size_t limit) {
  if (set4 == spf::kAllAddresses && set6 == spf::kAllAddresses) return "all addresses";
  uint64_t total4 = 0, total6 = 0;
  std::vector<std::string> four = spf::PrefixTexts<spf::V4>(evaluator->sets4().Get(set4), limit, &total4);
  std::vector<std::string> six = spf::PrefixTexts<spf::V6>(evaluator->sets6().Get(set6), limit, &total6);
  if (set4 == spf::kAllAddresses) four = {"all IPv4 addresses"}, total4 = 1;
  if (set6 == spf::kAllAddresses) six = {"all IPv6 addresses"}, total6 = 1;
  // Both families show some.
  const size_t room6 = std::max(limit / 2, limit - std::min(limit, four.size()));
  if (six.size() > room6) six.resize(room6);
  if (four.size() > limit - six.size()) four.resize(limit - six.size());
  std::string out;
  for (const std::vector<std::string>* list : {&four, &six})
    for (const std::string& p : *list) out += (out.empty() ? "" : ", ") + p;
  const uint64_t hidden = total4 + total6 - four.size() - six.size();
  if (hidden > 0) out += " and " + Grouped(hidden) + " more";
  return out;
}

nlohmann::json PrefixesJson(spf::Evaluator* evaluator, spf::SetId set4, spf::SetId set6, size_t limit) {
  uint64_t total4 = 0, total6 = 0;
  std::vector<std::string> all = spf::PrefixTexts<spf::V4>(evaluator->sets4().Get(set4), limit, &total4);
  for (std::string& p : spf::PrefixTexts<spf::V6>(evaluator->sets6().Get(set6), limit, &total6)) all.push_back(std::move(p));
  return {{"prefixes", all}, {"count", total4 + total6}};
}

std::string Padded(std::string_view text, size_t width) {
  std::string out(text);
  size_t shown = 0;
  for (char c : text) shown += (static_cast<uint8_t>(c) & 0xc0) != 0x80;
  out.append((shown < width ? width - shown : 0) + 2, ' ');
  return out;
}

std::string Grouped(uint64_t n) {
  std::string out = std::to_string(n);
  for (size_t at = out.size(); at > 3; at -= 3) out.insert(at - 3, ",");
  return out;
}

void ReportFindings(const std::vector<spf::Finding>& findings, DiagnosticLog* log) {
  for (const spf::Finding& f : findings) {
    dataset::Diagnostic d = f.diagnostic;
    if (!f.section.empty()) d.message += " (" + std::string(f.section) + ")";
    log->Report(std::move(d));
  }
}

std::string JsonText(const nlohmann::json& document) {
  return document.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

int FailSpf(const Status& status, bool as_json, Terminal& terminal) {
  if (as_json)
    terminal.out << JsonText({{"ok", false}, {"errors", {std::string(Message(status))}}});
  else
    Complain(terminal, Printable(Message(status)));
  return status.code() == StatusCode::kInvalidArgument ? kExitUsage : ExitCodeFor(status);
}

}  // namespace mz::cli
