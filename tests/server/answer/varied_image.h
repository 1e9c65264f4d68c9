// One image with every kind of dataset, and an endless seeded stream of requests that reach all of it:
// listed, unlisted, malformed, with and without EDNS. Shared by the tests that need variety rather than
// meaning.
#pragma once

#include <random>
#include <string>

#include "answer_fixture.h"

namespace mz::answer {

// `more_zones`: z0.example, z1.example ... besides the zones that matter; over 256 in all, zones are looked
// up in stages.
TestImage MakeVariedImage(uint32_t profile, int more_zones = 400);

class RequestStream {
 public:
  explicit RequestStream(uint32_t seed) : random_(seed) {}
  std::string NextPacket();
  Client NextClient();
  bool NextIsTcp() { return Below(8) == 0; }

 private:
  uint32_t Below(uint32_t n) { return static_cast<uint32_t>(random_() % n); }
  std::string NextName();
  std::string NextSpfName();
  std::string NextHealthcheckName();

  std::mt19937 random_;
};

}  // namespace mz::answer
