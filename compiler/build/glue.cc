// See glue.h.
#include "compiler/build/glue.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "base/endian.h"
#include "compiler/build/record_encoder.h"
#include "format/dns/name.h"

namespace mz::compiler {

namespace {

void AddAddress(const uint8_t* address, uint32_t ttl, Glue* glue) {
  std::array<uint8_t, 4> a;
  std::memcpy(a.data(), address, 4);
  glue->ttl = glue->addresses.empty() ? ttl : std::min(glue->ttl, ttl);
  if (std::find(glue->addresses.begin(), glue->addresses.end(), a) == glue->addresses.end())
    glue->addresses.push_back(a);
}

// d.c.b.a: four labels of one to three digits.
std::optional<net::Ip4> ReversedIp4(std::string_view name) {
  uint32_t address = 0;
  int octets = 0;
  for (size_t i = 0; i < name.size(); octets++) {
    size_t length = static_cast<uint8_t>(name[i++]);
    uint32_t value = 0;
    if (octets == 4 || length > 3) return std::nullopt;
    for (size_t end = i + length; i < end; i++) {
      if (name[i] < '0' || name[i] > '9') return std::nullopt;
      value = value * 10 + static_cast<uint32_t>(name[i] - '0');
    }
    if (value > 255) return std::nullopt;
    address |= value << (8 * octets);
  }
  if (octets != 4) return std::nullopt;
  return address;
}

// 32 labels of one hexadecimal digit.
std::optional<net::Ip6> ReversedIp6(std::string_view name) {
  if (name.size() != 64) return std::nullopt;
  net::Ip6 address;
  for (int nibble = 0; nibble < 32; nibble++) {
    char c = name[2 * static_cast<size_t>(nibble) + 1];
    uint64_t value;
    if (name[2 * static_cast<size_t>(nibble)] != 1) return std::nullopt;
    if (c >= '0' && c <= '9') value = static_cast<uint64_t>(c - '0');
    else if (c >= 'a' && c <= 'f') value = static_cast<uint64_t>(c - 'a' + 10);
    else return std::nullopt;
    if (nibble < 16) address.low |= value << (4 * nibble);
    else address.high |= value << (4 * (nibble - 16));
  }
  return address;
}

template <typename Interval, typename Address>
ResultId Lookup(const BigVector<Interval>& map, const Address& address) {
  auto it = std::upper_bound(map.begin(), map.end(), address,
                             [](const Address& a, const Interval& i) { return a < i.start; });
  return it == map.begin() ? 0 : std::prev(it)->result;
}

}  // namespace

GlueFinder::GlueFinder(const ImageModel& model) : model_(model) {
  for (size_t i = 0; i < model.zones.size(); i++) zones_.try_emplace(model.zones[i].apex, static_cast<uint32_t>(i));
}

const Glue* GlueFinder::Find(std::string_view wire) {
  std::string name(wire.substr(0, wire.size() - 1));
  dns::LowerName(&name);
  auto [known, inserted] = known_.try_emplace(name);
  if (!inserted) return known->second.get();
  for (size_t i = 0;; i += 1u + static_cast<uint8_t>(name[i])) {
    auto zone = zones_.find(name.substr(i));
    if (zone != zones_.end()) {
      known->second = std::make_unique<Glue>();
      for (uint32_t d : model_.zones[zone->second].datasets)
        if (d < model_.datasets.size() && model_.datasets[d])
          Collect(*model_.datasets[d], std::string_view(name).substr(0, i), known->second.get());
      return known->second.get();
    }
    if (i >= name.size()) return nullptr;
  }
}

void GlueFinder::CollectResult(ResultId result, uint32_t ttl, Glue* glue) const {
  if (result == 0) return;
  for (const ValueModel& v : model_.pool.result(result))
    if (!v.is_action) AddAddress(v.a, ttl, glue);
}

void GlueFinder::Collect(const DatasetModel& d, std::string_view name, Glue* glue) const {
  switch (d.kind) {
    case image::kIp4Set:
    case image::kIp4Tset:
    case image::kIp4Trie:
      if (auto a = ReversedIp4(name)) CollectResult(Lookup(d.map4, *a), d.ttl, glue);
      break;
    case image::kIp6Tset:
    case image::kIp6Trie:
      if (auto a = ReversedIp6(name)) CollectResult(Lookup(d.map6, *a), d.ttl, glue);
      break;
    case image::kDnset: {
      // The exact entry, else the longest wildcard; the first hit decides even when it is an exclusion.
      const DnsetName* wild = nullptr;
      for (const DnsetName& n : d.dnset) {
        if (n.name.length > name.size()) continue;
        std::string_view stored = d.names.Get(n.name);
        if ((n.flags & image::kNameExact) && stored == name) return CollectResult(n.exact, d.ttl, glue);
        if ((n.flags & image::kNameWild) && stored.size() < name.size() && dns::EndsWith(name, stored) &&
            (wild == nullptr || wild->name.length < n.name.length))
          wild = &n;
      }
      if (wild != nullptr) CollectResult(wild->wild, d.ttl, glue);
      break;
    }
    case image::kGeneric:
      for (const GenericName& n : d.generic) {
        if (d.names.Get(n.name) != name) continue;
        for (const GenericRecord& r : n.records)
          if (r.type == kTypeA && r.rdata.size() == 4)
            AddAddress(reinterpret_cast<const uint8_t*>(r.rdata.data()), r.ttl, glue);
      }
      break;
    case image::kCombined: {
      const SubzoneModel* best = nullptr;
      for (const SubzoneModel& s : d.subzones)
        if ((best == nullptr || best->name.length < s.name.length) && dns::EndsWith(name, d.names.Get(s.name)))
          best = &s;
      if (best == nullptr) break;
      for (uint32_t part : best->parts)
        if (part < d.parts.size() && d.parts[part])
          Collect(*d.parts[part], name.substr(0, name.size() - best->name.length), glue);
      break;
    }
    case image::kAcl:
    case image::kSpf:  // their answers are no addresses of name servers
    case image::kHealthcheck:
      break;
  }
}

}  // namespace mz::compiler
