// See registered.h: the text form.
#include "compiler/healthcheck/registered.h"

#include <algorithm>

#include "base/file.h"
#include "format/healthcheck/outcome.h"

namespace mz::compiler {

namespace {

constexpr int kMaxFindings = 50;  // of one file; the rest is counted
constexpr size_t kMaxSourceLine = 200;
constexpr char kSqliteMagic[] = "SQLite format 3";  // with its NUL: 16 octets

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

class Parser {
 public:
  Parser(const std::string& path, std::string_view text, dataset::DiagnosticSink* sink)
      : path_(path), text_(text), sink_(sink) {}

  StatusOr<std::vector<RegisteredId>> Run() {
    while (!text_.empty()) {
      line_number_++;
      const size_t end = text_.find('\n');
      line_ = text_.substr(0, end);
      text_ = end == std::string_view::npos ? std::string_view() : text_.substr(end + 1);
      Line();
    }
    if (findings_ == 0) {
      if (const RegisteredId* twice = SortRegistered(&ids_)) {
        line_number_ = 0;
        line_ = {};
        Finding(0, 0, "the ID " + healthcheck::IdText(twice->id) + " stands there twice, with different settings", "");
      }
    }
    if (findings_ == 0) return std::move(ids_);
    return MakeStatus(StatusCode::kInvalidArgument,
                      path_ + ": " + std::to_string(findings_) + (findings_ == 1 ? " error" : " errors"));
  }

 private:
  // The next word of the line, or "" at its end.
  std::string_view Word(size_t* at) const {
    while (*at < line_.size() && IsBlank(line_[*at])) ++*at;
    const size_t begin = *at;
    if (begin < line_.size() && line_[begin] == '#') *at = line_.size();
    while (*at < line_.size() && !IsBlank(line_[*at])) ++*at;
    return begin < line_.size() && line_[begin] == '#' ? std::string_view() : line_.substr(begin, *at - begin);
  }

  void Line() {
    size_t at = 0;
    const std::string_view id_text = Word(&at);
    if (id_text.empty()) return;
    RegisteredId id;
    const healthcheck::IdError error = healthcheck::ReadIdText(id_text, &id.id);
    if (error != healthcheck::IdError::kNone)
      return Finding(at - id_text.size(), id_text.size(), std::string(healthcheck::IdErrorText(error)),
                     "32 hexadecimal digits, then words as spf=softfail");
    for (std::string_view word = Word(&at); !word.empty(); word = Word(&at)) {
      std::string problem;
      if (!healthcheck::ApplySetting(word, &id.settings, &problem))
        return Finding(at - word.size(), word.size(), problem, "`mailzone healthcheck list` prints all words");
    }
    ids_.push_back(id);
  }

  void Finding(size_t column, size_t length, std::string message, std::string hint) {
    if (findings_++ >= kMaxFindings) return;
    dataset::Diagnostic d;
    d.severity = dataset::Severity::kError;
    d.file = path_;
    d.line = line_number_;
    if (length != 0) {
      d.column = static_cast<uint32_t>(column + 1);
      d.length = static_cast<uint32_t>(length);
      const size_t from = column > kMaxSourceLine / 2 ? column - kMaxSourceLine / 2 : 0;
      std::string_view shown = line_.substr(from, kMaxSourceLine);
      if (shown.ends_with('\r')) shown.remove_suffix(1);
      d.source_line = shown;
      d.source_column = static_cast<uint32_t>(column - from + 1);
    }
    d.message = std::move(message);
    d.hint = std::move(hint);
    sink_->Report(std::move(d));
  }

  const std::string& path_;
  std::string_view text_, line_;
  dataset::DiagnosticSink* sink_;
  uint32_t line_number_ = 0;
  int findings_ = 0;
  std::vector<RegisteredId> ids_;
};

}  // namespace

const RegisteredId* SortRegistered(std::vector<RegisteredId>* ids) {
  std::sort(ids->begin(), ids->end(), [](const RegisteredId& a, const RegisteredId& b) { return a.id < b.id; });
  size_t kept = 0;
  for (size_t i = 0; i < ids->size(); i++) {
    if (kept > 0 && (*ids)[kept - 1].id == (*ids)[i].id) {
      if (!((*ids)[kept - 1].settings == (*ids)[i].settings)) return &(*ids)[i];
      continue;
    }
    (*ids)[kept++] = (*ids)[i];
  }
  ids->resize(kept);
  return nullptr;
}

StatusOr<std::vector<RegisteredId>> ParseRegistered(const std::string& path, std::string_view text,
                                                    dataset::DiagnosticSink* sink) {
  return Parser(path, text, sink).Run();
}

StatusOr<std::vector<RegisteredId>> ReadRegistered(const std::string& path, dataset::DiagnosticSink* sink) {
  MZ_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  if (text.starts_with(std::string_view(kSqliteMagic, sizeof kSqliteMagic))) return ReadRegisteredTable(path);
  return ParseRegistered(path, text, sink);
}

}  // namespace mz::compiler
