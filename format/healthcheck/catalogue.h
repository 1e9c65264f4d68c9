// Inside the catalogue: the rows that outcome.h looks through.
#pragma once

#include <span>

#include "format/healthcheck/outcome.h"

namespace mz::healthcheck {

std::span<const Outcome> Catalogue(Dimension d);  // index = code

}  // namespace mz::healthcheck
