// The statistics page: a small memory-mapped file through which `mailzone status`, `top`, `reload --wait` and the exporter
// see a running daemon. The daemon needs no port for any of them.
//
// Layout (little-endian, every field naturally aligned, fixed version): one PageHeader, then `workers` WorkerCounters,
// then `zone_slots` ZoneName entries, then workers * zone_slots ZoneCounters. Each worker writes only its own lines and
// never reads them back from others; readers take each 64-bit field by itself (a snapshot is not atomic across fields).
// The header is written by the control thread; `sequence` is odd while it is being changed: readers retry.
//
//   MZ_ASSIGN_OR_RETURN(Page page, Page::Create("zone.mzi.stats", workers, zone_slots));       // the daemon
//   { HeaderUpdate u(page); u->generation++; }
//   MZ_ASSIGN_OR_RETURN(Snapshot s, ReadSnapshot("zone.mzi.stats"));                           // everybody else
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

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
  std::atomic<uint64_t> queries, answered, nxdomain, errors, dropped, bytes_in, bytes_out, truncated;
  // The transport's own counters, in its order: the I/O backend writes them in place.
  std::atomic<uint64_t> udp_received, udp_sent, udp_send_failed;
  std::atomic<uint64_t> tcp_accepted, tcp_messages, tcp_evicted, tcp_timeouts, tcp_errors, tcp_open, batches;
  uint64_t reserved[6];
};
static_assert(sizeof(WorkerCounters) == 192);
static_assert(sizeof(std::atomic<uint64_t>) == sizeof(uint64_t) && std::atomic<uint64_t>::is_always_lock_free);

struct ZoneName {
  char text[kZoneNameBytes];     // presentation form, zero-terminated; "" unused; "*" collects the rest
};

struct ZoneCounters {            // rbldnsd's counters; ok includes NODATA
  std::atomic<uint64_t> ok, nxdomain, error, bytes_in, bytes_out;
  uint64_t reserved[3];
};
static_assert(sizeof(ZoneCounters) == 64);

inline constexpr uint32_t kMaxWorkers = 1024;
inline constexpr uint32_t kMaxZoneSlots = 1u << 20;

// Bytes of a page with these dimensions.
size_t PageBytes(uint32_t workers, uint32_t zone_slots);

// The writer's side: owns a shared mapping. The control thread writes the header and the zone names, worker i the
// counters of worker i. Moves, does not copy.
class Page {
 public:
  Page() = default;
  Page(Page&& other) noexcept;
  Page& operator=(Page&& other) noexcept;
  ~Page();

  // A new zeroed file, mode 0644, renamed over `path`: readers of an earlier page keep what they have mapped. The last
  // zone slot is named "*". Requires: workers in 1..kMaxWorkers, zone_slots in 1..kMaxZoneSlots. Errors: those of
  // base/file.h.
  static StatusOr<Page> Create(const std::string& path, uint32_t workers, uint32_t zone_slots);
  // The same in memory that nobody else sees.
  static StatusOr<Page> Anonymous(uint32_t workers, uint32_t zone_slots);

  PageHeader& header() { return *reinterpret_cast<PageHeader*>(data_); }
  const PageHeader& header() const { return *reinterpret_cast<const PageHeader*>(data_); }
  WorkerCounters& worker(uint32_t i) { return workers_[i]; }
  const WorkerCounters& worker(uint32_t i) const { return workers_[i]; }
  const ZoneName& zone_name(uint32_t slot) const { return names_[slot]; }
  ZoneCounters& zone(uint32_t worker, uint32_t slot) { return zones_[size_t{worker} * zone_slots_ + slot]; }
  const ZoneCounters& zone(uint32_t worker, uint32_t slot) const {
    return zones_[size_t{worker} * zone_slots_ + slot];
  }
  uint32_t workers() const { return worker_count_; }
  uint32_t zone_slots() const { return zone_slots_; }

  // The slot of this zone, found or taken; the last slot when none is left. Control thread; not for hot paths (it is
  // called for every zone at a swap and costs a hash lookup).
  uint32_t SlotOf(std::string_view zone_text);

  // Removes the file if it is still the one that Create() made.
  void Unlink();

 private:
  Status Map(int fd, uint32_t workers, uint32_t zone_slots, std::string_view name);

  uint8_t* data_ = nullptr;
  size_t bytes_ = 0;
  WorkerCounters* workers_ = nullptr;
  ZoneName* names_ = nullptr;
  ZoneCounters* zones_ = nullptr;
  uint32_t worker_count_ = 0;
  uint32_t zone_slots_ = 0;
  std::string path_;
  uint64_t inode_ = 0;
  std::vector<std::pair<uint64_t, uint32_t>> index_;  // (hash of the name, slot), sorted
};

// Brackets a change of the header; nests not.
class HeaderUpdate {
 public:
  explicit HeaderUpdate(Page& page) : header_(page.header()) {
    header_.sequence.fetch_add(1, std::memory_order_acq_rel);  // nothing below moves above it
  }
  ~HeaderUpdate() {
    header_.sequence.fetch_add(1, std::memory_order_release);
  }
  HeaderUpdate(const HeaderUpdate&) = delete;
  HeaderUpdate& operator=(const HeaderUpdate&) = delete;
  PageHeader* operator->() { return &header_; }

 private:
  PageHeader& header_;
};

// Writes text into a zero-terminated field, cut at the end.
void CopyText(std::string_view text, char* field, size_t field_bytes);

// The reader's side: plain copies.
struct HeaderSample {
  uint32_t pid = 0, workers = 0, zone_slots = 0, zone_slots_used = 0, zone_count = 0;
  uint64_t started_unix = 0;
  uint64_t generation = 0, image_identity = 0, image_bytes = 0, image_created_unix = 0, published_unix = 0;
  uint64_t reloads_begun = 0, reloads_finished = 0, reloads_failed = 0, last_reload_unix = 0;
  uint32_t last_reload_microseconds = 0;
  ReloadVerdict last_verdict = ReloadVerdict::kNone;
  uint64_t query_log_lost = 0;
  std::string io_backend, image_source, last_error;
};
struct WorkerSample {
  uint64_t queries = 0, answered = 0, nxdomain = 0, errors = 0, dropped = 0, bytes_in = 0, bytes_out = 0, truncated = 0;
  uint64_t udp_received = 0, udp_sent = 0, udp_send_failed = 0;
  uint64_t tcp_accepted = 0, tcp_messages = 0, tcp_evicted = 0, tcp_timeouts = 0, tcp_errors = 0, tcp_open = 0;
  uint64_t batches = 0;
  WorkerSample& operator+=(const WorkerSample& other);
};
struct ZoneSample {              // summed over the workers
  std::string zone;
  uint64_t ok = 0, nxdomain = 0, error = 0, bytes_in = 0, bytes_out = 0;
};
struct Snapshot {
  HeaderSample header;
  std::vector<WorkerSample> workers;
  std::vector<ZoneSample> zones;  // the slots in use; "*" last, when it counted anything
  bool running = false;           // the daemon that wrote the page is alive
  WorkerSample Total() const;
};

// One consistent copy of the header, or Unavailable when the writer did not let go of it for a second.
StatusOr<HeaderSample> ReadHeader(const std::string& path);
// Header and counters. Any file is safe input. Errors: NotFound (no daemon writes there), DataLoss (not a page).
StatusOr<Snapshot> ReadSnapshot(const std::string& path);

}  // namespace mz::stats
