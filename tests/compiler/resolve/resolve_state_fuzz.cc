// Any text as a recording and as a state: refused or read, and what was read survives being written and read again.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "compiler/resolve/resolver.h"
#include "compiler/resolve/store.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mz::resolve;
  constexpr int64_t kNow = 1'700'000'000;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  [[maybe_unused]] auto replay = MakeReplayResolverFromText(text, "fuzz");
  Store store{StorePolicy{}};
  if (!store.LoadText(text, "fuzz", kNow).ok()) return 0;
  const std::string written = store.SaveText();
  Store again{StorePolicy{}};
  MZ_CHECK(again.LoadText(written, "fuzz", kNow).ok());
  MZ_CHECK(again.SaveText() == written);
  // Every state can go on: a failure, a disappearance, other data.
  std::vector<Question> questions;
  again.ForEach([&](const StoredNode& n) { questions.push_back(n.question); });
  for (const Question& q : questions) {
    again.Want(q);
    Answer answer;
    again.Update(q, answer, kNow + 1);
    answer.kind = Answer::kNxDomain;
    again.Update(q, answer, kNow + 2);
    answer.kind = Answer::kData;
    answer.rdata = {"x"};
    again.Update(q, answer, kNow + 3);
  }
  MZ_CHECK(again.LoadText(again.SaveText(), "fuzz", kNow).ok());
  return 0;
}
