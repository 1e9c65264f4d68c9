// The test mail of an ID: which names stand where, what is signed with which key, and what the text says.
//
//   KeyRing keys("/etc/mailzone/hc-keys");
//   MZ_ASSIGN_OR_RETURN(TestMail mail, ComposeTestMail(spec, &keys));
//   mail::SendMail({.helo = mail.helo, .mail_from = mail.mail_from, ...}, mail.message.Text());
#pragma once

#include <cstdint>
#include <string>

#include "base/status.h"
#include "cli/healthcheck/address.h"
#include "cli/healthcheck/key_files.h"
#include "cli/healthcheck/message.h"
#include "format/healthcheck/settings.h"

namespace mz::cli {

// Who writes to whom. Texts have passed the checks of mail/address.h and mail/message.h.
struct TestMailSpec {
  healthcheck::Settings settings;
  std::string id;         // 32 digits
  std::string zone;       // "hc.example"
  std::string mail_host;  // the name of HELO
  std::string literal;    // address literal of HELO: "[192.0.2.1]"
  std::string selector;
  mail::MailAddress to;
  std::string to_name, from_name;  // display names
  std::string subject;             // "": ours
  std::string contact;             // mail address for complaints
  bool terse = false;              // the text does not tell what is tested
  int64_t now_unix = 0;
};

struct TestNames {
  std::string mail_from, from, helo;
  std::string signing_domain;  // d=; "" without signature
};
TestNames NamesOf(const TestMailSpec& spec);

struct TestMail {
  TestNames names;
  mail::Message message;
};
// Errors: those of the keys and of signing.
StatusOr<TestMail> ComposeTestMail(const TestMailSpec& spec, KeyRing* keys);

// The two bodies, for tests and previews.
std::string PlainBody(const TestMailSpec& spec);
std::string HtmlBody(const TestMailSpec& spec);

}  // namespace mz::cli
