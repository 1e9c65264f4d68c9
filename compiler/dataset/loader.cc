// See loader.h.
#include "compiler/dataset/loader.h"

#include <algorithm>

#include "format/dataset/name_key.h"
#include "format/dataset/specials.h"

namespace mz::compiler {

using dataset::LineKind;
using dataset::Note;
using dataset::NoteKind;
using dataset::Severity;
using dataset::SpecialKind;
using dataset::TextBlock;

namespace {

constexpr size_t kLogFileOctets = 60;
constexpr size_t kLogNameOctets = 20;

LineKind LinesOf(image::DatasetKind kind) {
  switch (kind) {
    case image::kIp4Set: return LineKind::kIp4Set;
    case image::kIp4Tset: return LineKind::kIp4Tset;
    case image::kIp4Trie: return LineKind::kIp4Trie;
    case image::kIp6Tset: return LineKind::kIp6Tset;
    case image::kIp6Trie: return LineKind::kIp6Trie;
    case image::kDnset: return LineKind::kDnset;
    case image::kGeneric: return LineKind::kGeneric;
    case image::kAcl: return LineKind::kAcl;
    case image::kCombined:
    case image::kSpf:  // no text dialect
    case image::kHealthcheck:
      break;
  }
  return LineKind::kNone;
}

image::AclAction ActionOf(dataset::AclWord word) {
  switch (word) {
    case dataset::AclWord::kRefuse: return image::kAclRefuse;
    case dataset::AclWord::kEmpty: return image::kAclEmpty;
    case dataset::AclWord::kPass: return image::kAclPass;
    default: return image::kAclIgnore;
  }
}

uint32_t ActionCode(uint32_t word) {
  return kActionCode | ActionOf(static_cast<dataset::AclWord>(word & ~dataset::kAclActionBit));
}

}  // namespace

uint32_t BlockInput::Code(uint32_t value) const {
  return value & dataset::kAclActionBit ? ActionCode(value) : values[value];
}

struct Loader::Section {
  Section(image::DatasetKind section_kind, DatasetModel* target, const CompileOptions& options)
      : kind(section_kind), model(target), builder(MakeBuilder(section_kind, options, target)) {}

