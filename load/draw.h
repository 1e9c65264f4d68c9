// Draws queries from a zone image: names and addresses that it lists, and such that it does not.
//
// Every "unit" (a zone, a subzone of a combined dataset, an SPF domain) is equally likely, or the k-th most
// wanted one is by 1/k^zipf, in an order that the seed decides. Within a unit one of its datasets is taken,
// and of that something listed (a hit) or something not listed. All from one seed: the same image, settings
// and seed give the same queries.
//
// Nothing is enumerated but the names: an address is found by picking a random boundary of the map and
// looking it up. Memory: 16 bytes a unit. Requires a fully verified view that outlives the drawer.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "format/image/view.h"
#include "load/query_file.h"

namespace mz::load {

struct DrawSettings {
  double hits =
      0.5;  // share of queries for what is listed (SPF: for addresses that an entry of the policy names)
  double ip6 = 0.1;       // share of IPv6 among address queries, where the dataset has both
  double unknown = 0.02;  // share of queries for a name that no unit has: a random label instead of a domain
  double zipf = 0;        // skew of the units; 0: all alike
  std::vector<uint16_t> types{1, 16};  // of address and dnset queries: A, TXT
  uint64_t seed = 1;
};

class Drawer {
 public:
  // Errors: FailedPrecondition (the image has nothing to ask for).
  static StatusOr<std::unique_ptr<Drawer>> Make(const image::View& view, const DrawSettings& settings);
  virtual ~Drawer() = default;
  virtual Question Next() = 0;

  struct Counts {  // of what Next() returned
    uint64_t hits = 0, misses = 0, unknown = 0, ip4 = 0, ip6 = 0, names = 0;
  };
  const Counts& counts() const { return counts_; }
  virtual size_t units() const = 0;

 protected:
  Counts counts_;
};

}  // namespace mz::load
