// Turns stored answer material into records of the response: values, generic RRsets, SOA and NS blocks.
//
//   Composer composer(view, writer, qtype, profile);
//   composer.AddValues(result, ttl, subject);       // A and TXT, filtered by the query type
//
// Nothing here decides whether a name exists; that is answer.cc's part. One composer per response.
#pragma once

#include <cstdint>

#include "format/dns/name_limits.h"
#include "format/dns/response_writer.h"
#include "format/image/view.h"
#include "format/net/address.h"
#include "server/answer/answer.h"

namespace mz::answer {

// What the holes of a TXT template are filled with. The text is made at its first use.
class Subject {
 public:
  explicit Subject(net::Ip4 address) : kind_(kIp4), ip4_(address) {}
  explicit Subject(const net::Ip6& address) : kind_(kIp6), ip6_(&address) {}
  explicit Subject(std::span<const uint8_t> name) : kind_(kName), name_(name) {}
  explicit Subject(const Client& client)
      : kind_(client.is_v4 ? kIp4 : kIp6), ip4_(client.v4), ip6_(&client.v6) {}

  bool is_ip4() const { return kind_ == kIp4; }
  net::Ip4 ip4() const { return ip4_; }
  const char* data() {
    if (size_ == 0) Format();
    return text_;
  }
  size_t size() {
    if (size_ == 0) Format();
    return size_;
  }

 private:
  enum Kind : uint8_t { kIp4, kIp6, kName };
  void Format();

  Kind kind_;
  net::Ip4 ip4_ = 0;
  const net::Ip6* ip6_ = nullptr;
  std::span<const uint8_t> name_;
  size_t size_ = 0;  // 0: not made yet; no subject is empty
  char text_[4 * dns::kMaxNameBytes];
};

inline constexpr size_t kStoredRecordHeader = 10;  // type, class, TTL, RDLENGTH of layout.h's RrsetHeader

class Composer {
 public:
  Composer(const image::View& view, dns::ResponseWriter& writer, uint16_t qtype)
      : view_(view),
        writer_(writer),
        qtype_(qtype),
        any_is_all_((view.profile() & image::kProfileAnyAll) != 0) {}

  dns::ResponseWriter& writer() { return writer_; }

  // All values of a result, A before TXT.
  void AddValues(uint32_t result, uint32_t ttl, Subject& subject);
  void AddValue(const image::Value& value, uint32_t ttl, Subject& subject);
  // One character-string with at most one hole, for an IPv4 address: written in place, without measuring it first. False:
  // not such a text, or no room to spare; nothing was added.
  bool AddShortText(const image::Text& text, uint32_t ttl, net::Ip4 subject);
  // The records of a generic owner; several of one type start at a place that moves on with each use.
  void AddRrset(const image::RrsetHeader& rrset, WorkerState& state);

  // A pre-encoded block whose names point at the apex `apex_offset` octets into the message. With `glue` its
  // A records go to the additional section. False when it does not fit (nothing is written then).
  bool AddBlock(const image::AuthorityBlock& block, dns::Section section, bool glue, size_t apex_offset,
                uint8_t** records = nullptr);
  bool AddSoa(const image::ZoneRecord& zone, dns::Section section, uint32_t ttl, size_t apex_offset);

  // True when a record of this type belongs into the answer. RFC 8482 section 4.1: of ANY, without rbldnsd's
  // "all", only the first RRset that comes along.
  bool Wants(uint16_t type) const {
    if (qtype_ == type) return true;
    return qtype_ == dns::kTypeAny && (any_is_all_ || only_type_ == 0 || only_type_ == type);
  }
  void Chose(uint16_t type) {
    if (only_type_ == 0) only_type_ = type;
  }

 private:
  void AddText(const image::Text& text, uint32_t ttl, Subject& subject);

  const image::View& view_;
  dns::ResponseWriter& writer_;
  uint16_t qtype_;
  uint16_t only_type_ = 0;
  bool any_is_all_;
};

}  // namespace mz::answer
