// See spf_encoder.h.
#include "compiler/build/spf_encoder.h"

#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <set>
#include <type_traits>

#include "format/dns/name.h"

namespace mz::compiler {

namespace {

// Sets of no more prefixes than this are written out wherever they are used. An IPv4 prefix is as small as a reference; an
// IPv6 prefix is not (measured: 264 octets a domain against 112 with four providers of two IPv6 prefixes each).
template <typename Address>
constexpr int kSmallPrefixes = sizeof(Address) == 16 ? 0 : 2;
// Neighbouring sets of one domain alone are written out up to this many prefixes, else they become a map.
template <typename Address>
constexpr int kInlinePrefixes = sizeof(Address) == 16 ? 8 : 16;

static_assert(static_cast<int>(SpfOutcome::kDynamic) == image::kSpfDynamic);
static_assert(static_cast<int>(SpfUnknown::kRefuse) == image::kSpfUnknownRefuse);
static_assert(static_cast<int>(kSpfClasses) == image::kSpfClassLabels &&
              +kSpfClassNotPass == +image::kSpfAsksNotPass);
static_assert(+SpfLayoutPart::kLiteral == +image::kSpfLiteral && +SpfLayoutPart::kAddress == +image::kSpfAddress &&
              +SpfLayoutPart::kAddressReversed == +image::kSpfAddressReversed &&
              +SpfLayoutPart::kFamily == +image::kSpfFamily && +SpfLayoutPart::kDomain == +image::kSpfDomainPart &&
              +SpfLayoutPart::kIgnored == +image::kSpfIgnored && +SpfLayoutPart::kClass == +image::kSpfClassPart);

Status Broken(std::string_view what) {
  return MakeStatus(StatusCode::kInternal, "SPF zone: " + std::string(what));
}

net::Range4 PrefixRange(net::Ip4 a, int length) { return net::PrefixRange4(a, length); }
net::Range6 PrefixRange(const net::Ip6& a, int length) { return net::PrefixRange6(a, length); }

// Calls visit(address, length) for the fewest prefixes that make up the ranges; visit returns false to stop.
template <typename Address, typename Visit>
bool ForEachPrefix(const std::vector<typename AddressFamily<Address>::Range>& ranges, Visit visit) {
  using Family = AddressFamily<Address>;
  for (const auto& range : ranges) {
    for (Address at = range.first;;) {
      int length = Family::kBits;
      while (length > 0) {
        const auto larger = PrefixRange(at, length - 1);
        if (larger.first != at || larger.last > range.last) break;
        length--;
      }
      if (!visit(at, length)) return false;
      const Address last = PrefixRange(at, length).last;
      if (last == range.last) break;
      at = Family::Next(last);
    }
  }
  return true;
}

// The number of prefixes, or `limit` + 1.
template <typename Address>
int CountPrefixes(const std::vector<typename AddressFamily<Address>::Range>& ranges, int limit) {
  if (ranges.size() > static_cast<size_t>(limit)) return limit + 1;
  int n = 0;
  ForEachPrefix<Address>(ranges, [&](const Address&, int) { return ++n <= limit; });
  return n;
}

// What the first of several sets says, as the intervals of a map: 0 where none does.
template <typename Address>
class Painter {
 public:
  using Family = AddressFamily<Address>;
  void Add(const std::vector<typename Family::Range>& ranges, uint32_t program) {
    const auto order = static_cast<uint32_t>(programs_.size());
    programs_.push_back(program);
    for (const auto& r : ranges) {
      events_.push_back({r.first, order, true});
      if (!Family::IsLast(r.last)) events_.push_back({Family::Next(r.last), order, false});
    }
  }
  std::vector<typename Family::Interval> Paint() {
    std::sort(events_.begin(), events_.end(), [](const Event& x, const Event& y) {
      return x.at != y.at ? x.at < y.at : x.begins != y.begins ? x.begins < y.begins : x.order < y.order;
    });
    std::vector<typename Family::Interval> out{{Address{}, 0}};
    std::set<uint32_t> active;
    for (size_t i = 0; i < events_.size();) {
      const Address at = events_[i].at;
      for (; i < events_.size() && events_[i].at == at; i++) {
        if (events_[i].begins) {
          active.insert(events_[i].order);
        } else {
          active.erase(events_[i].order);
        }
      }
      const uint32_t program = active.empty() ? 0 : programs_[*active.begin()];
      if (out.back().start == at) {
        out.back().result = program;
      } else if (out.back().result != program) {
        out.push_back({at, program});
      }
    }
    return out;
  }

