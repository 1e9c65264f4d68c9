// One mail to one server: libcurl's SMTP behind one function, with all that a tester wants to know of the
// transaction.
//
//   SmtpRequest r{.server = {.host = "mx.example", .port = 25}, .helo = "hc.example", .mail_from = "a@hc.example",
//                 .rcpt_to = "b@example.org"};
//   SmtpResult result = SendMail(r, message.Text());
//
// What goes into `r` must have passed the checks of address.h: libcurl puts it into commands as it stands. Blocks;
// every wait is bounded. Any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/healthcheck/address.h"

namespace mz::mail {

enum class TlsMode : uint8_t {
  kNone,
  kOpportunistic,  // STARTTLS when offered, whatever the certificate; without TLS when the handshake fails
  kRequired,  // STARTTLS with a certificate that a known authority signed for the server's name, or nothing is
              // sent
};

struct SmtpRequest {
  HostPort server;
  std::vector<std::string>
      addresses;  // of server.host, when the caller knows them; empty: the system's resolver is asked
  std::string helo;
  std::string mail_from;  // "" is the null reverse-path
  std::string rcpt_to;
  TlsMode tls = TlsMode::kOpportunistic;
  std::string ca_file;  // PEM; "": the system's
  std::string source;   // local address to send from; "": any
  unsigned connect_seconds = 30;
  unsigned reply_seconds = 300;  // RFC 5321 section 4.5.3.2 asks for 5 minutes; a receiver may wait for silent DNS
  // Called with each line of the dialogue, without line end: '>' client, '<' server, '*' what happens to the
  // connection.
  std::function<void(char, std::string_view)> transcript;
};

struct SmtpResult {
  enum Kind : uint8_t {
    kAccepted,
    kRejected,     // 5xx
    kTemporary,    // 4xx
    kUnreachable,  // no connection, no answer in time, connection lost
    kTls,          // TlsMode::kRequired cannot be met; nothing was sent
  };
  Kind kind = kUnreachable;
  int code = 0;         // last reply code; 0: none
  std::string reply;    // its lines, joined by " / "
  std::string stage;    // what was answered: "connection", "EHLO", "MAIL FROM", "RCPT TO", "DATA", "message"
  std::string error;    // kUnreachable, kTls: what went wrong
  std::string address;  // of the server
  bool tls = false;
  std::string tls_error;    // why an offered TLS was not used
  std::string certificate;  // "trusted", or what is wrong with it; "" without TLS
  double seconds = 0;
};

SmtpResult SendMail(const SmtpRequest& request, std::string_view text);
std::string_view SmtpKindWord(
    SmtpResult::Kind kind);  // "accepted", "rejected", "deferred", "unreachable", "no-tls"

}  // namespace mz::mail
