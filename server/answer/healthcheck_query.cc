// See healthcheck_query.h, and layout.h for what is stored.
#include "server/answer/healthcheck_query.h"

#include "format/healthcheck/id.h"
#include "format/image/healthcheck_view.h"
#include "server/answer/name_search.h"

namespace mz::answer {
namespace {

constexpr uint16_t kTypeSpf = 99, kTypeDs = 43;

// A key as id.h wants it.
healthcheck::MacKey LoadKey(const image::HealthcheckKey& stored) {
  healthcheck::MacKey key;
  for (int i = 0; i < 8; i++) {
    key.inner[i] = stored.inner[i];
    key.outer[i] = stored.outer[i];
  }
  return key;
}

bool IsFor(uint8_t types, uint16_t qtype) {
  if (types == image::kHealthcheckAllTypes || qtype == dns::kTypeAny) return true;
  switch (types) {
    case image::kHealthcheckTextTypes:
      return qtype == dns::kTypeTxt || qtype == kTypeSpf;
    case image::kHealthcheckMxType:
      return qtype == dns::kTypeMx;
    default:
      // RFC 9156 section 2.1: a resolver that minimises names asks for A (or NS) on its way down; what it finds there
      // must not end its search.
      return qtype != dns::kTypeA && qtype != dns::kTypeAaaa && qtype != dns::kTypeNs && qtype != dns::kTypeSoa &&
             qtype != kTypeDs;
  }
}

class HealthcheckQuery {
 public:
  HealthcheckQuery(Search& search, const image::DatasetRef& ref, uint32_t now_unix)
      : s_(search), ref_(ref), zone_(search.view.healthcheck_zone(ref.map4)), now_unix_(now_unix) {}

  HealthcheckVerdict Run() {
    const unsigned id_label = s_.job.apex - 1u;
    const uint8_t* label = s_.job.Labels(id_label);
    digits_ = reinterpret_cast<const char*>(label + 1);
    if (!ReadSettings(label[0])) return HealthcheckVerdict::kNothing;
    const image::HealthcheckFault& fault = zone_.faults[settings_[healthcheck::kFault]];
    const uint16_t qtype = s_.job.query.qtype;
    const bool faulty = (fault.action != image::kHealthcheckRecords || fault.delay_ms != 0) && IsFor(fault.types, qtype);
    s_.delay_ms = faulty ? uint16_t{fault.delay_ms} : uint16_t{0};
    if (faulty && Fails(fault)) return verdict_;
    const image::NameRecord* r = FindRelative(s_.view, ref_.scope, 0, id_label, &s_.job);
    if (r == nullptr) return HealthcheckVerdict::kNothing;
    if (!(r->flags & image::kNameExact))
      return faulty && fault.action == image::kHealthcheckEntNxdomain ? HealthcheckVerdict::kNothing
                                                                       : HealthcheckVerdict::kExists;
    if (faulty && fault.action == image::kHealthcheckNoAddress && id_label == 0 &&
        (qtype == dns::kTypeA || qtype == dns::kTypeAaaa))
      return HealthcheckVerdict::kExists;
    const image::HealthcheckAnswer* alias = nullptr;
    Serve(s_.view.healthcheck_name(r->a), /*owner=*/0, &alias);
    if (alias != nullptr && verdict_ == HealthcheckVerdict::kExists && s_.rcode == 0) Follow(*alias);
    if (faulty && (fault.action == image::kHealthcheckAppend || fault.action == image::kHealthcheckOversize))
      if (s_.composer.writer().count(dns::kAnswer) != 0) Append(s_.view.healthcheck_answer(fault.answer), 0);
    return verdict_;
  }