 private:
  struct Event {
    Address at;
    uint32_t order;
    bool begins;
  };
  std::vector<uint32_t> programs_;
  std::vector<Event> events_;
};

void AppendWord(uint32_t word, std::string* out) {
  const Le32 le(word);
  out->append(reinterpret_cast<const char*>(&le), sizeof le);
}

}  // namespace

SpfEncoder::SpfEncoder(ValueEncoder* values, MapBuilder* maps, NameIndexBuilder* names, ClassLimits limits)
    : values_(values), maps_(maps), names_(names), limits_(limits) {
  programs_.resize(1);
  std::memset(static_cast<void*>(programs_.data()), 0, sizeof(image::SpfProgram));
}

Status SpfEncoder::Collect(const SpfModel& model) {
  if (!any_) MZ_RETURN_IF_ERROR(heap_.Allocate(sizeof(image::SpfHeader)).status());  // offset 1
  any_ = true;
  auto [it, inserted] = refs_.try_emplace(&model);
  if (!inserted) return absl::OkStatus();
  SetRefs& refs = it->second;
  MZ_RETURN_IF_ERROR(CollectSets(model.sets4, &four_, &refs.four));
  MZ_RETURN_IF_ERROR(CollectSets(model.sets6, &six_, &refs.six));
  for (const SpfDomain& d : model.domains) {
    for (const SpfEntry& e : d.entries4) {
      if (e.set >= refs.four.size() || e.program >= model.programs.size()) return Broken("an entry of nothing");
      if (refs.four[e.set] != kSmall) four_.sets[refs.four[e.set]].users++;
    }
    for (const SpfEntry& e : d.entries6) {
      if (e.set >= refs.six.size() || e.program >= model.programs.size()) return Broken("an entry of nothing");
      if (refs.six[e.set] != kSmall) six_.sets[refs.six[e.set]].users++;
    }
    if (!d.no_data && (d.default4 >= model.programs.size() || d.default6 >= model.programs.size()))
      return Broken("a default that is no program");
  }
  return absl::OkStatus();
}

template <typename Address>
Status SpfEncoder::CollectSets(const std::vector<std::vector<typename AddressFamily<Address>::Range>>& sets,
                               Family<Address>* family, std::vector<uint32_t>* refs) {
  refs->reserve(sets.size());
  for (const auto& set : sets) {
    for (size_t i = 0; i < set.size(); i++) {
      const bool apart = i == 0 || (!AddressFamily<Address>::IsLast(set[i - 1].last) &&
                                    AddressFamily<Address>::Next(set[i - 1].last) < set[i].first);
      if (set[i].last < set[i].first || !apart) return Broken("ranges of a set out of order");
    }
    if (CountPrefixes<Address>(set, kSmallPrefixes<Address>) <= kSmallPrefixes<Address>) {
      refs->push_back(kSmall);
      continue;
    }
    static_assert(std::has_unique_object_representations_v<typename AddressFamily<Address>::Range>);
    uint64_t hash = XXH3_64bits(set.data(), set.size() * sizeof(set[0]));
    for (;; hash++) {
      auto [it, inserted] = family->by_hash.try_emplace(hash, static_cast<uint32_t>(family->sets.size()));
      if (inserted) family->sets.push_back({&set, 0});
      if (inserted || *family->sets[it->second].ranges == set) {
        refs->push_back(it->second);
        break;
      }
    }
  }
  return absl::OkStatus();
}

Status SpfEncoder::BuildShared() {
  if (!any_) return absl::OkStatus();
  four_.by_hash = {};
  six_.by_hash = {};
  MZ_RETURN_IF_ERROR(BuildSharedFamily(&four_));
  return BuildSharedFamily(&six_);
}

template <typename Address>
Status SpfEncoder::BuildSharedFamily(Family<Address>* family) {
  std::vector<SharedSet<Address>> candidates;
  std::vector<uint32_t> index;
  for (uint32_t i = 0; i < family->sets.size(); i++) {
    if (family->sets[i].users < 2) continue;
    candidates.push_back(family->sets[i]);
    index.push_back(i);
  }
  ClassTable<Address> table = BuildClasses<Address>(candidates, limits_);
  family->shared_id.assign(family->sets.size(), 0);
  for (size_t i = 0; i < index.size(); i++) family->shared_id[index[i]] = table.set_ids[i];
  family->set_count = table.set_count;
  if (table.words.empty()) return absl::OkStatus();
  family->class_words = static_cast<uint32_t>(table.words.size());
  MZ_ASSIGN_OR_RETURN(family->classes, heap_.Allocate(table.words.size() * sizeof(Le32)));
  Le32* words = heap_.As<Le32>(family->classes);
  for (size_t i = 0; i < table.words.size(); i++) words[i] = table.words[i];
  family->intervals.push_back(std::move(table.intervals));
  const auto intervals = std::span(std::as_const(family->intervals.back()));
  MZ_ASSIGN_OR_RETURN(family->class_map, maps_->AddIds(intervals, MapIds::kSpfClasses, family->class_words));
  return absl::OkStatus();
}

Status SpfEncoder::EncodeLayouts(const SpfModel& model, std::string* counts, std::string* parts,
                                 std::string* labels) {
  if (model.layouts.empty() || model.layouts.size() > image::kMaxSpfLayouts)
    return Broken(std::to_string(model.layouts.size()) + " layouts");
  for (const SpfLayout& layout : model.layouts) {
    if (layout.empty() || layout.size() > image::kMaxSpfParts) return Broken("a layout of too many parts");
    counts->push_back(static_cast<char>(layout.size()));
    int addresses = 0, domains = 0, classes = 0;
    bool variable = false;
    for (const SpfLayoutPart& p : layout) {
      const bool was_variable = variable;
      variable = p.kind == SpfLayoutPart::kDomain || p.kind == SpfLayoutPart::kIgnored;
      if (was_variable && variable) return Broken("a layout with nothing between two names");
      addresses += p.kind == SpfLayoutPart::kAddress || p.kind == SpfLayoutPart::kAddressReversed;
      domains += p.kind == SpfLayoutPart::kDomain;
      classes += p.kind == SpfLayoutPart::kClass;
      if (addresses > 1 || domains > 1 || classes > 1) return Broken("a layout with a part twice");
      image::SpfPart out;
      out.kind = static_cast<uint8_t>(p.kind);
      const bool literal = p.kind == SpfLayoutPart::kLiteral;
      if (literal && (p.label.empty() || p.label.size() > 63))
        return Broken("a label of a layout is too long or empty");
      out.label_bytes = literal ? static_cast<uint8_t>(p.label.size()) : uint8_t{0};
      out.label = literal ? static_cast<uint16_t>(labels->size()) : uint16_t{0};
      if (literal)
        for (const char c : p.label) labels->push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c);
      parts->append(reinterpret_cast<const char*>(&out), sizeof out);
    }
  }
  return absl::OkStatus();
}

