// The catalogue of all outcomes that a healthcheck ID can ask for: the one list that the compiler of healthcheck zones, the
// sender of test mails, the command line and docs/HEALTHCHECK.md share.
//
//   const Outcome* o = FindOutcome(kSpf, "softfail");
//   o->code ... o->sentence ... o->expected ...
//   for (const Outcome& o : Outcomes(kDkim)) ...
//
// Constant data, sorted by code, code 0 first and always there. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "format/healthcheck/settings.h"

namespace mz::healthcheck {

enum SpfCode : uint8_t {
  kSpfNone, kSpfPass, kSpfNeutral, kSpfSoftfail, kSpfFail, kSpfNoneNxdomain, kSpfNoneType99, kSpfPassA, kSpfPassMx,
  kSpfPassInclude, kSpfPassRedirect, kSpfPassExists, kSpfPassCname, kSpfPassSplit, kSpfPassTcp, kSpfPassAll,
  kSpfPermerrorSyntax, kSpfPermerrorTwoRecords, kSpfPermerrorLookupLimit, kSpfPermerrorVoidLookups,
  kSpfPermerrorIncludeNone, kSpfPermerrorRedirectLoop, kSpfPermerrorMacro, kSpfTemperrorServfail, kSpfTemperrorRefused,
  kSpfTemperrorSilence, kSpfTemperrorInclude, kSpfPassPtr, kSpfFailExplained, kSpfPermerrorRedirectNone,
  kSpfPermerrorUnknownMechanism, kSpfNoneWrongVersion,
};
enum DkimCode : uint8_t {
  kDkimNone, kDkimPass, kDkimPassRsa4096, kDkimPassRsa1024, kDkimPassEd25519, kDkimPassSplit, kDkimMissing, kDkimNxdomain,
  kDkimRevoked, kDkimWrongKey, kDkimBadBase64, kDkimUnknownKeyType, kDkimTesting, kDkimSha1Only, kDkimServiceOther,
  kDkimTwoKeys, kDkimServfail, kDkimSilence, kDkimBodyAltered, kDkimHeaderAltered, kDkimBodyLength, kDkimExpired,
  kDkimFromFuture, kDkimSubdomainIdentity, kDkimFromUnsigned, kDkimSecondFrom, kDkimRsaSha1, kDkimWeak512, kDkimWeak768,
  kDkimDual, kDkimWrongVersion, kDkimParentDomain,
};
enum DmarcCode : uint8_t {
  kDmarcNone, kDmarcPolicyNone, kDmarcQuarantine, kDmarcReject, kDmarcPct0, kDmarcStrict, kDmarcTwoRecords,
  kDmarcMissingPolicy, kDmarcMisspeltPolicy, kDmarcVersionNotFirst, kDmarcSubdomainReject, kDmarcNonexistentReject,
  kDmarcTesting, kDmarcPsd, kDmarcExternalReports, kDmarcServfail, kDmarcSilence,
};
enum MxCode : uint8_t { kMxNone, kMxPass, kMxInvalidHost, kMxNull, kMxIpLiteral, kMxCname, kMxPrivate, kMxServfail };
enum ArcCode : uint8_t { kArcNone, kArcPass, kArcBrokenSeal, kArcFailed, kArcBadNumbering };
enum InboundCode : uint8_t {
  kInboundNone, kInboundStsEnforce, kInboundStsBadCertificate, kInboundStsForeignMx, kInboundStsTesting,
  kInboundStsMissingPolicy, kInboundTlsaGood, kInboundTlsaMismatch, kInboundTlsaUnusable, kInboundReportOnly,
  kInboundStsBadRecord,
};
enum FaultCode : uint8_t {
  kFaultNone, kFaultServfail, kFaultRefused, kFaultNotimp, kFaultFormerrEdns, kFaultSilence, kFaultDelay500, kFaultDelay2000,
  kFaultDelay4900, kFaultDelay9000, kFaultTruncate, kFaultTruncateNoTcp, kFaultEntNxdomain, kFaultCnameLoop,
  kFaultWrongCase, kFaultExtraTxt, kFaultOversize, kFaultLame, kFaultNoAddress, kFaultNxdomain,
};
enum BimiCode : uint8_t { kBimiNone, kBimiValid, kBimiDeclined, kBimiBroken };
enum SenderCode : uint8_t { kSenderPlain, kSenderFromSubdomain, kSenderFromMissing, kSenderEnvelopeSubdomain };
enum HeloCode : uint8_t { kHeloMailHost, kHeloOwn, kHeloUnresolvable, kHeloLiteral };

struct Outcome {
  uint8_t code;
  std::string_view word;      // for the command line and registered IDs: lower case, digits, '-'
  std::string_view sentence;  // what is served or sent
  std::string_view expected;  // what the RFC makes of it: for SPF and DKIM the result's word
  std::string_view section;   // where the RFC says so
  std::string_view seen;      // what verifiers of Debian 12 do where that differs; "" otherwise
};

std::string_view DimensionWord(Dimension d);   // "spf"
std::string_view DimensionTitle(Dimension d);  // one line for tables
std::optional<Dimension> FindDimension(std::string_view word);

std::span<const Outcome> Outcomes(Dimension d);
const Outcome* FindOutcome(Dimension d, std::string_view word);  // null: unknown
// Codes that this version does not know are null.
const Outcome* OutcomeOf(Dimension d, uint8_t code);
// Whether every code is in the catalogue.
bool KnownSettings(const Settings& s);

// "spf=softfail dkim=revoked": the dimensions that are not 0, or "nothing".
std::string SettingsText(const Settings& s);

// One word of the form DIMENSION=OUTCOME. Also understood, for databases of the older program: spf, mx: hardfail; dmarc:
// neutral. False: `problem` says why.
bool ApplySetting(std::string_view word, Settings* out, std::string* problem);

// --- names and keys that records and mails must agree on ---------------------------------------------------------

// The DKIM keys of a zone. The file of each in the key directory is its word + ".pem" (private, PKCS#8) or ".pub" (public,
// SubjectPublicKeyInfo); the server's side needs the public half only.
enum class DkimKey : uint8_t { kRsa2048, kRsa4096, kRsa1024, kRsa768, kRsa512, kEd25519, kOther, kCount };
inline constexpr int kDkimKeyCount = static_cast<int>(DkimKey::kCount);
std::string_view DkimKeyWord(DkimKey key);  // "rsa2048" ... "ed25519", "other" (RSA, 2048 bits)

struct DkimSigning {
  DkimKey signs;       // what the mail is signed with
  DkimKey published;   // what the key record has
};
// What a code signs with; nothing for kDkimNone. kDkimDual signs twice: with this, and with Ed25519 under the second
// selector, which is the selector + "e".
std::optional<DkimSigning> SigningOf(uint8_t dkim_code);

// Sub-names below the ID's name, as text. The mail host names of a zone stand in its configuration.
inline constexpr std::string_view kHeloLabel = "helo";            // kHeloOwn: has the addresses of the mail host
inline constexpr std::string_view kNoHeloLabel = "nohelo";        // kHeloUnresolvable: does not exist
inline constexpr std::string_view kFromLabel = "sub";             // kSenderFromSubdomain: exists, with the ID's SPF record
inline constexpr std::string_view kMissingLabel = "nx";           // kSenderFromMissing: does not exist
inline constexpr std::string_view kEnvelopeLabel = "bounce";      // kSenderEnvelopeSubdomain: with the ID's SPF record
inline constexpr std::string_view kMxLabel = "mx";                // exchanger of kMxPass and kMxCname ...
inline constexpr std::string_view kSecondSelectorSuffix = "e";

}  // namespace mz::healthcheck
