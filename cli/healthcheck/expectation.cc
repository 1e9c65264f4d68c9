// See expectation.h.
#include "cli/healthcheck/expectation.h"

#include "format/healthcheck/outcome.h"

namespace mz::cli {

using namespace healthcheck;  // the codes of the catalogue

namespace {

std::string ExpectedOf(Dimension d, const Settings& s) {
  const Outcome* o = OutcomeOf(d, s[d]);
  return o == nullptr ? "unknown" : std::string(o->expected);
}

// What the fault of the server makes of every question for a record; "" when it is answered as usual.
std::string_view FaultResult(uint8_t fault) {
  switch (fault) {
    case kFaultServfail:
    case kFaultRefused:
    case kFaultNotimp:
    case kFaultSilence:
    case kFaultTruncateNoTcp:
    case kFaultLame:
    case kFaultCnameLoop:
      return "temperror";
    case kFaultNxdomain:
      return "nxdomain";
    default:
      return "";
  }
}
// Faults that some resolvers overcome and others do not.
bool FaultMayFail(uint8_t fault) {
  return fault == kFaultDelay4900 || fault == kFaultDelay9000 || fault == kFaultWrongCase ||
         fault == kFaultOversize;
}

bool HasSignature(const Settings& s) { return s[kDkim] != kDkimNone; }

// RFC 7489 section 6.6.3 and the records of the catalogue.
std::string PolicyOf(const Settings& s) {
  switch (s[kDmarc]) {
    case kDmarcPolicyNone:
    case kDmarcMisspeltPolicy:
    case kDmarcExternalReports:
      return "none";
    case kDmarcQuarantine:
    case kDmarcPct0:     // of "reject", for none of the mail: the next weaker policy for all of it
    case kDmarcTesting:  // the same, by t=y
      return "quarantine";
    case kDmarcReject:
    case kDmarcStrict:
    case kDmarcPsd:
      return "reject";
    case kDmarcSubdomainReject:
      return s[kSender] == kSenderFromSubdomain || s[kSender] == kSenderFromMissing ? "reject" : "none";
    case kDmarcNonexistentReject:
      return s[kSender] == kSenderFromMissing ? "reject" : "none";
    default:
      return "";
  }
}

bool SpfAligned(const Settings& s) {
  if (s[kDmarc] != kDmarcStrict) return true;  // all names are below one organizational domain
  return s[kSender] == kSenderPlain;
}
bool DkimAligned(const Settings& s) {
  if (s[kDmarc] != kDmarcStrict) return true;
  return s[kDkim] != kDkimParentDomain && s[kSender] != kSenderFromSubdomain && s[kSender] != kSenderFromMissing;
}

void JudgeWithoutDmarc(const Settings& s, Expectation* e) {
  const bool temporary =
      e->spf == "temperror" || e->dkim == "temperror" || s[kMx] == kMxServfail || e->dmarc == "temperror";
  if (temporary) {
    e->verdict = Expectation::kDefer;
    e->why = "A lookup fails for the moment: accept, or ask to try again later.";
  } else if (e->spf == "fail" || e->spf == "permerror") {
    e->verdict = Expectation::kLocalPolicy;
    e->why =
        "SPF says " + e->spf + " and no DMARC policy applies: rejecting and accepting with a mark are both right.";
  } else {
    e->verdict = Expectation::kAccept;
    e->why = "No policy asks to refuse it.";
  }
}

// RFC 7489 section 6.6.3 looks for a policy at the name of From: and at its organizational domain. For a From:
// below the ID that is the ID only where the ID is a domain of its own (Public Suffix List, psd= of DMARCbis),
// else the zone, which says p=none.
bool PolicyDependsOnOrganization(const Settings& s) {
  return s[kSender] == kSenderFromSubdomain || s[kSender] == kSenderFromMissing;
}

void JudgeByDmarc(const Settings& s, Expectation* e) {
  if (e->dmarc == "pass") {
    e->verdict = Expectation::kAccept;
    e->why = "DMARC passes.";
  } else if (e->dmarc == "temperror" ||
             (e->dmarc == "fail" && e->policy != "none" && (e->spf == "temperror" || e->dkim == "temperror"))) {
    e->verdict = Expectation::kDefer;
    e->why =
        "A lookup fails for the moment: accept, or ask to try again later; to reject for good would be wrong.";
  } else if (e->dmarc == "fail" && e->policy != "none" && PolicyDependsOnOrganization(s)) {
    e->verdict = Expectation::kLocalPolicy;
    e->why = "DMARC fails; its policy is " + e->policy +
             " where the receiver takes the ID for an organizational domain, and none elsewhere.";
  } else if (e->dmarc == "fail" && e->policy == "reject") {
    e->verdict = Expectation::kReject;
    e->why = "Neither SPF nor DKIM passes with the domain of From:, and the DMARC policy is reject.";
  } else if (e->dmarc == "fail" && e->policy == "quarantine") {
    e->verdict = Expectation::kQuarantine;
    e->why = "Neither SPF nor DKIM passes with the domain of From:, and the DMARC policy is quarantine.";
  } else {
    JudgeWithoutDmarc(s, e);
    if (e->dmarc == "fail" && e->verdict == Expectation::kAccept)
      e->why = "DMARC fails, and its policy is none: only watch.";
  }
}

// Reasons besides SPF, DKIM and DMARC for which a receiver may say no.
std::string ReasonToRefuse(const Settings& s) {
  if (s[kDkim] == kDkimSecondFrom)
    return "It has two From: fields, which RFC 5322 section 3.6 forbids and RFC 7489 section 6.6.1 advises to "
           "reject.";
  if (s[kMx] == kMxNull) return "The sender's domain has a null MX: RFC 7505 section 4.2 allows to refuse it.";
  if (s[kFault] == kFaultNxdomain || s[kFault] == kFaultNoAddress)
    return "The sender's domain does not exist or has no address: many receivers refuse that.";
  if (s[kSpf] == kSpfNoneNxdomain)
    return "The sender's domain does not exist for TXT and MX: many receivers refuse that.";
  if (s[kSender] == kSenderFromMissing) return "The domain of From: does not exist: many receivers refuse that.";
  if (s[kHelo] == kHeloUnresolvable) return "The name in HELO does not exist: many receivers refuse that.";
  if (s[kHelo] == kHeloLiteral) return "HELO has an address literal: many receivers refuse that from strangers.";
  if (s[kMx] == kMxInvalidHost || s[kMx] == kMxIpLiteral || s[kMx] == kMxPrivate)
    return "Bounces could not be delivered to the sender's domain: some receivers refuse that.";
  return "";
}

}  // namespace

bool Expectation::Fits(mail::SmtpResult::Kind reply) const {
  using mail::SmtpResult;
  switch (reply) {
    case SmtpResult::kAccepted:
      return verdict != kReject;
    case SmtpResult::kRejected:
      return verdict == kReject || verdict == kLocalPolicy;
    case SmtpResult::kTemporary:
      return verdict == kDefer || verdict == kLocalPolicy;
    default:
      return false;
  }
}

std::string_view VerdictWord(Expectation::Verdict verdict) {
  constexpr std::string_view kWords[] = {"accept", "quarantine", "reject", "defer", "local-policy"};
  return kWords[verdict];
}

std::string_view VerdictSentence(Expectation::Verdict verdict) {
  constexpr std::string_view kSentences[] = {
      "A good receiver accepts this mail.",
      "A good receiver accepts this mail and puts it into the junk folder or a quarantine.",
      "A good receiver rejects this mail. If you can read it, look into your mail server's settings.",
      "A good receiver accepts this mail, or defers it with a 4xx reply.",
      "The standards leave it to the receiver whether to accept this mail."};
  return kSentences[verdict];
}

Expectation Expect(const Settings& s) {
  Expectation e;
  e.spf = ExpectedOf(kSpf, s);
  e.dkim = HasSignature(s) ? ExpectedOf(kDkim, s) : "none";
  e.arc = ExpectedOf(kArc, s);
  e.policy = PolicyOf(s);
  const std::string_view fault = FaultResult(s[kFault]);
  if (fault == "temperror") {
    e.spf = "temperror";
    if (HasSignature(s)) e.dkim = "temperror";
    e.dmarc = "temperror";
    e.policy.clear();
  } else if (fault == "nxdomain") {
    e.spf = "none";
    if (HasSignature(s)) e.dkim = "permerror";
    e.policy.clear();
  }
  if (s[kDmarc] == kDmarcServfail || s[kDmarc] == kDmarcSilence) e.dmarc = "temperror";
  if (e.dmarc.empty()) {
    const bool passes = (e.spf == "pass" && SpfAligned(s)) || (e.dkim == "pass" && DkimAligned(s));
    e.dmarc = e.policy.empty() ? "none" : passes ? "pass" : "fail";
  }
  JudgeByDmarc(s, &e);
  const std::string refuse = ReasonToRefuse(s);
  const bool uncertain = FaultMayFail(s[kFault]) || (s[kFault] == kFaultEntNxdomain && HasSignature(s)) ||
                         (s[kDkim] == kDkimTwoKeys && !e.policy.empty() && e.policy != "none" && e.spf != "pass");
  if (e.verdict != Expectation::kReject && (!refuse.empty() || uncertain)) {
    e.verdict = Expectation::kLocalPolicy;
    e.why =
        !refuse.empty() ? refuse : "Whether the records are found depends on the receiver's resolver or verifier.";
  } else if (uncertain) {
    e.verdict = Expectation::kLocalPolicy;
    e.why += " Where the receiver's resolver does not find the records, another result is right.";
  }
  return e;
}

}  // namespace mz::cli
