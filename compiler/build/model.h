// The compiler's model of an image: what all source kinds are reduced to, and the only input of the image writer.
//
// compiler/dataset fills DatasetModels from rbldnsd text, adopt.h fills them from an earlier image; compiler/build turns a
// finished ImageModel into bytes. Everything is plain data, owned by value; a model is built by one thread at a time.
// Sizes: an ip4 list of n distinct prefixes needs at most 2n+1 intervals of 8 bytes; a name set 24 bytes a name plus its
// octets.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/big_vector.h"
#include "base/copy.h"
#include "base/status.h"
#include "compiler/build/provenance_list.h"
#include "format/image/layout.h"
#include "format/net/address.h"

namespace mz::compiler {

// Id of a TXT template in Pool; 0 = no TXT.
using TextId = uint32_t;
// Id of a list of values in Pool; 0 = not listed (or excluded).
using ResultId = uint32_t;

struct TextModel {
  std::string literal;          // final octets, every substitution but the subject expanded
  // Ascending offsets into literal where the subject is inserted; with image::kHoleQueryName the name asked.
  std::vector<uint16_t> holes;
  uint8_t flags = image::kTextCut254;
  friend bool operator==(const TextModel&, const TextModel&) = default;
};

struct ValueModel {
  uint8_t a[4] = {127, 0, 0, 2};
  TextId text = 0;
  bool is_action = false;  // acl: a = {0, 0, 0, AclAction}
  friend bool operator==(const ValueModel&, const ValueModel&) = default;
};

// Texts and results, stored once each. Shared by all datasets of an image.
class Pool {
 public:
  TextId InternText(TextModel text);
  // The order of the values is the order of the answers. Requires: at least one value.
  ResultId InternResult(const std::vector<ValueModel>& values);

  const TextModel& text(TextId id) const { return texts_[id - 1]; }
  const std::vector<ValueModel>& result(ResultId id) const { return results_[id - 1]; }
  size_t text_count() const { return texts_.size(); }
  size_t result_count() const { return results_.size(); }

 private:
  std::vector<TextModel> texts_;
  std::vector<std::vector<ValueModel>> results_;
  // By hash of the content; where two contents have one hash, the second lies at the next number, and so on.
  absl::flat_hash_map<uint64_t, uint32_t> text_index_;
  absl::flat_hash_map<uint64_t, uint32_t> result_index_;
};

// Interval maps: sorted by start, neighbours differ, the first interval begins at address 0. Empty = nothing listed.
struct Interval4 {
  net::Ip4 start;
  ResultId result;
};
struct Interval6 {
  net::Ip6 start;
  ResultId result;
};

// Wire names without the root octet, lower case, in one arena.
struct NameRef {
  uint32_t offset = 0;  // into NameArena
  uint8_t length = 0;
};
class NameArena {
 public:
  NameRef Add(std::string_view wire) {
    MZ_CHECK(wire.size() <= 255 && bytes_.size() + wire.size() <= UINT32_MAX);
    NameRef ref{static_cast<uint32_t>(bytes_.size()), static_cast<uint8_t>(wire.size())};
    mz::Reserve(&bytes_, wire.size());
    bytes_.resize(bytes_.size() + wire.size());
    CopyShort(reinterpret_cast<uint8_t*>(bytes_.data() + ref.offset), reinterpret_cast<const uint8_t*>(wire.data()),
              wire.size());
    return ref;
  }
  std::string_view Get(NameRef r) const { return {bytes_.data() + r.offset, r.length}; }
  size_t bytes() const { return bytes_.size(); }
  // Room for so many octets more.
  void Reserve(size_t bytes) { mz::Reserve(&bytes_, bytes); }

