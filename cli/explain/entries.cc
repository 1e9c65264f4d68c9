// See entries.h.
#include "cli/explain/entries.h"

#include <algorithm>

#include "format/dns/name.h"
#include "format/image/provenance.h"

namespace mz::cli {
namespace {

constexpr size_t kMostCandidates = 100'000;  // of one address or name; more are only counted
constexpr size_t kMostShown = 20;

struct Candidate {
  std::string entry;
  uint32_t line = 0;
  uint16_t file = 0;
  bool exclusion = false;
  int rank = 0;  // the highest rank decides
};

template <typename Address>
bool Covers(const Address& first, const Address& last, const Address& address) {
  return first <= address && address <= last;
}

// ip4set cuts every range into aligned /8, /16, /24 and /32 pieces: the piece of this range that the address lies in.
int PieceLength(const net::Range4& range, net::Ip4 address) {
  for (int length : {8, 16, 24}) {
    net::Range4 piece = net::PrefixRange4(address, length);
    if (range.first <= piece.first && piece.last <= range.last) return length;
  }
  return 32;
}

// The length of a range that is one prefix.
int PrefixLength(const net::Range4& range) {
  net::Ip4 host_bits = range.first ^ range.last;
  return host_bits == 0 ? 32 : __builtin_clz(host_bits);
}
int PrefixLength(const net::Range6& range) {
  uint64_t high = range.first.high ^ range.last.high, low = range.first.low ^ range.last.low;
  if (high != 0) return __builtin_clzll(high);
  return low != 0 ? 64 + __builtin_clzll(low) : 128;
}

class Collector : public image::ProvenanceVisitor {
 public:
  std::vector<Candidate> candidates;
  uint64_t uncounted = 0;

 protected:
  void Add(Candidate c) {
    if (candidates.size() < kMostCandidates)
      candidates.push_back(std::move(c));
    else
      uncounted++;
  }
};

class Collector4 : public Collector {
 public:
  Collector4(uint8_t kind, net::Ip4 address) : kind_(kind), address_(address) {}
  using Collector::Visit;
  void Visit(const image::ProvenanceEntry4& e) override {
    if (!Covers(e.range.first, e.range.last, address_)) return;
    int rank = kind_ == image::kIp4Set ? PieceLength(e.range, address_) : PrefixLength(e.range);
    Add({net::RangeText(e.range), e.line, e.file, e.exclusion, rank});
  }

 private:
  uint8_t kind_;
  net::Ip4 address_;
};

class Collector6 : public Collector {
 public:
  explicit Collector6(const net::Ip6& address) : address_(address) {}
  using Collector::Visit;
  void Visit(const image::ProvenanceEntry6& e) override {
    if (!Covers(e.range.first, e.range.last, address_)) return;
    Add({net::RangeText(e.range), e.line, e.file, e.exclusion, PrefixLength(e.range)});
  }

 private:
  net::Ip6 address_;
};

class NameCollector : public Collector {
 public:
  explicit NameCollector(std::string_view name) : name_(name) {}
  using Collector::Visit;
  void Visit(const image::ProvenanceEntryName& e) override {
    std::string text = e.name.empty() ? "@" : dns::NameText(e.name);
    if (!e.wild && e.name == name_)
      Add({text, e.line, e.file, e.exclusion, 1000});  // an exact entry beats every wildcard
    else if (e.wild && e.name.size() < name_.size() && dns::EndsWith(name_, e.name))
      Add({"*." + text, e.line, e.file, e.exclusion, dns::CountLabels(e.name)});
  }

 private:
  std::string_view name_;
};

std::string Role(uint8_t kind, const Candidate& c, const Candidate& winner, bool same_rank) {
  if (!same_rank) {
    if (kind == image::kDnset) return winner.rank == 1000 ? "hidden by an exact entry" : "hidden by a longer wildcard";
    return kind == image::kIp4Set ? "hidden by an entry for a smaller block" : "hidden by a longer prefix";
  }
  if (winner.exclusion && !c.exclusion) return "taken out by an exclusion";
  return "repeats an earlier entry";
}

FoundEntries Rank(uint8_t kind, Collector& found) {
  FoundEntries out;
  std::vector<Candidate>& all = found.candidates;
  if (all.empty()) return out;
  int best = std::max_element(all.begin(), all.end(), [](const Candidate& a, const Candidate& b) {
               return a.rank < b.rank;
             })->rank;
  // Tries keep the first of equal prefixes, sets let an exclusion win and else answer with all values together.
  bool trie = kind == image::kIp4Trie || kind == image::kIp6Trie || kind == image::kAcl;
  bool single = trie || kind == image::kIp4Tset || kind == image::kIp6Tset;
  const Candidate* winner = nullptr;
  for (const Candidate& c : all) {
    if (c.rank != best) continue;
    if (winner == nullptr || (!trie && c.exclusion && !winner->exclusion)) winner = &c;
  }
  for (const Candidate& c : all) {
    bool same = c.rank == best;
    bool decides = &c == winner || (same && !single && c.exclusion == winner->exclusion);
    ExplainedEntry e;
    e.file = std::to_string(c.file);
    e.line = c.line;
    e.entry = c.entry;
    e.exclusion = c.exclusion;
    e.decides = decides;
    e.role = decides ? (c.exclusion ? "excludes" : "decides") : Role(kind, c, *winner, same);
    out.entries.push_back(std::move(e));
  }
  std::stable_sort(out.entries.begin(), out.entries.end(),
                   [](const ExplainedEntry& a, const ExplainedEntry& b) { return a.decides > b.decides; });
  out.hidden = found.uncounted;
  if (out.entries.size() > kMostShown) {
    out.hidden += out.entries.size() - kMostShown;
    out.entries.resize(kMostShown);
  }
  return out;
}

}  // namespace

StatusOr<FoundEntries> EntriesOf(const image::View& view, const image::DatasetRef& dataset, net::Ip4 address) {
  Collector4 found(dataset.kind, address);
  MZ_RETURN_IF_ERROR(image::ForEachProvenance(view, dataset.meta, &found));
  return Rank(dataset.kind, found);
}

StatusOr<FoundEntries> EntriesOf(const image::View& view, const image::DatasetRef& dataset, const net::Ip6& address) {
  Collector6 found(address);
  MZ_RETURN_IF_ERROR(image::ForEachProvenance(view, dataset.meta, &found));
  return Rank(dataset.kind, found);
}

StatusOr<FoundEntries> EntriesOf(const image::View& view, const image::DatasetRef& dataset, std::string_view name) {
  NameCollector found(name);
  MZ_RETURN_IF_ERROR(image::ForEachProvenance(view, dataset.meta, &found));
  return Rank(dataset.kind, found);
}

}  // namespace mz::cli
