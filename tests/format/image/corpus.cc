// See corpus.h.
#include "tests/format/image/corpus.h"

#include <set>

#include "format/image/dump.h"
#include "format/image/dump_bind.h"
#include "format/image/verify.h"
#include "tests/format/image/bad_images.h"
#include "tests/format/image/sample_models.h"

namespace mz::image {

std::vector<CorpusFile> MakeCorpus() {
  std::vector<CorpusFile> out;
  for (const std::string& name : SmallSampleNames()) {
    const Bytes image = SampleImage(name);
    out.push_back({"good/" + name + ".mzi", std::string(image.begin(), image.end())});
    StatusOr<View> view = Verify(image, VerifyLevel::kEverything);
    std::string text, bind;
    if (view.ok()) {
      Dump(*view, [&](std::string_view lines) { text += lines; });
      DumpBind(*view, {"now", "mailzone"}, [&](std::string_view lines) { bind += lines; });
    }
    out.push_back({"good/" + name + ".dump", text});
    out.push_back({"good/" + name + ".bind", bind});
  }
  // One file for each thing that can be wrong is enough: the tests make the others afresh.
  std::set<std::string> reasons;
  for (const BadImage& bad : BadImages()) {
    if (!bad.stored) continue;
    const Bytes image = bad.make(SampleImage(bad.sample));
    StatusOr<View> view = Verify(image, VerifyLevel::kEverything);
    const std::string message = view.ok() ? "accepted" : std::string(Message(view.status()));
    if (!reasons.insert(message.substr(0, message.find(" at offset "))).second) continue;
    out.push_back({"bad/" + bad.name + ".mzi", std::string(image.begin(), image.end())});
    out.push_back({"bad/" + bad.name + ".txt", message + "\n"});
  }
  return out;
}

}  // namespace mz::image
