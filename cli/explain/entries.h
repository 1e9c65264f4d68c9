// The entries of one dataset that cover an address or a name, and which of them decides. One rule per dataset kind; the
// rules are those of rbldnsd.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "cli/explain/explanation.h"
#include "format/image/view.h"
#include "format/net/address.h"

namespace mz::cli {

struct FoundEntries {
  std::vector<ExplainedEntry> entries;  // ordered: deciding ones first; `file` holds the number of the file for now
  uint64_t hidden = 0;
};

// Errors: DataLoss.
StatusOr<FoundEntries> EntriesOf(const image::View& view, const image::DatasetRef& dataset, net::Ip4 address);
StatusOr<FoundEntries> EntriesOf(const image::View& view, const image::DatasetRef& dataset, const net::Ip6& address);
// dnset and generic; `name` relative to the zone or subzone, lower case.
StatusOr<FoundEntries> EntriesOf(const image::View& view, const image::DatasetRef& dataset, std::string_view name);

}  // namespace mz::cli
