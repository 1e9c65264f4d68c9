// See queries.h.
#include "cli/load/queries.h"

#include <unistd.h>
#include <xxhash.h>

#include "absl/container/flat_hash_map.h"
#include "base/file.h"
#include "format/dns/message.h"
#include "format/dns/query_builder.h"
#include "load/clock.h"

namespace mz::cli {

namespace {

// With random clients, a short file is repeated to so many queries, each with its own.
constexpr size_t kDiverse = 10'000;
constexpr size_t kMaxQueryBytes = 4096;

class Builder {
 public:
  Builder(const LoadArguments& a, LoadQueries* out)
      : a_(a),
        out_(out),
        random_(a.settings.seed * 7 + 3),
        proxied_(a.settings.transport == load::Transport::kUdp && !a.settings.proxy.empty()) {}

  // Whether queries differ in name and type only.
  bool plain() const { return a_.form.padding == 0 && !a_.form.cookie && a_.form.client_subnet.empty(); }
  // Whether two queries for the same name and type differ.
  bool diverse() const { return proxied_ || a_.form.cookie || !a_.form.client_subnet.empty(); }

  // `may_repeat`: the same question may come again, and shall not be stored again.
  void Add(const load::Question& question, bool may_repeat) {
    uint64_t key = 0;
    if (may_repeat && !diverse()) {
      // 64 bits are exact enough: at worst one question is asked in place of another.
      key = XXH3_64bits_withSeed(question.name.data(), question.name.size(), question.type);
      if (const auto it = known_.find(key); it != known_.end()) {
        out_->sequence.push_back(it->second);
        return;
      }
    }
    std::string prefix;
    if (proxied_) {
      const load::Address client = load::DrawAddress(a_.settings.proxy, random_);
      prefix = load::ProxyHeader(client, static_cast<uint16_t>(1024 + random_.Below(64512)), false);
      out_->clients.push_back(client);
    }
    const uint32_t number = out_->pool.Add(prefix, plain() ? PlainMessage(question) : Message(question));
    out_->sequence.push_back(number);
    if (may_repeat && !diverse()) known_.emplace(key, number);
  }

 private:
  // Long files are made of these, so no option list is built for each.
  std::string_view PlainMessage(const load::Question& q) {
    if (frame_.empty()) frame_ = Message({"", 0});
    message_.assign(frame_, 0, dns::kHeaderBytes);
    message_ += q.name;
    message_.append(frame_, dns::kHeaderBytes);
    StoreBe16(message_.data() + dns::kHeaderBytes + q.name.size() + 1, q.type);
    return message_;
  }

  std::string Message(const load::Question& q) {
    dns::QueryOptions options;
    const QueryForm& f = a_.form;
    if (f.recursion_desired) options.flags = dns::kFlagRd;
    if (f.edns) {
      options.edns = dns::EdnsQuery{.udp_bytes = f.edns_bytes,
                                    .flags = f.dnssec_ok ? dns::kEdnsDnssecOk : uint16_t{0},
                                    .options = f.edns_options};
      if (f.cookie) options.edns->options.emplace_back(uint16_t{dns::kOptionCookie}, RandomOctets(8));
      if (!f.client_subnet.empty())
        options.edns->options.emplace_back(uint16_t{dns::kOptionClientSubnet}, Subnet());
    }
    std::string message = dns::BuildQuery(q.name, q.type, dns::kClassIn, options);
    if (f.padding == 0 || !f.edns || message.size() + 4 > kMaxQueryBytes) return message;
    const size_t over = (message.size() + 4) % f.padding;
    options.edns->options.emplace_back(uint16_t{dns::kOptionPadding},
                                       std::string(over == 0 ? 0 : f.padding - over, '\0'));
    return dns::BuildQuery(q.name, q.type, dns::kClassIn, options);
  }

  std::string RandomOctets(size_t n) {
    std::string out;
    while (out.size() < n) out += static_cast<char>(random_.Next());
    return out;
  }

  // RFC 7871 section 6: family, source prefix length, scope 0, the address as far as the prefix goes.
  std::string Subnet() {
    const load::Address a = load::DrawAddress(a_.form.client_subnet, random_);
    const auto bits = static_cast<size_t>(a_.form.client_subnet_bits);
    std::string out{'\0', static_cast<char>(a.is_v4 ? 1 : 2), static_cast<char>(bits), '\0'};
    for (size_t i = 0; i < (bits + 7) / 8; i++) {
      const uint64_t half = a.is_v4 ? uint64_t{a.v4} << 32 : i < 8 ? a.v6.high : a.v6.low;
      auto octet = static_cast<uint8_t>(half >> (56 - 8 * (i % 8)));
      if (8 * i + 8 > bits) octet = static_cast<uint8_t>(octet & ~(0xff >> (bits % 8)));
      out += static_cast<char>(octet);
    }
    return out;
  }

  const LoadArguments& a_;
  LoadQueries* out_;
  load::Random random_;
  bool proxied_;
  absl::flat_hash_map<uint64_t, uint32_t> known_;
  std::string frame_, message_;
};

Status FromFile(const LoadArguments& a, dataset::DiagnosticSink& sink, Builder& builder) {
  const bool standard_input = a.query_file == "-";
  const std::string name = standard_input ? "standard input" : a.query_file;
  StatusOr<std::string> text = standard_input ? ReadAll(STDIN_FILENO, name) : ReadFile(name);
  MZ_RETURN_IF_ERROR(text.status());
  struct Counting : dataset::DiagnosticSink {
    explicit Counting(dataset::DiagnosticSink& next_sink) : next(next_sink) {}
    void Report(dataset::Diagnostic d) override {
      errors++;
      next.Report(std::move(d));
    }
    dataset::DiagnosticSink& next;
    uint64_t errors = 0;
  } counting(sink);
  const std::vector<load::Question> questions = load::ParseQueryFile(*text, name, counting);
  if (counting.errors > 0)
    return MakeStatus(StatusCode::kInvalidArgument,
                      Count(counting.errors, "bad line") + " in " + name + ", nothing was sent");
  if (questions.empty())
    return MakeStatus(StatusCode::kInvalidArgument,
                      name + ": no queries in it; a line is NAME TYPE: 'example.org A'");
  const size_t total = builder.diverse() ? std::max(questions.size(), kDiverse) : questions.size();
  for (size_t i = 0; i < total; i++) builder.Add(questions[i % questions.size()], false);
  return absl::OkStatus();
}

}  // namespace

StatusOr<LoadQueries> MakeLoadQueries(const LoadArguments& a, dataset::DiagnosticSink& sink) {
  LoadQueries out;
  Builder builder(a, &out);
  if (a.image.empty()) {
    MZ_RETURN_IF_ERROR(FromFile(a, sink, builder));
    return out;
  }
  MZ_ASSIGN_OR_RETURN(out.image, OpenImageFile(a.image));
  StatusOr<std::unique_ptr<load::Drawer>> drawer = load::Drawer::Make(out.image->view, a.draw);
  if (!drawer.ok()) return Annotate(drawer.status(), a.image);
  for (size_t i = 0; i < a.pool; i++) builder.Add((*drawer)->Next(), true);
  out.drawn = (*drawer)->counts();
  out.units = (*drawer)->units();
  return out;
}

}  // namespace mz::cli
