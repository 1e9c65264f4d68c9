// See compose.h. The texts are in mail_text.cc.
#include "cli/healthcheck/compose.h"

#include "cli/healthcheck/arc_seal.h"
#include "cli/healthcheck/dkim_sign.h"
#include "format/healthcheck/outcome.h"

namespace mz::cli {

using namespace healthcheck;  // the codes of the catalogue
using mail::DkimSettings;
using mail::Field;
using mail::Message;
using mail::PrivateKey;

namespace {

constexpr int64_t kHour = 3600, kDay = 86400;
constexpr char kAppended[] = "This line was appended behind the signed part.\r\n";

// From: once more than the message has: nobody can add a second one (RFC 6376 section 8.15). The outcome
// second-from does without, for there the signature has to stay good.
std::vector<std::string> SignedNames(const Settings& s) {
  std::vector<std::string> names = {"From",          "To",           "Subject",      "Date",
                                    "Message-ID",    "MIME-Version", "Content-Type", "List-Unsubscribe",
                                    "Auto-Submitted"};
  if (s[kDkim] == kDkimFromUnsigned)
    names.erase(names.begin());
  else if (s[kDkim] != kDkimSecondFrom)
    names.emplace_back("From");
  return names;
}

DkimSettings SettingsOf(const TestMailSpec& spec, const TestNames& names, const Message& message) {
  DkimSettings out{.domain = names.signing_domain,
                   .selector = spec.selector,
                   .headers = SignedNames(spec.settings),
                   .timestamp = spec.now_unix};
  switch (spec.settings[kDkim]) {
    case kDkimBodyLength:
      out.body_octets = CanonicalBody(out.body, message.body).size();
      break;
    case kDkimExpired:
      out.timestamp = spec.now_unix - 2 * kHour;
      out.expiration = spec.now_unix - kHour;
      break;
    case kDkimFromFuture:
      out.timestamp = spec.now_unix + kDay;
      break;
    case kDkimSubdomainIdentity:
      out.identity = "@" + std::string(kFromLabel) + "." + names.signing_domain;
      break;
    case kDkimRsaSha1:
      out.hash = mail::Hash::kSha1;
      break;
    default:
      break;
  }
  return out;
}

Status Sign(const TestMailSpec& spec, const TestNames& names, KeyRing* keys, Message* message) {
  const std::optional<DkimSigning> signing = SigningOf(spec.settings[kDkim]);
  if (!signing) return absl::OkStatus();
  DkimSettings settings = SettingsOf(spec, names, *message);
  MZ_ASSIGN_OR_RETURN(const PrivateKey* key, keys->Get(signing->signs));
  MZ_ASSIGN_OR_RETURN(Field first, DkimSign(*message, settings, *key));
  if (spec.settings[kDkim] == kDkimDual) {
    settings.selector += kSecondSelectorSuffix;
    MZ_ASSIGN_OR_RETURN(const PrivateKey* second_key, keys->Get(DkimKey::kEd25519));
    MZ_ASSIGN_OR_RETURN(Field second, DkimSign(*message, settings, *second_key));
    message->AddOnTop(std::move(second));
  }
  message->AddOnTop(std::move(first));
  return absl::OkStatus();
}

// What happens to the mail behind its signature.
void Alter(const TestMailSpec& spec, Message* message) {
  switch (spec.settings[kDkim]) {
    case kDkimBodyAltered:
    case kDkimBodyLength:
      message->body += kAppended;
      break;
    case kDkimHeaderAltered:
      message->Find("Subject")->value += " (altered)";
      break;
    case kDkimSecondFrom:
      message->AddOnTop({"From", mail::Folded("From", "Somebody else <somebody@" + spec.zone + ">")});
      break;
    default:
      break;
  }
}

Status AddArc(const TestMailSpec& spec, KeyRing* keys, Message* message) {
  const uint8_t arc = spec.settings[kArc];
  if (arc == kArcNone) return absl::OkStatus();
  MZ_ASSIGN_OR_RETURN(const PrivateKey* key, keys->Get(DkimKey::kRsa2048));
  // By the zone's own name: its key record is there whatever becomes of the ID's.
  const mail::ArcSettings hop{
      .domain = spec.zone,
      .selector = spec.selector,
      .results = spec.mail_host + "; spf=pass smtp.mailfrom=" + spec.id + "." + spec.zone,
      .headers = {"From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"},
      .timestamp = spec.now_unix};
  if (arc == kArcBadNumbering) return AddArcSet(hop, 2, "pass", *key, message);
  MZ_RETURN_IF_ERROR(AddArcSet(hop, 1, "none", *key, message));
  if (arc == kArcFailed) return AddArcSet(hop, 2, "fail", *key, message);
  if (arc == kArcBrokenSeal) {
    // The results are what a seal protects and the message signature does not cover.
    Field* results = message->Find("ARC-Authentication-Results");
    results->value += "; dkim=pass header.d=" + spec.zone;
  }
  return absl::OkStatus();
}

// RFC 6068 section 2: the address of a mailto: URI.
std::string MailtoAddress(std::string_view address) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (char c : address) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~!$'*+@").find(c) != std::string_view::npos;
    if (plain)
      out += c;
    else
      out += {'%', kHex[static_cast<unsigned char>(c) >> 4], kHex[c & 15]};
  }
  return out;
}

}  // namespace

