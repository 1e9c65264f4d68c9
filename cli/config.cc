// The sections and keys of the configuration, and the rules across them. See config.h.
#include "cli/config.h"

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "base/file.h"
#include "base/suggest.h"
#include "cli/config_value.h"

namespace mz::cli {
namespace {

template <typename Section>
struct Key {
  std::string_view name;
  Kind kind;
  std::variant<std::string Section::*, std::optional<uint64_t> Section::*, std::optional<bool> Section::*,
               std::vector<std::string> Section::*>
      field;
  uint64_t low = 0, high = 0xffffffff;  // kNumber, kTime
  std::string_view choices = {};        // kChoice: "a|b"
};

const std::vector<Key<ServerConfig>> kServerKeys = {
    {"listen", kListens, &ServerConfig::listen},
    {"image", kPath, &ServerConfig::image},
    {"acl", kPaths, &ServerConfig::acl},
    {"workers", kNumber, &ServerConfig::workers, 1, 1024},
    {"pin_workers", kBool, &ServerConfig::pin_workers},
    {"io", kChoice, &ServerConfig::io, 0, 0, "auto|uring|epoll"},
    {"user", kText, &ServerConfig::user},
    {"max_udp", kNumber, &ServerConfig::max_udp, 512, 4096},
    {"check_interval", kTime, &ServerConfig::check_interval, 0, 31536000},
    {"query_log", kLogPath, &ServerConfig::query_log},
    {"stats_file", kLogPath, &ServerConfig::stats_file},
    {"stats_page", kPath, &ServerConfig::stats_page},
    {"pid_file", kPath, &ServerConfig::pid_file},
    {"version_text", kText, &ServerConfig::version_text},
    {"server_id", kText, &ServerConfig::server_id},
    {"tcp", kBool, &ServerConfig::tcp},
    {"tcp_connections", kNumber, &ServerConfig::tcp_connections, 1, 1000000},
    {"tcp_idle_timeout", kTime, &ServerConfig::tcp_idle_timeout, 1, 86400},
    {"tcp_message_timeout", kTime, &ServerConfig::tcp_message_timeout, 1, 86400},
    {"tcp_memory_mib", kNumber, &ServerConfig::tcp_memory_mib, 1, 1 << 20},
};
const std::vector<Key<BuildConfig>> kBuildKeys = {
    {"ttl", kTtl, &BuildConfig::ttl},
    {"mask_host_bits", kBool, &BuildConfig::mask_host_bits},
    {"gzip", kBool, &BuildConfig::gzip},
    {"ent", kChoice, &BuildConfig::ent, 0, 0, "nodata|nxdomain"},
    {"minimal", kBool, &BuildConfig::minimal},
    {"profile", kChoice, &BuildConfig::profile, 0, 0, "rfc|rbldnsd"},
    {"any", kChoice, &BuildConfig::any, 0, 0, "all|one"},
    {"provenance", kBool, &BuildConfig::provenance},
    {"seed", kNumber, &BuildConfig::seed, 0, ~0ull},
    {"created", kNumber, &BuildConfig::created, 0, ~0ull},
};
const std::vector<Key<WatchConfig>> kWatchKeys = {
    {"poll_seconds", kTime, &WatchConfig::poll_seconds, 1, 86400},
    {"quiet_ms", kNumber, &WatchConfig::quiet_ms, 0, 60000},
};
const std::vector<Key<ZoneConfig>> kZoneKeys = {
    {"name", kName, &ZoneConfig::name},
    {"type", kType, &ZoneConfig::type},
    {"files", kPaths, &ZoneConfig::files},
    {"acl", kPaths, &ZoneConfig::acl},
    {"ns", kNames, &ZoneConfig::ns},
    {"ns_ttl", kTime, &ZoneConfig::ns_ttl, 0, 0x7fffffff},
    {"hostmaster", kText, &ZoneConfig::hostmaster},
    {"primary", kName, &ZoneConfig::primary},
    {"soa_ttl", kTime, &ZoneConfig::soa_ttl, 0, 0x7fffffff},
    {"serial", kNumber, &ZoneConfig::serial},
    {"refresh", kTime, &ZoneConfig::refresh},
    {"retry", kTime, &ZoneConfig::retry},
    {"expire", kTime, &ZoneConfig::expire},
    {"minimum", kTime, &ZoneConfig::minimum},
    {"ttl", kTime, &ZoneConfig::ttl, 1, 0x7fffffff},
    {"ent", kChoice, &ZoneConfig::ent, 0, 0, "nodata|nxdomain"},
    {"minimal", kBool, &ZoneConfig::minimal},
    {"layout", kText, &ZoneConfig::layout},
    {"layouts", kTexts, &ZoneConfig::layouts},
    {"form", kChoice, &ZoneConfig::form, 0, 0, "redirect|include|exists|classes"},
    {"source_prefix", kText, &ZoneConfig::source_prefix},
    {"domains", kTexts, &ZoneConfig::domains},
    {"domains_file", kPath, &ZoneConfig::domains_file},
    {"domains_url", kText, &ZoneConfig::domains_url},
    {"domains_key", kText, &ZoneConfig::domains_key},
    {"unknown_domain", kChoice, &ZoneConfig::unknown_domain, 0, 0, "nxdomain|neutral|fail|refuse"},
    {"no_data", kText, &ZoneConfig::no_data},
    {"ttl_floor", kTime, &ZoneConfig::ttl_floor, 0, 86400},
    {"key_files", kPaths, &ZoneConfig::key_files},
    {"signing_key", kNumber, &ZoneConfig::signing_key, 0, 1},
    {"expiry", kTime, &ZoneConfig::expiry, 60, 30ull * 365 * 86400},
    {"opaque_ids", kBool, &ZoneConfig::opaque_ids},
    {"mail_hosts", kTexts, &ZoneConfig::mail_hosts},
    {"hosts", kTexts, &ZoneConfig::hosts},
    {"selector", kText, &ZoneConfig::selector},
    {"dkim_keys", kPath, &ZoneConfig::dkim_keys},
    {"dmarc_rua", kText, &ZoneConfig::dmarc_rua},
    {"dmarc_ruf", kText, &ZoneConfig::dmarc_ruf},
    {"tls_rua", kText, &ZoneConfig::tls_rua},
    {"bimi_logo", kText, &ZoneConfig::bimi_logo},
    {"tlsa", kText, &ZoneConfig::tlsa},
    {"registered", kPath, &ZoneConfig::registered},
};
const std::vector<Key<ResolverConfig>> kResolverKeys = {
    {"forwarders", kTexts, &ResolverConfig::forwarders},
    {"stubs", kTexts, &ResolverConfig::stubs},
    {"recursive", kBool, &ResolverConfig::recursive},
    {"tcp", kBool, &ResolverConfig::tcp},
    {"validate", kBool, &ResolverConfig::validate},
    {"trust_anchor", kPath, &ResolverConfig::trust_anchor},
    {"in_flight", kNumber, &ResolverConfig::in_flight, 1, 4096},
    {"deadline_ms", kNumber, &ResolverConfig::deadline_ms, 50, 600000},
    {"attempts", kNumber, &ResolverConfig::attempts, 1, 10},
    {"record", kPath, &ResolverConfig::record},
    {"replay", kPath, &ResolverConfig::replay},
};
const std::vector<Key<SpfConfig>> kSpfKeys = {
    {"state", kPath, &SpfConfig::state},
    {"change_log", kPath, &SpfConfig::change_log},
    {"min_refresh", kTime, &SpfConfig::min_refresh, 1, 86400},
    {"max_refresh", kTime, &SpfConfig::max_refresh, 1, 7 * 86400},
    {"retry_first", kTime, &SpfConfig::retry_first, 1, 86400},
    {"retry_max", kTime, &SpfConfig::retry_max, 1, 86400},
    {"max_stale", kTime, &SpfConfig::max_stale, 60, 10 * 365 * 86400},
    {"confirmations", kNumber, &SpfConfig::confirmations, 1, 1000},
    {"confirm_seconds", kTime, &SpfConfig::confirm_seconds, 0, 30 * 86400},
    {"confirm_retry", kTime, &SpfConfig::confirm_retry, 1, 86400},
    {"hold_max", kTime, &SpfConfig::hold_max, 0, 365 * 86400},
    {"max_shrink", kNumber, &SpfConfig::max_shrink, 0, 100},
    {"write_interval", kTime, &SpfConfig::write_interval, 0, 86400},
    {"generations", kNumber, &SpfConfig::generations, 0, 10000},
    {"generations_dir", kPath, &SpfConfig::generations_dir},
    {"hook_command", kText, &SpfConfig::hook_command},
    {"hook_webhook", kText, &SpfConfig::hook_webhook},
    {"push_url", kText, &SpfConfig::push_url},
    {"push_interval", kTime, &SpfConfig::push_interval, 1, 86400},
};

constexpr std::string_view kSections[] = {"server", "build", "watch", "resolver", "spf", "zone"};
std::string Upper(std::string text) {
  for (char& c : text)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  return text;
}

class Loader {
 public:
  Loader(const std::string& path, std::string_view text, dataset::DiagnosticSink* sink)
      : text_(text), sink_(sink), directory_(std::filesystem::path(path).parent_path().string()) {
    config_.path = path;
  }

