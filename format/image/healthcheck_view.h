// Healthcheck objects of an image: where their parts lie. Requires everywhere: a fully verified view, but for the byte
// counts. Pure functions; no allocation; any thread.
#pragma once

#include <cstring>
#include <span>

#include "format/image/view.h"

namespace mz::image {

inline constexpr size_t kHealthcheckRecordHead = 12;  // owner, type, class, ttl, rdlength

inline std::span<const HealthcheckSource> HealthcheckSources(const HealthcheckName& n) {
  return {reinterpret_cast<const HealthcheckSource*>(&n + 1), n.source_count};
}
inline const Le32* HealthcheckAnswers(const View& view, const HealthcheckSource& s) {
  return reinterpret_cast<const Le32*>(view.healthcheck_base() + size_t{s.answers} * 8);
}
inline std::span<const Le16> HealthcheckHoles(const HealthcheckAnswer& a) {
  return {reinterpret_cast<const Le16*>(&a + 1), a.hole_count};
}
inline std::span<const uint8_t> HealthcheckRecords(const HealthcheckAnswer& a) {
  return {reinterpret_cast<const uint8_t*>(&a + 1) + 2 * size_t{a.hole_count}, a.bytes};
}
inline uint64_t HealthcheckAnswerBytes(const HealthcheckAnswer& a) {
  return sizeof(HealthcheckAnswer) + 2 * uint64_t{a.hole_count} + a.bytes;
}
inline std::span<const HealthcheckId> HealthcheckRegistered(const View& view, const HealthcheckZone& z) {
  return {reinterpret_cast<const HealthcheckId*>(view.healthcheck_base() + size_t{z.registered} * 8),
          z.registered_count};
}

// The registered ID, or null. One line of the index and a binary search among the IDs that share two octets.
inline const HealthcheckId* FindHealthcheckId(const View& view, const HealthcheckZone& zone, const uint8_t* id) {
  if (zone.registered_count == 0) return nullptr;
  const Le32* index = reinterpret_cast<const Le32*>(view.healthcheck_base() + size_t{zone.registered_index} * 8);
  const HealthcheckId* all = HealthcheckRegistered(view, zone).data();
  const unsigned h = LoadBe16(id);
  uint32_t low = index[h], high = index[h + 1];
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    const int order = std::memcmp(all[middle].id, id, sizeof all[middle].id);
    if (order == 0) return &all[middle];
    if (order < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return nullptr;
}

}  // namespace mz::image
