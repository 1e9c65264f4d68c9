// DKIM keys, DMARC, MX, inbound policies and BIMI as records.
#include "compiler/healthcheck/answers.h"

namespace mz::compiler {

using namespace healthcheck;  // NOLINT: the names of the catalogue

namespace {

const std::string& KeyOf(const HealthcheckContext& c, DkimKey key) {
  return c.options.dkim_keys[static_cast<size_t>(key)];
}

std::string KeyRecord(const HealthcheckContext& c, DkimKey key, std::string_view tags = "") {
  return "v=DKIM1; k=" + std::string(key == DkimKey::kEd25519 ? "ed25519; " : "rsa; ") + std::string(tags) + "p=" +
         KeyOf(c, key);
}

}  // namespace

void AddDkimAnswers(const HealthcheckContext& c) {
  const std::string name = c.options.selector + "._domainkey";
  const std::string second = c.options.selector + std::string(kSecondSelectorSuffix) + "._domainkey";
  c.model->Name(name);
  c.model->Name(second);
  auto set = [&](uint8_t code, std::vector<HealthcheckRecord> records) {
    c.model->Set(name, kDkim, code, c.model->Records(std::move(records)));
  };
  // Altered, expired and badly made signatures have a good key.
  for (const uint8_t code : {kDkimPass, kDkimBodyAltered, kDkimHeaderAltered, kDkimBodyLength, kDkimExpired, kDkimFromFuture,
                             kDkimSubdomainIdentity, kDkimFromUnsigned, kDkimSecondFrom, kDkimRsaSha1, kDkimDual})
    set(code, {c.Txt(KeyRecord(c, DkimKey::kRsa2048))});
  for (const uint8_t code : {kDkimPassRsa4096, kDkimPassRsa1024, kDkimPassEd25519, kDkimWrongKey, kDkimWeak512, kDkimWeak768})
    set(code, {c.Txt(KeyRecord(c, SigningOf(code)->published))});
  set(kDkimPassSplit, {{kHcTypeTxt, c.options.ttl, c.make.Text(KeyRecord(c, DkimKey::kRsa2048), 60)}});
  set(kDkimRevoked, {c.Txt("v=DKIM1; k=rsa; p=")});
  set(kDkimBadBase64, {c.Txt("v=DKIM1; k=rsa; p=%%%not-base64%%%")});
  set(kDkimUnknownKeyType, {c.Txt("v=DKIM1; k=mlkem; p=AAAA")});
  set(kDkimTesting, {c.Txt(KeyRecord(c, DkimKey::kRsa2048, "t=y; "))});
  set(kDkimSha1Only, {c.Txt(KeyRecord(c, DkimKey::kRsa2048, "h=sha1; "))});
  set(kDkimServiceOther, {c.Txt(KeyRecord(c, DkimKey::kRsa2048, "s=tlsrpt; "))});
  set(kDkimTwoKeys, {c.Txt(KeyRecord(c, DkimKey::kOther)), c.Txt(KeyRecord(c, DkimKey::kRsa2048))});
  set(kDkimWrongVersion, {c.Txt("v=DKIM2; k=rsa; p=" + KeyOf(c, DkimKey::kRsa2048))});
  // kDkimNone, kDkimMissing, kDkimParentDomain: the name exists, without records.
  c.model->Set(name, kDkim, kDkimNxdomain, c.model->Action(image::kHealthcheckNxdomain, image::kHealthcheckAllTypes));
  c.model->Set(name, kDkim, kDkimServfail, c.model->Action(image::kHealthcheckServfail, image::kHealthcheckTextTypes));
  c.model->Set(name, kDkim, kDkimSilence, c.model->Action(image::kHealthcheckSilence, image::kHealthcheckTextTypes));
  c.model->Set(second, kDkim, kDkimDual, c.model->Records({c.Txt(KeyRecord(c, DkimKey::kEd25519))}));
}

void AddDmarcAnswers(const HealthcheckContext& c) {
  std::string reports;
  if (!c.options.dmarc_rua.empty()) reports += "; rua=" + c.options.dmarc_rua;
  if (!c.options.dmarc_ruf.empty()) reports += "; ruf=" + c.options.dmarc_ruf;
  c.model->Name("_dmarc");
  auto set = [&](uint8_t code, const std::vector<std::string>& texts) {
    std::vector<HealthcheckRecord> records;
    for (const std::string& text : texts) records.push_back(c.Txt(text));
    c.model->Set("_dmarc", kDmarc, code, c.model->Records(std::move(records)));
  };
  set(kDmarcPolicyNone, {"v=DMARC1; p=none" + reports});
  set(kDmarcQuarantine, {"v=DMARC1; p=quarantine" + reports});
  set(kDmarcReject, {"v=DMARC1; p=reject" + reports});
  set(kDmarcPct0, {"v=DMARC1; p=reject; pct=0" + reports});
  set(kDmarcStrict, {"v=DMARC1; p=reject; adkim=s; aspf=s" + reports});
  set(kDmarcTwoRecords, {"v=DMARC1; p=reject" + reports, "v=DMARC1; p=none" + reports});
  set(kDmarcMissingPolicy, {"v=DMARC1; adkim=r"});
  set(kDmarcMisspeltPolicy,
      {"v=DMARC1; p=rejct; rua=" + (c.options.dmarc_rua.empty() ? std::string("mailto:postmaster@@Z") : c.options.dmarc_rua)});
  set(kDmarcVersionNotFirst, {"p=reject; v=DMARC1" + reports});
  set(kDmarcSubdomainReject, {"v=DMARC1; p=none; sp=reject" + reports});
  set(kDmarcNonexistentReject, {"v=DMARC1; p=none; np=reject" + reports});
  set(kDmarcTesting, {"v=DMARC1; p=reject; t=y" + reports});
  set(kDmarcPsd, {"v=DMARC1; p=reject; psd=n" + reports});
  // A name under .example (RFC 2606) gives nobody's consent.
  set(kDmarcExternalReports, {"v=DMARC1; p=none; rua=mailto:reports@unasked.example"});
  c.model->Set("_dmarc", kDmarc, kDmarcServfail,
               c.model->Action(image::kHealthcheckServfail, image::kHealthcheckTextTypes));
  c.model->Set("_dmarc", kDmarc, kDmarcSilence,
               c.model->Action(image::kHealthcheckSilence, image::kHealthcheckTextTypes));
}

void AddMxAnswers(const HealthcheckContext& c) {
  struct Row {
    uint8_t code;
    uint16_t preference;
    std::string_view host;
  };
  static constexpr Row kRows[] = {
      {kMxPass, 10, "mx.@D"},       {kMxInvalidHost, 10, "invalid.@D"}, {kMxNull, 0, ""},
      {kMxIpLiteral, 10, "192.0.2.25"}, {kMxCname, 10, "mxalias.@D"},   {kMxPrivate, 10, "private.@D"},
  };
  for (const std::string_view name : {std::string_view(), std::string_view("c"), kFromLabel, kEnvelopeLabel}) {
    for (const Row& row : kRows) c.model->Set(name, kMx, row.code, c.model->Records({c.Mx(row.preference, row.host)}));
    c.model->Set(name, kMx, kMxServfail, c.model->Action(image::kHealthcheckServfail, image::kHealthcheckMxType));
    c.model->Always(name, c.model->Records(c.Addresses()));
  }
  c.model->Always(kMxLabel, c.model->Records(c.Addresses()));
  c.model->Always("mxalias", c.model->Alias(c.make.Name("mx.@D"), c.options.ttl, kMxLabel));
  c.model->Always("private", c.model->Records({{kHcTypeA, c.options.ttl, std::string("\x0a\0\0\x19", 4)}}));
  c.model->Always(kHeloLabel, c.model->Records(c.Addresses()));
}

void AddInboundAnswers(const HealthcheckContext& c) {
  const std::string rua = c.options.tls_rua.empty() ? "mailto:postmaster@@Z" : c.options.tls_rua;
  for (const Outcome& o : Outcomes(kInbound))
    if (o.code != kInboundNone)
      c.model->Set("_smtp._tls", kInbound, o.code, c.model->Records({c.Txt("v=TLSRPTv1; rua=" + rua)}));
  // The id changes with the policy (RFC 8461 section 3.1): each of ours has one of its own.
  for (const uint8_t code : {kInboundStsEnforce, kInboundStsBadCertificate, kInboundStsForeignMx, kInboundStsTesting,
                             kInboundStsMissingPolicy})
    c.model->Set("_mta-sts", kInbound, code, c.model->Records({c.Txt("v=STSv1; id=@I;")}));
  c.model->Set("_mta-sts", kInbound, kInboundStsBadRecord, c.model->Records({c.Txt("v=STSv1;")}));
  c.model->Name("mta-sts");
  for (const uint8_t code : {kInboundStsEnforce, kInboundStsBadCertificate, kInboundStsForeignMx, kInboundStsTesting,
                             kInboundStsBadRecord})
    c.model->Set("mta-sts", kInbound, code, c.model->Records(c.Addresses()));
  const std::string name = "_25._tcp." + std::string(kMxLabel);
  c.model->Name(name);
  auto tlsa = [&](uint8_t code, const std::string& rdata) {
    c.model->Set(name, kInbound, code, c.model->Records({{kHcTypeTlsa, c.options.ttl, rdata}}));
  };
  if (!c.options.tlsa.empty()) tlsa(kInboundTlsaGood, c.options.tlsa);
  tlsa(kInboundTlsaMismatch, std::string("\3\1\1", 3) + std::string(32, '\0'));
  tlsa(kInboundTlsaUnusable, std::string("\xff\1\1", 3) + std::string(32, '\0'));
}

void AddBimiAnswers(const HealthcheckContext& c) {
  const std::string logo = c.options.bimi_logo.empty() ? "https://@Z/logo.svg" : c.options.bimi_logo;
  constexpr std::string_view kName = "default._bimi";
  c.model->Name(kName);
  c.model->Set(kName, kBimi, kBimiValid, c.model->Records({c.Txt("v=BIMI1; l=" + logo + "; a=;")}));
  c.model->Set(kName, kBimi, kBimiDeclined, c.model->Records({c.Txt("v=BIMI1; l=; a=;")}));
  c.model->Set(kName, kBimi, kBimiBroken, c.model->Records({c.Txt("v=BIMI1; l=ftp://@Z/logo.exe; a=;")}));
}

}  // namespace mz::compiler