  StatusOr<Config> Load(const Environment& environment) {
    std::vector<Setting> settings;
    if (!ReadToml(config_.path, text_, sink_, &settings)) return Failed();
    AddEnvironment(environment, &settings);
    for (const Setting& s : settings) Apply(s);
    CheckZones();
    if (errors_ > 0) return Failed();
    std::filesystem::path image(config_.path);
    if (config_.server.image.empty()) config_.server.image = image.replace_extension(".mzi").string();
    if (config_.server.stats_page.empty()) config_.server.stats_page = config_.server.image + ".stats";
    if (config_.spf.state.empty()) config_.spf.state = config_.server.image + ".state";
    if (config_.spf.change_log.empty()) config_.spf.change_log = config_.server.image + ".changes";
    if (config_.spf.generations_dir.empty()) config_.spf.generations_dir = config_.server.image + ".generations";
    return std::move(config_);
  }

 private:
  Status Failed() const {
    return MakeStatus(StatusCode::kInvalidArgument, "the configuration " + config_.path + " has errors");
  }

  void Error(const Setting& s, const Place& place, std::string message, std::string hint) {
    errors_++;
    if (s.variable.empty()) {
      sink_->Report(At(config_.path, text_, place, std::move(message), std::move(hint)));
    } else {
      dataset::Diagnostic d;
      d.severity = dataset::Severity::kError;
      d.file = "environment variable " + s.variable;
      d.message = std::move(message);
      d.hint = std::move(hint);
      sink_->Report(std::move(d));
    }
  }
  void KeyError(const Setting& s, std::string message, std::string hint) {
    Error(s, s.key_place, std::move(message), std::move(hint));
  }

