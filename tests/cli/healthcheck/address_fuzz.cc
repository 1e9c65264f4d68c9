// Any octets as an address, a server and header text: no crash, and whatever is accepted is one line of visible
// ASCII (header text: without control characters) that reads back as itself.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "cli/healthcheck/address.h"
#include "cli/healthcheck/message.h"

namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

void RequireOneLine(std::string_view text) {
  for (char c : text) Require(c >= ' ' && c < 0x7f);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mz::mail;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (auto address = ParseMailAddress(text); address.ok()) {
    const std::string out = address->Text();
    RequireOneLine(out);
    Require(out.size() <= 254 && out.find('@') != out.npos);
    auto again = ParseMailAddress(out);
    Require(again.ok() && again->Text() == out);
    if (address->local.find('"') == std::string::npos) Require(out.find_first_of(" <>") == out.npos);
  }
  if (auto server = ParseHostPort(text, 25); server.ok()) {
    const std::string out = server->Text();
    RequireOneLine(out);
    Require(out.find_first_of(" /@?#<>") == out.npos);
    auto again = ParseHostPort(out, 25);
    Require(again.ok() && again->Text() == out);
  }
  if (CheckHeaderText(text, "text").ok()) {
    Message m;
    m.Add("Subject", EncodedWords(text));
    m.Add("To", DisplayName(text) + " <a@b.example>");
    const auto again = ParseMessage(m.Text());
    Require(again.ok() && again->fields.size() == 2 && again->body.empty());
    for (const Field& f : again->fields)
      for (size_t k = 0; k < f.value.size(); ++k)
        Require((f.value[k] >= ' ' && f.value[k] < 0x7f) || f.value[k] == '\r' || f.value[k] == '\n');
  }
  return 0;
}
