// rbldnsd-exact: per domain an ip4trie and an ip6trie. The residual with the most prefixes is the default at /0, the
// others follow with their prefixes; the longest prefix wins, so the file is right by construction.
#include <algorithm>

#include "compiler/spf/emit.h"
#include "format/dns/name.h"

namespace mz::compiler::spf {
namespace {

// The last octet of 127.0.0.x. Published records with exists: take any A for a match, so a zone of that form lists the
// addresses that pass and nothing else; in the others A says what TXT says, for people who look.
int ValueOf(SpfOutcome outcome) {
  switch (outcome) {
    case SpfOutcome::kPass:
      return 2;
    case SpfOutcome::kFail:
      return 3;
    case SpfOutcome::kSoftfail:
      return 4;
    case SpfOutcome::kNeutral:
      return 5;
    case SpfOutcome::kPermerror:
    case SpfOutcome::kTemperror:
      return 6;
    case SpfOutcome::kDynamic:
      break;
  }
  return 7;
}

std::string ValueLine(const EmittedAnswer& answer) {
  return ":" + std::to_string(ValueOf(answer.outcome)) + ":" + RbldnsdText(answer.text) + "\n";
}

template <typename Prefix>
std::string Family(const std::string& domain, const char* type, const char* all, uint32_t ttl,
                   const std::vector<EmittedGroup<Prefix>>& groups) {
  std::string out = std::string("$DATASET ") + type + ":" + domain + " " + domain + "\n";
  out += "$TTL " + std::to_string(ttl) + "\n";
  const bool has_unlisted = std::any_of(groups.begin(), groups.end(), [](const auto& g) { return g.answer.unlisted; });
  const EmittedGroup<Prefix>* most = nullptr;
  for (const auto& group : groups)
    if (!has_unlisted && (most == nullptr || group.prefixes.size() > most->prefixes.size())) most = &group;
  if (most != nullptr) out += ValueLine(most->answer) + all + "\n";
  for (const auto& group : groups) {
    if (&group == most || group.answer.unlisted) continue;
    out += ValueLine(group.answer);
    for (const Prefix& p : group.prefixes) out += RbldnsdKey(p) + "\n";
  }
  return out;
}

// Name holes are written as the macro that says the same to the receiver: within the record that is served, <domain> is
// the name that was asked (RFC 7208 section 7.2).
constexpr std::string_view kQueryName = "%{d}";

}  // namespace

std::string RbldnsdText(const TextModel& text) {
  std::string out;
  size_t hole = 0;
  for (size_t i = 0; i <= text.literal.size(); i++) {
    for (; hole < text.holes.size() && (text.holes[hole] & ~unsigned{image::kHoleQueryName}) == i; hole++)
      out += text.holes[hole] & image::kHoleQueryName ? kQueryName : std::string_view("$");
    if (i == text.literal.size()) break;
    out += text.literal[i];
    if (text.literal[i] == '$') out += '$';
  }
  return out;
}

size_t RbldnsdTextBytes(const TextModel& text, bool is_v4) {
  const size_t address = is_v4 ? 15 : 39;
  size_t answered = text.literal.size();
  for (uint16_t hole : text.holes) answered += hole & image::kHoleQueryName ? kQueryName.size() : address;
  // The template has a bound as well; it is longer than the answer where dollars are doubled.
  return std::max(answered, RbldnsdText(text).size());
}

std::string RbldnsdKey(const Prefix4& p) {
  return net::ToString(p.address) + (p.length == 32 ? "" : "/" + std::to_string(p.length));
}

std::string RbldnsdKey(const Prefix6& p) {
  std::string text = net::ToString(p.address);
  if (text.starts_with(":")) text = "0" + text;  // a line that begins with a colon sets the default
  return text + (p.length == 128 ? "" : "/" + std::to_string(p.length));
}

std::string RbldnsdAuthority(const EmitZone& zone) {
  if (zone.ns.empty() || zone.hostmaster.empty()) return "";
  std::string mailbox = zone.hostmaster;
  if (const size_t at = mailbox.find('@'); at != std::string::npos) mailbox[at] = '.';
  if (mailbox.ends_with('.')) mailbox.pop_back();
  return "$NS 0 " + zone.ns + ".\n$SOA 0 " + zone.ns + ". " + mailbox + ". 0 10800 3600 604800 3600\n";
}

std::string RbldnsdHead(const EmitZone& zone, size_t domains) {
  return "#\n# mailzone: SPF policies for rbldnsd, zone type combined. Written by a program: changes here are lost.\n"
         "# Zone: " + dns::NameText(zone.settings->apex) + "; domains: " + std::to_string(domains) + "\n#\n" +
         RbldnsdAuthority(zone);
}

std::string RbldnsdExact(const EmitZone& zone, const EmittedDomain& domain) {
  const std::string name = dns::NameText(domain.setting->name);
  const uint32_t ttl = std::max(zone.settings->ttl_cap, zone.settings->ttl_floor);
  return Family(name, "ip4trie", "0.0.0.0/0", ttl, domain.v4) + Family(name, "ip6trie", "0::/0", ttl, domain.v6);
}

}  // namespace mz::compiler::spf
