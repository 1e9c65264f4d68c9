// Datasets -> maps, names and the DatasetRefs that zones and subzones hold. A dataset is encoded once, whoever uses it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "compiler/build/flat_datasets.h"
#include "compiler/build/healthcheck_encoder.h"
#include "compiler/build/map_builder.h"
#include "compiler/build/model.h"
#include "compiler/build/name_index_builder.h"
#include "compiler/build/record_encoder.h"
#include "compiler/build/shared_sets.h"
#include "compiler/build/spf_encoder.h"
#include "compiler/build/value_encoder.h"

namespace mz::compiler {

class DatasetEncoder {
 public:
  DatasetEncoder(const ImageModel& model, const FlatDatasets& flat, ValueEncoder* values, MapBuilder* maps,
                 NameIndexBuilder* names, RecordHeap* records, SharedSetPolicy shared_sets, int threads);

  // Encodes every dataset that some zone refers to. Calls progress with 0..1.
  Status EncodeAll(const std::function<void(double)>& progress);
  // Stores a Node; null and repeated datasets are left out. Requires: EncodeAll() succeeded.
  StatusOr<uint32_t> StoreNode(const std::vector<uint32_t>& metas);
  const FlatDatasets& flat() const { return flat_; }
  // The SPF section. Requires: EncodeAll() succeeded.
  StatusOr<Bytes> TakeSpf() { return spf_.Finish(); }
  // kMaps offset of the SharedSets, or 0. Likewise.
  uint32_t shared_sets() const { return sets_.offset(); }
  // The healthcheck section, likewise.
  Bytes TakeHealthcheck() { return healthcheck_.Take(); }

 private:
  // Which of the model's datasets zones use, and which parts of those: by meta index.
  StatusOr<std::vector<bool>> FindUsed() const;
  Status Encode(uint32_t meta);
  Status EncodeDnset(const DatasetModel& d, image::DatasetRef* ref);
  Status EncodeGeneric(const DatasetModel& d, image::DatasetRef* ref);
  Status EncodeCombined(uint32_t meta, const DatasetModel& d, image::DatasetRef* ref);

  const ImageModel& model_;
  const FlatDatasets& flat_;
  ValueEncoder* values_;
  MapBuilder* maps_;
  NameIndexBuilder* names_;
  RecordHeap* records_;
  int threads_;
  SharedSetEncoder sets_;
  SpfEncoder spf_;
  HealthcheckEncoder healthcheck_;
  std::vector<std::optional<image::DatasetRef>> refs_;  // by meta index
  uint32_t last_scope_ = 0;
};

}  // namespace mz::compiler
