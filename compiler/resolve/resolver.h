// Asking the DNS: one interface, and behind it libunbound, a recording, or a replay.
//
//   std::unique_ptr<Resolver> r = MakeUnboundResolver(options).value();
//   r->Ask({wire_name, kTypeTxt}, [&](const Question& q, Answer a) { ... });   // may Ask() more
//   while (r->pending() > 0) r->Process(100);
//
// One thread: callbacks run inside Process(). Every question gets exactly one answer, at the latest when its deadline is
// over. At most `max_in_flight` questions are on their way; the rest wait inside in the order asked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace mz::resolve {

struct Question {
  std::string name;    // wire form without root octet, lower case
  uint16_t type = 0;
  friend bool operator==(const Question&, const Question&) = default;
  friend auto operator<=>(const Question&, const Question&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const Question& q) { return H::combine(std::move(h), q.name, q.type); }
};

struct Answer {
  enum Kind : uint8_t {
    kData,        // at least one record of the type
    kNoData,      // the name exists, or a CNAME leads to a name without the type
    kNxDomain,
    kFailed,      // SERVFAIL, REFUSED, bad message, no answer in time: ask again later
    kBogus,       // DNSSEC validation says no (only with validation on)
  };
  Kind kind = kFailed;
  bool secure = false;               // validated
  uint32_t ttl = 0;                  // seconds; kNoData, kNxDomain: of the denial
  // RDATA in wire form, names uncompressed, sorted and without duplicates (an answer is a set, RFC 2181 section 5).
  std::vector<std::string> rdata;
  std::string reason;                // kFailed, kBogus: "timeout", "SERVFAIL", "bogus: ..."
  // What a compiler may conclude from: the same data, whatever the TTL.
  bool SameData(const Answer& o) const { return kind == o.kind && rdata == o.rdata; }
};

class Resolver {
 public:
  using Done = std::function<void(const Question&, Answer)>;
  virtual ~Resolver() = default;
  virtual void Ask(Question question, Done done) = 0;
  // Waits up to timeout_ms for something to happen and calls what is done. 0: looks only.
  virtual void Process(int timeout_ms) = 0;
  virtual size_t pending() const = 0;    // asked and not yet answered
  virtual int fd() const = 0;            // readable: call Process(0); -1: nothing to wait for
  // When Process() has something to do even if fd() stays silent (a deadline, an answer at hand), in milliseconds from
  // now; -1: never.
  virtual int NextDeadlineMs() const = 0;
};

struct ResolverOptions {
  std::vector<std::string> forwarders;   // "127.0.0.1@5601"; empty: the system's (resolv.conf)
  bool recursive = false;                // ask the authorities, no forwarder
  struct Stub { std::string zone, address; };
  std::vector<Stub> stubs;               // "example" -> "127.0.0.1@5600"
  bool tcp_only = false;
  bool validate = false;                 // DNSSEC, with the trust anchor file
  std::string trust_anchor_file;
  uint32_t max_in_flight = 128;          // measured: 256 overran default socket buffers
  uint32_t deadline_ms = 10'000;
  uint32_t attempts = 2;                 // of one question, within its deadline
};
// The first Ask() starts libunbound's thread, with all signals blocked. A question's deadline runs from the moment it leaves
// the queue. An answer may come from libunbound's cache of CNAMEs, otherwise every question is a new one on the wire.
// Errors: InvalidArgument (an address, a zone or a file that is none), FailedPrecondition (no memory, no resolv.conf).
StatusOr<std::unique_ptr<Resolver>> MakeUnboundResolver(const ResolverOptions& options);

// Passes everything through to `inner` and keeps every answer (the last one of a question asked twice). Close() writes them
// as JSON lines (answer_json.h), sorted by question, and publishes the file by rename; without Close() there is no file.
class RecordingResolver : public Resolver {
 public:
  RecordingResolver(std::unique_ptr<Resolver> inner, std::string path);
  ~RecordingResolver() override;
  void Ask(Question question, Done done) override;
  void Process(int timeout_ms) override;
  size_t pending() const override;
  int fd() const override;
  int NextDeadlineMs() const override;
  Status Close();   // errors: base/file.h

 private:
  struct Answers;
  std::unique_ptr<Resolver> inner_;
  std::string path_;
  std::unique_ptr<Answers> answers_;
};

// Answers from such a file; a question that is not in it is kFailed with the reason "not in the recording".
// Errors: base/file.h; InvalidArgument "FILE:LINE: ...".
StatusOr<std::unique_ptr<Resolver>> MakeReplayResolver(const std::string& path);
// The same with the text of a file; `name` is for errors.
StatusOr<std::unique_ptr<Resolver>> MakeReplayResolverFromText(std::string_view text, const std::string& name);

}  // namespace mz::resolve
