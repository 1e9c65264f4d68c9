// What a receiver that follows the RFCs makes of the mail of an ID as a whole: the results of SPF, DKIM and DMARC
// together with their alignment, and the reply that fits.
//
//   Expectation e = Expect(settings);
//   e.verdict ... "reject"; e.Fits(SmtpResult::kAccepted) ... false
//
// Takes for granted that the mail comes from an address of the zone's mail host. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cli/healthcheck/smtp.h"
#include "format/healthcheck/settings.h"

namespace mz::cli {

struct Expectation {
  enum Verdict : uint8_t {
    kAccept,
    kQuarantine,  // accept, and put it aside
    kReject,
    kDefer,        // accept, or 4xx until the DNS answers
    kLocalPolicy,  // the RFCs leave it to the receiver
  };
  Verdict verdict = kAccept;
  std::string why;             // a sentence
  std::string spf, dkim, arc;  // results as in Authentication-Results: "pass", "permerror" ...
  std::string dmarc;           // "none", "pass", "fail", "temperror"
  std::string policy;  // what DMARC asks for when it fails: "none", "quarantine", "reject"; "" without record

  // False for what is neither right nor left to the receiver. kUnreachable and kTls fit nothing.
  bool Fits(mail::SmtpResult::Kind reply) const;
};

Expectation Expect(const healthcheck::Settings& settings);
std::string_view VerdictWord(
    Expectation::Verdict verdict);  // "accept", "quarantine", "reject", "defer", "local-policy"
std::string_view VerdictSentence(Expectation::Verdict verdict);

}  // namespace mz::cli
