// See offline_query.h.
#include "cli/offline_query.h"

#include <vector>

#include "format/dns/query_builder.h"

namespace mz::cli {

std::string AskImage(const image::View& view, const OfflineQuery& query, const answer::Settings& settings) {
  dns::QueryOptions options{.id = query.id, .flags = dns::kFlagRd, .edns = {}};
  if (query.edns_bytes) {
    options.edns = dns::EdnsQuery{.udp_bytes = *query.edns_bytes};
    if (query.dnssec_ok) options.edns->flags |= dns::kEdnsDnssecOk;
    if (query.nsid) options.edns->options.emplace_back(uint16_t{dns::kOptionNsid}, std::string());
  }
  std::string packet = dns::BuildQuery(query.name, query.type, query.qclass, options);
  std::vector<uint8_t> wire(packet.begin(), packet.end());
  std::vector<uint8_t> response(answer::kMaxMessage);
  std::vector<uint32_t> rotation(view.zones().size());
  answer::WorkerState state{.record_rotation = 0, .ns_rotation = rotation};
  answer::Request request{.wire = wire,
                          .client = query.client,
                          .tcp = query.tcp,
                          .now_unix = query.now_unix,
                          .response = response,
                          .response_size = 0,
                          .outcome = {}};
  answer::AnswerBatch(view, settings, {&request, 1}, state);
  return std::string(response.begin(), response.begin() + static_cast<ptrdiff_t>(request.response_size));
}

StatusOr<answer::Client> ParseClient(std::string_view text) {
  if (std::optional<net::Ip4> v4 = net::ParseIp4(text)) return answer::Client::FromV4(*v4);
  if (std::optional<net::Ip6> v6 = net::ParseIp6(text)) return answer::Client::FromV6(*v6);
  return MakeStatus(StatusCode::kInvalidArgument, "'" + std::string(text) + "' is not an IP address");
}

}  // namespace mz::cli
