// Takes a dataset over from an earlier image: for datasets whose files did not change (fast rebuild), and for datasets
// whose files are missing or broken now (the last good data keeps being served).
//
//   Adopter previous(view);
//   int i = previous.Find("ip4set:bl.txt");                    // by DatasetModel::spec and the options that shaped it
//   if (i >= 0 && previous.SourcesUnchanged(i)) model.datasets.push_back(previous.Adopt(i, &model.pool));
//
// The view must be verified (everything) and outlive the Adopter. Everything the server answers from is taken over, SOA,
// NS and expiry included; provenance too.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "compiler/build/model.h"
#include "format/image/view.h"

namespace mz::compiler {

class Adopter {
 public:
  explicit Adopter(const image::View& view);
  ~Adopter();
  // Index of the dataset with this spec, or -1.
  int Find(std::string_view spec) const;
  std::string_view build_options_json() const;
  // The files as they were read, for comparison with stat(2).
  const std::vector<SourceFile>& Sources(int dataset) const;
  // stat(2) of every file equals what was read then: size, mtime with nanoseconds, inode.
  bool SourcesUnchanged(int dataset) const;
  StatusOr<std::unique_ptr<DatasetModel>> Adopt(int dataset, Pool* pool) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mz::compiler
