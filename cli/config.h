// The configuration file: TOML text and MAILZONE_... environment variables in, plain data out.
//
//   DiagnosticLog log(...);
//   MZ_ASSIGN_OR_RETURN(Config config, LoadConfig("mailzone.toml", EnvironmentOf(environ), &log));
//
// Every problem is reported with file, line, column and a likely fix before the error is returned. Relative paths become
// relative to the directory of the file. Nothing else is opened. mailzone.toml(5) describes each key; the tables in
// config.cc are the one list of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "format/dataset/diagnostic.h"

namespace mz::cli {

struct ServerConfig {                          // mailzoned(8) explains what each does
  std::vector<std::string> listen;             // HOST:PORT, [HOST]:PORT
  std::string image;                           // path; default: the configuration's name with .mzi
  std::vector<std::string> acl;                // files of the acl in front of all zones
  std::optional<uint64_t> workers;
  std::optional<bool> pin_workers;
  std::string io;                              // auto, uring, epoll
  std::string user;                            // USER[:GROUP]
  std::optional<uint64_t> max_udp;             // octets
  std::optional<uint64_t> check_interval;      // seconds
  std::string query_log, stats_file;           // [+]FILE
  std::string stats_page;                      // default: the image's name with .stats
  std::string pid_file;
  std::string version_text, server_id;
  std::optional<bool> tcp;
  std::optional<uint64_t> tcp_connections;     // per worker
  std::optional<uint64_t> tcp_idle_timeout, tcp_message_timeout;  // seconds
  std::optional<uint64_t> tcp_memory_mib;      // per worker
};

struct BuildConfig {
  std::string ttl;                              // D[:MIN[:MAX]] as rbldnsd -t
  std::optional<bool> mask_host_bits;
  std::optional<bool> gzip;
  std::string ent;                              // nodata, nxdomain
  std::optional<bool> minimal;
  std::string profile;                          // rfc, rbldnsd
  std::string any;                              // all, one
  std::optional<bool> provenance;
  std::optional<uint64_t> seed;
  std::optional<uint64_t> created;              // seconds since 1970
};

struct WatchConfig {
  std::optional<uint64_t> poll_seconds;
  std::optional<uint64_t> quiet_ms;
};

struct ResolverConfig {                         // where SPF source records are asked for
  std::vector<std::string> forwarders;          // ADDRESS or ADDRESS@PORT; default: those of resolv.conf
  std::vector<std::string> stubs;               // ZONE=ADDRESS@PORT
  std::optional<bool> recursive, tcp, validate;
  std::string trust_anchor;                     // file
  std::optional<uint64_t> in_flight, deadline_ms, attempts;
  std::string record, replay;                   // files
};

struct SpfConfig {                              // how SPF zones are kept fresh (docs/SPF.md)
  std::string state;                            // file; default: the image's name with .state
  std::string change_log;                       // JSON lines; default: the image's name with .changes
  std::optional<uint64_t> min_refresh, max_refresh, retry_first, retry_max, max_stale;  // seconds
  std::optional<uint64_t> confirmations, confirm_seconds, confirm_retry, hold_max;
  std::optional<uint64_t> max_shrink;           // percent
  std::optional<uint64_t> write_interval;       // seconds between two images, but for the first change
  std::optional<uint64_t> generations;          // images kept for rollback
  std::string generations_dir;                  // default: the image's name with .generations
  std::string hook_command;                     // run by sh after each change
  std::string hook_webhook;                     // URL, POST
  std::string push_url;                         // Uptime-Kuma style, GET when healthy
  std::optional<uint64_t> push_interval;        // seconds
};

struct ZoneConfig {                             // one [[zone]]: one dataset; equal names make one zone
  std::string name;                             // as written
  std::string type;
  std::vector<std::string> files;
  std::vector<std::string> acl;
  // Authority records; without `ns` and `hostmaster` those in the data files count.
  std::vector<std::string> ns;
  std::optional<uint64_t> ns_ttl;
  std::string hostmaster;                       // mailbox, with @ or as a domain name
  std::string primary;                          // MNAME; default: the first of ns
  std::optional<uint64_t> soa_ttl, serial, refresh, retry, expire, minimum;
  std::optional<uint64_t> ttl;                  // of entries without $TTL
  std::string ent;
  std::optional<bool> minimal;
  // type = "spf"
  std::vector<std::string> layouts;             // layout, or layouts
  std::string layout;
  std::string form;                             // redirect, include, exists, classes
  std::string source_prefix;
  std::vector<std::string> domains;             // "+name": also for all names below; "name=source": an alias
  std::string domains_file, domains_url, domains_key;
  std::string unknown_domain;                   // nxdomain, neutral, fail, refuse
  std::string no_data;                          // servfail, or a record
  std::optional<uint64_t> ttl_floor;
  // type = "healthcheck" (docs/HEALTHCHECK.md)
  std::vector<std::string> key_files;           // of IDs: the file of key 0, and of key 1
  std::optional<uint64_t> signing_key;          // which of them signs new IDs; default 0
  std::optional<uint64_t> expiry;               // seconds, of IDs
  std::optional<bool> opaque_ids;
  std::vector<std::string> mail_hosts;          // "NAME ADDRESS ...": send the mails; the first is the one that HELO names
  std::vector<std::string> hosts;               // the same: further names in the zone
  std::string selector;                         // of DKIM; default s1
  std::string dkim_keys;                        // directory with rsa2048.pub or .pem, ... (format/healthcheck/outcome.h)
  std::string dmarc_rua, dmarc_ruf, tls_rua;    // mailboxes for reports, or URIs
  std::string bimi_logo, tlsa;
  std::string registered;                       // file of registered IDs: text or SQLite
  // Where it begins, for messages about the zone as a whole.
  dataset::Diagnostic place;
};

struct Config {
  std::string path;
  ServerConfig server;
  BuildConfig build;
  WatchConfig watch;
  ResolverConfig resolver;
  SpfConfig spf;
  std::vector<ZoneConfig> zones;

  bool HasSpf() const;
  bool HasHealthcheck() const;
};

using Environment = std::vector<std::pair<std::string, std::string>>;
// Only the variables that begin with MAILZONE_.
Environment EnvironmentOf(char** environ_block);

// Errors: InvalidArgument (reported to the sink), or those of ReadFile.
StatusOr<Config> LoadConfig(const std::string& path, const Environment& environment, dataset::DiagnosticSink* sink);
// The same for text in memory; `path` is for messages and relative paths.
StatusOr<Config> ParseConfig(const std::string& path, std::string_view text, const Environment& environment,
                             dataset::DiagnosticSink* sink);

}  // namespace mz::cli
