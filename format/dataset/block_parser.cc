// See block_parser.h.
#include "format/dataset/block_parser.h"

#include <xxhash.h>

#include <algorithm>
#include <cstring>

#include "format/dataset/address_key.h"
#include "format/dataset/diagnostic.h"
#include "format/dataset/generic_record.h"
#include "format/dataset/name_key.h"
#include "format/dataset/plain_addresses.h"
#include "format/dataset/specials.h"

namespace mz::dataset {

constexpr size_t kAddressChunk = 512;

void BlockParser::Parse(const TextBlock& block, size_t from, const LineState& state,
                        const BlockParserOptions& options, ParsedBlock* out) {
  block_ = &block;
  text_ = block.begin();
  options_ = options;
  state_ = state;
  out_ = out;
  out->Clear();
  out->values.push_back({true, true, {127, 0, 0, 2}, 0, {}});
  line_ = 0;
  diagnostics_ = 0;
  default_value_ = 0;
  seen_.assign(kSeenSlots, SeenValue());
  last_ = SeenValue();
  next_cut_ = static_cast<size_t>(
      std::lower_bound(block.cut_lines.begin(), block.cut_lines.end(), from) - block.cut_lines.begin());

  const bool plain = state.kind == LineKind::kIp4Set || state.kind == LineKind::kIp4Tset ||
                     state.kind == LineKind::kIp4Trie;
  const char* p = text_ + from;
  const char* end = block.end();
  while (p < end) {
    if (plain) {
      const char* stop = next_cut_ < block.cut_lines.size() ? text_ + block.cut_lines[next_cut_] : end;
      p = ParseAddressLines(p, stop);
      if (p == end) break;
    }
    const char* lf = static_cast<const char*>(std::memchr(p, '\n', static_cast<size_t>(end - p)));
    bool go_on = ParseLine(p, lf);
    ++line_;
    p = lf + 1;
    if (!go_on) break;
  }
  out->lines = line_;
  out->max_range4 = state_.max_range4;
  out->default_value = state_.default_action == AclWord::kNone
                           ? default_value_
                           : kAclActionBit | static_cast<uint32_t>(state_.default_action);
  out->next = static_cast<size_t>(p - text_);
}

const char* BlockParser::ParseAddressLines(const char* p, const char* end) {
  BigVector<net::Ip4>& addresses = out_->addresses;
  const size_t before = addresses.size();
  net::Ip4 chunk[kAddressChunk];
  size_t count;
  do {
    p = ParsePlainAddresses(p, end, kAddressChunk, chunk, &count);
    Append(&addresses, chunk, count);
  } while (count == kAddressChunk);
  count = addresses.size() - before;
  if (count == 0) return p;
  const uint32_t value = state_.kind == LineKind::kIp4Tset ? 0 : default_value_;
  if (state_.kind == LineKind::kIp4Trie) {  // a trie needs every entry by itself
    for (size_t i = 0; i < count; ++i)
      out_->entries4.push_back({addresses[i], addresses[i], value, line_ + static_cast<uint32_t>(i)});
    addresses.clear();
  } else {
    out_->runs.push_back({static_cast<uint32_t>(before), static_cast<uint32_t>(out_->entries4.size()), value, line_});
  }
  line_ += static_cast<uint32_t>(count);
  return p;
}

bool BlockParser::ParseLine(const char* line_begin, const char* line_end) {
  Line line{line_begin, line_end};
  if (next_cut_ < block_->cut_lines.size() && text_ + block_->cut_lines[next_cut_] == line_begin) {
    ++next_cut_;
    AddNote(NoteKind::kLongLine, line, line_end, 1);
  }
  const char* p = SkipBlanks(line_begin, line_end);
  while (line.end > p && IsBlank(line.end[-1])) --line.end;
  if (block_->has_nul) {  // a NUL ends the line, after its end has been stripped
    const void* nul = std::memchr(p, '\0', static_cast<size_t>(line.end - p));
    if (nul) line.end = static_cast<const char*>(nul);
  }
  if (p == line.end) return true;
  if (IsSpecialLine(p, line.end)) return ParseSpecial(line, p);
  if (IsComment(*p)) return true;
  return ParseEntry(line, p);
}

bool BlockParser::ParseSpecial(const Line& line, const char* p) {
  AddNote(NoteKind::kSpecial, line, p, static_cast<size_t>(line.end - p));
  SpecialLine special = ParseSpecialLine(Between(p, line.end));
  if (special.kind == SpecialKind::kMaxRange4) {
    uint32_t max_range;
    if (ParseMaxRangeText(special.text, &max_range) && (state_.max_range4 == 0 || max_range < state_.max_range4))
      state_.max_range4 = max_range;
  }
  return !options_.stop_at_dataset ||
         (special.kind != SpecialKind::kDataset && state_.kind != LineKind::kNone);
}

bool BlockParser::ParseEntry(const Line& line, const char* p) {
  switch (state_.kind) {
    case LineKind::kNone:
      AddNote(NoteKind::kDataBeforeDataset, line, p, static_cast<size_t>(line.end - p));
      out_->fatal = true;
      return false;
    case LineKind::kIp4Set:
    case LineKind::kIp4Trie:
      *p == ':' ? ParseDefault(line, p) : ParseIp4RangeEntry(line, p);
      return true;
    case LineKind::kIp4Tset:
      *p == ':' ? ParseDefault(line, p) : ParseIp4TsetEntry(line, p);
      return true;
    case LineKind::kIp6Tset:
      *p == ':' ? ParseDefault(line, p) : ParseIp6TsetEntry(line, p);
      return true;
    case LineKind::kIp6Trie:
      // "::..." is a key.
      *p == ':' && !(p + 1 < line.end && p[1] == ':') ? ParseDefault(line, p) : ParseIp6TrieEntry(line, p);
      return true;
    case LineKind::kDnset:
      *p == ':' ? ParseDefault(line, p) : ParseDnsetEntry(line, p);
      return true;
    case LineKind::kGeneric:
      return ParseGenericEntry(line, p);
    case LineKind::kAcl:
      if (*p == '=' || (*p == ':' && !(p + 1 < line.end && p[1] == ':')))
        ParseAclDefault(line, p);
      else
        ParseAclEntry(line, p);
      return true;
  }
  return true;
}

void BlockParser::ParseDefault(const Line& line, const char* p) {
  if (state_.kind == LineKind::kIp4Tset || state_.kind == LineKind::kIp6Tset) {
    AddNote(NoteKind::kTsetDefault, line, p, static_cast<size_t>(line.end - p));
    return;
  }
  ValueText value;
  const char* where;
  ValueResult result = ParseValue(p, line.end, &value, &where);
  if (result != ValueResult::kOk) {
    AddNote(result == ValueResult::kInvalidA ? NoteKind::kInvalidA : NoteKind::kUnrecognizedValue, line, where,
            static_cast<size_t>(line.end - where));
    return;
  }
  if (value.truncated)
    AddNote(NoteKind::kTruncatedText, line, where, static_cast<size_t>(line.end - where));
  // A default line says all: ":5" alone has no text.
  value.has_a = value.has_text = true;
  default_value_ = AddValue(value, 0);
}

void BlockParser::ParseIp4RangeEntry(const Line& line, const char* p) {
  bool exclusion = *p == '!';
  if (exclusion) p = SkipBlanks(p + 1, line.end);
  const char* key = p;
  net::Range4 range;
  KeyResult result = ParseIp4Key(&p, line.end, state_.kind == LineKind::kIp4Set ? Ip4KeyForm::kSet : Ip4KeyForm::kTrie,
                                 options_.mask_host_bits, &range);
  if (result == KeyResult::kInvalid || !IsKeyEnd(p, line.end))
    return AddKeyNote(NoteKind::kInvalidAddress, line, key);
  if (result == KeyResult::kHostBits) return AddKeyNote(NoteKind::kHostBits, line, key);
  if (!CheckRange4(line, key, p, range)) return;
  uint32_t value = kExclusion;
  if (!exclusion && !EntryValue(line, p, &value)) return;
  out_->entries4.push_back({range.first, range.last, value, line_});
}

bool BlockParser::CheckRange4(const Line& line, const char* key, const char* key_end, const net::Range4& range) {
  if (state_.max_range4 == 0) return true;
  uint64_t size = static_cast<uint64_t>(range.last) - range.first + 1;
  if (size <= state_.max_range4) return true;
  AddNote(NoteKind::kTooLargeRange, line, key, static_cast<size_t>(key_end - key), size, state_.max_range4);
  return false;
}

void BlockParser::ParseIp4TsetEntry(const Line& line, const char* p) {
  const char* key = p;
  net::Ip4 address;
  if (!ParseIp4Full(&p, line.end, &address) || !IsKeyEnd(p, line.end))
    return AddKeyNote(NoteKind::kInvalidAddress, line, key);
  out_->entries4.push_back({address, address, 0, line_});
}

void BlockParser::ParseIp6TsetEntry(const Line& line, const char* p) {
  bool exclusion = *p == '!';
  if (exclusion) p = SkipBlanks(p + 1, line.end);
  const char* key = p;
  net::Ip6 address;
  int groups;
  bool compressed;
  if (!ParseIp6Groups(&p, line.end, &address, &groups, &compressed) || !IsKeyEnd(p, line.end))
    return AddKeyNote(NoteKind::kInvalidAddress, line, key);
  if (exclusion ? groups != 8 : groups != 4)
    return AddKeyNote(exclusion ? NoteKind::kShouldBe128 : NoteKind::kShouldBe64, line, key);
  out_->entries6.push_back({address, exclusion ? kExclusion : 0, line_, exclusion ? 128 : 64});
}

void BlockParser::ParseIp6TrieEntry(const Line& line, const char* p) {
  bool exclusion = *p == '!';
  if (exclusion) p = SkipBlanks(p + 1, line.end);
  const char* key = p;
  net::Ip6 address;
  int bits;
  KeyResult result = ParseIp6Key(&p, line.end, options_.mask_host_bits, &address, &bits);
  if (result == KeyResult::kInvalid || !IsKeyEnd(p, line.end))
    return AddKeyNote(NoteKind::kInvalidAddress, line, key);
  if (result == KeyResult::kHostBits) return AddKeyNote(NoteKind::kHostBits, line, key);
  uint32_t value = kExclusion;
  if (!exclusion && !EntryValue(line, p, &value)) return;
  out_->entries6.push_back({address, value, line_, bits});
}

void BlockParser::ParseDnsetEntry(const Line& line, const char* p) {
  bool exclusion = *p == '!';
  if (exclusion) p = SkipBlanks(p + 1, line.end);
  const char* key = p;
  const char* key_end = SkipWord(p, line.end);
  uint8_t flags = kEntryExact;
  if (p < key_end && *p == '.') {
    flags = kEntryExact | kEntryWild;
    ++p;
  } else if (key_end - p >= 2 && p[0] == '*' && p[1] == '.') {
    flags = kEntryWild;
    p += 2;
  }
  std::string& arena = out_->arena;
  const size_t at = arena.size();
  if (!AppendName(Between(p, key_end), /*keep_case=*/false, &arena) || arena.size() == at)
    return AddKeyNote(NoteKind::kInvalidDomain, line, key);
  uint32_t value = kExclusion;
  if (!exclusion && !EntryValue(line, key_end, &value)) {
    arena.resize(at);
    return;
  }
  const uint64_t hash = XXH3_64bits(arena.data() + at, arena.size() - at);
  out_->names.push_back({static_cast<uint32_t>(at), static_cast<uint8_t>(arena.size() - at), flags, value, line_,
                         static_cast<uint32_t>(hash >> 32)});
}

bool BlockParser::ParseGenericEntry(const Line& line, const char* p) {
  std::string& arena = out_->arena;
  const size_t at = arena.size();
  GenericLine record;
  const char* where = p;
  GenericResult result = ParseGenericLine(p, line.end, &record, &arena, &where);
  size_t rest = static_cast<size_t>(line.end - where);
  switch (result) {
    case GenericResult::kInvalid:
      AddNote(NoteKind::kInvalidEntry, line, where, static_cast<size_t>(SkipWord(where, line.end) - where));
      return true;
    case GenericResult::kFatalTtl:
    case GenericResult::kFatalMx:
      AddNote(result == GenericResult::kFatalTtl ? NoteKind::kGenericTtl : NoteKind::kGenericMx, line, where, rest);
      out_->fatal = true;
      return false;
    case GenericResult::kOk:
      break;
  }
  if (record.truncated) AddNote(NoteKind::kTruncatedText, line, where, rest);
  out_->generic.push_back({static_cast<uint32_t>(at), line_, record.has_ttl ? record.ttl : 0, record.type,
                           static_cast<uint16_t>(record.rdata_bytes), static_cast<uint8_t>(record.name_bytes)});
  return true;
}

void BlockParser::ParseAclDefault(const Line& line, const char* p) {
  AclWord word = ParseAclWord(p, line.end);
  if (word == AclWord::kInvalid) {
    AddNote(NoteKind::kInvalidKeyword, line, p, static_cast<size_t>(SkipWord(p, line.end) - p));
    return;
  }
  if (word != AclWord::kNone) {
    state_.default_action = word;
    // Entries with a text or an address alone take the rest from the built-in value.
    ValueText builtin;
    builtin.has_a = builtin.has_text = true;
    default_value_ = AddValue(builtin, 0);
    return;
  }
  uint32_t before = default_value_;
  ParseDefault(line, p);
  if (default_value_ != before) state_.default_action = AclWord::kNone;  // a good default has an id of its own
}

void BlockParser::ParseAclEntry(const Line& line, const char* p) {
  const char* key = p;
  net::Range4 range;
  net::Ip6 address;
  int bits = -1;  // IPv4
  KeyResult result = ParseIp4Key(&p, line.end, Ip4KeyForm::kTrie, options_.mask_host_bits, &range);
  if (result == KeyResult::kInvalid || !IsKeyEnd(p, line.end)) {
    p = key;
    result = ParseIp6Key(&p, line.end, options_.mask_host_bits, &address, &bits);
    if (result == KeyResult::kInvalid || !IsKeyEnd(p, line.end))
      return AddKeyNote(NoteKind::kInvalidAddress, line, key);
  }
  if (result == KeyResult::kHostBits) return AddKeyNote(NoteKind::kHostBits, line, key);
  if (bits < 0 && !CheckRange4(line, key, p, range)) return;

  p = SkipBlanks(p, line.end);
  uint32_t value;
  AclWord word = ParseAclWord(p, line.end);
  if (word == AclWord::kInvalid) {
    AddNote(NoteKind::kInvalidKeyword, line, p, static_cast<size_t>(SkipWord(p, line.end) - p));
    return;
  }
  if (word == AclWord::kNone && (p == line.end || IsComment(*p))) word = state_.default_action;
  if (word != AclWord::kNone)
    value = kAclActionBit | static_cast<uint32_t>(word);
  else if (!EntryValue(line, p, &value))
    return;
  if (bits < 0)
    out_->entries4.push_back({range.first, range.last, value, line_});
  else
    out_->entries6.push_back({address, value, line_, bits});
}

bool BlockParser::EntryValue(const Line& line, const char* p, uint32_t* value) {
  p = SkipBlanks(p, line.end);
  if (p == line.end || IsComment(*p)) {
    *value = default_value_;
    return true;
  }
  std::string_view raw = Between(p, line.end);
  if (raw == last_.raw && default_value_ == last_.base) {
    *value = last_.id;
    return true;
  }
  uint32_t hash = static_cast<uint32_t>(raw.size()) * 31 + static_cast<uint8_t>(raw.back());
  if (raw.size() > 2) hash = hash * 31 + static_cast<uint8_t>(raw[raw.size() / 2]);
  if (raw.size() > 1) hash = hash * 31 + static_cast<uint8_t>(raw[1]);
  SeenValue& seen = seen_[(hash ^ hash >> 8) % kSeenSlots];
  if (raw == seen.raw && default_value_ == seen.base) {
    LocalValue again = out_->values[seen.id];
    if (again.same_as == 0) again.same_as = seen.id;
    out_->values.push_back(again);
    seen.id = *value = static_cast<uint32_t>(out_->values.size() - 1);
    last_ = seen;
    return true;
  }
  ValueText text;
  const char* where;
  ValueResult result = ParseValue(p, line.end, &text, &where);
  if (result != ValueResult::kOk) {
    AddNote(result == ValueResult::kInvalidA ? NoteKind::kInvalidA : NoteKind::kUnrecognizedValue, line, where,
            static_cast<size_t>(line.end - where));
    return false;
  }
  *value = AddValue(text, default_value_);
  if (text.truncated)
    AddNote(NoteKind::kTruncatedText, line, where, static_cast<size_t>(line.end - where));
  else
    last_ = seen = {raw, default_value_, *value};
  return true;
}

uint32_t BlockParser::AddValue(const ValueText& value, uint32_t base) {
  LocalValue local = out_->values[base];
  local.same_as = 0;
  if (value.has_a) {
    local.default_a = false;
    std::memcpy(local.a, value.a, 4);
  }
  if (value.has_text) {
    local.default_text = false;
    local.text = value.text;
  }
  out_->values.push_back(local);
  last_ = SeenValue();  // the raw text of this value is not known here
  return static_cast<uint32_t>(out_->values.size() - 1);
}

void BlockParser::AddKeyNote(NoteKind kind, const Line& line, const char* key) {
  AddNote(kind, line, key, static_cast<size_t>(SkipWord(key, line.end) - key));
}

void BlockParser::AddNote(NoteKind kind, const Line& line, const char* at, size_t length, uint64_t count,
                          uint64_t limit) {
  bool fatal = kind == NoteKind::kDataBeforeDataset || kind == NoteKind::kGenericTtl || kind == NoteKind::kGenericMx;
  if (kind != NoteKind::kSpecial && kind != NoteKind::kTsetDefault && !fatal && ++diagnostics_ > kMaxDiagnostics) {
    ++out_->notes_dropped;
    return;
  }
  Note note;
  note.kind = kind;
  note.line = line_;
  note.offset = static_cast<uint32_t>(line.begin - text_);
  note.at = static_cast<uint32_t>(at - text_);
  note.length = static_cast<uint32_t>(length);
  note.count = count;
  note.limit = limit;
  out_->notes.push_back(note);
}

}  // namespace mz::dataset
