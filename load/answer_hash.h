// A fingerprint of a DNS message that does not depend on its ID, on the order of records within a section,
// nor on how names are compressed: servers rotate records, and a rotated answer is as right as any other.
// Everything else counts: flags, counts, question (case too), each record with its TTL and data, octets
// behind the message.
//
// 64 bits of XXH3 sums, never QueryPool::kNoExpectation or kSilence. Any bytes are safe; what does not parse
// is hashed as it is. No allocation; some 50 ns for a short answer.
#pragma once

#include <cstdint>
#include <span>

namespace mz::load {

uint64_t AnswerHash(std::span<const uint8_t> message);

}  // namespace mz::load
