// TXT records of SPF zones: templates with holes for the address and for the query name.
#pragma once

#include "server/answer/dataset_query.h"
#include "server/answer/spf_name.h"

namespace mz::answer {

// Adds the TXT record. `first_label`: where the query name begins (1 behind a helper label). False: the text needs
// an address and there is none. A record that does not fit marks the overflow, like any other.
bool AddSpfText(Search& search, const image::Text& text, const SpfName& name, unsigned first_label, uint32_t ttl);

}  // namespace mz::answer
