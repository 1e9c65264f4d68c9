// Builds query messages, for tools and tests.
//
//   MZ_ASSIGN_OR_RETURN(std::string name, ParseName("2.0.0.127.bl.example"));
//   std::string packet = BuildQuery(name, kTypeTxt, kClassIn, {.id = 7, .edns = EdnsQuery{.udp_bytes =
//   1232}});
//
// Anything may be asked for, broken things too: the fields go to the wire as they are. Allocates; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "format/dns/message.h"

namespace mz::dns {

struct EdnsQuery {
  uint16_t udp_bytes = 1232;
  uint8_t version = 0;
  uint16_t flags = 0;  // kEdnsDnssecOk
  std::vector<std::pair<uint16_t, std::string>> options;
};

struct QueryOptions {
  uint16_t id = 0;
  uint16_t flags = 0;  // header word: kFlagRd, opcode << 11 ...
  std::optional<EdnsQuery> edns;
};

// `name`: relative wire form.
std::string BuildQuery(std::string_view name, uint16_t type, uint16_t qclass, const QueryOptions& options);
// The OPT record alone, to be appended to a message whose ARCOUNT the caller counts.
std::string BuildOpt(const EdnsQuery& edns);

// "TXT", "txt", "TYPE257", "257". Errors: InvalidArgument.
StatusOr<uint16_t> ParseType(std::string_view text);
// "IN", "CLASS3", "3". Errors: InvalidArgument.
StatusOr<uint16_t> ParseClass(std::string_view text);

}  // namespace mz::dns
