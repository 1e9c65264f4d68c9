// rbldnsd-compat: the structure that expurgate writes, for those who compare files or have tools that read them. Per
// domain one text for addresses that pass and one for all others. Entries are sorted, and no record text is copied.
#include <ctime>

#include "compiler/spf/emit.h"
#include "format/dns/name.h"

namespace mz::compiler::spf {
namespace {

// Seven lines, as many as there always were.
constexpr std::string_view kBanner =
    "#\n"
    "#   +-----------------------------+\n"
    "#   |  m a i l z o n e            |\n"
    "#   |                             |\n"
    "#   |  source records in,         |\n"
    "#   |  one answer per address out |\n"
    "#   |                             |\n"
    "#   +-----------------------------+\n"
    "#\n"
    "#   Written by mailzone spf emit --format=rbldnsd-compat\n";

std::string LocalTime(uint32_t seconds) {
  const std::time_t t = seconds;
  std::tm tm{};
  char text[40] = "";
  if (::localtime_r(&t, &tm) != nullptr) std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S.000000", &tm);
  return text;
}

bool IsPlainPass(const EmittedAnswer& answer, std::string_view mechanism) {
  return answer.outcome == SpfOutcome::kPass && answer.text.holes.size() == 1 &&
         answer.text.literal == "v=spf1 " + std::string(mechanism) + " -all";
}

// ip4set answers every entry of the first of its four classes that hits. The defaults at /1 are in the class of /8 and
// shorter: an entry there would give two answers.
std::string KeyLines(const Prefix4& p) {
  if (p.length > 8) return RbldnsdKey(p) + "\n";
  std::string out;
  for (uint64_t at = p.address, end = at + (uint64_t{1} << (32 - p.length)); at < end; at += uint64_t{1} << 23)
    out += RbldnsdKey(Prefix4{static_cast<net::Ip4>(at), 9}) + "\n";
  return out;
}
std::string KeyLines(const Prefix6& p) { return RbldnsdKey(p) + "\n"; }

template <typename Prefix>
std::string Family(const std::vector<EmittedGroup<Prefix>>& groups, std::string_view mechanism, std::string_view all) {
  const EmittedGroup<Prefix>*pass = nullptr, *rest = nullptr;
  for (const auto& group : groups) (IsPlainPass(group.answer, mechanism) ? pass : rest) = &group;
  std::string out;
  const std::string others = RbldnsdText((rest != nullptr ? rest : pass)->answer.text);
  if (pass != nullptr && rest != nullptr) {
    // The action at the end is that of the domain; an address that is listed never gets there.
    std::string action = "-all";
    for (std::string_view a : {"~all", "?all"})
      if (others.ends_with(" " + std::string(a))) action = a;
    out += ":3:v=spf1 " + std::string(mechanism) + "$ " + action + "\n";
    for (const Prefix& p : pass->prefixes) out += KeyLines(p);
  }
  out += ":99:" + others + "\n";
  return out + std::string(all);
}

template <typename Prefix>
bool CanSay(const std::vector<EmittedGroup<Prefix>>& groups, std::string_view mechanism, std::string* why) {
  size_t pass = 0, rest = 0;
  for (const auto& group : groups) (IsPlainPass(group.answer, mechanism) ? pass : rest)++;
  if (rest <= 1) return true;
  *why = std::to_string(rest) + " different records besides the one for pass, for " +
         (mechanism == "ip4:" ? "IPv4" : "IPv6") + " clients";
  return false;
}

}  // namespace

bool CanSayCompat(const EmittedDomain& domain, std::string* why) {
  return CanSay(domain.v4, "ip4:", why) && CanSay(domain.v6, "ip6:", why);
}

std::string CompatHead(const EmitZone& zone, const std::vector<const DomainSetting*>& domains) {
  std::string out(kBanner);
  out += RbldnsdAuthority(zone);
  if (domains.size() == 1) return out;
  out += "# Running config for: " + std::to_string(domains.size()) + " domains\n# Source domains: ";
  for (size_t i = 0; i < domains.size(); i++) out += (i > 0 ? ", " : "") + dns::NameText(domains[i]->name);
  return out + "\n#\n#\n";
}

std::string RbldnsdCompat(const EmitZone& zone, const EmittedDomain& domain, const std::vector<std::string>& records,
                          size_t lookups) {
  const std::string name = dns::NameText(domain.setting->name);
  std::string out = "# Automatically generated rbldnsd config by mailzone for:" + name;
  if (zone.created != 0) out += " @ " + LocalTime(zone.created);
  out += "\n# Source of truth:  " + dns::NameText(domain.setting->owner) + "\n";
  for (const std::string& r : records) out += "# ^ " + r + "\n";
  size_t entries = 0;
  for (const auto& g : domain.v4)
    if (IsPlainPass(g.answer, "ip4:")) entries += g.prefixes.size();
  for (const auto& g : domain.v6)
    if (IsPlainPass(g.answer, "ip6:")) entries += g.prefixes.size();
  out += "# Depth:" + std::to_string(lookups) + "\n# IP & Subnet: " + std::to_string(entries) + "\n";
  out += "$DATASET ip4set:" + name + " " + name + "\n";
  out += Family(domain.v4, "ip4:",
                "0.0.0.0/1 # all other IPv4 addresses\n128.0.0.0/1 # all other IP IPv4 addresses\n");
  out += "$DATASET ip6trie:" + name + " " + name + "\n";
  return out + Family(domain.v6, "ip6:", "0:0:0:0:0:0:0:0/0 # all other IPv6 addresses\n");
}

}  // namespace mz::compiler::spf
