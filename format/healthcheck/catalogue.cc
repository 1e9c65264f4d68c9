// The rows of the catalogue; see outcome.h. docs/HEALTHCHECK.md prints them. "seen" is what the versions of Debian 12 did in
// the tests of this project: pyspf 2.0.14, Mail::SPF 2.9.0, dkimpy 1.1.4, OpenDKIM 2.11, rspamd 3.4.
#include "format/healthcheck/catalogue.h"


namespace mz::healthcheck {
namespace {

constexpr Outcome kSpfRows[] = {
    {kSpfNone, "none", "no TXT record at the name", "none", "RFC 7208 section 2.6.1", ""},
    {kSpfPass, "pass", "lists the mail host's addresses, then -all", "pass", "RFC 7208 section 2.6.3", ""},
    {kSpfNeutral, "neutral", "lists nothing and ends in ?all", "neutral", "RFC 7208 section 2.6.2", ""},
    {kSpfSoftfail, "softfail", "lists nothing and ends in ~all", "softfail", "RFC 7208 section 2.6.5", ""},
    {kSpfFail, "fail", "lists nothing and ends in -all", "fail", "RFC 7208 section 2.6.4", ""},
    {kSpfNoneNxdomain, "none-nxdomain", "the name does not exist when asked for TXT or MX", "none",
     "RFC 7208 section 4.3", ""},
    {kSpfNoneType99, "none-type99", "a record of the withdrawn type SPF (99) only, with -all", "none",
     "RFC 7208 section 3.1", "Mail::SPF asks for type SPF when told to, and then says fail"},
    {kSpfPassA, "pass-a", "passes by the mechanism a", "pass", "RFC 7208 section 5.3", ""},
    {kSpfPassMx, "pass-mx", "passes by the mechanism mx", "pass", "RFC 7208 section 5.4", ""},
    {kSpfPassInclude, "pass-include", "passes by the mechanism include", "pass", "RFC 7208 section 5.2", ""},
    {kSpfPassRedirect, "pass-redirect", "passes by the modifier redirect", "pass", "RFC 7208 section 6.1", ""},
    {kSpfPassExists, "pass-exists", "passes by exists:%{ir}", "pass", "RFC 7208 section 5.7", ""},
    {kSpfPassCname, "pass-cname", "the name is an alias (CNAME) of one that passes", "pass", "RFC 1034 section 3.6.2",
     ""},
    {kSpfPassSplit, "pass-split", "passes by a record in two strings that join inside a mechanism", "pass",
     "RFC 7208 section 3.3", ""},
    {kSpfPassTcp, "pass-tcp", "passes by a record that is too long for UDP", "pass", "RFC 7208 section 3.4", ""},
    {kSpfPassAll, "pass-all", "passes for the whole world: +all", "pass", "RFC 7208 section 5.1",
     "rspamd: permerror, on purpose"},
    {kSpfPermerrorSyntax, "permerror-syntax", "an address that is none: ip4:999.1.1.1", "permerror",
     "RFC 7208 section 4.6", "rspamd: fail"},
    {kSpfPermerrorTwoRecords, "permerror-two-records", "two SPF records, the first of which passes", "permerror",
     "RFC 7208 section 4.5", "rspamd: pass"},
    {kSpfPermerrorLookupLimit, "permerror-lookup-limit", "eleven includes before -all; ten lookups are allowed",
     "permerror", "RFC 7208 section 4.6.4", "rspamd: fail"},
    {kSpfPermerrorVoidLookups, "permerror-void-lookups",
     "three lookups without data before the address that passes; two are allowed", "permerror", "RFC 7208 section 4.6.4",
     "rspamd: pass"},
    {kSpfPermerrorIncludeNone, "permerror-include-none", "includes a name without SPF record", "permerror",
     "RFC 7208 section 5.2", "rspamd: fail"},
    {kSpfPermerrorRedirectLoop, "permerror-redirect-loop", "redirects to itself", "permerror", "RFC 7208 section 4.6.4",
     ""},
    {kSpfPermerrorMacro, "permerror-macro", "an unknown macro letter: exists:%{z}", "permerror", "RFC 7208 section 7.1",
     "rspamd: fail"},
    {kSpfTemperrorServfail, "temperror-servfail", "SERVFAIL for the record", "temperror", "RFC 7208 section 4.4", ""},
    {kSpfTemperrorRefused, "temperror-refused", "REFUSED for the record", "temperror", "RFC 7208 section 4.4", ""},
    {kSpfTemperrorSilence, "temperror-silence", "no answer for the record", "temperror", "RFC 7208 section 4.4", ""},
    {kSpfTemperrorInclude, "temperror-include", "includes a name whose lookup gets SERVFAIL", "temperror",
     "RFC 7208 section 5.2", ""},
    {kSpfPassPtr, "pass-ptr", "passes by the mechanism ptr where the sending address has a name of the mail host", "pass",
     "RFC 7208 section 5.5", ""},
    {kSpfFailExplained, "fail-explained", "fails and brings an explanation (exp=)", "fail", "RFC 7208 section 6.2", ""},
    {kSpfPermerrorRedirectNone, "permerror-redirect-none", "redirects to a name without SPF record", "permerror",
     "RFC 7208 section 6.1", ""},
    {kSpfPermerrorUnknownMechanism, "permerror-unknown-mechanism", "a mechanism that does not exist: ipv4:", "permerror",
     "RFC 7208 section 4.6.1", "rspamd: pass"},
    {kSpfNoneWrongVersion, "none-wrong-version", "a record that begins with v=spf10", "none", "RFC 7208 section 4.5", "rspamd: pass"},
};

constexpr Outcome kDkimRows[] = {
    {kDkimNone, "none", "no signature and no key record", "none", "RFC 8601 section 2.7.1", ""},
    {kDkimPass, "pass", "a good signature, RSA with 2048 bits", "pass", "RFC 6376 section 3.9", ""},
    {kDkimPassRsa4096, "pass-rsa4096", "a good signature, RSA with 4096 bits; the key record is long", "pass",
     "RFC 8301 section 3.2", ""},
    {kDkimPassRsa1024, "pass-rsa1024", "a good signature, RSA with 1024 bits: the least that is allowed", "pass",
     "RFC 8301 section 3.2", ""},
    {kDkimPassEd25519, "pass-ed25519", "a good signature, Ed25519", "pass", "RFC 8463 section 3",
     ""},
    {kDkimPassSplit, "pass-split", "a good signature; the key record comes in many short strings", "pass",
     "RFC 6376 section 3.6.2.2", ""},
    {kDkimMissing, "missing", "a signature whose key record does not exist (NODATA)", "permerror",
     "RFC 6376 section 6.1.2", ""},
    {kDkimNxdomain, "nxdomain", "a signature whose key name does not exist (NXDOMAIN)", "permerror",
     "RFC 6376 section 6.1.2", ""},
    {kDkimRevoked, "revoked", "a signature whose key was revoked (empty p=)", "permerror", "RFC 6376 section 6.1.2", ""},
    {kDkimWrongKey, "wrong-key", "a signature by another key than the published one", "fail", "RFC 6376 section 6.1.3",
     ""},
    {kDkimBadBase64, "bad-base64", "a key record whose p= is no base64", "permerror", "RFC 6376 section 6.1.2", ""},
    {kDkimUnknownKeyType, "unknown-key-type", "a key record of an unknown type k=", "permerror",
     "RFC 6376 section 6.1.2", ""},
    {kDkimTesting, "testing", "a good signature; the key record says t=y (testing)", "pass", "RFC 6376 section 3.6.1", ""},
    {kDkimSha1Only, "sha1-only", "a signature with SHA-256 and a key record that allows SHA-1 only (h=sha1)", "permerror",
     "RFC 6376 section 6.1.2", "dkimpy, rspamd: pass"},
    {kDkimServiceOther, "service-other", "a key record for another service than mail (s=tlsrpt)", "permerror",
     "RFC 6376 section 3.6.1", "rspamd: pass"},
    {kDkimTwoKeys, "two-keys", "two key records, the second of which is right", "undefined", "RFC 6376 section 3.6.2.2",
     ""},
    {kDkimServfail, "temperror-servfail", "SERVFAIL for the key record", "temperror", "RFC 6376 section 6.1.2", ""},
    {kDkimSilence, "temperror-silence", "no answer for the key record", "temperror", "RFC 6376 section 6.1.2", ""},
    {kDkimBodyAltered, "body-altered", "a good signature; the body was altered behind it", "fail",
     "RFC 6376 section 6.1.3", ""},
    {kDkimHeaderAltered, "header-altered", "a good signature; the subject was altered behind it", "fail",
     "RFC 6376 section 6.1.3", ""},
    {kDkimBodyLength, "body-length", "a signature with l= and text appended behind it", "pass", "RFC 6376 section 8.2",
     ""},
    {kDkimExpired, "expired", "a signature that has expired (x= in the past)", "fail", "RFC 6376 section 3.5",
     "dkimpy: pass"},
    {kDkimFromFuture, "from-future", "a signature from tomorrow (t= in the future)", "neutral", "RFC 6376 section 3.5",
     "rspamd: pass; dkimpy, OpenDKIM: fail"},
    {kDkimSubdomainIdentity, "subdomain-identity", "a good signature for a subdomain of d= (i=)", "pass",
     "RFC 6376 section 3.5", ""},
    {kDkimFromUnsigned, "from-unsigned", "a signature that does not cover From:", "permerror", "RFC 6376 section 6.1.1",
     "dkimpy: pass"},
    {kDkimSecondFrom, "second-from", "a good signature and a second From: added in front", "pass",
     "RFC 6376 section 8.15", "dkimpy, rspamd: fail, which is safer"},
    {kDkimRsaSha1, "rsa-sha1", "a signature with SHA-1", "permerror", "RFC 8301 section 3.1", "dkimpy, OpenDKIM, rspamd: pass"},
    {kDkimWeak512, "weak-512", "a signature by an RSA key of 512 bits", "permerror", "RFC 8301 section 3.2",
     "rspamd: pass"},
    {kDkimWeak768, "weak-768", "a signature by an RSA key of 768 bits", "permerror", "RFC 8301 section 3.2",
     "rspamd: pass"},
    {kDkimDual, "dual", "two good signatures: RSA and, under a second selector, Ed25519", "pass", "RFC 8463 section 3", ""},
    {kDkimWrongVersion, "wrong-version", "a key record that begins with v=DKIM2", "permerror", "RFC 6376 section 3.6.1",
     "rspamd: pass"},
    {kDkimParentDomain, "parent-domain",
     "a good signature by the healthcheck zone's own name: aligned only where DMARC is relaxed", "pass",
     "RFC 7489 section 3.1.1", ""},
};

constexpr Outcome kDmarcRows[] = {
    {kDmarcNone, "none", "no record at _dmarc", "no policy", "RFC 7489 section 6.6.3", ""},
    {kDmarcPolicyNone, "p-none", "p=none: watch, do nothing", "deliver", "RFC 7489 section 6.3", ""},
    {kDmarcQuarantine, "quarantine", "p=quarantine", "quarantine unless aligned", "RFC 7489 section 6.3", ""},
    {kDmarcReject, "reject", "p=reject", "reject unless aligned", "RFC 7489 section 6.3", ""},
    {kDmarcPct0, "pct0", "p=reject; pct=0", "quarantine unless aligned", "RFC 7489 section 6.6.4", ""},
    {kDmarcStrict, "strict", "p=reject with strict alignment (adkim=s; aspf=s)", "reject unless aligned exactly",
     "RFC 7489 section 3.1", ""},
    {kDmarcTwoRecords, "two-records", "two records", "no policy", "RFC 7489 section 6.6.3", ""},
    {kDmarcMissingPolicy, "missing-policy", "a record without p= and without rua=", "no policy",
     "RFC 7489 section 6.6.3", ""},
    {kDmarcMisspeltPolicy, "misspelt-policy", "p=rejct, with rua=", "as p=none", "RFC 7489 section 6.6.3", ""},
    {kDmarcVersionNotFirst, "version-not-first", "p=reject; v=DMARC1", "no policy", "RFC 7489 section 6.6.3", ""},
    {kDmarcSubdomainReject, "sp-reject", "p=none; sp=reject", "reject mail from subdomains unless aligned",
     "RFC 7489 section 6.3", ""},
    {kDmarcNonexistentReject, "np-reject", "p=none; np=reject", "reject mail from names that do not exist",
     "RFC 9091 section 2.1", ""},
    {kDmarcTesting, "testing", "p=reject; t=y", "quarantine unless aligned, where t= is known", "RFC 9989 section 4.7",
     ""},
    {kDmarcPsd, "psd", "p=reject; psd=n: the ID is an organization of its own", "reject unless aligned",
     "RFC 9989 section 4.7", ""},
    {kDmarcExternalReports, "external-reports", "p=none; reports to a domain that has not agreed",
     "deliver, send no reports there", "RFC 7489 section 7.1", ""},
    {kDmarcServfail, "temperror-servfail", "SERVFAIL for the record", "defer or deliver, no policy",
     "RFC 7489 section 6.6.2", ""},
    {kDmarcSilence, "temperror-silence", "no answer for the record", "defer or deliver, no policy",
     "RFC 7489 section 6.6.2", ""},
};

constexpr Outcome kMxRows[] = {
    {kMxNone, "none", "no MX record; the name has an address", "mail goes to the address", "RFC 5321 section 5.1", ""},
    {kMxPass, "pass", "an MX record with a good host", "mail goes there", "RFC 5321 section 5.1", ""},
    {kMxInvalidHost, "invalid-host", "an MX record whose host does not exist", "sender cannot get bounces",
     "RFC 5321 section 5.1", ""},
    {kMxNull, "null", "a null MX: the domain accepts no mail", "mail from it may be refused", "RFC 7505 section 4.2", ""},
    {kMxIpLiteral, "ip-literal", "an MX record whose host is an address", "sender cannot get bounces",
     "RFC 5321 section 5.1", ""},
    {kMxCname, "cname", "an MX record whose host is an alias", "not allowed, mostly followed", "RFC 2181 section 10.3",
     ""},
    {kMxPrivate, "private", "an MX record whose host has a private address", "sender cannot get bounces",
     "RFC 1918 section 3", ""},
    {kMxServfail, "temperror-servfail", "SERVFAIL for the MX record", "defer", "RFC 5321 section 5.1", ""},
};

constexpr Outcome kArcRows[] = {
    {kArcNone, "none", "no ARC headers", "none", "RFC 8617 section 5.2", ""},
    {kArcPass, "pass", "a good chain of one set", "pass", "RFC 8617 section 5.2", ""},
    {kArcBrokenSeal, "broken-seal", "a set whose seal does not verify", "fail", "RFC 8617 section 5.2", ""},
    {kArcFailed, "failed", "a chain that says of itself cv=fail", "fail", "RFC 8617 section 5.2", ""},
    {kArcBadNumbering, "bad-numbering", "a chain that begins with i=2", "fail", "RFC 8617 section 5.2", ""},
};

constexpr Outcome kInboundRows[] = {
    {kInboundNone, "none", "no policy for mail to the ID", "opportunistic TLS", "RFC 3207", ""},
    {kInboundStsEnforce, "sts-enforce", "MTA-STS, enforce: delivery over verified TLS", "delivered over TLS",
     "RFC 8461 section 5", ""},
    {kInboundStsBadCertificate, "sts-bad-certificate", "MTA-STS, enforce; the host's certificate has another name",
     "not delivered", "RFC 8461 section 5", ""},
    {kInboundStsForeignMx, "sts-foreign-mx", "MTA-STS, enforce; the policy names another host than MX", "not delivered",
     "RFC 8461 section 5", ""},
    {kInboundStsTesting, "sts-testing", "MTA-STS, testing; the policy names another host than MX",
     "delivered and reported", "RFC 8461 section 5", ""},
    {kInboundStsMissingPolicy, "sts-missing-policy", "an MTA-STS record without a policy to fetch",
     "delivered as without MTA-STS", "RFC 8461 section 3.3", ""},
    {kInboundTlsaGood, "tlsa-good", "a TLSA record of the host's key", "delivered over TLS where the zone is signed",
     "RFC 7672 section 2.2", ""},
    {kInboundTlsaMismatch, "tlsa-mismatch", "a TLSA record of another key", "not delivered where the zone is signed",
     "RFC 7672 section 2.2", ""},
    {kInboundTlsaUnusable, "tlsa-unusable", "a TLSA record with usage 255", "delivered over TLS, unverified",
     "RFC 7672 section 2.2", ""},
    {kInboundReportOnly, "report-only", "a TLS-RPT record, and no policy", "reports", "RFC 8460 section 3", ""},
    {kInboundStsBadRecord, "sts-bad-record", "an MTA-STS record without id=", "delivered as without MTA-STS",
     "RFC 8461 section 3.1", ""},
};

constexpr Outcome kFaultRows[] = {
    {kFaultNone, "none", "the server behaves", "", "", ""},
    {kFaultServfail, "servfail", "SERVFAIL", "temperror everywhere", "RFC 1035 section 4.1.1", ""},
    {kFaultRefused, "refused", "REFUSED", "temperror everywhere", "RFC 1035 section 4.1.1", ""},
    {kFaultNotimp, "notimp", "NOTIMP", "temperror everywhere", "RFC 1035 section 4.1.1", ""},
    {kFaultFormerrEdns, "formerr-edns", "FORMERR to queries with EDNS, answers to others", "answers by asking again",
     "RFC 6891 section 7", ""},
    {kFaultSilence, "silence", "no answer", "temperror everywhere", "RFC 1035 section 4.2.1", ""},
    {kFaultDelay500, "delay-500ms", "answers after 0.5 s", "answers", "RFC 1035 section 4.2.1", ""},
    {kFaultDelay2000, "delay-2s", "answers after 2 s", "answers", "RFC 1035 section 4.2.1", ""},
    {kFaultDelay4900, "delay-4900ms", "answers after 4.9 s, just within common timeouts", "answers or temperror",
     "RFC 1035 section 4.2.1", ""},
    {kFaultDelay9000, "delay-9s", "answers after 9 s", "answers or temperror", "RFC 1035 section 4.2.1", ""},
    {kFaultTruncate, "truncate", "TC over UDP, answers over TCP", "answers", "RFC 7766 section 5", ""},
    {kFaultTruncateNoTcp, "truncate-no-tcp", "TC over UDP, silence over TCP", "temperror everywhere",
     "RFC 7766 section 5", ""},
    {kFaultEntNxdomain, "ent-nxdomain", "NXDOMAIN at names that have others below them, _domainkey first of all",
     "answers, or no DKIM key where resolvers minimise names", "RFC 8020 section 2", ""},
    {kFaultCnameLoop, "cname-loop", "every name is an alias that leads nowhere", "temperror or permerror everywhere",
     "RFC 1034 section 3.6.2", ""},
    {kFaultWrongCase, "wrong-case", "the question comes back in other letters",
     "answers, or temperror where resolvers compare them", "RFC 4343 section 4.1", ""},
    {kFaultExtraTxt, "extra-txt", "an unrelated TXT record beside every TXT record", "answers", "RFC 7208 section 4.5",
     ""},
    {kFaultOversize, "oversize", "UDP answers of more octets than the client offers to receive", "temperror or answers",
     "RFC 6891 section 6.2.5", ""},
    {kFaultLame, "lame", "a referral without authority, to a server that does not exist", "temperror everywhere",
     "RFC 9499 section 7", ""},
    {kFaultNoAddress, "no-address", "the ID's name has neither A nor AAAA", "mail from it may be refused",
     "RFC 5321 section 2.3.5", ""},
    {kFaultNxdomain, "nxdomain", "no name of the ID exists", "mail from it may be refused", "RFC 8020 section 2", ""},
};

constexpr Outcome kBimiRows[] = {
    {kBimiNone, "none", "no BIMI record", "no logo", "BIMI draft section 7.2", ""},
    {kBimiValid, "valid", "a record with a logo's address", "the logo, where DMARC passes", "BIMI draft section 4.2", ""},
    {kBimiDeclined, "declined", "a record that declines: l=; a=", "no logo", "BIMI draft section 4.2", ""},
    {kBimiBroken, "broken", "a record whose logo's address is no HTTPS URL", "no logo", "BIMI draft section 4.2", ""},
};

constexpr Outcome kSenderRows[] = {
    {kSenderPlain, "plain", "From: and MAIL FROM at the ID's name", "aligned", "RFC 7489 section 3.1", ""},
    {kSenderFromSubdomain, "from-subdomain", "From: at a subdomain that exists", "sp= counts", "RFC 7489 section 6.6.3",
     ""},
    {kSenderFromMissing, "from-missing", "From: at a subdomain that does not exist", "np= counts",
     "RFC 9091 section 2.1", ""},
    {kSenderEnvelopeSubdomain, "envelope-subdomain", "MAIL FROM at a subdomain: aligned only where DMARC is relaxed",
     "SPF unaligned where aspf=s", "RFC 7489 section 3.1.2", ""},
};

constexpr Outcome kHeloRows[] = {
    {kHeloMailHost, "mail-host", "HELO with the mail host's name", "accepted", "RFC 5321 section 4.1.4", ""},
    {kHeloOwn, "own", "HELO with a name of the ID that has the host's address", "accepted", "RFC 5321 section 4.1.4", ""},
    {kHeloUnresolvable, "unresolvable", "HELO with a name that does not exist", "may be refused",
     "RFC 5321 section 4.1.4", ""},
    {kHeloLiteral, "literal", "HELO with an address literal", "accepted or refused", "RFC 5321 section 4.1.3", ""},
};

template <size_t N>
constexpr bool InOrder(const Outcome (&rows)[N], Dimension d) {
  if (N > CodeLimit(d)) return false;
  for (size_t i = 0; i < N; i++)
    if (rows[i].code != i) return false;
  return true;
}
static_assert(InOrder(kSpfRows, kSpf) && InOrder(kDkimRows, kDkim) && InOrder(kDmarcRows, kDmarc));
static_assert(InOrder(kMxRows, kMx) && InOrder(kArcRows, kArc) && InOrder(kInboundRows, kInbound));
static_assert(InOrder(kFaultRows, kFault) && InOrder(kBimiRows, kBimi));
static_assert(InOrder(kSenderRows, kSender) && InOrder(kHeloRows, kHelo));

}  // namespace

std::span<const Outcome> Catalogue(Dimension d) {
  switch (d) {
    case kSpf:
      return kSpfRows;
    case kDkim:
      return kDkimRows;
    case kDmarc:
      return kDmarcRows;
    case kMx:
      return kMxRows;
    case kArc:
      return kArcRows;
    case kInbound:
      return kInboundRows;
    case kFault:
      return kFaultRows;
    case kBimi:
      return kBimiRows;
    case kSender:
      return kSenderRows;
    case kHelo:
      return kHeloRows;
    case kDimensionCount:
      break;
  }
  return {};
}

}  // namespace mz::healthcheck
