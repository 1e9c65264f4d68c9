// See reporter.h.
#include "compiler/dataset/reporter.h"

#include <algorithm>
#include <cstring>

namespace mz::compiler {

using dataset::Diagnostic;
using dataset::Note;
using dataset::NoteKind;
using dataset::Severity;
using dataset::TextBlock;

namespace {

constexpr size_t kShownOctets = 200;

struct Words {
  Severity severity = Severity::kWarning;
  std::string message;
  std::string hint;
};

Words Warning(const char* message, const char* hint = "") { return {Severity::kWarning, message, hint}; }

// Why a key was refused, as far as its text shows it.
std::string AddressHint(std::string_view key) {
  size_t dash = key.find('-');
  size_t dots = static_cast<size_t>(std::count(key.begin(), key.end(), '.'));
  if (key.substr(0, 2) == "//") return "comments begin with # or ;";
  if (key.find(':') != std::string_view::npos && dots == 3) return "write IPv6 addresses without a dotted part";
  if (dash != std::string_view::npos) {
    if (dash + 1 == key.size()) return "ranges are written without blanks: 1.2.3.4-1.2.3.9";
    return "both ends of a range need the same number of octets, in ascending order";
  }
  if (!key.empty() && key.find_first_not_of("0123456789") == std::string_view::npos)
    return "a lone octet is ambiguous: write " + std::string(key) + "/8";
  if (key.size() > 2 && key.substr(key.size() - 2) == "/0") return "an ip4set takes no /0: write 0.0.0.0-255.255.255.255";
  return "";
}

Words WordsOf(const Note& note, const TextBlock& block) {
  std::string_view text = block.text().substr(note.at, note.length);
  bool cr = false;
  if (size_t lf = block.text().find('\n', note.offset); lf != std::string_view::npos && lf > note.offset)
    cr = block.text()[lf - 1] == '\r';
  constexpr const char* kCrHint = "CR is data here: convert the line ends, for instance with dos2unix";

  Words words;
  switch (note.kind) {
    case NoteKind::kLongLine:
      words = Warning("long line (truncated)", "lines are cut at 64 KiB at most, and the last line needs a line end");
      return words;
    case NoteKind::kIncomplete:
      return Warning("incomplete last line (ignored)", "the last line was read, but it has no line end");
    case NoteKind::kInvalidAddress:
      words = Warning("invalid address");
      words.hint = AddressHint(text);
      break;
    case NoteKind::kHostBits:
      words = Warning("invalid range (non-zero host part)",
                      "the address has bits behind the prefix length: clear them, or have them masked (-e)");
      break;
    case NoteKind::kTooLargeRange:
      words = Warning("", "$MAXRANGE4 limits the size of an entry");
      words.message = "too large range (" + std::to_string(note.count) + ") ignored (" + std::to_string(note.limit) +
                      " max)";
      break;
    case NoteKind::kInvalidA:
      words = Warning("invalid A RR", "behind \":\" comes an address: \":5:\" or \":127.0.0.5:text\"");
      break;
    case NoteKind::kUnrecognizedValue:
      words = Warning("unrecognized value for an entry", "text behind an address needs a second \":\": \":5:text\"");
      break;
    case NoteKind::kTruncatedText:
      words = Warning("TXT RR truncated to 255 bytes");
      break;
    case NoteKind::kInvalidDomain:
      words = Warning("invalid domain name", "labels have 1 to 63 octets, names at most 255");
      break;
    case NoteKind::kInvalidEntry:
      words = Warning("invalid/unrecognized entry", "NAME [ttl] [IN] A|TXT|MX data");
      break;
    case NoteKind::kInvalidKeyword:
      words = Warning("invalid keyword", "ignore, refuse, empty or pass");
      break;
    case NoteKind::kShouldBe64:
      words = Warning("invalid address for regular entry (should be 64 bits)", "write four groups: 2001:db8:1:2");
      break;
    case NoteKind::kShouldBe128:
      words = Warning("invalid address for exclusion (should be 128 bits)", "write the whole address");
      break;
    case NoteKind::kDataBeforeDataset:
      words = {Severity::kError, "invalid/unrecognized entry - specify $DATASET line",
               "each file of a combined dataset begins with specials and a $DATASET line"};
      break;
    case NoteKind::kGenericTtl:
      words = {Severity::kError, "invalid TTL, data load aborted", "a number with an optional unit s, m, h, d or w"};
      break;
    case NoteKind::kGenericMx:
      words = {Severity::kError, "invalid MX record, data load aborted",
               "MX takes a preference and one name; there are no comments behind it"};
      break;
    case NoteKind::kSpecial:
    case NoteKind::kTsetDefault:
      break;
  }
  if (cr) words.hint = kCrHint;
  return words;
}

}  // namespace

void Reporter::Report(const Note& note, const TextBlock& block, uint32_t first_line) {
  if (reported_ >= dataset::kMaxDiagnostics && note.kind != NoteKind::kDataBeforeDataset &&
      note.kind != NoteKind::kGenericTtl && note.kind != NoteKind::kGenericMx) {
    ++suppressed_;
    return;
  }
  Words words = WordsOf(note, block);
  Report(words.severity, std::move(words.message), std::move(words.hint), note, block, first_line);
}

void Reporter::Report(Severity severity, std::string message, std::string hint, const Note& note,
                      const TextBlock& block, uint32_t first_line) {
  Diagnostic d;
  d.severity = severity;
  d.file = file_;
  d.line = first_line + note.line;
  d.message = std::move(message);
  d.hint = std::move(hint);
  std::string_view line = block.text().substr(note.offset);
  line = line.substr(0, line.find('\n'));
  size_t at = note.at >= note.offset ? note.at - note.offset : 0;
  if (note.length > 0) {
    d.column = static_cast<uint32_t>(at) + 1;
    d.length = note.length;
  }
  // The shown part of a long line lies around the column.
  size_t begin = line.size() > kShownOctets && at > kShownOctets / 2
                     ? std::min(at - kShownOctets / 2, line.size() - kShownOctets)
                     : 0;
  d.source_line = std::string(line.substr(begin, kShownOctets));
  if (d.column != 0) {
    d.source_column = static_cast<uint32_t>(at - begin) + 1;
    size_t shown = begin + d.source_line.size();
    if (at + d.length > shown) d.length = static_cast<uint32_t>(std::max<size_t>(1, shown > at ? shown - at : 1));
  }
  Send(std::move(d));
}

void Reporter::ReportFile(Severity severity, std::string message, std::string hint, uint32_t line, bool counted) {
  Diagnostic d;
  d.severity = severity;
  d.file = file_;
  d.line = line;
  d.message = std::move(message);
  d.hint = std::move(hint);
  d.counted = counted;
  Send(std::move(d));
}

void Reporter::Send(Diagnostic d) {
  if (d.severity == Severity::kError) {
    last_error_ = "file " + d.file + (d.line ? "(" + std::to_string(d.line) + ")" : "") + ": " + d.message;
    d.counted = false;
  } else if (d.counted) {
    if (reported_ >= dataset::kMaxDiagnostics) {
      ++suppressed_;
      return;
    }
    ++reported_;
  }
  if (sink_) sink_->Report(std::move(d));
}

void Reporter::Finish() {
  if (suppressed_ > 0 && sink_) sink_->ReportSuppressed(suppressed_);
  suppressed_ = 0;
}

}  // namespace mz::compiler
