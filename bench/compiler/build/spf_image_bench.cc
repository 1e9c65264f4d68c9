// An image of many SPF customers: how long it takes to build, how much memory, how many octets, and what a query
// costs.
//
//   spf_image_bench [CUSTOMERS [FILE]]
//
// The models are generated: 200 providers with 75 IPv4 and 20 IPv6 prefixes each, every customer has 4 of them per
// family and 5 addresses of its own; names have about 22 octets. Queries are half known addresses, half others, to
// random customers, in batches of 32; the same for one customer. Prints one JSON object.
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "base/file.h"
#include "compiler/build/image_writer.h"
#include "compiler/build/spf_model.h"
#include "format/dns/name.h"
#include "format/dns/query_builder.h"
#include "format/image/verify.h"
#include "server/answer/answer.h"

namespace {

using namespace mz;            // NOLINT
using namespace mz::compiler;  // NOLINT

double Now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

long PeakKilobytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

TextId Text(Pool* pool, std::string literal, int hole = -1) {
  TextModel t;
  t.literal = std::move(literal);
  t.flags = image::kTextSpf;
  if (hole >= 0) t.holes.push_back(static_cast<uint16_t>(hole));
  return pool->InternText(t);
}

std::string CustomerName(uint32_t i) {
  char text[32];
  std::snprintf(text, sizeof text, "customer-%08u.com", i);
  return dns::ParseName(text).value();
}

std::shared_ptr<const SpfModel> Customers(uint32_t count, Pool* pool, std::mt19937_64* random) {
  auto m = std::make_shared<SpfModel>();
  m->layouts.push_back({{SpfLayoutPart::kAddressReversed, ""}, {SpfLayoutPart::kDomain, ""}});
  for (const char* text : {"v=spf1 ip4: -all", "v=spf1 ip6: -all", "v=spf1 -all", "v=spf1 ~all"}) {
    SpfProgram p;
    p.outcome = m->programs.size() < 2    ? SpfOutcome::kPass
                : m->programs.size() == 2 ? SpfOutcome::kFail
                                          : SpfOutcome::kSoftfail;
    p.text = Text(pool, text, m->programs.size() < 2 ? 11 : -1);
    m->programs.push_back(p);
  }
  auto below = [&](uint64_t n) { return (*random)() % n; };
  for (int provider = 0; provider < 200; provider++) {
    std::vector<net::Range4> four;
    std::vector<net::Range6> six;
    // Ascending and apart: a place of its own for each.
    for (uint32_t k = 0; k < 75; k++) {
      const auto base = static_cast<net::Ip4>((uint64_t{k} << 32) / 75 + below(1u << 24));
      four.push_back(net::PrefixRange4(base, static_cast<int>(20 + below(13))));
    }
    for (uint32_t k = 0; k < 20; k++)
      six.push_back(net::PrefixRange6({0x2001000000000000 + (uint64_t{k} << 40) + (below(1u << 20) << 16), 0},
                                      static_cast<int>(32 + below(33))));
    m->sets4.push_back(std::move(four));
    m->sets6.push_back(std::move(six));
  }
  m->domains.reserve(count);
  m->names.Reserve(size_t{count} * 23);
  for (uint32_t i = 0; i < count; i++) {
    SpfDomain d;
    d.name = m->names.Add(CustomerName(i));
    std::vector<net::Range4> own;
    for (uint32_t k = 0; k < 5; k++) {
      const auto a = static_cast<net::Ip4>((uint64_t{k} << 32) / 5 + below(1u << 29));
      own.push_back({a, a});
    }
    m->sets4.push_back(std::move(own));
    d.entries4.push_back({static_cast<uint32_t>(m->sets4.size() - 1), 0});
    for (int k = 0; k < 4; k++) {
      const auto provider = static_cast<uint32_t>(below(200));
      d.entries4.push_back({provider, 0});
      d.entries6.push_back({provider, 1});
    }
    d.entries4.shrink_to_fit();
    d.entries6.shrink_to_fit();
    d.default4 = d.default6 = i % 2 ? 2 : 3;
    m->domains.push_back(std::move(d));
  }
  return m;
}

// Nanoseconds for a query, packets made beforehand.
double QueryNanoseconds(const image::View& view, const SpfModel& m, uint32_t customers, std::mt19937_64* random) {
  constexpr size_t kQueries = 1 << 18;
  std::vector<std::string> packets;
  packets.reserve(kQueries);
  const std::string apex = dns::ParseName("_spf.example.net").value();
  for (size_t i = 0; i < kQueries; i++) {
    const auto customer = static_cast<uint32_t>((*random)() % customers);
    net::Ip4 ip = static_cast<net::Ip4>((*random)());
    if (i % 2) {
      const auto& set = m.sets4[m.domains[customer].entries4[(*random)() % 5].set];
      ip = set[(*random)() % set.size()].first;
    }
    std::string name;
    for (int octet = 0; octet < 4; octet++) {
      const std::string label = std::to_string(ip >> (8 * octet) & 255);
      name += static_cast<char>(label.size()) + label;
    }
    packets.push_back(dns::BuildQuery(name + CustomerName(customer) + apex, dns::kTypeTxt, dns::kClassIn, {}));
  }
  std::vector<uint8_t> buffers(answer::kBatch * 512);
  answer::Settings settings;
  std::vector<uint32_t> rotation(view.zones().size());
  answer::WorkerState state{0, rotation};
  double best = 1e9;
  size_t answered = 0;
  for (int round = 0; round < 5; round++) {
    const double start = Now();
    for (size_t i = 0; i < kQueries; i += answer::kBatch) {
      answer::Request batch[answer::kBatch];
      for (size_t k = 0; k < answer::kBatch; k++) {
        batch[k].wire = {reinterpret_cast<const uint8_t*>(packets[i + k].data()), packets[i + k].size()};
        batch[k].response = std::span(buffers).subspan(k * 512, 512);
      }
      answer::AnswerBatch(view, settings, batch, state);
      for (const answer::Request& r : batch) answered += r.outcome.answer_count;
    }
    best = std::min(best, (Now() - start) / kQueries * 1e9);
  }
  if (answered != 5 * kQueries) std::fprintf(stderr, "%zu of %zu queries were answered\n", answered, 5 * kQueries);
  return best;
}

}  // namespace

