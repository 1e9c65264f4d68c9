// See zone_encoder.h.
#include "compiler/build/zone_encoder.h"

#include <algorithm>
#include <cstring>

#include "compiler/build/record_encoder.h"
#include "format/dns/name.h"

namespace mz::compiler {

using image::ZoneRecord;

namespace {

// Wire form with root octet, labels and length within RFC 1035 section 2.3.4.
bool IsWireName(std::string_view name) {
  size_t i = 0;
  while (i < name.size() && name[i] != 0) {
    if (static_cast<uint8_t>(name[i]) > dns::kMaxLabelBytes) return false;
    i += 1u + static_cast<uint8_t>(name[i]);
  }
  return i + 1 == name.size() && name.size() <= dns::kMaxNameBytes;
}

}  // namespace

ZoneEncoder::ZoneEncoder(const ImageModel& model, const WriteOptions& options, DatasetEncoder* datasets,
                         NameIndexBuilder* names, RecordHeap* records)
    : model_(model), options_(options), datasets_(datasets), names_(names), records_(records), glue_(model) {}

// rbldnsd's measure: the records together with the zone's name, as if it stood in front of them uncompressed.
bool ZoneEncoder::TooLong(const ZoneModel& zone, const AuthorityEncoder& block) const {
  return block.bytes() + zone.apex.size() + 1 > options_.authority_limit_bytes;
}

Status ZoneEncoder::EncodeAll(std::vector<BuildWarning>* warnings) {
  absl::flat_hash_map<std::string_view, uint32_t> apexes;
  for (size_t i = 0; i < model_.zones.size(); i++) {
    const ZoneModel& zone = model_.zones[i];
    if (!apexes.try_emplace(zone.apex, 0).second)
      return MakeStatus(StatusCode::kInvalidArgument, "zone " + zone.text + " is there twice");
    if (Status s = Encode(static_cast<uint32_t>(i), zone, warnings); !s.ok()) return Annotate(s, "zone " + zone.text);
  }
  if (model_.global_acl.has_value()) {
    MZ_ASSIGN_OR_RETURN(global_acl_, AclNode(*model_.global_acl));
  }
  return absl::OkStatus();
}

StatusOr<uint32_t> ZoneEncoder::AclNode(uint32_t dataset) {
  const DatasetModel* d = model_.datasets[dataset].get();
  if (d == nullptr) return 0;
  if (d->kind != image::kAcl) return MakeStatus(StatusCode::kInternal, "an access list is not of type acl");
  auto [it, inserted] = acl_nodes_.try_emplace(dataset, 0);
  if (inserted) {
    MZ_ASSIGN_OR_RETURN(it->second, datasets_->StoreNode({datasets_->flat().top(dataset)}));
  }
  return it->second;
}

Status ZoneEncoder::Encode(uint32_t index, const ZoneModel& zone, std::vector<BuildWarning>* warnings) {
  ZoneRecord record;
  std::memset(static_cast<void*>(&record), 0, sizeof record);
  MZ_ASSIGN_OR_RETURN(uint32_t name, names_->Add(0, zone.apex, image::kNameExact, index, 0));
  zone_depths_ |= 1u << std::min(dns::CountLabels(zone.apex), 31);
  std::vector<uint32_t> metas;
  for (uint32_t d : zone.datasets) {
    if (model_.datasets[d] && model_.datasets[d]->kind == image::kAcl)
      return MakeStatus(StatusCode::kInternal, "an acl is listed among the datasets");
    metas.push_back(datasets_->flat().top(d));
  }
  auto [node, inserted] = nodes_.try_emplace(metas, 0);
  if (inserted) {
    MZ_ASSIGN_OR_RETURN(node->second, datasets_->StoreNode(metas));
  }
  record.name = name;
  record.node = node->second;
  record.flags = zone.flags & image::kZoneKnownFlags;
  record.meta = index;
  if (zone.acl.has_value()) {
    MZ_ASSIGN_OR_RETURN(uint32_t acl, AclNode(*zone.acl));
    record.acl = acl;
  }
  int64_t expires = 0;
  for (uint32_t d : zone.datasets)
    if (const DatasetModel* m = model_.datasets[d].get(); m != nullptr && m->expires_unix > 0)
      expires = expires == 0 ? m->expires_unix : std::min(expires, m->expires_unix);
  record.expires_unix = static_cast<uint64_t>(expires);
  bool too_long = false;
  MZ_RETURN_IF_ERROR(EncodeSoa(zone, &record, &too_long));
  // As rbldnsd: with a SOA that is too long the NS are not looked at either.
  if (!too_long) MZ_RETURN_IF_ERROR(EncodeNs(zone, &record, &too_long, warnings));
  if (too_long) warnings->push_back({zone.text, "NS or SOA RRs are too long, will be ignored"});
  zones_.push_back(record);
  return absl::OkStatus();
}

Status ZoneEncoder::EncodeSoa(const ZoneModel& zone, ZoneRecord* record, bool* too_long) {
  const Soa* soa = zone.soa.has_value() ? &*zone.soa : nullptr;
  int64_t newest = 0;
  for (uint32_t d : zone.datasets) {
    const DatasetModel* m = model_.datasets[d].get();
    if (m == nullptr) continue;
    if (soa == nullptr && m->soa.has_value()) soa = &*m->soa;
    newest = std::max(newest, m->newest_mtime);
  }
  if (soa == nullptr) return absl::OkStatus();
  if (!IsWireName(soa->mname) || !IsWireName(soa->rname))
    return MakeStatus(StatusCode::kInternal, "a name in the SOA record is malformed");
  record->serial = soa->serial != 0 ? soa->serial : static_cast<uint32_t>(newest);
  record->soa_ttl = soa->ttl;
  record->soa_minimum = soa->minimum;
  AuthorityEncoder block(zone.apex);
  block.AddSoa(*soa, record->serial);
  if (TooLong(zone, block)) {
    *too_long = true;
    record->serial = record->soa_ttl = record->soa_minimum = 0u;
    return absl::OkStatus();
  }
  MZ_ASSIGN_OR_RETURN(std::string bytes, block.Finish());
  MZ_ASSIGN_OR_RETURN(uint32_t offset, records_->Store(RecordHeap::kAuthority, bytes));
  record->soa = offset;
  return absl::OkStatus();
}

Status ZoneEncoder::EncodeNs(const ZoneModel& zone, ZoneRecord* record, bool* too_long,
                             std::vector<BuildWarning>* warnings) {
  const NameServers* ns = zone.ns.has_value() ? &*zone.ns : nullptr;
  for (uint32_t d : zone.datasets)
    if (const DatasetModel* m = model_.datasets[d].get(); ns == nullptr && m != nullptr && m->ns.has_value())
      ns = &*m->ns;
  if (ns == nullptr) return absl::OkStatus();

  struct Server {
    const std::string* name;
    const Glue* glue;
  };
  std::vector<Server> servers;
  std::vector<std::string> seen;
  uint32_t glue_ttl = UINT32_MAX;  // all glue of a zone shares the smallest TTL, as rbldnsd answers
  for (const std::string& name : ns->names) {
    if (!IsWireName(name)) return MakeStatus(StatusCode::kInternal, "a name in the NS records is malformed");
    std::string lower = name;
    dns::LowerName(&lower);
    if (std::find(seen.begin(), seen.end(), lower) != seen.end()) continue;
    seen.push_back(lower);
    if (servers.size() == image::kMaxNs) {
      warnings->push_back({zone.text, "more than " + std::to_string(image::kMaxNs) + " NS, the rest is ignored"});
      break;
    }
    const Glue* glue = glue_.Find(name);
    if (glue != nullptr && glue->addresses.empty()) {
      warnings->push_back({zone.text, "no glue record(s) for " +
                                          dns::NameText(std::string_view(lower).substr(0, lower.size() - 1)) +
                                          " NS found"});
      glue = nullptr;
    }
    if (glue != nullptr) glue_ttl = std::min(glue_ttl, glue->ttl);
    servers.push_back({&name, glue});
  }
  if (servers.empty()) return absl::OkStatus();

  // The NS records rotate from answer to answer; their glue stays in order.
  const std::vector<Server> unrotated = servers;
  std::vector<AuthorityEncoder> blocks;
  for (size_t rotation = 0; rotation < servers.size(); rotation++) {
    AuthorityEncoder& block = blocks.emplace_back(zone.apex);
    std::rotate(servers.begin(), servers.begin() + (rotation == 0 ? 0 : 1), servers.end());
    for (const Server& s : servers) block.AddNs(ns->ttl, *s.name);
    for (const Server& s : unrotated)
      if (s.glue != nullptr)
        for (const auto& address : s.glue->addresses) block.AddGlue(*s.name, glue_ttl, address.data());
    if (TooLong(zone, block)) {
      *too_long = true;
      return absl::OkStatus();
    }
  }
  std::string table;
  for (const AuthorityEncoder& block : blocks) {
    MZ_ASSIGN_OR_RETURN(std::string bytes, block.Finish());
    MZ_ASSIGN_OR_RETURN(uint32_t offset, records_->Store(RecordHeap::kAuthority, bytes));
    const Le32 entry(offset);
    table.append(reinterpret_cast<const char*>(&entry), sizeof entry);
  }
  MZ_ASSIGN_OR_RETURN(uint32_t offset, records_->Store(RecordHeap::kRotations, table));
  record->ns = offset;
  record->ns_count = static_cast<uint32_t>(blocks.size());
  return absl::OkStatus();
}

Bytes ZoneEncoder::TakeZones() {
  const uint8_t* p = reinterpret_cast<const uint8_t*>(zones_.data());
  return {p, p + zones_.size() * sizeof(ZoneRecord)};
}

}  // namespace mz::compiler
