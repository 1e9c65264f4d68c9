// See from_env.h.
#include "cli/spf/from_env.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "absl/container/flat_hash_set.h"
#include "base/suggest.h"
#include "cli/spf/domain_list.h"
#include "cli/spf/rbldnsd_options.h"
#include "compiler/spf/wire_names.h"

namespace mz::cli {
namespace {

constexpr std::string_view kNames[] = {
    "MY_DOMAINS",  "SOURCE_PREFIX", "SOURCE_PREFIX_OFF", "DELAY",           "RUNNING_CONFIG_ON", "UPTIMEKUMA_PUSH_URL",
    "NS_RECORD",   "SOA_HOSTMASTER", "RESTDB_URL",       "RESTDB_KEY",      "ZONE",              "TYPE",
    "OPTIONS",     "DISCORD_WEBHOOK", "SUPERVISOR_PW"};
constexpr std::string_view kDomainNames[] = {"MY_DOMAINS", "RESTDB_URL"};

// Variables of everyday that are near one of ours.
constexpr std::string_view kForeign[] = {"TZ", "TERM", "HOME", "PATH", "ZONEINFO", "TMPDIR", "LANG"};

constexpr std::string_view kDemoDomains[] = {
    "_spf.google.com",      "_netblocks.mimecast.com", "spf.protection.outlook.com", "outbound.mailhop.org",
    "spf.messagelabs.com",  "mailgun.org",             "sendgrid.net",               "service-now.com"};

constexpr std::string_view kDefaultPrefix = "_xpg8";
constexpr uint64_t kDefaultDelay = 300, kLeastDelay = 30, kMostDelay = 7 * 86400, kMostPushInterval = 86400;
constexpr uint64_t kDefaultMinRefresh = 60;

std::string Trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1));
}

