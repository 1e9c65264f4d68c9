// Text forms of what an image holds, shared by dump, dump_bind and diff. Requires everywhere: a fully
// verified view.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "format/image/view.h"

namespace mz::image {

// Receives text in pieces that end with a line.
using TextSink = std::function<void(std::string_view)>;

// Collects lines and passes them on in pieces of some ten kilobytes.
class LineWriter {
 public:
  explicit LineWriter(const TextSink& sink) : sink_(sink) {}
  ~LineWriter() { Flush(); }
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;
  void Line(std::initializer_list<std::string_view> parts) {
    for (std::string_view p : parts) buffer_ += p;
    buffer_ += '\n';
    if (buffer_.size() >= 65536) Flush();
  }
  void Flush() {
    if (!buffer_.empty()) sink_(buffer_);
    buffer_.clear();
  }

 private:
  const TextSink& sink_;
  std::string buffer_;
};

std::string_view KindText(uint8_t kind);

// The TXT content that a query gets whose subject (address, listed name, client) is `subject`.
std::string ExpandText(const Text& text, std::string_view subject);

// A template as ResultText() writes it: TXT "..." or TXT/255 "..."; those of SPF programs without a word in front, the
// place of the query name as "${name}".
std::string TemplateText(const Text& text);
bool SameText(const Text& a, const Text& b);

// "A 127.0.0.2 TXT \"listed: $\"", values joined by " + ", acl actions as words, 0 as "excluded". Holes are
// written "$", literal dollars "$$", octets outside printable ASCII and " and \ as in master files (RFC 1035
// section 5.1). A TXT that is split into several strings instead of cut at 254 octets is written TXT/255.
std::string ResultText(const View& view, uint32_t result);
bool SameResult(const View& a, uint32_t result_a, const View& b, uint32_t result_b);

// "\"...\"" as in master files.
std::string QuotedText(std::string_view octets);

// Absolute presentation form of a relative wire name: "a.b.", the empty name ".".
std::string AbsoluteName(std::string_view wire);

// A generic record's data in presentation form; unknown types as in RFC 3597 section 5.
std::string RdataText(uint16_t type, std::string_view rdata);

// One record of an RrsetHeader. Views into the image.
struct GenericRr {
  uint16_t type;
  uint32_t ttl;
  std::string_view rdata;
};
std::vector<GenericRr> DecodeRrset(const RrsetHeader& rrset);

// One record of an AuthorityBlock with its names complete (relative wire form).
struct AuthorityRr {
  std::string owner;
  uint16_t type = 0;  // SOA, NS, A
  uint32_t ttl = 0;
  std::vector<std::string> names;  // SOA: MNAME, RNAME; NS: NSDNAME
  std::vector<uint32_t> numbers;   // SOA: SERIAL, REFRESH, RETRY, EXPIRE, MINIMUM; A: the address
};
std::vector<AuthorityRr> DecodeAuthority(const AuthorityBlock& block, std::string_view apex);
// "soa TTL MNAME RNAME SERIAL ...", "ns TTL NAME", "glue TTL NAME ADDRESS", as the first rotation has them.
std::vector<std::string> AuthorityLines(const View& view, const ZoneRecord& zone);

// The names of every scope, found by one pass over the index. 4 bytes a name.
class ScopeNames {
 public:
  explicit ScopeNames(const View& view);
  // kNodes offsets of the scope's records in canonical order (RFC 4034 section 6.1): parents before children.
  std::span<const uint32_t> Sorted(uint32_t scope) const;

 private:
  std::vector<uint32_t> records_;
  std::map<uint32_t, std::pair<size_t, size_t>> ranges_;  // scope -> begin, size
};

// Canonical order of relative wire names: compared label by label from the right.
int CompareCanonical(std::span<const uint8_t> a, std::span<const uint8_t> b);

// Relative presentation form; "@" for the scope's own apex.
std::string RelativeName(const NameRecord& r);

inline std::string_view NameView(const NameRecord& r) {
  return {reinterpret_cast<const char*>(&r + 1), r.name_bytes};
}

}  // namespace mz::image
