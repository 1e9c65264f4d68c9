// Lines that are nothing but a full IPv4 address: what most large lists consist of.
#pragma once

#include <cstddef>
#include <cstdint>

#include "format/net/address.h"

namespace mz::dataset {

// Parses lines "a.b.c.d\n" (decimal octets of one to three digits, at most 255) from `p` on, as long as they last, and puts
// the first `most` addresses into `out`. Returns the start of the next line; *count is the number of addresses.
// Requires: the octet before `end` is LF.
const char* ParsePlainAddresses(const char* p, const char* end, size_t most, net::Ip4* out, size_t* count);

// The same without SIMD, for tests and other processors.
const char* ParsePlainAddressesPortably(const char* p, const char* end, size_t most, net::Ip4* out, size_t* count);

}  // namespace mz::dataset
