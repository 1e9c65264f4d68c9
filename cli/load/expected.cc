// What the answers must be; the second half of queries.h. Here the server's code and the load tester meet.
#include <sys/socket.h>

#include <algorithm>
#include <ctime>

#include "cli/load/queries.h"
#include "format/dns/message.h"
#include "load/answer_hash.h"
#include "server/answer/answer.h"

namespace mz::cli {

namespace {

// Answers queries of the pool as the server would.
class Oracle {
 public:
  Oracle(const LoadArguments& a, const LoadQueries& q, const answer::Client& self)
      : a_(a),
        q_(q),
        self_(self),
        rotation_(q.image->view.zones().size()),
        settings_{.max_udp_bytes = a.max_udp_bytes, .version = {}, .server_id = {}},
        buffers_(answer::kBatch * answer::kMaxMessage),
        now_(static_cast<uint32_t>(std::time(nullptr))) {}

  // Calls take(query, message) for each from first to before last; an empty message is silence.
  template <typename Take>
  void Answer(uint32_t first, uint32_t last, bool tcp, Take take) {
    for (uint32_t begin = first; begin < last; begin += answer::kBatch) {
      const uint32_t n = std::min<uint32_t>(answer::kBatch, last - begin);
      answer::Request requests[answer::kBatch];
      for (uint32_t i = 0; i < n; i++)
        requests[i] = {.wire = q_.pool.message(begin + i),
                       .client = ClientOf(begin + i),
                       .tcp = tcp,
                       .now_unix = now_,
                       .response = std::span(buffers_).subspan(i * answer::kMaxMessage, answer::kMaxMessage)};
      answer::WorkerState state{.record_rotation = 0, .ns_rotation = rotation_};
      answer::AnswerBatch(q_.image->view, settings_, {requests, n}, state);
      for (uint32_t i = 0; i < n; i++)
        take(begin + i, std::span<const uint8_t>(requests[i].response.first(requests[i].response_size)));
    }
  }

 private:
  answer::Client ClientOf(uint32_t query) const {
    if (q_.clients.empty()) return self_;
    const load::Address& c = q_.clients[query];
    return c.is_v4 ? answer::Client::FromV4(c.v4) : answer::Client::FromV6(c.v6);
  }

  const LoadArguments& a_;
  const LoadQueries& q_;
  answer::Client self_;
  std::vector<uint32_t> rotation_;
  answer::Settings settings_;
  std::vector<uint8_t> buffers_;
  uint32_t now_;
};

bool HasAcl(const image::View& view) {
  return view.header().global_acl != 0 || std::any_of(view.zones().begin(), view.zones().end(),
                                                      [](const image::ZoneRecord& z) { return z.acl != 0; });
}

// The address that the server sees us under, as far as this machine knows.
answer::Client OwnAddress(const load::Settings& s) {
  const UniqueFd fd(::socket(s.target.storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (s.source) ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&s.source->storage), s.source->bytes);
  sockaddr_storage own{};
  socklen_t bytes = sizeof own;
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&s.target.storage), s.target.bytes) != 0 ||
      ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&own), &bytes) != 0)
    return answer::Client::FromV4(0x7f000001);
  // The address lies 4 octets in (sockaddr_in) or 8 (sockaddr_in6).
  const auto* raw = reinterpret_cast<const uint8_t*>(&own);
  return own.ss_family == AF_INET ? answer::Client::FromV4(LoadBe32(raw + 4))
                                  : answer::Client::FromV6(net::Ip6::FromBytes(raw + 8));
}

}  // namespace

Status ExpectAnswers(const LoadArguments& a, LoadQueries* q) {
  const bool tcp = a.settings.transport == load::Transport::kTcp;
  if (tcp && !a.settings.proxy.empty() && HasAcl(q->image->view))
    return MakeStatus(
        StatusCode::kFailedPrecondition,
        "--verify: the image has an acl, and over TCP the client of --proxy belongs to the connection, not "
        "to the query; leave one of --tcp, --proxy, --verify out");
  Oracle oracle(a, *q, OwnAddress(a.settings));
  const auto count = static_cast<uint32_t>(q->pool.size());
  std::vector<uint32_t> long_ones;  // truncated over UDP, and then asked over TCP
  oracle.Answer(0, count, tcp, [&](uint32_t query, std::span<const uint8_t> message) {
    q->pool.Expect(query, message.empty() ? load::QueryPool::kSilence : load::AnswerHash(message));
    if (a.settings.retry_tcp && message.size() >= dns::kHeaderBytes &&
        (LoadBe16(&message[2]) & dns::kFlagTc) != 0)
      long_ones.push_back(query);
  });
  for (const uint32_t one : long_ones)
    oracle.Answer(one, one + 1, true, [&](uint32_t query, std::span<const uint8_t> message) {
      q->pool.Expect(query, load::AnswerHash(message));
    });
  const size_t before = q->sequence.size();
  std::erase_if(q->sequence,
                [&](uint32_t query) { return q->pool.expected(query) == load::QueryPool::kSilence; });
  q->left_out = before - q->sequence.size();
  if (q->sequence.empty())
    return MakeStatus(StatusCode::kFailedPrecondition,
                      "--verify: the image's acl lets the server ignore all queries");
  return absl::OkStatus();
}

std::string ExpectedMessage(const LoadArguments& a, const LoadQueries& q, uint32_t query) {
  std::string out;
  const bool tcp = a.settings.transport == load::Transport::kTcp;
  Oracle oracle(a, q, OwnAddress(a.settings));
  oracle.Answer(query, query + 1, tcp,
                [&](uint32_t, std::span<const uint8_t> m) { out.assign(m.begin(), m.end()); });
  return out;
}

}  // namespace mz::cli