Status SpfEncoder::EncodeZone(const SpfModel& model, image::DatasetRef* ref) {
  std::string counts, parts, labels;
  MZ_RETURN_IF_ERROR(EncodeLayouts(model, &counts, &parts, &labels));
  image::SpfZone z;
  std::memset(static_cast<void*>(&z), 0, sizeof z);
  if (model.unknown_domain == SpfUnknown::kText) {
    if (model.unknown_text == 0) return Broken("no text for unknown domains");
    z.unknown_text = values_->UseSpfText(model.unknown_text);
  }
  z.no_data_text = values_->UseSpfText(model.no_data_text);
  z.flags = model.answers_a ? image::kSpfAnswersA : 0;
  z.unknown = static_cast<uint8_t>(model.unknown_domain);
  z.layout_count = static_cast<uint8_t>(counts.size());
  z.part_count = static_cast<uint16_t>(parts.size() / sizeof(image::SpfPart));
  z.label_bytes = static_cast<uint16_t>(labels.size());
  const std::string tail = counts + parts + labels;
  MZ_ASSIGN_OR_RETURN(uint32_t offset, heap_.Allocate(sizeof z + tail.size()));
  std::memcpy(heap_.At(offset), &z, sizeof z);
  std::memcpy(heap_.At(offset) + sizeof z, tail.data(), tail.size());
  ref->map4 = offset;
  return absl::OkStatus();
}

