// See spf_query.h. RFC 7208 is the client's side of this; what names may be asked is told by the layouts of the
// zone.
#include "server/answer/spf_query.h"

#include "format/dns/txt.h"
#include "server/answer/spf_match.h"
#include "server/answer/spf_range.h"
#include "server/answer/spf_text.h"

namespace mz::answer {
namespace {

constexpr uint8_t kPassAddress[4] = {127, 0, 0, 2};

// RFC 7208 section 7.3: a client drops labels on the left until a name has at most 253 characters. A name this
// long may be the rest of a longer one.
constexpr size_t kMaybeCutBytes = 250 + 2;  // with root octet; presentation form has two less

enum class Helper : uint8_t { kNone, kProgram, kPermerror, kTemperror, kExplanation };

class SpfQuery {
 public:
  SpfQuery(Search& search, const image::DatasetRef& ref)
      : s_(search), ref_(ref), matcher_(search.view, ref, search.job), zone_(matcher_.zone()) {}

  SpfVerdict Run(bool overruled) {
    SpfName name;
    SpfFound found = matcher_.Full(0, &name);
    const uint8_t* label = s_.job.Labels(0);
    if (found != SpfFound::kKnown && s_.job.apex > 1 && HelperOf(label) != Helper::kNone) {
      SpfName below;
      const SpfFound with_helper = matcher_.Full(1, &below);
      if (with_helper == SpfFound::kKnown || (found == SpfFound::kNone && with_helper != SpfFound::kNone)) {
        found = with_helper;
        name = below;
        helper_ = HelperOf(label);
      }
    }
    if (overruled) return found == SpfFound::kNone ? SpfVerdict::kNothing : SpfVerdict::kOverruled;
    if (found == SpfFound::kKnown) return Known(name);
    return Partial(found, name);
  }

 private:
  static Helper HelperOf(const uint8_t* label) {
    if (label[0] < 2 || label[1] != '_') return Helper::kNone;
    if (label[2] == 'h' && label[0] >= 3 && label[0] <= 6) return Helper::kProgram;
    if (label[0] != 2) return Helper::kNone;
    return label[2] == 'p'   ? Helper::kPermerror
           : label[2] == 't' ? Helper::kTemperror
           : label[2] == 'x' ? Helper::kExplanation
                             : Helper::kNone;
  }

  bool MaybeCut() const { return s_.job.query.qname_bytes >= kMaybeCutBytes; }
  bool WantsText() const { return s_.composer.Wants(dns::kTypeTxt); }
  bool WantsA() const { return (zone_.flags & image::kSpfAnswersA) && s_.composer.Wants(dns::kTypeA); }

  // The text at the query name, for whatever it was asked with.
  SpfVerdict Text(uint32_t text, const SpfName& name, uint32_t ttl) {
    if (!WantsText()) return SpfVerdict::kExists;
    if (text == 0) return SpfVerdict::kServFail;
    const unsigned first = helper_ == Helper::kNone ? 0 : 1;
    return AddSpfText(s_, s_.view.text(text), name, first, ttl) ? SpfVerdict::kExists : SpfVerdict::kNothing;
  }

  SpfVerdict Known(const SpfName& name) {
    const image::SpfDomain& d = *name.domain;
    if (d.flags & image::kSpfNoData) {
      if (helper_ != Helper::kNone) return SpfVerdict::kNothing;
      if (!WantsText() && !WantsA()) return SpfVerdict::kExists;
      if (zone_.no_data_text == 0) return SpfVerdict::kServFail;
      return Text(zone_.no_data_text, name, d.ttl);
    }
    uint32_t id;
    if (name.has_address) {
      id = name.is_v4 ? image::EvaluateSpf(s_.view, d, name.ip4).program
                      : image::EvaluateSpf(s_.view, d, name.ip6).program;
    } else {
      // A layout without address can only ask for a policy that does not depend on it.
      const Le32* programs = image::SpfPrograms(d);
      if (d.count4 != 0 || d.count6 != 0 || programs[d.default4] != programs[d.default6])
        return SpfVerdict::kExists;
      id = programs[d.default4];
    }
    const image::SpfProgram& program = s_.view.spf_program(id);
    // A helper's label stands in front of the whole name: nothing was cut.
    if (helper_ == Helper::kNone && MaybeCut() && !Intact(name)) {
      if (program.outcome == image::kSpfPass || program.outcome == image::kSpfDynamic || !AllAgree(name, id))
        return NotForSure();
    }
    return Serve(program, name, d.ttl);
  }

