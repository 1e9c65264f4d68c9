// Reads the provenance section: which file and line put an address or a name into a dataset. For explain and diff, and for
// the compiler when it takes a dataset over; the server never links this.
//
//   struct Match : image::ProvenanceVisitor {
//     void Visit(const image::ProvenanceEntry4& e) override { if (e.range.first <= a && a <= e.range.last) ... }
//   };
//   MZ_RETURN_IF_ERROR(image::ForEachProvenance(view, ref.meta, &match));
//
// A view verified at kStructure is enough: any bytes are safe here. Memory: one decompressed block, at most 64 MiB.
// Errors: DataLoss (what is wrong in the section). An image without provenance has no entries.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "format/image/view.h"

namespace mz::image {

struct ProvenanceEntry4 {
  net::Range4 range;
  uint32_t line = 0;
  uint16_t file = 0;  // index into the dataset's files in the meta section
  bool exclusion = false;
};
struct ProvenanceEntry6 {
  net::Range6 range;
  uint32_t line = 0;
  uint16_t file = 0;
  bool exclusion = false;
};
struct ProvenanceEntryName {
  std::string_view name;  // relative wire form, lower case; valid during the call
  uint32_t line = 0;
  uint16_t file = 0;
  bool exclusion = false;
  bool wild = false;
};

class ProvenanceVisitor {
 public:
  virtual ~ProvenanceVisitor() = default;
  virtual void Visit(const ProvenanceEntry4&) {}
  virtual void Visit(const ProvenanceEntry6&) {}
  virtual void Visit(const ProvenanceEntryName&) {}
};

// Visits the entries of one dataset in file order.
Status ForEachProvenance(const View& view, uint32_t dataset_meta, ProvenanceVisitor* visitor);

// All entries at once, for small datasets. Errors: also ResourceExhausted (more than max_entries).
struct Provenance {
  struct Name {
    std::string name;
    uint32_t line;
    uint16_t file;
    bool exclusion, wild;
  };
  std::vector<ProvenanceEntry4> v4;
  std::vector<ProvenanceEntry6> v6;
  std::vector<Name> names;
};
StatusOr<Provenance> ReadProvenance(const View& view, uint32_t dataset_meta, size_t max_entries = 100'000'000);

}  // namespace mz::image
