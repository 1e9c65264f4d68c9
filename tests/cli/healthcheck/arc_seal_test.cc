// ARC: the order of the fields and what a seal covers. dkimpy and rspamd verify whole chains in tests/e2e.
#include "cli/healthcheck/arc_seal.h"

#include <gtest/gtest.h>

namespace mz::mail {
namespace {

TEST(ArcSealTest, TwoHopsStandOnTopNewestFirst) {
  const PrivateKey key = PrivateKey::GenerateRsa(1024).value();
  Message m = ParseMessage("From: a@b.example\r\nSubject: s\r\n\r\nbody\r\n").value();
  const ArcSettings hop{.domain = "b.example",
                        .selector = "s",
                        .results = "mx.example; spf=pass",
                        .headers = {"From", "Subject"},
                        .timestamp = 1};
  ASSERT_TRUE(AddArcSet(hop, 1, "none", key, &m).ok());
  const std::string first = m.Text();
  ASSERT_TRUE(AddArcSet(hop, 2, "pass", key, &m).ok());
  ASSERT_EQ(m.fields.size(), 8u);
  const char* kNames[] = {"ARC-Seal", "ARC-Message-Signature", "ARC-Authentication-Results"};
  for (size_t k = 0; k < 6; ++k) {
    EXPECT_EQ(m.fields[k].name, kNames[k % 3]);
    EXPECT_TRUE(m.fields[k].value.starts_with(k < 3 ? " i=2; " : " i=1; ")) << m.fields[k].value;
  }
  EXPECT_NE(m.fields[0].value.find("cv=pass;"), std::string::npos);
  EXPECT_EQ(m.fields[0].value.find(" h="), std::string::npos);  // RFC 8617 section 4.1.3: a seal must not have one
  EXPECT_TRUE(m.Text().ends_with(first));
}

}  // namespace
}  // namespace mz::mail
