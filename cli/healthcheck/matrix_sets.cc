// See matrix_sets.h.
#include "cli/healthcheck/matrix_sets.h"

#include <algorithm>

#include "base/status.h"
#include "format/healthcheck/outcome.h"

namespace mz::cli {

using namespace healthcheck;

namespace {

constexpr MatrixSet kSets[] = {
    {"basic", "what every receiver should get right: eleven mails"},
    {"spf", "each SPF outcome; no DKIM, DMARC says reject"},
    {"dkim", "each DKIM outcome; SPF fails, DMARC says reject"},
    {"dmarc", "each DMARC outcome with SPF alone, DKIM alone, and neither of them passing"},
    {"alignment", "subdomains in From: and MAIL FROM under relaxed and strict alignment, sp= and np="},
    {"sender", "MX records, missing addresses and names in HELO; SPF and DKIM pass"},
    {"arc", "each ARC outcome on mail that fails DMARC"},
    {"dns", "each fault of the DNS server; SPF and DKIM pass, DMARC says reject"},
    {"full", "all of the above, and BIMI"},
};

Settings With(Settings s, Dimension d, uint8_t code) {
  s[d] = code;
  return s;
}

// SPF, DKIM, DMARC.
Settings Of(SpfCode spf, DkimCode dkim, DmarcCode dmarc) {
  Settings s;
  s[kSpf] = spf;
  s[kDkim] = dkim;
  s[kDmarc] = dmarc;
  s[kMx] = kMxPass;
  return s;
}

class Collector {
 public:
  void Add(const Settings& s) {
    if (std::find(all_.begin(), all_.end(), s) == all_.end()) all_.push_back(s);
  }
  void AddEach(Dimension d, const Settings& base) {
    for (const Outcome& o : Outcomes(d)) Add(With(base, d, o.code));
  }
  std::vector<Settings> Take() { return std::move(all_); }

 private:
  std::vector<Settings> all_;
};

void AddSet(std::string_view name, Collector* out) {
  const Settings good = Of(kSpfPass, kDkimPass, kDmarcReject);
  const Settings bad = Of(kSpfFail, kDkimNone, kDmarcReject);
  if (name == "basic") {
    out->Add(good);
    out->Add(Of(kSpfPass, kDkimNone, kDmarcReject));
    out->Add(Of(kSpfFail, kDkimPass, kDmarcReject));
    out->Add(Of(kSpfPass, kDkimPass, kDmarcNone));
    out->Add(Of(kSpfSoftfail, kDkimNone, kDmarcNone));
    out->Add(Of(kSpfFail, kDkimNone, kDmarcNone));
    out->Add(Of(kSpfFail, kDkimNone, kDmarcPolicyNone));
    out->Add(Of(kSpfFail, kDkimNone, kDmarcQuarantine));
    out->Add(bad);
    out->Add(Of(kSpfSoftfail, kDkimBodyAltered, kDmarcReject));
    out->Add(Of(kSpfFail, kDkimRevoked, kDmarcReject));
  } else if (name == "spf") {
    out->AddEach(kSpf, Of(kSpfNone, kDkimNone, kDmarcReject));
  } else if (name == "dkim") {
    out->AddEach(kDkim, bad);
  } else if (name == "dmarc") {
    out->AddEach(kDmarc, Of(kSpfPass, kDkimNone, kDmarcNone));
    out->AddEach(kDmarc, Of(kSpfFail, kDkimPass, kDmarcNone));
    out->AddEach(kDmarc, Of(kSpfFail, kDkimNone, kDmarcNone));
  } else if (name == "alignment") {
    for (DmarcCode dmarc : {kDmarcReject, kDmarcStrict, kDmarcSubdomainReject, kDmarcNonexistentReject}) {
      out->AddEach(kSender, Of(kSpfPass, kDkimNone, dmarc));
      out->AddEach(kSender, Of(kSpfFail, kDkimParentDomain, dmarc));
      out->AddEach(kSender, Of(kSpfFail, kDkimNone, dmarc));
    }
  } else if (name == "sender") {
    out->AddEach(kMx, Of(kSpfPass, kDkimPass, kDmarcNone));
    out->AddEach(kHelo, Of(kSpfPass, kDkimPass, kDmarcNone));
    out->Add(With(Of(kSpfPass, kDkimPass, kDmarcNone), kFault, kFaultNoAddress));
  } else if (name == "arc") {
    out->AddEach(kArc, bad);
  } else if (name == "dns") {
    out->AddEach(kFault, good);
  } else {
    MZ_CHECK(name == "full");
    for (const MatrixSet& set : kSets)
      if (set.name != "full") AddSet(set.name, out);
    out->AddEach(kBimi, good);
  }
}

}  // namespace

std::span<const MatrixSet> MatrixSets() { return kSets; }

std::vector<Settings> MatrixOf(std::string_view name) {
  Collector out;
  AddSet(name, &out);
  return out.Take();
}

}  // namespace mz::cli
