// Resolver over libunbound's asynchronous interface (docs/decisions/0008-libunbound.md).
//
// libunbound resolves in a thread of its own and hands results over through a pipe. It knows no deadline and no bound on
// what is in flight: both are kept here. Results are taken out first and delivered afterwards, so that a callback may Ask().
#include <poll.h>
#include <signal.h>
#include <unbound.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "compiler/resolve/resolver.h"
#include "format/dns/message.h"
#include "format/dns/name.h"
#include "format/net/address.h"

namespace mz::resolve {
namespace {

using Clock = std::chrono::steady_clock;
using Ms = std::chrono::milliseconds;

// Between two attempts of one question: an upstream that is just restarting deserves a moment.
constexpr Ms kRetryPause{200};
// The longest sleep of Process(-1).
constexpr int kMaxWaitMs = 1000;

struct ContextDeleter {
  void operator()(ub_ctx* context) const { ub_ctx_delete(context); }
};
struct ResultDeleter {
  void operator()(ub_result* result) const { ub_resolve_free(result); }
};
using Context = std::unique_ptr<ub_ctx, ContextDeleter>;
using Result = std::unique_ptr<ub_result, ResultDeleter>;

// Reasons go to logs and state files: printable ASCII only.
std::string Printable(std::string_view text) {
  std::string out(text.substr(0, 300));
  for (char& c : out)
    if (c < 0x20 || c > 0x7e) c = '?';
  return out;
}

Answer Failure(std::string reason) {
  Answer answer;
  answer.kind = Answer::kFailed;
  answer.reason = std::move(reason);
  return answer;
}

Answer ToAnswer(const ub_result& result) {
  Answer answer;
  answer.ttl = result.ttl > 0 ? static_cast<uint32_t>(result.ttl) : 0;
  answer.secure = result.secure != 0;
  // A bogus answer still carries its data, so this comes first.
  if (result.bogus) {
    answer.kind = Answer::kBogus;
    answer.ttl = 0;
    answer.reason = "bogus: " + Printable(result.why_bogus != nullptr ? result.why_bogus : "DNSSEC validation failed");
    return answer;
  }
  if (result.rcode == dns::kNxDomain) {
    answer.kind = Answer::kNxDomain;
    return answer;
  }
  if (result.rcode != dns::kNoError) {
    std::string reason = dns::RcodeText(static_cast<uint16_t>(result.rcode));
    if (result.why_bogus != nullptr) reason += ": " + Printable(result.why_bogus);
    return Failure(std::move(reason));
  }
  if (!result.havedata) {
    answer.kind = Answer::kNoData;
    return answer;
  }
  answer.kind = Answer::kData;
  for (int i = 0; result.data[i] != nullptr; i++)
    answer.rdata.emplace_back(result.data[i], static_cast<size_t>(result.len[i]));
  std::sort(answer.rdata.begin(), answer.rdata.end());
  answer.rdata.erase(std::unique(answer.rdata.begin(), answer.rdata.end()), answer.rdata.end());
  return answer;
}

class UnboundResolver final : public Resolver {
 public:
  UnboundResolver(Context context, const ResolverOptions& options)
      : context_(std::move(context)),
        fd_(ub_fd(context_.get())),
        max_in_flight_(std::max(1u, options.max_in_flight)),
        attempts_(std::max(1u, options.attempts)),
        deadline_(options.deadline_ms) {}
  ~UnboundResolver() override {
    context_.reset();  // joins the thread; no callback after this
    for (auto& [id, call] : calls_) delete call;
  }

  void Ask(Question question, Done done) override {
    queue_.push_back({std::move(question), std::move(done)});
    Send();
  }

  void Process(int timeout_ms) override {
    Send();
    int wait_ms = timeout_ms < 0 ? kMaxWaitMs : timeout_ms;
    if (int next = NextDeadlineMs(); next >= 0) wait_ms = std::min(wait_ms, next);
    pollfd p{fd_, POLLIN, 0};
    if (poll(&p, 1, wait_ms) > 0 && ub_process(context_.get()) != 0) FailAll("libunbound has ended");
    Expire();
    Deliver();
    Send();
  }