  // --- environment ---------------------------------------------------------------------------------------------

  // MAILZONE_SERVER_LISTEN, MAILZONE_ZONE_1_NAME. Other names that begin with MAILZONE_ are not ours to judge.
  void AddEnvironment(const Environment& environment, std::vector<Setting>* settings) {
    for (const auto& [variable, value] : environment) {
      for (std::string_view section : kSections) {
        std::string prefix = "MAILZONE_" + Upper(std::string(section)) + "_";
        if (!variable.starts_with(prefix)) continue;
        Setting s{.section = std::string(section), .zone = -1, .key = variable.substr(prefix.size()), .value = value,
                  .key_place = {}, .value_place = {}, .variable = variable};
        if (section == "zone") {
          size_t end = s.key.find('_');
          unsigned number = 0;
          auto [stop, failure] = std::from_chars(s.key.data(), s.key.data() + std::min(end, s.key.size()), number);
          if (failure != std::errc() || end == std::string::npos || stop != s.key.data() + end || number < 1 ||
              number > 100000) {
            KeyError(s, "no such key", "zones are numbered from 1: MAILZONE_ZONE_1_NAME");
            continue;
          }
          s.zone = static_cast<int>(number - 1);
          s.key = s.key.substr(end + 1);
        }
        for (char& c : s.key)
          if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
        settings->push_back(std::move(s));
      }
    }
    // Zones beyond those of the file come in the order of their numbers.
    std::stable_sort(settings->begin(), settings->end(), [](const Setting& a, const Setting& b) {
      return std::pair(!a.variable.empty(), a.variable.empty() ? 0 : a.zone) <
             std::pair(!b.variable.empty(), b.variable.empty() ? 0 : b.zone);
    });
  }

