// Presentation of messages and records; see message_reader.h.
#include <algorithm>

#include "base/endian.h"
#include "format/dns/message_reader.h"
#include "format/dns/name.h"
#include "format/net/address.h"

namespace mz::dns {
namespace {

std::string AbsoluteName(std::string_view wire) {
  return wire.empty() || wire[0] == '\0' ? "." : NameText(wire) + ".";
}

// The mnemonics people expect from a DNS tool; NameText()'s family keeps rbldnsd's spelling for logs.
std::string StandardType(uint16_t type) {
  switch (type) {
    case 0:
      return "TYPE0";
    case 23:
      return "NSAP-PTR";
    case 256:
      return "URI";
    case 257:
      return "CAA";
    default: {
      const std::string text = TypeText(type);
      return text.starts_with("type") ? "TYPE" + std::to_string(type) : text;
    }
  }
}

std::string StandardClass(uint16_t value) {
  const std::string text = ClassText(value);
  return value == 0 || text.starts_with("class") ? "CLASS" + std::to_string(value) : text;
}

std::string StandardRcode(uint16_t rcode) { return rcode == kNotImp ? "NOTIMP" : RcodeText(rcode); }

std::string CharString(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const uint8_t octet = static_cast<uint8_t>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (octet < 32 || octet > 126) {
      const char digits[] = {'\\', static_cast<char>('0' + octet / 100),
                             static_cast<char>('0' + octet / 10 % 10), static_cast<char>('0' + octet % 10)};
      out.append(digits, 4);
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string Hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    out += kDigits[static_cast<uint8_t>(c) >> 4];
    out += kDigits[static_cast<uint8_t>(c) & 15];
  }
  return out;
}

// RFC 3597 section 5
std::string Generic(std::string_view rdata) {
  std::string out = "\\# " + std::to_string(rdata.size());
  return rdata.empty() ? out : out + ' ' + Hex(rdata);
}

// Splits the name at the start of `rdata` off; it ends with its root octet.
std::string_view TakeName(std::string_view* rdata) {
  size_t end = 0;
  while (end < rdata->size() && (*rdata)[end] != '\0') end += 1u + static_cast<uint8_t>((*rdata)[end]);
  end = std::min(end + 1, rdata->size());
  std::string_view name = rdata->substr(0, end);
  rdata->remove_prefix(end);
  return name;
}

std::string TextRdata(std::string_view rdata) {
  std::string out;
  std::string_view rest = rdata;
  while (!rest.empty()) {
    const size_t length = static_cast<uint8_t>(rest[0]);
    if (length >= rest.size()) return Generic(rdata);
    if (!out.empty()) out += ' ';
    out += CharString(rest.substr(1, length));
    rest.remove_prefix(1 + length);
  }
  return out.empty() ? Generic(rdata) : out;
}

std::string SoaRdata(std::string_view rdata) {
  std::string_view rest = rdata;
  std::string out = AbsoluteName(TakeName(&rest));
  out += ' ' + AbsoluteName(TakeName(&rest));
  if (rest.size() != 20) return Generic(rdata);
  for (int i = 0; i < 5; i++) out += ' ' + std::to_string(LoadBe32(rest.data() + 4 * i));
  return out;
}

std::string OptionText(uint16_t code, std::string_view data) {
  switch (code) {
    case kOptionNsid:
      return "; NSID: " + Hex(data) + " (" + CharString(data) + ")\n";
    case kOptionExtendedError: {
      if (data.size() < 2) break;
      std::string out = "; EDE: " + std::to_string(LoadBe16(data.data()));
      if (data.size() > 2) out += ": " + CharString(data.substr(2));
      return out + '\n';
    }
    default:
      break;
  }
  return "; OPT=" + std::to_string(code) + ": " + Hex(data) + '\n';
}

void AddSection(std::string* out, std::string_view title, const std::vector<Record>& records) {
  if (records.empty()) return;
  *out += "\n;; " + std::string(title) + " SECTION:\n";
  for (const Record& r : records) *out += RecordText(r) + '\n';
}

std::string FlagsText(const Message& m) {
  static constexpr std::pair<HeaderFlags, const char*> kNames[] = {
      {kFlagQr, " qr"}, {kFlagAa, " aa"}, {kFlagTc, " tc"}, {kFlagRd, " rd"},
      {kFlagRa, " ra"}, {kFlagZ, " z"},   {kFlagAd, " ad"}, {kFlagCd, " cd"}};
  std::string out;
  for (auto [flag, text] : kNames)
    if (m.Has(flag)) out += text;
  return out;
}

}  // namespace

std::string RdataText(const Record& r) {
  std::string_view rdata = r.rdata;
  switch (r.type) {
    case kTypeA:
      if (rdata.size() != 4) break;
      return net::ToString(net::Ip4{LoadBe32(rdata.data())});
    case kTypeAaaa:
      if (rdata.size() != 16) break;
      return net::ToString(net::Ip6::FromBytes(reinterpret_cast<const uint8_t*>(rdata.data())));
    case kTypeNs:
    case kTypeCname:
    case kTypePtr:
      return AbsoluteName(rdata);
    case kTypeMx:
      if (rdata.size() < 3) break;
      return std::to_string(LoadBe16(rdata.data())) + ' ' + AbsoluteName(rdata.substr(2));
    case kTypeSoa:
      return SoaRdata(rdata);
    case kTypeTxt:
      return TextRdata(rdata);
    default:
      break;
  }
  return Generic(rdata);
}

std::string RecordText(const Record& r) {
  return AbsoluteName(r.name) + ' ' + std::to_string(r.ttl) + ' ' + StandardClass(r.rclass) + ' ' +
         StandardType(r.type) + ' ' + RdataText(r);
}

std::string MessageText(const Message& m) {
  static constexpr const char* kOpcodes[] = {"QUERY",  "IQUERY", "STATUS", "OPCODE3",
                                             "NOTIFY", "UPDATE", "DSO"};
  std::string opcode =
      m.opcode() < std::size(kOpcodes) ? kOpcodes[m.opcode()] : "OPCODE" + std::to_string(m.opcode());
  std::string out = ";; ->>HEADER<<- opcode: " + opcode + ", status: " + StandardRcode(m.rcode()) +
                    ", id: " + std::to_string(m.id) + "\n;; flags:" + FlagsText(m) +
                    "; QUERY: " + std::to_string(m.question.size()) +
                    ", ANSWER: " + std::to_string(m.answer.size()) +
                    ", AUTHORITY: " + std::to_string(m.authority.size()) +
                    ", ADDITIONAL: " + std::to_string(m.additional.size() + (m.edns ? 1 : 0)) + "\n";
  if (m.edns) {
    out += "\n;; OPT PSEUDOSECTION:\n; EDNS: version: " + std::to_string(m.edns->version) +
           ", flags:" + (m.edns->flags & kEdnsDnssecOk ? " do" : "") +
           "; udp: " + std::to_string(m.edns->udp_bytes) + "\n";
    for (const auto& [code, data] : m.edns->options) out += OptionText(code, data);
  }
  if (!m.question.empty()) {
    out += "\n;; QUESTION SECTION:\n";
    for (const Question& q : m.question)
      out += ';' + AbsoluteName(q.name) + ' ' + StandardClass(q.qclass) + ' ' + StandardType(q.type) + '\n';
  }
  AddSection(&out, "ANSWER", m.answer);
  AddSection(&out, "AUTHORITY", m.authority);
  AddSection(&out, "ADDITIONAL", m.additional);
  return out + "\n;; MSG SIZE: " + std::to_string(m.bytes) + "\n";
}

}  // namespace mz::dns
