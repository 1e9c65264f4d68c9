// The answer engine: bytes in, bytes out. UDP, TCP and `mailzone query` all call it.
//
//   Request r{.wire = packet, .client = Client::FromV4(ip), .now_unix = now, .response = buffer};
//   AnswerBatch(view, settings, {&r, 1}, state);
//   if (r.response_size != 0) send(r.response.first(r.response_size));       // 0: send nothing
//
// No allocation, no lock, no system call, no clock, no logging, no recursion; every loop is bounded by the
// message, by the depth of a name or by a constant. Requests and responses are spans owned by the caller and
// may not overlap. Any request bytes are safe. Any number of threads may answer from one view; each has its own
// WorkerState.
#pragma once

#include <cstdint>
#include <span>

#include "format/image/view.h"
#include "format/net/address.h"
#include "server/answer/express_plan.h"

namespace mz::answer {

// The longest DNS message, and so the most that a response buffer for TCP needs.
inline constexpr size_t kMaxMessage = 65535;

struct Client {
  bool is_v4 = true;
  net::Ip4 v4 = 0;
  net::Ip6 v6;
  // A v4-mapped IPv6 peer is an IPv4 client.
  static Client FromV4(net::Ip4 a) { return {true, a, {}}; }
  static Client FromV6(const net::Ip6& a) {
    if (net::IsV4Mapped(a)) return {true, static_cast<net::Ip4>(a.low), {}};
    return {false, 0, a};
  }
};

// What the operator may set without recompiling. Constant while workers run.
struct Settings {
  uint16_t max_udp_bytes = 1232;      // RFC 9715; the reply never exceeds it, nor what the client offered
  std::span<const uint8_t> version;   // CH TXT version.bind, version.server; empty: REFUSED
  std::span<const uint8_t> server_id; // CH TXT id.server, hostname.bind and NSID (RFC 5001); empty: REFUSED, no NSID
};

// For statistics and the query log.
struct Outcome {
  enum Kind : uint8_t {
    kDropped,    // nothing is sent, not even a malformed message was answered
    kAnswered,   // NOERROR, NODATA included
    kNxdomain,
    kError,      // any other RCODE
  };
  Kind kind = kDropped;
  uint16_t rcode = 0;          // extended RCODE included
  uint16_t answer_count = 0;
  uint16_t qtype = 0, qclass = 0;
  uint8_t qname_bytes = 0;     // wire length with root octet, at offset 12 of the request; 0 when unparsable
  int32_t zone = -1;           // index into View::zones(), -1: none
  uint16_t delay_ms = 0;       // healthcheck zones: the response is to be sent so much later
};

struct Request {
  std::span<const uint8_t> wire;
  Client client;
  bool tcp = false;
  uint32_t now_unix = 0;
  std::span<uint8_t> response;  // at least 512 octets for UDP; kMaxMessage for TCP, else long answers are cut (TC)
  size_t response_size = 0;     // set by Answer; 0: send nothing
  Outcome outcome;              // set by Answer
};

// Rotation counters of one worker (round robin of NS and generic records), as rbldnsd keeps them.
struct WorkerState {
  uint32_t record_rotation = 0;
  // One NS rotation counter per zone, indexed like View::zones(); owned by the caller, resized and zeroed at a
  // swap.
  std::span<uint32_t> ns_rotation;
  ExpressPlans express = {};  // the engine's own
};

inline constexpr size_t kBatch = 32;  // measured: batches of 32 hide the cache misses of 1,000,000 names

void Answer(const image::View& view, const Settings& settings, Request& request, WorkerState& state);
// The same results as Answer() on each in turn, with the lookups of up to kBatch requests overlapped.
void AnswerBatch(const image::View& view, const Settings& settings, std::span<Request> requests, WorkerState& state);
// Answer() without the express lane (express.h), which gives the same results sooner: for tests and benchmarks.
void AnswerGenerally(const image::View& view, const Settings& settings, Request& request, WorkerState& state);

}  // namespace mz::answer
