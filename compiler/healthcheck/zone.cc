// See zone.h.
#include "compiler/healthcheck/zone.h"

#include <algorithm>

#include "compiler/healthcheck/answers.h"
#include "format/dns/name.h"

namespace mz::compiler {

namespace {

// In wire form. An ID's name with the longest name below it must be a domain name: 32 nibbles, "e" and the ID.
constexpr size_t kMaxApexBytes = 255 - 33 - 2 - 64 - 1;

std::string Octets(net::Ip4 ip) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(ip >> shift);
  return out;
}
std::string Octets(const net::Ip6& ip) {
  std::string out;
  for (const uint64_t half : {ip.high, ip.low})
    for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(half >> shift);
  return out;
}

void AddHost(const HealthcheckHost& host, uint32_t ttl, std::vector<HealthcheckRecord>* out) {
  auto add = [&](uint16_t type, std::string rdata) {
    HealthcheckRecord r{type, ttl, std::move(rdata)};
    if (std::find(out->begin(), out->end(), r) == out->end()) out->push_back(std::move(r));
  };
  for (const net::Ip4 ip : host.ip4) add(kHcTypeA, Octets(ip));
  for (const net::Ip6& ip : host.ip6) add(kHcTypeAaaa, Octets(ip));
}

Status Check(const HealthcheckOptions& o) {
  auto invalid = [](std::string text) { return MakeStatus(StatusCode::kInvalidArgument, std::move(text)); };
  if (o.apex.empty() || o.apex.size() > kMaxApexBytes)
    return invalid("the name of a healthcheck zone has at most " + std::to_string(kMaxApexBytes - 1) + " characters");
  for (size_t i = 0; i < o.apex.size(); i += 1u + static_cast<uint8_t>(o.apex[i]))
    for (size_t k = 1; k <= static_cast<uint8_t>(o.apex[i]); k++) {
      const char c = o.apex[i + k];
      if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'))
        return invalid("the name of a healthcheck zone has letters, digits, '-' and '_' only: it is written into records");
    }
  const bool has_address = std::any_of(o.mail_hosts.begin(), o.mail_hosts.end(), [](const HealthcheckHost& h) {
    return !h.ip4.empty() || !h.ip6.empty();
  });
  if (!has_address) return invalid("no mail host with an address");
  if (!o.keys.key[0].present && !o.keys.key[1].present && o.registered.empty())
    return invalid("neither a key nor registered IDs");
  for (int k = 0; k < healthcheck::kDkimKeyCount; k++)
    if (o.dkim_keys[static_cast<size_t>(k)].empty())
      return invalid("no DKIM key '" + std::string(healthcheck::DkimKeyWord(static_cast<healthcheck::DkimKey>(k))) + "'");
  return absl::OkStatus();
}

}  // namespace

std::vector<HealthcheckRecord> HealthcheckContext::Addresses() const {
  std::vector<HealthcheckRecord> out;
  for (const HealthcheckHost& host : options.mail_hosts) AddHost(host, options.ttl, &out);
  std::stable_sort(out.begin(), out.end(),
                   [](const HealthcheckRecord& a, const HealthcheckRecord& b) { return a.type < b.type; });
  return out;
}

std::string HealthcheckContext::IpMechanisms() const {
  std::string out;
  for (const HealthcheckHost& host : options.mail_hosts) {
    for (const net::Ip4 ip : host.ip4) out += (out.empty() ? "ip4:" : " ip4:") + net::ToString(ip);
    for (const net::Ip6& ip : host.ip6) out += (out.empty() ? "ip6:" : " ip6:") + net::ToString(ip);
  }
  return out;
}

std::string ZoneText(const HealthcheckOptions& options) { return dns::NameText(options.apex); }

StatusOr<HealthcheckModel> CompileHealthcheck(const HealthcheckOptions& options) {
  MZ_RETURN_IF_ERROR(Check(options));
  HealthcheckModelBuilder builder;
  HealthcheckContext c{options, Template(ZoneText(options), options.apex), &builder};
  AddSpfAnswers(c);  // first: an alias at the ID's name hides what the name has besides
  AddMxAnswers(c);
  AddDkimAnswers(c);
  AddDmarcAnswers(c);
  AddInboundAnswers(c);
  AddBimiAnswers(c);
  AddFaults(c);
  HealthcheckModel model = std::move(builder.model());
  model.keys = options.keys;
  model.expiry_minutes = options.expiry_minutes;
  model.registered = options.registered;
  return model;
}

std::unique_ptr<DatasetModel> HelperNames(const HealthcheckOptions& options) {
  auto d = std::make_unique<DatasetModel>();
  d->kind = image::kGeneric;
  d->spec = "healthcheck-names:" + ZoneText(options);
  d->ttl = options.ttl;
  HealthcheckModelBuilder unused;
  const HealthcheckContext c{options, Template(ZoneText(options), options.apex), &unused};
  std::vector<std::pair<std::string, std::vector<HealthcheckRecord>>> names;
  auto at = [&](const std::string& name) -> std::vector<HealthcheckRecord>& {
    for (auto& [known, records] : names)
      if (known == name) return records;
    names.emplace_back(name, std::vector<HealthcheckRecord>());
    return names.back().second;
  };
  auto is_below = [&](const std::string& name) {
    return name.size() > options.apex.size() && dns::EndsWith(name, options.apex);
  };
  for (const auto* hosts : {&options.mail_hosts, &options.hosts})
    for (const HealthcheckHost& host : *hosts)
      if (is_below(host.name)) AddHost(host, options.ttl, &at(host.name.substr(0, host.name.size() - options.apex.size())));
  std::vector<HealthcheckRecord>& apex = at("");
  for (const HealthcheckHost& host : options.mail_hosts)
    apex.push_back({kHcTypeMx, options.ttl, std::string("\0\12", 2) + host.name + '\0'});
  apex.push_back(c.Txt("v=spf1 " + c.IpMechanisms() + " -all"));
  // The organizational domain of all IDs may be this zone: its policy must do nothing (RFC 7489 section 6.6.3).
  at(SubName("_dmarc")).push_back(
      c.Txt("v=DMARC1; p=none" + (options.dmarc_rua.empty() ? std::string() : "; rua=" + options.dmarc_rua)));
  at(SubName(options.selector + "._domainkey"))
      .push_back(c.Txt("v=DKIM1; k=rsa; p=" + options.dkim_keys[static_cast<size_t>(healthcheck::DkimKey::kRsa2048)]));
  for (auto& [name, records] : names) {
    std::stable_sort(records.begin(), records.end(),
                     [](const HealthcheckRecord& a, const HealthcheckRecord& b) { return a.type < b.type; });
    GenericName g{.name = d->names.Add(name), .records = {}};
    for (HealthcheckRecord& r : records)
      g.records.push_back({.type = r.type, .ttl = r.ttl, .rdata = std::move(r.rdata), .line = 0});
    d->generic.push_back(std::move(g));
  }
  d->entries = d->generic.size();
  return d;
}

}  // namespace mz::compiler
