// What one block of lines parses to: entries in compact arrays, the values they name, and notes (diagnostics and special
// entries) for whoever puts the blocks together in order.
//
// A block is parsed without knowing the blocks before it: the default value in force at its start is the local value 0,
// and a value that leaves its address or text to that default says so. Positions are relative: line 0 is the first line of
// the block, offsets count from its first octet. All text refers into the block's octets, which must stay alive.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/big_vector.h"
#include "format/dataset/text_source.h"
#include "format/dataset/value.h"
#include "format/net/address.h"

namespace mz::dataset {

inline constexpr uint32_t kExclusion = 1u << 31;   // in Entry::value
inline constexpr uint32_t kAclActionBit = 1u << 30;  // in Entry::value: the rest is an AclWord

struct Entry4 {        // ip4set, ip4tset, ip4trie, acl: an inclusive range; in tries a prefix
  net::Ip4 first, last;
  uint32_t value;      // local value id, or kExclusion, or kAclActionBit | AclWord
  uint32_t line;
};
// ip4set, ip4tset: lines that are nothing but a full address, one behind the other. Each has the value and a line of its own,
// counted from `line` on.
struct AddressRun {
  uint32_t first;      // index into ParsedBlock::addresses; the run ends where the next one begins
  uint32_t entry;      // index into ParsedBlock::entries4: those before it were written before this run
  uint32_t value;      // local value id
  uint32_t line;
};
struct Entry6 {        // ip6tset (128 bits only as exclusion), ip6trie, acl
  net::Ip6 address;
  uint32_t value;
  uint32_t line;
  int bits;
};
enum EntryNameFlags : uint8_t { kEntryExact = 1, kEntryWild = 2 };
struct EntryName {     // dnset
  uint32_t offset;     // into ParsedBlock::arena
  uint8_t length;
  uint8_t flags;       // EntryNameFlags
  uint32_t value;
  uint32_t line;
  uint32_t hash;       // of the name, to find it again
};
struct EntryGeneric {
  uint32_t offset;     // into ParsedBlock::arena: name, then rdata
  uint32_t line;
  uint32_t ttl;        // 0: the dataset's default at this line
  uint16_t type;
  uint16_t rdata_bytes;
  uint8_t name_bytes;
};

// A value gets a new local id whenever it is written and differs from the one written last: their order matters.
struct LocalValue {
  bool default_a = false;     // address of the default at the start of the block
  bool default_text = false;  // its text
  uint8_t a[4] = {127, 0, 0, 2};
  uint32_t same_as = 0;       // an earlier local value with the same content, or 0
  std::string_view text;
};

// Texts of diagnostics, in rbldnsd's words. kSpecial marks a special entry instead.
enum class NoteKind : uint8_t {
  kSpecial,
  kTsetDefault,  // a ":" line of ip4tset or ip6tset: the first valid one of the whole dataset counts
  kLongLine, kIncomplete, kInvalidAddress, kHostBits, kTooLargeRange, kInvalidA, kUnrecognizedValue, kTruncatedText,
  kInvalidDomain, kInvalidEntry, kInvalidKeyword, kShouldBe64, kShouldBe128, kDataBeforeDataset, kGenericTtl, kGenericMx,
};

struct Note {
  NoteKind kind;
  uint32_t line = 0;
  uint32_t offset = 0;      // of the line's first octet, white space included
  uint32_t at = 0;          // of the octet in question (kSpecial, kTsetDefault: of the stripped line)
  uint32_t length = 0;      // octets; 0: the line as a whole
  uint64_t count = 0;       // kTooLargeRange: addresses
  uint64_t limit = 0;       // kTooLargeRange
};

struct ParsedBlock {
  BigVector<net::Ip4> addresses;     // of runs
  std::vector<AddressRun> runs;
  std::vector<Entry4> entries4;
  std::vector<Entry6> entries6;
  std::vector<EntryName> names;
  std::vector<EntryGeneric> generic;
  std::string arena;
  std::vector<LocalValue> values;    // [0] is the default at the start
  std::vector<Note> notes;           // by line
  uint64_t notes_dropped = 0;        // diagnostics beyond kMaxDiagnostics
  uint32_t lines = 0;
  uint32_t max_range4 = 0;           // in force behind the block
  uint32_t default_value = 0;        // local id of the default behind the block, or kAclActionBit | AclWord
  bool fatal = false;                // the last note says why; nothing behind it was parsed
  size_t next = 0;                   // where parsing stopped: the end, or behind a stopping special

  // The addresses of runs[i].
  std::span<const net::Ip4> RunAddresses(size_t i) const {
    const size_t end = i + 1 < runs.size() ? runs[i + 1].first : addresses.size();
    return std::span<const net::Ip4>(addresses).subspan(runs[i].first, end - runs[i].first);
  }

  void Clear() {
    addresses.clear(), runs.clear();
    entries4.clear(), entries6.clear(), names.clear(), generic.clear(), arena.clear(), values.clear(), notes.clear();
    notes_dropped = 0;
    lines = 0, max_range4 = 0, default_value = 0;
    fatal = false;
    next = 0;
  }
};

}  // namespace mz::dataset
