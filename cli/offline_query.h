// Asks an image one question with the server's own code, without a socket.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "format/dns/message_reader.h"
#include "format/image/view.h"
#include "server/answer/answer.h"

namespace mz::cli {

struct OfflineQuery {
  std::string name;  // relative wire form
  uint16_t type = 1, qclass = 1;
  answer::Client client = answer::Client::FromV4(0x7f000001);
  bool tcp = false;
  std::optional<uint16_t> edns_bytes;  // size offered; none: no EDNS
  bool dnssec_ok = false, nsid = false;
  uint16_t id = 0;
  uint32_t now_unix = 0;
};

// The reply packet; empty when the server would stay silent.
std::string AskImage(const image::View& view, const OfflineQuery& query, const answer::Settings& settings);

// "127.0.0.1", "2001:db8::1". Errors: InvalidArgument.
StatusOr<answer::Client> ParseClient(std::string_view text);

}  // namespace mz::cli
