// Damage of the healthcheck section; see bad_images.h.
#include <cstdlib>
#include <cstring>

#include "format/image/healthcheck_view.h"
#include "tests/format/image/bad_images.h"

namespace mz::image {

namespace {

using Edit = std::function<void(ImageEditor&)>;

DatasetRef& Ref(ImageEditor& e) {
  return e.Edit(Datasets(e.view().node(e.view().zones()[0].node))[0]);
}
HealthcheckZone& Zone(ImageEditor& e) { return e.Edit(e.view().healthcheck_zone(Ref(e).map4)); }

// The record of a name below an ID, of which the sample has "", "c" and "_dmarc".
NameRecord& Record(ImageEditor& e, std::string_view wire) {
  const uint32_t scope = Ref(e).scope;
  const auto* buckets = reinterpret_cast<const Bucket*>(e.Section(kBuckets));
  for (uint32_t b = 0; b < e.view().bucket_count(); b++)
    for (int i = 0; i < kBucketSlots && buckets[b].tag[i] != 0; i++) {
      const NameRecord& r = e.view().name(buckets[b].record[i]);
      const std::span<const uint8_t> bytes = NameBytes(r);
      if (r.scope == scope && (r.flags & kNameExact) && bytes.size() == wire.size() &&
          std::memcmp(bytes.data(), wire.data(), wire.size()) == 0)
        return e.Edit(r);
    }
  std::abort();
}
HealthcheckName& Name(ImageEditor& e, std::string_view wire) {
  return e.Edit(e.view().healthcheck_name(Record(e, wire).a));
}
HealthcheckSource& Source(ImageEditor& e, std::string_view wire, size_t i) {
  return e.Edit(HealthcheckSources(Name(e, wire))[i]);
}
Le32& Offset(ImageEditor& e, std::string_view wire, size_t source, uint32_t code) {
  return e.Edit(HealthcheckAnswers(e.view(), Source(e, wire, source))[code]);
}
HealthcheckAnswer& Answer(ImageEditor& e, std::string_view wire, size_t source, uint32_t code) {
  return e.Edit(e.view().healthcheck_answer(Offset(e, wire, source, code)));
}
uint8_t* Records(const HealthcheckAnswer& a) { return const_cast<uint8_t*>(HealthcheckRecords(a).data()); }
HealthcheckId* Ids(ImageEditor& e) {
  return const_cast<HealthcheckId*>(HealthcheckRegistered(e.view(), Zone(e)).data());
}

constexpr std::string_view kDmarcName = "\x06_dmarc", kAliasTarget = "\x01" "c";

}  // namespace

std::vector<BadImage> HealthcheckDamage() {
  std::vector<BadImage> out;
  auto add_to = [&](const char* sample, std::string name, std::string reason, Edit edit) {
    auto make = [edit = std::move(edit)](Bytes image) {
      ImageEditor editor(std::move(image));
      edit(editor);
      return editor.Finish();
    };
    out.push_back({std::move(name), sample, make, std::move(reason), std::strcmp(sample, "healthcheck") == 0});
  };
  auto add = [&](std::string name, std::string reason, Edit edit) {
    add_to("healthcheck", std::move(name), std::move(reason), std::move(edit));
  };
  add("hc-zone-outside", "a healthcheck zone lies outside", [](ImageEditor& e) { Ref(e).map4 = 0xffffffu; });
  add("hc-zone-none", "a healthcheck zone lies outside", [](ImageEditor& e) { Ref(e).map4 = 0u; });
  add("hc-zone-flags", "unknown flags of a healthcheck zone", [](ImageEditor& e) { Zone(e).flags = 0x81u; });
  add("hc-zone-reserved", "reserved octets of a healthcheck zone", [](ImageEditor& e) { Zone(e).reserved = 1u; });
  add("hc-zone-no-keys", "without keys and IDs", [](ImageEditor& e) { Zone(e).flags = 0u; });
  add("hc-key-absent", "a key that a healthcheck zone does not have", [](ImageEditor& e) { Zone(e).keys[1].inner[3] = 1u; });
  add("hc-key-cipher", "a cipher key", [](ImageEditor& e) { Zone(e).keys[0].aes[31] = 1; });
  add("hc-fault-0", "fault 0 is not empty", [](ImageEditor& e) { Zone(e).faults[0].action = 1; });
  add("hc-fault-action", "impossible fault", [](ImageEditor& e) { Zone(e).faults[1].action = kHealthcheckActionLast + 1; });
  add("hc-fault-types", "impossible fault", [](ImageEditor& e) { Zone(e).faults[1].types = kHealthcheckTypesLast + 1; });
  add("hc-fault-delay", "impossible fault",
      [](ImageEditor& e) { Zone(e).faults[1].delay_ms = static_cast<uint16_t>(kMaxHealthcheckDelayMs + 1); });
  add("hc-fault-answer-none", "impossible fault", [](ImageEditor& e) { Zone(e).faults[2].answer = 0u; });
  add("hc-fault-answer-outside", "a healthcheck answer lies outside",
      [](ImageEditor& e) { Zone(e).faults[2].answer = 0xffffffu; });
  add("hc-fault-answer-alias", "an alias that leads to another",
      [](ImageEditor& e) { Zone(e).faults[2].answer = Offset(e, "", 0, 2); });
  add("hc-name-outside", "a healthcheck name lies outside", [](ImageEditor& e) { Record(e, kDmarcName).a = 0xffffffu; });
  add("hc-name-sources", "too many sources",
      [](ImageEditor& e) { Name(e, kDmarcName).source_count = static_cast<uint16_t>(9); });
  add("hc-name-reserved", "reserved octets of a healthcheck name",
      [](ImageEditor& e) { Name(e, kDmarcName).reserved[1] = static_cast<uint16_t>(1); });
  add("hc-source-dimension", "impossible source", [](ImageEditor& e) { Source(e, kDmarcName, 0).dimension = 11; });
  add("hc-source-codes", "impossible source", [](ImageEditor& e) { Source(e, kDmarcName, 0).code_count = 33; });
  add("hc-source-codes-none", "impossible source", [](ImageEditor& e) { Source(e, kDmarcName, 0).code_count = 0; });
  add("hc-source-outside", "outside the section or used twice",
      [](ImageEditor& e) { Source(e, kDmarcName, 0).answers = 0xffffffu; });
  add("hc-source-twice", "outside the section or used twice",
      [](ImageEditor& e) { Source(e, kDmarcName, 0).answers = uint32_t{Source(e, "", 0).answers}; });
  add("hc-answer-outside", "a healthcheck answer lies outside",
      [](ImageEditor& e) { Offset(e, kDmarcName, 0, 1) = 0xffffffu; });
  add("hc-answer-action", "impossible healthcheck answer",
      [](ImageEditor& e) { Answer(e, kDmarcName, 0, 1).action = kHealthcheckSilence + 1; });
  add("hc-answer-types", "impossible healthcheck answer",
      [](ImageEditor& e) { Answer(e, kDmarcName, 0, 1).types = kHealthcheckTypesLast + 1; });
  add("hc-answer-both", "do not match its action",
      [](ImageEditor& e) { Answer(e, kDmarcName, 0, 1).action = kHealthcheckServfail; });
  add("hc-answer-bytes", "do not match its action",
      [](ImageEditor& e) { Answer(e, kDmarcName, 0, 1).bytes = static_cast<uint16_t>(0xffff); });
  add("hc-answer-count", "record outside its answer",
      [](ImageEditor& e) { Answer(e, kDmarcName, 0, 1).record_count = static_cast<uint16_t>(3); });
  add("hc-answer-hole-count", "healthcheck",
      [](ImageEditor& e) { Answer(e, kDmarcName, 0, 1).hole_count = static_cast<uint16_t>(500); });
  add("hc-hole-outside", "a hole outside", [](ImageEditor& e) {
    HealthcheckAnswer& a = Answer(e, kDmarcName, 0, 1);
    const_cast<Le16&>(HealthcheckHoles(a)[0]) = static_cast<uint16_t>(a.bytes - 5);
  });
  add("hc-hole-head", "a hole outside",
      [](ImageEditor& e) { const_cast<Le16&>(HealthcheckHoles(Answer(e, kDmarcName, 0, 1))[0]) = static_cast<uint16_t>(3); });
  add("hc-hole-filling", "not filled with zeros", [](ImageEditor& e) {
    HealthcheckAnswer& a = Answer(e, kDmarcName, 0, 1);
    Records(a)[HealthcheckHoles(a)[0] + 7] = 'x';
  });
  add("hc-record-owner", "impossible owner", [](ImageEditor& e) { Records(Answer(e, kDmarcName, 0, 1))[1] = 0x0d; });
  add("hc-record-type", "impossible owner", [](ImageEditor& e) { Records(Answer(e, kDmarcName, 0, 1))[3] = 41; });
  add("hc-record-class", "impossible owner", [](ImageEditor& e) { Records(Answer(e, kDmarcName, 0, 1))[5] = 3; });
  add("hc-record-rdlength", "record outside its answer", [](ImageEditor& e) { Records(Answer(e, kDmarcName, 0, 1))[10] = 9; });
  add("hc-record-string", "malformed record data", [](ImageEditor& e) { Records(Answer(e, kDmarcName, 0, 1))[12] = 200; });
  add("hc-alias-outside", "a healthcheck name lies outside", [](ImageEditor& e) { Answer(e, "", 0, 2).chase = 0xffffffu; });
  add("hc-alias-type", "an alias that is no CNAME", [](ImageEditor& e) { Answer(e, kDmarcName, 0, 1).chase = Record(e, kAliasTarget).a; });
  add("hc-alias-loop", "an alias that leads to another", [](ImageEditor& e) { Answer(e, "", 0, 2).chase = Record(e, "").a; });
  add("hc-with-list", "healthcheck among other datasets", [](ImageEditor& e) {
    e.Edit(Datasets(e.view().node(e.view().zones()[0].node))[1]).kind = kDnset;
  });
  auto registered = [&](std::string name, std::string reason, Edit edit) {
    add_to("healthcheck-registered", std::move(name), std::move(reason), std::move(edit));
  };
  registered("hc-ids-outside", "registered IDs: outside", [](ImageEditor& e) { Zone(e).registered = 0xffffffu; });
  registered("hc-ids-none", "wrong registered IDs", [](ImageEditor& e) { Zone(e).registered = 0u; });
  registered("hc-ids-count", "index of registered IDs", [](ImageEditor& e) { Zone(e).registered_count = 2u; });
  registered("hc-ids-order", "out of order", [](ImageEditor& e) { std::swap(Ids(e)[0], Ids(e)[1]); });
  registered("hc-ids-twice", "out of order", [](ImageEditor& e) { Ids(e)[1] = Ids(e)[0]; });
  registered("hc-ids-settings", "impossible settings", [](ImageEditor& e) { Ids(e)[0].settings[0] = 0x20; });
  registered("hc-ids-reserved", "reserved octets of a registered ID", [](ImageEditor& e) { Ids(e)[2].reserved[2] = 1; });
  registered("hc-ids-index", "wrong index", [](ImageEditor& e) {
    reinterpret_cast<Le32*>(e.Section(kHealthcheckData) + size_t{Zone(e).registered_index} * 8)[0x1235] = 0u;
  });
  registered("hc-ids-index-first", "wrong index", [](ImageEditor& e) {
    reinterpret_cast<Le32*>(e.Section(kHealthcheckData) + size_t{Zone(e).registered_index} * 8)[0] = 1u;
  });
  registered("hc-ids-index-last", "wrong index", [](ImageEditor& e) {
    reinterpret_cast<Le32*>(e.Section(kHealthcheckData) + size_t{Zone(e).registered_index} * 8)[65536] = 4u;
  });
  return out;
}

}  // namespace mz::image
