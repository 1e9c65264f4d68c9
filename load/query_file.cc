// See query_file.h.
#include "load/query_file.h"

#include <algorithm>

#include "format/dns/name.h"
#include "format/dns/query_builder.h"

namespace mz::load {

namespace {

constexpr std::string_view kBlanks = " \t\r\v\f";
constexpr size_t kShownBytes = 200;

struct Word {
  size_t at = 0;  // octets from the start of the line
  std::string_view text;
};

Word NextWord(std::string_view line, size_t from) {
  const size_t begin = std::min(line.find_first_not_of(kBlanks, from), line.size());
  const size_t end = std::min(line.find_first_of(kBlanks, begin), line.size());
  return {begin, line.substr(begin, end - begin)};
}

class Parser {
 public:
  Parser(const std::string& file, dataset::DiagnosticSink& sink) : file_(file), sink_(sink) {}

  void Line(std::string_view line) {
    line_number_++;
    const Word name = NextWord(line, 0);
    if (name.text.empty() || name.text[0] == ';' || name.text[0] == '#') return;
    const Word type = NextWord(line, name.at + name.text.size());
    if (type.text.empty())
      return Error(line, {name.at + name.text.size(), ""}, "no query type",
                   "a line is NAME TYPE: 'example.org A'");
    const Word more = NextWord(line, type.at + type.text.size());
    if (!more.text.empty())
      return Error(line, more, "one word too many",
                   "a line is NAME TYPE; comments stand on lines of their own");
    StatusOr<std::string> wire = dns::ParseName(name.text == "." ? "" : name.text);
    if (!wire.ok()) return Error(line, name, Message(wire.status()), "");
    if (type.text != last_type_) {  // nearly always the one of the line before
      const StatusOr<uint16_t> number = dns::ParseType(type.text);
      if (!number.ok()) return Error(line, type, Message(number.status()), SwapHint(name.text));
      last_type_ = type.text;
      last_number_ = *number;
    }
    questions.push_back({*std::move(wire), last_number_});
  }

  std::vector<Question> questions;

 private:
  static std::string SwapHint(std::string_view name) {
    return name.find('.') == std::string_view::npos && dns::ParseType(name).ok() ? "the name comes first"
                                                                                 : "";
  }

  void Error(std::string_view line, const Word& at, std::string_view message, std::string_view hint) {
    if (++errors_ > dataset::kMaxDiagnostics) return;
    dataset::Diagnostic d;
    d.severity = dataset::Severity::kError;
    d.file = file_;
    d.line = line_number_;
    d.column = static_cast<uint32_t>(at.at + 1);
    d.length = static_cast<uint32_t>(std::max<size_t>(at.text.size(), 1));
    d.message = message;
    d.hint = hint;
    const size_t cut = at.at > kShownBytes / 2 ? at.at - kShownBytes / 2 : 0;
    d.source_line = line.substr(cut, kShownBytes);
    d.source_column = static_cast<uint32_t>(at.at - cut + 1);
    sink_.Report(std::move(d));
  }

  const std::string& file_;
  dataset::DiagnosticSink& sink_;
  uint32_t line_number_ = 0;
  std::string_view last_type_;
  uint16_t last_number_ = 0;
  uint64_t errors_ = 0;
};

}  // namespace

std::vector<Question> ParseQueryFile(std::string_view text, const std::string& file,
                                     dataset::DiagnosticSink& sink) {
  Parser parser(file, sink);
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    parser.Line(text.substr(at, end - at));
    at = end + 1;
  }
  return std::move(parser.questions);
}

}  // namespace mz::load
