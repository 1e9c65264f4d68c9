// json: the policies for other programs. In `record`, "$IP" is the client's address, "$NAME" the name that was asked,
// "$$" a dollar; null is SERVFAIL.
#include <nlohmann/json.hpp>

#include "compiler/spf/emit.h"
#include "format/dns/name.h"

namespace mz::compiler::spf {
namespace {

using nlohmann::ordered_json;

const char* Word(SpfOutcome outcome) {
  switch (outcome) {
    case SpfOutcome::kPass:
      return "pass";
    case SpfOutcome::kFail:
      return "fail";
    case SpfOutcome::kSoftfail:
      return "softfail";
    case SpfOutcome::kNeutral:
      return "neutral";
    case SpfOutcome::kPermerror:
      return "permerror";
    case SpfOutcome::kTemperror:
      return "temperror";
    case SpfOutcome::kDynamic:
      break;
  }
  return "dynamic";
}

const char* Word(Form form) {
  switch (form) {
    case Form::kInclude:
      return "include";
    case Form::kExists:
      return "exists";
    case Form::kClasses:
      return "classes";
    case Form::kRedirect:
      break;
  }
  return "redirect";
}

ordered_json Record(const TextModel& text) {
  if (text.literal.empty()) return nullptr;
  std::string out;
  size_t hole = 0;
  for (size_t i = 0; i <= text.literal.size(); i++) {
    for (; hole < text.holes.size() && (text.holes[hole] & ~unsigned{image::kHoleQueryName}) == i; hole++)
      out += text.holes[hole] & image::kHoleQueryName ? "$NAME" : "$IP";
    if (i == text.literal.size()) break;
    out += text.literal[i];
    if (text.literal[i] == '$') out += '$';
  }
  return out;
}

template <typename Prefix>
ordered_json Family(const std::vector<EmittedGroup<Prefix>>& groups) {
  ordered_json out = ordered_json::array();
  for (const auto& group : groups) {
    ordered_json prefixes = ordered_json::array();
    for (const Prefix& p : group.prefixes)
      prefixes.push_back(net::ToString(p.address) + "/" + std::to_string(p.length));
    out.push_back({{"result", Word(group.answer.outcome)},
                   {"record", Record(group.answer.text)},
                   {"prefixes", std::move(prefixes)}});
  }
  return out;
}

}  // namespace

std::string JsonHead(const EmitZone& zone) {
  const ordered_json layouts = zone.settings->layouts;
  std::string out = "{\n  \"zone\": " + ordered_json(dns::NameText(zone.settings->apex)).dump();
  out += ",\n  \"form\": \"" + std::string(Word(zone.settings->form)) + "\",\n  \"layouts\": " + layouts.dump();
  if (zone.created != 0) out += ",\n  \"created\": " + std::to_string(zone.created);
  return out + ",\n  \"domains\": [\n";
}

// One line per domain, so that the difference of two files reads well.
std::string JsonDomain(const EmitZone&, const EmittedDomain& domain) {
  const ordered_json out = {{"domain", dns::NameText(domain.setting->name)},
                            {"source", dns::NameText(domain.setting->owner)},
                            {"subdomains", domain.setting->subdomains},
                            {"complete", domain.complete},
                            {"has_record", domain.has_record},
                            {"v4", Family(domain.v4)},
                            {"v6", Family(domain.v6)}};
  return "    " + out.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace mz::compiler::spf
