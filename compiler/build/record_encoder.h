// Resource records in wire form for section kRrsets: generic RRsets, and the authority blocks of a zone.
//
//   AuthorityEncoder block(zone.apex);
//   block.AddNs(3600, ns_name);   block.AddGlue(ns_name, 300, address);
//   MZ_ASSIGN_OR_RETURN(std::string bytes, block.Finish());
//   MZ_ASSIGN_OR_RETURN(uint32_t offset, records.Store(RecordHeap::kAuthority, bytes));
//
// Names in authority blocks are compressed against the apex in the question (whatever case the client wrote there) and
// against names written earlier in the same block, ignoring case as RFC 1035 section 2.3.3 has it. Glue is compressed
// against the question only, because the server may send it apart from the NS records (layout.h, Relocation).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/status.h"
#include "compiler/build/heap.h"
#include "compiler/build/model.h"

namespace mz::compiler {

inline constexpr uint16_t kTypeA = 1, kTypeNs = 2, kTypeSoa = 6, kClassIn = 1;

// The heap of section kRrsets; equal objects of one kind are stored once.
class RecordHeap {
 public:
  enum Kind : uint64_t { kRrset = 1, kAuthority = 2, kRotations = 3 };
  StatusOr<uint32_t> Store(Kind kind, std::string_view object);
  Bytes Take() { return heap_.Take(); }

 private:
  Heap heap_{8};
  absl::flat_hash_map<uint64_t, uint32_t> offsets_;  // by hash of kind and octets; the first object of a hash
};

// Names here are wire form with the root octet, case as written; the apex is relative and lower case.
class AuthorityEncoder {
 public:
  explicit AuthorityEncoder(std::string_view apex) : apex_(apex) {}

  void AddSoa(const Soa& soa, uint32_t serial);
  void AddNs(uint32_t ttl, std::string_view name);
  // Requires: all SOA and NS records have been added.
  void AddGlue(std::string_view name, uint32_t ttl, const uint8_t address[4]);
  size_t bytes() const { return records_.size(); }
  // Errors: ResourceExhausted when the block is longer than kMaxAuthorityBytes.
  StatusOr<std::string> Finish() const;

 private:
  void PutName(std::string_view name, bool question_only);
  void PutPointer(uint16_t target);
  void PutOwnerAndHead(uint16_t type, uint32_t ttl);
  size_t StartRdata();
  void EndRdata(size_t start);

  std::string_view apex_;
  std::string records_;
  std::vector<std::pair<uint16_t, uint16_t>> relocations_;
  std::vector<std::pair<std::string, uint16_t>> written_;  // name suffixes in lower case, where they lie
  uint16_t rr_count_ = 0, glue_count_ = 0;
  size_t rr_bytes_ = 0;
};

// "@" of generic datasets and all others: the RrsetHeader object. Errors: ResourceExhausted.
StatusOr<std::string> EncodeRrset(const std::vector<GenericRecord>& records);

}  // namespace mz::compiler
