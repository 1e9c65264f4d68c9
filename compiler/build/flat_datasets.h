// The numbering of datasets in an image (DatasetRef::meta): every dataset of the model in order, each followed by the
// parts of a combined dataset.
#pragma once

#include <cstdint>
#include <vector>

#include "compiler/build/model.h"

namespace mz::compiler {

struct FlatDataset {
  const DatasetModel* model = nullptr;  // null: never loaded
  uint32_t first_part = 0;              // meta index of parts[0]
};

class FlatDatasets {
 public:
  explicit FlatDatasets(const ImageModel& model) {
    for (const auto& d : model.datasets) {
      top_.push_back(static_cast<uint32_t>(all_.size()));
      all_.push_back({d.get(), static_cast<uint32_t>(all_.size() + 1)});
      if (d == nullptr) continue;
      for (const auto& part : d->parts) all_.push_back({part.get(), 0});
    }
  }
  size_t size() const { return all_.size(); }
  const FlatDataset& operator[](size_t meta) const { return all_[meta]; }
  // Meta index of ImageModel::datasets[i].
  uint32_t top(size_t i) const { return top_[i]; }

 private:
  std::vector<FlatDataset> all_;
  std::vector<uint32_t> top_;
};

}  // namespace mz::compiler
