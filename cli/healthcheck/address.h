// Mail addresses and server addresses that a user gives: read strictly, so that nothing of them can become an SMTP
// command or a header field of its own.
//
//   MZ_ASSIGN_OR_RETURN(MailAddress to, ParseMailAddress("\"two words\"@müller.example"));
//   to.Text()      // "\"two words\"@xn--mller-kva.example"
//
// Errors are InvalidArgument with the likely fix. Any octets may come in.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

namespace mz::mail {

struct MailAddress {
  std::string local;   // as it stands in the address: a dot-atom, or a quoted-string
  std::string domain;  // A-labels in lower case, or an address literal with brackets
  std::string Text() const { return local + "@" + domain; }
  bool IsLiteral() const { return domain.starts_with('['); }
};

// RFC 5321 section 4.1.2, limits of section 4.5.3.1. A domain with other than ASCII characters becomes A-labels
// (IDNA, by libidn2); a local part must be ASCII, for what needs SMTPUTF8 would test that instead.
StatusOr<MailAddress> ParseMailAddress(std::string_view text);

// A host name with at least one label of letters, digits and hyphens, in A-labels and lower case.
StatusOr<std::string> ParseHostName(std::string_view text);

struct HostPort {
  std::string host;  // name or address, without brackets
  bool is_ipv6 = false;
  uint16_t port = 0;
  std::string Text() const { return (is_ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port); }
};
// "mx.example", "mx.example:2525", "192.0.2.1:25", "[2001:db8::1]:25", "2001:db8::1".
StatusOr<HostPort> ParseHostPort(std::string_view text, uint16_t default_port);

}  // namespace mz::mail
