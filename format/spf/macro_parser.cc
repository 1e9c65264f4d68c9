// See macro_parser.h. RFC 7208 section 7.1.
#include "format/spf/macro_parser.h"

#include <cstdint>
#include <limits>

namespace mz::spf {
namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) { return Lower(c) >= 'a' && Lower(c) <= 'z'; }

// Neighbouring literals are one part, so that equal texts give equal parts.
void AppendLiteral(std::string_view text, MacroString* out) {
  if (text.empty()) return;
  if (out->empty() || out->back().letter != 0) out->emplace_back();
  out->back().literal += text;
}

class Parser {
 public:
  Parser(std::string_view text, const MacroSyntax& syntax, MacroString* out, MacroError* error)
      : text_(text), syntax_(syntax), out_(out), error_(error) {}

  bool Run(size_t* tail) {
    *tail = 0;
    while (at_ < text_.size()) {
      if (text_[at_] == '%') {
        if (!Expand()) return false;
        *tail = at_;
      } else if (!Literal()) {
        return false;
      }
    }
    return true;
  }

 private:
  bool Fail(size_t at, size_t length, std::string message, std::string hint = {}) {
    *error_ = {at, length, std::move(message), std::move(hint)};
    return false;
  }
  char Peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  bool Literal() {
    const size_t start = at_;
    for (; at_ < text_.size() && text_[at_] != '%'; at_++) {
      const auto c = static_cast<uint8_t>(text_[at_]);
      if (c == ' ' && syntax_.spaces) continue;
      if (c < 0x21 || c > 0x7e) return Fail(at_, 1, "octet that a macro-string cannot hold");
    }
    AppendLiteral(text_.substr(start, at_ - start), out_);
    return true;
  }

  // At '%': "%%", "%_", "%-" or a macro.
  bool Expand() {
    const size_t start = at_++;
    switch (Peek()) {
      case '%': AppendLiteral("%", out_); break;
      case '_': AppendLiteral(" ", out_); break;
      case '-': AppendLiteral("%20", out_); break;
      case '{': at_++; return Macro(start);
      default: return Fail(start, 1, "\"%\" begins no macro", "%% for a percent sign, or %{...}");
    }
    at_++;
    return true;
  }

  // Behind "%{".
  bool Macro(size_t start) {
    MacroPart part;
    const char written = Peek();
    if (!IsLetter(written)) return Unclosed(start, "a macro begins with a letter");
    part.letter = Lower(written);
    part.url_escape = written != part.letter;
    if (syntax_.letters.find(part.letter) == std::string_view::npos) {
      if (kExplanationLetters.find(part.letter) != std::string_view::npos)
        return Fail(at_, 1, std::string("the macro letter ") + written + " is for explanation texts only");
      return Fail(at_, 1, std::string("unknown macro letter ") + written, "one of s l o d i p v h");
    }
    at_++;
    if (!Digits(&part.keep)) return false;
    if (Lower(Peek()) == 'r') {
      part.reverse = true;
      at_++;
    }
    const size_t delimiters = at_;
    while (at_ < text_.size() && kMacroDelimiters.find(text_[at_]) != std::string_view::npos) at_++;
    part.delimiters = text_.substr(delimiters, at_ - delimiters);
    if (Peek() != '}') return Unclosed(start, "not a macro transformer");
    at_++;
    out_->push_back(std::move(part));
    return true;
  }

  bool Digits(uint32_t* keep) {
    const size_t start = at_;
    uint64_t n = 0;
    for (; IsDigit(Peek()); at_++) {
      n = n * 10 + static_cast<uint64_t>(text_[at_] - '0');
      if (n > std::numeric_limits<uint32_t>::max()) n = std::numeric_limits<uint32_t>::max();
    }
    // RFC 7208 section 7.3: the DIGIT transformer must be nonzero.
    if (at_ > start && n == 0) return Fail(start, at_ - start, "a macro keeps at least 1 part");
    *keep = static_cast<uint32_t>(n);
    return true;
  }

  // At an octet that no macro has there. Without any "}" behind it the brace is the mistake to name.
  bool Unclosed(size_t start, const char* otherwise) {
    if (text_.find('}', at_) == std::string_view::npos)
      return Fail(start, at_ - start, "macro without \"}\"", "%{d}");
    return Fail(at_, 1, otherwise, "%{d}, %{d2}, %{ir}, %{l1r-}: letter, digits, r, delimiters . - + , / _ =");
  }

  std::string_view text_;
  MacroSyntax syntax_;
  MacroString* out_;
  MacroError* error_;
  size_t at_ = 0;
};

}  // namespace

bool ParseMacros(std::string_view text, const MacroSyntax& syntax, MacroString* out, size_t* tail,
                 MacroError* error) {
  out->clear();
  return Parser(text, syntax, out, error).Run(tail);
}

bool ParseMacroString(std::string_view text, bool explanation, MacroString* out, size_t* error_at) {
  size_t tail = 0;
  MacroError error;
  const MacroSyntax syntax = explanation ? MacroSyntax{kExplanationLetters, true} : MacroSyntax{};
  if (ParseMacros(text, syntax, out, &tail, &error)) return true;
  out->clear();
  *error_at = error.at;
  return false;
}

}  // namespace mz::spf
