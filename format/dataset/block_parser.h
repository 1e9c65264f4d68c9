// Parses blocks of lines of one kind of dataset.
//
//   BlockParser parser;
//   parser.Parse(block, 0, state, options, &parsed);
//
// Pure but for its scratch memory: a parser per thread, blocks in any order. Cost: 20-40 ns for an address line.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "format/dataset/entries.h"

namespace mz::dataset {

enum class LineKind : uint8_t {
  kNone,  // combined, outside a section: specials only
  kIp4Set, kIp4Tset, kIp4Trie, kIp6Tset, kIp6Trie, kDnset, kGeneric, kAcl,
};

struct BlockParserOptions {
  bool mask_host_bits = false;
  bool stop_at_dataset = false;  // combined: stop behind $DATASET lines, and behind every special while kNone
};

// What carries over from the lines before a block.
struct LineState {
  LineKind kind = LineKind::kIp4Set;
  uint32_t max_range4 = 0;                  // 0: none
  AclWord default_action = AclWord::kNone;  // acl: kNone when the default is a value (local id 0)
};

class BlockParser {
 public:
  // Parses from octet `from` (the start of a line) to the end of the block, a stopping special, or a fatal line.
  void Parse(const TextBlock& block, size_t from, const LineState& state, const BlockParserOptions& options,
             ParsedBlock* out);

 private:
  struct Line {
    const char* begin;  // as in the file
    const char* end;    // of the stripped line
  };
  // The line that ends at line_end (its LF), in full generality. False: stop.
  bool ParseLine(const char* line_begin, const char* line_end);
  bool ParseSpecial(const Line& line, const char* p);
  bool ParseEntry(const Line& line, const char* p);
  void ParseIp4RangeEntry(const Line& line, const char* p);
  void ParseIp4TsetEntry(const Line& line, const char* p);
  void ParseIp6TsetEntry(const Line& line, const char* p);
  void ParseIp6TrieEntry(const Line& line, const char* p);
  void ParseDnsetEntry(const Line& line, const char* p);
  bool ParseGenericEntry(const Line& line, const char* p);
  void ParseAclEntry(const Line& line, const char* p);
  void ParseAclDefault(const Line& line, const char* p);
  void ParseDefault(const Line& line, const char* p);

  // Lines that are nothing but a full IPv4 address, as long as they last. Returns where they end.
  const char* ParseAddressLines(const char* p, const char* end);

  bool CheckRange4(const Line& line, const char* key, const char* key_end, const net::Range4& range);
  // The id of the value behind a key; false after a note.
  bool EntryValue(const Line& line, const char* p, uint32_t* value);
  uint32_t AddValue(const ValueText& value, uint32_t base);
  void AddNote(NoteKind kind, const Line& line, const char* at, size_t length, uint64_t count = 0, uint64_t limit = 0);
  void AddKeyNote(NoteKind kind, const Line& line, const char* key);

  const TextBlock* block_ = nullptr;
  const char* text_ = nullptr;
  BlockParserOptions options_;
  LineState state_;
  ParsedBlock* out_ = nullptr;
  uint32_t line_ = 0;
  uint32_t diagnostics_ = 0;
  size_t next_cut_ = 0;         // index into TextBlock::cut_lines
  uint32_t default_value_ = 0;  // local id

  // Raw texts seen lately, direct-mapped: lists that alternate between a few values are parsed and compared less.
  struct SeenValue {
    std::string_view raw;
    uint32_t base = 0;
    uint32_t id = 0;
  };
  SeenValue last_;  // the value written last
  static constexpr size_t kSeenSlots = 256;
  std::vector<SeenValue> seen_;
};

}  // namespace mz::dataset