TestNames NamesOf(const TestMailSpec& spec) {
  const std::string own = spec.id + "." + spec.zone;
  const auto below = [&](std::string_view label) { return std::string(label) + "." + own; };
  TestNames out;
  const uint8_t sender = spec.settings[kSender];
  out.from = "no-reply@" + (sender == kSenderFromSubdomain ? below(kFromLabel)
                            : sender == kSenderFromMissing ? below(kMissingLabel)
                                                           : own);
  out.mail_from = "no-reply@" + (sender == kSenderEnvelopeSubdomain ? below(kEnvelopeLabel) : own);
  switch (spec.settings[kHelo]) {
    case kHeloOwn:
      out.helo = below(kHeloLabel);
      break;
    case kHeloUnresolvable:
      out.helo = below(kNoHeloLabel);
      break;
    case kHeloLiteral:
      out.helo = spec.literal;
      break;
    default:
      out.helo = spec.mail_host;
  }
  if (SigningOf(spec.settings[kDkim]))
    out.signing_domain = spec.settings[kDkim] == kDkimParentDomain ? spec.zone : own;
  return out;
}

StatusOr<TestMail> ComposeTestMail(const TestMailSpec& spec, KeyRing* keys) {
  TestMail out{.names = NamesOf(spec), .message = {}};
  Message& m = out.message;
  const auto mailbox = [](const std::string& name, const std::string& address) {
    return name.empty() ? address : mail::DisplayName(name) + " <" + address + ">";
  };
  const std::string subject = !spec.subject.empty() ? spec.subject
                              : spec.terse          ? "Mail health check " + spec.id.substr(0, 8)
                                                    : "Mail health check: " + SettingsText(spec.settings);
  m.Add("Date", mail::DateText(spec.now_unix));
  m.Add("From", mailbox(spec.from_name, out.names.from));
  m.Add("To", mailbox(spec.to_name, spec.to.Text()));
  m.Add("Subject", mail::EncodedWords(subject));
  m.Add("Message-ID", "<" + spec.id + "." + mail::RandomHex(4) + "@" + spec.zone + ">");
  m.Add("List-Unsubscribe", "<mailto:" + MailtoAddress(spec.contact) + "?subject=unsubscribe>");
  m.Add("Auto-Submitted", "auto-generated");  // RFC 3834: no vacation notices
  m.body = mail::MultipartAlternative(PlainBody(spec), HtmlBody(spec), mail::RandomHex(12), &m);
  MZ_RETURN_IF_ERROR(Sign(spec, out.names, keys, &m));
  Alter(spec, &m);
  MZ_RETURN_IF_ERROR(AddArc(spec, keys, &m));  // last: a chain stands for itself, whatever became of the signature
  return out;
}

}  // namespace mz::cli
