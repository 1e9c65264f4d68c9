// The verifier accepts what the writer makes.
#include "format/image/verify.h"

#include <gtest/gtest.h>

#include "tests/format/image/sample_models.h"

namespace mz::image {
namespace {

TEST(VerifyTest, AcceptsEverySample) {
  for (const std::string& name : SampleNames()) {
    std::vector<uint8_t> image = SampleImage(name);
    for (int threads : {1, 3}) {
      StatusOr<View> view = Verify(image, VerifyLevel::kEverything, threads);
      EXPECT_TRUE(view.ok()) << name << ": " << Message(view.status());
    }
  }
}

}  // namespace
}  // namespace mz::image
