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
  // Where it begins, for messages about the zone as a whole.
  dataset::Diagnostic place;
};

struct Config {
  std::string path;
  ServerConfig server;
  BuildConfig build;
  WatchConfig watch;
  std::vector<ZoneConfig> zones;
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
