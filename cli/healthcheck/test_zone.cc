// See test_zone.h.
#include "cli/healthcheck/test_zone.h"

#include <algorithm>
#include <set>

#include "base/file.h"
#include "base/suggest.h"
#include "cli/healthcheck_zone.h"
#include "cli/offline_query.h"
#include "compiler/build/image_writer.h"
#include "compiler/healthcheck/zone.h"
#include "format/dns/message.h"
#include "format/dns/name.h"
#include "format/image/verify.h"
#include "format/image/view.h"

extern char** environ;

namespace mz::cli {

using namespace healthcheck;

struct TestZone::Image {
  Mapping bytes;
  image::View view;
  std::vector<std::string> names;  // below an ID: relative wire form
};

namespace {

constexpr uint16_t kTypeTlsa = 52, kTypeSpf = 99, kTypeAny = 255;
constexpr uint16_t kTypes[] = {dns::kTypeCname, dns::kTypeA, dns::kTypeAaaa, dns::kTypeMx,
                               dns::kTypeTxt,   kTypeSpf,    kTypeTlsa};
constexpr uint16_t kUdpBytes = 1232;

Status Invalid(const std::string& text) { return MakeStatus(StatusCode::kInvalidArgument, text); }

std::string Joined(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& n : names) out += (out.empty() ? "" : ", ") + n;
  return out;
}

StatusOr<const ZoneConfig*> ChooseZone(const Config& config, std::string_view wanted) {
  std::vector<std::string> names;
  const ZoneConfig* chosen = nullptr;
  StatusOr<std::string> wire = dns::ParseName(wanted);
  if (!wire.ok()) return Annotate(wire.status(), "--zone");
  dns::LowerName(&*wire);
  for (const ZoneConfig& zone : config.zones) {
    if (zone.type != "healthcheck") continue;
    names.push_back(zone.name);
    StatusOr<std::string> apex = dns::ParseName(zone.name);
    if (!apex.ok()) continue;
    dns::LowerName(&*apex);
    if (wanted.empty() || *apex == *wire) chosen = &zone;
  }
  if (names.empty()) return Invalid(config.path + ": no zone has type = \"healthcheck\"");
  if (wanted.empty() && names.size() > 1)
    return Invalid(config.path + " has several healthcheck zones; choose one with --zone: " + Joined(names));
  if (chosen == nullptr) {
    const std::vector<std::string_view> views(names.begin(), names.end());
    const std::string nearest = Nearest(wanted, views);
    return Invalid("--zone: '" + std::string(wanted) + "' is not a healthcheck zone of the configuration" +
                   (nearest.empty() ? ", which has " + Joined(names) : "; did you mean '" + nearest + "'?"));
  }
  return chosen;
}

std::string LiteralOf(const compiler::HealthcheckHost& host) {
  if (!host.ip4.empty()) return "[" + net::ToString(host.ip4[0]) + "]";
  if (!host.ip6.empty()) return "[IPv6:" + net::ToString(host.ip6[0]) + "]";
  return "[127.0.0.1]";
}

// One question and what came back, in words where it is no plain answer.
AnsweredName Asked(const image::View& view, const std::string& name, uint16_t type, int64_t now) {
  AnsweredName out{.name = dns::NameText(name), .type = type, .records = {}, .fault = {}};
  OfflineQuery query{
      .name = name, .type = type, .tcp = false, .edns_bytes = kUdpBytes, .now_unix = static_cast<uint32_t>(now)};
  std::vector<std::string> words;
  for (bool tcp : {false, true}) {
    query.tcp = tcp;
    const std::string reply = AskImage(view, query, {});
    const char* transport = tcp ? " over TCP" : "";
    if (reply.empty()) {
      words.push_back("no answer" + std::string(transport));
      break;
    }
    StatusOr<dns::Message> message =
        dns::ReadMessage(std::span(reinterpret_cast<const uint8_t*>(reply.data()), reply.size()));
    if (!message.ok()) {
      words.push_back("an answer that cannot be read" + std::string(transport));
      break;
    }
    if (message->rcode() != 0) {
      words.push_back(dns::RcodeText(message->rcode()) + transport);
      break;
    }
    if (!tcp && message->Has(dns::kFlagTc)) {
      words.push_back("truncated over UDP");
      continue;
    }
    if (!message->Has(dns::kFlagAa)) words.push_back("a referral, without authority");
    out.records = std::move(message->answer);
    break;
  }
  for (const std::string& w : words) out.fault += (out.fault.empty() ? "" : ", ") + w;
  return out;
}

}  // namespace

TestZone::TestZone() = default;
TestZone::~TestZone() = default;

