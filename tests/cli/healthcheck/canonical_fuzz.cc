// Any octets as a message: canonicalisation never crashes and is idempotent, and a signed message parses to what
// it was.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "cli/healthcheck/canonical.h"
#include "cli/healthcheck/dkim_sign.h"
#include "cli/healthcheck/message.h"

namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mz::mail;
  static const PrivateKey* const key = new PrivateKey(PrivateKey::FromEd25519Seed(std::string(32, 'k')).value());
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (Canon canon : {Canon::kSimple, Canon::kRelaxed}) {
    const std::string body = CanonicalBody(canon, text);
    Require(CanonicalBody(canon, body) == body);
    Require(body.empty() || body.ends_with("\r\n"));
  }
  QuotedPrintable(text);
  auto message = ParseMessage(text);
  if (!message.ok()) return 0;
  for (const Field& f : message->fields) {
    const std::string once = CanonicalField(Canon::kRelaxed, f.name, f.value);
    const size_t colon = once.find(':');
    Require(CanonicalField(Canon::kRelaxed, once.substr(0, colon),
                           once.substr(colon + 1, once.size() - colon - 3)) == once);
  }
  auto signature =
      DkimSign(*message, {.domain = "d.example", .selector = "s", .headers = {"From", "From", "Subject"}}, *key);
  Require(signature.ok());
  const size_t fields = message->fields.size();
  message->AddOnTop(std::move(*signature));
  const auto again = ParseMessage(message->Text());
  Require(again.ok() && again->fields.size() == fields + 1);
  return 0;
}
