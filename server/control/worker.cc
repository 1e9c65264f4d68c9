// See worker.h.
#include "server/control/worker.h"

#include <netinet/in.h>
#include <time.h>

#include <cstddef>
#include <new>
#include <utility>

namespace mz::control {
namespace {

// Only this thread writes the counter: a plain load and store, no locked instruction.
void Add(std::atomic<uint64_t>& counter, uint64_t n) {
  counter.store(counter.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
}

answer::Client ClientOf(const sockaddr_storage* peer) {
  if (!peer) return {};
  if (peer->ss_family == AF_INET6)
    return answer::Client::FromV6(
        net::Ip6::FromBytes(reinterpret_cast<const sockaddr_in6*>(peer)->sin6_addr.s6_addr));
  return answer::Client::FromV4(ntohl(reinterpret_cast<const sockaddr_in*>(peer)->sin_addr.s_addr));
}

// One second is fine enough for expiry and log; read from the vDSO, so it is no system call.
uint32_t CoarseNow() {
  timespec t;
  ::clock_gettime(CLOCK_REALTIME_COARSE, &t);
  return static_cast<uint32_t>(t.tv_sec);
}

// The page's counters of the transport are the backend's own, member for member.
using stats::WorkerCounters;
constexpr size_t kIoOffset = offsetof(WorkerCounters, udp_received);
static_assert(sizeof(io::IoCounters) == 10 * sizeof(uint64_t));
static_assert(offsetof(io::IoCounters, udp_send_failed) == offsetof(WorkerCounters, udp_send_failed) - kIoOffset);
static_assert(offsetof(io::IoCounters, tcp_accepted) == offsetof(WorkerCounters, tcp_accepted) - kIoOffset);
static_assert(offsetof(io::IoCounters, tcp_evicted) == offsetof(WorkerCounters, tcp_evicted) - kIoOffset);
static_assert(offsetof(io::IoCounters, tcp_timeouts) == offsetof(WorkerCounters, tcp_timeouts) - kIoOffset);
static_assert(offsetof(io::IoCounters, tcp_errors) == offsetof(WorkerCounters, tcp_errors) - kIoOffset);
static_assert(offsetof(io::IoCounters, tcp_open) == offsetof(WorkerCounters, tcp_open) - kIoOffset);
static_assert(offsetof(io::IoCounters, batches) == offsetof(WorkerCounters, batches) - kIoOffset);

constexpr uint8_t kTruncatedBit = 2;  // of the third octet of a message, RFC 1035 section 4.1.1

}  // namespace

Worker::Worker(int index, swap::Published& published, const answer::Settings& settings, stats::Page& page,
               QueryRing* ring)
    : index_(index),
      published_(published),
      settings_(settings),
      page_(page),
      ring_(ring),
      io_counters_(new (reinterpret_cast<uint8_t*>(&page.worker(static_cast<uint32_t>(index))) + kIoOffset)
                       io::IoCounters) {}

// Counts a batch in registers and adds it up once; a zone's counters when the next zone comes along.
void Worker::Count(const swap::Generation& generation, std::span<const answer::Request> requests,
                   stats::WorkerCounters* totals) {
  using Outcome = answer::Outcome;
  constexpr size_t kKinds = Outcome::kError + 1;
  struct ZoneTally {
    uint64_t kinds[kKinds] = {};
    uint64_t bytes_in = 0, bytes_out = 0;
  };
  uint64_t kinds[kKinds] = {};
  uint64_t truncated = 0, bytes_in = 0, bytes_out = 0;
  ZoneTally tally;
  int32_t zone = -1;
  auto settle = [&] {
    const ZoneTally t = std::exchange(tally, {});
    if (zone < 0) return;
    stats::ZoneCounters& z =
        page_.zone(static_cast<uint32_t>(index_), generation.zone_slots[static_cast<size_t>(zone)]);
    Add(z.bytes_in, t.bytes_in);
    Add(z.bytes_out, t.bytes_out);
    // rbldnsd: a query that a zone's acl ignores counts for the zone's octets and for the global errors only.
    Add(z.ok, t.kinds[Outcome::kAnswered]);
    Add(z.nxdomain, t.kinds[Outcome::kNxdomain]);
    Add(z.error, t.kinds[Outcome::kError]);
  };
  for (const answer::Request& r : requests) {
    kinds[r.outcome.kind]++;
    truncated += r.response_size > 2 && (r.response[2] & kTruncatedBit) != 0;
    bytes_in += r.wire.size();
    bytes_out += r.response_size;
    if (r.outcome.zone != zone) {
      settle();
      zone = r.outcome.zone;
    }
    tally.kinds[r.outcome.kind]++;
    tally.bytes_in += r.wire.size();
    tally.bytes_out += r.response_size;
  }
  settle();
  Add(totals->queries, requests.size());
  Add(totals->bytes_in, bytes_in);
  Add(totals->bytes_out, bytes_out);
  Add(totals->answered, kinds[Outcome::kAnswered]);
  Add(totals->nxdomain, kinds[Outcome::kNxdomain]);
  Add(totals->errors, kinds[Outcome::kError]);
  Add(totals->dropped, kinds[Outcome::kDropped]);
  Add(totals->truncated, truncated);
}

void Worker::Log(const answer::Request& r, const sockaddr_storage* peer) {
  QueryRecord record;
  record.when_unix = r.now_unix;
  record.qtype = r.outcome.qtype;
  record.qclass = r.outcome.qclass;
  record.rcode = r.outcome.rcode;
  record.answer_count = r.outcome.answer_count;
  record.reply_bytes = static_cast<uint32_t>(r.response_size);
  record.client_is_v4 = r.client.is_v4;
  record.client_is_mapped = r.client.is_v4 && peer && peer->ss_family == AF_INET6;
  record.client4 = r.client.v4;
  record.client6 = r.client.v6;
  record.qname_bytes = r.outcome.qname_bytes;
  constexpr size_t kQuestion = 12;
  if (kQuestion + record.qname_bytes > r.wire.size()) record.qname_bytes = 0;
  std::memcpy(record.qname, r.wire.data() + kQuestion, record.qname_bytes);
  ring_->Push(record);
}

void Worker::Handle(std::span<io::Packet> packets) {
  const uint32_t now = CoarseNow();
  for (size_t i = 0; i < packets.size(); i++) {
    const io::Packet& p = packets[i];
    answer::Request& r = requests_[i];
    r.wire = p.request;
    r.client = ClientOf(p.peer);
    r.tcp = p.tcp;
    r.now_unix = now;
    r.response = p.response;
    r.response_size = 0;
    r.outcome = {};
  }
  std::span<answer::Request> requests(requests_.data(), packets.size());
  stats::WorkerCounters& totals = page_.worker(static_cast<uint32_t>(index_));
  {
    swap::ReadGuard generation(published_, index_);
    state_.ns_rotation = ns_rotation_[generation->number & 1];
    answer::AnswerBatch(generation->view, settings_, requests, state_);
    Count(*generation, requests, &totals);
  }
  unsigned delays = 0;
  for (size_t i = 0; i < packets.size(); i++) {
    packets[i].response_size = requests[i].response_size;
    packets[i].delay_ms = requests[i].outcome.delay_ms;
    delays |= requests[i].outcome.delay_ms;
  }
  delayed_ = delays != 0;
  if (ring_) {
    for (size_t i = 0; i < packets.size(); i++)
      if (requests[i].response_size > 0) Log(requests[i], packets[i].peer);
    ring_->Wake();
  }
}

}  // namespace mz::control