StatusOr<std::unique_ptr<TestZone>> TestZone::Open(const std::string& config_path, const std::string& name,
                                                   dataset::DiagnosticSink* sink) {
  std::unique_ptr<TestZone> out(new TestZone);
  MZ_ASSIGN_OR_RETURN(out->config_, LoadConfig(config_path, EnvironmentOf(environ), sink));
  MZ_ASSIGN_OR_RETURN(out->zone_, ChooseZone(out->config_, name));
  MZ_ASSIGN_OR_RETURN(compiler::HealthcheckOptions options, LoadHealthcheckZone(*out->zone_, sink));
  if (options.mail_hosts.empty()) return Invalid("zone " + out->zone_->name + ": no mail host");
  out->name_ = compiler::ZoneText(options);
  out->mail_host_ = dns::NameText(options.mail_hosts[0].name);
  out->literal_ = LiteralOf(options.mail_hosts[0]);
  out->selector_ = options.selector;
  out->expiry_minutes_ = options.expiry_minutes;
  out->id_keys_ = options.keys;
  out->signing_key_ = SigningKey(*out->zone_);
  out->registered_ = std::move(options.registered);
  out->keys_ = std::make_unique<KeyRing>(out->zone_->dkim_keys);
  return out;
}

StatusOr<std::string> TestZone::MakeId(const Settings& settings, int64_t now_unix) const {
  if (!id_keys_.key[signing_key_].present)
    return Invalid("zone " + name_ +
                   " has no key that signs IDs: key_files = [...]; `mailzone healthcheck keygen` makes one");
  const std::string random = mail::RandomOctets(2);
  Id id{.settings = settings,
        .key = signing_key_,
        .minutes = MinutesOf(static_cast<uint64_t>(now_unix)),
        .nonce = 0};
  id.nonce = static_cast<uint16_t>(static_cast<uint8_t>(random[0]) << 8 | static_cast<uint8_t>(random[1]));
  return IdText(SealId(id, id_keys_));
}

IdError TestZone::Read(std::string_view id, Id* out) const {
  IdBytes octets;
  const IdError error = ReadIdText(id, &octets);
  return error != IdError::kNone ? error : OpenId(octets, id_keys_, out);
}

std::optional<Settings> TestZone::Registered(std::string_view id) const {
  IdBytes octets;
  if (ReadIdText(id, &octets) != IdError::kNone) return std::nullopt;
  const auto found = std::lower_bound(registered_.begin(), registered_.end(), octets,
                                      [](const compiler::RegisteredId& r, const IdBytes& b) { return r.id < b; });
  if (found == registered_.end() || found->id != octets) return std::nullopt;
  return found->settings;
}

TestMailSpec TestZone::Spec(const Settings& settings, const std::string& id, int64_t now_unix) const {
  TestMailSpec spec;
  spec.settings = settings;
  spec.id = id;
  spec.zone = name_;
  spec.mail_host = mail_host_;
  spec.literal = literal_;
  spec.selector = selector_;
  spec.now_unix = now_unix;
  return spec;
}

Status TestZone::Compile() {
  Config alone = config_;
  alone.zones = {*zone_};
  compiler::ImageModel model;
  uint64_t entries = 0;
  MZ_RETURN_IF_ERROR(AddHealthcheckZones(alone, &model, nullptr, &entries));
  auto image = std::make_unique<Image>();
  for (const auto& dataset : model.datasets)
    if (dataset->healthcheck != nullptr)
      for (const compiler::HealthcheckNameModel& n : dataset->healthcheck->names) image->names.push_back(n.name);
  compiler::BuildResult result;
  MZ_ASSIGN_OR_RETURN(const UniqueFd fd,
                      compiler::WriteImageMemfd(model, {.provenance = false, .created_unix = 0}, &result));
  MZ_ASSIGN_OR_RETURN(image->bytes, Mapping::MapFd(fd.get(), result.file_bytes, "the image in memory"));
  MZ_ASSIGN_OR_RETURN(image->view, image::Verify(image->bytes.bytes(), image::VerifyLevel::kEverything));
  image_ = std::move(image);
  return absl::OkStatus();
}

StatusOr<std::vector<AnsweredName>> TestZone::Answers(const std::string& id, int64_t now_unix) {
  if (image_ == nullptr) MZ_RETURN_IF_ERROR(Compile());
  MZ_ASSIGN_OR_RETURN(const std::string below, dns::ParseName(id + "." + name_));
  std::vector<AnsweredName> out;
  for (const std::string& label : image_->names) {
    std::vector<AnsweredName> of_name;
    std::set<std::string> seen;
    std::set<std::string> faults;
    for (uint16_t type : kTypes) {
      AnsweredName a = Asked(image_->view, label + below, type, now_unix);
      // Behind an alias every type brings the same CNAME.
      std::erase_if(a.records, [&](const dns::Record& r) {
        return !seen.insert(r.name + std::to_string(r.type) + ":" + dns::RdataText(r)).second;
      });
      faults.insert(a.fault);
      if (!a.records.empty() || !a.fault.empty()) of_name.push_back(std::move(a));
    }
    const std::string name = dns::NameText(label + below);
    if (of_name.empty())
      out.push_back({name, kTypeAny, {}, "no data"});
    else if (seen.empty() && faults.size() == 1)  // the same for all types
      out.push_back({name, kTypeAny, {}, *faults.begin()});
    else
      std::move(of_name.begin(), of_name.end(), std::back_inserter(out));
  }
  return out;
}

}  // namespace mz::cli
