// A mail as it goes over the wire: header fields in their order with their exact octets, and a body with CRLF line
// ends.
//
//   Message m;
//   m.Add("From", "Health check <no-reply@id.example>");     // folded where it is long
//   m.body = MultipartAlternative(plain, html, boundary, &m);
//   m.Text()
//
// Values given to Add() must have passed CheckHeaderText() or be our own words; Text() is what is signed and sent.
// RFC 5322, RFC 2045-2047. Not thread-safe per object.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace mz::mail {

struct Field {
  std::string name;
  std::string value;  // all between the colon and the last CRLF, with the blank in front and the CRLF of folds
};

struct Message {
  std::vector<Field> fields;
  std::string body;

  // At the end, folded at blanks to lines of at most 78 characters where that is possible.
  void Add(std::string_view name, std::string_view value);
  // As it stands, at the top: trace fields and signatures.
  void AddOnTop(Field field) { fields.insert(fields.begin(), std::move(field)); }
  Field* Find(std::string_view name);
  // Header, empty line, body.
  std::string Text() const;
};

// Reads a message back. Lines may end with LF alone; a body without final line end gets one.
// Errors: InvalidArgument (a line of the header that is no field).
StatusOr<Message> ParseMessage(std::string_view text);

// "NAME: VALUE" without the name, folded: " VALUE".
std::string Folded(std::string_view name, std::string_view value);

// Text for Subject, To's display name and other fields of the user. Errors: InvalidArgument (CR, LF, NUL, another
// control octet, malformed UTF-8, over kMaxHeaderTextOctets).
inline constexpr size_t kMaxHeaderTextOctets = 500;
Status CheckHeaderText(std::string_view text, std::string_view what);
// RFC 2047 encoded words when the text is not plain ASCII; each at most 75 characters, never within a UTF-8
// character.
std::string EncodedWords(std::string_view text);
// A display name: an atom list, a quoted-string, or encoded words. "" for "".
std::string DisplayName(std::string_view text);

// "Sat, 21 Nov 2026 08:40:00 +0000".
std::string DateText(int64_t unix_seconds);

std::string QuotedPrintable(std::string_view text);
std::string HtmlEscaped(std::string_view text);

// Sets MIME-Version and Content-Type and returns the body. `boundary` must occur in neither part (random hex
// does).
std::string MultipartAlternative(std::string_view plain, std::string_view html, std::string_view boundary,
                                 Message* out);

}  // namespace mz::mail