 private:
  // From the ID itself, or from the table of registered IDs.
  bool ReadSettings(size_t label_bytes) {
    healthcheck::IdBytes bytes;
    if (healthcheck::ReadIdText({digits_, label_bytes}, &bytes) != healthcheck::IdError::kNone) return false;
    healthcheck::Id id;
    if (Opens(bytes, &id)) {
      if (healthcheck::CheckAge(id, now_unix_, zone_.expiry_minutes) != healthcheck::IdError::kNone) return false;
      settings_ = id.settings;
      return true;
    }
    const image::HealthcheckId* registered = image::FindHealthcheckId(s_.view, zone_, bytes.data());
    if (registered == nullptr) return false;
    uint8_t body[10] = {};
    std::memcpy(body, registered->settings, sizeof registered->settings);
    if (!healthcheck::UnpackId(body, &id)) return false;
    settings_ = id.settings;
    return true;
  }

  bool Opens(const healthcheck::IdBytes& bytes, healthcheck::Id* id) const {
    const uint32_t flags = zone_.flags;
    if (flags & image::kHealthcheckOpaque) {
      healthcheck::IdKeys keys;
      keys.opaque_ids = true;
      for (int k = 0; k < 2; k++) {
        keys.key[k].present = (flags & (k == 0 ? image::kHealthcheckKey0 : image::kHealthcheckKey1)) != 0;
        std::memcpy(keys.key[k].opaque.aes, zone_.keys[k].aes, sizeof zone_.keys[k].aes);
      }
      return healthcheck::OpenId(bytes, keys, id) == healthcheck::IdError::kNone;
    }
    if (!healthcheck::UnpackId(std::span<const uint8_t, 10>(bytes.data(), 10), id)) return false;
    if ((flags & (id->key == 0 ? image::kHealthcheckKey0 : image::kHealthcheckKey1)) == 0) return false;
    return healthcheck::MacMatches(bytes, LoadKey(zone_.keys[id->key]));
  }

  // Faults that leave no answer to look for. True: verdict_ stands.
  bool Fails(const image::HealthcheckFault& fault) {
    switch (fault.action) {
      case image::kHealthcheckFormerrEdns:
        if (!s_.job.query.edns.present) return false;
        s_.effect = Effect::kFormErrEdns;
        return true;
      case image::kHealthcheckTruncate:
        s_.effect = Effect::kTruncate;
        return false;
      case image::kHealthcheckTruncateNoTcp:
        s_.effect = Effect::kTruncateNoTcp;
        return false;
      case image::kHealthcheckWrongCase:
        s_.effect = Effect::kWrongCase;
        return false;
      case image::kHealthcheckOversize:
        s_.effect = Effect::kOversize;
        return false;
      case image::kHealthcheckReplace:
        Append(s_.view.healthcheck_answer(fault.answer), 0);
        return true;
      case image::kHealthcheckLame:
        s_.effect = Effect::kLame;
        AppendAll(s_.view.healthcheck_answer(fault.answer), dns::kAuthority, 0);
        return true;
      case image::kHealthcheckRecords:
      case image::kHealthcheckEntNxdomain:
      case image::kHealthcheckAppend:
      case image::kHealthcheckNoAddress:
        return false;
      default:
        return Acts(fault.action);
    }
  }

  // An action instead of records.
  bool Acts(uint8_t action) {
    switch (action) {
      case image::kHealthcheckServfail:
        s_.rcode = dns::kServFail;
        return true;
      case image::kHealthcheckRefused:
        s_.rcode = dns::kRefused;
        return true;
      case image::kHealthcheckNotimp:
        s_.rcode = dns::kNotImp;
        return true;
      case image::kHealthcheckNxdomain:
        verdict_ = HealthcheckVerdict::kNothing;
        return true;
      case image::kHealthcheckSilence:
        s_.effect = Effect::kSilence;
        return true;
      default:
        return false;
    }
  }

