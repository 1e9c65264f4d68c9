// Answers for healthcheck zones: reads the ID in a name, checks it, and serves what it asks for.
#pragma once

#include "server/answer/dataset_query.h"

namespace mz::answer {

enum class HealthcheckVerdict : uint8_t {
  kNothing,  // the name does not exist by this dataset
  kExists,   // it does, with or without records of the asked type; or search.rcode or search.effect says it all
};

// Asks one healthcheck dataset for the job's name, of which at least one label lies left of the apex. Wrong, forged and
// expired IDs are no names. Cost besides the lookup of a name: two compressions of SHA-256 for a label of 32 hexadecimal
// digits, nothing for others.
HealthcheckVerdict QueryHealthcheck(Search& search, const image::DatasetRef& ref, uint32_t now_unix);

}  // namespace mz::answer
