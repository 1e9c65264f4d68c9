// See emit.h: from the policy of a domain to groups of prefixes with one answer each.
#include "compiler/spf/emit.h"

#include <algorithm>
#include <bit>

#include "compiler/spf/layout.h"
#include "format/dns/name.h"

namespace mz::compiler::spf {
namespace {

constexpr std::string_view kReversedLayout = "%{ir}.%{d}";
constexpr std::string_view kPermerrorText = "v=spf1 exists:%{x}";  // the macro letter does not exist (section 7.1)

bool IsRbldnsd(EmitFormat f) { return f == EmitFormat::kRbldnsdExact || f == EmitFormat::kRbldnsdCompat; }

// The fewest prefixes that cover exactly these ranges, ascending.
void AppendPrefixes(const net::Range4& range, std::vector<Prefix4>* out) {
  uint64_t at = range.first;
  const uint64_t end = uint64_t{range.last} + 1;
  while (at < end) {
    int bits = at == 0 ? 32 : std::countr_zero(at);
    while ((uint64_t{1} << bits) > end - at) bits--;
    out->push_back({static_cast<net::Ip4>(at), 32 - bits});
    at += uint64_t{1} << bits;
  }
}

int TrailingZeros(const net::Ip6& a) { return a.low != 0 ? std::countr_zero(a.low) : 64 + std::countr_zero(a.high); }

void AppendPrefixes(const net::Range6& range, std::vector<Prefix6>* out) {
  net::Ip6 at = range.first;
  while (true) {
    int length = 128 - std::min(TrailingZeros(at), 128);
    while (range.last < net::PrefixRange6(at, length).last) length++;
    out->push_back({at, length});
    const net::Ip6 last = net::PrefixRange6(at, length).last;
    if (!(last < range.last)) return;
    at = last.Next();
  }
}

bool AnswerBefore(const EmittedAnswer& a, const EmittedAnswer& b) {
  if (a.unlisted != b.unlisted) return b.unlisted;
  if (a.outcome != b.outcome) return a.outcome < b.outcome;
  if (a.text.literal != b.text.literal) return a.text.literal < b.text.literal;
  return a.text.holes < b.text.holes;
}

// exp= is the last term, and its target is a name of ours below the name asked, which only our server answers.
bool DropExplanation(TextModel* text) {
  constexpr std::string_view kTail = " exp=_x.";
  if (text->holes.empty() || !std::string_view(text->literal).ends_with(kTail) ||
      text->holes.back() != (text->literal.size() | image::kHoleQueryName))
    return false;
  text->holes.pop_back();
  text->literal.resize(text->literal.size() - kTail.size());
  return true;
}

}  // namespace

Status CheckEmittable(const EmitZone& zone) {
  if (zone.format == EmitFormat::kJson) return absl::OkStatus();
  const ZoneSettings& s = *zone.settings;
  const std::string apex = dns::NameText(s.apex);
  if (s.form == Form::kClasses)
    return MakeStatus(StatusCode::kInvalidArgument,
                      "zone " + apex + ": class labels are answered by mailzoned only; use form = \"redirect\"");
  if (std::find(s.layouts.begin(), s.layouts.end(), kReversedLayout) == s.layouts.end())
    return MakeStatus(StatusCode::kInvalidArgument,
                      "zone " + apex + ": only the layout \"%{ir}.%{d}\" can be said in this format");
  if (zone.format == EmitFormat::kBind && (zone.ns.empty() || zone.hostmaster.empty()))
    return MakeStatus(StatusCode::kInvalidArgument,
                      "zone " + apex + ": a zone file needs a SOA record: give 'ns' and 'hostmaster'");
  if (zone.format == EmitFormat::kRbldnsdCompat && s.form == Form::kExists && !zone.exact_fallback)
    return MakeStatus(StatusCode::kInvalidArgument,
                      "zone " + apex + ": the structure of rbldnsd-compat answers A for every address, so that "
                      "published records with exists: would pass everybody; use rbldnsd-exact");
  return absl::OkStatus();
}

Emitter::Emitter(const EmitZone& zone, Evaluator* evaluator, EmitNotes notes)
    : zone_(zone), evaluator_(*evaluator), notes_(std::move(notes)) {}

Emitter::~Emitter() = default;

std::vector<const DomainSetting*> Emitter::Domains() const {
  std::vector<const DomainSetting*> out;
  out.reserve(zone_.settings->domains.size());
  for (const DomainSetting& d : zone_.settings->domains) out.push_back(&d);
  std::sort(out.begin(), out.end(), [](const DomainSetting* a, const DomainSetting* b) {
    return dns::NameText(a->name) < dns::NameText(b->name);
  });
  return out;
}

void Emitter::Note(const DomainSetting& domain, std::string message, std::string hint, bool lost) {
  if (notes_) notes_({dns::NameText(domain.name), std::move(message), std::move(hint), lost});
}

EmittedAnswer Emitter::AnswerOf(ProgramId program, bool is_v4, const DomainSetting& domain) {
  const Form form = zone_.settings->form;
  ResidualCost cost;
  const SpfProgram served = ServedProgram(&evaluator_.programs(), program, is_v4, form, &pool_, &cost);
  EmittedAnswer out;
  out.outcome = served.outcome;
  if (form == Form::kExists && zone_.format != EmitFormat::kJson) {
    if (served.outcome == SpfOutcome::kDynamic)
      Note(domain, "a part of its record that depends on the message is answered as no match",
           "form = \"exists\" has no words for it", true);
    out.unlisted = served.outcome != SpfOutcome::kPass;
    if (out.unlisted) out.outcome = SpfOutcome::kFail;
    return out;
  }
  // Included, the results that are not pass are one (RFC 7208 section 5.2).
  if (form == Form::kInclude && (out.outcome == SpfOutcome::kSoftfail || out.outcome == SpfOutcome::kNeutral))
    out.outcome = SpfOutcome::kFail;
  const auto give_up = [&](const std::string& message, const std::string& hint) {
    Note(domain, message, hint, true);
    out.outcome = SpfOutcome::kPermerror;
    out.text = {};
    out.text.flags = image::kTextSpf;
    out.text.literal = kPermerrorText;
  };
  if (served.text == 0) {
    if (zone_.format == EmitFormat::kJson) {
      out.outcome = SpfOutcome::kTemperror;
      return out;
    }
    give_up("a part of its records could not be read; temperror cannot be said here and becomes permerror",
            "`mailzone build` names the question that failed");
    return out;
  }
  out.text = pool_.text(served.text);
  if (zone_.format == EmitFormat::kJson) return out;
  if (!served.helpers.empty()) {
    give_up("some addresses need a helper record, which only mailzoned answers: permerror for them",
            "negative terms inside an include, in front of terms that depend on the message");
    return out;
  }
  if (DropExplanation(&out.text))
    Note(domain, "the explanation of exp= is left out", "only mailzoned answers it", false);
  if (out.text.literal.find(" include:_t.") != std::string::npos)
    Note(domain, "temperror cannot be said here and becomes permerror", "", true);
  if (IsRbldnsd(zone_.format) && RbldnsdTextBytes(out.text, is_v4) > kMaxRbldnsdText)
    give_up("a residual record of " + std::to_string(RbldnsdTextBytes(out.text, is_v4)) +
                " octets, which rbldnsd would cut at 254: permerror for its addresses",
            "");
  return out;
}

template <typename F, typename Prefix>
std::vector<EmittedGroup<Prefix>> Emitter::Groups(const std::vector<Entry>& regions, SetPool<F>& sets,
                                                  const DomainSetting& domain) {
  // Programs with one text are one answer: joined before they are cut into prefixes.
  std::vector<std::pair<EmittedAnswer, SetId>> joined;
  for (const Entry& region : regions) {
    EmittedAnswer answer = AnswerOf(region.program, F::kIsV4, domain);
    auto same = std::find_if(joined.begin(), joined.end(), [&](const auto& j) { return j.first == answer; });
    if (same == joined.end())
      joined.emplace_back(std::move(answer), region.set);
    else
      same->second = sets.Union(same->second, region.set);
  }
  std::vector<EmittedGroup<Prefix>> out;
  for (auto& [answer, set] : joined) {
    EmittedGroup<Prefix> group{std::move(answer), {}};
    for (const typename F::Range& range : sets.Get(set)) AppendPrefixes(range, &group.prefixes);
    if (group.prefixes.empty()) continue;
    totals_.prefixes += group.prefixes.size();
    out.push_back(std::move(group));
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return AnswerBefore(a.answer, b.answer); });
  return out;
}

