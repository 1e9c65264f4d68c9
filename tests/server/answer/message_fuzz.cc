// Any packet, from any client, through the answer path of a fixed image in both profiles: every reply keeps
// the invariants of CheckReply(), and is the general path's. The first octet picks image, profile and transport, the rest
// is the packet.
#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "express_image.h"
#include "varied_image.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mz;
  using namespace mz::answer;
  static TestImage* images[4] = {
      new TestImage(MakeVariedImage(0)), new TestImage(MakeVariedImage(image::kProfileRbldnsd)),
      new TestImage(MakeExpressImage(0)), new TestImage(MakeExpressImage(image::kProfileRbldnsd))};
  if (size == 0) return 0;
  TestImage& image = *images[(data[0] & 1) | (data[0] >> 3 & 2)];
  const bool tcp = (data[0] & 2) != 0;
  static const uint8_t kId[] = {'n', 'o', 'd', 'e'};
  image.settings.server_id = image.settings.version = kId;
  // Exactly sized copies, so that a sanitizer sees every octet too many.
  std::vector<uint8_t> wire(data + 1, data + size);
  std::vector<uint8_t> buffer(tcp ? kMaxMessage : (data[0] & 4) ? 512 : 1500);
  std::vector<uint8_t> pair_buffer(buffer.size());
  std::vector<uint32_t> rotation(image.view().zones().size()), general_rotation(rotation.size());
  WorkerState state{data[0], rotation}, general_state{data[0], general_rotation};
  const Client client = (data[0] & 8) ? Client::FromV4(0xc0000200u | data[0]) : Client::FromV4(0x01020304);
  Request alone{.wire = wire, .client = client, .tcp = tcp, .now_unix = 1, .response = buffer};
  Answer(image.view(), image.settings, alone, state);
  const std::string wrong = CheckReply({reinterpret_cast<const char*>(wire.data()), wire.size()}, tcp,
                                       image.settings.max_udp_bytes, alone);
  if (!wrong.empty()) {
    std::fprintf(stderr, "%s\n", wrong.c_str());
    std::abort();
  }
  // Twice in a batch, which knows the zone by now: prefetching and the express lane take the same bytes.
  Request pair[2] = {alone, alone};
  pair[0].response = pair[1].response = pair_buffer;
  AnswerBatch(image.view(), image.settings, pair, state);
  Request general = alone;
  general.response = buffer;
  for (int i = 0; i < 3; i++) AnswerGenerally(image.view(), image.settings, general, general_state);
  if (pair[0].response_size != alone.response_size || pair[1].response_size != alone.response_size ||
      general.response_size != alone.response_size || rotation != general_rotation ||
      !std::equal(buffer.begin(), buffer.begin() + static_cast<ptrdiff_t>(general.response_size), pair_buffer.begin()))
    std::abort();
  return 0;
}