StatusOr<uint32_t> SpfEncoder::EncodeProgram(const SpfProgram& program) {
  image::SpfProgram out;
  std::memset(static_cast<void*>(&out), 0, sizeof out);
  out.outcome = static_cast<uint8_t>(program.outcome);
  if (program.helpers.size() > 255) return Broken("a program with more than 255 helpers");
  out.helper_count = static_cast<uint8_t>(program.helpers.size());
  out.text = values_->UseSpfText(program.text);
  out.explanation = values_->UseSpfText(program.explanation);
  for (uint32_t i = 0; i < image::kSpfClassLabels; i++)
    out.class_text[i] = values_->UseSpfText(program.class_text[i]);
  std::vector<image::SpfHelperRecord> helpers;
  for (const SpfHelper& h : program.helpers) {
    if (h.label.empty() || h.label.size() > 4)
      return Broken("a helper label of " + std::to_string(h.label.size()) + " octets");
    image::SpfHelperRecord record{};
    std::memcpy(record.label, h.label.data(), h.label.size());
    record.text = values_->UseSpfText(h.text);
    helpers.push_back(record);
  }
  std::sort(helpers.begin(), helpers.end(),
            [](const auto& x, const auto& y) { return std::memcmp(x.label, y.label, 4) < 0; });
  const size_t helper_bytes = helpers.size() * sizeof(image::SpfHelperRecord);
  std::string content(reinterpret_cast<const char*>(&out), sizeof out);
  if (helper_bytes != 0) content.append(reinterpret_cast<const char*>(helpers.data()), helper_bytes);
  auto [it, inserted] = program_ids_.try_emplace(std::move(content), static_cast<uint32_t>(programs_.size()));
  if (!inserted) return it->second;
  if (helper_bytes != 0) {
    MZ_ASSIGN_OR_RETURN(uint32_t at, heap_.Allocate(helper_bytes));
    std::memcpy(heap_.At(at), helpers.data(), helper_bytes);
    out.helpers = at;
  }
  programs_.push_back(out);
  return it->second;
}

Status SpfEncoder::Encode(const SpfModel& model, image::DatasetRef* ref) {
  auto refs = refs_.find(&model);
  if (refs == refs_.end()) return Broken("a model that was not collected");
  MZ_RETURN_IF_ERROR(EncodeZone(model, ref));
  program_id_.clear();
  for (const SpfProgram& p : model.programs) {
    MZ_ASSIGN_OR_RETURN(uint32_t id, EncodeProgram(p));
    program_id_.push_back(id);
  }
  MZ_RETURN_IF_ERROR(values_->status());
  names_->Reserve(model.domains.size(), model.names.bytes());
  uint32_t default_domain = 0;
  bool subdomains = false;
  for (const SpfDomain& d : model.domains) {
    StatusOr<uint32_t> offset = EncodeDomain(model, refs->second, d);
    if (!offset.ok()) return offset.status();
    const std::string_view name = model.names.Get(d.name);
    if (name.empty() || model.domains.size() == 1) default_domain = *offset;
    subdomains |= d.subdomains;
    ref->exact_depths = ref->exact_depths | 1u << std::min(dns::CountLabels(name), 31);
    MZ_RETURN_IF_ERROR(names_->Add(ref->scope, name, image::kNameExact, *offset, 0).status());
  }
  auto* z = heap_.As<image::SpfZone>(ref->map4);
  z->default_domain = default_domain;
  if (subdomains) z->flags = static_cast<uint8_t>(z->flags | image::kSpfHasSubdomains);
  return values_->status();
}

int SpfEncoder::LocalProgram(uint32_t id) {
  std::vector<uint32_t>& programs = draft_.programs;
  for (size_t i = 0; i < programs.size(); i++)
    if (programs[i] == id) return static_cast<int>(i);
  if (programs.size() == 255) return -1;
  programs.push_back(id);
  return static_cast<int>(programs.size() - 1);
}

template <typename Address>
void SpfEncoder::Put(uint32_t key, uint8_t kind, uint8_t program) {
  constexpr bool kSix = sizeof(Address) == 16;
  (kSix ? draft_.key6 : draft_.key4).push_back(key);
  (kSix ? draft_.kind6 : draft_.kind4).push_back(kind);
  (kSix ? draft_.program6 : draft_.program4).push_back(program);
}

