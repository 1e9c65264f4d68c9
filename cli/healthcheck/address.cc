// See address.h.
#include "cli/healthcheck/address.h"

#include <idn2.h>

#include <algorithm>
#include <charconv>

#include "format/net/address.h"

namespace mz::mail {
namespace {

constexpr size_t kMaxLocal = 64;     // RFC 5321 section 4.5.3.1.1
constexpr size_t kMaxAddress = 254;  // a path of 256 (section 4.5.3.1.3) without its angle brackets
constexpr size_t kMaxName = 253, kMaxLabel = 63;

bool IsLetterOrDigit(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }
bool IsAtomText(char c) {
  return IsLetterOrDigit(c) || std::string_view("!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos;
}
bool IsAscii(std::string_view s) {
  return std::all_of(s.begin(), s.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

Status Bad(std::string_view what) { return MakeStatus(StatusCode::kInvalidArgument, what); }

Status CheckLocal(std::string_view local) {
  if (local.empty()) return Bad("nothing stands before the @");
  if (local.size() > kMaxLocal)
    return Bad("the part before the @ has " + std::to_string(local.size()) + " octets; at most 64");
  if (!IsAscii(local))
    return Bad("the part before the @ is not ASCII: internationalised mailboxes are not supported");
  if (local.front() == '"') {  // quoted-string; RFC 5321 section 4.1.2
    if (local.size() < 2 || local.back() != '"') return Bad("the quoted part before the @ has no end");
    for (size_t k = 1; k + 1 < local.size(); ++k) {
      char c = local[k];
      if (c == '"') return Bad("a quote within the quoted part before the @ needs a backslash");
      if (c == '\\') {
        if (k + 2 >= local.size()) return Bad("the quoted part before the @ has no end");
        c = local[++k];
      }
      if (c < ' ' || c == 0x7f) return Bad("a control character before the @");
    }
    return absl::OkStatus();
  }
  if (local.front() == '.' || local.back() == '.' || local.find("..") != local.npos)
    return Bad(
        "a dot at the begin, at the end or doubled before the @; put quotes around it: \"a..b\"@example.org");
  for (char c : local) {
    if (c != '.' && !IsAtomText(c))
      return Bad(c <= ' ' || c == 0x7f
                     ? "a blank or control character before the @"
                     : "'" + std::string(1, c) + "' before the @ needs quotes: \"a,b\"@example.org");
  }
  return absl::OkStatus();
}

// "[192.0.2.1]", "[IPv6:2001:db8::1]".
StatusOr<std::string> ParseLiteral(std::string_view text) {
  if (text.size() > 2 && text.ends_with(']')) {
    std::string_view inner = text.substr(1, text.size() - 2);
    if (inner.size() > 5 && std::equal(inner.begin(), inner.begin() + 5,
                                       "ipv6:", [](char a, char b) { return (a | 0x20) == b || a == b; })) {
      if (auto address = net::ParseIp6(inner.substr(5))) return "[IPv6:" + net::ToString(*address) + "]";
    } else if (auto address = net::ParseIp4(inner)) {
      return "[" + net::ToString(*address) + "]";
    }
  }
  return Bad("'" + std::string(text.substr(0, 60)) + "' is no address literal: [192.0.2.1] or [IPv6:2001:db8::1]");
}

}  // namespace

StatusOr<std::string> ParseHostName(std::string_view text) {
  std::string name(text);
  if (name.find('\0') != name.npos) return Bad("a NUL in a domain name");
  if (name.ends_with('.')) name.pop_back();
  if (!IsAscii(name)) {
    char* ascii = nullptr;
    // Nontransitional UTS 46, as browsers and libcurl do.
    const int result = idn2_to_ascii_8z(name.c_str(), &ascii, IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT);
    if (result != IDN2_OK)
      return Bad("the domain is no internationalised name: " + std::string(idn2_strerror(result)));
    name = ascii;
    idn2_free(ascii);
  }
  if (name.empty()) return Bad("the domain is missing");
  if (name.size() > kMaxName) return Bad("the domain has " + std::to_string(name.size()) + " octets; at most 253");
  size_t label = 0;
  for (size_t k = 0; k <= name.size(); ++k) {
    if (k == name.size() || name[k] == '.') {
      if (label == 0) return Bad("the domain has an empty label");
      if (label > kMaxLabel)
        return Bad("the domain has a label of " + std::to_string(label) + " octets; at most 63");
      if (name[k - 1] == '-' || name[k - label] == '-')
        return Bad("a label of the domain begins or ends with a hyphen");
      label = 0;
    } else {
      if (!IsLetterOrDigit(name[k]) && name[k] != '-')
        return Bad("a character that is neither letter, digit nor hyphen in the domain, at position " +
                   std::to_string(k + 1));
      if (name[k] >= 'A' && name[k] <= 'Z') name[k] = static_cast<char>(name[k] - 'A' + 'a');
      ++label;
    }
  }
  return name;
}

StatusOr<MailAddress> ParseMailAddress(std::string_view text) {
  // The first @ outside of quotes.
  size_t at = 0;
  if (text.starts_with('"')) {
    for (at = 1; at < text.size() && text[at] != '"'; ++at)
      if (text[at] == '\\') ++at;
    at = std::min(at, text.size());
  }
  at = text.find('@', at);
  if (at == text.npos) return Bad("a mail address has an @");
  MailAddress out;
  MZ_RETURN_IF_ERROR(CheckLocal(text.substr(0, at)));
  out.local = text.substr(0, at);
  const std::string_view domain = text.substr(at + 1);
  if (domain.starts_with('[')) {
    MZ_ASSIGN_OR_RETURN(out.domain, ParseLiteral(domain));
  } else {
    MZ_ASSIGN_OR_RETURN(out.domain, ParseHostName(domain));
  }
  if (out.Text().size() > kMaxAddress) return Bad("the address has over 254 octets");
  return out;
}

StatusOr<HostPort> ParseHostPort(std::string_view text, uint16_t default_port) {
  HostPort out;
  out.port = default_port;
  std::string_view host = text, port;
  bool has_port = false;
  if (net::ParseIp6(text)) {
  } else if (text.starts_with('[')) {
    const size_t close = text.find(']');
    if (close == text.npos) return Bad("the ']' of an IPv6 address is missing");
    host = text.substr(1, close - 1);
    const std::string_view rest = text.substr(close + 1);
    has_port = !rest.empty();
    if (has_port && rest[0] != ':') return Bad("after ']' comes ':PORT' or nothing");
    if (has_port) port = rest.substr(1);
    if (!net::ParseIp6(host)) return Bad("'" + std::string(host.substr(0, 60)) + "' is no IPv6 address");
  } else if (const size_t colon = text.find(':'); colon != text.npos) {
    if (text.find(':', colon + 1) != text.npos)
      return Bad("an IPv6 address with a port needs brackets: [2001:db8::1]:25");
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
    has_port = true;
  }
  if (has_port) {
    unsigned value = 0;
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), value);
    if (error != std::errc() || end != port.data() + port.size() || value == 0 || value > 65535)
      return Bad("a port is a number from 1 to 65535");
    out.port = static_cast<uint16_t>(value);
  }
  if (auto address = net::ParseIp6(host)) {
    out.host = net::ToString(*address);
    out.is_ipv6 = true;
  } else if (auto v4 = net::ParseIp4(host)) {
    out.host = net::ToString(*v4);
  } else {
    MZ_ASSIGN_OR_RETURN(out.host, ParseHostName(host));
  }
  return out;
}

}  // namespace mz::mail
