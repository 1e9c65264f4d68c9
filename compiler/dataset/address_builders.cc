// Builders of ip4set, ip4tset, ip4trie, ip6tset, ip6trie and acl.
#include "compiler/dataset/address_builders.h"

#include <algorithm>

#include "absl/container/flat_hash_set.h"
#include "compiler/dataset/interval_sweep.h"
#include "compiler/dataset/ip4set_map.h"

namespace mz::compiler {
namespace {

using dataset::Entry4;
using dataset::Entry6;
using dataset::kExclusion;

constexpr uint32_t kExcludedCode = ~0u;

// rbldnsd's figures of a trie. Its node kinds are internals of its structure; for other shapes than the empty and the
// single-entry trie they are not reproduced.
std::string TrieCounts(size_t entries) {
  return "ents=" + std::to_string(entries) + " tbm=" + (entries == 0 ? "1" : "0") + " lc=" + std::to_string(entries) +
         " mem=1k free=0 waste=0";
}

class Provenance4 {
 public:
  Provenance4(const CompileOptions& options, DatasetModel* model) : model_(options.provenance ? model : nullptr) {}
  void Add(const BlockInput& input) {
    for (const Entry4& e : input.block->entries4) AddEntry(input, e);
  }
  void AddEntry(const BlockInput& input, const Entry4& e) {
    if (model_)
      model_->provenance4.push_back({e.first, e.last, input.Line(e.line), input.file, (e.value & kExclusion) != 0});
  }

 private:
  DatasetModel* model_;
};

// Addresses in the order of the file. The map is made of them, and the provenance refers to them.
class AddressLog {
 public:
  AddressLog(const CompileOptions& options, DatasetModel* model) : list_(&model->provenance4), keep_(options.provenance) {}
  void Expect(const dataset::ParsedBlock& block, double times) {
    list_->ReserveAddresses(Expected(block.addresses.size(), times));
  }
  // Calls entry(e) for every entry and run(index of the first address, addresses, local value) for every run, in order.
  template <typename OnEntry, typename OnRun>
  void Add(const BlockInput& input, OnEntry entry, OnRun run) {
    const std::vector<Entry4>& entries = input.block->entries4;
    size_t next = 0;
    auto take_entries = [&](size_t end) {
      for (; next < end; ++next) {
        const Entry4& e = entries[next];
        entry(e);
        if (keep_) list_->push_back({e.first, e.last, input.Line(e.line), input.file, (e.value & kExclusion) != 0});
      }
    };
    for (size_t i = 0; i < input.block->runs.size(); ++i) {
      const dataset::AddressRun& r = input.block->runs[i];
      take_entries(r.entry);
      const std::span<const net::Ip4> addresses = input.block->RunAddresses(i);
      const size_t at = list_->Keep(addresses);
      run(at, addresses.size(), r.value);
      if (keep_) list_->AddRun(at, addresses.size(), input.Line(r.line), input.file);
    }
    take_entries(entries.size());
  }
  std::span<const net::Ip4> addresses() const { return list_->addresses(); }
  // The map is made.
  void Finish() {
    if (!keep_) *list_ = {};
  }

 private:
  ProvenanceList4* list_;
  bool keep_;
};

class Provenance6 {
 public:
  Provenance6(const CompileOptions& options, DatasetModel* model) : model_(options.provenance ? model : nullptr) {}
  void Add(const BlockInput& input) {
    if (!model_) return;
    for (const Entry6& e : input.block->entries6) {
      net::Range6 range = net::PrefixRange6(e.address, e.bits);
      model_->provenance6.push_back(
          {range.first, range.last, input.Line(e.line), input.file, (e.value & kExclusion) != 0});
    }
  }

 private:
  DatasetModel* model_;
};

class Ip4SetBuilder : public DatasetBuilder {
 public:
  Ip4SetBuilder(const CompileOptions& options, DatasetModel* model) : log_(options, model) {}
  void Expect(const dataset::ParsedBlock& block, double times) override {
    log_.Expect(block, times);
    map_.Reserve(Expected(block.entries4.size(), times));
  }
  Status Add(const BlockInput& input) override {
    log_.Add(
        input,
        [&](const Entry4& e) {
          if (e.value & kExclusion)
            map_.AddExclusion(e.first, e.last);
          else if (e.first == e.last)
            map_.AddSingle(e.first, input.values[e.value]);
          else
            map_.AddRange(e.first, e.last, input.values[e.value]);
        },
        [&](size_t at, size_t count, uint32_t value) { map_.AddSingles(at, count, input.values[value]); });
    entries_ += input.block->entries4.size() + input.block->addresses.size();
    return absl::OkStatus();
  }
  Status Finish(const FinishContext& context, DatasetModel* model) override {
    model->map4 = map_.Build(context.results, context.threads, log_.addresses());
    log_.Finish();
    const auto& n = map_.piece_counts();
    model->counts = "e32/24/16/8=" + std::to_string(n[0]) + "/" + std::to_string(n[1]) + "/" + std::to_string(n[2]) +
                    "/" + std::to_string(n[3]);
    model->entries = entries_;
    return absl::OkStatus();
  }

