// See build_job.h: runs a job. The image that is already there serves as a cache: datasets whose files and options did
// not change are taken over, and when nothing at all changed nothing is written.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <ctime>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "cli/build_job.h"
#include "cli/healthcheck_zone.h"
#include "cli/version.h"
#include "compiler/build/adopt.h"
#include "format/dns/name.h"
#include "format/image/verify.h"

namespace mz::cli {
namespace {

using nlohmann::json;

// What the content of a dataset depends on besides its files; a change makes taking over wrong.
json DatasetOptions(const BuildJob& job) {
  const compiler::CompileOptions& c = job.compile;
  return {{"compiler", kVersionText},
          {"ttl", {c.ttl.default_ttl, c.ttl.min_ttl, c.ttl.max_ttl}},
          {"mask_host_bits", c.mask_host_bits},
          {"gzip", !c.refuse_gzip},
          {"provenance", c.provenance}};
}

// What the image depends on besides its datasets.
json ImageOptions(const BuildJob& job) {
  json specs = json::array();
  for (const compiler::ZoneSpec& spec : job.specs) specs.push_back(spec.zone_text + ":" + spec.dataset_spec);
  json zones = json::array();
  for (const ZoneSettings& z : job.zones) {
    json zone = {{"zone", dns::NameText(z.zone)}};
    if (z.ent_nxdomain) zone["ent_nxdomain"] = *z.ent_nxdomain;
    if (z.minimal) zone["minimal"] = *z.minimal;
    if (z.ns) {
      json names = json::array();
      for (const std::string& n : z.ns->names) names.push_back(dns::NameText(std::string_view(n).substr(0, n.size() - 1)));
      zone["ns"] = {{"ttl", z.ns->ttl}, {"names", names}};
    }
    if (z.soa) {
      auto text = [](const std::string& n) { return dns::NameText(std::string_view(n).substr(0, n.size() - 1)); };
      zone["soa"] = {text(z.soa->mname), text(z.soa->rname), z.soa->ttl,    z.soa->serial, z.soa->refresh,
                     z.soa->retry,       z.soa->expire,      z.soa->minimum};
    }
    zones.push_back(std::move(zone));
  }
  json out = {{"specs", specs},
              {"zones", zones},
              {"profile", job.compile.profile},
              {"ent_nxdomain", job.compile.ent_nxdomain},
              {"minimal", job.compile.minimal}};
  if (job.write.hash_seed) out["seed"] = *job.write.hash_seed;
  return out;
}

double SecondsSince(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

// The image that is there, as far as it can be used.
struct Previous {
  Mapping bytes;
  std::optional<image::View> view;
  std::unique_ptr<compiler::Adopter> adopter;
  bool same_dataset_options = false, same_image_options = false;
};

Previous OpenPrevious(const BuildJob& job, const json& options) {
  Previous out;
  UniqueFd fd(::open(job.image.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat st;
  if (!fd.valid() || ::fstat(fd.get(), &st) != 0 || !S_ISREG(st.st_mode) || st.st_size == 0) return out;
  StatusOr<Mapping> bytes = Mapping::MapFd(fd.get(), static_cast<size_t>(st.st_size), job.image);
  if (!bytes.ok()) return out;
  out.bytes = std::move(*bytes);
  StatusOr<image::View> view = image::Verify(out.bytes.bytes(), image::VerifyLevel::kEverything, job.write.threads);
  if (!view.ok()) return out;  // damaged: all is compiled anew
  out.view = *view;
  out.adopter = std::make_unique<compiler::Adopter>(*out.view);
  json before = json::parse(out.adopter->build_options_json(), nullptr, /*allow_exceptions=*/false);
  if (!before.is_object()) return out;
  out.same_dataset_options = before.value("datasets", json()) == options["datasets"];
  out.same_image_options = before.value("image", json()) == options["image"];
  return out;
}

void ApplySettings(const BuildJob& job, compiler::ImageModel* model) {
  for (const ZoneSettings& settings : job.zones) {
    for (compiler::ZoneModel& zone : model->zones) {
      if (zone.apex != settings.zone) continue;
      if (settings.soa) zone.soa = settings.soa;
      if (settings.ns) zone.ns = settings.ns;
      auto set = [&](const std::optional<bool>& on, uint32_t bit) {
        if (on) zone.flags = *on ? zone.flags | bit : zone.flags & ~bit;
      };
      set(settings.ent_nxdomain, image::kZoneEntNxdomain);
      set(settings.minimal, image::kZoneMinimal);
    }
  }
}

// rbldnsd's rules want a zone; a configuration may have SPF zones only.
StatusOr<compiler::Assembly> AssembleSpecs(const BuildJob& job, const compiler::CompileOptions& compile,
                                           const compiler::Adopter* adopter, dataset::DiagnosticSink* sink) {
  if (!job.specs.empty() || !job.config || (!job.config->HasSpf() && !job.config->HasHealthcheck()))
    return compiler::Assemble(job.specs, compile, adopter, sink);
  compiler::Assembly out;
  out.model.profile = compile.profile;
  return out;
}

Status AddSpfZones(const Config& config, SpfSession* session, std::unique_ptr<SpfSession>* own,
                   compiler::ImageModel* model, dataset::DiagnosticSink* sink, Progress* progress, BuildReport* report) {
  auto begin = std::chrono::steady_clock::now();
  BuildReport::Phases& phases = report->phases;
  if (session == nullptr) {
    MZ_ASSIGN_OR_RETURN(*own, SpfSession::Open(config, sink));
    session = own->get();
    phases.replay = session->replay_seconds();
    phases.open = SecondsSince(begin) - phases.replay;
    begin = std::chrono::steady_clock::now();
    session->Fetch(progress);
    MZ_RETURN_IF_ERROR(session->SaveState());
    MZ_RETURN_IF_ERROR(session->FinishRecording());
    phases.fetch = SecondsSince(begin);
    begin = std::chrono::steady_clock::now();
  }
  MZ_ASSIGN_OR_RETURN(report->spf, session->AddTo(model, sink));
  phases.compile = SecondsSince(begin);
  report->datasets += report->spf->zones;
  report->entries += report->spf->domains;
  return absl::OkStatus();
}

bool Readable(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  return fd.valid();
}

}  // namespace

BuildReport RunBuildJob(const BuildJob& job, BuildTarget target, dataset::DiagnosticSink* sink, Progress* progress,
                        SpfSession* session) {
  auto begin = std::chrono::steady_clock::now();
  BuildReport report;
  report.image = job.image;
  json options = {{"datasets", DatasetOptions(job)}, {"image", ImageOptions(job)}};

  Previous previous;
  if (target == BuildTarget::kImageFile && !job.full) previous = OpenPrevious(job, options);
  const compiler::Adopter* adopter = previous.same_dataset_options ? previous.adopter.get() : nullptr;

  compiler::CompileOptions compile = job.compile;
  compile.now_unix = std::time(nullptr);
  compile.progress = [&](std::string_view file, uint64_t done, uint64_t total) { progress->Show(file, done, total); };
  StatusOr<compiler::Assembly> assembly = AssembleSpecs(job, compile, adopter, sink);
  progress->Clear();
  std::unique_ptr<SpfSession> own_session;
  auto finish = [&](ExitCode code) {
    if (own_session != nullptr) own_session->LeaveMemoryToExit();
    report.exit_code = code;
    report.seconds = SecondsSince(begin);
    return report;
  };
  if (!assembly.ok()) {
    report.errors.push_back(std::string(Message(assembly.status())));
    return finish(ExitCodeFor(assembly.status()));
  }

  ExitCode code = kExitOk;
  for (const auto& d : assembly->datasets) {
    report.datasets++;
    if (d.state == compiler::Assembly::Dataset::kUnchanged) report.datasets_unchanged++;
    if (d.state == compiler::Assembly::Dataset::kKept || d.state == compiler::Assembly::Dataset::kMissing) {
      report.errors.push_back(d.spec + " does not load: " + d.error);
      code = std::max(code, kExitFindings);
    }
  }
  for (const std::unique_ptr<compiler::DatasetModel>& d : assembly->model.datasets)
    if (d != nullptr) report.entries += d->entries;
  if (code != kExitOk) {
    for (const compiler::ZoneSpec& spec : job.specs)
      for (const std::string& file : spec.files)
        if (!Readable(file)) code = kExitUnreadable;
    return finish(code);
  }
  if (job.config && job.config->HasSpf()) {
    Status added = AddSpfZones(*job.config, session, &own_session, &assembly->model, sink, progress, &report);
    if (!added.ok()) {
      report.errors.push_back(std::string(Message(added)));
      return finish(added.code() == StatusCode::kInvalidArgument ? kExitUsage : ExitCodeFor(added));
    }
    assembly->changed = true;  // whether anything is new is known by the image's identity
  }
  if (job.config && job.config->HasHealthcheck()) {
    Status added = AddHealthcheckZones(*job.config, &assembly->model, sink, &report.entries);
    if (!added.ok()) {
      report.errors.push_back(std::string(Message(added)));
      return finish(added.code() == StatusCode::kInvalidArgument ? kExitUsage : ExitCodeFor(added));
    }
    for (const ZoneConfig& zone : job.config->zones) report.datasets += zone.type == "healthcheck";
    assembly->changed = true;  // as above
  }
  if (target == BuildTarget::kNothing) return finish(kExitOk);

  bool pinned_differently = job.write.created_unix && previous.view &&
                            *job.write.created_unix != previous.view->header().created_unix;
  if (adopter != nullptr && previous.same_image_options && !assembly->changed && !pinned_differently) {
    report.up_to_date = true;
    report.result.identity = previous.view->header().identity;
    report.result.file_bytes = previous.view->bytes().size();
    report.result.zones = static_cast<uint32_t>(previous.view->zones().size());
    return finish(kExitOk);
  }

  ApplySettings(job, &assembly->model);
  compiler::WriteOptions write = job.write;
  write.build_options_json = options.dump(-1, ' ', false, json::error_handler_t::replace);
  write.progress = [&](double part) { progress->Show("writing " + job.image, static_cast<uint64_t>(part * 1000), 1000); };
  if ((report.spf || (job.config && job.config->HasHealthcheck())) && previous.view && !pinned_differently) write.unless_identity = previous.view->header().identity;
  const auto write_begin = std::chrono::steady_clock::now();
  StatusOr<compiler::BuildResult> result = compiler::WriteImageFile(assembly->model, job.image, write);
  report.phases.write = SecondsSince(write_begin);
  progress->Clear();
  if (!result.ok()) {
    report.errors.push_back(std::string(Message(result.status())));
    return finish(ExitCodeFor(result.status()));
  }
  report.result = std::move(*result);
  report.up_to_date = report.result.unchanged;
  for (const compiler::BuildWarning& w : report.result.warnings)
    report.warnings.push_back("zone " + w.zone + ": " + w.message);
  return finish(kExitOk);
}

}  // namespace mz::cli
