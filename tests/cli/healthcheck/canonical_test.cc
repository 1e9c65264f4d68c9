// Canonicalisation: the examples of RFC 6376 section 3.4.5, and the empty and odd bodies of sections 3.4.3
// and 3.4.4.
#include "cli/healthcheck/canonical.h"

#include <gtest/gtest.h>

namespace mz::mail {
namespace {

TEST(CanonicalTest, FieldsOfTheRfcExample) {
  EXPECT_EQ(CanonicalField(Canon::kRelaxed, "A", " X"), "a:X\r\n");
  EXPECT_EQ(CanonicalField(Canon::kRelaxed, "B ", " Y\t\r\n\tZ  "), "b:Y Z\r\n");
  EXPECT_EQ(CanonicalField(Canon::kSimple, "A", " X"), "A: X\r\n");
  EXPECT_EQ(CanonicalField(Canon::kSimple, "B ", " Y\t\r\n\tZ  "), "B : Y\t\r\n\tZ  \r\n");
}

TEST(CanonicalTest, BodyOfTheRfcExample) {
  const std::string body = " C \r\nD \t E\r\n\r\n\r\n";
  EXPECT_EQ(CanonicalBody(Canon::kRelaxed, body), " C\r\nD E\r\n");
  EXPECT_EQ(CanonicalBody(Canon::kSimple, body), " C \r\nD \t E\r\n");
}

TEST(CanonicalTest, EmptyBodies) {
  EXPECT_EQ(CanonicalBody(Canon::kSimple, ""), "\r\n");
  EXPECT_EQ(CanonicalBody(Canon::kRelaxed, ""), "");
  EXPECT_EQ(CanonicalBody(Canon::kSimple, "\r\n\r\n"), "\r\n");
  EXPECT_EQ(CanonicalBody(Canon::kRelaxed, "\r\n\r\n"), "");
  EXPECT_EQ(CanonicalBody(Canon::kRelaxed, "  \t\r\n \r\n"), "");
}

TEST(CanonicalTest, MissingLastLineEndIsAdded) {
  EXPECT_EQ(CanonicalBody(Canon::kSimple, "a"), "a\r\n");
  EXPECT_EQ(CanonicalBody(Canon::kRelaxed, "a "), "a\r\n");
}

TEST(CanonicalTest, BlankAtTheBeginOfALineStaysOneBlank) {
  EXPECT_EQ(CanonicalBody(Canon::kRelaxed, "\t  a\r\n"), " a\r\n");
}

TEST(CanonicalTest, EmptyFieldValue) {
  EXPECT_EQ(CanonicalField(Canon::kRelaxed, "Subject", ""), "subject:\r\n");
  EXPECT_EQ(CanonicalField(Canon::kRelaxed, "Subject", " \r\n "), "subject:\r\n");
}

}  // namespace
}  // namespace mz::mail