// A basic string of TOML.
std::string Quoted(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out = "\"";
  for (char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (octet < 0x20 || octet == 0x7f) {
      out += "\\u00";
      out += kHex[octet >> 4];
      out += kHex[octet & 15];
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string Quoted(const std::vector<std::string>& list) {
  std::string out = "[";
  for (size_t i = 0; i < list.size(); i++) out += (i > 0 ? ", " : "") + Quoted(list[i]);
  return out + "]";
}

// One label or more, letters, digits, - and _.
bool IsName(std::string_view text, size_t fewest_labels) {
  if (text.ends_with('.')) text.remove_suffix(1);
  const std::optional<std::string> wire = compiler::spf::WireName(text);
  if (!wire || wire->empty()) return false;
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return letter || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  });
  return plain && static_cast<size_t>(std::count(text.begin(), text.end(), '.')) + 1 >= fewest_labels;
}

bool IsHttp(std::string_view url) {
  return (url.starts_with("http://") || url.starts_with("https://")) &&
         std::none_of(url.begin(), url.end(), [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7f; });
}

class Translator {
 public:
  Translator(const Environment& environment, std::string_view image) : environment_(environment), image_(image) {}

  EnvResult Run() {
    const bool has_domains = Get("MY_DOMAINS") || Get("RESTDB_URL");
    Suggest(has_domains);
    Domains();
    Prefix();
    Delay();
    RunningConfig();
    Authority();
    Zone();
    Options();
    Urls();
    out_.ok = std::none_of(out_.messages.begin(), out_.messages.end(),
                           [](const EnvMessage& m) { return m.kind == EnvMessage::kError; });
    if (out_.ok) Compose();
    return std::move(out_);
  }

 private:
  // Nothing when absent. Blanks around a value are never meant.
  std::optional<std::string> Raw(std::string_view name) const {
    for (const auto& [variable, value] : environment_)
      if (variable == name) return Trimmed(value);
    return {};
  }
  // An empty variable counts as absent: that is how compose files write one that is not set.
  std::optional<std::string> Get(std::string_view name) const {
    std::optional<std::string> value = Raw(name);
    return value && value->empty() ? std::nullopt : value;
  }
  void Say(EnvMessage::Kind kind, std::string text, std::string hint = "") {
    out_.messages.push_back({kind, std::move(text), std::move(hint)});
  }
  void Warn(std::string text, std::string hint = "") { Say(EnvMessage::kWarning, std::move(text), std::move(hint)); }
  void Fail(std::string text, std::string hint = "") { Say(EnvMessage::kError, std::move(text), std::move(hint)); }

  void Suggest(bool has_domains) {
    const auto is_in = [](std::string_view word, auto& list) {
      return std::find(std::begin(list), std::end(list), word) != std::end(list);
    };
    for (const auto& [variable, value] : environment_) {
      if (variable.starts_with("MAILZONE_") || is_in(variable, kNames) || is_in(variable, kForeign)) continue;
      const std::string nearest = Nearest(variable, kNames);
      if (nearest.empty() || Raw(nearest)) continue;  // the right one is there as well: this is another's
      const bool names_domains = is_in(std::string_view(nearest), kDomainNames);
      if (!has_domains && names_domains)
        Fail("environment variable " + variable + " is unknown, and no domains are given", "did you mean " + nearest + "?");
      else
        Warn("environment variable " + variable + " is unknown", "did you mean " + nearest + "?");
    }
  }

  void Domains() {
    const std::optional<std::string> list = Raw("MY_DOMAINS");
    url_ = Get("RESTDB_URL").value_or("");
    key_ = Get("RESTDB_KEY").value_or("");
    if (!url_.empty()) {
      if (!IsHttp(url_)) Fail("RESTDB_URL: '" + url_ + "' is not a URL", "it begins with http:// or https://");
      if (list && !list->empty()) Warn("MY_DOMAINS is ignored, because RESTDB_URL is set");
      return;
    }
    if (!key_.empty()) Warn("RESTDB_KEY does nothing without RESTDB_URL");
    if (!list) {
      out_.demo = true;
      for (std::string_view d : kDemoDomains) domains_.emplace_back(d);
      Say(EnvMessage::kInfo, "demo mode: no domains are given, a fixed list of providers is served", "set MY_DOMAINS");
      return;
    }
    if (list->empty()) {
      Fail("MY_DOMAINS is empty", "MY_DOMAINS=\"customer.example other.example\"");
      return;
    }
    absl::flat_hash_set<std::string> seen;
    std::string_view rest = *list;
    while (!rest.empty()) {
      const size_t end = std::min(rest.find_first_of(" \t\r\n,;"), rest.size());
      const std::string entry(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
      if (entry.empty()) continue;
      StatusOr<compiler::spf::DomainSetting> domain = ParseDomainEntry(entry, "");
      if (!domain.ok())
        Warn("MY_DOMAINS: left out: " + std::string(Message(domain.status())));
      else if (seen.insert(domain->name).second)
        domains_.push_back(entry);
    }
    if (domains_.empty()) Fail("MY_DOMAINS holds no usable domain", "MY_DOMAINS=\"customer.example other.example\"");
  }

  // SOURCE_PREFIX_OFF reads as what it says.
  void Prefix() {
    prefix_ = Get("SOURCE_PREFIX").value_or(std::string(kDefaultPrefix));
    while (prefix_.ends_with('.')) prefix_.pop_back();
    if (!IsName(prefix_, 1)) Fail("SOURCE_PREFIX: '" + prefix_ + "' is not a name", "SOURCE_PREFIX=_xpg8");
    const std::optional<std::string> off = Raw("SOURCE_PREFIX_OFF");
    std::optional<bool> value = off ? Boolean(*off) : false;
    if (!value) {
      Fail("SOURCE_PREFIX_OFF: '" + *off + "' is neither true nor false");
      return;
    }
    if (off && !*value && !out_.demo)
      Warn("SOURCE_PREFIX_OFF='" + *off + "' keeps the prefix '" + prefix_ + "': source records are read at " + prefix_ +
               ".DOMAIN",
           "expurgate took any value, also False, as 'off'; if that is what your records rely on, set it to True");
    if (out_.demo || *value) prefix_.clear();
  }
  static std::optional<bool> Boolean(std::string text) {
    for (char& c : text)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    if (text == "true" || text == "1" || text == "yes" || text == "on") return true;
    if (text == "false" || text == "0" || text == "no" || text == "off" || text == "none" || text.empty()) return false;
    return {};
  }

  std::optional<uint64_t> Number(std::string_view name, std::string_view text) {
    uint64_t value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure == std::errc() && end == text.data() + text.size()) return value;
    Fail(std::string(name) + ": '" + std::string(text) + "' is not a number");
    return {};
  }

  void Delay() {
    const std::optional<std::string> text = Get("DELAY");
    if (!text) return;
    const std::optional<uint64_t> value = Number("DELAY", *text);
    if (!value) return;
    delay_ = *value;
    if (delay_ < kLeastDelay) {
      delay_ = kDefaultDelay;
      Warn("DELAY: less than 30 seconds counts as 300");
    } else if (delay_ > kMostDelay) {
      delay_ = kMostDelay;
      Warn("DELAY: more than a week counts as a week");
    }
  }

  void RunningConfig() {
    const std::optional<std::string> text = Get("RUNNING_CONFIG_ON");
    if (!text) return;
    if (*text != "0" && *text != "1")
      Fail("RUNNING_CONFIG_ON: '" + *text + "' is neither 0 nor 1");
    out_.per_domain = *text == "0";
  }

  void Authority() {
    ns_ = Get("NS_RECORD").value_or("");
    hostmaster_ = Get("SOA_HOSTMASTER").value_or("");
    if (ns_.empty() != hostmaster_.empty()) {
      Warn(std::string(ns_.empty() ? "NS_RECORD" : "SOA_HOSTMASTER") + " is missing: no SOA and NS records are answered",
           "set both; without SOA resolvers cannot remember negative answers");
      ns_.clear(), hostmaster_.clear();
      return;
    }
    if (ns_.empty()) return;
    if (!IsName(ns_, 2)) Fail("NS_RECORD: '" + ns_ + "' is not a host name", "NS_RECORD=ns1.example.com");
    const size_t at = hostmaster_.find('@');
    if (at == std::string::npos || at == 0 || !IsName(std::string_view(hostmaster_).substr(at + 1), 1))
      Fail("SOA_HOSTMASTER: '" + hostmaster_ + "' is not a mail address", "SOA_HOSTMASTER=hostmaster@example.com");
    if (ns_.ends_with('.')) ns_.pop_back();
  }

  void Zone() {
    zone_ = Get("ZONE").value_or("");
    if (zone_.empty()) {
      zone_ = kDefaultEnvZone;
      Warn("ZONE is not set: serving " + zone_, "set it to the zone that is delegated to this server");
    } else if (!IsName(zone_, 1)) {
      Fail("ZONE: '" + zone_ + "' is not a name", "ZONE=_spf.example.com");
    }
    if (zone_.ends_with('.')) zone_.pop_back();
    const std::string type = Get("TYPE").value_or("combined");
    if (type != "combined") Warn("TYPE: '" + type + "' does nothing here: there are no data files to read");
  }

  void Options() {
    options_ = ReadRbldnsdOptions(Get("OPTIONS").value_or(""));
    for (const std::string& text : options_.ignored) Warn("OPTIONS: " + text);
    for (const std::string& text : options_.errors) Fail("OPTIONS: " + text);
    if (options_.listen.empty()) options_.listen.emplace_back("0.0.0.0:53");
  }

  void Urls() {
    push_ = Get("UPTIMEKUMA_PUSH_URL").value_or("");
    if (!push_.empty() && (!IsHttp(push_) || push_.find("/api/push/") == std::string::npos ||
                           push_.find("&ping=") == std::string::npos)) {
      Warn("UPTIMEKUMA_PUSH_URL: '" + push_ + "' is not a push address: nothing is pushed",
           "https://HOST/api/push/KEY?status=up&msg=OK&ping=");
      push_.clear();
    }
    discord_ = Get("DISCORD_WEBHOOK").value_or("");
    if (!discord_.empty() && (!IsHttp(discord_) || !discord_.starts_with("https://discord.com/api/webhooks/"))) {
      Warn("DISCORD_WEBHOOK is not the address of a webhook: nothing is posted", "https://discord.com/api/webhooks/...");
      discord_.clear();
    }
    if (Get("SUPERVISOR_PW")) Warn("SUPERVISOR_PW does nothing here: there is no web page to protect");
  }

  void Line(std::string_view key, std::string_view value) {
    out_.config += std::string(key) + " = " + std::string(value) + "\n";
  }
  void Text(std::string_view key, const std::string& value) {
    if (!value.empty()) Line(key, Quoted(value));
  }
  void Number(std::string_view key, uint64_t value) { Line(key, std::to_string(value)); }

  void Compose() {
    out_.config = "# Written by mailzone from environment variables: changes here are lost.\n[server]\n";
    Line("listen", Quoted(options_.listen));
    Text("image", std::string(image_));
    Text("query_log", options_.query_log);
    Text("stats_file", options_.stats_file);
    Text("pid_file", options_.pid_file);
    Text("user", options_.user);
    if (!options_.user.empty()) Text("stats_page", "run/spf.stats");
    out_.user = options_.user;
    if (options_.check_interval) Number("check_interval", *options_.check_interval);
    // The loop of DELAY seconds asked everything anew; here that is the longest that an answer is kept.
    out_.config += "\n[spf]\n";
    Number("max_refresh", delay_);
    Number("min_refresh", std::min(delay_, kDefaultMinRefresh));
    if (!push_.empty()) Number("push_interval", std::min(delay_, kMostPushInterval));
    Text("push_url", push_);
    Text("hook_webhook", discord_);
    out_.config += "\n[[zone]]\n";
    Text("name", zone_);
    Text("type", "spf");
    if (!ns_.empty()) {
      Line("ns", Quoted(std::vector<std::string>{ns_}));
      Text("hostmaster", hostmaster_);
      Number("refresh", 10800);
      Number("retry", 3600);
      Number("expire", 604800);
    }
    if (options_.ttl) Number("ttl", std::min<uint64_t>(*options_.ttl, options_.max_ttl.value_or(0x7fffffff)));
    if (options_.min_ttl) Number("ttl_floor", std::min<uint64_t>(*options_.min_ttl, 86400));
    Text("source_prefix", prefix_);
    Text("domains_url", url_);
    if (!url_.empty()) Text("domains_key", key_);
    if (!domains_.empty()) Line("domains", Quoted(domains_));
  }

  const Environment& environment_;
  std::string_view image_;
  EnvResult out_;
  std::vector<std::string> domains_;
  std::string prefix_, url_, key_, ns_, hostmaster_, zone_, push_, discord_;
  uint64_t delay_ = kDefaultDelay;
  RbldnsdOptions options_;
};

}  // namespace

EnvResult ConfigFromEnvironment(const Environment& environment, std::string_view image) {
  return Translator(environment, image).Run();
}

Environment AllOf(char** environ_block) {
  Environment out;
  for (char** e = environ_block; *e != nullptr; e++) {
    const std::string_view entry(*e);
    const size_t equals = entry.find('=');
    if (equals != std::string_view::npos) out.emplace_back(entry.substr(0, equals), entry.substr(equals + 1));
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace mz::cli
