// See express_plan.h.
#include "server/answer/express_plan.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "format/image/spf_view.h"

namespace mz::answer {
namespace {

// What the lane reads of a layout, and all it reads: "%{ir}.%{d}", no other layout beside it.
bool IsAddressAndDomain(const image::SpfZone& zone) {
  const std::span<const image::SpfPart> parts = image::SpfParts(zone);
  return zone.layout_count == 1 && parts.size() == 2 && parts[0].kind == image::kSpfAddressReversed &&
         parts[1].kind == image::kSpfDomainPart;
}

// One dataset may have the kind of the plan; the others must not know the names that the plan is for.
bool ChooseDatasets(const image::View& view, const image::Node& node, ExpressPlan* plan) {
  bool addresses = false, several6 = false;
  const image::DatasetRef* records = nullptr;
  for (const image::DatasetRef& ref : image::Datasets(node)) {
    if (ref.kind != image::kDnset) plan->stored |= ref.exact_depths;
    ExpressPlan::Kind kind;
    switch (ref.kind) {
      case image::kIp4Set:
      case image::kIp4Tset:
      case image::kIp4Trie:
        if (ref.map4 == 0) continue;
        kind = ExpressPlan::kAddresses;
        addresses = true;
        break;
      case image::kIp6Tset:
      case image::kIp6Trie:  // asked for names of 32 labels only
        if (ref.map6 == 0) continue;
        several6 = plan->ref6 != nullptr;
        plan->ref6 = &ref;
        continue;
      case image::kGeneric:
        plan->elsewhere |= ref.exact_depths;
        records = &ref;
        continue;
      case image::kCombined:
        kind = ExpressPlan::kSubzones;
        break;
      case image::kDnset:
        kind = ExpressPlan::kNames;
        break;
      case image::kSpf:
        if (!IsAddressAndDomain(view.spf_zone(ref.map4))) return false;
        kind = ExpressPlan::kPolicies;
        break;
      default:
        return false;
    }
    if (plan->ref != nullptr) return false;
    plan->ref = &ref;
    plan->kind = kind;
  }
  if (records != nullptr && image::Datasets(node).size() == 1) {
    plan->kind = ExpressPlan::kRecords;
    plan->ref = records;
    plan->elsewhere = plan->stored = 0;
    return true;
  }
  // The leading nibbles of listed IPv6 addresses are names without data: not for the look-up of a name to see.
  if (plan->kind == ExpressPlan::kNames && plan->ref6 != nullptr) return false;
  if (several6) plan->ref6 = nullptr;
  if (plan->ref == nullptr) plan->kind = ExpressPlan::kAddresses;
  // Four octets without a subzone, beside names: which one was meant is the general path's to find out.
  if (addresses && plan->kind != ExpressPlan::kAddresses) return false;
  return plan->ref != nullptr || plan->ref6 != nullptr;
}

}  // namespace

bool MakeExpressPlan(const image::View& view, int32_t zone_index, ExpressPlan* plan) {
  const image::ZoneRecord& zone = view.zones()[static_cast<size_t>(zone_index)];
  const image::NameRecord& apex = view.name(zone.name);
  if (view.header().global_acl != 0 || zone.acl != 0 || (zone.flags & image::kZoneNotLoaded) ||
      (apex.flags & image::kNameBelow))
    return false;
  *plan = ExpressPlan{};
  if (!ChooseDatasets(view, view.node(zone.node), plan)) return false;
  plan->zone = &zone;
  plan->zone_index = zone_index;
  plan->apex = image::NameBytes(apex).data();
  plan->apex_bytes = apex.name_bytes;
  plan->last_second = zone.expires_unix == 0 ? std::numeric_limits<uint64_t>::max() : uint64_t{zone.expires_unix};
  const size_t octets = std::min<size_t>(sizeof plan->tail, plan->apex_bytes);
  const size_t zeros = sizeof plan->tail - octets;
  std::memcpy(plan->tail + zeros, plan->apex + plan->apex_bytes - octets, octets);
  std::memset(plan->mask + zeros, 0xff, octets);
  return true;
}

}  // namespace mz::answer
