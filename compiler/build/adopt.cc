// See adopt.h.
#include "compiler/build/adopt.h"

#include <sys/stat.h>

#include <algorithm>

#include "absl/container/flat_hash_map.h"
#include "compiler/build/image_meta.h"
#include "format/image/provenance.h"

namespace mz::compiler {

using image::DatasetRef;
using image::NameRecord;
using image::View;

namespace {

// Scope and kNodes offset of a name record in one number: sorted, the names of a dataset come in the order in which they
// were added.
using IndexedName = uint64_t;
IndexedName MakeIndexedName(uint32_t scope, uint32_t record) { return uint64_t{scope} << 32 | record; }

NameRef AddName(const NameRecord& r, NameArena* names) {
  return names->Add({reinterpret_cast<const char*>(image::NameBytes(r).data()), r.name_bytes});
}

class ProvenanceTaker : public image::ProvenanceVisitor {
 public:
  explicit ProvenanceTaker(DatasetModel* d) : d_(d) {}
  void Visit(const image::ProvenanceEntry4& e) override {
    d_->provenance4.push_back({e.range.first, e.range.last, e.line, e.file, e.exclusion});
  }
  void Visit(const image::ProvenanceEntry6& e) override {
    d_->provenance6.push_back({e.range.first, e.range.last, e.line, e.file, e.exclusion});
  }
  void Visit(const image::ProvenanceEntryName& e) override {
    d_->provenance_names.push_back({d_->names.Add(e.name), e.line, e.file, e.exclusion, e.wild});
  }

 private:
  DatasetModel* d_;
};

}  // namespace

struct Adopter::Impl {
  explicit Impl(const View& v) : view(v) {}

  void IndexRefs();
  void IndexNames();
  std::span<const IndexedName> Names(uint32_t scope) const;
  const NameRecord& Record(IndexedName n) const { return view.name(static_cast<uint32_t>(n)); }

  // One call of Adopt(): texts and results of the image are interned in the new pool once each.
  class Taker {
   public:
    Taker(const Impl& impl, Pool* pool) : impl_(impl), view_(impl.view), pool_(*pool) {}
    StatusOr<std::unique_ptr<DatasetModel>> Take(uint32_t meta);

   private:
    ResultId Result(uint32_t id);
    TextId TakeText(uint32_t offset);
    void TakeMaps(const DatasetRef& ref, DatasetModel* d);
    void TakeDnset(const DatasetRef& ref, DatasetModel* d);
    void TakeGeneric(const DatasetRef& ref, DatasetModel* d);
    Status TakeCombined(uint32_t meta, const DatasetRef& ref, DatasetModel* d);

    const Impl& impl_;
    const View& view_;
    Pool& pool_;
    absl::flat_hash_map<uint32_t, ResultId> results_;
    absl::flat_hash_map<uint32_t, TextId> texts_;
  };

