// The healthcheck section of a zone image: zones with their keys and faults, registered IDs, names, answers. See
// verify_internal.h and the description in layout.h.
#include <algorithm>

#include "format/image/healthcheck_view.h"
#include "format/image/verify_internal.h"

namespace mz::image::internal {

namespace {

constexpr uint16_t kOwnerPointer = 0xc00c;
constexpr uint16_t kTypeA = 1, kTypeNs = 2, kTypeCname = 5, kTypeMx = 15, kTypeTxt = 16, kTypeAaaa = 28, kTypeOpt = 41,
                   kTypeSpf = 99;

bool IsMeta(uint16_t type) { return type == 0 || type == kTypeOpt || (type >= 128 && type <= 255); }

bool IsName(std::span<const uint8_t> p) {
  if (p.size() > 255) return false;
  for (size_t i = 0; i < p.size(); i += 1u + p[i]) {
    if (p[i] > 63) return false;
    if (p[i] == 0) return i + 1 == p.size();
  }
  return false;
}

bool IsText(std::span<const uint8_t> p) {
  size_t i = 0;
  while (i < p.size()) i += 1u + p[i];
  return i == p.size() && i != 0;
}

bool RdataFits(uint16_t type, std::span<const uint8_t> rdata) {
  switch (type) {
    case kTypeA:
      return rdata.size() == 4;
    case kTypeAaaa:
      return rdata.size() == 16;
    case kTypeMx:
      return rdata.size() > 2 && IsName(rdata.subspan(2));
    case kTypeNs:
    case kTypeCname:
      return IsName(rdata);
    case kTypeTxt:
    case kTypeSpf:
      return IsText(rdata);
    default:
      return true;
  }
}

}  // namespace

Status Verifier::CheckHealthcheckZone(uint32_t offset, uint64_t place) {
  if (!healthcheck_.Holds(offset, sizeof(HealthcheckZone)))
    return Damaged(kNodes, "a healthcheck zone lies outside the section", place);
  if (healthcheck_zone_seen_.Set(offset)) return {};
  const HealthcheckZone& z = view_.healthcheck_zone(offset);
  auto error = [&](std::string_view what) { return healthcheck_.Error(what, offset); };
  MZ_RETURN_IF_ERROR(healthcheck_.Claim(offset, sizeof(HealthcheckZone), "healthcheck zone"));
  if ((z.flags & ~uint32_t{kHealthcheckZoneKnownFlags}) != 0) return error("unknown flags of a healthcheck zone");
  if (z.reserved != 0) return error("reserved octets of a healthcheck zone are not zero");
  if ((z.flags & (kHealthcheckKey0 | kHealthcheckKey1)) == 0 && z.registered_count == 0)
    return error("a healthcheck zone without keys and IDs");
  for (int k = 0; k < 2; k++) {
    const bool present = (z.flags & (k == 0 ? kHealthcheckKey0 : kHealthcheckKey1)) != 0;
    if (!present && !AllZero(reinterpret_cast<const uint8_t*>(&z.keys[k]), sizeof(HealthcheckKey)))
      return error("a key that a healthcheck zone does not have");
    if ((z.flags & kHealthcheckOpaque) == 0 && !AllZero(z.keys[k].aes, sizeof z.keys[k].aes))
      return error("a cipher key in a healthcheck zone without opaque IDs");
  }
  for (uint32_t code = 0; code < kHealthcheckCodes; code++) {
    const HealthcheckFault& f = z.faults[code];
    if (code == 0 && !AllZero(reinterpret_cast<const uint8_t*>(&f), sizeof f)) return error("fault 0 is not empty");
    if (f.action > kHealthcheckActionLast || f.types > kHealthcheckTypesLast || f.delay_ms > kMaxHealthcheckDelayMs)
      return error("impossible fault of a healthcheck zone");
    const bool has_records = f.action == kHealthcheckReplace || f.action == kHealthcheckAppend ||
                             f.action == kHealthcheckOversize || f.action == kHealthcheckLame;
    if (has_records != (f.answer != 0)) return error("impossible fault of a healthcheck zone");
    if (f.answer != 0) MZ_RETURN_IF_ERROR(CheckHealthcheckAnswer(f.answer, AnswerUse::kFault));
  }
  return CheckRegistered(z, offset);
}

Status Verifier::CheckRegistered(const HealthcheckZone& z, uint64_t offset) {
  if ((z.registered == 0) != (z.registered_count == 0) || (z.registered_index == 0) != (z.registered_count == 0))
    return healthcheck_.Error("wrong registered IDs", offset);
  if (z.registered_count == 0) return {};
  MZ_RETURN_IF_ERROR(
      healthcheck_.Claim(z.registered, uint64_t{z.registered_count} * sizeof(HealthcheckId), "registered IDs"));
  MZ_RETURN_IF_ERROR(healthcheck_.Claim(z.registered_index, 65537 * sizeof(Le32), "index of registered IDs"));
  const std::span<const HealthcheckId> ids = HealthcheckRegistered(view_, z);
  const Le32* index = reinterpret_cast<const Le32*>(healthcheck_.at(z.registered_index));
  uint32_t h = 0;  // index[0..h] have been seen
  if (index[0] != 0) return healthcheck_.Error("wrong index of registered IDs", z.registered_index);
  for (uint32_t i = 0; i < ids.size(); i++) {
    if (!AllZero(ids[i].reserved, sizeof ids[i].reserved))
      return healthcheck_.Error("reserved octets of a registered ID are not zero", z.registered);
    if ((ids[i].settings[0] & 0xf0) != 0) return healthcheck_.Error("impossible settings of an ID", z.registered);
    if (i > 0 && std::memcmp(ids[i - 1].id, ids[i].id, sizeof ids[i].id) >= 0)
      return healthcheck_.Error("registered IDs out of order", z.registered);
    for (const uint32_t begin = LoadBe16(ids[i].id); h < begin;)
      if (index[++h] != i) return healthcheck_.Error("wrong index of registered IDs", z.registered_index);
  }
  while (h < 65536)
    if (index[++h] != ids.size()) return healthcheck_.Error("wrong index of registered IDs", z.registered_index);
  return {};
}

Status Verifier::CheckHealthcheckName(uint32_t offset) {
  std::lock_guard lock(healthcheck_mutex_);
  return CheckHealthcheckSources(offset, /*may_chase=*/true);
}

// A name is asked for itself, and perhaps at the end of an alias: then none of its answers may be one.
Status Verifier::CheckHealthcheckSources(uint32_t offset, bool may_chase) {
  if (!healthcheck_.Holds(offset, sizeof(HealthcheckName)))
    return healthcheck_.Error("a healthcheck name lies outside the section", offset);
  const HealthcheckName& n = view_.healthcheck_name(offset);
  if (!healthcheck_name_seen_.Set(offset)) {
    if (n.source_count > kMaxHealthcheckSources)
      return healthcheck_.Error("too many sources of a healthcheck name", offset);
    MZ_RETURN_IF_ERROR(healthcheck_.Claim(
        offset, sizeof(HealthcheckName) + n.source_count * sizeof(HealthcheckSource), "healthcheck name"));
    for (const Le16& r : n.reserved)
      if (r != 0) return healthcheck_.Error("reserved octets of a healthcheck name are not zero", offset);
    for (const HealthcheckSource& s : HealthcheckSources(n)) {
      if (s.dimension > kHealthcheckDimensions || s.code_count == 0 || s.code_count > kHealthcheckCodes ||
          s.reserved != 0)
        return healthcheck_.Error("impossible source of a healthcheck name", offset);
      if (!healthcheck_.Holds(s.answers, s.code_count * sizeof(Le32)) || healthcheck_list_seen_.Set(s.answers))
        return healthcheck_.Error("answers of a healthcheck name outside the section or used twice", offset);
      MZ_RETURN_IF_ERROR(healthcheck_.Claim(s.answers, s.code_count * sizeof(Le32), "answers of a healthcheck name"));
    }
  } else if (!may_chase && n.source_count > kMaxHealthcheckSources) {
    return healthcheck_.Error("too many sources of a healthcheck name", offset);
  }
  for (const HealthcheckSource& s : HealthcheckSources(n))
    for (uint32_t code = 0; code < s.code_count; code++)
      if (const uint32_t answer = HealthcheckAnswers(view_, s)[code]; answer != 0)
        MZ_RETURN_IF_ERROR(CheckHealthcheckAnswer(answer, may_chase ? AnswerUse::kSource : AnswerUse::kChased));
  return {};
}

Status Verifier::CheckHealthcheckAnswer(uint32_t offset, AnswerUse use) {
  if (!healthcheck_.Holds(offset, sizeof(HealthcheckAnswer)))
    return healthcheck_.Error("a healthcheck answer lies outside the section", offset);
  const HealthcheckAnswer& a = view_.healthcheck_answer(offset);
  auto error = [&](std::string_view what) { return healthcheck_.Error(what, offset); };
  if (use != AnswerUse::kSource && a.chase != 0) return error("an alias that leads to another");
  if (use == AnswerUse::kFault && a.record_count == 0) return error("a fault without records");
  if (healthcheck_answer_seen_.Set(offset)) return {};
  if (a.action > kHealthcheckSilence || a.types > kHealthcheckTypesLast || a.reserved != 0)
    return error("impossible healthcheck answer");
  if (a.bytes > kMaxHealthcheckBytes || (a.record_count == 0) != (a.bytes == 0) ||
      (a.action == kHealthcheckRecords) != (a.record_count != 0) ||
      (a.action == kHealthcheckRecords && a.types != kHealthcheckAllTypes) ||
      (a.record_count == 0 && (a.hole_count != 0 || a.chase != 0)))
    return error("records of a healthcheck answer do not match its action");
  MZ_RETURN_IF_ERROR(healthcheck_.Claim(offset, HealthcheckAnswerBytes(a), "healthcheck answer"));
  if (a.record_count != 0) MZ_RETURN_IF_ERROR(CheckHealthcheckRecords(a, offset));
  // One level deep: what an alias leads to has none.
  return a.chase == 0 ? Status() : CheckHealthcheckSources(a.chase, /*may_chase=*/false);
}

Status Verifier::CheckHealthcheckRecords(const HealthcheckAnswer& a, uint64_t offset) {
  auto error = [&](std::string_view what) { return healthcheck_.Error(what, offset); };
  const std::span<const uint8_t> records = HealthcheckRecords(a);
  std::span<const Le16> holes = HealthcheckHoles(a);
  std::vector<uint16_t> types;
  size_t at = 0;
  for (uint32_t i = 0; i < a.record_count; i++) {
    if (records.size() - at < kHealthcheckRecordHead) return error("record outside its answer");
    const uint8_t* head = &records[at];
    const uint16_t type = LoadBe16(head + 2);
    const size_t rdlength = LoadBe16(head + 10);
    at += kHealthcheckRecordHead;
    if (records.size() - at < rdlength) return error("record outside its answer");
    if (LoadBe16(head) != kOwnerPointer || IsMeta(type) || LoadBe16(head + 4) != 1)
      return error("record of an impossible owner, type or class");
    if (!RdataFits(type, records.subspan(at, rdlength))) return error("malformed record data");
    if (types.empty() || types.back() != type) types.push_back(type);
    const size_t end = at + rdlength;
    while (!holes.empty() && holes[0] < end) {
      const size_t hole = holes[0];
      if (hole < at || hole + kHealthcheckIdDigits > end) return error("a hole outside the record data");
      // What stands there is as long as what will be there, and never a length octet of a name or text.
      for (size_t k = hole; k < hole + kHealthcheckIdDigits; k++)
        if (records[k] != '0') return error("a hole that is not filled with zeros");
      at = hole + kHealthcheckIdDigits;
      holes = holes.subspan(1);
    }
    at = end;
  }
  if (at != records.size() || !holes.empty()) return error("octets behind the last record");
  if (a.chase != 0 && (a.record_count != 1 || types[0] != kTypeCname)) return error("an alias that is no CNAME");
  std::sort(types.begin(), types.end());
  if (std::adjacent_find(types.begin(), types.end()) != types.end()) return error("records are not grouped by type");
  return {};
}

}  // namespace mz::image::internal