// One map for several entries of one domain, as the first of them that match say.
template <typename Address>
Status SpfEncoder::AddMapEntry(const std::vector<std::vector<typename AddressFamily<Address>::Range>>& sets,
                               std::span<const SpfEntry> entries, Family<Address>* family) {
  Painter<Address> painter;
  for (const SpfEntry& e : entries) painter.Add(sets[e.set], program_id_[e.program]);
  family->intervals.push_back(painter.Paint());
  MZ_ASSIGN_OR_RETURN(uint32_t map, maps_->AddIds(std::span(std::as_const(family->intervals.back())), MapIds::kSpfPrograms,
                                                  static_cast<uint32_t>(programs_.size())));
  if (map != 0) Put<Address>(map, image::kSpfEntryMap, 0);
  return absl::OkStatus();
}

// The map of one set of the image with one program: made once, however many domains have it.
template <typename Address>
Status SpfEncoder::AddSetMapEntry(uint32_t set, uint32_t program, Family<Address>* family) {
  auto [it, inserted] = family->set_maps.try_emplace(uint64_t{set} << 32 | program, 0);
  if (inserted) {
    Painter<Address> painter;
    painter.Add(*family->sets[set].ranges, program);
    family->intervals.push_back(painter.Paint());
    MZ_ASSIGN_OR_RETURN(it->second, maps_->AddIds(std::span(std::as_const(family->intervals.back())), MapIds::kSpfPrograms,
                                                  static_cast<uint32_t>(programs_.size())));
  }
  Put<Address>(it->second, image::kSpfEntryMap, 0);
  return absl::OkStatus();
}

template <typename Address>
Status SpfEncoder::EncodeList(const std::vector<std::vector<typename AddressFamily<Address>::Range>>& sets,
                              const std::vector<uint32_t>& refs, std::span<const SpfEntry> entries,
                              uint32_t default_program, Family<Address>* family) {
  constexpr bool kSix = sizeof(Address) == 16;
  constexpr int kInline = kInlinePrefixes<Address>;
  const std::span<const SpfEntry> all = entries;
  while (!entries.empty() && program_id_[entries.back().program] == default_program)
    entries = entries.first(entries.size() - 1);
  auto is_private = [&](const SpfEntry& e) {
    return refs[e.set] == kSmall || family->sets[refs[e.set]].users < 2;
  };
  const std::vector<uint32_t>& keys = kSix ? draft_.key6 : draft_.key4;
  for (size_t i = 0; i < entries.size() && keys.size() <= image::kMaxSpfEntries;) {
    if (!is_private(entries[i])) {
      const uint32_t set = refs[entries[i].set], program = program_id_[entries[i].program];
      const int local = family->shared_id[set] == 0 ? -1 : LocalProgram(program);
      if (local >= 0) {
        Put<Address>(family->shared_id[set], image::kSpfEntrySet, static_cast<uint8_t>(local));
      } else {
        MZ_RETURN_IF_ERROR(AddSetMapEntry(set, program, family));
      }
      i++;
      continue;
    }
    // A run of sets that nobody else has, or that are small.
    size_t end = i;
    int prefixes = 0;
    bool inline_all = true;
    for (; end < entries.size() && is_private(entries[end]); end++) {
      if (!inline_all) continue;
      prefixes += CountPrefixes<Address>(sets[entries[end].set], kInline);
      inline_all = prefixes <= kInline && LocalProgram(program_id_[entries[end].program]) >= 0;
    }
    const std::span<const SpfEntry> run = entries.subspan(i, end - i);
    i = end;
    if (!inline_all) {
      MZ_RETURN_IF_ERROR(AddMapEntry(sets, run, family));
      continue;
    }
    for (const SpfEntry& e : run) {
      const auto local = static_cast<uint8_t>(LocalProgram(program_id_[e.program]));
      ForEachPrefix<Address>(sets[e.set], [&](const Address& a, int length) {
        if constexpr (kSix) {
          Put<Address>(static_cast<uint32_t>(draft_.prefix6.size()), static_cast<uint8_t>(length), local);
          draft_.prefix6.push_back(a);
        } else {
          Put<Address>(a, static_cast<uint8_t>(length), local);
        }
        return true;
      });
    }
  }
  if (keys.size() <= image::kMaxSpfEntries) return absl::OkStatus();
  (kSix ? draft_.key6 : draft_.key4).clear();
  (kSix ? draft_.kind6 : draft_.kind4).clear();
  (kSix ? draft_.program6 : draft_.program4).clear();
  if constexpr (kSix) draft_.prefix6.clear();
  return AddMapEntry(sets, all, family);
}