  // --- keys ----------------------------------------------------------------------------------------------------

  void Apply(const Setting& s) {
    if (s.section == "server") {
      ApplyTo(s, kServerKeys, &config_.server);
    } else if (s.section == "build") {
      ApplyTo(s, kBuildKeys, &config_.build);
    } else if (s.section == "watch") {
      ApplyTo(s, kWatchKeys, &config_.watch);
    } else if (s.section == "resolver") {
      ApplyTo(s, kResolverKeys, &config_.resolver);
    } else if (s.section == "spf") {
      ApplyTo(s, kSpfKeys, &config_.spf);
    } else if (s.section == "zone" && s.zone >= 0) {
      size_t index = static_cast<size_t>(s.zone);
      if (index > config_.zones.size()) {
        KeyError(s, "there is no zone " + std::to_string(index), "zones are numbered from 1 without gaps");
        return;
      }
      if (index == config_.zones.size()) {
        config_.zones.emplace_back();
        config_.zones[index].place = At(config_.path, text_, s.key_place, "", "");
        if (!s.variable.empty()) config_.zones[index].place.file = "environment variable " + s.variable;
      }
      ApplyTo(s, kZoneKeys, &config_.zones[index]);
    } else if (s.section == "zone") {
      if (s.key.empty()) KeyError(s, "[zone] is one table, but there may be several zones", "write [[zone]]");
    } else if (s.section.empty()) {
      std::string owner = OwnerOf(s.key);
      std::string nearest = Nearest(s.key, kSections);
      KeyError(s, "unknown key '" + s.key + "'",
               !owner.empty()     ? "it belongs under " + owner
               : !nearest.empty() ? "did you mean [" + nearest + "]?"
                                  : "keys stand under [server], [build], [watch], [resolver], [spf] or [[zone]]");
    } else if (s.key.empty()) {
      std::string nearest = Nearest(s.section, kSections);
      KeyError(s, "unknown section '" + s.section + "'",
               nearest.empty() ? "there are [server], [build], [watch], [resolver], [spf] and [[zone]]"
                               : "did you mean '" + nearest + "'?");
    }
  }

  template <typename Section>
  static bool Has(const std::vector<Key<Section>>& keys, std::string_view name) {
    return std::any_of(keys.begin(), keys.end(), [&](const Key<Section>& k) { return k.name == name; });
  }
  static std::string OwnerOf(std::string_view key) {
    if (Has(kServerKeys, key)) return "[server]";
    if (Has(kZoneKeys, key)) return "[[zone]]";
    if (Has(kBuildKeys, key)) return "[build]";
    if (Has(kWatchKeys, key)) return "[watch]";
    if (Has(kResolverKeys, key)) return "[resolver]";
    if (Has(kSpfKeys, key)) return "[spf]";
    return "";
  }