 private:
  BigVector<char> bytes_;
};

struct DnsetName {  // one per distinct name
  NameRef name;
  uint8_t flags = 0;     // image::kNameExact and/or image::kNameWild
  ResultId exact = 0;    // 0 with kNameExact: exclusion
  ResultId wild = 0;
  uint32_t line = 0;     // of its first entry, for provenance
};

struct GenericRecord {
  uint16_t type;
  uint32_t ttl;
  std::string rdata;  // wire form, names uncompressed
  uint32_t line = 0;
};
struct GenericName {
  NameRef name;
  std::vector<GenericRecord> records;  // grouped by type, file order within a type, no duplicates
};

struct Soa {
  uint32_t ttl = 0;
  std::string mname, rname;  // wire form with root octet, case as written
  uint32_t serial = 0, refresh = 0, retry = 0, expire = 0, minimum = 0;  // serial 0: newest file time
};
struct NameServers {
  uint32_t ttl = 0;
  std::vector<std::string> names;  // wire form with root octet, case as written
};

// Where an entry was written, for explain and diff. Kept in file order. IPv4: provenance_list.h.
struct ProvenanceEntry6 {
  net::Ip6 first, last;
  uint32_t line;
  uint16_t file;
  bool exclusion;
};
struct ProvenanceName {
  NameRef name;
  uint32_t line;
  uint16_t file;
  bool exclusion;
  bool wild;
};

// Identity of a source file as it was read: what decides whether it changed.
struct SourceFile {
  std::string path;
  int64_t mtime_seconds = 0;
  int64_t mtime_nanoseconds = 0;
  uint64_t size = 0;   // on disk (compressed size for gzip)
  uint64_t inode = 0;
};

struct DatasetModel;
struct SpfModel;  // spf_model.h
struct HealthcheckModel;  // healthcheck_model.h

struct SubzoneModel {  // combined
  NameRef name;                        // relative to the zone; empty for "@"
  std::vector<uint32_t> parts;         // indexes into DatasetModel::parts, in file order
};

struct DatasetModel {
  image::DatasetKind kind = image::kIp4Set;
  std::string spec;                    // "ip4set:a,b" as on the command line; for parts "ip4set" or "ip4set:name"
  uint32_t ttl = 2100;                 // $TTL, seconds
  std::vector<SourceFile> files;
  std::optional<Soa> soa;
  std::optional<NameServers> ns;
  int64_t expires_unix = 0;            // earliest $TIMESTAMP expiry, 0 = none
  int64_t newest_mtime = 0;

  BigVector<Interval4> map4;         // ip4set, ip4tset, ip4trie, acl
  BigVector<Interval6> map6;         // ip6tset, ip6trie, acl
  NameArena names;
  BigVector<DnsetName> dnset;
  std::vector<GenericName> generic;
  std::vector<SubzoneModel> subzones;  // combined
  std::vector<std::unique_ptr<DatasetModel>> parts;  // combined: one per $DATASET section
  std::shared_ptr<const SpfModel> spf;  // spf
  std::shared_ptr<const HealthcheckModel> healthcheck;  // healthcheck

  ProvenanceList4 provenance4;
  BigVector<ProvenanceEntry6> provenance6;
  BigVector<ProvenanceName> provenance_names;

  std::string counts;                  // rbldnsd's load line: "e32/24/16/8=1/0/0/1"
  std::vector<std::string> extra_load_lines;  // the lines rbldnsd prints besides (combined parts before, acl tries after)
  uint64_t entries = 0;                // for summaries
};

struct ZoneModel {
  std::string apex;                    // wire form without root octet, lower case
  std::string text;                    // as written on the command line, lower case: for logs and statistics
  uint32_t flags = 0;                  // image::ZoneFlags
  std::vector<uint32_t> datasets;      // indexes into ImageModel::datasets, in order
  std::optional<uint32_t> acl;         // index of an acl dataset
  // Overrides from a config; else the first dataset in order that has one decides.
  std::optional<Soa> soa;
  std::optional<NameServers> ns;
};

struct ImageModel {
  Pool pool;
  std::vector<std::unique_ptr<DatasetModel>> datasets;
  std::vector<ZoneModel> zones;        // in rbldnsd's internal order: every zone before its ancestors
  std::optional<uint32_t> global_acl;
  uint32_t profile = 0;                // image::ProfileBits
};

}  // namespace mz::compiler
