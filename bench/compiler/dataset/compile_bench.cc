// Data files to models, one thread: lines a second for each type of dataset. The text is in memory.
#include <string>

#include "bench/support/fixture.h"
#include "compiler/dataset/compile.h"

namespace mz::bench {
namespace {

class Quiet : public dataset::DiagnosticSink {
 public:
  void Report(dataset::Diagnostic) override { reports++; }
  int reports = 0;
};

std::string Dotted(uint32_t a) {
  return std::to_string(a >> 24) + "." + std::to_string(a >> 16 & 255) + "." + std::to_string(a >> 8 & 255) + "." +
         std::to_string(a & 255);
}
std::string Hex(uint32_t a) {
  char text[16];
  std::snprintf(text, sizeof text, "%x:%x", a >> 16, a & 0xffff);
  return text;
}
std::string Name(uint32_t a) { return "name" + std::to_string(a) + ".example"; }

using Line = std::string (*)(uint32_t);

void BM_CompileText(benchmark::State& state, image::DatasetKind kind, Line line) {
  const auto lines = static_cast<uint32_t>(state.range(0));
  std::string text = "$SOA 3600 ns1.bench.test hostmaster.bench.test 1 10800 3600 604800 3600\n";
  for (uint32_t i = 0; i < lines; i++) {
    if (kind == image::kCombined && i % 250 == 0)
      text += "$DATASET ip4set:s" + std::to_string(i) + " sub" + std::to_string(i) + "\n:127.0.0.2:v=spf1 ip4:$ -all\n";
    text += line(i * 0x9e3779b1u);
  }
  compiler::CompileOptions options;
  options.threads = 1;
  for (auto _ : state) {
    compiler::Pool pool;
    Quiet sink;
    auto dataset = compiler::CompileText(kind, "bench", text, options, &pool, &sink);
    if (!dataset.ok() || sink.reports != 0) state.SkipWithError("the text does not compile");
  }
  state.SetItemsProcessed(state.iterations() * lines);
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(text.size()));
  state.counters["ns_per_line"] = benchmark::Counter(static_cast<double>(state.iterations()) * lines,
                                                     benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
#define MZ_COMPILE(name, kind, line) \
  BENCHMARK_CAPTURE(BM_CompileText, name, kind, line)->ArgName("lines")->Arg(1000)->Arg(1000000)->Unit(benchmark::kMicrosecond)
MZ_COMPILE(ip4set, image::kIp4Set, [](uint32_t a) { return Dotted(a) + "\n"; });
MZ_COMPILE(ip4set_prefixes, image::kIp4Set, [](uint32_t a) { return Dotted(a & 0xffffff00) + "/24 :4:network $\n"; });
MZ_COMPILE(ip4trie, image::kIp4Trie, [](uint32_t a) { return Dotted(a & 0xffffff00) + "/24\n"; });
MZ_COMPILE(ip6trie, image::kIp6Trie, [](uint32_t a) { return "2001:db8:" + Hex(a) + "::/64\n"; });
MZ_COMPILE(dnset, image::kDnset, [](uint32_t a) { return Name(a) + "\n"; });
MZ_COMPILE(generic, image::kGeneric, [](uint32_t a) { return Name(a) + " TXT some text\n"; });
MZ_COMPILE(combined, image::kCombined, [](uint32_t a) { return Dotted(a) + "\n"; });

}  // namespace
}  // namespace mz::bench
