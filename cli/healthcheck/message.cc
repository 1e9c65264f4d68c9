// See message.h.
#include "cli/healthcheck/message.h"

#include <strings.h>

#include <algorithm>
#include <cstdio>
#include <ctime>

namespace mz::mail {
namespace {

constexpr size_t kWantedLine = 78;   // RFC 5322 section 2.1.1
constexpr size_t kEncodedWord = 75;  // RFC 2047 section 2
constexpr size_t kQuotedLine = 76;   // RFC 2045 section 6.7 (5)
constexpr char kHex[] = "0123456789ABCDEF";

// Octets of the UTF-8 character that begins here; 0: malformed.
size_t Utf8Size(std::string_view s) {
  const unsigned char c = static_cast<unsigned char>(s[0]);
  const size_t size = c < 0x80                ? 1
                      : c >= 0xc2 && c < 0xe0 ? 2
                      : c >= 0xe0 && c < 0xf0 ? 3
                      : c >= 0xf0 && c < 0xf5 ? 4
                                              : 0;
  if (size == 0 || size > s.size()) return 0;
  for (size_t k = 1; k < size; ++k)
    if ((static_cast<unsigned char>(s[k]) & 0xc0) != 0x80) return 0;
  const unsigned char second = size > 1 ? static_cast<unsigned char>(s[1]) : 0;
  if ((c == 0xe0 && second < 0xa0) || (c == 0xed && second > 0x9f) || (c == 0xf0 && second < 0x90) ||
      (c == 0xf4 && second > 0x8f))
    return 0;
  return size;
}

bool IsAtomText(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos;
}

bool IsFieldName(std::string_view s) {  // RFC 5322 section 2.2
  return !s.empty() && std::all_of(s.begin(), s.end(), [](char c) { return c > ' ' && c < 0x7f && c != ':'; });
}

}  // namespace

std::string Folded(std::string_view name, std::string_view value) {
  std::string out;
  size_t column = name.size() + 1;
  size_t at = 0;
  while (at < value.size()) {
    const size_t begin = value.find_first_not_of(' ', at);
    if (begin == value.npos) break;
    const size_t end = std::min(value.find(' ', begin), value.size());
    const std::string_view word = value.substr(begin, end - begin);
    // Each word keeps one blank in front: folding inserts a line end before it, unfolding removes just that.
    if (column + 1 + word.size() > kWantedLine && !out.empty()) {
      out += "\r\n";
      column = 0;
    }
    out += ' ';
    out += word;
    column += 1 + word.size();
    at = end;
  }
  return out;
}

void Message::Add(std::string_view name, std::string_view value) {
  fields.push_back({std::string(name), Folded(name, value)});
}

Field* Message::Find(std::string_view name) {
  for (Field& f : fields)
    if (f.name.size() == name.size() && strncasecmp(f.name.data(), name.data(), name.size()) == 0) return &f;
  return nullptr;
}

std::string Message::Text() const {
  std::string out;
  for (const Field& f : fields) out += f.name + ":" + f.value + "\r\n";
  out += "\r\n";
  return out + body;
}

StatusOr<Message> ParseMessage(std::string_view text) {
  Message out;
  size_t at = 0;
  bool in_header = true;
  size_t number = 0;
  while (at < text.size()) {
    const size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = text.substr(at, end - at);
    if (line.ends_with('\r')) line.remove_suffix(1);
    at = end + 1;
    ++number;
    if (!in_header) {
      out.body += line;
      out.body += "\r\n";
    } else if (line.empty()) {
      in_header = false;
    } else if ((line[0] == ' ' || line[0] == '\t') && !out.fields.empty()) {
      out.fields.back().value += "\r\n" + std::string(line);
    } else {
      const size_t colon = line.find(':');
      if (colon == line.npos || !IsFieldName(line.substr(0, colon)))
        return MakeStatus(StatusCode::kInvalidArgument, "line " + std::to_string(number) + " is no header field");
      out.fields.push_back({std::string(line.substr(0, colon)), std::string(line.substr(colon + 1))});
    }
  }
  return out;
}

Status CheckHeaderText(std::string_view text, std::string_view what) {
  if (text.size() > kMaxHeaderTextOctets)
    return MakeStatus(StatusCode::kInvalidArgument, std::string(what) + " has " + std::to_string(text.size()) +
                                                        " octets; at most " +
                                                        std::to_string(kMaxHeaderTextOctets));
  for (size_t at = 0; at < text.size();) {
    const unsigned char c = static_cast<unsigned char>(text[at]);
    if (c < ' ' || c == 0x7f)
      return MakeStatus(StatusCode::kInvalidArgument,
                        std::string(what) +
                            (c == '\r' || c == '\n' ? " has a line break" : " has a control character") +
                            " at position " + std::to_string(at + 1));
    const size_t size = Utf8Size(text.substr(at));
    if (size == 0)
      return MakeStatus(StatusCode::kInvalidArgument,
                        std::string(what) + " is not UTF-8 at position " + std::to_string(at + 1));
    at += size;
  }
  return absl::OkStatus();
}

std::string EncodedWords(std::string_view text) {
  const bool plain = text.find("=?") == text.npos &&
                     std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c < 0x7f; });
  if (plain) return std::string(text);
  constexpr std::string_view kBegin = "=?UTF-8?Q?", kEnd = "?=";
  std::string out, word(kBegin);
  for (size_t at = 0; at < text.size();) {
    const size_t size = std::max<size_t>(1, Utf8Size(text.substr(at)));
    std::string coded;
    for (char c : text.substr(at, size)) {
      const unsigned char octet = static_cast<unsigned char>(c);
      // RFC 2047 section 5 (3): the characters that are safe in every place.
      const bool safe = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
      if (safe)
        coded += c;
      else if (c == ' ')
        coded += '_';
      else
        coded += {'=', kHex[octet >> 4], kHex[octet & 15]};
    }
    if (word.size() + coded.size() + kEnd.size() > kEncodedWord) {
      out += word + std::string(kEnd) + " ";
      word = kBegin;
    }
    word += coded;
    at += size;
  }
  return out + word + std::string(kEnd);
}