EmittedDomain Emitter::Flatten(const DomainSetting& domain) {
  const Policy& policy = evaluator_.Evaluate({domain.source_domain, domain.owner});
  EmittedDomain out;
  out.setting = &domain;
  out.complete = policy.complete;
  out.has_record = policy.has_record;
  const std::vector<Entry> v4 = evaluator_.partitions4().Regions(policy.v4);
  const std::vector<Entry> v6 = evaluator_.partitions6().Regions(policy.v6);
  out.v4 = Groups<V4, Prefix4>(v4, evaluator_.sets4(), domain);
  out.v6 = Groups<V6, Prefix6>(v6, evaluator_.sets6(), domain);
  return out;
}

std::string Emitter::Head(const std::vector<const DomainSetting*>& domains) {
  first_ = true;
  switch (zone_.format) {
    case EmitFormat::kRbldnsdExact:
      return RbldnsdHead(zone_, domains.size());
    case EmitFormat::kRbldnsdCompat:
      return CompatHead(zone_, domains);
    case EmitFormat::kBind:
      return BindHead(zone_);
    case EmitFormat::kJson:
      break;
  }
  return JsonHead(zone_);
}

std::string Emitter::Domain(const DomainSetting& setting) {
  const EmittedDomain domain = Flatten(setting);
  if (setting.subdomains && zone_.format != EmitFormat::kJson)
    Note(setting, "the names below it are left out", "only mailzoned answers for all names below a domain", true);
  totals_.domains++;
  const DomainNote note = [&](std::string message, std::string hint, bool lost) {
    Note(setting, std::move(message), std::move(hint), lost);
  };
  switch (zone_.format) {
    case EmitFormat::kRbldnsdExact:
      return RbldnsdExact(zone_, domain);
    case EmitFormat::kRbldnsdCompat: {
      std::string why;
      if (zone_.settings->form == Form::kExists)
        why = "published with exists:, it must not list all addresses";
      else if (CanSayCompat(domain, &why)) {
        std::vector<std::string> records;
        const RecordKey key{setting.source_domain, setting.owner};
        for (const Evaluator::Visited& v : evaluator_.Walk({key})) records.push_back(dns::NameText(v.key.owner));
        return RbldnsdCompat(zone_, domain, records, evaluator_.Questions(key).size());
      }
      if (zone_.exact_fallback) {
        totals_.fallbacks++;
        return RbldnsdExact(zone_, domain);
      }
      totals_.domains--;
      totals_.refused++;
      note("left out: " + why, "--fallback=exact writes such domains in the form of rbldnsd-exact", true);
      return "";
    }
    case EmitFormat::kBind:
      return BindDomain(zone_, domain, note);
    case EmitFormat::kJson:
      break;
  }
  std::string text = JsonDomain(zone_, domain);
  if (!first_) text = ",\n" + text;
  first_ = false;
  return text;
}

std::string Emitter::Tail() { return zone_.format == EmitFormat::kJson ? "\n  ]\n}\n" : ""; }

}  // namespace mz::compiler::spf