  size_t pending() const override { return queue_.size() + flying_.size() + finished_.size(); }
  int fd() const override { return fd_; }

  int NextDeadlineMs() const override {
    if (!finished_.empty()) return 0;
    Clock::time_point next = Clock::time_point::max();
    if (!deadlines_.empty()) next = deadlines_.front().first;
    if (!retries_.empty()) next = std::min(next, retries_.front().first);
    if (next == Clock::time_point::max()) return -1;
    const Ms left = std::chrono::ceil<Ms>(next - Clock::now());
    return static_cast<int>(std::clamp<int64_t>(left.count(), 0, 1 << 30));
  }

 private:
  using Id = uint64_t;  // never used twice, so that a late result or list entry finds nothing
  struct Waiting {
    Question question;
    Done done;
  };
  struct Flying {
    Question question;
    Done done;
    Clock::time_point deadline;
    uint32_t attempts = 0;
    int handle = 0;  // libunbound's, while `sent`
    bool sent = false;
  };
  struct Finished {
    Question question;
    Done done;
    Answer answer;
  };
  // What libunbound gives back to OnResult(), which frees it; a cancelled one is freed here.
  using Call = std::pair<UnboundResolver*, Id>;

  static void OnResult(void* data, int error, ub_result* raw) {
    Result result(raw);
    std::unique_ptr<Call> call(static_cast<Call*>(data));
    call->first->Take(call->second, error, result.get());
  }

  void Take(Id id, int error, const ub_result* result) {
    auto it = flying_.find(id);
    if (it == flying_.end()) return;
    calls_.erase(id);
    it->second.sent = false;
    sent_--;
    const bool asked = error == 0 && result != nullptr;
    Answer answer = asked ? ToAnswer(*result) : Failure(std::string("cannot ask: ") + ub_strerror(error));
    if (asked && answer.kind == Answer::kFailed && it->second.attempts < attempts_) {
      const Clock::time_point at = Clock::now() + kRetryPause;
      if (at < it->second.deadline) {
        retries_.push_back({at, id});
        return;
      }
    }
    Finish(it, std::move(answer));
  }

  using FlyingMap = absl::flat_hash_map<Id, Flying>;
  void Finish(FlyingMap::iterator it, Answer answer) {
    finished_.push_back({std::move(it->second.question), std::move(it->second.done), std::move(answer)});
    flying_.erase(it);
    while (!deadlines_.empty() && !flying_.contains(deadlines_.front().second)) deadlines_.pop_front();
  }

  // Fills the free places, repeated attempts first.
  void Send() {
    const Clock::time_point now = retries_.empty() && queue_.empty() ? Clock::time_point{} : Clock::now();
    while (sent_ < max_in_flight_ && !retries_.empty() && retries_.front().first <= now) {
      const Id id = retries_.front().second;
      retries_.pop_front();
      if (auto it = flying_.find(id); it != flying_.end()) Start(it);
    }
    while (sent_ < max_in_flight_ && !queue_.empty()) {
      Waiting next = std::move(queue_.front());
      queue_.pop_front();
      const Id id = next_id_++;
      const Clock::time_point deadline = now + deadline_;
      deadlines_.push_back({deadline, id});
      Start(flying_.emplace(id, Flying{std::move(next.question), std::move(next.done), deadline}).first);
    }
  }

  void Start(FlyingMap::iterator it) {
    Flying& query = it->second;
    const std::string name = dns::NameText(query.question.name);
    auto call = std::make_unique<Call>(this, it->first);
    query.attempts++;
    // The thread that the first call starts must not take this process's signals.
    sigset_t all, before;
    if (!started_) {
      sigfillset(&all);
      pthread_sigmask(SIG_SETMASK, &all, &before);
    }
    const int error = ub_resolve_async(context_.get(), name.c_str(), query.question.type, dns::kClassIn, call.get(),
                                       &OnResult, &query.handle);
    if (!started_) pthread_sigmask(SIG_SETMASK, &before, nullptr);
    started_ = true;
    if (error != 0) {
      Finish(it, Failure(std::string("cannot ask: ") + ub_strerror(error)));
      return;
    }
    query.sent = true;
    sent_++;
    calls_.emplace(it->first, call.release());
  }