  template <typename Section>
  void ApplyTo(const Setting& s, const std::vector<Key<Section>>& keys, Section* section) {
    if (s.key.empty()) {
      if (s.section != "zone" && s.zone >= 0)
        KeyError(s, "[[" + s.section + "]] is a list, but there is only one", "write [" + s.section + "]");
      return;
    }
    std::vector<std::string_view> names;
    for (const Key<Section>& key : keys) {
      if (key.name == s.key) {
        Rule rule{.kind = key.kind, .low = key.low, .high = key.high, .choices = key.choices, .directory = directory_};
        std::optional<Complaint> complaint =
            std::visit([&](auto member) { return Assign(s, rule, &(section->*member)); }, key.field);
        if (complaint) Error(s, s.value_place, std::move(complaint->message), std::move(complaint->hint));
        return;
      }
      names.push_back(key.name);
    }
    std::string nearest = Nearest(s.key, names);
    std::string owner = OwnerOf(s.key);
    std::string bracket = s.section == "zone" ? "[[zone]]" : "[" + s.section + "]";
    KeyError(s, "unknown key '" + s.key + "' in " + bracket,
             !nearest.empty() ? "did you mean '" + nearest + "'?"
             : !owner.empty() ? "it belongs under " + owner
                              : "known keys: " + JoinWords(names));
  }

  // --- rules across keys ---------------------------------------------------------------------------------------

  void ZoneError(const ZoneConfig& zone, std::string message, std::string hint) {
    errors_++;
    dataset::Diagnostic d = zone.place;
    d.message = std::move(message);
    d.hint = std::move(hint);
    sink_->Report(std::move(d));
  }

  void CheckZones() {
    if (errors_ > 0) return;  // a refused value would be reported again as missing
    if (config_.zones.empty()) {
      errors_++;
      dataset::Diagnostic d;
      d.severity = dataset::Severity::kError;
      d.file = config_.path;
      d.message = "there is no [[zone]]";
      d.hint = "[[zone]] name = \"bl.example.org\" type = \"ip4set\" files = [\"bl.txt\"], one key a line";
      sink_->Report(std::move(d));
    }
    for (const ZoneConfig& zone : config_.zones) {
      if (zone.name.empty()) ZoneError(zone, "the zone has no name", "name = \"bl.example.org\"");
      if (zone.type.empty()) ZoneError(zone, "the zone has no type", std::string(kSupportedTypes));
      const bool healthcheck_keys = !zone.key_files.empty() || zone.signing_key || zone.expiry || zone.opaque_ids ||
                                    !zone.mail_hosts.empty() || !zone.hosts.empty() || !zone.selector.empty() ||
                                    !zone.dkim_keys.empty() || !zone.dmarc_rua.empty() || !zone.dmarc_ruf.empty() ||
                                    !zone.tls_rua.empty() || !zone.bimi_logo.empty() || !zone.tlsa.empty() ||
                                    !zone.registered.empty();
      if (healthcheck_keys && zone.type != "healthcheck")
        ZoneError(zone, "keys of a healthcheck zone in a zone of type '" + zone.type + "'", "type = \"healthcheck\"");
      if (zone.type == "spf") {
        CheckSpfZone(zone);
      } else if (zone.type == "healthcheck") {
        CheckHealthcheckZone(zone);
      } else {
        if (zone.files.empty()) ZoneError(zone, "the zone has no files", "files = [\"bl.txt\"]");
        if (!zone.layout.empty() || !zone.layouts.empty() || !zone.domains.empty() || !zone.domains_file.empty() ||
            !zone.domains_url.empty() || !zone.form.empty() || !zone.source_prefix.empty())
          ZoneError(zone, "keys of an SPF zone in a zone of type '" + zone.type + "'", "type = \"spf\"");
      }
      bool soa_value = zone.soa_ttl || zone.serial || zone.refresh || zone.retry || zone.expire || zone.minimum ||
                       !zone.primary.empty();
      if (soa_value && zone.hostmaster.empty())
        ZoneError(zone, "values of the SOA record without 'hostmaster'", "a SOA record is made from 'ns' and 'hostmaster'");
      if (!zone.hostmaster.empty() && zone.ns.empty() && zone.primary.empty())
        ZoneError(zone, "'hostmaster' without 'ns' or 'primary'", "a SOA record is made from 'ns' and 'hostmaster'");
      if (zone.ns_ttl && zone.ns.empty()) ZoneError(zone, "'ns_ttl' without 'ns'", "ns = [\"ns1.example.net\"]");
    }
  }