  SpfVerdict Serve(const image::SpfProgram& program, const SpfName& name, uint32_t ttl) {
    switch (helper_) {
      case Helper::kNone:
        break;
      case Helper::kPermerror:  // none of a record's include is permerror (RFC 7208 section 5.2)
        return SpfVerdict::kExists;
      case Helper::kTemperror:
        return SpfVerdict::kServFail;
      case Helper::kExplanation:
        return program.explanation == 0 ? SpfVerdict::kNothing : Text(program.explanation, name, ttl);
      case Helper::kProgram: {
        const uint8_t* label = s_.job.Labels(0);
        uint8_t wanted[4] = {};
        std::memcpy(wanted, label + 3, label[0] - 2u);
        for (const image::SpfHelperRecord& h : image::SpfHelpers(s_.view, program))
          if (std::memcmp(h.label, wanted, 4) == 0) return Text(h.text, name, ttl);
        return SpfVerdict::kNothing;
      }
    }
    if (!WantsText() && !WantsA()) return SpfVerdict::kExists;
    if (program.outcome == image::kSpfTemperror) return SpfVerdict::kServFail;
    if (WantsA() && AnswersA(program.outcome, name.asks)) {
      s_.composer.writer().AddAnswer(dns::kTypeA, ttl, kPassAddress);
      s_.composer.Chose(dns::kTypeA);
    }
    return Text(name.asks < 0 ? program.text : program.class_text[name.asks], name, ttl);
  }

  static bool AnswersA(uint8_t outcome, int asks) {
    switch (asks) {
      case image::kSpfAsksSoftfail:
        return outcome == image::kSpfSoftfail;
      case image::kSpfAsksNeutral:
        return outcome == image::kSpfNeutral;
      case image::kSpfAsksFail:
        return outcome == image::kSpfFail;
      case image::kSpfAsksNotPass:
        return outcome != image::kSpfPass && outcome != image::kSpfDynamic;
      default:
        return outcome == image::kSpfPass;
    }
  }

  SpfVerdict Unknown(const SpfName& name) {
    if (zone_.unknown == image::kSpfUnknownNxdomain || matcher_.BelowKnown(name)) return SpfVerdict::kNothing;
    if (zone_.unknown == image::kSpfUnknownRefuse) return SpfVerdict::kRefused;
    return Text(zone_.unknown_text, name, ref_.ttl);
  }

  // Not a whole name of a known domain: an empty non-terminal, a name that a client cut, another domain's. The
  // first goes before the last: 31 nibbles and a domain also read as an IPv4 address and an unknown domain.
  SpfVerdict Partial(SpfFound found, const SpfName& whole) {
    SpfName name;
    bool cut = false;
    SpfPartialAddress address;
    if (helper_ == Helper::kNone && matcher_.Partial(/*any_domain=*/false, &name, &cut, &address)) {
      if (!cut || !MaybeCut() || !WantsText() || name.domain == nullptr) return SpfVerdict::kExists;
      return Cut(name, address);
    }
    if (found == SpfFound::kUnknown && helper_ == Helper::kNone && !MaybeCut()) return Unknown(whole);
    if (MaybeCut() || zone_.unknown == image::kSpfUnknownNxdomain) return SpfVerdict::kNothing;
    if (helper_ != Helper::kNone || !matcher_.Partial(/*any_domain=*/true, &name, &cut, &address))
      return SpfVerdict::kNothing;
    return zone_.unknown == image::kSpfUnknownRefuse ? SpfVerdict::kRefused : SpfVerdict::kExists;
  }

