// What acl datasets say about a client (section "acl" of docs/COMPATIBILITY.md): effects of the global and
// the zone's acl add up, the strongest counts.
#pragma once

#include <cstdint>

#include "format/image/view.h"
#include "server/answer/answer.h"

namespace mz::answer {

struct Access {
  enum Bits : uint8_t { kIgnore = 1, kRefuse = 2, kEmpty = 4, kAlways = 8 };  // strongest first
  uint8_t bits = 0;
  const image::Value* value = nullptr;  // kAlways: what every name is listed with
  uint32_t ttl = 0;

  bool ignore() const { return bits & kIgnore; }
  bool refuse() const { return bits & kRefuse; }
  bool empty() const { return bits & kEmpty; }
  bool always() const { return (bits & (kAlways | kEmpty)) == kAlways; }
};

namespace internal {

inline void AddAccessOf(const image::View& view, uint32_t acl, const Client& client, Access* access) {
  const image::DatasetRef& ref = image::Datasets(view.node(acl))[0];
  uint32_t result = 0;
  if (client.is_v4) {
    if (ref.map4 != 0) result = image::FindAddress(view, view.map(ref.map4), client.v4).result;
  } else {
    if (ref.map6 != 0) result = image::FindAddress(view, view.map(ref.map6), client.v6).result;
  }
  if (result == 0) return;
  const image::Value& value = view.value(result);
  if ((value.ref & image::kValueAction) == 0) {
    if (access->bits & Access::kAlways) return;
    access->bits |= Access::kAlways;
    access->value = &value;
    access->ttl = ref.ttl;
    return;
  }
  switch (value.a[3]) {
    case image::kAclIgnore:
      access->bits |= Access::kIgnore;
      break;
    case image::kAclRefuse:
      access->bits |= Access::kRefuse;
      break;
    case image::kAclEmpty:
      access->bits |= Access::kEmpty;
      break;
    default:  // pass
      break;
  }
}

}  // namespace internal

// Adds the effect of the acl at kNodes offset `acl` (0: none) on `client`. Of two values the first one added
// stays, so the global acl is asked first.
inline void AddAccess(const image::View& view, uint32_t acl, const Client& client, Access* access) {
  if (acl != 0) internal::AddAccessOf(view, acl, client, access);
}

}  // namespace mz::answer