std::string DisplayName(std::string_view text) {
  const std::string encoded = EncodedWords(text);
  if (encoded != text) return encoded;
  if (std::all_of(text.begin(), text.end(), [](char c) { return IsAtomText(c) || c == ' '; })) return encoded;
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string DateText(int64_t unix_seconds) {
  constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const time_t t = static_cast<time_t>(unix_seconds);
  std::tm tm{};
  gmtime_r(&t, &tm);
  char text[64];
  std::snprintf(text, sizeof text, "%s, %02d %s %04d %02d:%02d:%02d +0000", kDays[tm.tm_wday], tm.tm_mday,
                kMonths[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
  return text;
}

std::string QuotedPrintable(std::string_view text) {
  std::string out;
  size_t column = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '\r') continue;
    if (c == '\n') {
      out += "\r\n";
      column = 0;
      continue;
    }
    const unsigned char octet = static_cast<unsigned char>(c);
    const size_t after = at + 1 < text.size() && text[at + 1] == '\r' ? at + 2 : at + 1;
    const bool last_of_line = after >= text.size() || text[after] == '\n';
    const bool literal = (octet > ' ' && octet < 0x7f && c != '=') || ((c == ' ' || c == '\t') && !last_of_line);
    const size_t width = literal ? 1 : 3;
    if (column + width > kQuotedLine - 1) {
      out += "=\r\n";
      column = 0;
    }
    // A line that begins with "From " or a lone dot is altered by some transports.
    const bool risky = literal && column == 0 && (c == '.' || text.substr(at).starts_with("From "));
    if (literal && !risky)
      out += c;
    else
      out += {'=', kHex[octet >> 4], kHex[octet & 15]};
    column += risky ? 3 : width;
  }
  return out;
}

std::string HtmlEscaped(std::string_view text) {
  std::string out;
  for (char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string MultipartAlternative(std::string_view plain, std::string_view html, std::string_view boundary,
                                 Message* out) {
  const std::string mark = "=_" + std::string(boundary);  // quoted-printable text cannot contain "=_"
  out->Add("MIME-Version", "1.0");
  out->Add("Content-Type", "multipart/alternative; boundary=\"" + mark + "\"");
  std::string body = "This message has a plain and an HTML part in MIME form.\r\n";
  for (const auto& [type, text] : {std::pair{"plain", plain}, {"html", html}}) {
    body += "\r\n--" + mark + "\r\nContent-Type: text/" + type +
            "; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" + QuotedPrintable(text);
    if (!body.ends_with("\r\n")) body += "\r\n";
  }
  return body + "\r\n--" + mark + "--\r\n";
}

}  // namespace mz::mail
