// See dataset_encoder.h.
#include "compiler/build/dataset_encoder.h"

#include <algorithm>
#include <cstring>

#include "absl/container/flat_hash_map.h"
#include "format/dns/name.h"

namespace mz::compiler {

using image::DatasetRef;

namespace {

uint32_t DepthBit(std::string_view name) { return 1u << std::min(dns::CountLabels(name), 31); }

void SetDepth(Le32* depths, std::string_view name) { *depths = *depths | DepthBit(name); }

bool IsIp4(image::DatasetKind kind) {
  return kind == image::kIp4Set || kind == image::kIp4Tset || kind == image::kIp4Trie;
}

}  // namespace

DatasetEncoder::DatasetEncoder(const ImageModel& model, const FlatDatasets& flat, ValueEncoder* values,
                               MapBuilder* maps, NameIndexBuilder* names, RecordHeap* records,
                               SharedSetPolicy shared_sets, int threads)
    : model_(model),
      flat_(flat),
      values_(values),
      maps_(maps),
      names_(names),
      records_(records),
      threads_(threads),
      sets_(maps, shared_sets),
      spf_(values, maps, names),
      healthcheck_(names),
      refs_(flat.size()) {}

StatusOr<std::vector<bool>> DatasetEncoder::FindUsed() const {
  std::vector<bool> used(flat_.size());
  bool ok = true;
  auto use = [&](uint32_t index) {
    if (index >= model_.datasets.size()) {
      ok = false;
    } else {
      used[flat_.top(index)] = true;
    }
  };
  if (model_.global_acl.has_value()) use(*model_.global_acl);
  for (const ZoneModel& zone : model_.zones) {
    if (zone.acl.has_value()) use(*zone.acl);
    for (uint32_t d : zone.datasets) use(d);
  }
  if (!ok) return MakeStatus(StatusCode::kInternal, "a zone refers to a dataset that does not exist");
  for (size_t i = 0; i < model_.datasets.size(); i++) {
    const DatasetModel* d = model_.datasets[i].get();
    if (!used[flat_.top(i)] || d == nullptr) continue;
    // A part that no subzone has is left out.
    for (const SubzoneModel& s : d->subzones) {
      for (uint32_t part : s.parts) {
        if (part >= d->parts.size())
          return MakeStatus(StatusCode::kInternal, "dataset " + d->spec + ": a subzone has a part that does not exist");
        used[flat_[flat_.top(i)].first_part + part] = true;
      }
    }
  }
  return used;
}

Status DatasetEncoder::EncodeAll(const std::function<void(double)>& progress) {
  MZ_ASSIGN_OR_RETURN(const std::vector<bool> used, FindUsed());
  for (size_t i = 0; i < model_.datasets.size(); i++) {
    const DatasetModel* d = model_.datasets[i].get();
    if (!used[flat_.top(i)] || d == nullptr || d->kind != image::kSpf) continue;
    if (d->spf == nullptr) return MakeStatus(StatusCode::kInternal, "dataset " + d->spec + ": no SPF data");
    if (Status status = spf_.Collect(*d->spf); !status.ok()) return Annotate(status, "dataset " + d->spec);
  }
  MZ_RETURN_IF_ERROR(spf_.BuildShared());
  for (size_t meta = 0; meta < used.size(); meta++) {
    const DatasetModel* d = flat_[meta].model;
    if (used[meta] && d != nullptr && IsIp4(d->kind)) sets_.Collect(d->map4);
  }
  MZ_RETURN_IF_ERROR(sets_.Build());
  const size_t count = model_.datasets.size();
  for (size_t i = 0; i < count; i++) {
    const DatasetModel* d = model_.datasets[i].get();
    const uint32_t meta = flat_.top(i);
    if (!used[meta] || d == nullptr) continue;
    // Parts first: the nodes of subzones hold their finished DatasetRefs.
    for (size_t part = 0; part < d->parts.size(); part++) {
      const uint32_t part_meta = flat_[meta].first_part + static_cast<uint32_t>(part);
      if (!used[part_meta]) continue;
      MZ_RETURN_IF_ERROR(Encode(part_meta));
      if (part % 256 == 255)
        progress((static_cast<double>(i) + static_cast<double>(part) / static_cast<double>(d->parts.size())) /
                 static_cast<double>(count));
    }
    MZ_RETURN_IF_ERROR(Encode(meta));
    progress(static_cast<double>(i + 1) / static_cast<double>(count));
  }
  return absl::OkStatus();
}

Status DatasetEncoder::Encode(uint32_t meta) {
  const DatasetModel* d = flat_[meta].model;
  if (d == nullptr) return absl::OkStatus();
  DatasetRef ref;
  std::memset(static_cast<void*>(&ref), 0, sizeof ref);
  ref.kind = d->kind;
  ref.ttl = d->ttl;
  ref.meta = meta;
  if (d->kind == image::kDnset || d->kind == image::kGeneric || d->kind == image::kCombined ||
      d->kind == image::kSpf || d->kind == image::kHealthcheck)
    ref.scope = ++last_scope_;
  Status status;
  switch (d->kind) {
    case image::kDnset: status = EncodeDnset(*d, &ref); break;
    case image::kGeneric: status = EncodeGeneric(*d, &ref); break;
    case image::kSpf:
      // Parts of a combined dataset are not collected: their data would have no zone to be the suffix of.
      status = d->spf == nullptr ? MakeStatus(StatusCode::kInternal, "no SPF data") : spf_.Encode(*d->spf, &ref);
      break;
    case image::kHealthcheck:
      status = d->healthcheck == nullptr ? MakeStatus(StatusCode::kInternal, "no healthcheck data")
                                         : healthcheck_.Encode(*d->healthcheck, &ref);
      break;
    case image::kCombined: status = EncodeCombined(meta, *d, &ref); break;
    default: {
      if (!d->map4.empty()) {
        StatusOr<uint32_t> map = IsIp4(d->kind) ? sets_.Add(d->map4) : maps_->Add(d->map4);
        if (map.ok()) ref.map4 = *map;
        status = map.status();
      }
      if (!d->map6.empty() && status.ok()) {
        StatusOr<uint32_t> map = maps_->Add(d->map6);
        if (map.ok()) ref.map6 = *map;
        status = map.status();
      }
    }
  }
  if (!status.ok()) return Annotate(status, "dataset " + d->spec);
  refs_[meta] = ref;
  return absl::OkStatus();
}

Status DatasetEncoder::EncodeDnset(const DatasetModel& d, DatasetRef* ref) {
  // Results get their ids in the order of their first use, so before the threads ask for them.
  constexpr uint8_t kStored = image::kNameExact | image::kNameWild;
  for (const DnsetName& n : d.dnset) {
    if (n.flags & image::kNameExact) values_->Use(n.exact);
    if (n.flags & image::kNameWild) values_->Use(n.wild);
  }
  MZ_RETURN_IF_ERROR(values_->status());
  auto get = [&](size_t i) -> NameIndexBuilder::Name {
    const DnsetName& n = d.dnset[i];
    const uint8_t flags = n.flags & kStored;
    return {d.names.Get(n.name), flags, flags & image::kNameExact ? values_->Use(n.exact) : 0,
            flags & image::kNameWild ? values_->Use(n.wild) : 0};
  };
  MZ_ASSIGN_OR_RETURN(NameIndexBuilder::Depths depths, names_->AddMany(ref->scope, d.dnset.size(), get, threads_));
  ref->exact_depths = depths.exact;
  ref->wild_depths = depths.wild;
  return absl::OkStatus();
}

Status DatasetEncoder::EncodeGeneric(const DatasetModel& d, DatasetRef* ref) {
  for (const GenericName& n : d.generic) {
    if (n.records.empty()) continue;
    std::string_view name = d.names.Get(n.name);
    MZ_ASSIGN_OR_RETURN(std::string rrset, EncodeRrset(n.records));
    MZ_ASSIGN_OR_RETURN(uint32_t offset, records_->Store(RecordHeap::kRrset, rrset));
    SetDepth(&ref->exact_depths, name);
    MZ_RETURN_IF_ERROR(names_->Add(ref->scope, name, image::kNameExact, offset, 0).status());
  }
  return absl::OkStatus();
}

Status DatasetEncoder::EncodeCombined(uint32_t meta, const DatasetModel& d, DatasetRef* ref) {
  // Sections that name the same subzone are one subzone with the parts of all.
  std::vector<std::pair<std::string_view, std::vector<uint32_t>>> subzones;
  absl::flat_hash_map<std::string_view, size_t> index;
  for (const SubzoneModel& s : d.subzones) {
    auto [it, inserted] = index.try_emplace(d.names.Get(s.name), subzones.size());
    if (inserted) subzones.emplace_back(it->first, std::vector<uint32_t>());
    for (uint32_t part : s.parts) subzones[it->second].second.push_back(flat_[meta].first_part + part);
  }
  absl::flat_hash_map<std::vector<uint32_t>, uint32_t> nodes;
  for (const auto& [name, metas] : subzones) {
    SetDepth(&ref->exact_depths, name);
    MZ_ASSIGN_OR_RETURN(uint32_t record, names_->Add(ref->scope, name, image::kNameExact, 0, 0));
    auto [it, inserted] = nodes.try_emplace(metas, 0);
    if (inserted) {
      // Right behind the record that leads to it: usually the same cache line or the next.
      MZ_ASSIGN_OR_RETURN(it->second, StoreNode(metas));
    }
    names_->nodes().As<image::NameRecord>(record)->a = it->second;
  }
  return absl::OkStatus();
}

StatusOr<uint32_t> DatasetEncoder::StoreNode(const std::vector<uint32_t>& metas) {
  std::vector<DatasetRef> refs;
  uint16_t flags = 0;
  for (size_t i = 0; i < metas.size(); i++) {
    if (!refs_[metas[i]].has_value()) continue;
    if (std::find(metas.begin(), metas.begin() + static_cast<ptrdiff_t>(i), metas[i]) !=
        metas.begin() + static_cast<ptrdiff_t>(i))
      continue;
    const DatasetRef& ref = *refs_[metas[i]];
    if (IsIp4(static_cast<image::DatasetKind>(ref.kind)))
      flags |= image::kNodeHasIp4;
    refs.push_back(ref);
  }
  if (refs.size() > image::kMaxDatasetsPerNode)
    return MakeStatus(StatusCode::kResourceExhausted, std::to_string(refs.size()) + " datasets in one zone (at most " +
                                                          std::to_string(image::kMaxDatasetsPerNode) + ")");
  MZ_ASSIGN_OR_RETURN(uint32_t offset,
                      names_->nodes().Allocate(sizeof(image::Node) + refs.size() * sizeof(DatasetRef)));
  image::Node* node = names_->nodes().As<image::Node>(offset);
  node->count = static_cast<uint16_t>(refs.size());
  node->flags = flags;
  if (!refs.empty())
    std::memcpy(reinterpret_cast<uint8_t*>(node + 1), refs.data(), refs.size() * sizeof(DatasetRef));
  return offset;
}

}  // namespace mz::compiler
