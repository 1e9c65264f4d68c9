// See fixture.h.
#include "bench/support/fixture.h"

#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "compiler/build/image_writer.h"
#include "compiler/dataset/compile.h"
#include "server/swap/load.h"

namespace mz::bench {
namespace {

template <typename T>
T OrEnd(StatusOr<T> value) {
  if (!value.ok()) {
    std::fprintf(stderr, "%s\n", std::string(Message(value.status())).c_str());
    std::exit(1);
  }
  return *std::move(value);
}

std::string TemporaryPath() {
  const char* directory = std::getenv("TMPDIR");
  static int serial = 0;
  return std::string(directory != nullptr ? directory : "/tmp") + "/mailzone-micro." + std::to_string(::getpid()) + "." +
         std::to_string(serial++) + ".mzi";
}

class Quiet : public dataset::DiagnosticSink {
 public:
  void Report(dataset::Diagnostic d) override {
    std::fprintf(stderr, "line %u: %s\n", d.line, d.message.c_str());
    std::exit(1);
  }
};

int OpenCounter(uint64_t config) {
  perf_event_attr attr{};
  attr.type = PERF_TYPE_HARDWARE;
  attr.size = sizeof attr;
  attr.config = config;
  attr.exclude_kernel = 1;
  attr.exclude_hv = 1;
  return static_cast<int>(::syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0));
}

struct File {
  std::string path;
  ~File() {
    if (!path.empty()) ::unlink(path.c_str());
  }
};

}  // namespace

Loaded FromModel(const compiler::ImageModel& model) {
  File file{TemporaryPath()};
  compiler::WriteOptions options;
  options.provenance = false;
  options.created_unix = 0;
  OrEnd(compiler::WriteImageFile(model, file.path, options));
  return OrEnd(swap::LoadImageFile(file.path, {.verify_threads = 2}));
}

Loaded FromDataset(std::unique_ptr<compiler::DatasetModel> dataset, compiler::Pool pool) {
  compiler::ImageModel model;
  model.pool = std::move(pool);
  model.datasets.push_back(std::move(dataset));
  compiler::ZoneModel zone;
  zone.apex = kApex;
  zone.text = "bench.test";
  zone.datasets = {0};
  model.zones.push_back(std::move(zone));
  return FromModel(model);
}

Loaded FromText(image::DatasetKind kind, std::string_view text) {
  compiler::Pool pool;
  Quiet sink;
  compiler::CompileOptions options;
  options.provenance = false;
  auto dataset = OrEnd(compiler::CompileText(kind, "bench", text, options, &pool, &sink));
  return FromDataset(std::move(dataset), std::move(pool));
}

std::string FileOf(const image::View& view) {
  static File file;
  if (file.path.empty()) file.path = TemporaryPath();
  std::FILE* out = std::fopen(file.path.c_str(), "wb");
  if (out == nullptr || std::fwrite(view.bytes().data(), 1, view.bytes().size(), out) != view.bytes().size()) {
    std::perror(file.path.c_str());
    std::exit(1);
  }
  std::fclose(out);
  return file.path;
}

const image::View& Cached(const std::string& key, const std::function<Loaded()>& make) {
  static std::string last_key;
  static Loaded last;
  if (last == nullptr || key != last_key) {
    last.reset();
    last = make();
    last_key = key;
  }
  return last->view;
}

const image::DatasetRef& OnlyDataset(const image::View& view) {
  return image::Datasets(view.node(view.zones()[0].node))[0];
}

std::string ScatteredName(uint32_t i) {
  static constexpr std::string_view kDomains[] = {"\3com", "\3net", "\3org", "\7example"};
  std::string label = "x";
  for (uint32_t n = i * 0x9e3779b1u + 0x7f4a7c15u; n != 0; n /= 31) label += "abcdefghijklmnopqrstuvwxyz-0123"[n % 31];
  label += 'y';
  return static_cast<char>(label.size()) + label + std::string(kDomains[i & 3]);
}

Counted::Counted(benchmark::State& state, int64_t items_per_iteration)
    : state_(state), items_(items_per_iteration),
      fds_{OpenCounter(PERF_COUNT_HW_INSTRUCTIONS), OpenCounter(PERF_COUNT_HW_CPU_CYCLES)} {}

Counted::~Counted() {
  const char* names[] = {"instructions", "cycles"};
  const double items = static_cast<double>(state_.iterations() * items_);
  for (size_t i = 0; i < fds_.size(); i++) {
    uint64_t value = 0;
    if (fds_[i] >= 0 && ::read(fds_[i], &value, sizeof value) == sizeof value && items > 0)
      state_.counters[names[i]] = static_cast<double>(value) / items;
    if (fds_[i] >= 0) ::close(fds_[i]);
  }
  state_.SetItemsProcessed(state_.iterations() * items_);
}

}  // namespace mz::bench