  void CheckSpfZone(const ZoneConfig& zone) {
    if (!zone.files.empty())
      ZoneError(zone, "an SPF zone has no files", "its records come from the DNS: domains = [\"customer.example\"]");
    if (zone.domains.empty() && zone.domains_file.empty() && zone.domains_url.empty())
      ZoneError(zone, "the zone has no domains", "domains = [\"customer.example\"], or domains_file = \"domains.txt\"");
    if (!zone.layout.empty() && !zone.layouts.empty())
      ZoneError(zone, "both 'layout' and 'layouts'", "one of them");
    if (!zone.ent.empty()) ZoneError(zone, "'ent' in an SPF zone", "names above its names always exist");
  }

  void CheckHealthcheckZone(const ZoneConfig& zone) {
    if (!zone.files.empty())
      ZoneError(zone, "a healthcheck zone has no files", "registered = \"ids.txt\" for registered IDs");
    if (zone.key_files.empty() && zone.registered.empty())
      ZoneError(zone, "the zone has no keys", "key_files = [\"id.key\"]; `mailzone healthcheck keygen` makes one");
    if (zone.key_files.size() > 2)
      ZoneError(zone, "more than two key files", "the one that signs and the one before it");
    if (zone.signing_key.value_or(0) >= std::max<size_t>(zone.key_files.size(), 1))
      ZoneError(zone, "'signing_key' names a key that is not there", "0 is the first of key_files, 1 the second");
    if (zone.mail_hosts.empty())
      ZoneError(zone, "the zone has no mail host", "mail_hosts = [\"mail.example.net 192.0.2.25\"]");
    if (zone.dkim_keys.empty())
      ZoneError(zone, "the zone has no DKIM keys", "dkim_keys = \"keys\"; `mailzone healthcheck keygen` fills the directory");
    if (zone.hostmaster.empty() || zone.ns.empty())
      ZoneError(zone, "a healthcheck zone needs 'ns' and 'hostmaster'", "without a SOA record resolvers do not keep denials");
    if (zone.ttl && *zone.ttl > 60)
      ZoneError(zone, "'ttl' is more than 60 seconds", "every ID has names of its own: caches gain nothing");
    if (!zone.ent.empty()) ZoneError(zone, "'ent' in a healthcheck zone", "IDs with fault=ent-nxdomain answer like that");
    for (const ZoneConfig& other : config_.zones)
      if (&other != &zone && other.name == zone.name)
        ZoneError(zone, "the zone is given twice", "a healthcheck zone is one [[zone]]");
  }

  std::string_view text_;
  dataset::DiagnosticSink* sink_;
  std::string directory_;
  Config config_;
  int errors_ = 0;
};

}  // namespace

bool Config::HasSpf() const {
  return std::any_of(zones.begin(), zones.end(), [](const ZoneConfig& z) { return z.type == "spf"; });
}

bool Config::HasHealthcheck() const {
  return std::any_of(zones.begin(), zones.end(), [](const ZoneConfig& z) { return z.type == "healthcheck"; });
}

Environment EnvironmentOf(char** environ_block) {
  Environment out;
  for (char** e = environ_block; *e != nullptr; e++) {
    std::string_view entry(*e);
    size_t equals = entry.find('=');
    if (entry.starts_with("MAILZONE_") && equals != std::string_view::npos)
      out.emplace_back(entry.substr(0, equals), entry.substr(equals + 1));
  }
  std::sort(out.begin(), out.end());
  return out;
}

StatusOr<Config> ParseConfig(const std::string& path, std::string_view text, const Environment& environment,
                             dataset::DiagnosticSink* sink) {
  return Loader(path, text, sink).Load(environment);
}

StatusOr<Config> LoadConfig(const std::string& path, const Environment& environment, dataset::DiagnosticSink* sink) {
  MZ_ASSIGN_OR_RETURN(std::string text, ReadFile(path));
  return ParseConfig(path, text, environment, sink);
}

}  // namespace mz::cli
