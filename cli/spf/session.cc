// See session.h.
#include "cli/spf/session.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <ctime>

#include "compiler/spf/layout.h"
#include "compiler/spf/wire_names.h"
#include "format/dns/name.h"

namespace mz::cli {

namespace spf = compiler::spf;

namespace {

constexpr size_t kMaxDomainDiagnostics = 10'000;  // domains that are looked through for advice

bool SameDomains(const std::vector<spf::DomainSetting>& a, const std::vector<spf::DomainSetting>& b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](const auto& x, const auto& y) {
           return x.name == y.name && x.owner == y.owner && x.source_domain == y.source_domain &&
                  x.subdomains == y.subdomains;
         });
}

}  // namespace

StatusOr<std::unique_ptr<SpfSession>> SpfSession::Open(const Config& config, dataset::DiagnosticSink* sink) {
  std::unique_ptr<SpfSession> s(new SpfSession(config));
  MZ_ASSIGN_OR_RETURN(s->zones_, SpfZones(config, sink));
  if (!config.resolver.replay.empty()) {
    const auto begin = std::chrono::steady_clock::now();
    MZ_ASSIGN_OR_RETURN(s->resolver_, resolve::MakeReplayResolver(config.resolver.replay));
    s->replay_seconds_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  } else {
    MZ_ASSIGN_OR_RETURN(resolve::ResolverOptions options, ResolverSettings(config.resolver));
    MZ_ASSIGN_OR_RETURN(s->resolver_, resolve::MakeUnboundResolver(options));
  }
  if (!config.resolver.record.empty()) {
    auto recording = std::make_unique<resolve::RecordingResolver>(std::move(s->resolver_), config.resolver.record);
    resolve::RecordingResolver* r = recording.get();
    s->finish_recording_ = [r] { return r->Close(); };
    s->resolver_ = std::move(recording);
  }
  s->store_ = std::make_unique<resolve::Store>(StoreSettings(config.spf), spf::SpfJudge(MaxShrinkPercent(config.spf)));
  // A replay is a world of its own: what the DNS said yesterday is not part of it.
  const bool stateless = !config.resolver.replay.empty() || !config.resolver.record.empty();
  if (!stateless && ::access(config.spf.state.c_str(), F_OK) == 0) {
    if (Status loaded = s->store_->Load(config.spf.state, std::time(nullptr)); !loaded.ok()) {
      dataset::Diagnostic d;
      d.file = config.spf.state;
      d.message = std::string(Message(loaded));
      d.hint = "the state is ignored: every question is asked anew";
      sink->Report(std::move(d));
    }
  }
  spf::Options options;
  for (const SpfZone& z : s->zones_) options.own_zones.push_back(z.settings.apex);
  s->refresher_ = std::make_unique<spf::Refresher>(s->resolver_.get(), s->store_.get(), std::move(options));
  s->SetDomains();
  return s;
}

std::vector<spf::RecordKey> SpfSession::Keys() const {
  std::vector<spf::RecordKey> keys;
  for (const SpfZone& z : zones_)
    for (const spf::DomainSetting& d : z.settings.domains) keys.push_back(KeyOf(d));
  return keys;
}

void SpfSession::LeaveMemoryToExit() {
  if (store_->size() < kTooManyToFree) return;
  static auto& kept = *new std::vector<std::pair<std::unique_ptr<resolve::Store>, std::unique_ptr<spf::Refresher>>>;
  kept.emplace_back(std::move(store_), std::move(refresher_));
}

void SpfSession::SetDomains() { refresher_->SetDomains(Keys()); }

StatusOr<bool> SpfSession::ReloadDomains(dataset::DiagnosticSink* sink) {
  MZ_ASSIGN_OR_RETURN(std::vector<SpfZone> zones, SpfZones(config_, sink));
  bool same = zones.size() == zones_.size();
  for (size_t i = 0; same && i < zones.size(); i++) same = SameDomains(zones[i].settings.domains, zones_[i].settings.domains);
  if (same) return false;
  zones_ = std::move(zones);
  SetDomains();
  return true;
}

void SpfSession::Fetch(Progress* progress) {
  constexpr int kWaitMs = 1000;
  while (true) {
    const int64_t now = std::time(nullptr);
    refresher_->Step(now, kWaitMs);
    if (progress != nullptr) {
      const auto& c = refresher_->counters();
      progress->Show("asking the DNS", c.answered, std::max<uint64_t>(c.asked, 1));
    }
    if (refresher_->settled()) break;
  }
  if (progress != nullptr) progress->Clear();
}

void SpfSession::ReportFindings(dataset::DiagnosticSink* sink) {
  const std::vector<spf::Evaluator::Visited> records = refresher_->evaluator().Walk(Keys());
  for (const spf::Evaluator::Visited& v : records)
    for (const spf::Finding& f : *v.findings) {
      dataset::Diagnostic d = f.diagnostic;
      // An include is somebody else's record: by which way did a domain of ours get there?
      std::string path;
      for (int i = v.from; i >= 0; i = records[static_cast<size_t>(i)].from)
        path = dns::NameText(records[static_cast<size_t>(i)].key.owner) + " > " + path;
      if (!path.empty()) {
        if (!d.hint.empty()) d.hint += "; ";
        d.hint += "reached by " + path + dns::NameText(v.key.owner);
      }
      if (!f.section.empty()) d.message += " (" + std::string(f.section) + ")";
      // What is wrong with a source record never stops the others: the domain gets what RFC 7208 says.
      d.severity = dataset::Severity::kWarning;
      sink->Report(std::move(d));
    }
}