  View view;
  ImageMeta meta;
  std::vector<const DatasetRef*> refs;   // by meta index; null: in no zone
  std::vector<IndexedName> names;        // sorted
  absl::flat_hash_map<std::string, int> by_spec;
  std::vector<SourceFile> no_sources;
};

// A ref may stand in many nodes; all of them are equal.
void Adopter::Impl::IndexRefs() {
  refs.resize(meta.datasets.size());
  auto add = [&](uint32_t node) {
    for (const DatasetRef& ref : image::Datasets(view.node(node)))
      if (ref.meta < refs.size()) refs[ref.meta] = &ref;
  };
  for (const image::ZoneRecord& zone : view.zones()) {
    add(zone.node);
    if (zone.acl != 0) add(zone.acl);
  }
  if (view.header().global_acl != 0) add(view.header().global_acl);
  // Subzones bring the parts. Part refs are no combined datasets, so one round is enough.
  for (size_t i = 0; i < meta.datasets.size(); i++) {
    if (refs[i] == nullptr || refs[i]->kind != image::kCombined) continue;
    for (IndexedName n : Names(refs[i]->scope))
      if (Record(n).flags & image::kNameExact) add(Record(n).a);
  }
}

void Adopter::Impl::IndexNames() {
  const std::string_view section = view.section(image::kBuckets);
  const auto* buckets = reinterpret_cast<const image::Bucket*>(section.data());
  for (uint32_t b = 0; b < view.bucket_count(); b++)
    for (int i = 0; i < image::kBucketSlots && buckets[b].tag[i] != 0; i++) {
      const NameRecord& r = view.name(buckets[b].record[i]);
      if (r.scope != 0 && (r.flags & (image::kNameExact | image::kNameWild)))
        names.push_back(MakeIndexedName(r.scope, buckets[b].record[i]));
    }
  std::sort(names.begin(), names.end());
}

std::span<const IndexedName> Adopter::Impl::Names(uint32_t scope) const {
  auto first = std::lower_bound(names.begin(), names.end(), MakeIndexedName(scope, 0));
  auto last = std::upper_bound(first, names.end(), MakeIndexedName(scope, UINT32_MAX));
  return {names.data() + (first - names.begin()), static_cast<size_t>(last - first)};
}

Adopter::Adopter(const View& view) : impl_(std::make_unique<Impl>(view)) {
  StatusOr<ImageMeta> meta = DecodeMeta(view.meta());
  if (!meta.ok()) return;  // nothing can be found then
  impl_->meta = *std::move(meta);
  impl_->IndexNames();
  impl_->IndexRefs();
  for (size_t i = 0; i < impl_->meta.datasets.size(); i++) {
    const MetaDataset& d = impl_->meta.datasets[i];
    // A dataset that no zone had is described, but its data is not in the image. SPF datasets are not taken over: their
    // compiler keeps what they were made of.
    if (d.loaded && d.model.kind != image::kSpf && d.model.kind != image::kHealthcheck && d.part_of < 0 && impl_->refs[i] != nullptr)
      impl_->by_spec.try_emplace(d.model.spec, static_cast<int>(i));
  }
}

Adopter::~Adopter() = default;

int Adopter::Find(std::string_view spec) const {
  auto it = impl_->by_spec.find(std::string(spec));
  return it == impl_->by_spec.end() ? -1 : it->second;
}

std::string_view Adopter::build_options_json() const { return impl_->meta.build_options_json; }

const std::vector<SourceFile>& Adopter::Sources(int dataset) const {
  if (dataset < 0 || static_cast<size_t>(dataset) >= impl_->meta.datasets.size()) return impl_->no_sources;
  return impl_->meta.datasets[static_cast<size_t>(dataset)].model.files;
}

bool Adopter::SourcesUnchanged(int dataset) const {
  const std::vector<SourceFile>& files = Sources(dataset);
  return !files.empty() && std::all_of(files.begin(), files.end(), [](const SourceFile& f) {
    struct stat st;
    return ::stat(f.path.c_str(), &st) == 0 && static_cast<uint64_t>(st.st_size) == f.size &&
           st.st_mtim.tv_sec == f.mtime_seconds && st.st_mtim.tv_nsec == f.mtime_nanoseconds &&
           static_cast<uint64_t>(st.st_ino) == f.inode;
  });
}

StatusOr<std::unique_ptr<DatasetModel>> Adopter::Adopt(int dataset, Pool* pool) const {
  if (dataset < 0 || static_cast<size_t>(dataset) >= impl_->meta.datasets.size())
    return MakeStatus(StatusCode::kNotFound, "no such dataset in the earlier image");
  return Impl::Taker(*impl_, pool).Take(static_cast<uint32_t>(dataset));
}

StatusOr<std::unique_ptr<DatasetModel>> Adopter::Impl::Taker::Take(uint32_t meta) {
  const MetaDataset& source = impl_.meta.datasets[meta];
  if (!source.loaded) return MakeStatus(StatusCode::kNotFound, "the dataset never loaded in the earlier image");
  if (source.model.kind == image::kSpf || source.model.kind == image::kHealthcheck)
    return MakeStatus(StatusCode::kNotFound, "SPF and healthcheck datasets cannot be taken over from an earlier image");
  auto d = std::make_unique<DatasetModel>();
  const DatasetModel& m = source.model;
  d->kind = m.kind;
  d->spec = m.spec;
  d->ttl = m.ttl;
  d->files = m.files;
  d->soa = m.soa;
  d->ns = m.ns;
  d->expires_unix = m.expires_unix;
  d->newest_mtime = m.newest_mtime;
  d->counts = m.counts;
  d->extra_load_lines = m.extra_load_lines;
  d->entries = m.entries;
  if (const DatasetRef* ref = impl_.refs[meta]; ref != nullptr) {
    if (ref->kind != m.kind) return MakeStatus(StatusCode::kDataLoss, "metadata and dataset of the earlier image differ");
    TakeMaps(*ref, d.get());
    if (m.kind == image::kDnset) TakeDnset(*ref, d.get());
    if (m.kind == image::kGeneric) TakeGeneric(*ref, d.get());
    if (m.kind == image::kCombined) MZ_RETURN_IF_ERROR(TakeCombined(meta, *ref, d.get()));
  }
  ProvenanceTaker provenance(d.get());
  MZ_RETURN_IF_ERROR(image::ForEachProvenance(view_, meta, &provenance));
  return d;
}

TextId Adopter::Impl::Taker::TakeText(uint32_t offset) {
  if (offset == 0) return 0;
  auto [it, inserted] = texts_.try_emplace(offset, 0);
  if (inserted) {
    const image::Text& text = view_.text(offset);
    TextModel model;
    model.literal.assign(reinterpret_cast<const char*>(image::Literal(text)), text.bytes);
    model.holes.assign(image::Holes(text).begin(), image::Holes(text).end());
    model.flags = text.flags;
    it->second = pool_.InternText(std::move(model));
  }
  return it->second;
}

ResultId Adopter::Impl::Taker::Result(uint32_t id) {
  if (id == 0) return 0;
  auto [it, inserted] = results_.try_emplace(id, 0);
  if (inserted) {
    std::vector<ValueModel> values;
    for (uint32_t v = id;; v++) {
      const image::Value& value = view_.value(v);
      ValueModel model;
      std::copy(value.a, value.a + 4, model.a);
      model.is_action = (value.ref & image::kValueAction) != 0;
      model.text = TakeText(value.ref & image::kValueTextMask);
      values.push_back(model);
      if ((value.ref & image::kValueMore) == 0) break;
    }
    it->second = pool_.InternResult(values);
  }
  return it->second;
}

void Adopter::Impl::Taker::TakeMaps(const DatasetRef& ref, DatasetModel* d) {
  if (ref.map4 != 0) {
    const image::MapHeader& map = view_.map(ref.map4);
    if (map.kind != image::kMapSets4) d->map4.reserve(size_t{map.count} + 1);
    image::ForEachInterval4(view_, map, [&](net::Ip4 first, net::Ip4, uint32_t result) {
      d->map4.push_back({first, Result(result)});
    });
    d->map4.shrink_to_fit();
  }
  if (ref.map6 != 0)
    image::ForEachInterval6(
        view_, view_.map(ref.map6),
        [&](const net::Ip6& first, const net::Ip6&, uint32_t result) { d->map6.push_back({first, Result(result)}); });
}

void Adopter::Impl::Taker::TakeDnset(const DatasetRef& ref, DatasetModel* d) {
  std::span<const IndexedName> names = impl_.Names(ref.scope);
  d->dnset.reserve(names.size());
  for (IndexedName n : names) {
    const NameRecord& r = impl_.Record(n);
    const uint8_t flags = r.flags & (image::kNameExact | image::kNameWild);
    d->dnset.push_back({AddName(r, &d->names), flags, Result(r.a), Result(r.b), 0});
  }
}

void Adopter::Impl::Taker::TakeGeneric(const DatasetRef& ref, DatasetModel* d) {
  for (IndexedName n : impl_.Names(ref.scope)) {
    const NameRecord& r = impl_.Record(n);
    const image::RrsetHeader& set = view_.rrset(r.a);
    GenericName name;
    name.name = AddName(r, &d->names);
    const uint8_t* p = image::Records(set).data();
    for (uint32_t i = 0; i < set.count; i++) {
      const uint16_t rdlength = LoadBe16(p + 8);
      name.records.push_back(
          {LoadBe16(p), LoadBe32(p + 4), std::string(reinterpret_cast<const char*>(p + 10), rdlength), 0});
      p += 10 + rdlength;
    }
    d->generic.push_back(std::move(name));
  }
}

Status Adopter::Impl::Taker::TakeCombined(uint32_t meta, const DatasetRef& ref, DatasetModel* d) {
  const MetaDataset& source = impl_.meta.datasets[meta];
  for (uint32_t part = 0; part < source.part_count; part++) {
    const MetaDataset& p = impl_.meta.datasets[source.first_part + part];
    if (p.part_of != static_cast<int>(meta) || p.model.kind == image::kCombined)
      return MakeStatus(StatusCode::kDataLoss, "metadata of the earlier image: parts are confused");
    MZ_ASSIGN_OR_RETURN(std::unique_ptr<DatasetModel> taken, Take(source.first_part + part));
    d->parts.push_back(std::move(taken));
  }
  for (IndexedName n : impl_.Names(ref.scope)) {
    const NameRecord& r = impl_.Record(n);
    SubzoneModel subzone;
    subzone.name = AddName(r, &d->names);
    for (const DatasetRef& part : image::Datasets(view_.node(r.a))) {
      if (part.meta < source.first_part || part.meta - source.first_part >= source.part_count)
        return MakeStatus(StatusCode::kDataLoss, "metadata of the earlier image: a part is missing");
      subzone.parts.push_back(part.meta - source.first_part);
    }
    d->subzones.push_back(std::move(subzone));
  }
  return absl::OkStatus();
}

}  // namespace mz::compiler
