// Damage of the healthcheck section with right checksums: the verifier refuses it, or the server answers from it without harm.
#include <gtest/gtest.h>

#include <random>

#include "format/dns/query_builder.h"
#include "format/image/verify.h"
#include "tests/format/image/image_edit.h"
#include "tests/server/answer/healthcheck_fixture.h"

namespace mz::answer {
namespace {

TEST(HealthcheckMutationTest, RefusedOrHarmless) {
  TestImage image(0);
  AddHealthcheckZone(&image);
  image.Build();
  const image::Bytes good(image.view().bytes().begin(), image.view().bytes().end());
  std::vector<std::string> packets;
  for (const char* words : {"spf=pass dmarc=reject dkim=pass", "spf=pass-cname mx=pass", "spf=pass fault=cname-loop",
                            "spf=pass fault=lame", "spf=pass-tcp fault=oversize", "fault=extra-txt spf=permerror-lookup-limit"})
    for (const char* sub : {"", "_dmarc.", "s1._domainkey.", "c.", "_domainkey."})
      for (const uint16_t type : {dns::kTypeTxt, dns::kTypeMx, dns::kTypeAny})
        packets.push_back(dns::BuildQuery(Wire(sub + HealthcheckIdFor(words) + ".hc.example"), type, 1, {}));
  std::mt19937 random(5);
  int accepted = 0, refused = 0;
  std::vector<uint8_t> buffer(kMaxMessage);
  for (int round = 0; round < 1500; round++) {
    image::Bytes bytes = good;
    const image::SectionEntry& section = image.view().header().sections[image::kHealthcheckData];
    for (uint32_t n = 1 + random() % 2; n > 0; n--) {
      uint8_t& c = bytes[section.offset + random() % section.size];
      c = random() % 2 ? static_cast<uint8_t>(c ^ 1u << random() % 8) : static_cast<uint8_t>(random());
    }
    image::FixChecksums(&bytes);
    const StatusOr<image::View> view = image::Verify(bytes, image::VerifyLevel::kEverything);
    refused += !view.ok();
    if (!view.ok()) continue;
    accepted++;
    for (const std::string& packet : packets) {
      for (const bool tcp : {false, true}) {
        const std::span<uint8_t> room(buffer.data(), tcp ? kMaxMessage : 4096);
        Request r{.wire = {reinterpret_cast<const uint8_t*>(packet.data()), packet.size()},
                  .client = Client::FromV4(1),
                  .tcp = tcp,
                  .now_unix = kHealthcheckNow,
                  .response = room};
        WorkerState state;
        Answer(*view, image.settings, r, state);
        ASSERT_LE(r.response_size, room.size());
      }
    }
  }
  EXPECT_GT(accepted, 100);  // texts and TTLs may be anything
  EXPECT_GT(refused, 100);
}

}  // namespace
}  // namespace mz::answer
