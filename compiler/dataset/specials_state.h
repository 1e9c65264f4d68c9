// What special entries have said so far: of a dataset, or of one section of a combined dataset.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "compiler/build/model.h"
#include "compiler/dataset/compile.h"
#include "compiler/dataset/expansion.h"
#include "format/dataset/specials.h"

namespace mz::compiler {

// rbldnsd's rule for TTLs of data: 0 is the default in force, everything else keeps to the bounds of -t.
uint32_t EffectiveTtl(uint32_t written, uint32_t current_default, const TtlBounds& bounds);

// Specials that a section has of its own.
struct LocalSpecials {
  uint32_t ttl = 0;
  Substitutions substitutions;
};

// Specials of the whole dataset, wherever they stand.
struct CommonSpecials {
  std::optional<Soa> soa;
  std::optional<NameServers> ns;
  int64_t expires_unix = 0;
  uint32_t max_range4 = 0;  // 0: none
};

struct SpecialOutcome {
  enum Kind { kOk, kInvalid, kFuture, kRangeIncrease } kind = kOk;
  int64_t seconds = 0;       // kFuture
  uint32_t from = 0, to = 0;  // kRangeIncrease
};

// Applies one special (but $DATASET). `common_ttl` is the default that $SOA and $NS with TTL 0 take: the one outside of
// sections. `is_acl`: SOA and NS are invalid.
SpecialOutcome ApplySpecial(const dataset::SpecialLine& line, const CompileOptions& options, bool is_acl,
                            uint32_t common_ttl, LocalSpecials* local, CommonSpecials* common);

}  // namespace mz::compiler