 private:
  AddressLog log_;
  Ip4SetMap map_;
  uint64_t entries_ = 0;
};

// An ip4set of single addresses whose one value is known only at the end.
class Ip4TsetBuilder : public DatasetBuilder {
 public:
  Ip4TsetBuilder(const CompileOptions& options, DatasetModel* model) : log_(options, model) {}
  void Expect(const dataset::ParsedBlock& block, double times) override {
    log_.Expect(block, times);
    map_.Reserve(Expected(block.entries4.size(), times));
  }
  Status Add(const BlockInput& input) override {
    log_.Add(
        input, [&](const Entry4& e) { map_.AddSingle(e.first, ValueTable::kBuiltin); },
        [&](size_t at, size_t count, uint32_t) { map_.AddSingles(at, count, ValueTable::kBuiltin); });
    return absl::OkStatus();
  }
  Status Finish(const FinishContext& context, DatasetModel* model) override {
    model->map4 = map_.Build(context.results, context.threads, log_.addresses());
    log_.Finish();
    if (!model->map4.empty()) {
      const ResultId listed = context.results->Single(context.tset_value);
      for (Interval4& interval : model->map4)
        if (interval.result != 0) interval.result = listed;
    }
    model->entries = map_.piece_counts()[0];
    model->counts = "cnt=" + std::to_string(model->entries);
    return absl::OkStatus();
  }

 private:
  AddressLog log_;
  Ip4SetMap map_;
};

class Ip6TsetBuilder : public DatasetBuilder {
 public:
  Ip6TsetBuilder(const CompileOptions& options, DatasetModel* model) : provenance_(options, model) {}
  Status Add(const BlockInput& input) override {
    for (const Entry6& e : input.block->entries6) {
      if (e.value & kExclusion)
        exclusions_.push_back(e.address);
      else
        networks_.push_back(e.address.high);
    }
    provenance_.Add(input);
    return absl::OkStatus();
  }
  Status Finish(const FinishContext& context, DatasetModel* model) override {
    Unique(&networks_);
    Unique(&exclusions_);
    if (!networks_.empty()) {
      // An exclusion of an address that is not listed changes nothing.
      const ResultId listed = context.results->Single(context.tset_value);
      std::vector<PrefixEntry<net::Ip6>> entries;
      entries.reserve(networks_.size() + exclusions_.size());
      for (uint64_t n : networks_) entries.push_back({{n, 0}, {n, ~0ull}, listed});
      for (const net::Ip6& e : exclusions_) entries.push_back({e, e, 0});
      model->map6 = SweepPrefixes<Interval6>(&entries);
    }
    model->counts = "cnt=" + std::to_string(networks_.size()) + " exl=" + std::to_string(exclusions_.size());
    model->entries = networks_.size() + exclusions_.size();
    return absl::OkStatus();
  }

 private:
  template <typename T>
  static void Unique(std::vector<T>* v) {
    std::sort(v->begin(), v->end());
    v->erase(std::unique(v->begin(), v->end()), v->end());
  }
  Provenance6 provenance_;
  std::vector<uint64_t> networks_;
  std::vector<net::Ip6> exclusions_;
};

// The prefixes of one address family: the first of equal ones stays.
template <typename Address, typename Interval>
class Trie {
 public:
  // False: there is an entry for this prefix already.
  bool Add(const Address& first, const Address& last, uint32_t code) {
    if (!seen_.insert(Key(first, last)).second) return false;
    entries_.push_back({first, last, code});
    return true;
  }
  size_t size() const { return entries_.size(); }
  BigVector<Interval> Build(ResultMap* results) {
    seen_ = {};
    for (auto& e : entries_) e.result = e.result == kExcludedCode ? 0 : results->Single(e.result);
    return SweepPrefixes<Interval>(&entries_);
  }

