// The reader's side of the statistics page. The bytes come from another process, or from anywhere: sizes are checked before
// the first access, and the file is read with pread(2), because a mapped file that shrinks would raise SIGBUS.
#include <signal.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cstring>

#include "base/file.h"
#include "format/stats/page.h"

namespace mz::stats {
namespace {

constexpr int kRetries = 1000;  // of 1 ms each: a writer holds the header for microseconds

Status ReadAt(int fd, void* out, size_t bytes, size_t offset, const std::string& path) {
  uint8_t* p = static_cast<uint8_t*>(out);
  while (bytes > 0) {
    ssize_t n = ::pread(fd, p, bytes, static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoStatus(errno, path);
    if (n == 0) return MakeStatus(StatusCode::kDataLoss, path + ": not a statistics page (too short)");
    p += n;
    offset += static_cast<size_t>(n);
    bytes -= static_cast<size_t>(n);
  }
  return absl::OkStatus();
}

std::string Text(const char* field, size_t bytes) { return std::string(field, ::strnlen(field, bytes)); }

uint64_t Load(const std::atomic<uint64_t>& a) { return a.load(std::memory_order_relaxed); }

Status CheckHeader(const PageHeader& h, const std::string& path) {
  if (h.magic != kPageMagic) return MakeStatus(StatusCode::kDataLoss, path + ": not a statistics page");
  if (h.version != kPageVersion || h.header_bytes != sizeof(PageHeader))
    return MakeStatus(StatusCode::kDataLoss, path + ": statistics page of version " + std::to_string(h.version) +
                                                 ", this program reads version " + std::to_string(kPageVersion));
  if (h.workers < 1 || h.workers > kMaxWorkers || h.zone_slots < 1 || h.zone_slots > kMaxZoneSlots ||
      h.zone_slots_used >= h.zone_slots)
    return MakeStatus(StatusCode::kDataLoss, path + ": damaged statistics page");
  return absl::OkStatus();
}

StatusOr<HeaderSample> ReadHeaderFd(int fd, const std::string& path) {
  alignas(8) uint8_t raw[sizeof(PageHeader)];
  const PageHeader& h = *reinterpret_cast<const PageHeader*>(raw);
  for (int i = 0; i < kRetries; i++) {
    MZ_RETURN_IF_ERROR(ReadAt(fd, raw, sizeof raw, 0, path));
    MZ_RETURN_IF_ERROR(CheckHeader(h, path));
    uint64_t before = h.sequence.load(std::memory_order_relaxed), after = 0;
    MZ_RETURN_IF_ERROR(ReadAt(fd, &after, sizeof after, offsetof(PageHeader, sequence), path));
    if (before == after && before % 2 == 0) {
      HeaderSample s;
      s.pid = h.pid;
      s.workers = h.workers;
      s.zone_slots = h.zone_slots;
      s.zone_slots_used = h.zone_slots_used;
      s.zone_count = h.zone_count;
      s.started_unix = h.started_unix;
      s.generation = h.generation;
      s.image_identity = h.image_identity;
      s.image_bytes = h.image_bytes;
      s.image_created_unix = h.image_created_unix;
      s.published_unix = h.published_unix;
      s.reloads_begun = h.reloads_begun;
      s.reloads_finished = h.reloads_finished;
      s.reloads_failed = h.reloads_failed;
      s.last_reload_unix = h.last_reload_unix;
      s.last_reload_microseconds = h.last_reload_microseconds;
      s.last_verdict = h.last_verdict;
      s.query_log_lost = h.query_log_lost;
      s.io_backend = Text(h.io_backend, sizeof h.io_backend);
      s.image_source = Text(h.image_source, sizeof h.image_source);
      s.last_error = Text(h.last_error, sizeof h.last_error);
      return s;
    }
    timespec pause{0, 1000000};
    ::nanosleep(&pause, nullptr);
  }
  return MakeStatus(StatusCode::kUnavailable, path + ": the page stays in the middle of a change; did its writer die?");
}

bool Alive(uint32_t pid) {
  return pid != 0 && pid <= 0x7fffffff && (::kill(static_cast<pid_t>(pid), 0) == 0 || errno == EPERM);
}

}  // namespace

WorkerSample& WorkerSample::operator+=(const WorkerSample& o) {
  queries += o.queries, answered += o.answered, nxdomain += o.nxdomain, errors += o.errors, dropped += o.dropped;
  bytes_in += o.bytes_in, bytes_out += o.bytes_out, truncated += o.truncated;
  udp_received += o.udp_received, udp_sent += o.udp_sent, udp_send_failed += o.udp_send_failed;
  tcp_accepted += o.tcp_accepted, tcp_messages += o.tcp_messages, tcp_evicted += o.tcp_evicted;
  tcp_timeouts += o.tcp_timeouts, tcp_errors += o.tcp_errors, tcp_open += o.tcp_open, batches += o.batches;
  return *this;
}

WorkerSample Snapshot::Total() const {
  WorkerSample total;
  for (const WorkerSample& w : workers) total += w;
  return total;
}

StatusOr<HeaderSample> ReadHeader(const std::string& path) {
  MZ_ASSIGN_OR_RETURN(UniqueFd fd, OpenForRead(path));
  return ReadHeaderFd(fd.get(), path);
}

StatusOr<Snapshot> ReadSnapshot(const std::string& path) {
  MZ_ASSIGN_OR_RETURN(UniqueFd fd, OpenForRead(path));
  Snapshot s;
  MZ_ASSIGN_OR_RETURN(s.header, ReadHeaderFd(fd.get(), path));
  struct stat st;
  if (::fstat(fd.get(), &st) != 0) return ErrnoStatus(errno, path);
  if (static_cast<uint64_t>(st.st_size) != PageBytes(s.header.workers, s.header.zone_slots))
    return MakeStatus(StatusCode::kDataLoss, path + ": damaged statistics page (its size does not fit its header)");
  s.running = Alive(s.header.pid);

  std::vector<WorkerCounters> workers(s.header.workers);
  size_t offset = sizeof(PageHeader);
  MZ_RETURN_IF_ERROR(ReadAt(fd.get(), workers.data(), workers.size() * sizeof(WorkerCounters), offset, path));
  for (const WorkerCounters& w : workers) {
    WorkerSample o;
    o.queries = Load(w.queries), o.answered = Load(w.answered), o.nxdomain = Load(w.nxdomain);
    o.errors = Load(w.errors), o.dropped = Load(w.dropped);
    o.bytes_in = Load(w.bytes_in), o.bytes_out = Load(w.bytes_out), o.truncated = Load(w.truncated);
    o.udp_received = Load(w.udp_received), o.udp_sent = Load(w.udp_sent), o.udp_send_failed = Load(w.udp_send_failed);
    o.tcp_accepted = Load(w.tcp_accepted), o.tcp_messages = Load(w.tcp_messages), o.tcp_evicted = Load(w.tcp_evicted);
    o.tcp_timeouts = Load(w.tcp_timeouts), o.tcp_errors = Load(w.tcp_errors), o.tcp_open = Load(w.tcp_open);
    o.batches = Load(w.batches);
    s.workers.push_back(o);
  }

  offset += workers.size() * sizeof(WorkerCounters);
  const uint32_t used = s.header.zone_slots_used, slots = s.header.zone_slots;
  auto read_name = [&](uint32_t slot, std::string* out) -> Status {
    ZoneName name;
    MZ_RETURN_IF_ERROR(ReadAt(fd.get(), &name, sizeof name, offset + size_t{slot} * sizeof(ZoneName), path));
    *out = Text(name.text, sizeof name.text);
    return absl::OkStatus();
  };
  s.zones.resize(used + 1);
  for (uint32_t i = 0; i < used; i++) MZ_RETURN_IF_ERROR(read_name(i, &s.zones[i].zone));
  MZ_RETURN_IF_ERROR(read_name(slots - 1, &s.zones[used].zone));

  offset += size_t{slots} * sizeof(ZoneName);
  std::vector<ZoneCounters> counters(std::max<uint32_t>(used, 1));
  auto add = [](const ZoneCounters& c, ZoneSample* z) {
    z->ok += Load(c.ok), z->nxdomain += Load(c.nxdomain), z->error += Load(c.error);
    z->bytes_in += Load(c.bytes_in), z->bytes_out += Load(c.bytes_out);
  };
  for (uint32_t w = 0; w < s.header.workers; w++) {
    size_t row = offset + size_t{w} * slots * sizeof(ZoneCounters);
    MZ_RETURN_IF_ERROR(ReadAt(fd.get(), counters.data(), used * sizeof(ZoneCounters), row, path));
    for (uint32_t i = 0; i < used; i++) add(counters[i], &s.zones[i]);
    MZ_RETURN_IF_ERROR(ReadAt(fd.get(), counters.data(), sizeof(ZoneCounters), row + (slots - 1) * sizeof(ZoneCounters),
                              path));
    add(counters[0], &s.zones[used]);
  }
  const ZoneSample& rest = s.zones[used];
  if (rest.ok + rest.nxdomain + rest.error + rest.bytes_in == 0) s.zones.pop_back();
  return s;
}

}  // namespace mz::stats