StatusOr<uint32_t> SpfEncoder::EncodeDomain(const SpfModel& model, const SetRefs& refs, const SpfDomain& domain) {
  Draft& t = draft_;
  t.programs.clear();
  t.key4.clear();
  t.key6.clear();
  t.kind4.clear();
  t.kind6.clear();
  t.program4.clear();
  t.program6.clear();
  t.prefix6.clear();
  if (!domain.no_data) {
    const uint32_t default4 = program_id_[domain.default4], default6 = program_id_[domain.default6];
    LocalProgram(default4);
    LocalProgram(default6);
    MZ_RETURN_IF_ERROR(EncodeList(model.sets4, refs.four, domain.entries4, default4, &four_));
    MZ_RETURN_IF_ERROR(EncodeList(model.sets6, refs.six, domain.entries6, default6, &six_));
  }
  return StoreDraft(domain);
}

// Domains with the same policy are one object.
StatusOr<uint32_t> SpfEncoder::StoreDraft(const SpfDomain& domain) {
  const Draft& t = draft_;
  image::SpfDomain d;
  std::memset(static_cast<void*>(&d), 0, sizeof d);
  d.ttl = domain.ttl;
  d.flags = static_cast<uint8_t>((domain.subdomains ? image::kSpfSubdomains : 0) |
                                 (domain.no_data ? image::kSpfNoData : 0));
  d.program_count = static_cast<uint8_t>(t.programs.size());
  if (!domain.no_data) {
    d.default4 = static_cast<uint8_t>(LocalProgram(program_id_[domain.default4]));
    d.default6 = static_cast<uint8_t>(LocalProgram(program_id_[domain.default6]));
  }
  d.count4 = static_cast<uint16_t>(t.key4.size());
  d.count6 = static_cast<uint16_t>(t.key6.size());
  d.prefix_count6 = static_cast<uint16_t>(t.prefix6.size());
  std::string content(reinterpret_cast<const char*>(&d), sizeof d);
  auto octets = [&](const auto& v) { content.append(v.begin(), v.end()); };
  for (uint32_t id : t.programs) AppendWord(id, &content);
  for (uint32_t key : t.key4) AppendWord(key, &content);
  octets(t.kind4);
  octets(t.program4);
  for (uint32_t key : t.key6) AppendWord(key, &content);
  octets(t.kind6);
  octets(t.program6);
  for (const net::Ip6& p : t.prefix6) {
    const Le64 halves[2] = {Le64(p.high), Le64(p.low)};
    content.append(reinterpret_cast<const char*>(halves), sizeof halves);
  }
  for (uint64_t hash = XXH3_64bits(content.data(), content.size());; hash++) {
    auto [it, inserted] = domains_.try_emplace(hash, 0);
    if (inserted) {
      StatusOr<uint32_t> at = heap_.Allocate(content.size());
      if (!at.ok()) return at.status();
      std::memcpy(heap_.At(*at), content.data(), content.size());
      return it->second = *at;
    }
    // What lies there is at least as long as its header says, and the header comes first.
    if (std::memcmp(heap_.At(it->second), content.data(), sizeof d) == 0 &&
        std::memcmp(heap_.At(it->second), content.data(), content.size()) == 0)
      return it->second;
  }
}

StatusOr<Bytes> SpfEncoder::Finish() {
  if (!any_) return heap_.Take();
  MZ_ASSIGN_OR_RETURN(uint32_t programs, heap_.Allocate(programs_.size() * sizeof(image::SpfProgram)));
  std::memcpy(heap_.At(programs), programs_.data(), programs_.size() * sizeof(image::SpfProgram));
  auto* h = heap_.As<image::SpfHeader>(1);
  h->programs = programs;
  h->program_count = static_cast<uint32_t>(programs_.size());
  h->class_map4 = four_.class_map;
  h->class_map6 = six_.class_map;
  h->classes4 = four_.classes;
  h->class_words4 = four_.class_words;
  h->classes6 = six_.classes;
  h->class_words6 = six_.class_words;
  h->set_count4 = four_.set_count;
  h->set_count6 = six_.set_count;
  return heap_.Take();
}

}  // namespace mz::compiler