 private:
  static uint64_t Key(net::Ip4 first, net::Ip4 last) { return uint64_t{first} << 32 | last; }
  static std::pair<std::pair<uint64_t, uint64_t>, std::pair<uint64_t, uint64_t>> Key(const net::Ip6& first,
                                                                                    const net::Ip6& last) {
    return {{first.high, first.low}, {last.high, last.low}};
  }
  absl::flat_hash_set<decltype(Key(Address(), Address()))> seen_;
  std::vector<PrefixEntry<Address>> entries_;  // result: the code until Build
};
using Trie4 = Trie<net::Ip4, Interval4>;
using Trie6 = Trie<net::Ip6, Interval6>;

int PrefixLength(net::Ip4 first, net::Ip4 last) {
  net::Ip4 host = last - first;
  return host == 0 ? 32 : __builtin_clz(host);
}

uint32_t EntryCode(const BlockInput& input, uint32_t value) {
  return value & kExclusion ? kExcludedCode : input.Code(value);
}

void AddToTrie(const BlockInput& input, const Entry4& e, Trie4* trie) {
  if (trie->Add(e.first, e.last, EntryCode(input, e.value))) return;
  input.events->Duplicate(e.line, net::ToString(e.first) + "/" + std::to_string(PrefixLength(e.first, e.last)));
}

void AddToTrie(const BlockInput& input, const Entry6& e, Trie6* trie) {
  net::Range6 range = net::PrefixRange6(e.address, e.bits);
  if (trie->Add(range.first, range.last, EntryCode(input, e.value))) return;
  input.events->Duplicate(e.line, net::ToString(e.address) + "/" + std::to_string(e.bits));
}

class Ip4TrieBuilder : public DatasetBuilder {
 public:
  Ip4TrieBuilder(const CompileOptions& options, DatasetModel* model) : provenance_(options, model) {}
  Status Add(const BlockInput& input) override {
    for (const Entry4& e : input.block->entries4) AddToTrie(input, e, &trie_);
    provenance_.Add(input);
    return absl::OkStatus();
  }
  Status Finish(const FinishContext& context, DatasetModel* model) override {
    model->counts = TrieCounts(trie_.size());
    model->entries = trie_.size();
    model->map4 = trie_.Build(context.results);
    return absl::OkStatus();
  }

 private:
  Provenance4 provenance_;
  Trie4 trie_;
};

class Ip6TrieBuilder : public DatasetBuilder {
 public:
  Ip6TrieBuilder(const CompileOptions& options, DatasetModel* model) : provenance_(options, model) {}
  Status Add(const BlockInput& input) override {
    for (const Entry6& e : input.block->entries6) AddToTrie(input, e, &trie_);
    provenance_.Add(input);
    return absl::OkStatus();
  }
  Status Finish(const FinishContext& context, DatasetModel* model) override {
    model->counts = TrieCounts(trie_.size());
    model->entries = trie_.size();
    model->map6 = trie_.Build(context.results);
    return absl::OkStatus();
  }

 private:
  Provenance6 provenance_;
  Trie6 trie_;
};

class AclBuilder : public DatasetBuilder {
 public:
  AclBuilder(const CompileOptions& options, DatasetModel* model)
      : provenance4_(options, model), provenance6_(options, model) {}
  Status Add(const BlockInput& input) override {
    // Both kinds by line, so that duplicates are reported in order.
    const auto& v4 = input.block->entries4;
    const auto& v6 = input.block->entries6;
    for (size_t i = 0, j = 0; i < v4.size() || j < v6.size();) {
      if (j == v6.size() || (i < v4.size() && v4[i].line < v6[j].line))
        AddToTrie(input, v4[i++], &trie4_);
      else
        AddToTrie(input, v6[j++], &trie6_);
    }
    provenance4_.Add(input);
    provenance6_.Add(input);
    return absl::OkStatus();
  }
  Status Finish(const FinishContext& context, DatasetModel* model) override {
    model->counts = "loaded";
    model->extra_load_lines = {"ip4 trie: " + TrieCounts(trie4_.size()), "ip6 trie: " + TrieCounts(trie6_.size())};
    model->entries = trie4_.size() + trie6_.size();
    model->map4 = trie4_.Build(context.results);
    model->map6 = trie6_.Build(context.results);
    return absl::OkStatus();
  }

 private:
  Provenance4 provenance4_;
  Provenance6 provenance6_;
  Trie4 trie4_;
  Trie6 trie6_;
};

}  // namespace

std::unique_ptr<DatasetBuilder> MakeAddressBuilder(image::DatasetKind kind, const CompileOptions& options,
                                                   DatasetModel* model) {
  switch (kind) {
    case image::kIp4Set: return std::make_unique<Ip4SetBuilder>(options, model);
    case image::kIp4Tset: return std::make_unique<Ip4TsetBuilder>(options, model);
    case image::kIp4Trie: return std::make_unique<Ip4TrieBuilder>(options, model);
    case image::kIp6Tset: return std::make_unique<Ip6TsetBuilder>(options, model);
    case image::kIp6Trie: return std::make_unique<Ip6TrieBuilder>(options, model);
    case image::kAcl: return std::make_unique<AclBuilder>(options, model);
    default: return nullptr;
  }
}

}  // namespace mz::compiler
