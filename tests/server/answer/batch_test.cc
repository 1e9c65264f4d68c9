// A batch gives what its requests give one by one on the general path, octet for octet, whatever its size; and every
// reply keeps the invariants.
#include <gtest/gtest.h>

#include <map>

#include "varied_image.h"

namespace mz::answer {
namespace {

class BatchTest : public ::testing::TestWithParam<std::tuple<uint32_t, int>> {
 protected:
  TestImage Make() { return MakeVariedImage(std::get<0>(GetParam()), std::get<1>(GetParam())); }
};
INSTANTIATE_TEST_SUITE_P(ProfilesAndZones, BatchTest,
                         ::testing::Combine(::testing::Values(0, image::kProfileRbldnsd),
                                            ::testing::Values(0, 400)));

struct Exchange {
  std::string packet;
  std::vector<uint8_t> buffer;
  Request request;
};

void Fill(RequestStream& stream, Exchange* e) {
  e->packet = stream.NextPacket();
  e->request = Request{};
  e->request.wire = {reinterpret_cast<const uint8_t*>(e->packet.data()), e->packet.size()};
  e->request.client = stream.NextClient();
  e->request.tcp = stream.NextIsTcp();
  e->request.now_unix = 1000;
  e->buffer.assign(e->request.tcp ? kMaxMessage : 4096, 0);
  e->request.response = e->buffer;
}

TEST_P(BatchTest, EqualsOneByOne) {
  TestImage image = Make();
  const std::string id = "node";
  image.settings.server_id =
      image.settings.version = {reinterpret_cast<const uint8_t*>(id.data()), id.size()};
  std::vector<uint32_t> rotation_a(image.view().zones().size()), rotation_b(rotation_a.size());
  WorkerState a{0, rotation_a}, b{0, rotation_b};
  RequestStream stream(11), again(11);
  std::map<std::string, int> seen;
  std::mt19937 sizes(3);
  for (int round = 0; round < 600; round++) {
    const size_t n = 1 + sizes() % (2 * kBatch + 5);
    std::vector<Exchange> batch(n), single(n);
    std::vector<Request> requests;
    for (size_t i = 0; i < n; i++) {
      Fill(stream, &batch[i]);
      Fill(again, &single[i]);
      requests.push_back(batch[i].request);
    }
    AnswerBatch(image.view(), image.settings, requests, a);
    for (size_t i = 0; i < n; i++) {
      Request& one = single[i].request;
      AnswerGenerally(image.view(), image.settings, one, b);
      ASSERT_EQ(requests[i].response_size, one.response_size);
      ASSERT_TRUE(std::equal(batch[i].buffer.begin(),
                             batch[i].buffer.begin() + static_cast<ptrdiff_t>(one.response_size),
                             single[i].buffer.begin()));
      ASSERT_EQ(requests[i].outcome.zone, one.outcome.zone);
      ASSERT_EQ(requests[i].outcome.kind, one.outcome.kind);
      ASSERT_EQ(CheckReply(single[i].packet, one.tcp, image.settings.max_udp_bytes, one), "");
      seen[one.outcome.kind == Outcome::kDropped ? "drop" : std::to_string(one.outcome.rcode)]++;
      if (one.outcome.answer_count > 1) seen["several"]++;
      if (one.response_size > 2 && single[i].buffer[2] & 2) seen["tc"]++;
      if (one.response_size > 1500) seen["long"]++;
    }
  }
  // The stream reaches what it is meant to reach.
  for (const char* kind : {"drop", "0", "2", "3", "4", "5", "16", "several", "tc", "long"})
    EXPECT_GT(seen[kind], 10) << kind;
  EXPECT_EQ(a.record_rotation, b.record_rotation);
  EXPECT_GT(a.record_rotation, 0u);
  EXPECT_EQ(rotation_a, rotation_b);
}

TEST_P(BatchTest, AnEmptyBatchIsNothing) {
  TestImage image = Make();
  AnswerBatch(image.view(), image.settings, {}, image.state());
}

}  // namespace
}  // namespace mz::answer