  void Expire() {
    const Clock::time_point now = Clock::now();
    while (!deadlines_.empty() && deadlines_.front().first <= now) {
      const Id id = deadlines_.front().second;
      deadlines_.pop_front();
      auto it = flying_.find(id);
      if (it == flying_.end()) continue;
      if (it->second.sent) Cancel(id, it->second.handle);
      Finish(it, Failure("timeout: no answer within " + std::to_string(deadline_.count()) + " ms"));
    }
  }

  void Cancel(Id id, int handle) {
    sent_--;
    auto call = calls_.find(id);
    // After a successful cancel the callback does not come any more.
    if (ub_cancel(context_.get(), handle) == 0 && call != calls_.end()) delete call->second;
    if (call != calls_.end()) calls_.erase(call);
  }

  void FailAll(const char* reason) {
    while (!flying_.empty()) {
      auto it = flying_.begin();
      if (it->second.sent) Cancel(it->first, it->second.handle);
      Finish(it, Failure(reason));
    }
  }

  void Deliver() {
    std::vector<Finished> batch;
    batch.swap(finished_);
    for (Finished& f : batch) f.done(f.question, std::move(f.answer));
  }

  Context context_;
  const int fd_;
  const size_t max_in_flight_;
  const uint32_t attempts_;
  const Ms deadline_;
  bool started_ = false;
  size_t sent_ = 0;  // at libunbound now
  Id next_id_ = 1;
  std::deque<Waiting> queue_;
  FlyingMap flying_;
  absl::flat_hash_map<Id, Call*> calls_;
  // Ascending, because every question has the same deadline and pause. Entries of finished questions are skipped.
  std::deque<std::pair<Clock::time_point, Id>> deadlines_, retries_;
  std::vector<Finished> finished_;
};

// "192.0.2.1", "2001:db8::1@5353": libunbound itself takes any port.
Status CheckAddress(const std::string& text, std::string_view what) {
  std::string_view address = text;
  bool good = true;
  if (const size_t at = address.find('@'); at != std::string_view::npos) {
    const std::string_view digits = address.substr(at + 1);
    unsigned port = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    good = error == std::errc() && end == digits.data() + digits.size() && port >= 1 && port <= 65535;
    address = address.substr(0, at);
  }
  good = good && (net::ParseIp4(address) || net::ParseIp6(address));
  if (good) return absl::OkStatus();
  return MakeStatus(StatusCode::kInvalidArgument, std::string(what) + " `" + Printable(text) +
                                                      "' is no address; write 192.0.2.1, 2001:db8::1 or 192.0.2.1@5353");
}

class Settings {
 public:
  explicit Settings(ub_ctx* context) : context_(context) {}
  void Set(const char* option, const std::string& value) {
    if (const int error = ub_ctx_set_option(context_, option, value.c_str()); error != 0 && status_.ok())
      status_ = MakeStatus(StatusCode::kFailedPrecondition, std::string("libunbound ") + ub_version() + " refuses " +
                                                                option + " " + value + ": " + ub_strerror(error));
  }
  const Status& status() const { return status_; }