void SpfSession::ReportCosts(const spf::DomainReport& r, const SpfZone& zone, dataset::DiagnosticSink* sink) {
  const auto report = [&](std::string message, std::string hint) {
    dataset::Diagnostic d;
    d.file = dns::NameText(r.domain->name);
    d.message = std::move(message);
    d.hint = std::move(hint);
    sink->Report(std::move(d));
  };
  const uint32_t lookups = r.worst.lookups + 1;
  if (lookups > spf::kMaxReceiverLookups)
    report(std::to_string(lookups) + " lookups are left to the receiver, more than 10: permerror for some addresses",
           "mechanisms with %{l}, %{s}, %{h} or %{i}, and ptr, cannot be decided beforehand");
  else if (lookups > spf::kWarnLookups)
    report(std::to_string(lookups) + " lookups are left to the receiver, of 10", "");
  if (r.worst.exists > 2)
    report(std::to_string(r.worst.exists) + " exists mechanisms are left: receivers that allow two void lookups may say permerror",
           "RFC 7208 section 4.6.4");
  if (r.worst.text_bytes > spf::kMaxTextBytes)
    report("an answer of " + std::to_string(r.worst.text_bytes) + " octets needs EDNS or TCP", "");
  if (r.worst.too_deep) report("its includes with negative terms are nested too deep for helper records: permerror", "");
  for (const std::string& text : zone.settings.layouts) {
    StatusOr<compiler::SpfLayout> layout = spf::ParseLayout(text);
    if (!layout.ok()) continue;
    const bool free_start = layout->front().kind == compiler::SpfLayoutPart::kIgnored ||
                            layout->front().kind == compiler::SpfLayoutPart::kDomain;
    if (r.worst.below_name && free_start)
      report("some answers need names below the one that is asked, which layout \"" + text + "\" cannot tell apart: permerror",
             "begin the layout with text or with the address");
    const size_t octets = spf::LongestQueryName(*layout, spf::RawText(r.domain->name), spf::RawText(zone.settings.apex),
                                                r.worst.lookups > 0);
    if (octets > 253)
      report("the name that is asked for IPv6 clients has " + std::to_string(octets) + " octets, more than 253", "");
  }
}

StatusOr<SpfSession::Summary> SpfSession::AddTo(compiler::ImageModel* model, dataset::DiagnosticSink* sink) {
  Summary summary;
  ReportFindings(sink);
  int64_t newest = 0;
  store_->ForEach([&](const resolve::StoredNode& n) { newest = std::max(newest, n.first_good_at); });
  summary.questions = store_->size();
  for (const SpfZone& zone : zones_) {
    size_t told = 0;
    StatusOr<spf::ZoneResult> built =
        spf::BuildZone(zone.settings, &refresher_->evaluator(), &model->pool, [&](const spf::DomainReport& r) {
          if (told < kMaxDomainDiagnostics) ReportCosts(r, zone, sink), told++;
        });
    if (!built.ok()) return Annotate(built.status(), "zone " + zone.config->name);
    auto dataset = std::make_unique<compiler::DatasetModel>();
    dataset->kind = image::kSpf;
    dataset->spec = "spf:" + dns::NameText(zone.settings.apex);
    dataset->ttl = zone.settings.ttl_cap;
    dataset->newest_mtime = newest;
    dataset->spf = built->model;
    dataset->entries = built->domains;
    compiler::ZoneModel z;
    z.apex = zone.settings.apex;
    z.text = dns::NameText(zone.settings.apex);
    z.datasets.push_back(static_cast<uint32_t>(model->datasets.size()));
    model->datasets.push_back(std::move(dataset));
    // Every zone stands before its ancestors.
    auto place = std::find_if(model->zones.begin(), model->zones.end(),
                              [&](const compiler::ZoneModel& o) { return dns::EndsWith(z.apex, o.apex); });
    model->zones.insert(place, std::move(z));
    summary.zones++;
    summary.domains += built->domains;
    summary.incomplete += built->incomplete;
    summary.without_record += built->without_record;
  }
  return summary;
}

Status SpfSession::SaveState() const {
  if (!config_.resolver.replay.empty() || !config_.resolver.record.empty()) return absl::OkStatus();
  return store_->Save(config_.spf.state);
}

Status SpfSession::FinishRecording() { return finish_recording_ ? finish_recording_() : absl::OkStatus(); }

const spf::DomainSetting* SpfSession::FindDomain(std::string_view text, const SpfZone** zone) const {
  const std::optional<std::string> wire = spf::WireName(text);
  if (!wire) return nullptr;
  for (const SpfZone& z : zones_) {
    for (const spf::DomainSetting& d : z.settings.domains) {
      if (d.name != *wire) continue;
      if (zone != nullptr) *zone = &z;
      return &d;
    }
  }
  return nullptr;
}

}  // namespace mz::cli
