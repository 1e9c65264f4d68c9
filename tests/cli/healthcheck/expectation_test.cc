// Verdicts for whole mails, worked out by hand from RFC 7489 sections 3.1, 6.3, 6.6 and the catalogue; and the
// matrix sets.
#include "cli/healthcheck/expectation.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "cli/healthcheck/matrix_sets.h"
#include "format/healthcheck/outcome.h"

namespace mz::cli {
namespace {

using namespace healthcheck;
using mail::SmtpResult;

Settings Of(std::initializer_list<const char*> words) {
  Settings s;
  std::string problem;
  for (const char* w : words) EXPECT_TRUE(ApplySetting(w, &s, &problem)) << problem;
  return s;
}
std::string VerdictOf(std::initializer_list<const char*> words) {
  return std::string(VerdictWord(Expect(Of(words)).verdict));
}

TEST(ExpectationTest, DmarcDecidesWhereItSpeaks) {
  EXPECT_EQ(VerdictOf({"spf=pass", "dmarc=reject"}), "accept");
  EXPECT_EQ(VerdictOf({"spf=fail", "dkim=pass", "dmarc=reject"}), "accept");
  EXPECT_EQ(VerdictOf({"spf=fail", "dmarc=reject"}), "reject");
  EXPECT_EQ(VerdictOf({"spf=softfail", "dkim=body-altered", "dmarc=reject"}), "reject");
  EXPECT_EQ(VerdictOf({"spf=permerror-syntax", "dkim=weak-512", "dmarc=reject"}), "reject");
  EXPECT_EQ(VerdictOf({"spf=fail", "dmarc=quarantine"}), "quarantine");
  EXPECT_EQ(VerdictOf({"spf=fail", "dmarc=pct0"}), "quarantine");
}

TEST(ExpectationTest, WithoutPolicyItIsTheReceivers) {
  EXPECT_EQ(VerdictOf({}), "accept");
  EXPECT_EQ(VerdictOf({"spf=softfail"}), "accept");
  EXPECT_EQ(VerdictOf({"spf=fail"}), "local-policy");
  EXPECT_EQ(VerdictOf({"spf=fail", "dmarc=p-none"}), "local-policy");
  EXPECT_EQ(VerdictOf({"spf=softfail", "dmarc=two-records"}), "accept");
  EXPECT_EQ(VerdictOf({"spf=pass", "mx=null"}), "local-policy");
  EXPECT_EQ(VerdictOf({"spf=pass", "dkim=second-from", "dmarc=reject"}), "local-policy");
}

TEST(ExpectationTest, TemporaryErrorsAreNeverAReasonToReject) {
  EXPECT_EQ(VerdictOf({"spf=temperror-servfail"}), "defer");
  EXPECT_EQ(VerdictOf({"spf=fail", "dkim=temperror-servfail", "dmarc=reject"}), "defer");
  EXPECT_EQ(VerdictOf({"spf=pass", "dkim=temperror-silence", "dmarc=reject"}), "accept");
  EXPECT_EQ(VerdictOf({"spf=pass", "fault=servfail", "dmarc=reject"}), "defer");
  EXPECT_EQ(VerdictOf({"spf=fail", "dmarc=temperror-servfail"}), "defer");
}

TEST(ExpectationTest, Alignment) {
  EXPECT_EQ(VerdictOf({"spf=pass", "dmarc=strict"}), "accept");
  EXPECT_EQ(VerdictOf({"spf=pass", "dmarc=strict", "sender=envelope-subdomain"}), "reject");
  EXPECT_EQ(VerdictOf({"spf=pass", "dmarc=reject", "sender=envelope-subdomain"}), "accept");
  EXPECT_EQ(VerdictOf({"spf=fail", "dkim=parent-domain", "dmarc=reject"}), "accept");
  EXPECT_EQ(VerdictOf({"spf=fail", "dkim=parent-domain", "dmarc=strict"}), "reject");
  EXPECT_EQ(VerdictOf({"spf=fail", "dmarc=sp-reject", "sender=from-subdomain"}), "local-policy");
}

TEST(ExpectationTest, RepliesThatFit) {
  const auto fits = [](std::initializer_list<const char*> words) {
    const Expectation e = Expect(Of(words));
    std::string out;
    for (auto kind :
         {SmtpResult::kAccepted, SmtpResult::kRejected, SmtpResult::kTemporary, SmtpResult::kUnreachable})
      out += e.Fits(kind) ? '+' : '-';
    return out;
  };
  EXPECT_EQ(fits({"spf=pass", "dmarc=reject"}), "+---");
  EXPECT_EQ(fits({"spf=fail", "dmarc=reject"}), "-+--");
  EXPECT_EQ(fits({"spf=fail", "dmarc=quarantine"}), "+---");
  EXPECT_EQ(fits({"spf=temperror-servfail"}), "+-+-");
  EXPECT_EQ(fits({"spf=fail"}), "+++-");
}

TEST(ExpectationTest, EveryOutcomeHasASentenceOfReason) {
  for (int k = 0; k < kDimensionCount; ++k) {
    for (const Outcome& o : Outcomes(static_cast<Dimension>(k))) {
      Settings s;
      s.code[k] = o.code;
      EXPECT_TRUE(Expect(s).why.ends_with('.')) << o.word;
    }
  }
}

TEST(MatrixSetsTest, NoMailTwice) {
  for (const MatrixSet& set : MatrixSets()) {
    const std::vector<Settings> all = MatrixOf(set.name);
    EXPECT_FALSE(all.empty()) << set.name;
    for (size_t k = 0; k < all.size(); ++k) {
      EXPECT_TRUE(KnownSettings(all[k]));
      EXPECT_EQ(std::count(all.begin(), all.end(), all[k]), 1) << set.name;
    }
  }
  EXPECT_EQ(MatrixOf("basic").size(), 11u);
  EXPECT_EQ(MatrixOf("spf").size(), Outcomes(kSpf).size());
}

}  // namespace
}  // namespace mz::cli
