// Questions and answers as JSON, one object a line: recordings and the state of the store.
//
//   {"name":"example.com","type":"TXT","kind":"data","ttl":300,"rdata":["v=spf1 -all"]}
//
// name   presentation form, no trailing dot (format/dns/name.h); type a mnemonic ("TXT", "type257")
// kind   "data", "nodata", "nxdomain", "failed", "bogus"; ttl in seconds; "secure": true only when validated
// rdata  A, AAAA: the address. MX: "10 mail.example". TXT: its string, or a list of strings when there are several or
//        none; in strings, backslash is \\ and octets outside 0x20-0x7e are \DDD. All else: "\# LENGTH HEX" (RFC 3597).
// Absent members have their default (ttl 0, secure false, no rdata, no reason). What is written is ASCII.
// Any RDATA survives the round trip octet for octet. Any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/status.h"
#include "compiler/resolve/resolver.h"

namespace mz::resolve {

// Appends `"name":"...","type":"..."`, without braces.
void AppendQuestion(std::string* out, const Question& question);
// Appends `"kind":"...",...`, without braces.
void AppendAnswer(std::string* out, uint16_t type, const Answer& answer);
// Appends `"KEY":"VALUE"` with JSON escapes; octets outside ASCII become '?'. Requires: key needs no escape.
void AppendText(std::string* out, std::string_view key, std::string_view value);
void AppendNumber(std::string* out, std::string_view key, int64_t value);

// Errors: InvalidArgument, with the member that is wrong. The name is lower-cased, RDATA sorted and made unique.
StatusOr<Question> QuestionFromJson(const nlohmann::json& object);
StatusOr<Answer> AnswerFromJson(const nlohmann::json& object, uint16_t type);
// Members of `object`; absent: the default. Errors: InvalidArgument (another JSON type, out of range).
Status ReadNumber(const nlohmann::json& object, const char* key, int64_t low, int64_t high, int64_t* value);
Status ReadString(const nlohmann::json& object, const char* key, std::string* value);

// Calls `take` with every line's object; blank lines are skipped. Errors: InvalidArgument "NAME:LINE: ...", from here or
// from `take`.
Status ForEachJsonLine(std::string_view text, const std::string& name,
                       const std::function<Status(const nlohmann::json&)>& take);

}  // namespace mz::resolve
