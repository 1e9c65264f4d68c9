// The bytes of a zone image (*.mzi). IMAGE.md is the contract in prose; this header is the same contract for the compiler:
// every struct is made of alignment-1 little-endian integers, and every size and offset is asserted.
//
// An image is one header page and a few sections. Sections are either arrays of one struct or heaps: byte areas whose
// objects are addressed by a 32-bit offset in units of the section (16, 64 or 8 bytes). Offset 0 of every heap is a
// reserved empty unit, so that 0 means "none" everywhere.
//
// The chain of dependent reads of one query is: bucket -> name record (with its node beside it) -> map header and root
// node (adjacent lines) -> leaf node -> value -> text. Everything hot for one name lies in few cache lines.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/endian.h"

namespace mz::image {

inline constexpr uint8_t kMagic[8] = {0x89, 'M', 'Z', 'I', '\r', '\n', 0x1a, '\n'};
inline constexpr uint32_t kVersion = 4;
inline constexpr size_t kHeaderBytes = 4096;
inline constexpr size_t kSectionAlignment = 4096;
inline constexpr uint64_t kMaxImageBytes = 1ull << 40;

enum SectionId : uint32_t {
  kZones = 0,        // ZoneRecord[]
  kBuckets = 1,      // Bucket[]
  kNodes = 2,        // heap, unit 16: NameRecord, Node
  kMaps = 3,         // heap, unit 64: MapHeader with its nodes, value indexes; SetMap4; SharedSets with its arrays
  kResultTables = 4, // Le32[]: local value index -> result id
  kValues = 5,       // Value[]; a result id is the index of the first of its values; entry 0 is a reserved zero
  kTexts = 6,        // heap, unit 8: Text
  kRrsets = 7,       // heap, unit 8: RrsetHeader, AuthorityBlock, rotation tables
  kMeta = 8,         // JSON (UTF-8): datasets, source files, build options; never read by the server
  kProvenance = 9,   // zstd frames: which file and line put each entry there; never read by the server
  kSpfData = 10,     // heap, unit 8: SpfHeader at offset 1, SpfZone, SpfDomain, programs, classes
  kHealthcheckData = 11,  // heap, unit 8: HealthcheckZone, names, answers, registered IDs. Has keys: see below
  kSectionCount = 12,
};

struct SectionEntry {
  Le64 offset;    // from the start of the file, multiple of kSectionAlignment
  Le64 size;      // bytes, without the zero padding up to the next section
  Le64 checksum;  // XXH3-64 (seed 0) over the section and its padding
};
static_assert(sizeof(SectionEntry) == 24);

// How the server behaves where rbldnsd and the RFCs differ. Set by whoever compiles; see docs/COMPATIBILITY.md.
enum ProfileBits : uint32_t {
  kProfileNotImpMetaTypes = 1,    // QTYPE >= 250 except ANY -> NOTIMP
  kProfileNotImpAaTc = 2,         // AA or TC set in a query -> NOTIMP
  kProfileDropMalformed = 4,      // silence where RFC 9619 / RFC 8906 want FORMERR
  kProfileAnyAll = 8,             // ANY answers with all types; else one RRset (RFC 8482)
  kProfileSoaMinimumAsIs = 16,    // negative TTL = MINIMUM; else min(SOA TTL, MINIMUM) (RFC 2308 section 5)
  kProfileClearOpcode = 32,       // opcode 0 and RD 0 in NOTIMP replies to other opcodes
  kProfileApex = 64,              // NS answers repeat the NS in AUTHORITY; SOA, NS or ANY at an apex without the data:
                                  // REFUSED, else NODATA
  kProfileKnownBits = 127,
};
inline constexpr uint32_t kProfileRbldnsd = kProfileKnownBits;

struct Header {
  uint8_t magic[8];
  Le32 version;
  Le32 header_bytes;         // kHeaderBytes
  Le64 file_size;            // exact
  Le64 hash_seed;            // of the name index
  Le64 created_unix;         // 0 when pinned; not part of `identity`
  Le64 identity;             // XXH3-64 over this page with created_unix, identity and checksum zero
  Le32 profile;              // ProfileBits
  Le32 section_count;        // kSectionCount
  Le32 zone_depths;          // bit n: some apex has n labels (bit 31: 31 or more)
  Le32 max_probes;           // buckets to look at before a name is known to be absent, 1..kMaxProbes
  Le32 global_acl;           // kNodes offset of a Node with one acl DatasetRef, or 0
  Le32 shared_sets;          // kMaps offset of a SharedSets, or 0
  SectionEntry sections[kSectionCount];
  uint8_t reserved[kHeaderBytes - 72 - kSectionCount * 24 - 8];
  Le64 checksum;             // XXH3-64 over the header page up to here
};
static_assert(offsetof(Header, sections) == 72);
static_assert(offsetof(Header, checksum) == kHeaderBytes - 8);
static_assert(sizeof(Header) == kHeaderBytes);

enum ZoneFlags : uint32_t {
  kZoneNotLoaded = 1,    // SERVFAIL for everything (rbldnsd -q with a dataset that never loaded)
  kZoneEntNxdomain = 2,  // empty non-terminals are NXDOMAIN, as rbldnsd answers
  kZoneMinimal = 4,      // no NS in the authority section of positive answers
  kZoneKnownFlags = 7,
};

struct ZoneRecord {
  Le32 name;          // kNodes offset of the apex's NameRecord (scope 0)
  Le32 node;          // kNodes offset of the Node with the zone's datasets in order (acl excluded)
  Le32 flags;         // ZoneFlags
  Le32 acl;           // kNodes offset of a Node with one acl DatasetRef, or 0
  Le32 soa;           // kRrsets offset of an AuthorityBlock with one SOA RR, or 0
  Le32 soa_ttl;       // seconds, in answers to SOA queries
  Le32 soa_minimum;   // seconds, the MINIMUM field
  Le32 ns;            // kRrsets offset of Le32[ns_count]: kRrsets offsets of AuthorityBlocks, one per rotation; or 0
  Le32 ns_count;      // 0..kMaxNs
  Le32 serial;
  Le64 expires_unix;  // SERVFAIL from the second after this one on (rbldnsd: expires < now); 0 = never
  Le32 meta;          // index of the zone in the meta section
  Le32 reserved[3];
};
static_assert(sizeof(ZoneRecord) == 64);

inline constexpr uint32_t kMaxNs = 64;
inline constexpr uint32_t kMaxProbes = 32;
inline constexpr uint32_t kMaxDatasetsPerNode = 4096;

// One cache line of the name index. Slot i is free when tag[i] == 0; slots fill from 0, and a bucket with a free slot
// ends the probe sequence (the next bucket is the following one, wrapping).
inline constexpr int kBucketSlots = 8;
struct Bucket {
  Le32 tag[kBucketSlots];
  Le32 record[kBucketSlots];  // kNodes offset of a NameRecord
};
static_assert(sizeof(Bucket) == 64);

enum NameFlags : uint8_t {
  kNameExact = 1,  // the name itself is stored: `a` is valid (dnset: a == 0 is an exclusion)
  kNameWild = 2,   // dnset: everything below is covered by `b` (b == 0 is an exclusion)
  kNameBelow = 4,  // stored names exist below this one: without kNameExact it is an empty non-terminal
  kNameKnownFlags = 7,
};

struct NameRecord {
  Le32 scope;           // 0: zone apexes, relative to the root; else the DatasetRef::scope it belongs to
  Le32 a;               // zone index | kNodes offset of a subzone's Node | result id | kRrsets offset of RrsetHeader |
                        // kSpfData offset of an SpfDomain | kHealthcheckData offset of a HealthcheckName
  Le32 b;               // dnset: result id of the wildcard
  uint8_t flags;        // NameFlags
  uint8_t labels;       // of the name, without root
  uint8_t name_bytes;   // wire form without the root octet, lower case; 0 for the scope's own apex ("@")
  uint8_t reserved;
  // uint8_t name[name_bytes], zero-padded to a multiple of 16
};
static_assert(sizeof(NameRecord) == 16);

enum DatasetKind : uint8_t {
  kIp4Set = 1, kIp4Tset = 2, kIp4Trie = 3, kIp6Tset = 4, kIp6Trie = 5, kDnset = 6, kGeneric = 7, kCombined = 8, kAcl = 9,
  kSpf = 10, kHealthcheck = 11,
  kDatasetKindLast = 11,
};

// One dataset as its zone sees it.
struct DatasetRef {
  uint8_t kind;          // DatasetKind
  uint8_t reserved[3];
  Le32 ttl;              // seconds; generic records carry their own
  Le32 map4;             // kMaps offset or 0: ip4set, ip4tset, ip4trie, acl. spf: kSpfData offset of the SpfZone;
                         // healthcheck: kHealthcheckData offset of the HealthcheckZone
  Le32 map6;             // kMaps offset or 0: ip6tset, ip6trie, acl
  Le32 scope;            // dnset, generic, combined, spf, healthcheck: scope of its names, else 0
  Le32 exact_depths;     // bit n: names of n labels are stored exactly (bit 31: 31 or more); combined: subzones;
                         // spf: domains, whose names are relative to the root; healthcheck: names below an ID
  Le32 wild_depths;      // dnset: the same for wildcards
  Le32 meta;             // index of the dataset in the meta section
};
static_assert(sizeof(DatasetRef) == 32);

enum NodeFlags : uint16_t {
  kNodeHasIp4 = 1,  // some dataset of this node is ip4*: IPv6 names are also tried as 6to4 and v4-mapped addresses
  kNodeKnownFlags = 1,
};
struct Node {
  Le16 count;  // DatasetRefs that follow
  Le16 flags;  // NodeFlags
  Le32 reserved[3];
  // DatasetRef datasets[count]
};
static_assert(sizeof(Node) == 16);

// A map is a total function from addresses to result ids (0 = not listed), stored as the sorted starts of its
// intervals; neighbouring intervals differ. Small maps are implicit 16-ary (IPv6: 8-ary) search trees: node k has its
// children at k*16+1 .. k*16+16 (k*8+1 .. k*8+8), and an in-order walk over all nodes visits the keys in ascending
// order. The walk's last (15 * node_count - count) places are padding: keys of all ones that carry the value of the
// last real key, so that a query for the last address finds the right result through them. Large IPv4 maps are a direct
// table over the upper 16 bits with sorted lower halves: entries direct[h] .. direct[h+1]-1 belong to upper half h,
// there is at least one, and the first has low half 0.
//
// IPv4 maps that have much in common are written as lists of sets that they share: a SetMap4, see below.
enum MapKind : uint8_t { kMapTree4 = 1, kMapDirect4 = 2, kMapTree6High = 3, kMapTree6 = 4, kMapSets4 = 5 };

struct MapHeader {           // not of kMapSets4
  uint8_t kind;              // MapKind
  uint8_t value_bytes;       // 0: two results, one bit per key; 1, 2: index into the result table; 4: result id
  Le16 reserved0;
  Le32 count;                // keys (Direct4: entries)
  Le32 node_count;           // tree nodes that follow this header (Direct4: 0)
  Le32 values;               // kMaps offset of the value array (value_bytes 1, 2, 4; Direct4 also 0: bitmap), else 0
  Le32 result_table;         // kResultTables index of the first entry (value_bytes 1, 2), else 0
  Le32 result_count;         // entries in it (value_bytes 1, 2)
  Le32 before;               // result id of addresses below the first key (Direct4: unused, 0)
  Le32 result[2];            // value_bytes 0: result ids of bit 0 and bit 1
  Le32 direct;               // Direct4: kMaps offset of Le32[65537], entry index where each upper half starts
  Le32 lows;                 // Direct4: kMaps offset of Le16[count]
  Le32 reserved[5];
};
static_assert(sizeof(MapHeader) == 64);

inline constexpr uint32_t kNode4Keys = 15;
struct TreeNode4 {             // IPv4, 16-ary
  Le32 key[kNode4Keys];        // sorted; unused keys of the last node are 0xffffffff
  Le32 bits;                   // value_bytes 0: bit i is the result of key i
};
static_assert(sizeof(TreeNode4) == 64);

inline constexpr uint32_t kNode6Keys = 7;
struct TreeNode6High {         // IPv6 when every boundary is a /64: the upper 64 bits, 8-ary
  Le64 key[kNode6Keys];
  Le64 bits;
};
static_assert(sizeof(TreeNode6High) == 64);

struct TreeNode6 {             // IPv6, 8-ary
  Le64 high[kNode6Keys];
  Le64 bits;
  Le64 low[kNode6Keys];
  Le64 reserved;
};
static_assert(sizeof(TreeNode6) == 128);

// Sets of addresses that many maps of the image hold as a whole, each stored once. A class map leads from an address to
// its class, the list of all sets that hold it: one search there and a look at two short lists, the class and the map's
// own, give the result, however many addresses the map has.
//
// The class map is a map as above whose results are class ids; value_bytes is 0 or 4.
struct SharedSets {          // one in an image, or none
  Le32 class_map;            // kMaps offset
  Le32 classes;              // kMaps offset of Le32[class_words]. A class id is the index of its first word, which counts
  Le32 class_words;          // the set ids that follow, 1..kMaxClassSets, ascending. Word 0 is the empty class 0. Classes
                             // follow each other without gaps.
  Le32 set_count;            // ids are 1..set_count, at most 65535
  Le32 first_range;          // kMaps offset of Le32[set_count + 1]: set i has the ranges first_range[i-1] ..
  Le32 ranges;               // first_range[i] - 1 of SetRange4[range_count]; kMaps offset. One range at least, ascending,
  Le32 range_count;          // not touching. They say the same as the class map.
  Le32 reserved[9];
};
static_assert(sizeof(SharedSets) == 64);
struct SetRange4 {
  Le32 first, last;
};
static_assert(sizeof(SetRange4) == 8);
inline constexpr uint32_t kMaxClassSets = 64;

// A map made of shared sets and a few prefixes of its own, mostly one cache line. The result of an address is that of the
// first set of the list that holds it; else that of the first own prefix that holds it, or what the own map says; else
// `rest`. Sets and own maps list, they never exclude: only prefixes may have result 0, where `rest` is not 0. So whether
// some address of a range is listed can be told without looking at every address.
struct SetMap4 {
  uint8_t kind;              // kMapSets4
  uint8_t set_blocks;        // 1..kMaxSetBlocks: blocks of 8 set ids
  uint8_t own_count;         // 0..kMaxOwnPrefixes; kOwnMap: a map instead of prefixes
  uint8_t result_count;      // 1..255
  Le32 rest;                 // result id
  // Le16 set[8 * set_blocks]: set ids, ascending, at least one; then zeros
  // Le32 own[own_count]: addresses. kOwnMap: one, the kMaps offset of a map whose results are result ids + 1, never 1;
  //   0: the address is not in it. It is no kMapSets4, and its value_bytes is 0 or 4
  // Le32 result[result_count]: result ids
  // uint8_t length[own_count]: of the prefixes, 0..32. kOwnMap: none
  // with result_count > 1: uint8_t set_result[8 * set_blocks], uint8_t own_result[own_count] (kOwnMap: none): indexes
  //   into result; 0 for places without a set
  // zero-padded to a multiple of 64
};
static_assert(sizeof(SetMap4) == 8);
inline constexpr uint32_t kSetBlock = 8;
inline constexpr uint32_t kMaxSetBlocks = 8;
inline constexpr uint32_t kMaxOwnPrefixes = 32;
inline constexpr uint8_t kOwnMap = 255;

// What a listed name or address answers with: one A address and an optional TXT. A result with several values occupies
// consecutive entries; all but the last have kValueMore.
enum ValueRefBits : uint32_t {
  kValueMore = 1u << 31,
  kValueAction = 1u << 30,   // acl: a[3] is an AclAction, the rest is zero
  kValueTextMask = (1u << 30) - 1,
};
struct Value {
  uint8_t a[4];   // network order
  Le32 ref;       // ValueRefBits | kTexts offset (0 = no TXT)
};
static_assert(sizeof(Value) == 8);

enum AclAction : uint8_t { kAclPass = 0, kAclIgnore = 1, kAclRefuse = 2, kAclEmpty = 3 };

// A TXT template: literal bytes with holes where the subject goes (the address asked, the listed name, the client).
enum TextFlags : uint8_t {
  kTextCut254 = 1,    // rbldnsd: one character-string, silently cut at 254 octets; else split into strings of 255
  kTextSpf = 2,       // SPF residual: a hole position may carry kHoleQueryName
  kTextKnownFlags = 3,
};
// In a hole position of a kTextSpf template: the name that was asked goes there, in presentation form without trailing
// dot (and without the helper label, when a helper was asked).
inline constexpr uint16_t kHoleQueryName = 0x8000;
struct Text {
  Le16 bytes;         // literal octets
  uint8_t holes;
  uint8_t flags;      // TextFlags
  // Le16 hole_position[holes]: ascending offsets into the literal octets
  // uint8_t literal[bytes], zero-padded to a multiple of 8 (whole object)
};
static_assert(sizeof(Text) == 4);

// Records of one generic owner name, ready for the wire behind a two-octet owner pointer.
struct RrsetHeader {
  Le16 count;
  Le16 reserved;
  Le32 bytes;    // of the records that follow
  // count times: Be16 type, Be16 class (IN), Be32 ttl, Be16 rdlength, rdata; grouped by type, zero-padded to 8
};
static_assert(sizeof(RrsetHeader) == 8);

// Pre-encoded SOA or NS records (with glue), complete but for compression pointers.
struct AuthorityBlock {
  Le16 rr_count;
  Le16 rr_bytes;       // records for the answer or authority section
  Le16 glue_count;
  Le16 glue_bytes;     // A records for the additional section; they follow the rr bytes
  Le16 relocation_count;
  Le16 reserved[3];
  // Relocation relocations[relocation_count]; uint8_t records[rr_bytes + glue_bytes]; zero-padded to 8
};
static_assert(sizeof(AuthorityBlock) == 16);
inline constexpr uint16_t kMaxAuthorityBytes = 16384;

// Two octets at `position` (from the start of records) are a compression pointer. Target: with kRelocateQuestion an
// offset from the apex name inside the question, else an offset from the start of records. Glue owners may point into
// the NS records only when both are written contiguously, so glue relocations use kRelocateQuestion or full names.
enum : uint16_t { kRelocateQuestion = 0x8000 };
struct Relocation {
  Le16 position;
  Le16 target;
};
static_assert(sizeof(Relocation) == 4);

// SPF hosting. A domain's policy is, per address family, a first-match list: the first entry that holds the client's
// address names the program that is served. Sets that several domains name are stored once for the whole image: a class
// map leads from an address to its class, the list of all shared sets that hold it, so that a query costs one search in
// the class map and one pass over the domain's list, whatever the number and size of the sets.
//
// Class maps and the maps of kSpfEntryMap are maps as above, but their results are not values: class ids, or program ids.
// Their value_bytes is 0 or 4.
struct SpfHeader {      // present when the image has an spf dataset
  Le32 programs;        // kSpfData offset of SpfProgram[program_count]
  Le32 program_count;   // entry 0 is a reserved zero
  Le32 class_map4;      // kMaps offset or 0 (every address has class 0); results are class ids
  Le32 class_map6;
  Le32 classes4;        // kSpfData offset of Le32[class_words4], or 0 without words. A class id is the index of its
  Le32 class_words4;    // first word, which counts the set ids that follow, ascending, each 1..set_count4. Word 0 is
  Le32 classes6;        // the empty class 0. Classes follow each other without gaps.
  Le32 class_words6;
  Le32 set_count4;      // shared sets; their ids are 1..set_count
  Le32 set_count6;
  Le32 reserved[6];
};
static_assert(sizeof(SpfHeader) == 64);

enum SpfOutcomeCode : uint8_t {
  kSpfPass = 0, kSpfFail = 1, kSpfSoftfail = 2, kSpfNeutral = 3, kSpfPermerror = 4, kSpfTemperror = 5,
  kSpfDynamic = 6,  // depends on sender, HELO or names
  kSpfOutcomeLast = 6,
};

// What a class label in a query asks: does the policy say pass, softfail, neutral, fail; anything but pass.
enum SpfClassLabel : uint8_t {
  kSpfAsksPass = 0, kSpfAsksSoftfail = 1, kSpfAsksNeutral = 2, kSpfAsksFail = 3, kSpfAsksNotPass = 4,
};
inline constexpr uint32_t kSpfClassLabels = 5;
inline constexpr char kSpfClassLetters[] = "psnfz";  // in this order

struct SpfProgram {
  uint8_t outcome;      // SpfOutcomeCode
  uint8_t helper_count;
  Le16 reserved;
  Le32 text;            // kTexts offset of the TXT at the query name; 0: SERVFAIL
  Le32 explanation;     // kTexts offset of the TXT at "_x." + query name; 0: none
  Le32 helpers;         // kSpfData offset of SpfHelperRecord[helper_count], or 0 without helpers
  Le32 class_text[kSpfClassLabels];  // kTexts offsets, by SpfClassLabel; 0: SERVFAIL
  Le32 reserved1;
};
static_assert(sizeof(SpfProgram) == 40);

struct SpfHelperRecord {  // ascending by label
  uint8_t label[4];       // 1..4 octets [0-9a-z] behind the "_h" of the helper's label, padded with zeros
  Le32 text;              // kTexts offset; 0: SERVFAIL
};
static_assert(sizeof(SpfHelperRecord) == 8);

enum SpfZoneFlags : uint8_t {
  kSpfAnswersA = 1,       // exists form: A 127.0.0.2 where the outcome is pass
  kSpfHasSubdomains = 2,  // some domain has kSpfSubdomains
  kSpfZoneKnownFlags = 3,
};
enum SpfUnknownPolicy : uint8_t { kSpfUnknownNxdomain = 0, kSpfUnknownText = 1, kSpfUnknownRefuse = 2 };

inline constexpr uint32_t kMaxSpfLayouts = 16;
inline constexpr uint32_t kMaxSpfParts = 24;  // of one layout

struct SpfZone {          // what an spf dataset has besides its domains
  Le32 unknown_text;      // kTexts offset; kSpfUnknownText only, else 0
  Le32 no_data_text;      // kTexts offset: for domains without data; 0: SERVFAIL
  Le32 default_domain;    // kSpfData offset of the SpfDomain that layouts without a domain part ask; 0: none
  uint8_t flags;          // SpfZoneFlags
  uint8_t unknown;        // SpfUnknownPolicy
  uint8_t layout_count;   // 1..kMaxSpfLayouts
  uint8_t reserved;
  Le16 part_count;        // of all layouts
  Le16 label_bytes;
  // uint8_t parts_of_layout[layout_count]: 1..kMaxSpfParts; SpfPart parts[part_count], layout by layout, leftmost
  // first; uint8_t labels[label_bytes], back to back. Zero-padded to 8.
};
static_assert(sizeof(SpfZone) == 20);

enum SpfPartKind : uint8_t {
  kSpfLiteral = 0,          // one label
  kSpfAddress = 1,          // %{i}: 4 or 32 labels, most significant first; at most one part is an address
  kSpfAddressReversed = 2,  // %{ir}
  kSpfFamily = 3,           // %{v}: "in-addr" or "ip6"
  kSpfDomainPart = 4,       // one label or more that select the domain; at most one part
  kSpfIgnored = 5,          // one label or more; never beside another part of this kind or a domain part
  kSpfClassPart = 6,        // one label, a letter of kSpfClassLetters; at most one part
  kSpfPartLast = 6,
};
struct SpfPart {
  uint8_t kind;             // SpfPartKind
  uint8_t label_bytes;      // kSpfLiteral: 1..63, lower case; else 0
  Le16 label;               // kSpfLiteral: where it begins in labels; else 0
};
static_assert(sizeof(SpfPart) == 4);

enum SpfDomainFlags : uint8_t {
  kSpfSubdomains = 1,   // also answers for every name below
  kSpfNoData = 2,       // known, but never compiled: SpfZone::no_data_text. No programs, no entries
  kSpfDomainKnownFlags = 3,
};
enum SpfEntryKind : uint8_t {  // 0..32 (IPv6: 0..128): a prefix of that length
  kSpfEntryMap = 254,  // key: kMaps offset; results are program ids, 0: no match
  kSpfEntrySet = 255,  // key: id of a shared set
};
inline constexpr uint32_t kMaxSpfEntries = 1024;  // of one family of one domain: bounds the work for a query

struct SpfDomain {
  Le32 ttl;               // seconds, of its answers
  uint8_t flags;          // SpfDomainFlags
  uint8_t program_count;  // 1..255; 0 with kSpfNoData
  uint8_t default4;       // index into programs: where no entry matches
  uint8_t default6;
  Le16 count4;            // entries, 0..kMaxSpfEntries
  Le16 count6;
  Le16 prefix_count6;     // IPv6 entries that are prefixes
  Le16 reserved;
  // Le32 programs[program_count]: program ids
  // Le32 key4[count4] (prefix: its address); uint8_t kind4[count4]; uint8_t program4[count4]: indexes into programs
  // Le32 key6[count6] (prefix: index into prefix6); uint8_t kind6[count6]; uint8_t program6[count6]
  // SpfPrefix6 prefix6[prefix_count6], in the order of the entries. Zero-padded to 8. kSpfEntryMap: program is 0.
};
static_assert(sizeof(SpfDomain) == 16);

struct SpfPrefix6 {
  Le64 high, low;
};
static_assert(sizeof(SpfPrefix6) == 16);

// Healthcheck zones. A name in such a zone ends in a label of 32 hexadecimal digits, the ID (format/healthcheck/id.h), which
// holds a code in each of ten dimensions. The labels before the ID are looked up in the dataset's scope; the name found
// there says, for each dimension that matters to it, which answer belongs to which code. Answers are records in wire form
// with holes where the ID's 32 digits go, since all other octets of a name below an ID are known.
//
// A healthcheck dataset shares its zone with generic datasets only. Whoever can read the image can make IDs: the file must
// not be readable by the world.
inline constexpr uint32_t kHealthcheckDimensions = 10;
inline constexpr uint32_t kHealthcheckCodes = 32;        // of one dimension, at most
inline constexpr uint32_t kHealthcheckIdDigits = 32;
inline constexpr uint32_t kMaxHealthcheckBytes = 16384;  // of the records of one answer
inline constexpr uint32_t kMaxHealthcheckDelayMs = 10000;

enum HealthcheckAction : uint8_t {
  kHealthcheckRecords = 0,      // the records, if there are any of the type asked
  kHealthcheckServfail = 1,
  kHealthcheckRefused = 2,
  kHealthcheckNotimp = 3,
  kHealthcheckNxdomain = 4,
  kHealthcheckSilence = 5,
  kHealthcheckFormerrEdns = 6,    // faults only, from here on: FORMERR to queries with EDNS
  kHealthcheckTruncate = 7,       // TC over UDP
  kHealthcheckTruncateNoTcp = 8,  // TC over UDP, silence over TCP
  kHealthcheckEntNxdomain = 9,    // NXDOMAIN for empty non-terminals
  kHealthcheckReplace = 10,       // the fault's records instead of all others
  kHealthcheckAppend = 11,        // the fault's records besides records of their type
  kHealthcheckWrongCase = 12,     // the letters of the question change their case
  kHealthcheckOversize = 13,      // as kHealthcheckAppend; over UDP the client's limit is ignored
  kHealthcheckLame = 14,          // the fault's records in the authority section, without AA
  kHealthcheckNoAddress = 15,     // no A and AAAA at the ID's own name
  kHealthcheckActionLast = 15,
};
enum HealthcheckTypes : uint8_t {  // query types that an action is for; ANY is always among them
  kHealthcheckAllTypes = 0,
  kHealthcheckPolicyTypes = 1,     // all but those that resolvers ask on their way (A, AAAA, NS, SOA, DS)
  kHealthcheckTextTypes = 2,       // TXT, SPF
  kHealthcheckMxType = 3,
  kHealthcheckTypesLast = 3,
};

struct HealthcheckFault {
  uint8_t action;      // HealthcheckAction
  uint8_t types;       // HealthcheckTypes
  Le16 delay_ms;       // 0..kMaxHealthcheckDelayMs, before the answer is sent
  Le32 answer;         // kHealthcheckData offset of a HealthcheckAnswer with records and without chase, or 0
};
static_assert(sizeof(HealthcheckFault) == 8);

enum HealthcheckZoneFlags : uint32_t {
  kHealthcheckKey0 = 1,      // IDs of key 0 are good
  kHealthcheckKey1 = 2,
  kHealthcheckOpaque = 4,    // IDs are enciphered
  kHealthcheckZoneKnownFlags = 7,
};

struct HealthcheckKey {      // all zero when the zone does not have it
  Le32 inner[8];             // states of SHA-256 behind the padded keys of HMAC
  Le32 outer[8];
  uint8_t aes[32];           // with kHealthcheckOpaque, else zero
};
static_assert(sizeof(HealthcheckKey) == 96);

struct HealthcheckZone {
  Le32 flags;                // HealthcheckZoneFlags; at least one key or one registered ID
  Le32 expiry_minutes;       // of IDs with a time in them
  HealthcheckKey keys[2];
  Le32 registered;           // kHealthcheckData offset of HealthcheckId[registered_count], or 0 without
  Le32 registered_count;
  Le32 registered_index;     // kHealthcheckData offset of Le32[65537]: entries index[h] .. index[h + 1] - 1 begin with the
                             // two octets h; or 0 without
  Le32 reserved;
  HealthcheckFault faults[kHealthcheckCodes];  // by code; code 0 is none: all zero
};
static_assert(sizeof(HealthcheckZone) == 472);

struct HealthcheckId {       // ascending, none twice
  uint8_t id[16];
  uint8_t settings[5];       // as the first 40 bits of an ID: version 0, key 0
  uint8_t reserved[3];
};
static_assert(sizeof(HealthcheckId) == 24);

struct HealthcheckName {     // exists; at most one source applies to an alias
  Le16 source_count;
  Le16 reserved[3];
  // HealthcheckSource sources[source_count]
};
static_assert(sizeof(HealthcheckName) == 8);

inline constexpr uint32_t kMaxHealthcheckSources = 8;
struct HealthcheckSource {   // asked in order; an action other than records, and an alias, end the search
  uint8_t dimension;         // kHealthcheckDimensions: always code 0
  uint8_t code_count;        // 1..kHealthcheckCodes; codes from here on: nothing
  Le16 reserved;
  Le32 answers;              // kHealthcheckData offset of Le32[code_count]: offsets of HealthcheckAnswers, 0: nothing
};
static_assert(sizeof(HealthcheckSource) == 8);

struct HealthcheckAnswer {
  uint8_t action;            // HealthcheckAction, up to kHealthcheckSilence
  uint8_t types;             // HealthcheckTypes, of the action; kHealthcheckAllTypes with records
  Le16 record_count;
  Le16 bytes;                // of the records
  Le16 hole_count;
  Le32 chase;                // an alias: the records are one CNAME, and this is the kHealthcheckData offset of the
                             // HealthcheckName it leads to, which has no aliases; else 0
  Le32 reserved;
  // Le16 holes[hole_count]: ascending offsets into the records, where 32 digits go; inside RDATA, not overlapping
  // record_count times: Be16 0xc00c (owner: the name asked), Be16 type, Be16 class (IN), Be32 ttl, Be16 rdlength, rdata;
  // grouped by type, without duplicates. Zero-padded to 8
};
static_assert(sizeof(HealthcheckAnswer) == 16);

// Which file and line put each entry there. The section is empty, or a ProvenanceHeader, its blocks, and the zstd frames
// they name. A dataset has any number of blocks; their entries follow each other in file order. A frame decompresses to
// columns of `entries` values each. Varint: 7 bits per octet, least significant first, the top bit says "more".
//   line        varint, zigzag difference from the entry before (the first from 0)
//   tag         varint, file << 2 | wild << 1 | exclusion; file: index into the dataset's list in the meta section
//   address 4   first address, 4 octets little-endian; then the column last - first, varint
//   address 6   upper 64 bits, 8 octets little-endian; lower 64 bits; then last ^ first, upper half varint; lower half
//   name        length octet and wire name without root octet, lower case
enum ProvenanceKind : uint8_t { kProvenance4 = 1, kProvenance6 = 2, kProvenanceName = 3 };
struct ProvenanceHeader {
  Le32 block_count;
  Le32 reserved;
  // ProvenanceBlock blocks[block_count]
};
static_assert(sizeof(ProvenanceHeader) == 8);

inline constexpr uint32_t kProvenanceBlockEntries = 1 << 17;
inline constexpr uint32_t kMaxProvenanceBlockBytes = 1 << 26;  // decompressed
struct ProvenanceBlock {
  Le32 meta;           // index of the dataset in the meta section
  uint8_t kind;        // ProvenanceKind
  uint8_t reserved[3];
  Le64 offset;         // of the frame, from the start of the section
  Le32 bytes;          // of the frame
  Le32 raw_bytes;      // decompressed, 1..kMaxProvenanceBlockBytes
  Le32 entries;        // 1..kProvenanceBlockEntries
  Le32 reserved1;
};
static_assert(sizeof(ProvenanceBlock) == 32);

}  // namespace mz::image