 private:
  ub_ctx* context_;
  Status status_;
};

Status Configure(ub_ctx* context, const ResolverOptions& options) {
  Settings s(context);
  const uint32_t in_flight = std::max(1u, options.max_in_flight);
  // Nothing but what was asked for: no validator without validation, no probes, no prefetching.
  s.Set("module-config:", options.validate ? "validator iterator" : "iterator");
  s.Set("qname-minimisation:", "no");
  s.Set("target-fetch-policy:", "0 0 0 0 0");
  s.Set("prefetch:", "no");
  s.Set("minimal-responses:", "yes");
  s.Set("aggressive-nsec:", "no");
  s.Set("harden-below-nxdomain:", "no");
  s.Set("trust-anchor-signaling:", "no");
  s.Set("rrset-roundrobin:", "no");
  // Every question gets its own socket (and port) for as long as it is on its way; when they run out, libunbound queues.
  s.Set("outgoing-range:", std::to_string(2 * in_flight + 64));
  s.Set("num-queries-per-thread:", std::to_string(4 * in_flight + 64));
  s.Set("outgoing-num-tcp:", std::to_string(std::clamp(in_flight, 16u, 128u)));
  s.Set("edns-buffer-size:", "1232");
  if (options.tcp_only) s.Set("tcp-upstream:", "yes");
  s.Set("do-not-query-localhost:", "no");
  // An answer that was refreshed is one that the upstream gave now: the store keeps its own cache, with a memory for
  // failures that is better than five seconds of SERVFAIL.
  s.Set("msg-cache-size:", "0");
  s.Set("msg-cache-slabs:", "1");
  s.Set("rrset-cache-size:", "4m");
  s.Set("rrset-cache-slabs:", "1");
  s.Set("infra-cache-slabs:", "1");
  s.Set("key-cache-slabs:", "1");
  // An upstream that was silent is asked again within seconds, not minutes.
  s.Set("infra-host-ttl:", "60");
  s.Set("infra-keep-probing:", "yes");
  s.Set("infra-cache-max-rtt:", "2000");
  // Zones that a resolver for people answers by itself; here the configured upstream is the truth.
  s.Set("unblock-lan-zones:", "yes");
  s.Set("insecure-lan-zones:", "yes");
  for (const char* zone : {"localhost.", "test.", "invalid.", "onion.", "home.arpa.", "127.in-addr.arpa."})
    s.Set("local-zone:", std::string(zone) + " transparent");
  MZ_RETURN_IF_ERROR(s.status());
  ub_ctx_debugout(context, nullptr);

  for (const std::string& forwarder : options.forwarders) {
    MZ_RETURN_IF_ERROR(CheckAddress(forwarder, "forwarder"));
    if (options.recursive)
      return MakeStatus(StatusCode::kInvalidArgument, "forwarders and recursive resolution exclude each other");
    if (ub_ctx_set_fwd(context, forwarder.c_str()) != 0)
      return MakeStatus(StatusCode::kInvalidArgument, "forwarder `" + forwarder + "' is refused by libunbound");
  }
  if (options.forwarders.empty() && !options.recursive && ub_ctx_resolvconf(context, nullptr) != 0)
    return MakeStatus(StatusCode::kFailedPrecondition,
                      "/etc/resolv.conf cannot be read; name a forwarder, or choose recursive resolution");
  for (const ResolverOptions::Stub& stub : options.stubs) {
    MZ_RETURN_IF_ERROR(CheckAddress(stub.address, "stub address"));
    MZ_ASSIGN_OR_RETURN(const std::string zone, dns::ParseName(stub.zone));
    if (ub_ctx_set_stub(context, dns::NameText(zone).c_str(), stub.address.c_str(), 0) != 0)
      return MakeStatus(StatusCode::kInvalidArgument, "stub zone `" + Printable(stub.zone) + "' is refused by libunbound");
  }
  if (options.validate) {
    if (options.trust_anchor_file.empty())
      return MakeStatus(StatusCode::kInvalidArgument, "DNSSEC validation needs a trust anchor file");
    if (access(options.trust_anchor_file.c_str(), R_OK) != 0)
      return MakeStatus(StatusCode::kInvalidArgument, "trust anchor file " + options.trust_anchor_file + ": " +
                                                          std::string(Message(ErrnoStatus(errno, "cannot read"))));
    if (ub_ctx_add_ta_file(context, options.trust_anchor_file.c_str()) != 0)
      return MakeStatus(StatusCode::kInvalidArgument, "trust anchor file " + options.trust_anchor_file + " is refused");
  }
  if (ub_ctx_async(context, 1) != 0)
    return MakeStatus(StatusCode::kFailedPrecondition, "libunbound cannot work in a thread");
  return absl::OkStatus();
}

}  // namespace

StatusOr<std::unique_ptr<Resolver>> MakeUnboundResolver(const ResolverOptions& options) {
  Context context(ub_ctx_create());
  if (context == nullptr) return MakeStatus(StatusCode::kFailedPrecondition, "libunbound cannot start");
  MZ_RETURN_IF_ERROR(Configure(context.get(), options));
  return std::unique_ptr<Resolver>(new UnboundResolver(std::move(context), options));
}

}  // namespace mz::resolve
