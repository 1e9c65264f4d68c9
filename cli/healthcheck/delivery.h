// Sending test mails: the options of `send` and `matrix`, the way to the server, and what came of each mail.
//
//   DeliveryOptions options;  options.Declare(&o);  ...Parse...
//   MZ_ASSIGN_OR_RETURN(std::unique_ptr<Courier> courier, Courier::Open(options, zone.get()));
//   MZ_ASSIGN_OR_RETURN(Delivery d, courier->Send(settings, now));
#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "cli/healthcheck/expectation.h"
#include "cli/healthcheck/smtp.h"
#include "cli/healthcheck/test_zone.h"
#include "cli/options.h"

namespace mz::cli {

struct DeliveryOptions {
  std::string config, zone;
  std::string to, server, ca_file, source, from_name, to_name, subject, contact;
  std::optional<std::string> tls;
  std::optional<uint64_t> timeout;
  std::vector<std::string> forwarders;
  bool terse = false, verbose = false;

  void Declare(Options* options);
};

struct Delivery {
  std::string id;
  healthcheck::Settings settings;
  TestNames names;
  std::string server;  // "mx.example:25"
  Expectation expected;
  mail::SmtpResult result;
  bool fits() const { return expected.Fits(result.kind); }
};
nlohmann::json DeliveryJson(const Delivery& delivery);
nlohmann::json ExpectationJson(const Expectation& expected);
// "rejected after RCPT TO: 550 ...": one line.
std::string ResultText(const mail::SmtpResult& result);

class Courier {
 public:
  using Transcript = std::function<void(char, std::string_view)>;
  // Checks everything the user gave and finds the mail server. Errors: InvalidArgument (options),
  // FailedPrecondition and Unavailable (mx_lookup.h, or the resolver).
  static StatusOr<std::unique_ptr<Courier>> Open(const DeliveryOptions& options, TestZone* zone);

  // `id`: an ID made before; "": a new one. Errors: those of the keys.
  StatusOr<TestMail> Compose(const healthcheck::Settings& settings, std::string id, int64_t now_unix,
                             std::string* id_used);
  StatusOr<Delivery> Send(const healthcheck::Settings& settings, std::string id, int64_t now_unix,
                          Transcript transcript);

 private:
  Courier() = default;
  Status CheckTexts(const DeliveryOptions& options);
  Status FindServer();

  DeliveryOptions options_;
  TestZone* zone_ = nullptr;
  mail::MailAddress to_;
  std::string contact_;
  mail::TlsMode tls_ = mail::TlsMode::kOpportunistic;
  std::vector<mail::SmtpRequest> servers_;  // best first; only server and addresses are set
};

}  // namespace mz::cli
