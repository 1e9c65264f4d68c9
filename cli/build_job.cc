// See build_job.h: from flags and configuration to a job.
#include "cli/build_job.h"

#include <algorithm>
#include <map>
#include <thread>

#include "cli/healthcheck_zone.h"
#include "cli/ttl_bounds.h"
#include "format/dns/name.h"

extern char** environ;

namespace mz::cli {
namespace {

// RFC 1912 section 2.2 and RIPE-203 give the order of magnitude; MINIMUM is what resolvers cache "not listed" for.
constexpr uint32_t kSoaTtl = 3600, kSoaRefresh = 7200, kSoaRetry = 1800, kSoaExpire = 1209600, kSoaMinimum = 300;
constexpr uint32_t kNsTtl = 86400;
constexpr uint32_t kHealthcheckMinimum = 60;  // names of test mails are asked once, and soon
constexpr unsigned kMaxThreads = 16;

Status Invalid(const std::string& text) { return MakeStatus(StatusCode::kInvalidArgument, text); }

StatusOr<std::string> AbsoluteWire(std::string_view text) {
  MZ_ASSIGN_OR_RETURN(std::string wire, dns::ParseName(text));
  wire.push_back('\0');
  return wire;
}

// "john.doe@example.net" is the name "john\.doe.example.net" (RFC 1035 section 8).
std::string MailboxName(const std::string& mailbox) {
  size_t at = mailbox.find('@');
  if (at == std::string::npos) return mailbox;
  std::string out;
  for (char c : mailbox.substr(0, at)) {
    if (c == '.') out += '\\';
    out += c;
  }
  return out + "." + mailbox.substr(at + 1);
}

uint32_t Seconds(const std::optional<uint64_t>& value, uint32_t otherwise) {
  return value ? static_cast<uint32_t>(*value) : otherwise;
}

Status AddAuthority(const ZoneConfig& zone, ZoneSettings* out) {
  if (!zone.ns.empty()) {
    if (out->ns) return Invalid("zone " + zone.name + ": 'ns' is given twice");
    compiler::NameServers ns{.ttl = Seconds(zone.ns_ttl, kNsTtl), .names = {}};
    for (const std::string& name : zone.ns) {
      MZ_ASSIGN_OR_RETURN(std::string wire, AbsoluteWire(name));
      ns.names.push_back(std::move(wire));
    }
    out->ns = std::move(ns);
  }
  if (!zone.hostmaster.empty()) {
    if (out->soa) return Invalid("zone " + zone.name + ": 'hostmaster' is given twice");
    compiler::Soa soa;
    MZ_ASSIGN_OR_RETURN(soa.mname, AbsoluteWire(zone.primary.empty() ? zone.ns[0] : zone.primary));
    StatusOr<std::string> rname = AbsoluteWire(MailboxName(zone.hostmaster));
    if (!rname.ok()) return Invalid("zone " + zone.name + ": '" + zone.hostmaster + "' is not a mailbox");
    soa.rname = std::move(*rname);
    soa.ttl = Seconds(zone.soa_ttl, kSoaTtl);
    soa.serial = Seconds(zone.serial, 0);
    soa.refresh = Seconds(zone.refresh, kSoaRefresh);
    soa.retry = Seconds(zone.retry, kSoaRetry);
    soa.expire = Seconds(zone.expire, kSoaExpire);
    soa.minimum = Seconds(zone.minimum, kSoaMinimum);
    out->soa = std::move(soa);
  }
  if (!zone.ent.empty()) out->ent_nxdomain = zone.ent == "nxdomain";
  if (zone.minimal) out->minimal = *zone.minimal;
  return absl::OkStatus();
}

std::string JoinFiles(const std::vector<std::string>& files) {
  std::string out;
  for (const std::string& f : files) out += (out.empty() ? "" : ",") + f;
  return out;
}

// The specification is put together as text and parsed again, so that there is one reading of it. rbldnsd separates file
// names by ',' and ':', so such names cannot be written there.
StatusOr<compiler::ZoneSpec> SpecOf(const std::string& zone, const std::string& type,
                                    const std::vector<std::string>& files) {
  for (const std::string& f : files)
    if (f.find_first_of(",:") != std::string::npos)
      return Invalid("file '" + f + "': names with ',' or ':' cannot be used");
  return compiler::ParseZoneSpec(zone + ":" + type + ":" + JoinFiles(files));
}

Status AddConfiguration(const Config& config, BuildJob* job) {
  if (!config.server.acl.empty()) {
    MZ_ASSIGN_OR_RETURN(compiler::ZoneSpec acl, SpecOf("", "acl", config.server.acl));
    job->specs.push_back(std::move(acl));
  }
  std::map<std::string, size_t> index;
  for (const ZoneConfig& zone : config.zones) {
    if (zone.type == "spf" || zone.type == "healthcheck") {  // their data come from no files of a zone specification
      MZ_ASSIGN_OR_RETURN(std::string apex, dns::ParseName(zone.name));
      dns::LowerName(&apex);
      if (!index.emplace(apex, job->zones.size()).second) return Invalid("zone " + zone.name + " is given twice");
      job->zones.push_back({.zone = apex, .soa = {}, .ns = {}, .ent_nxdomain = {}, .minimal = {}});
      MZ_RETURN_IF_ERROR(AddAuthority(zone, &job->zones.back()));
      if (zone.type == "healthcheck" && !zone.minimum) job->zones.back().soa->minimum = kHealthcheckMinimum;
      if (!zone.acl.empty()) {
        MZ_ASSIGN_OR_RETURN(compiler::ZoneSpec acl, SpecOf(zone.name, "acl", zone.acl));
        job->specs.push_back(std::move(acl));
      }
      continue;
    }
    MZ_ASSIGN_OR_RETURN(compiler::ZoneSpec spec, SpecOf(zone.name, zone.type, zone.files));
    if (zone.ttl) {
      spec.default_ttl = static_cast<uint32_t>(*zone.ttl);
      spec.dataset_spec += " ttl=" + std::to_string(*zone.ttl);  // the same files with another TTL are another dataset
    }
    auto [it, inserted] = index.emplace(spec.zone, job->zones.size());
    if (inserted) job->zones.push_back({.zone = spec.zone, .soa = {}, .ns = {}, .ent_nxdomain = {}, .minimal = {}});
    MZ_RETURN_IF_ERROR(AddAuthority(zone, &job->zones[it->second]));
    job->specs.push_back(std::move(spec));
    if (!zone.acl.empty()) {
      MZ_ASSIGN_OR_RETURN(compiler::ZoneSpec acl, SpecOf(zone.name, "acl", zone.acl));
      job->specs.push_back(std::move(acl));
    }
  }
  return absl::OkStatus();
}

}  // namespace

void BuildFlags::Declare(Options* options, bool writes_image) {
  if (writes_image)
    options->Text("-o,--output", &output, "IMAGE", "the image file to write (with a configuration: server.image)");
  options->Text("-t,--ttl", &ttl, "D[:MIN[:MAX]]",
                "default TTL of entries without $TTL, and limits (2100; units s m h d w)");
  options->Flag("-e,--mask-host-bits", &mask_host_bits, "accept 10.0.0.1/8 as 10.0.0.0/8");
  options->Flag("--no-gzip", &no_gzip, "refuse compressed files");
  if (!writes_image) return;
  options->Choice("--ent", &ent, {"nodata", "nxdomain"},
                  "answer to names that only have names below them (nodata; rbldnsd says nxdomain)");
  options->Switch("--minimal", "--no-minimal", &minimal, "leave NS records out of positive answers (no)");
  options->Choice("--profile", &profile, {"rfc", "rbldnsd"}, "whose answers where the two differ (rfc)");
  options->Choice("--any", &any, {"all", "one"}, "answer to queries of type ANY (rfc: one; rbldnsd: all)");
  options->Flag("--no-provenance", &no_provenance, "smaller image, but `explain` cannot name lines");
  options->Number("--seed", &seed, 0, ~0ull, "N", "of the name index (derived from the content)");
  options->Number("--created", &created, 0, ~0ull, "EPOCH", "time written into the image (now; 0 for equal bytes)");
  options->Text("--record", &record, "FILE", "SPF zones: write all DNS answers to this file (resolver.record)");
  options->Text("--replay", &replay, "FILE", "SPF zones: take all DNS answers from such a file (resolver.replay)");
  options->Flag("--full", &full, "compile all files, take nothing over from the image that is there");
}

std::vector<std::string> BuildFlags::CommandLine() const {
  std::vector<std::string> out;
  auto text = [&](const char* name, const std::optional<std::string>& value) {
    if (value) out.push_back(std::string(name) + "=" + *value);
  };
  auto flag = [&](const char* name, bool value) {
    if (value) out.push_back(name);
  };
  if (!output.empty()) out.push_back("--output=" + output);
  text("--ttl", ttl);
  flag("--mask-host-bits", mask_host_bits);
  flag("--no-gzip", no_gzip);
  text("--ent", ent);
  if (minimal) out.push_back(*minimal ? "--minimal" : "--no-minimal");
  text("--profile", profile);
  text("--any", any);
  flag("--no-provenance", no_provenance);
  if (seed) out.push_back("--seed=" + std::to_string(*seed));
  if (created) out.push_back("--created=" + std::to_string(*created));
  text("--record", record);
  text("--replay", replay);
  flag("--full", full);
  return out;
}

std::vector<std::string> BuildJob::Files() const {
  std::vector<std::string> out;
  if (config) out.push_back(config->path);
  for (const compiler::ZoneSpec& spec : specs) out.insert(out.end(), spec.files.begin(), spec.files.end());
  if (config)
    for (const ZoneConfig& zone : config->zones) {
      if (!zone.domains_file.empty()) out.push_back(zone.domains_file);
      if (zone.type != "healthcheck") continue;
      const std::vector<std::string> files = HealthcheckFiles(zone);
      out.insert(out.end(), files.begin(), files.end());
    }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

bool IsConfiguration(const std::vector<std::string>& inputs) {
  return inputs.size() == 1 && std::count(inputs[0].begin(), inputs[0].end(), ':') < 2;
}

StatusOr<BuildJob> MakeBuildJob(const BuildFlags& flags, const std::vector<std::string>& inputs,
                                dataset::DiagnosticSink* sink) {
  BuildJob job;
  BuildConfig defaults;
  if (IsConfiguration(inputs)) {
    MZ_ASSIGN_OR_RETURN(job.config, LoadConfig(inputs[0], EnvironmentOf(environ), sink));
    defaults = job.config->build;
    job.image = job.config->server.image;
    if (flags.record) job.config->resolver.record = *flags.record;
    if (flags.replay) job.config->resolver.replay = *flags.replay;
    MZ_RETURN_IF_ERROR(AddConfiguration(*job.config, &job));
  } else {
    MZ_ASSIGN_OR_RETURN(job.specs, compiler::ParseZoneSpecs(inputs));
  }
  if (!flags.output.empty()) job.image = flags.output;
  job.full = flags.full;

  compiler::CompileOptions& compile = job.compile;
  MZ_ASSIGN_OR_RETURN(compile.ttl, ParseTtlBounds(flags.ttl.value_or(defaults.ttl)));
  compile.mask_host_bits = flags.mask_host_bits || defaults.mask_host_bits.value_or(false);
  compile.refuse_gzip = flags.no_gzip || !defaults.gzip.value_or(true);
  compile.provenance = !flags.no_provenance && defaults.provenance.value_or(true);
  compile.threads = static_cast<int>(std::clamp(std::thread::hardware_concurrency(), 1u, kMaxThreads));
  compile.ent_nxdomain = flags.ent.value_or(defaults.ent) == "nxdomain";
  compile.minimal = flags.minimal.value_or(defaults.minimal.value_or(false));
  bool rbldnsd = flags.profile.value_or(defaults.profile) == "rbldnsd";
  compile.profile = rbldnsd ? image::kProfileRbldnsd : 0;
  std::string any = flags.any.value_or(defaults.any);
  if (any == "all") compile.profile |= image::kProfileAnyAll;
  if (any == "one") compile.profile &= ~static_cast<uint32_t>(image::kProfileAnyAll);

  job.write.provenance = compile.provenance;
  job.write.hash_seed = flags.seed ? flags.seed : defaults.seed;
  job.write.created_unix = flags.created ? flags.created : defaults.created;
  job.write.threads = compile.threads;
  return job;
}

}  // namespace mz::cli
