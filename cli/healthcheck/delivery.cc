// See delivery.h.
#include "cli/healthcheck/delivery.h"

#include <nlohmann/json.hpp>

#include "cli/diagnostics.h"
#include "cli/healthcheck/mx_lookup.h"
#include "cli/spf/settings.h"
#include "format/healthcheck/outcome.h"
#include "format/net/address.h"

namespace mz::cli {

using mail::SmtpRequest;
using mail::SmtpResult;
using nlohmann::json;

namespace {

constexpr uint16_t kSmtpPort = 25;

Status Named(const Status& status, std::string_view option) { return Annotate(status, option); }

}  // namespace

void DeliveryOptions::Declare(Options* options) {
  options->Text("--config", &config, "FILE", "the configuration with the healthcheck zone");
  options->Text("--zone", &zone, "NAME", "which one, when the configuration has several");
  options->Text("--to", &to, "ADDRESS", "the recipient");
  options->Text("--server", &server, "HOST[:PORT]",
                "the mail server; [ADDRESS]:PORT for IPv6 (the MX of the recipient's domain, port 25)");
  options->Choice(
      "--tls", &tls, {"none", "opportunistic", "required"},
      "opportunistic: STARTTLS when offered, whatever the certificate; required: with a good certificate, or "
      "nothing is sent (opportunistic)");
  options->Text("--ca-file", &ca_file, "FILE",
                "authorities in PEM form to check the server's certificate with (the system's)");
  options->Text("--source", &source, "ADDRESS", "the local address to send from");
  options->Number("--timeout", &timeout, 1, 3600, "SECONDS", "for each reply of the server (300)");
  options->Text("--from-name", &from_name, "TEXT", "display name of From: (Mail health check)");
  options->Text("--to-name", &to_name, "TEXT", "display name of To:");
  options->Text("--subject", &subject, "TEXT", "instead of one that names the outcomes");
  options->Text("--contact", &contact, "ADDRESS",
                "for complaints, in List-Unsubscribe and in the text (postmaster@ZONE)");
  options->Flag("--terse", &terse, "the mail does not tell what it tests");
  options->Texts("--forwarder", &forwarders, "ADDR[@PORT]",
                 "the resolver to ask for the MX ([resolver], or those of the system)");
  options->Flag("--verbose", &verbose, "the SMTP dialogue on standard error");
}

json ExpectationJson(const Expectation& e) {
  json out = {{"verdict", VerdictWord(e.verdict)},
              {"why", e.why},
              {"spf", e.spf},
              {"dkim", e.dkim},
              {"dmarc", e.dmarc},
              {"arc", e.arc}};
  if (!e.policy.empty()) out["policy"] = e.policy;
  return out;
}

json DeliveryJson(const Delivery& d) {
  json smtp = {{"result", SmtpKindWord(d.result.kind)},
               {"server", d.server},
               {"seconds", d.result.seconds},
               {"tls", d.result.tls}};
  if (!d.result.address.empty()) smtp["address"] = d.result.address;
  if (d.result.code != 0) smtp["code"] = d.result.code;
  if (!d.result.reply.empty()) smtp["reply"] = d.result.reply;
  if (!d.result.stage.empty()) smtp["stage"] = d.result.stage;
  if (!d.result.error.empty()) smtp["error"] = d.result.error;
  if (!d.result.tls_error.empty()) smtp["tls_error"] = d.result.tls_error;
  if (!d.result.certificate.empty()) smtp["certificate"] = d.result.certificate;
  return {{"id", d.id},
          {"settings", healthcheck::SettingsText(d.settings)},
          {"mail_from", d.names.mail_from},
          {"from", d.names.from},
          {"helo", d.names.helo},
          {"expected", ExpectationJson(d.expected)},
          {"smtp", smtp},
          {"fits", d.fits()}};
}

std::string ResultText(const SmtpResult& r) {
  std::string out(SmtpKindWord(r.kind));
  if (r.kind == SmtpResult::kAccepted || r.kind == SmtpResult::kRejected || r.kind == SmtpResult::kTemporary) {
    if (r.kind != SmtpResult::kAccepted) out += " after " + r.stage;
    return out + ": " + r.reply;
  }
  return out + ": " + r.error;
}

Status Courier::CheckTexts(const DeliveryOptions& o) {
  if (o.to.empty()) return MakeStatus(StatusCode::kInvalidArgument, "--to ADDRESS is missing: who gets the mail?");
  StatusOr<mail::MailAddress> to = mail::ParseMailAddress(o.to);
  if (!to.ok()) return Named(to.status(), "--to");
  to_ = *std::move(to);
  contact_ = "postmaster@" + zone_->name();
  if (!o.contact.empty()) {
    StatusOr<mail::MailAddress> contact = mail::ParseMailAddress(o.contact);
    if (!contact.ok()) return Named(contact.status(), "--contact");
    contact_ = contact->Text();
  }
  const std::pair<const char*, const std::string*> texts[] = {
      {"--from-name", &o.from_name}, {"--to-name", &o.to_name}, {"--subject", &o.subject}};
  for (const auto& [option, text] : texts) MZ_RETURN_IF_ERROR(mail::CheckHeaderText(*text, option));
  if (!o.source.empty() && !net::ParseIp4(o.source) && !net::ParseIp6(o.source))
    return MakeStatus(StatusCode::kInvalidArgument,
                      "--source: '" + Printable(o.source) + "' is not an IP address");
  if (o.tls)
    tls_ = *o.tls == "none"       ? mail::TlsMode::kNone
           : *o.tls == "required" ? mail::TlsMode::kRequired
                                  : mail::TlsMode::kOpportunistic;
  return absl::OkStatus();
}

Status Courier::FindServer() {
  if (!options_.server.empty()) {
    StatusOr<mail::HostPort> server = mail::ParseHostPort(options_.server, kSmtpPort);
    if (!server.ok()) return Named(server.status(), "--server");
    servers_.push_back({.server = *server});
    return absl::OkStatus();
  }
  if (to_.IsLiteral())
    return MakeStatus(StatusCode::kInvalidArgument, "--to: an address literal has no MX; give --server");
  MZ_ASSIGN_OR_RETURN(resolve::ResolverOptions settings, ResolverSettings(zone_->config().resolver));
  if (!options_.forwarders.empty()) {
    settings.forwarders = options_.forwarders;
    settings.recursive = false;
  }
  MZ_ASSIGN_OR_RETURN(std::unique_ptr<resolve::Resolver> resolver, resolve::MakeUnboundResolver(settings));
  MZ_ASSIGN_OR_RETURN(std::vector<Exchanger> exchangers, FindExchangers(to_.domain, resolver.get()));
  for (Exchanger& e : exchangers) {
    // Whatever the DNS says, only a host name goes into a URL.
    StatusOr<std::string> host = mail::ParseHostName(e.host);
    if (host.ok())
      servers_.push_back({.server = {.host = *host, .port = kSmtpPort}, .addresses = std::move(e.addresses)});
  }
  if (servers_.empty())
    return MakeStatus(StatusCode::kFailedPrecondition, "no mail server of " + to_.domain + " has a host name");
  return absl::OkStatus();
}

StatusOr<std::unique_ptr<Courier>> Courier::Open(const DeliveryOptions& options, TestZone* zone) {
  std::unique_ptr<Courier> out(new Courier);
  out->options_ = options;
  out->zone_ = zone;
  MZ_RETURN_IF_ERROR(out->CheckTexts(options));
  return out;
}

StatusOr<TestMail> Courier::Compose(const healthcheck::Settings& settings, std::string id, int64_t now_unix,
                                    std::string* id_used) {
  if (id.empty()) {
    MZ_ASSIGN_OR_RETURN(id, zone_->MakeId(settings, now_unix));
  }
  *id_used = id;
  TestMailSpec spec = zone_->Spec(settings, id, now_unix);
  spec.to = to_;
  spec.to_name = options_.to_name;
  spec.from_name = options_.from_name.empty() ? "Mail health check" : options_.from_name;
  spec.subject = options_.subject;
  spec.contact = contact_;
  spec.terse = options_.terse;
  if (!options_.source.empty())
    spec.literal = options_.source.find(':') == std::string::npos ? "[" + options_.source + "]"
                                                                  : "[IPv6:" + options_.source + "]";
  return ComposeTestMail(spec, &zone_->keys());
}

StatusOr<Delivery> Courier::Send(const healthcheck::Settings& settings, std::string id, int64_t now_unix,
                                 Transcript transcript) {
  if (servers_.empty()) MZ_RETURN_IF_ERROR(FindServer());
  Delivery out{.settings = settings, .expected = Expect(settings)};
  MZ_ASSIGN_OR_RETURN(const TestMail mail, Compose(settings, std::move(id), now_unix, &out.id));
  out.names = mail.names;
  for (SmtpRequest request : servers_) {
    request.helo = mail.names.helo;
    request.mail_from = mail.names.mail_from;
    request.rcpt_to = to_.Text();
    request.tls = tls_;
    request.ca_file = options_.ca_file;
    request.source = options_.source;
    if (options_.timeout) request.reply_seconds = static_cast<unsigned>(*options_.timeout);
    if (options_.timeout) request.connect_seconds = std::min(request.connect_seconds, request.reply_seconds);
    if (options_.verbose) request.transcript = transcript;
    out.server = request.server.Text();
    out.result = SendMail(request, mail.message.Text());
    // The next exchanger is for those that cannot be reached; an answer is an answer (RFC 5321 section 5.1).
    if (out.result.kind != SmtpResult::kUnreachable || out.result.code != 0) break;
  }
  return out;
}

}  // namespace mz::cli
