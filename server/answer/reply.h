// What both paths of the engine do alike: how long a reply may be, and its authority section.
#pragma once

#include <algorithm>

#include "server/answer/composer.h"

namespace mz::answer {

// `offered`: the EDNS UDP size, 0 without EDNS.
inline size_t ReplyLimit(const Settings& settings, bool tcp, uint16_t offered) {
  if (tcp) return kMaxMessage;  // RFC 6891 section 6.2.5: the EDNS size says nothing about TCP
  // Without EDNS, and for offers below 512: 512 (RFC 6891 section 6.2.3).
  const size_t client = std::max<size_t>(offered, dns::kMinUdpBytes);
  return std::min(client, std::max<size_t>(settings.max_udp_bytes, dns::kMinUdpBytes));
}

// The NS set in its next rotation; each use moves it on by one.
inline const image::AuthorityBlock& NextNs(const image::View& view, const image::ZoneRecord& zone, int32_t zone_index,
                                           WorkerState& state) {
  const uint32_t count = zone.ns_count;
  uint32_t unused = 0;
  const size_t index = static_cast<size_t>(zone_index);
  uint32_t& counter = index < state.ns_rotation.size() ? state.ns_rotation[index] : unused;
  const uint32_t i = counter < count ? counter : 0;  // the set may have shrunk
  counter = i + 1;
  return view.authority(view.rotation(zone, i));
}

inline bool HasPositiveAuthority(const image::ZoneRecord& zone) {
  return zone.ns_count != 0 && (zone.flags & image::kZoneMinimal) == 0;
}

// NS behind an answer is a courtesy: with glue, without, or not at all, and never a reason for TC (RFC 2181
// section 9). Requires: HasPositiveAuthority().
inline void AddPositiveAuthority(const image::View& view, Composer& composer, const image::ZoneRecord& zone,
                                 int32_t zone_index, size_t apex_offset, WorkerState& state) {
  const image::AuthorityBlock& block = NextNs(view, zone, zone_index, state);
  if (!composer.AddBlock(block, dns::kAuthority, true, apex_offset))
    composer.AddBlock(block, dns::kAuthority, false, apex_offset);
}

// RFC 2308 sections 2 and 5: the SOA tells how long the denial may be kept. False: it does not fit.
inline bool AddNegativeAuthority(const image::View& view, Composer& composer, const image::ZoneRecord& zone,
                                 size_t apex_offset) {
  if (zone.soa == 0) return true;
  const uint32_t minimum = zone.soa_minimum;
  const bool as_is = (view.profile() & image::kProfileSoaMinimumAsIs) != 0;
  const uint32_t ttl = as_is ? minimum : std::min<uint32_t>(minimum, zone.soa_ttl);
  return composer.AddSoa(zone, dns::kAuthority, ttl, apex_offset);
}

}  // namespace mz::answer
