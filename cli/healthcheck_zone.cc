// See healthcheck_zone.h.
#include "cli/healthcheck_zone.h"

#include <sys/stat.h>

#include <algorithm>

#include "base/file.h"
#include "compiler/healthcheck/dkim_key.h"
#include "compiler/healthcheck/registered.h"
#include "format/dns/name.h"

namespace mz::cli {
namespace {

constexpr uint32_t kDefaultTtl = 60;

Status Invalid(const ZoneConfig& zone, const std::string& text) {
  return MakeStatus(StatusCode::kInvalidArgument, "zone " + zone.name + ": " + text);
}

StatusOr<std::string> WireOf(const ZoneConfig& zone, const std::string& text) {
  StatusOr<std::string> wire = dns::ParseName(text);
  if (!wire.ok() || wire->empty()) return Invalid(zone, "'" + text + "' is not a domain name");
  dns::LowerName(&*wire);
  return wire;
}

// "mail.hc.example 192.0.2.25 2001:db8::25"
StatusOr<compiler::HealthcheckHost> HostOf(const ZoneConfig& zone, const std::string& text) {
  compiler::HealthcheckHost host;
  size_t at = 0;
  bool first = true;
  while (at < text.size()) {
    const size_t begin = text.find_first_not_of(" \t,", at);
    if (begin == std::string::npos) break;
    const size_t end = std::min(text.find_first_of(" \t,", begin), text.size());
    const std::string word = text.substr(begin, end - begin);
    at = end;
    if (first) {
      MZ_ASSIGN_OR_RETURN(host.name, WireOf(zone, word));
      first = false;
    } else if (const std::optional<net::Ip4> ip4 = net::ParseIp4(word)) {
      host.ip4.push_back(*ip4);
    } else if (const std::optional<net::Ip6> ip6 = net::ParseIp6(word)) {
      host.ip6.push_back(*ip6);
    } else {
      return Invalid(zone, "'" + word + "' is not an address; a host is written \"mail.hc.example 192.0.2.25 2001:db8::25\"");
    }
  }
  if (first) return Invalid(zone, "a host without name; it is written \"mail.hc.example 192.0.2.25\"");
  return host;
}

// mailto: in front of a bare address. Values go into records as they are.
StatusOr<std::string> ReportUri(const ZoneConfig& zone, const char* key, const std::string& text) {
  if (text.empty()) return text;
  for (const char c : text)
    if (c <= ' ' || c > '~' || c == ';' || c == ',' || c == '!')
      return Invalid(zone, std::string(key) + ": '" + text + "' is not an address for reports, as \"reports@example.org\"");
  if (text.starts_with("mailto:") || text.starts_with("https://")) return text;
  if (text.find('@') == std::string::npos)
    return Invalid(zone, std::string(key) + ": '" + text + "' is not an address for reports, as \"reports@example.org\"");
  return "mailto:" + text;
}

// "3 1 1 0123...": usage, selector, matching type, data (RFC 6698 section 2.2).
StatusOr<std::string> TlsaRdata(const ZoneConfig& zone, const std::string& text) {
  std::string out, digits;
  unsigned a, b, c;
  int used = 0;
  if (std::sscanf(text.c_str(), "%3u %3u %3u %n", &a, &b, &c, &used) == 3 && a <= 255 && b <= 255 && c <= 255) {
    out = {static_cast<char>(a), static_cast<char>(b), static_cast<char>(c)};
    digits = text.substr(static_cast<size_t>(used));
  }
  auto value = [](char d) {
    return d >= '0' && d <= '9' ? d - '0' : d >= 'a' && d <= 'f' ? d - 'a' + 10 : d >= 'A' && d <= 'F' ? d - 'A' + 10 : -1;
  };
  bool ok = !digits.empty() && digits.size() % 2 == 0 && digits.size() <= 1024;
  for (size_t i = 0; ok && i < digits.size(); i += 2) {
    ok = value(digits[i]) >= 0 && value(digits[i + 1]) >= 0;
    if (ok) out += static_cast<char>(value(digits[i]) << 4 | value(digits[i + 1]));
  }
  if (!ok) return Invalid(zone, "tlsa: '" + text + "' is not a TLSA record, as \"3 1 1 SHA-256-IN-HEX\"");
  return out;
}

Status LoadKeys(const ZoneConfig& zone, healthcheck::IdKeys* keys) {
  for (size_t k = 0; k < zone.key_files.size(); k++) {
    StatusOr<std::string> text = ReadFile(zone.key_files[k]);
    if (!text.ok())
      return Annotate(text.status(), "zone " + zone.name + " (`mailzone healthcheck keygen` makes a key)");
    const std::optional<std::array<uint8_t, 32>> key = healthcheck::ParseKeyText(*text);
    if (!key)
      return Invalid(zone, zone.key_files[k] +
                               " is not a key of IDs: 64 hexadecimal digits (`mailzone healthcheck keygen` makes one)");
    keys->key[k] = healthcheck::DeriveKey(*key);
  }
  if (zone.key_files.size() == 2 && keys->key[0].mac == keys->key[1].mac)
    return Invalid(zone, "both key files have the same key");
  keys->opaque_ids = zone.opaque_ids.value_or(false);
  return absl::OkStatus();
}

// The .pub beside the .pem is enough, so that private keys need not lie on every host.
std::string DkimFile(const ZoneConfig& zone, healthcheck::DkimKey key) {
  const std::string stem = zone.dkim_keys + "/" + std::string(healthcheck::DkimKeyWord(key));
  struct stat st;
  return ::stat((stem + ".pub").c_str(), &st) == 0 ? stem + ".pub" : stem + ".pem";
}

Status LoadDkimKeys(const ZoneConfig& zone, compiler::HealthcheckOptions* out) {
  for (int k = 0; k < healthcheck::kDkimKeyCount; k++) {
    const auto key = static_cast<healthcheck::DkimKey>(k);
    const std::string file = DkimFile(zone, key);
    StatusOr<std::string> pem = ReadFile(file);
    if (!pem.ok())
      return Annotate(pem.status(), "zone " + zone.name + " (`mailzone healthcheck keygen` makes all DKIM keys)");
    StatusOr<std::string> p = compiler::DkimPublicKey(*pem, key);
    if (!p.ok()) return Invalid(zone, file + ": " + std::string(Message(p.status())));
    out->dkim_keys[static_cast<size_t>(k)] = std::move(*p);
  }
  return absl::OkStatus();
}

int64_t NewestTime(const std::vector<std::string>& files) {
  int64_t newest = 0;
  for (const std::string& file : files) {
    struct stat st;
    if (::stat(file.c_str(), &st) == 0) newest = std::max<int64_t>(newest, st.st_mtim.tv_sec);
  }
  return newest;
}

}  // namespace

std::vector<std::string> HealthcheckFiles(const ZoneConfig& zone) {
  std::vector<std::string> out = zone.key_files;
  if (!zone.dkim_keys.empty())
    for (int k = 0; k < healthcheck::kDkimKeyCount; k++)
      out.push_back(DkimFile(zone, static_cast<healthcheck::DkimKey>(k)));
  if (!zone.registered.empty()) out.push_back(zone.registered);
  return out;
}

StatusOr<compiler::HealthcheckOptions> LoadHealthcheckZone(const ZoneConfig& zone, dataset::DiagnosticSink* sink) {
  compiler::HealthcheckOptions out;
  MZ_ASSIGN_OR_RETURN(out.apex, WireOf(zone, zone.name));
  MZ_RETURN_IF_ERROR(LoadKeys(zone, &out.keys));
  MZ_RETURN_IF_ERROR(LoadDkimKeys(zone, &out));
  if (zone.expiry) out.expiry_minutes = static_cast<uint32_t>(std::max<uint64_t>(1, *zone.expiry / 60));
  out.ttl = static_cast<uint32_t>(zone.ttl.value_or(kDefaultTtl));
  for (const std::string& text : zone.mail_hosts) {
    MZ_ASSIGN_OR_RETURN(compiler::HealthcheckHost host, HostOf(zone, text));
    out.mail_hosts.push_back(std::move(host));
  }
  for (const std::string& text : zone.hosts) {
    MZ_ASSIGN_OR_RETURN(compiler::HealthcheckHost host, HostOf(zone, text));
    if (!dns::EndsWith(host.name, out.apex)) return Invalid(zone, "hosts: '" + text + "' is not in the zone");
    out.hosts.push_back(std::move(host));
  }
  if (!zone.selector.empty()) {
    for (const char c : zone.selector)
      if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
        return Invalid(zone, "selector: '" + zone.selector + "' is not one label of small letters, digits and '-'");
    if (zone.selector.size() > 60) return Invalid(zone, "selector: more than 60 octets");
    out.selector = zone.selector;
  }
  MZ_ASSIGN_OR_RETURN(out.dmarc_rua, ReportUri(zone, "dmarc_rua", zone.dmarc_rua));
  MZ_ASSIGN_OR_RETURN(out.dmarc_ruf, ReportUri(zone, "dmarc_ruf", zone.dmarc_ruf));
  MZ_ASSIGN_OR_RETURN(out.tls_rua, ReportUri(zone, "tls_rua", zone.tls_rua));
  if (!zone.bimi_logo.empty()) {
    MZ_ASSIGN_OR_RETURN(out.bimi_logo, ReportUri(zone, "bimi_logo", zone.bimi_logo));
    if (!out.bimi_logo.starts_with("https://")) return Invalid(zone, "bimi_logo: an https:// address is needed");
  }
  if (!zone.tlsa.empty()) {
    MZ_ASSIGN_OR_RETURN(out.tlsa, TlsaRdata(zone, zone.tlsa));
  }
  if (!zone.registered.empty()) {
    MZ_ASSIGN_OR_RETURN(out.registered, compiler::ReadRegistered(zone.registered, sink));
  }
  return out;
}

Status AddHealthcheckZones(const Config& config, compiler::ImageModel* model, dataset::DiagnosticSink* sink,
                           uint64_t* entries) {
  for (const ZoneConfig& zone : config.zones) {
    if (zone.type != "healthcheck") continue;
    MZ_ASSIGN_OR_RETURN(compiler::HealthcheckOptions options, LoadHealthcheckZone(zone, sink));
    StatusOr<compiler::HealthcheckModel> built = compiler::CompileHealthcheck(options);
    if (!built.ok()) return Annotate(built.status(), "zone " + zone.name);
    std::vector<std::string> files = HealthcheckFiles(zone);
    files.push_back(config.path);
    auto dataset = std::make_unique<compiler::DatasetModel>();
    dataset->kind = image::kHealthcheck;
    dataset->spec = "healthcheck:" + dns::NameText(options.apex);
    dataset->ttl = options.ttl;
    dataset->newest_mtime = NewestTime(files);
    dataset->entries = built->answers.size() + built->registered.size();
    dataset->healthcheck = std::make_shared<const compiler::HealthcheckModel>(std::move(*built));
    std::unique_ptr<compiler::DatasetModel> names = compiler::HelperNames(options);
    names->newest_mtime = dataset->newest_mtime;
    *entries += dataset->entries + names->entries;
    compiler::ZoneModel z;
    z.apex = options.apex;
    z.text = dns::NameText(options.apex);
    z.datasets = {static_cast<uint32_t>(model->datasets.size()), static_cast<uint32_t>(model->datasets.size() + 1)};
    model->datasets.push_back(std::move(dataset));
    model->datasets.push_back(std::move(names));
    // Every zone stands before its ancestors.
    auto place = std::find_if(model->zones.begin(), model->zones.end(),
                              [&](const compiler::ZoneModel& o) { return dns::EndsWith(z.apex, o.apex); });
    model->zones.insert(place, std::move(z));
  }
  return absl::OkStatus();
}

}  // namespace mz::cli