  // What the sources of a name have for the codes of this ID. `owner`: offset of the owner's name in the message, 0 for
  // the question's.
  void Serve(const image::HealthcheckName& name, size_t owner, const image::HealthcheckAnswer** alias) {
    for (const image::HealthcheckSource& source : image::HealthcheckSources(name)) {
      const unsigned code =
          source.dimension < healthcheck::kDimensionCount ? settings_.code[source.dimension] : 0u;
      if (code >= source.code_count) continue;
      const uint32_t offset = image::HealthcheckAnswers(s_.view, source)[code];
      if (offset == 0) continue;
      const image::HealthcheckAnswer& answer = s_.view.healthcheck_answer(offset);
      if (answer.action != image::kHealthcheckRecords) {
        if (IsFor(answer.types, s_.job.query.qtype) && Acts(answer.action)) return;
        continue;
      }
      if (answer.chase != 0 && alias != nullptr) {
        *alias = &answer;
        return;
      }
      Append(answer, owner);
    }
  }

  // RFC 1034 section 4.3.2 step 3a: the alias, and what its target has.
  void Follow(const image::HealthcheckAnswer& alias) {
    const uint8_t* record = AppendAll(alias, dns::kAnswer, 0);
    if (record == nullptr || s_.job.query.qtype == dns::kTypeCname) return;
    // The target's name is the RDATA that was just written; offsets that a pointer cannot reach do not occur so early.
    const size_t target = s_.composer.writer().size() - LoadBe16(record + 10);
    Serve(s_.view.healthcheck_name(alias.chase), target, nullptr);
  }

  // The groups of records whose type is asked.
  void Append(const image::HealthcheckAnswer& answer, size_t owner) {
    const std::span<const uint8_t> records = image::HealthcheckRecords(answer);
    const std::span<const Le16> holes = image::HealthcheckHoles(answer);
    size_t at = 0, hole = 0;
    for (unsigned left = answer.record_count; left > 0;) {
      const uint16_t type = LoadBe16(&records[at + 2]);
      const size_t begin = at;
      unsigned count = 0;
      while (left > 0 && LoadBe16(&records[at + 2]) == type) {
        at += image::kHealthcheckRecordHead + LoadBe16(&records[at + 10]);
        count++;
        left--;
      }
      size_t last_hole = hole;
      while (last_hole < holes.size() && holes[last_hole] < at) last_hole++;
      // An alias answers every type.
      if (s_.composer.Wants(type) || type == dns::kTypeCname) {
        s_.composer.Chose(type);
        Copy(records.subspan(begin, at - begin), begin, holes.subspan(hole, last_hole - hole), count, dns::kAnswer, owner);
      }
      hole = last_hole;
    }
  }

  const uint8_t* AppendAll(const image::HealthcheckAnswer& answer, dns::Section section, size_t owner) {
    return Copy(image::HealthcheckRecords(answer), 0, image::HealthcheckHoles(answer), answer.record_count, section, owner);
  }

  const uint8_t* Copy(std::span<const uint8_t> records, size_t offset, std::span<const Le16> holes, unsigned count,
                      dns::Section section, size_t owner) {
    uint8_t* p = s_.composer.writer().Append(section, records, count);
    if (p == nullptr) {
      s_.composer.writer().MarkOverflow();
      return nullptr;
    }
    for (const Le16& hole : holes) std::memcpy(p + (hole - offset), digits_, healthcheck::kIdDigits);
    if (owner != 0)
      for (size_t at = 0; count > 0; count--) {
        StoreBe16(p + at, static_cast<uint16_t>(0xc000 | owner));
        at += image::kHealthcheckRecordHead + LoadBe16(p + at + 10);
      }
    return p;
  }

  Search& s_;
  const image::DatasetRef& ref_;
  const image::HealthcheckZone& zone_;
  const uint32_t now_unix_;
  const char* digits_ = nullptr;  // of the ID, in lower case
  healthcheck::Settings settings_;
  HealthcheckVerdict verdict_ = HealthcheckVerdict::kExists;
};

}  // namespace

HealthcheckVerdict QueryHealthcheck(Search& search, const image::DatasetRef& ref, uint32_t now_unix) {
  return HealthcheckQuery(search, ref, now_unix).Run();
}

}  // namespace mz::answer