int main(int argc, char** argv) {
  const auto customers = static_cast<uint32_t>(argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 1000000);
  const std::string path = argc > 2 ? argv[2] : "spf_image_bench.mzi";
  std::mt19937_64 random(1);
  ImageModel model;
  auto d = std::make_unique<DatasetModel>();
  d->kind = image::kSpf;
  d->spec = "spf:bench";
  const double start = Now();
  d->spf = Customers(customers, &model.pool, &random);
  const std::shared_ptr<const SpfModel> spf = d->spf;
  model.datasets.push_back(std::move(d));
  ZoneModel zone;
  zone.apex = dns::ParseName("_spf.example.net").value();
  zone.text = "_spf.example.net";
  zone.datasets = {0};
  model.zones.push_back(zone);
  const double made = Now();
  const long model_kilobytes = PeakKilobytes();
  WriteOptions options;
  options.created_unix = 0;
  StatusOr<BuildResult> built = WriteImageFile(model, path, options);
  if (!built.ok()) {
    std::fprintf(stderr, "%s\n", std::string(Message(built.status())).c_str());
    return 1;
  }
  const double written = Now();
  const long peak = PeakKilobytes();
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  StatusOr<Mapping> mapping = Mapping::MapFd(fd.get(), built->file_bytes, path);
  if (!mapping.ok()) return 1;
  const double before = Now();
  StatusOr<image::View> view = image::Verify(mapping->bytes(), image::VerifyLevel::kEverything, 2);
  if (!view.ok()) return 1;
  const double verified = Now();
  const double all = QueryNanoseconds(*view, *spf, customers, &random);
  const double one = QueryNanoseconds(*view, *spf, 1, &random);
  std::printf(
      "{\"customers\": %u, \"model_s\": %.2f, \"build_s\": %.2f, \"verify_s\": %.2f, \"image_bytes\": %zu, "
      "\"bytes_per_customer\": %.1f, \"model_kb\": %ld, \"peak_kb\": %ld, \"query_ns_random\": %.1f, "
      "\"query_ns_one\": %.1f}\n",
      customers, made - start, written - made, verified - before, mapping->bytes().size(),
      static_cast<double>(mapping->bytes().size()) / customers, model_kilobytes, peak, all, one);
  for (uint32_t i = 0; i < image::kSectionCount; i++)
    std::fprintf(stderr, "section %u: %zu octets\n", i, view->section(static_cast<image::SectionId>(i)).size());
  unlink(path.c_str());
  return 0;
}
