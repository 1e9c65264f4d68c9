// The statistics page: a small memory-mapped file through which `mailzone status`, `top`, `reload --wait` and the exporter
// see a running daemon. The daemon needs no port for any of them.
//
// Layout (little-endian, every field naturally aligned, fixed version): one PageHeader, then `workers` WorkerCounters,
// then `zone_slots` ZoneName entries, then workers * zone_slots ZoneCounters. Each worker writes only its own lines and
// never reads them back from others; readers take each 64-bit field by itself (a snapshot is not atomic across fields).
// The header is written by the control thread; `sequence` is odd while it is being changed: readers retry.
#pragma once

#include <atomic>
#include <cstdint>

namespace mz::stats {

inline constexpr uint64_t kPageMagic = 0x31535a4d'4c49414dull;  // "MAILMZS1"
inline constexpr uint32_t kPageVersion = 1;
inline constexpr uint32_t kZoneNameBytes = 256;

enum class ReloadVerdict : uint32_t { kNone = 0, kLoaded = 1, kUnchanged = 2, kFailed = 3 };

struct PageHeader {
  uint64_t magic;
  uint32_t version;
  uint32_t header_bytes;
  std::atomic<uint64_t> sequence;
  uint32_t pid;
  uint32_t workers;
  uint32_t zone_slots;           // the last slot collects zones that found no slot of their own
  uint32_t zone_slots_used;
  uint64_t started_unix;
  // Image in service
  uint64_t generation;           // counts publications, from 1
  uint64_t image_identity;
  uint64_t image_bytes;
  uint64_t image_created_unix;
  uint64_t published_unix;
  uint32_t zone_count;
  uint32_t reserved0;
  // Reloads: requests are counted when a SIGHUP or a check begins, and again when its verdict is known.
  uint64_t reloads_begun;
  uint64_t reloads_finished;
  uint64_t reloads_failed;
  uint64_t last_reload_unix;
  uint32_t last_reload_microseconds;
  ReloadVerdict last_verdict;
  uint64_t query_log_lost;
  char io_backend[16];
  char image_source[256];        // path or description, zero-terminated, cut
  char last_error[512];          // "" when the last reload did not fail
  uint8_t reserved[3168];
};
static_assert(sizeof(PageHeader) == 4096);

struct alignas(64) WorkerCounters {
  std::atomic<uint64_t> queries, answered, nxdomain, errors, dropped, bytes_in, bytes_out;
  std::atomic<uint64_t> udp_received, udp_sent, udp_send_failed, truncated;
  std::atomic<uint64_t> tcp_accepted, tcp_messages, tcp_evicted, tcp_timeouts, tcp_errors, tcp_open, batches;
  uint64_t reserved[6];
};
static_assert(sizeof(WorkerCounters) == 192);

struct ZoneName {
  char text[kZoneNameBytes];     // presentation form, zero-terminated; "" unused; "*" collects the rest
};

struct ZoneCounters {            // rbldnsd's counters; ok includes NODATA
  std::atomic<uint64_t> ok, nxdomain, error, bytes_in, bytes_out;
  uint64_t reserved[3];
};
static_assert(sizeof(ZoneCounters) == 64);

}  // namespace mz::stats
