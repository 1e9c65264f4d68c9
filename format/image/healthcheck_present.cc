// See healthcheck_present.h.
#include "format/image/healthcheck_present.h"

#include "format/dns/name.h"
#include "format/healthcheck/id.h"
#include "format/healthcheck/outcome.h"
#include "format/image/present.h"

namespace mz::image {

namespace {

constexpr uint16_t kTypeNs = 2, kTypeCname = 5, kTypeTxt = 16, kTypeSpf = 99;

std::string ActionText(uint8_t action) {
  static constexpr std::string_view kWords[kHealthcheckActionLast + 1] = {
      "records", "SERVFAIL", "REFUSED", "NOTIMP", "NXDOMAIN", "silence", "FORMERR to EDNS", "TC", "TC, no TCP",
      "NXDOMAIN above names", "instead", "besides", "wrong case", "besides, oversize", "lame", "no address"};
  return std::string(kWords[action]);
}

std::string TypesText(uint8_t types) {
  static constexpr std::string_view kWords[kHealthcheckTypesLast + 1] = {"", " (policy types)", " (TXT, SPF)", " (MX)"};
  return std::string(kWords[types]);
}

std::string AnswerText(const HealthcheckAnswer& a) {
  std::string out;
  if (a.action != kHealthcheckRecords) return ActionText(a.action) + TypesText(a.types);
  const std::span<const uint8_t> records = HealthcheckRecords(a);
  size_t at = 0;
  for (uint32_t i = 0; i < a.record_count; i++) {
    const uint8_t* head = &records[at];
    const size_t bytes = LoadBe16(head + 10);
    const uint16_t type = LoadBe16(head + 2);
    const std::string_view rdata(reinterpret_cast<const char*>(head) + kHealthcheckRecordHead, bytes);
    if (!out.empty()) out += " + ";
    out += std::to_string(LoadBe32(head + 6)) + " " + (type == kTypeSpf ? "SPF" : dns::TypeText(type)) + " ";
    if (type == kTypeNs || type == kTypeCname)
      out += AbsoluteName(rdata.substr(0, rdata.size() - 1));
    else
      out += RdataText(type == kTypeSpf ? uint16_t{kTypeTxt} : type, rdata);
    at += kHealthcheckRecordHead + bytes;
  }
  // The filling of the holes is the only run of so many zeros.
  const std::string filling(kHealthcheckIdDigits, '0');
  for (size_t hole = out.find(filling); hole != std::string::npos; hole = out.find(filling, hole))
    out.replace(hole, filling.size(), "${id}");
  if (a.chase != 0) out += " (followed)";
  return out;
}

}  // namespace

std::vector<std::string> HealthcheckZoneLines(const View& view, const HealthcheckZone& z) {
  std::vector<std::string> out;
  for (int k = 0; k < 2; k++)
    if (z.flags & (k == 0 ? kHealthcheckKey0 : kHealthcheckKey1)) out.push_back("key " + std::to_string(k));
  if (z.flags & kHealthcheckOpaque) out.push_back("opaque IDs");
  out.push_back("expiry " + std::to_string(z.expiry_minutes) + " minutes");
  if (z.registered_count != 0) out.push_back("registered IDs " + std::to_string(z.registered_count));
  for (uint32_t code = 1; code < kHealthcheckCodes; code++) {
    const HealthcheckFault& f = z.faults[code];
    if (f.action == kHealthcheckRecords && f.delay_ms == 0) continue;
    const healthcheck::Outcome* o = healthcheck::OutcomeOf(healthcheck::kFault, static_cast<uint8_t>(code));
    std::string line = "fault " + (o != nullptr ? std::string(o->word) : std::to_string(code)) + ": ";
    line += f.delay_ms != 0 ? "after " + std::to_string(f.delay_ms) + " ms" : ActionText(f.action);
    line += TypesText(f.types);
    if (f.answer != 0) line += ": " + AnswerText(view.healthcheck_answer(f.answer));
    out.push_back(std::move(line));
  }
  return out;
}

std::string HealthcheckIdText(const View& view, const HealthcheckZone& z, std::string_view label, uint64_t now_unix,
                              bool* good) {
  *good = false;
  healthcheck::IdBytes bytes;
  healthcheck::IdError error = healthcheck::ReadIdText(label, &bytes);
  if (error != healthcheck::IdError::kNone) return std::string(healthcheck::IdErrorText(error));
  healthcheck::IdKeys keys;
  keys.opaque_ids = (z.flags & kHealthcheckOpaque) != 0;
  for (int k = 0; k < 2; k++) {
    keys.key[k].present = (z.flags & (k == 0 ? kHealthcheckKey0 : kHealthcheckKey1)) != 0;
    for (int i = 0; i < 8; i++) {
      keys.key[k].mac.inner[i] = z.keys[k].inner[i];
      keys.key[k].mac.outer[i] = z.keys[k].outer[i];
    }
    std::memcpy(keys.key[k].opaque.aes, z.keys[k].aes, sizeof z.keys[k].aes);
  }
  healthcheck::Id id;
  error = healthcheck::OpenId(bytes, keys, &id);
  if (error == healthcheck::IdError::kNone) {
    error = healthcheck::CheckAge(id, now_unix, z.expiry_minutes);
    *good = error == healthcheck::IdError::kNone;
    return healthcheck::SettingsText(id.settings) + ", by key " + std::to_string(id.key) +
           (*good ? std::string() : "; " + std::string(healthcheck::IdErrorText(error)));
  }
  const HealthcheckId* registered = FindHealthcheckId(view, z, bytes.data());
  if (registered == nullptr) return std::string(healthcheck::IdErrorText(error));
  uint8_t body[10] = {};
  std::memcpy(body, registered->settings, sizeof registered->settings);
  *good = healthcheck::UnpackId(body, &id);
  return healthcheck::SettingsText(id.settings) + ", registered";
}

std::vector<std::string> HealthcheckNameLines(const View& view, const HealthcheckName& name) {
  std::vector<std::string> out;
  for (const HealthcheckSource& s : HealthcheckSources(name)) {
    for (uint32_t code = 0; code < s.code_count; code++) {
      const uint32_t answer = HealthcheckAnswers(view, s)[code];
      if (answer == 0) continue;
      std::string line;
      if (s.dimension == kHealthcheckDimensions) {
        line = "always: ";
      } else {
        const auto d = static_cast<healthcheck::Dimension>(s.dimension);
        const healthcheck::Outcome* o = healthcheck::OutcomeOf(d, static_cast<uint8_t>(code));
        line = std::string(healthcheck::DimensionWord(d)) + " " +
               (o != nullptr ? std::string(o->word) : std::to_string(code)) + ": ";
      }
      out.push_back(line + AnswerText(view.healthcheck_answer(answer)));
    }
  }
  return out;
}

}  // namespace mz::image
