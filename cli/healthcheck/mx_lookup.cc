// See mx_lookup.h.
#include "cli/healthcheck/mx_lookup.h"

#include <algorithm>

#include "base/endian.h"
#include "format/dns/message.h"
#include "format/dns/name.h"
#include "format/net/address.h"

namespace mz::cli {
namespace {

using resolve::Answer;
using resolve::Question;

constexpr size_t kMaxExchangers = 20;

std::vector<Answer> AskAll(const std::vector<Question>& questions, resolve::Resolver* resolver) {
  std::vector<Answer> answers(questions.size());
  for (size_t k = 0; k < questions.size(); ++k)
    resolver->Ask(questions[k], [&answers, k](const Question&, Answer a) { answers[k] = std::move(a); });
  while (resolver->pending() > 0) resolver->Process(100);
  return answers;
}

bool Failed(const Answer& a) { return a.kind == Answer::kFailed || a.kind == Answer::kBogus; }

Status NoAnswer(std::string_view domain, std::string_view type, const Answer& a) {
  return MakeStatus(StatusCode::kUnavailable, std::string(type) + " of " + std::string(domain) + ": " +
                                                  (a.reason.empty() ? "the DNS does not answer" : a.reason));
}

std::string AddressText(uint16_t type, const std::string& rdata) {
  const auto* octets = reinterpret_cast<const uint8_t*>(rdata.data());
  if (type == dns::kTypeA && rdata.size() == 4) return net::ToString(LoadBe32(octets));
  if (type == dns::kTypeAaaa && rdata.size() == 16) return net::ToString(net::Ip6::FromBytes(octets));
  return "";
}

}  // namespace

StatusOr<std::vector<Exchanger>> FindExchangers(std::string_view domain, resolve::Resolver* resolver) {
  MZ_ASSIGN_OR_RETURN(std::string name, dns::ParseName(domain));
  dns::LowerName(&name);
  const Answer mx = AskAll({{name, dns::kTypeMx}}, resolver)[0];
  if (Failed(mx)) return NoAnswer(domain, "MX", mx);
  if (mx.kind == Answer::kNxDomain)
    return MakeStatus(StatusCode::kInvalidArgument, "the domain " + std::string(domain) + " does not exist");
  std::vector<Exchanger> hosts;
  for (const std::string& rdata : mx.rdata) {
    if (rdata.size() < 3) continue;
    std::string host = rdata.substr(2);
    if (host.ends_with('\0')) host.pop_back();
    if (host.empty())
      return MakeStatus(StatusCode::kInvalidArgument, std::string(domain) + " accepts no mail: it has a null MX");
    dns::LowerName(&host);
    hosts.push_back({LoadBe16(reinterpret_cast<const uint8_t*>(rdata.data())), dns::NameText(host), {}});
  }
  if (mx.kind == Answer::kNoData) hosts.push_back({0, dns::NameText(name), {}});
  std::stable_sort(hosts.begin(), hosts.end(),
                   [](const Exchanger& a, const Exchanger& b) { return a.preference < b.preference; });
  if (hosts.size() > kMaxExchangers) hosts.resize(kMaxExchangers);

  std::vector<Question> questions;
  for (const Exchanger& h : hosts) {
    MZ_ASSIGN_OR_RETURN(const std::string wire, dns::ParseName(h.host));
    for (uint16_t type : {dns::kTypeAaaa, dns::kTypeA}) questions.push_back({wire, type});
  }
  const std::vector<Answer> answers = AskAll(questions, resolver);
  const Answer* failed = nullptr;
  for (size_t k = 0; k < questions.size(); ++k) {
    if (Failed(answers[k])) failed = &answers[k];
    for (const std::string& rdata : answers[k].rdata)
      if (std::string text = AddressText(questions[k].type, rdata); !text.empty())
        hosts[k / 2].addresses.push_back(std::move(text));
  }
  std::erase_if(hosts, [](const Exchanger& h) { return h.addresses.empty(); });
  if (!hosts.empty()) return hosts;
  if (failed != nullptr) return NoAnswer(domain, "the mail servers' addresses", *failed);
  return MakeStatus(StatusCode::kInvalidArgument, "no mail server of " + std::string(domain) + " has an address");
}

}  // namespace mz::cli
