// Addresses of name servers that lie inside the image's own zones: the A records its datasets would answer with.
//
//   GlueFinder glue(model);
//   if (const Glue* g = glue.Find(ns_name)) ... g->addresses may be empty: worth a warning
//
// The model must outlive the finder. Results are kept per name; one lookup walks the names of the datasets concerned once.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "compiler/build/model.h"

namespace mz::compiler {

struct Glue {
  std::vector<std::array<uint8_t, 4>> addresses;  // distinct, in the order of the datasets
  uint32_t ttl = 0;                               // the smallest of the records
};

class GlueFinder {
 public:
  explicit GlueFinder(const ImageModel& model);
  // `name`: wire form with root octet, any case. Null when the name is in none of the zones.
  const Glue* Find(std::string_view name);

 private:
  void Collect(const DatasetModel& dataset, std::string_view name, Glue* glue) const;
  void CollectResult(ResultId result, uint32_t ttl, Glue* glue) const;

  const ImageModel& model_;
  absl::flat_hash_map<std::string, uint32_t> zones_;  // apex -> index
  absl::flat_hash_map<std::string, std::unique_ptr<Glue>> known_;
};

}  // namespace mz::compiler
