// Values of entries: an A address and a TXT template, each written or left to the default in force.
#pragma once

#include <cstdint>
#include <string_view>

#include "format/dataset/chars.h"

namespace mz::dataset {

inline constexpr size_t kMaxTemplateBytes = 255;

struct ValueText {
  uint8_t a[4] = {127, 0, 0, 2};
  bool has_a = false;      // else the default's address
  bool has_text = false;   // else the default's text
  bool truncated = false;  // the text was cut to kMaxTemplateBytes
  std::string_view text;   // into the line
};

enum class ValueResult : uint8_t { kOk, kInvalidA, kUnrecognized };

// The text behind a key up to the end of the stripped line. On failure *where points at the offending octet.
ValueResult ParseValue(const char* p, const char* end, ValueText* value, const char** where);

// Actions of acl entries: ":WORD" or "=WORD" behind the key.
enum class AclWord : uint8_t { kNone, kIgnore, kRefuse, kEmpty, kPass, kInvalid };
// Words are ignore, blackhole, refuse, empty, pass, ignoring case, and may be cut short (":ref"). kNone: a value follows
// instead. kInvalid: "=" with an unknown word.
AclWord ParseAclWord(const char* p, const char* end);

}  // namespace mz::dataset
