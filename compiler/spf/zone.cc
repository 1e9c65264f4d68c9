// See zone.h.
#include "compiler/spf/zone.h"

#include <algorithm>

#include "compiler/spf/wire_names.h"
#include "format/dns/name.h"

namespace mz::compiler::spf {
namespace {

constexpr uint32_t kNotYet = ~0u;

// Ids of the pools -> indexes of the model, in the order of first use.
class Numbering {
 public:
  uint32_t* At(uint32_t id) {
    if (id >= index_.size()) index_.resize(std::max<size_t>(id + 1, index_.size() * 2), kNotYet);
    return &index_[id];
  }

 private:
  std::vector<uint32_t> index_;
};

class ZoneBuilder {
 public:
  ZoneBuilder(const ZoneSettings& settings, Evaluator* evaluator, Pool* pool)
      : settings_(settings), evaluator_(*evaluator), pool_(pool), model_(std::make_shared<SpfModel>()) {}

  StatusOr<ZoneResult> Run(const std::function<void(const DomainReport&)>& report) {
    for (const std::string& text : settings_.layouts) {
      MZ_ASSIGN_OR_RETURN(SpfLayout layout, ParseLayout(text));
      model_->layouts.push_back(std::move(layout));
    }
    if (model_->layouts.empty()) return MakeStatus(StatusCode::kInvalidArgument, "an SPF zone without a layout");
    model_->answers_a = settings_.form == Form::kExists;
    model_->unknown_domain = settings_.unknown_domain;
    model_->unknown_text = PlainText(settings_.unknown_text);
    model_->no_data_text = PlainText(settings_.no_data_text);

    std::vector<const DomainSetting*> domains;
    domains.reserve(settings_.domains.size());
    for (const DomainSetting& d : settings_.domains) domains.push_back(&d);
    std::sort(domains.begin(), domains.end(),
              [](const DomainSetting* a, const DomainSetting* b) { return a->name < b->name; });
    ZoneResult result;
    model_->domains.reserve(domains.size());
    for (size_t i = 0; i < domains.size(); i++) {
      const DomainSetting& d = *domains[i];
      if (i > 0 && domains[i - 1]->name == d.name)
        return MakeStatus(StatusCode::kInvalidArgument, "domain " + dns::NameText(d.name) + " is listed twice");
      DomainReport line;
      line.domain = &d;
      AddDomain(d, &line);
      result.domains++;
      result.incomplete += !line.complete;
      result.without_record += !line.has_record;
      if (report) report(line);
    }
    result.model = model_;
    return result;
  }

 private:
  TextId PlainText(const std::string& text) {
    if (text.empty()) return 0;
    TextModel model;
    model.flags = image::kTextSpf;
    model.literal = text;
    return pool_->InternText(std::move(model));
  }

  void AddDomain(const DomainSetting& setting, DomainReport* report) {
    const Policy& policy = evaluator_.Evaluate({setting.source_domain, setting.owner});
    SpfDomain domain;
    domain.name = model_->names.Add(setting.name);
    domain.subdomains = setting.subdomains;
    domain.ttl = std::clamp(policy.ttl, settings_.ttl_floor, std::max(settings_.ttl_cap, settings_.ttl_floor));
    report->complete = policy.complete;
    report->has_record = policy.has_record;
    domain.entries4.reserve(policy.v4.entries.size());
    for (const Entry& e : policy.v4.entries)
      domain.entries4.push_back({Set4(e.set), Program(e.program, true, report)});
    domain.entries6.reserve(policy.v6.entries.size());
    for (const Entry& e : policy.v6.entries)
      domain.entries6.push_back({Set6(e.set), Program(e.program, false, report)});
    domain.default4 = Program(policy.v4.fallback, true, report);
    domain.default6 = Program(policy.v6.fallback, false, report);
    model_->domains.push_back(std::move(domain));
  }

  uint32_t Set4(SetId id) {
    uint32_t* index = number4_.At(id);
    if (*index == kNotYet) {
      *index = static_cast<uint32_t>(model_->sets4.size());
      model_->sets4.push_back(evaluator_.sets4().Get(id));
    }
    return *index;
  }
  uint32_t Set6(SetId id) {
    uint32_t* index = number6_.At(id);
    if (*index == kNotYet) {
      *index = static_cast<uint32_t>(model_->sets6.size());
      model_->sets6.push_back(evaluator_.sets6().Get(id));
    }
    return *index;
  }

  uint32_t Program(ProgramId id, bool is_v4, DomainReport* report) {
    uint32_t* index = programs_[is_v4].At(id);
    if (*index == kNotYet) {
      *index = static_cast<uint32_t>(model_->programs.size());
      ResidualCost cost;
      model_->programs.push_back(ServedProgram(&evaluator_.programs(), id, is_v4, settings_.form, pool_, &cost));
      costs_.push_back(cost);
    }
    const ResidualCost& cost = costs_[*index];
    report->worst.lookups = std::max(report->worst.lookups, cost.lookups);
    report->worst.exists = std::max(report->worst.exists, cost.exists);
    report->worst.text_bytes = std::max(report->worst.text_bytes, cost.text_bytes);
    report->worst.too_deep |= cost.too_deep;
    report->worst.below_name |= cost.below_name;
    return *index;
  }

  const ZoneSettings& settings_;
  Evaluator& evaluator_;
  Pool* pool_;
  std::shared_ptr<SpfModel> model_;
  Numbering number4_, number6_, programs_[2];
  std::vector<ResidualCost> costs_;  // by index of the model's programs
};

}  // namespace

StatusOr<ZoneResult> BuildZone(const ZoneSettings& settings, Evaluator* evaluator, Pool* pool,
                               const std::function<void(const DomainReport&)>& report) {
  return ZoneBuilder(settings, evaluator, pool).Run(report);
}

StatusOr<std::string> OwnerOf(std::string_view prefix, std::string_view domain_wire) {
  if (prefix.empty()) return std::string(domain_wire);
  const std::optional<std::string> wire = WireName(prefix);
  if (!wire) return MakeStatus(StatusCode::kInvalidArgument, "source prefix \"" + std::string(prefix) + "\" is not a name");
  std::string owner = *wire + std::string(domain_wire);
  if (owner.size() > 254)
    return MakeStatus(StatusCode::kInvalidArgument, "\"" + std::string(prefix) + "\" in front of " +
                                                        dns::NameText(domain_wire) + " is longer than 253 octets");
  return owner;
}

}  // namespace mz::compiler::spf
