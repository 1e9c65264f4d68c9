// See spf_text.h.
#include "server/answer/spf_text.h"

#include "format/dns/txt.h"

namespace mz::answer {
namespace {

// More does not fit in any message, and lengths of RDATA have 16 bits.
constexpr size_t kMaxTextBytes = 65000;

// A name as it may stand in a domain-spec (RFC 7208 section 7.1): "%" and blanks are written as macros, octets
// that no macro can say as "%-", which makes the name one that does not exist. Returns the length.
size_t FormatSpfName(std::span<const uint8_t> wire, char* out) {
  char* p = out;
  for (size_t i = 0; i < wire.size();) {
    const size_t end = i + 1 + wire[i];
    if (i != 0) *p++ = '.';
    for (i++; i < end; i++) {
      const uint8_t c = wire[i];
      if (c > 0x20 && c < 0x7f && c != '%') {
        *p++ = static_cast<char>(c);
      } else {
        *p++ = '%';
        *p++ = c == '%' ? '%' : c == ' ' ? '_' : '-';
      }
    }
  }
  return static_cast<size_t>(p - out);
}

}  // namespace

bool AddSpfText(Search& search, const image::Text& text, const SpfName& name, unsigned first_label, uint32_t ttl) {
  if (text.holes == 0 || (name.has_address && name.is_v4)) {
    if (search.composer.AddShortText(text, ttl, name.ip4)) return true;
  }
  char address[net::kMaxAddressText];
  char asked[2 * dns::kMaxNameBytes];
  size_t address_bytes = 0, asked_bytes = 0;
  size_t total = text.bytes;
  for (const Le16& hole : image::Holes(text)) {
    if (hole & image::kHoleQueryName) {
      if (asked_bytes == 0) {
        const Job& job = search.job;
        asked_bytes = FormatSpfName({job.Labels(first_label), job.LabelBytes(first_label, job.labels())}, asked);
      }
      total += asked_bytes;
    } else {
      if (!name.has_address) return false;
      if (address_bytes == 0)
        address_bytes = name.is_v4 ? net::FormatIp4(name.ip4, address) : net::FormatIp6(name.ip6, address);
      total += address_bytes;
    }
  }
  dns::ResponseWriter& writer = search.composer.writer();
  if (total == 0 || total > kMaxTextBytes) {
    if (total != 0) writer.MarkOverflow();
    return true;
  }
  const size_t rdata_bytes = dns::TxtRdataBytes(total);
  uint8_t* rdata = writer.StartAnswer(rdata_bytes);
  if (rdata == nullptr) return true;
  dns::TxtWriter out(rdata, total);
  const uint8_t* literal = image::Literal(text);
  size_t done = 0;
  for (const Le16& hole : image::Holes(text)) {
    const size_t place = hole & ~unsigned{image::kHoleQueryName};
    out.Put(literal + done, place - done);
    if (hole & image::kHoleQueryName) {
      out.Put(asked, asked_bytes);
    } else {
      out.Put(address, address_bytes);
    }
    done = place;
  }
  out.Put(literal + done, text.bytes - done);
  writer.CommitAnswer(dns::kTypeTxt, ttl, rdata_bytes);
  search.composer.Chose(dns::kTypeTxt);
  return true;
}

}  // namespace mz::answer