  // A whole name by its form that may still be the rest of a longer one is intact when a label of the layout that
  // is neither address nor free text stands left of address and domain.
  bool Intact(const SpfName& name) const {
    for (const image::SpfPart& part : PartsOf(name.layout)) {
      switch (part.kind) {
        case image::kSpfLiteral:
        case image::kSpfFamily:
          return true;
        case image::kSpfAddress:
        case image::kSpfAddressReversed:
          // Four labels of one digit each may be the last nibbles of an IPv6 address; nothing else is ambiguous.
          return name.address_labels != 4 || s_.job.LabelBytes(name.address_first, name.address_first + 4u) != 8;
        case image::kSpfDomainPart:
          return false;
        default:
          break;
      }
    }
    return false;
  }

  // Whether the IPv6 addresses of which these four octets may be the last nibbles have the same program.
  bool AllAgree(const SpfName& name, uint32_t id) {
    if (name.asks >= 0 || name.address_first != 0 || name.address_labels != 4) return name.address_labels != 4;
    if (name.family == 4) return true;
    const bool reversed = PartsOf(name.layout)[0].kind == image::kSpfAddressReversed;
    net::Ip6 ip6;
    if (!matcher_.Nibbles(reversed, 0, 4, &ip6)) return true;
    return CommonProgram6(s_.view, *name.domain, reversed, ip6, 4) == id;
  }

  SpfVerdict Cut(const SpfName& name, const SpfPartialAddress& a) {
    const image::SpfDomain& d = *name.domain;
    if ((d.flags & image::kSpfNoData) || name.asks >= 0 || LayoutHasClass(name.layout)) return NotForSure();
    uint32_t id = 0;  // of all addresses that end like this; 0: none seen
    net::Ip4 ip4 = 0;
    net::Ip6 ip6;
    if (name.family != 6 && a.labels < 4 && matcher_.Octets(a.reversed, a.first, a.labels, &ip4)) {
      id = CommonProgram4(s_.view, d, a.reversed, ip4, a.labels);
      if (id == 0) return NotForSure();
    }
    if (name.family != 4 && matcher_.Nibbles(a.reversed, a.first, a.labels, &ip6)) {
      const uint32_t six = CommonProgram6(s_.view, d, a.reversed, ip6, a.labels);
      if (six == 0 || (id != 0 && id != six)) return NotForSure();
      id = six;
    }
    if (id == 0) return NotForSure();
    const image::SpfProgram& program = s_.view.spf_program(id);
    if (program.outcome == image::kSpfPass || program.outcome == image::kSpfDynamic) return NotForSure();
    SpfName unaddressed = name;
    unaddressed.has_address = false;
    return Serve(program, unaddressed, d.ttl);
  }

  std::span<const image::SpfPart> PartsOf(unsigned layout) const {
    std::span<const image::SpfPart> parts = image::SpfParts(zone_);
    for (unsigned i = 0; i < layout; i++) parts = parts.subspan(image::SpfPartsOfLayout(zone_)[i]);
    return parts.first(image::SpfPartsOfLayout(zone_)[layout]);
  }

  bool LayoutHasClass(unsigned layout) const {
    for (const image::SpfPart& p : PartsOf(layout))
      if (p.kind == image::kSpfClassPart) return true;
    return false;
  }

  // A name that may have lost its left end, where addresses differ: never a pass, so there is no answer.
  SpfVerdict NotForSure() const { return WantsText() ? SpfVerdict::kNothing : SpfVerdict::kExists; }

  Search& s_;
  const image::DatasetRef& ref_;
  SpfMatcher matcher_;
  const image::SpfZone& zone_;
  Helper helper_ = Helper::kNone;
};

}  // namespace

SpfVerdict QuerySpf(Search& search, const image::DatasetRef& ref, bool overruled) {
  return SpfQuery(search, ref).Run(overruled);
}

bool GuessSpf(const image::View& view, const image::DatasetRef& ref, Job* job) {
  SpfMatcher matcher(view, ref, *job);
  job->spf_fits = matcher.Guess(&job->spf_name);
  job->spf_of = &ref;
  if (!job->spf_fits || !job->spf_name.has_domain) return false;
  job->spf_hash = HashRelative(view, ref.scope, job->spf_name.domain_first, job->spf_name.domain_last, job);
  return true;
}

}  // namespace mz::answer
