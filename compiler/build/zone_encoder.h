// Zones -> ZoneRecords with their apex names, nodes, SOA and NS.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "compiler/build/dataset_encoder.h"
#include "compiler/build/glue.h"
#include "compiler/build/image_writer.h"

namespace mz::compiler {

class ZoneEncoder {
 public:
  ZoneEncoder(const ImageModel& model, const WriteOptions& options, DatasetEncoder* datasets, NameIndexBuilder* names,
              RecordHeap* records);

  // Requires: the datasets are encoded.
  Status EncodeAll(std::vector<BuildWarning>* warnings);

  uint32_t zone_depths() const { return zone_depths_; }
  uint32_t global_acl() const { return global_acl_; }
  Bytes TakeZones();

 private:
  Status Encode(uint32_t index, const ZoneModel& zone, std::vector<BuildWarning>* warnings);
  Status EncodeSoa(const ZoneModel& zone, image::ZoneRecord* record, bool* too_long);
  Status EncodeNs(const ZoneModel& zone, image::ZoneRecord* record, bool* too_long,
                  std::vector<BuildWarning>* warnings);
  bool TooLong(const ZoneModel& zone, const AuthorityEncoder& block) const;
  StatusOr<uint32_t> AclNode(uint32_t dataset);

  const ImageModel& model_;
  const WriteOptions& options_;
  DatasetEncoder* datasets_;
  NameIndexBuilder* names_;
  RecordHeap* records_;
  GlueFinder glue_;
  std::vector<image::ZoneRecord> zones_;
  absl::flat_hash_map<std::vector<uint32_t>, uint32_t> nodes_;  // by dataset list: equal lists share a node
  absl::flat_hash_map<uint32_t, uint32_t> acl_nodes_;           // by dataset
  uint32_t zone_depths_ = 0;
  uint32_t global_acl_ = 0;
};

}  // namespace mz::compiler
