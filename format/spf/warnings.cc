// Advice on records that are well formed: FindWarnings of record.h.
#include <algorithm>
#include <string>

#include "base/suggest.h"
#include "format/spf/argument.h"
#include "format/spf/record.h"

namespace mz::spf {
namespace {

constexpr size_t kMaxWarnings = 100;
constexpr size_t kLongestWord = 16;

constexpr std::string_view kMechanismWords[] = {"all", "include", "a", "mx", "ptr", "ip4", "ip6", "exists"};
constexpr std::string_view kModifierWords[] = {"redirect", "exp"};
// Modifiers other documents define: RFC 6652 and drafts. One edit away from nothing above by accident only.
constexpr std::string_view kOtherModifiers[] = {"ra", "rp", "rr", "op", "v", "default"};

std::string Lowered(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return out;
}

template <typename List>
bool Among(const List& list, std::string_view word) {
  return std::find(std::begin(list), std::end(list), word) != std::end(list);
}

class Advisor {
 public:
  Advisor(std::string_view text, const Record& record) : text_(text), record_(record) {}

  std::vector<SyntaxError> Run() {
    UnknownModifiers();
    Terms();
    std::stable_sort(found_.begin(), found_.end(),
                     [](const SyntaxError& a, const SyntaxError& b) { return a.column < b.column; });
    if (found_.size() > kMaxWarnings) found_.resize(kMaxWarnings);
    return std::move(found_);
  }

 private:
  // Each of the two passes stops on its own, so that a hostile record cannot fill memory.
  void Add(uint32_t column, uint32_t length, std::string message, std::string hint, std::string_view section) {
    if (++added_ > kMaxWarnings) return;
    found_.push_back({column, length, std::move(message), std::move(hint), section});
  }

  // Modifiers the record parser has skipped: a word with "=" behind it.
  void UnknownModifiers() {
    for (size_t at = 0; at < text_.size() && added_ < kMaxWarnings;) {
      const size_t start = text_.find(' ', at);  // the version stands in front of the first blank
      if (start == std::string_view::npos) break;
      const size_t end = std::min(text_.find(' ', start + 1), text_.size());
      Word(text_.substr(start + 1, end - start - 1), start + 1);
      at = end;
    }
    added_ = 0;
  }

  void Word(std::string_view term, size_t offset) {
    const size_t equals = std::min(term.find_first_of("=:/"), term.size());
    if (equals == term.size() || term[equals] != '=' || equals > kLongestWord) return;
    const std::string name = Lowered(term.substr(0, equals));
    const std::string_view value = term.substr(equals + 1);
    const auto column = static_cast<uint32_t>(offset + 1), length = static_cast<uint32_t>(term.size());
    if (name == "v" && Lowered(value) == "spf1") {
      Add(column, length, "second \"v=spf1\": receivers read it as an unknown modifier",
          "one record may start with it; were two records joined?", "RFC 7208 section 4.5");
      return;
    }
    if (Among(kModifierWords, name) || Among(kOtherModifiers, name)) return;
    std::string hint;
    if (Among(kMechanismWords, name))
      hint = name == "all" ? "all" : name + ":" + Quoted(value);
    else if (const std::string near = name.size() > 2 ? Nearest(name, kModifierWords) : ""; !near.empty())
      hint = near + "=" + Quoted(value);
    else
      return;  // somebody's own modifier
    Add(column, length, "\"" + name + "=\" is an unknown modifier, which receivers ignore", std::move(hint),
        "RFC 7208 section 6");
  }

  void Terms() {
    bool ended = false;
    for (const Term& t : record_.terms) {
      if (added_ >= kMaxWarnings) return;
      if (ended) {
        Add(t.column, t.length, "never reached: it stands behind \"all\"", "", "RFC 7208 section 5.1");
        continue;
      }
      switch (t.mechanism) {
        case Mechanism::kAll:
          ended = true;
          if (t.qualifier == Qualifier::kPass)
            Add(t.column, t.length, "every address passes", "-all or ~all", "RFC 7208 section 5.1");
          if (record_.redirect)
            Add(record_.redirect->column, record_.redirect->length,
                "redirect= has no effect in a record with \"all\"", "", "RFC 7208 section 6.1");
          break;
        case Mechanism::kPtr:
          Add(t.column, t.length, "ptr is slow and unreliable: it should not be used", "", "RFC 7208 section 5.5");
          break;
        case Mechanism::kIp4: Address4(t); break;
        case Mechanism::kIp6: Address6(t); break;
        default: break;
      }
    }
  }

  std::string Sign(const Term& t) const {
    const char sign = QualifierSign(t.qualifier);
    return text_[t.column - 1] == sign ? std::string(1, sign) : std::string();
  }

  void Address4(const Term& t) {
    const net::Ip4 first = net::PrefixRange4(t.ip4, t.prefix4).first;
    if (first == t.ip4) return;
    HostBits(t, Sign(t) + "ip4:" + net::ToString(first) + "/" + std::to_string(t.prefix4));
  }

  void Address6(const Term& t) {
    const net::Ip6 first = net::PrefixRange6(t.ip6, t.prefix6).first;
    // Section 5: a client in ::ffff:0:0/96 is an IPv4 client.
    if (net::IsV4Mapped(first) && t.prefix6 >= 96) {
      const int length = t.prefix6 - 96;
      Add(t.column, t.length, "matches no client: such addresses count as IPv4",
          Sign(t) + "ip4:" + net::ToString(static_cast<net::Ip4>(first.low)) + "/" + std::to_string(length),
          "RFC 7208 section 5");
    } else if (first != t.ip6) {
      HostBits(t, Sign(t) + "ip6:" + net::ToString(first) + "/" + std::to_string(t.prefix6));
    }
  }

  void HostBits(const Term& t, std::string hint) {
    Add(t.column, t.length, "the address has bits behind the prefix, which receivers ignore", std::move(hint),
        "RFC 7208 section 5.6");
  }

  std::string_view text_;
  const Record& record_;
  std::vector<SyntaxError> found_;
  size_t added_ = 0;
};

}  // namespace

std::vector<SyntaxError> FindWarnings(std::string_view text) {
  Record record;
  SyntaxError error;
  if (!ParseRecord(text, &record, &error)) return {};
  return Advisor(text, record).Run();
}

}  // namespace mz::spf
