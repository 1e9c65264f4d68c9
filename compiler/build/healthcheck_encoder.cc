// See healthcheck_encoder.h.
#include "compiler/build/healthcheck_encoder.h"

#include <algorithm>
#include <cstring>

#include "format/dns/name.h"

namespace mz::compiler {

namespace {

constexpr uint16_t kOwnerPointer = 0xc00c;
constexpr uint16_t kClassIn = 1;
constexpr size_t kDigits = image::kHealthcheckIdDigits;

void PutBe16(std::string* out, uint32_t v) {
  out->push_back(static_cast<char>(v >> 8));
  out->push_back(static_cast<char>(v));
}

Status Broken(const char* what) { return MakeStatus(StatusCode::kInternal, std::string("healthcheck zone: ") + what); }

uint32_t DepthBit(std::string_view name) { return 1u << std::min(dns::CountLabels(name), 31); }

void CopyKey(const healthcheck::IdKeys::Key& from, bool opaque, image::HealthcheckKey* to) {
  for (int i = 0; i < 8; i++) {
    to->inner[i] = from.mac.inner[i];
    to->outer[i] = from.mac.outer[i];
  }
  if (opaque) std::memcpy(to->aes, from.opaque.aes, sizeof to->aes);
}

}  // namespace

Status HealthcheckEncoder::Encode(const HealthcheckModel& model, image::DatasetRef* ref) {
  // Answers that are aliases name a name, and names name answers: first all that are none.
  std::vector<uint32_t> answers(model.answers.size()), names(model.names.size());
  for (size_t i = 0; i < answers.size(); i++) {
    if (model.answers[i].chase >= static_cast<int32_t>(names.size())) return Broken("an alias of no name");
    MZ_ASSIGN_OR_RETURN(answers[i], EncodeAnswer(model.answers[i]));
  }
  for (size_t i = 0; i < names.size(); i++) {
    MZ_ASSIGN_OR_RETURN(names[i], EncodeName(model, model.names[i], answers));
    const std::string& name = model.names[i].name;
    ref->exact_depths = ref->exact_depths | DepthBit(name);
    MZ_RETURN_IF_ERROR(names_->Add(ref->scope, name, image::kNameExact, names[i], 0).status());
  }
  for (size_t i = 0; i < answers.size(); i++)
    if (const int32_t chase = model.answers[i].chase; chase >= 0)
      heap_.As<image::HealthcheckAnswer>(answers[i])->chase = names[static_cast<size_t>(chase)];
  return EncodeZone(model, answers, ref);
}

Status HealthcheckEncoder::EncodeZone(const HealthcheckModel& model, const std::vector<uint32_t>& answers,
                                      image::DatasetRef* ref) {
  MZ_ASSIGN_OR_RETURN(const uint32_t offset, heap_.Allocate(sizeof(image::HealthcheckZone)));
  ref->map4 = offset;
  image::HealthcheckZone* z = heap_.As<image::HealthcheckZone>(offset);
  uint32_t flags = model.keys.opaque_ids ? uint32_t{image::kHealthcheckOpaque} : 0u;
  for (int k = 0; k < 2; k++) {
    if (!model.keys.key[k].present) continue;
    flags |= k == 0 ? image::kHealthcheckKey0 : image::kHealthcheckKey1;
    CopyKey(model.keys.key[k], model.keys.opaque_ids, &z->keys[k]);
  }
  z->flags = flags;
  z->expiry_minutes = model.expiry_minutes;
  for (uint32_t code = 0; code < image::kHealthcheckCodes; code++) {
    const HealthcheckFaultModel& from = model.faults[code];
    image::HealthcheckFault& to = z->faults[code];
    to.action = from.action;
    to.types = from.types;
    to.delay_ms = from.delay_ms;
    if (from.answer > answers.size()) return Broken("a fault with no answer");
    if (from.answer != 0) to.answer = answers[from.answer - 1];
  }
  return EncodeRegistered(model, offset);
}

Status HealthcheckEncoder::EncodeRegistered(const HealthcheckModel& model, uint32_t zone) {
  const std::vector<RegisteredId>& ids = model.registered;
  if (ids.empty()) return absl::OkStatus();
  if (ids.size() > UINT32_MAX / 2)
    return MakeStatus(StatusCode::kResourceExhausted, std::to_string(ids.size()) + " registered IDs");
  MZ_ASSIGN_OR_RETURN(const uint32_t list, heap_.Allocate(ids.size() * sizeof(image::HealthcheckId)));
  image::HealthcheckId* to = heap_.As<image::HealthcheckId>(list);
  for (size_t i = 0; i < ids.size(); i++) {
    if (i > 0 && ids[i - 1].id >= ids[i].id) return Broken("registered IDs out of order");
    std::memcpy(to[i].id, ids[i].id.data(), sizeof to[i].id);
    const auto packed = healthcheck::PackId({.settings = ids[i].settings});
    std::memcpy(to[i].settings, packed.data(), sizeof to[i].settings);
  }
  MZ_ASSIGN_OR_RETURN(const uint32_t index, heap_.Allocate(65537 * sizeof(Le32)));
  Le32* begin = heap_.As<Le32>(index);
  uint32_t i = 0;
  for (uint32_t h = 0; h <= 65536; h++) {
    while (i < ids.size() && LoadBe16(ids[i].id.data()) < h) i++;
    begin[h] = i;
  }
  image::HealthcheckZone* z = heap_.As<image::HealthcheckZone>(zone);
  z->registered = list;
  z->registered_count = static_cast<uint32_t>(ids.size());
  z->registered_index = index;
  return absl::OkStatus();
}

StatusOr<uint32_t> HealthcheckEncoder::EncodeAnswer(const HealthcheckAnswerModel& answer) {
  std::string records;
  std::vector<uint16_t> holes;
  const std::string hole(kDigits, kHealthcheckHole), filling(kDigits, '0');
  for (const HealthcheckRecord& r : answer.records) {
    std::string rdata = r.rdata;
    PutBe16(&records, kOwnerPointer);
    PutBe16(&records, r.type);
    PutBe16(&records, kClassIn);
    PutBe16(&records, r.ttl >> 16);
    PutBe16(&records, r.ttl & 0xffff);
    if (rdata.size() > UINT16_MAX) return Broken("a record of more than 65535 octets");
    PutBe16(&records, static_cast<uint32_t>(rdata.size()));
    for (size_t at = rdata.find(hole); at != std::string::npos; at = rdata.find(hole, at)) {
      holes.push_back(static_cast<uint16_t>(records.size() + at));
      rdata.replace(at, kDigits, filling);
    }
    records += rdata;
    if (records.size() > image::kMaxHealthcheckBytes) return Broken("an answer is too long");
  }
  MZ_ASSIGN_OR_RETURN(const uint32_t offset,
                      heap_.Allocate(sizeof(image::HealthcheckAnswer) + 2 * holes.size() + records.size()));
  image::HealthcheckAnswer* a = heap_.As<image::HealthcheckAnswer>(offset);
  a->action = answer.action;
  a->types = answer.types;
  a->record_count = static_cast<uint16_t>(answer.records.size());
  a->bytes = static_cast<uint16_t>(records.size());
  a->hole_count = static_cast<uint16_t>(holes.size());
  auto* at = reinterpret_cast<uint8_t*>(a + 1);
  for (size_t i = 0; i < holes.size(); i++) reinterpret_cast<Le16*>(at)[i] = holes[i];
  std::memcpy(at + 2 * holes.size(), records.data(), records.size());
  return offset;
}

StatusOr<uint32_t> HealthcheckEncoder::EncodeName(const HealthcheckModel& model, const HealthcheckNameModel& name,
                                                  const std::vector<uint32_t>& answers) {
  if (name.sources.size() > image::kMaxHealthcheckSources) return Broken("a name with too many sources");
  std::vector<uint32_t> lists;
  for (const HealthcheckSourceModel& s : name.sources) {
    if (s.answers.empty() || s.answers.size() > image::kHealthcheckCodes) return Broken("a source without codes");
    MZ_ASSIGN_OR_RETURN(const uint32_t list, heap_.Allocate(s.answers.size() * sizeof(Le32)));
    Le32* to = heap_.As<Le32>(list);
    for (size_t code = 0; code < s.answers.size(); code++) {
      if (s.answers[code] > model.answers.size()) return Broken("a source with no answer");
      if (s.answers[code] != 0) to[code] = answers[s.answers[code] - 1];
    }
    lists.push_back(list);
  }
  MZ_ASSIGN_OR_RETURN(const uint32_t offset, heap_.Allocate(sizeof(image::HealthcheckName) +
                                                            lists.size() * sizeof(image::HealthcheckSource)));
  image::HealthcheckName* n = heap_.As<image::HealthcheckName>(offset);
  n->source_count = static_cast<uint16_t>(lists.size());
  auto* to = reinterpret_cast<image::HealthcheckSource*>(n + 1);
  for (size_t i = 0; i < lists.size(); i++) {
    to[i].dimension = name.sources[i].dimension;
    to[i].code_count = static_cast<uint8_t>(name.sources[i].answers.size());
    to[i].answers = lists[i];
  }
  return offset;
}

}  // namespace mz::compiler
