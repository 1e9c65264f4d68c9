// See canonical.h.
#include "cli/healthcheck/canonical.h"

namespace mz::mail {
namespace {

bool IsBlank(char c) { return c == ' ' || c == '\t'; }

// Each run of blanks as one space, none at the end.
std::string Squeezed(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (!IsBlank(c))
      out += c;
    else if (!out.ends_with(' '))
      out += ' ';
  }
  while (out.ends_with(' ')) out.pop_back();
  return out;
}

}  // namespace

std::string_view CanonName(Canon canon) { return canon == Canon::kSimple ? "simple" : "relaxed"; }

std::string CanonicalField(Canon canon, std::string_view name, std::string_view value) {
  if (canon == Canon::kSimple) return std::string(name) + ":" + std::string(value) + "\r\n";
  // RFC 6376 section 3.4.2.
  std::string lower;
  for (char c : name) lower += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  while (!lower.empty() && IsBlank(lower.back())) lower.pop_back();
  std::string unfolded;
  for (size_t k = 0; k < value.size(); ++k) {
    if (value[k] == '\r' && k + 1 < value.size() && value[k + 1] == '\n')
      ++k;
    else
      unfolded += value[k];
  }
  std::string text = Squeezed(unfolded);
  if (text.starts_with(' ')) text.erase(0, 1);
  return lower + ":" + text + "\r\n";
}

std::string CanonicalBody(Canon canon, std::string_view body) {
  std::string out;
  if (canon == Canon::kSimple) {
    out = body;
  } else {  // RFC 6376 section 3.4.4
    out.reserve(body.size());
    for (size_t at = 0; at < body.size();) {
      const size_t end = body.find("\r\n", at);
      out += Squeezed(body.substr(at, end == body.npos ? end : end - at));
      if (end == body.npos) break;
      out += "\r\n";
      at = end + 2;
    }
  }
  if (!out.empty() && !out.ends_with("\r\n")) out += "\r\n";
  while (out.ends_with("\r\n\r\n")) out.resize(out.size() - 2);
  // An empty body is one empty line for simple (section 3.4.3) and nothing for relaxed (section 3.4.4).
  if (out == "\r\n") out.clear();
  if (out.empty() && canon == Canon::kSimple) out = "\r\n";
  return out;
}

}  // namespace mz::mail
