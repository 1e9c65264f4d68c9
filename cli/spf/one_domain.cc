// See one_domain.h.
#include "cli/spf/one_domain.h"

#include <unistd.h>

#include <ctime>

#include "base/suggest.h"
#include "cli/spf/domain_list.h"
#include "compiler/spf/read_record.h"
#include "compiler/spf/wire_names.h"
#include "format/dns/name.h"

namespace mz::cli {

namespace spf = compiler::spf;

namespace {

constexpr uint32_t kPresetTtl = 86'400;

ServedDomain Served(const SpfZone& zone, spf::DomainSetting setting, bool listed) {
  ServedDomain out;
  out.zone = &zone;
  out.domain_text = dns::NameText(setting.name);
  out.owner_text = dns::NameText(setting.owner);
  out.setting = std::move(setting);
  out.listed = listed;
  return out;
}

}  // namespace

void DeskOptions::Declare(Options* options, bool may_ask_elsewhere) {
  if (may_ask_elsewhere) {
    options->Texts("--forwarder", &forwarders, "ADDR[@PORT]", "the resolver to ask (those of the system)");
    options->Text("--replay", &replay, "FILE", "answers from a recording instead of the DNS");
  } else {
    options->Flag("--fresh", &fresh, "ask the DNS for everything, whatever the state file knows");
  }
}

StatusOr<std::unique_ptr<DomainDesk>> DomainDesk::Open(const DeskOptions& options, dataset::DiagnosticSink* sink) {
  std::unique_ptr<DomainDesk> desk(new DomainDesk);
  MZ_RETURN_IF_ERROR(desk->ReadConfig(options, sink));
  MZ_RETURN_IF_ERROR(desk->OpenResolver(options));
  const Config& config = desk->config_;
  desk->store_ = std::make_unique<resolve::Store>(StoreSettings(config.spf), spf::SpfJudge(MaxShrinkPercent(config.spf)));
  const bool has_state = desk->has_config_ && !options.fresh && options.replay.empty() && options.forwarders.empty() &&
                         config.resolver.replay.empty();
  if (has_state) desk->LoadState(sink);
  spf::Options evaluation;
  for (const ZoneConfig& zone : config.zones) {
    if (zone.type != "spf" || !options.knows_own_zones) continue;
    MZ_ASSIGN_OR_RETURN(spf::ZoneSettings settings, SpfZoneSettings(zone));
    evaluation.own_zones.push_back(std::move(settings.apex));
  }
  desk->refresher_ =
      std::make_unique<spf::Refresher>(desk->resolver_.get(), desk->store_.get(), std::move(evaluation));
  return desk;
}

Status DomainDesk::ReadConfig(const DeskOptions& options, dataset::DiagnosticSink* sink) {
  if (options.config.empty()) return absl::OkStatus();
  MZ_ASSIGN_OR_RETURN(config_, LoadConfig(options.config, EnvironmentOf(environ), sink));
  has_config_ = true;
  return absl::OkStatus();
}

Status DomainDesk::OpenResolver(const DeskOptions& options) {
  const std::string& replay = !options.replay.empty() ? options.replay : config_.resolver.replay;
  if (!replay.empty() && options.forwarders.empty()) {
    MZ_ASSIGN_OR_RETURN(resolver_, resolve::MakeReplayResolver(replay));
    return absl::OkStatus();
  }
  MZ_ASSIGN_OR_RETURN(resolve::ResolverOptions settings, ResolverSettings(config_.resolver));
  if (!options.forwarders.empty()) {
    settings.forwarders = options.forwarders;
    settings.recursive = false;
  }
  MZ_ASSIGN_OR_RETURN(resolver_, resolve::MakeUnboundResolver(settings));
  return absl::OkStatus();
}

void DomainDesk::LoadState(dataset::DiagnosticSink* sink) {
  if (config_.spf.state.empty() || ::access(config_.spf.state.c_str(), F_OK) != 0) return;
  Status loaded = store_->Load(config_.spf.state, std::time(nullptr));
  if (loaded.ok()) return;
  dataset::Diagnostic d;
  d.file = config_.spf.state;
  d.message = std::string(Message(loaded));
  d.hint = "the state is ignored: every question is asked anew";
  sink->Report(std::move(d));
}

Status DomainDesk::Unlisted(std::string_view domain, std::string_view zone) const {
  std::string message = "'" + std::string(domain) + "' is in no list of an SPF zone";
  if (!zone.empty()) message = "'" + std::string(zone) + "' is not an SPF zone of the configuration";
  std::vector<std::string> names;
  for (const SpfZone& z : zones_) {
    if (zone.empty())
      for (const spf::DomainSetting& d : z.settings.domains) names.push_back(dns::NameText(d.name));
    else
      names.push_back(dns::NameText(z.settings.apex));
  }
  const std::vector<std::string_view> views(names.begin(), names.end());
  const std::string nearest = Nearest(zone.empty() ? domain : zone, views);
  if (!nearest.empty()) message += "; did you mean '" + nearest + "'?";
  if (nearest.empty() && zone.empty()) message += "; --zone NAME shows it as that zone would serve it";
  return MakeStatus(StatusCode::kInvalidArgument, message);
}

StatusOr<ServedDomain> DomainDesk::FindServed(std::string_view domain, std::string_view zone,
                                              dataset::DiagnosticSink* sink) {
  if (!has_zones_) {
    if (!config_.HasSpf())
      return MakeStatus(StatusCode::kInvalidArgument, config_.path + ": no zone has type = \"spf\"");
    MZ_ASSIGN_OR_RETURN(zones_, SpfZones(config_, sink));
    has_zones_ = true;
  }
  MZ_ASSIGN_OR_RETURN(const std::string name, ParseDomainArgument(domain));
  std::string apex;
  if (!zone.empty()) {
    MZ_ASSIGN_OR_RETURN(apex, ParseDomainArgument(zone));
  }
  const SpfZone* chosen = nullptr;
  for (const SpfZone& z : zones_) {
    if (!apex.empty() && z.settings.apex != apex) continue;
    chosen = &z;
    const spf::DomainSetting* best = nullptr;  // the longest name that covers it, as the server chooses
    for (const spf::DomainSetting& d : z.settings.domains) {
      const bool covers = d.name == name || (d.subdomains && dns::EndsWith(name, d.name));
      if (covers && (best == nullptr || d.name.size() > best->name.size())) best = &d;
    }
    if (best == nullptr) continue;
    spf::DomainSetting setting = *best;
    setting.name = name;
    return Served(z, std::move(setting), true);
  }
  if (apex.empty() || chosen == nullptr) return Unlisted(domain, zone);
  MZ_ASSIGN_OR_RETURN(spf::DomainSetting setting, ParseDomainEntry(domain, chosen->config->source_prefix));
  return Served(*chosen, std::move(setting), false);
}

void DomainDesk::Preset(const std::string& owner, std::string_view text) {
  resolve::Answer answer;
  answer.kind = resolve::Answer::kData;
  answer.ttl = kPresetTtl;
  std::string rdata;
  do {
    const std::string_view part = text.substr(0, 255);
    rdata += static_cast<char>(part.size());
    rdata += part;
    text.remove_prefix(part.size());
  } while (!text.empty());
  answer.rdata.push_back(std::move(rdata));
  const resolve::Question question{owner, spf::kTypeTxt};
  store_->Want(question);
  store_->Update(question, std::move(answer), std::time(nullptr));
}

void DomainDesk::Fetch(std::vector<spf::RecordKey> keys, const std::vector<resolve::Question>& others,
                       Progress* progress) {
  constexpr int kWaitMs = 1000;
  for (const resolve::Question& q : others) store_->Want(q);
  refresher_->SetDomains(std::move(keys));
  do {
    refresher_->Step(std::time(nullptr), kWaitMs);
    const spf::Refresher::Counters& c = refresher_->counters();
    if (progress != nullptr) progress->Show("asking the DNS", c.answered, std::max<uint64_t>(c.asked, 1));
  } while (!refresher_->settled());
  if (progress != nullptr) progress->Clear();
}

const resolve::Answer* DomainDesk::Find(const resolve::Question& question) {
  const resolve::StoredNode* node = store_->Find(question);
  return node != nullptr && node->asked ? &node->usable : nullptr;
}

StatusOr<std::string> ParseDomainArgument(std::string_view text) {
  const std::optional<std::string> wire = spf::WireName(text);
  if (!wire) return MakeStatus(StatusCode::kInvalidArgument, "'" + std::string(text) + "' is not a domain name");
  return *wire;
}

}  // namespace mz::cli
