// The lookups of outcome.h; the catalogue itself is in catalogue.cc.
#include "format/healthcheck/outcome.h"

#include <vector>

#include "base/suggest.h"
#include "format/healthcheck/catalogue.h"

namespace mz::healthcheck {
namespace {

struct DimensionText {
  std::string_view word, title;
};
constexpr DimensionText kDimensions[kDimensionCount] = {
    {"spf", "the SPF record at the ID's name"},
    {"dkim", "the DKIM signature and its key record"},
    {"dmarc", "the DMARC record"},
    {"mx", "the MX records at the ID's name"},
    {"arc", "an ARC chain in the mail"},
    {"inbound", "MTA-STS, TLSA and TLS-RPT for mail to the ID"},
    {"fault", "misbehaviour of the DNS server"},
    {"bimi", "the BIMI record"},
    {"sender", "the names of From: and MAIL FROM"},
    {"helo", "the name of HELO"},
};

// Words of the older program's table, where they differ from ours.
struct Alias {
  Dimension dimension;
  std::string_view word;
  uint8_t code;
};
constexpr Alias kAliases[] = {
    {kSpf, "hardfail", kSpfFail},    {kMx, "hardfail", kMxInvalidHost}, {kMx, "invalid", kMxInvalidHost},
    {kDkim, "hardfail", kDkimWrongKey}, {kDkim, "neutral", kDkimMissing},  {kDkim, "softfail", kDkimTesting},
    {kDmarc, "neutral", kDmarcPolicyNone}, {kMx, "neutral", kMxNone},   {kMx, "softfail", kMxInvalidHost},
};

}  // namespace

std::string_view DimensionWord(Dimension d) { return kDimensions[d].word; }
std::string_view DimensionTitle(Dimension d) { return kDimensions[d].title; }

std::optional<Dimension> FindDimension(std::string_view word) {
  for (int d = 0; d < kDimensionCount; d++)
    if (kDimensions[d].word == word) return static_cast<Dimension>(d);
  return std::nullopt;
}

std::span<const Outcome> Outcomes(Dimension d) { return Catalogue(d); }

const Outcome* FindOutcome(Dimension d, std::string_view word) {
  for (const Outcome& o : Outcomes(d))
    if (o.word == word) return &o;
  return nullptr;
}

const Outcome* OutcomeOf(Dimension d, uint8_t code) {
  const std::span<const Outcome> all = Outcomes(d);
  return code < all.size() ? &all[code] : nullptr;
}

bool KnownSettings(const Settings& s) {
  for (int d = 0; d < kDimensionCount; d++)
    if (OutcomeOf(static_cast<Dimension>(d), s.code[d]) == nullptr) return false;
  return true;
}

std::string SettingsText(const Settings& s) {
  std::string out;
  for (int i = 0; i < kDimensionCount; i++) {
    const auto d = static_cast<Dimension>(i);
    if (s[d] == 0) continue;
    if (!out.empty()) out += ' ';
    out.append(DimensionWord(d)).append("=");
    const Outcome* o = OutcomeOf(d, s[d]);
    if (o != nullptr)
      out.append(o->word);
    else
      out += std::to_string(s[d]);
  }
  return out.empty() ? "nothing" : out;
}

bool ApplySetting(std::string_view word, Settings* out, std::string* problem) {
  const size_t equals = word.find('=');
  if (equals == std::string_view::npos) {
    *problem = "'" + std::string(word) + "' is not DIMENSION=OUTCOME, as spf=softfail";
    return false;
  }
  const std::string_view dimension_word = word.substr(0, equals), outcome_word = word.substr(equals + 1);
  const std::optional<Dimension> d = FindDimension(dimension_word);
  if (!d) {
    std::vector<std::string_view> known;
    for (const DimensionText& t : kDimensions) known.push_back(t.word);
    const std::string nearest = Nearest(dimension_word, known);
    *problem = "unknown dimension '" + std::string(dimension_word) + "'" +
               (nearest.empty() ? "" : ": did you mean '" + nearest + "'?");
    return false;
  }
  if (const Outcome* o = FindOutcome(*d, outcome_word)) {
    (*out)[*d] = o->code;
    return true;
  }
  for (const Alias& a : kAliases) {
    if (a.dimension != *d || a.word != outcome_word) continue;
    (*out)[*d] = a.code;
    return true;
  }
  std::vector<std::string_view> known;
  for (const Outcome& o : Outcomes(*d)) known.push_back(o.word);
  const std::string nearest = Nearest(outcome_word, known);
  *problem = "unknown outcome '" + std::string(outcome_word) + "' of " + std::string(dimension_word) +
             (nearest.empty() ? "" : ": did you mean '" + nearest + "'?");
  return false;
}

std::string_view DkimKeyWord(DkimKey key) {
  static constexpr std::string_view kWords[kDkimKeyCount] = {"rsa2048", "rsa4096", "rsa1024", "rsa768",
                                                             "rsa512",  "ed25519", "other"};
  return kWords[static_cast<int>(key)];
}

std::optional<DkimSigning> SigningOf(uint8_t dkim_code) {
  using enum DkimKey;
  switch (dkim_code) {
    case kDkimNone:
      return std::nullopt;
    case kDkimPassRsa4096:
      return DkimSigning{kRsa4096, kRsa4096};
    case kDkimPassRsa1024:
      return DkimSigning{kRsa1024, kRsa1024};
    case kDkimPassEd25519:
      return DkimSigning{kEd25519, kEd25519};
    case kDkimWrongKey:
      return DkimSigning{kRsa2048, kOther};
    case kDkimWeak512:
      return DkimSigning{kRsa512, kRsa512};
    case kDkimWeak768:
      return DkimSigning{kRsa768, kRsa768};
    default:
      return DkimSigning{kRsa2048, kRsa2048};
  }
}

}  // namespace mz::healthcheck
