// See page.h.
#include "cli/spf/page.h"

#include <nlohmann/json.hpp>

#include "cli/exit_code.h"
#include "compiler/spf/policy_diff.h"

namespace mz::cli {

namespace spf = compiler::spf;

std::string Tinted(const Terminal& terminal, Tint tint, std::string_view text) {
  if (!terminal.out_colour || text.empty()) return std::string(text);
  constexpr std::string_view kCodes[] = {"\033[32m", "\033[33m", "\033[31m", "\033[2m", "\033[1m"};
  return std::string(kCodes[static_cast<size_t>(tint)]) + std::string(text) + "\033[0m";
}

namespace {

struct Listing {
  std::vector<std::string> prefixes;
  uint64_t total = 0;
};

template <typename F>
bool HoldsMost(const spf::SetPool<F>& sets, spf::SetId id) {
  // In units of the top 32 bits, which is enough to tell most from few.
  double held = 0;
  for (const typename F::Range& r : sets.Get(id)) {
    if constexpr (F::kIsV4)
      held += static_cast<double>(r.last) - static_cast<double>(r.first);
    else
      held += static_cast<double>(r.last.high >> 32) - static_cast<double>(r.first.high >> 32);
  }
  return held > 2147483648.0;
}

template <typename F>
Listing List(const spf::SetPool<F>& sets, spf::SetId id, size_t limit) {
  Listing out;
  out.prefixes = spf::PrefixTexts<F>(sets.Get(id), limit, &out.total);
  return out;
}

std::string Joined(Listing four, Listing six, size_t limit) {
  // Both families show some.
  const size_t room6 = std::max(limit / 2, limit - std::min(limit, four.prefixes.size()));
  if (six.prefixes.size() > room6) six.prefixes.resize(room6);
  if (four.prefixes.size() > limit - six.prefixes.size()) four.prefixes.resize(limit - six.prefixes.size());
  std::string out;
  for (const Listing* list : {&four, &six})
    for (const std::string& p : list->prefixes) out += (out.empty() ? "" : ", ") + p;
  const uint64_t hidden = four.total + six.total - four.prefixes.size() - six.prefixes.size();
  if (hidden > 0) out += " and " + Grouped(hidden) + " more";
  return out;
}

template <typename F>
std::string OneFamily(spf::SetPool<F>* sets, spf::SetId id, size_t limit) {
  const std::string all = F::kIsV4 ? "all of IPv4" : "all of IPv6";
  if (id == spf::kAllAddresses) return all;
  const bool most = HoldsMost<F>(*sets, id);
  const std::string list = Joined(List<F>(*sets, most ? sets->Complement(id) : id, limit), {}, limit);
  return most ? all + " but " + list : list;
}

}  // namespace

std::string PrefixesText(spf::Evaluator* e, spf::SetId set4, spf::SetId set6, size_t limit) {
  if (set4 == spf::kAllAddresses && set6 == spf::kAllAddresses) return "all addresses";
  const bool most4 = HoldsMost<spf::V4>(e->sets4(), set4), most6 = HoldsMost<spf::V6>(e->sets6(), set6);
  if (!most4 && !most6) return Joined(List<spf::V4>(e->sets4(), set4, limit), List<spf::V6>(e->sets6(), set6, limit), limit);
  if (most4 && most6)
    return "all but " + Joined(List<spf::V4>(e->sets4(), e->sets4().Complement(set4), limit),
                               List<spf::V6>(e->sets6(), e->sets6().Complement(set6), limit), limit);
  const std::string four = OneFamily<spf::V4>(&e->sets4(), set4, limit), six = OneFamily<spf::V6>(&e->sets6(), set6, limit);
  return four + (four.empty() || six.empty() ? "" : "; ") + six;
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