  image::DatasetKind kind;
  std::unique_ptr<DatasetModel> owned;  // combined: the part under construction
  DatasetModel* model;
  LocalSpecials local;
  ValueTable values;
  std::unique_ptr<DatasetBuilder> builder;
  uint32_t default_value = ValueTable::kBuiltin;                         // code: where values take what they leave out
  dataset::AclWord default_action = dataset::AclWord::kNone;             // acl: what entries without a value do
  std::optional<uint32_t> tset_value;                                    // the first valid ":" line
  std::string log_name;                                                  // combined: "combined:FILES:TYPE[:NAME]"
};

Loader::Loader(image::DatasetKind kind, std::string_view dataset_spec, const CompileOptions& options, Pool* pool,
               dataset::DiagnosticSink* sink)
    : kind_(kind), options_(options), pool_(pool), sink_(sink), reporter_(sink), model_(new DatasetModel) {
  model_->kind = kind;
  model_->spec = std::string(dataset_spec);
  outside_.ttl = options.ttl.default_ttl;
  if (kind != image::kCombined) {
    section_ = std::make_unique<Section>(kind, model_.get(), options);
    section_->local.ttl = options.ttl.default_ttl;
    in_section_ = true;
  }
}

Loader::~Loader() = default;

StatusOr<std::unique_ptr<DatasetModel>> Loader::Load(const std::vector<std::string>& files) {
  for (const std::string& path : files) {
    if (file_index_ == UINT16_MAX)
      return MakeStatus(StatusCode::kResourceExhausted, "a dataset has at most 65535 files");
    if (!LoadFile(path)) return Failure();
    ++file_index_;
  }
  return Finish();
}

StatusOr<std::unique_ptr<DatasetModel>> Loader::LoadText(const std::string& name, std::string_view text) {
  dataset::TextSource source;
  source.OpenString(text);
  reporter_.StartFile(name);
  model_->newest_mtime = 1;
  if (!ReadBlocks(&source)) return Failure();
  return Finish();
}

Status Loader::Failure() const {
  if (!builder_status_.ok()) return builder_status_;
  return MakeStatus(StatusCode::kInvalidArgument, reporter_.last_error());
}

bool Loader::LoadFile(const std::string& path) {
  reporter_.StartFile(path);
  dataset::TextSource source;
  dataset::SourceError error = source.Open(path, options_.refuse_gzip);
  if (error.ok()) {
    const dataset::FileIdentity& id = source.identity();
    model_->files.push_back({path, id.mtime_seconds, id.mtime_nanoseconds, id.size, id.inode});
    model_->newest_mtime = std::max(model_->newest_mtime, id.mtime_seconds);
    if (!ReadBlocks(&source)) return false;
    error = source.Finish();
  }
  if (error.ok()) return true;
  reporter_.ReportFile(Severity::kError, error.message, error.hint);
  failed_ = true;
  return false;
}

bool Loader::ReadBlocks(dataset::TextSource* source) {
  first_line_ = 1;
  if (kind_ == image::kCombined)
    in_section_ = false;
  else
    ResetDefaults(section_.get());
  return kind_ == image::kCombined || kind_ == image::kAcl ? ReadSectionedBlocks(source) : ReadPlainBlocks(source);
}

void Loader::ResetDefaults(Section* section) {
  section->default_value = ValueTable::kBuiltin;
  section->default_action = section->kind == image::kAcl ? dataset::AclWord::kIgnore : dataset::AclWord::kNone;
}

bool Loader::ReadPlainBlocks(dataset::TextSource* source) {
  dataset::LineState state;
  state.kind = LinesOf(kind_);
  dataset::BlockParserOptions parse_options;
  parse_options.mask_host_bits = options_.mask_host_bits;
  BlockStream stream(source, state, parse_options, options_.threads);
  bool first = true;
  while (ParsedText* block = stream.Next(common_.max_range4)) {
    if (first && block->text.text().size() >= dataset::TextSource::kBlockBytes / 2) {
      double times = static_cast<double>(source->identity().size) / static_cast<double>(block->text.text().size());
      if (times > 1) section_->builder->Expect(block->parsed, times);
    }
    first = false;
    if (!TakeBlock(block->text, block->parsed, 0)) return false;
    if (options_.progress) options_.progress(reporter_.file(), source->bytes_read(), source->identity().size);
    stream.Release(block);
  }
  return true;
}

bool Loader::ReadSectionedBlocks(dataset::TextSource* source) {
  dataset::BlockParserOptions parse_options;
  parse_options.mask_host_bits = options_.mask_host_bits;
  parse_options.stop_at_dataset = kind_ == image::kCombined;
  dataset::BlockParser parser;
  dataset::ParsedBlock parsed;
  TextBlock block;
  while (source->Next(&block)) {
    for (size_t from = 0; from < block.text().size() || block.text().empty();) {
      dataset::LineState state;
      state.kind = in_section_ ? LinesOf(section_->kind) : LineKind::kNone;
      state.max_range4 = common_.max_range4;
      if (in_section_) state.default_action = section_->default_action;
      parser.Parse(block, from, state, parse_options, &parsed);
      if (!TakeBlock(block, parsed, from)) return false;
      from = parsed.next;
      if (block.text().empty()) break;
    }
    if (options_.progress) options_.progress(reporter_.file(), source->bytes_read(), source->identity().size);
  }
  return true;
}

bool Loader::TakeBlock(const TextBlock& text, const dataset::ParsedBlock& parsed, size_t from) {
  text_ = &text;
  parsed_ = &parsed;
  block_from_ = from;
  next_note_ = 0;
  found_line_ = 0;
  found_offset_ = from;
  if (in_section_) {
    Section* section = section_.get();
    MapValues(parsed);
    BlockInput input{&parsed, codes_, first_line_, file_index_, this};
    builder_status_ = section->builder->Add(input);
    if (!builder_status_.ok()) {
      reporter_.ReportFile(Severity::kError, std::string(Message(builder_status_)), "");
      failed_ = true;
    }
    if (parsed.default_value & dataset::kAclActionBit) {
      section->default_action = static_cast<dataset::AclWord>(parsed.default_value & ~dataset::kAclActionBit);
      section->default_value = ValueTable::kBuiltin;
    } else if (parsed.default_value != 0) {
      section->default_action = dataset::AclWord::kNone;
      section->default_value = codes_[parsed.default_value];
    }
  }
  if (!failed_) Before(UINT32_MAX);
  reporter_.CountDropped(parsed.notes_dropped);
  first_line_ += parsed.lines;
  if (!failed_ && text.last_incomplete && parsed.next >= text.text().size() && !parsed.fatal)
    reporter_.ReportFile(Severity::kWarning, "incomplete last line (ignored)",
                         "the last line was read, but it has no line end", first_line_ - 1, /*counted=*/false);
  failed_ |= parsed.fatal;
  return !failed_;
}

// Local value ids to codes of the section's table, in the order of the lines.
void Loader::MapValues(const dataset::ParsedBlock& parsed) {
  ValueTable& table = section_->values;
  codes_.resize(parsed.values.size());
  codes_[0] = section_->default_value;
  const uint32_t default_id = table.id(section_->default_value);
  for (size_t i = 1; i < parsed.values.size(); ++i) {
    const dataset::LocalValue& value = parsed.values[i];
    if (value.same_as != 0) {
      codes_[i] = table.StoreAgain(codes_[value.same_as]);
      continue;
    }
    uint8_t a[4];  // a copy: the table's own may move
    std::copy_n(value.default_a ? table.a(default_id) : value.a, 4, a);
    codes_[i] = table.Store(a, value.default_text ? table.text(default_id) : value.text);
  }
}

uint32_t Loader::current_ttl() const { return section_ && in_section_ ? section_->local.ttl : outside_.ttl; }

void Loader::Before(uint32_t line) {
  for (; next_note_ < parsed_->notes.size() && !failed_; ++next_note_) {
    const Note& note = parsed_->notes[next_note_];
    if (note.line > line) return;
    if (note.kind == NoteKind::kSpecial)
      HandleSpecial(note);
    else if (note.kind == NoteKind::kTsetDefault)
      HandleTsetDefault(note);
    else
      reporter_.Report(note, *text_, first_line_);
  }
}

void Loader::Duplicate(uint32_t line, const std::string& prefix) {
  Before(line);
  if (failed_) return;  // an earlier line ended the load: nothing behind it was read
  std::string_view text = text_->text();
  for (; found_line_ < line; ++found_line_) found_offset_ = text.find('\n', found_offset_) + 1;
  Note note;
  note.kind = NoteKind::kSpecial;
  note.line = line;
  note.offset = static_cast<uint32_t>(found_offset_);
  const char* p = text.data() + found_offset_;
  const char* end = text.data() + text.size();
  p = dataset::SkipBlanks(p, end);
  note.at = static_cast<uint32_t>(p - text.data());
  const char* word_end = p;
  while (word_end < end && !dataset::IsBlank(*word_end) && *word_end != '\n') ++word_end;
  note.length = static_cast<uint32_t>(word_end - p);
  reporter_.Report(Severity::kWarning, "duplicated entry for " + prefix,
                   "the first entry of a prefix counts; this one is not used", note, *text_, first_line_);
}

void Loader::Fail(std::string message, std::string hint, const Note& note) {
  reporter_.Report(Severity::kError, std::move(message), std::move(hint), note, *text_, first_line_);
  failed_ = true;
}

void Loader::InvalidSpecial(const Note& note, const dataset::SpecialLine& line) {
  std::string hint;
  switch (line.kind) {
    case SpecialKind::kSoa:
      hint = kind_ == image::kAcl ? "an acl has no SOA"
                                  : "$SOA ttl origin person serial refresh retry expire minttl, nothing behind it";
      break;
    case SpecialKind::kNs:
      hint = kind_ == image::kAcl ? "an acl has no NS" : "$NS ttl name...; the names before a bad one stay, with TTL 0";
      break;
    case SpecialKind::kTtl: hint = "$TTL time: a number with an optional unit s, m, h, d or w"; break;
    case SpecialKind::kMaxRange4: hint = "$MAXRANGE4 count, or $MAXRANGE4 /bits"; break;
    case SpecialKind::kTimestamp: hint = "$TIMESTAMP yyyy:mm:dd[:hh[:mi[:ss]]] [expires | +time], in UTC"; break;
    case SpecialKind::kDataset:
      hint = kind_ == image::kCombined ? "$DATASET type[:name] subzone..." : "$DATASET is for combined datasets";
      break;
    case SpecialKind::kUnknown:
      hint = line.text.empty() ? "a special needs a value behind its word" : "$SOA $NS $TTL $MAXRANGE4 $TIMESTAMP $0-$9 $=";
      break;
    default: break;
  }
  reporter_.Report(Severity::kWarning, "invalid or unrecognized special entry", std::move(hint), note, *text_,
                   first_line_);
}

void Loader::HandleSpecial(const Note& note) {
  dataset::SpecialLine line = dataset::ParseSpecialLine(text_->text().substr(note.at, note.length));
  if (line.kind == SpecialKind::kDataset && kind_ == image::kCombined) {
    dataset::DatasetText text;
    if (dataset::ParseDatasetText(line.text, &text)) return StartSection(text, note);
    InvalidSpecial(note, line);
  } else {
    // Any special at the top of a further file goes on with the last section of the file before.
    LocalSpecials* local = section_ ? &section_->local : &outside_;
    uint32_t common_ttl = kind_ == image::kCombined ? outside_.ttl : section_->local.ttl;
    SpecialOutcome outcome = ApplySpecial(line, options_, kind_ == image::kAcl, common_ttl, local, &common_);
    switch (outcome.kind) {
      case SpecialOutcome::kOk:
        break;
      case SpecialOutcome::kInvalid:
        InvalidSpecial(note, line);
        break;
      case SpecialOutcome::kFuture:
        return Fail("data timestamp is " + std::to_string(outcome.seconds) + " sec in the future, aborting loading",
                    "check the clock of this machine, or of the one that made the file", note);
      case SpecialOutcome::kRangeIncrease:
        reporter_.Report(Severity::kWarning,
                         "ignoring attempt to increase $MAXRANGE4 from " + std::to_string(outcome.from) + " to " +
                             std::to_string(outcome.to),
                         "", note, *text_, first_line_);
        break;
    }
  }
  if (section_) in_section_ = true;
}

void Loader::HandleTsetDefault(const Note& note) {
  if (section_->tset_value) return;
  const char* p = text_->begin() + note.at;
  dataset::ValueText value;
  const char* where;
  Note found = note;
  dataset::ValueResult result = dataset::ParseValue(p, p + note.length, &value, &where);
  if (result != dataset::ValueResult::kOk || value.truncated) {
    found.kind = result == dataset::ValueResult::kInvalidA     ? NoteKind::kInvalidA
                 : result == dataset::ValueResult::kUnrecognized ? NoteKind::kUnrecognizedValue
                                                                 : NoteKind::kTruncatedText;
    found.at = static_cast<uint32_t>(where - text_->begin());
    found.length = note.at + note.length - found.at;
    reporter_.Report(found, *text_, first_line_);
    if (result != dataset::ValueResult::kOk) return;
  }
  section_->tset_value = section_->values.Store(value.a, value.text);
}

void Loader::StartSection(const dataset::DatasetText& text, const Note& note) {
  if (section_ && !FinishSection(section_.get())) return;
  section_.reset();
  std::string type(text.type);
  std::optional<image::DatasetKind> kind = KindOfWord(type);
  if (!kind) return Fail("unknown dataset type `" + type + "'", "", note);
  if (*kind == image::kCombined || *kind == image::kAcl)
    return Fail("dataset type `" + type + "' cannot be used inside `combined'", "", note);

  auto part = std::make_unique<DatasetModel>();
  part->kind = *kind;
  part->spec = type + (text.name.empty() ? "" : ":" + std::string(text.name));
  section_ = std::make_unique<Section>(*kind, part.get(), options_);
  section_->owned = std::move(part);
  section_->local = outside_;
  section_->log_name = DatasetLogName(model_->spec) + ":" + type +
                       (text.name.empty() ? "" : ":" + std::string(text.name.substr(0, kLogNameOctets)));
  in_section_ = true;

  const uint32_t index = static_cast<uint32_t>(model_->parts.size());
  for (std::string_view word : text.subzones) {
    std::string wire;
    if (word != "@" && !dataset::AppendName(word, /*keep_case=*/false, &wire)) {
      Note at = note;
      at.at = static_cast<uint32_t>(word.data() - text_->begin());
      at.length = static_cast<uint32_t>(word.size());
      reporter_.Report(Severity::kWarning, "invalid domain name `" + std::string(word.substr(0, kLogFileOctets)) + "'",
                       "labels have 1 to 63 octets, names at most 255", at, *text_, first_line_);
      continue;
    }
    AddToSubzone(wire, index);
  }
  if (text.subzones.empty())
    reporter_.Report(Severity::kWarning, "no subzone(s) specified for dataset, data will be ignored",
                     "name the subzones behind the type; @ is the zone itself", note, *text_, first_line_);
}

void Loader::AddToSubzone(const std::string& wire, uint32_t part) {
  auto [it, added] = subzones_.try_emplace(wire, static_cast<uint32_t>(model_->subzones.size()));
  if (added) {
    model_->subzones.emplace_back();
    model_->subzones.back().name = model_->names.Add(wire);
  }
  std::vector<uint32_t>& parts = model_->subzones[it->second].parts;
  if (parts.empty() || parts.back() != part) parts.push_back(part);
}

bool Loader::FinishSection(Section* section) {
  section->model->ttl = section->local.ttl;
  ResultMap results(section->values, section->local.substitutions, pool_);
  results.ResolveAll();
  FinishContext context{&results, section->tset_value.value_or(ValueTable::kBuiltin), options_.threads};
  builder_status_ = section->builder->Finish(context, section->model);
  if (!builder_status_.ok()) {
    reporter_.ReportFile(Severity::kError, std::string(Message(builder_status_)), "");
    failed_ = true;
    return false;
  }
  if (section->owned == nullptr) return true;
  model_->extra_load_lines.push_back(section->log_name + ": " + section->model->counts);
  model_->entries += section->model->entries;
  if (sink_) sink_->EndSection(section->log_name);
  model_->parts.push_back(std::move(section->owned));
  return true;
}

StatusOr<std::unique_ptr<DatasetModel>> Loader::Finish() {
  if (section_ && !FinishSection(section_.get())) return Failure();
  reporter_.Finish();
  if (model_->newest_mtime == 0) {
    // rbldnsd takes the time 0 for "not loaded".
    reporter_.ReportFile(Severity::kError, "file time is 0 (1970-01-01), the dataset counts as not loaded",
                         "set the time of the file: touch FILE");
    return Failure();
  }
  if (kind_ == image::kCombined) {
    model_->ttl = outside_.ttl;
    model_->counts = "subzones=" + std::to_string(model_->subzones.size()) +
                     " datasets=" + std::to_string(model_->parts.size());
  }
  for (std::string& line : model_->extra_load_lines)
    if (kind_ == image::kAcl) line = DatasetLogName(model_->spec) + ": " + line;
  model_->soa = common_.soa;
  model_->ns = common_.ns;
  model_->expires_unix = common_.expires_unix;
  return std::move(model_);
}

}  // namespace mz::compiler
