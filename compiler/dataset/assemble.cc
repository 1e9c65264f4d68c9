// Datasets and zones of a list of specifications: what to compile, what to take over, what hides what.
#include <algorithm>
#include <unordered_set>

#include "absl/container/flat_hash_map.h"
#include "compiler/dataset/compile.h"

namespace mz::compiler {
namespace {

using Dataset = Assembly::Dataset;

// Looks names up without copying them (the hash tables of Debian's Abseil do not take std::string_view for a key).
struct ViewHash {
  using is_transparent = void;
  size_t operator()(std::string_view s) const { return std::hash<std::string_view>()(s); }
};

bool Contains(const std::vector<std::string>& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

class Assembler {
 public:
  Assembler(const CompileOptions& options, const Adopter* previous, dataset::DiagnosticSink* sink)
      : options_(options), previous_(previous), sink_(sink) {}

  Assembly Run(const std::vector<ZoneSpec>& specs) {
    out_.model.profile = options_.profile;
    for (const ZoneSpec& spec : specs) AddSpec(spec);
    MarkZones();
    return std::move(out_);
  }

 private:
  void AddSpec(const ZoneSpec& spec) {
    uint32_t dataset = DatasetOf(spec);
    if (spec.zone.empty()) {
      out_.model.global_acl = dataset;
      return;
    }
    ZoneModel& zone = ZoneOf(spec);
    if (spec.kind == image::kAcl)
      zone.acl = dataset;
    else if (std::find(zone.datasets.begin(), zone.datasets.end(), dataset) == zone.datasets.end())
      zone.datasets.push_back(dataset);
  }

  // Index of the dataset, made when it is new.
  uint32_t DatasetOf(const ZoneSpec& spec) {
    auto [it, added] = dataset_index_.try_emplace(spec.dataset_spec, static_cast<uint32_t>(out_.datasets.size()));
    if (added) AddDataset(spec);
    return it->second;
  }

  void AddDataset(const ZoneSpec& spec) {
    Dataset dataset{spec.dataset_spec, Dataset::kCompiled, ""};
    std::unique_ptr<DatasetModel> model;
    int before = previous_ ? previous_->Find(spec.dataset_spec) : -1;
    if (before >= 0 && previous_->SourcesUnchanged(before)) {
      model = Adopt(before);
      if (model) dataset.state = Dataset::kUnchanged;
    }
    if (!model) {
      CompileOptions options = options_;
      if (spec.default_ttl) options.ttl.default_ttl = *spec.default_ttl;
      auto compiled = CompileDataset(spec.kind, spec.files, spec.dataset_spec, options, &out_.model.pool, sink_);
      if (compiled.ok()) {
        model = std::move(*compiled);
      } else {
        dataset.error = std::string(Message(compiled.status()));
        if (before >= 0) model = Adopt(before);
        dataset.state = model ? Dataset::kKept : Dataset::kMissing;
      }
    }
    bool known_failure = dataset.state == Dataset::kKept || dataset.state == Dataset::kMissing
                             ? Contains(options_.failing_before, spec.dataset_spec)
                             : dataset.state == Dataset::kUnchanged;
    out_.changed |= !known_failure;
    out_.all_loaded &= dataset.state != Dataset::kMissing;
    out_.datasets.push_back(std::move(dataset));
    out_.model.datasets.push_back(std::move(model));
  }

  // Null when the earlier image does not give it back; then it is compiled.
  std::unique_ptr<DatasetModel> Adopt(int before) {
    auto model = previous_->Adopt(before, &out_.model.pool);
    return model.ok() ? std::move(*model) : nullptr;
  }

  // A new zone goes right before its nearest listed ancestor, so that every zone stands before those that contain it.
  ZoneModel& ZoneOf(const ZoneSpec& spec) {
    std::vector<ZoneModel>& zones = out_.model.zones;
    if (!apexes_.insert(spec.zone).second)
      return *std::find_if(zones.begin(), zones.end(), [&](const ZoneModel& z) { return z.apex == spec.zone; });
    ZoneModel zone;
    zone.apex = spec.zone;
    zone.text = spec.zone_text;
    if (options_.ent_nxdomain) zone.flags |= image::kZoneEntNxdomain;
    if (options_.minimal) zone.flags |= image::kZoneMinimal;
    auto ancestor = zones.end();
    if (std::string_view apex = NearestAncestor(spec.zone); !apex.empty())
      ancestor = std::find_if(zones.begin(), zones.end(), [&](const ZoneModel& z) { return z.apex == apex; });
    return *zones.insert(ancestor, std::move(zone));
  }

  // The longest listed apex above `name`, or "".
  std::string_view NearestAncestor(std::string_view name) const {
    while (!name.empty()) {
      name.remove_prefix(1u + static_cast<uint8_t>(name[0]));
      if (apexes_.contains(name)) return name;
    }
    return {};
  }

  bool Missing(uint32_t dataset) const { return out_.datasets[dataset].state == Dataset::kMissing; }

  // A zone with a dataset that never loaded is not served; nor is one whose access rules are not known.
  void MarkZones() {
    bool acl_missing = out_.model.global_acl && Missing(*out_.model.global_acl);
    for (ZoneModel& zone : out_.model.zones) {
      bool missing = acl_missing || (zone.acl && Missing(*zone.acl));
      int64_t expires = 0;
      for (uint32_t d : zone.datasets) {
        missing |= Missing(d);
        const DatasetModel* model = out_.model.datasets[d].get();
        if (model && model->expires_unix != 0 && (expires == 0 || model->expires_unix < expires))
          expires = model->expires_unix;
      }
      if (missing) {
        zone.flags |= image::kZoneNotLoaded;
        out_.zone_errors.push_back("zone " + zone.text + ": not all datasets are loaded, zone will not be serviced");
      } else if (expires != 0 && expires < options_.now_unix) {
        out_.zone_errors.push_back("zone " + zone.text + ": zone data expired, zone will not be serviced");
      }
    }
  }

  const CompileOptions& options_;
  const Adopter* previous_;
  dataset::DiagnosticSink* sink_;
  Assembly out_;
  absl::flat_hash_map<std::string, uint32_t> dataset_index_;
  std::unordered_set<std::string, ViewHash, std::equal_to<>> apexes_;
};

}  // namespace

StatusOr<Assembly> Assemble(const std::vector<ZoneSpec>& specs, const CompileOptions& options, const Adopter* previous,
                            dataset::DiagnosticSink* sink) {
  MZ_RETURN_IF_ERROR(CheckZoneSpecs(specs));
  Assembler assembler(options, previous, sink);
  return assembler.Run(specs);
}

}  // namespace mz::compiler
