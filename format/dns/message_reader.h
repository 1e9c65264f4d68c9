// Reads whole DNS messages, answers above all, for tools and tests; prints them as dig does.
//
//   MZ_ASSIGN_OR_RETURN(Message m, ReadMessage(packet));
//   for (const Record& r : m.answer) std::puts(RecordText(r).c_str());
//   std::fputs(MessageText(m).c_str(), stdout);
//
// Any bytes are safe. Names are decompressed, in owners and in the RDATA of the types that RFC 1035 lets
// compress; pointers must point backward, at most 127 in a name. Errors: DataLoss, with the offset.
// Allocates; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "format/dns/message.h"

namespace mz::dns {

struct Question {
  std::string name;  // relative wire form, case as on the wire
  uint16_t type = 0, qclass = 0;
};

struct Record {
  std::string name;
  uint16_t type = 0, rclass = 0;
  uint32_t ttl = 0;
  std::string rdata;  // names inside are decompressed, with root octet
};

struct MessageEdns {
  uint16_t udp_bytes = 0;
  uint8_t version = 0;
  uint8_t extended_rcode = 0;
  uint16_t flags = 0;
  std::vector<std::pair<uint16_t, std::string>> options;
};

struct Message {
  uint16_t id = 0;
  uint16_t flags = 0;  // HeaderFlags
  std::vector<Question> question;
  std::vector<Record> answer, authority, additional;  // OPT is not among them
  std::optional<MessageEdns> edns;
  size_t bytes = 0;           // of the whole message
  size_t trailing_bytes = 0;  // behind the last record

  uint8_t opcode() const { return static_cast<uint8_t>((flags & kOpcodeMask) >> 11); }
  uint16_t rcode() const {
    return static_cast<uint16_t>((flags & kRcodeMask) | (edns ? edns->extended_rcode << 4 : 0));
  }
  bool Has(HeaderFlags flag) const { return (flags & flag) != 0; }
};

StatusOr<Message> ReadMessage(std::span<const uint8_t> wire);

// "name. 2100 IN TXT \"text\"", names with a trailing dot; unknown types as RFC 3597 says.
std::string RecordText(const Record& record);
// The RDATA part of it.
std::string RdataText(const Record& record);
// Header, question, sections, EDNS, size; the layout of dig.
std::string MessageText(const Message& message);

}  // namespace mz::dns
