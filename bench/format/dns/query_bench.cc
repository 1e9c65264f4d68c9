// The query parser: a plain query, one with EDNS and options, and messages that do not parse. Sixty-four different packets
// in turn.
#include <vector>

#include "bench/support/fixture.h"
#include "format/dns/name.h"
#include "format/dns/query.h"
#include "format/dns/query_builder.h"

namespace mz::bench {
namespace {

enum Form { kPlain, kEdns, kEdnsOptions, kCutName, kCompressedName, kTwoQuestions, kBadOpt };

std::vector<std::string> Packets(Form form) {
  std::vector<std::string> packets;
  for (int i = 0; i < 64; i++) {
    const std::string name = dns::ParseName(std::to_string(i) + ".2.0.127.customer" + std::to_string(i * 37) +
                                            ".example._spf.bench.test").value();
    dns::QueryOptions options;
    if (form == kEdns || form == kBadOpt) options.edns = dns::EdnsQuery{};
    if (form == kEdnsOptions)  // a cookie, NSID, padding
      options.edns = dns::EdnsQuery{.options = {{10, "\1\2\3\4\5\6\7\10"}, {3, ""}, {12, std::string(20, '\0')}}};
    std::string p = dns::BuildQuery(name, dns::kTypeTxt, dns::kClassIn, options);
    if (form == kCutName) p.resize(40);
    if (form == kCompressedName) p[12] = '\xc0';
    if (form == kTwoQuestions) p[5] = 2;
    if (form == kBadOpt) p[11] = 2, p += p.substr(p.size() - 11);
    packets.push_back(std::move(p));
  }
  return packets;
}

void BM_ParseQuery(benchmark::State& state, Form form, bool good) {
  const std::vector<std::string> packets = Packets(form);
  size_t next = 0, errors = 0;
  dns::Query q;
  {
    Counted counted(state);
    for (auto _ : state) {
      const std::string& p = packets[next];
      next = (next + 1) & 63;
      errors += dns::ParseQuery({reinterpret_cast<const uint8_t*>(p.data()), p.size()}, &q) != dns::QueryError::kNone;
      benchmark::DoNotOptimize(q);
    }
  }
  if ((errors == 0) != good) state.SkipWithError("the packets are not what they should be");
}

BENCHMARK_CAPTURE(BM_ParseQuery, plain, kPlain, true);
BENCHMARK_CAPTURE(BM_ParseQuery, edns, kEdns, true);
BENCHMARK_CAPTURE(BM_ParseQuery, edns_with_options, kEdnsOptions, true);
BENCHMARK_CAPTURE(BM_ParseQuery, name_cut_off, kCutName, false);
BENCHMARK_CAPTURE(BM_ParseQuery, name_compressed, kCompressedName, false);
BENCHMARK_CAPTURE(BM_ParseQuery, two_questions, kTwoQuestions, false);
BENCHMARK_CAPTURE(BM_ParseQuery, second_opt, kBadOpt, false);

}  // namespace
}  // namespace mz::bench
