// See tree.h.
#include "compiler/spf/tree.h"

#include <algorithm>

#include "absl/container/flat_hash_map.h"
#include "compiler/spf/read_record.h"
#include "compiler/spf/wire_names.h"
#include "format/dns/name.h"
#include "format/spf/macro.h"

namespace mz::compiler::spf {
namespace {

using mz::spf::Mechanism;
using mz::spf::Term;
using resolve::Answer;

constexpr uint32_t kMost = 1'000'000'000;  // counts stop here: repeated includes multiply

uint32_t Sum(uint32_t a, uint32_t b) { return std::min(a + b, kMost); }

class Walker {
 public:
  Walker(AnswerSource* source, const Limits& limits, size_t limit) : source_(source), limits_(limits), limit_(limit) {}

  // Depth is bounded by Limits::depth. Returns the index of the line, or `limit_` when there is no room.
  size_t Visit(const RecordKey& key, std::string via, int depth) {
    const size_t index = Add(TreeLine::kRecord, depth, key, std::move(via));
    if (index == limit_) return index;
    auto [it, fresh] = seen_.try_emplace(key, Seen{});
    if (!fresh) {
      lines_[index].repeated = true;
      lines_[index].total_lookups = it->second.lookups;
      if (it->second.running) lines_[index].problem = "permerror: leads back to itself";
      return index;
    }
    const RecordRead read = ReadRecord(source_, key.owner);
    lines_[index].text = read.text;
    lines_[index].problem = read.problem;
    if (read.ok && depth < static_cast<int>(limits_.depth)) Terms(read, key, depth, index);
    seen_[key] = {false, lines_[index].total_lookups};
    return index;
  }

  std::vector<TreeLine> Take() { return std::move(lines_); }

 private:
  struct Seen {
    bool running = true;
    uint32_t lookups = 0;
  };

  size_t Add(TreeLine::Kind kind, int depth, RecordKey key, std::string via) {
    if (lines_.size() >= limit_) return limit_;
    TreeLine line;
    line.kind = kind;
    line.depth = depth;
    line.key = std::move(key);
    line.via = std::move(via);
    lines_.push_back(std::move(line));
    return lines_.size() - 1;
  }

  void Terms(const RecordRead& read, const RecordKey& key, int depth, size_t index) {
    const std::string domain = RawText(key.domain);
    for (const Term& t : read.record.terms) {
      const std::string via = read.text.substr(t.column - 1, t.length);
      switch (t.mechanism) {
        case Mechanism::kAll:
          return Total(index);  // nothing behind it counts, and no redirect
        case Mechanism::kIp4:
          lines_[index].prefixes4++;
          break;
        case Mechanism::kIp6:
          lines_[index].prefixes6++;
          break;
        case Mechanism::kInclude:
          lines_[index].lookups++;
          Follow(*t.domain, domain, via, depth, index);
          break;
        default:
          lines_[index].lookups++;
          Leaf(t, domain, via, depth, index);
          break;
      }
    }
    if (const auto& redirect = read.record.redirect) {
      lines_[index].lookups++;
      Follow(redirect->value, domain, read.text.substr(redirect->column - 1, redirect->length), depth, index);
    }
    Total(index);
  }

  // What the record says itself; those below have been added already.
  void Total(size_t index) {
    TreeLine& line = lines_[index];
    line.total_lookups = Sum(line.total_lookups, line.lookups);
    line.total_prefixes4 = Sum(line.total_prefixes4, line.prefixes4);
    line.total_prefixes6 = Sum(line.total_prefixes6, line.prefixes6);
  }

  // %{v} may make one term lead to two records; a client meets one of them.
  void Follow(const mz::spf::MacroString& spec, const std::string& domain, const std::string& via, int depth,
              size_t parent) {
    std::string first;
    uint32_t most_lookups = 0;
    for (const bool v4 : {true, false}) {
      const mz::spf::Expansion e = mz::spf::ExpandStatic(spec, {.domain = domain, .is_v4 = v4});
      if (!v4 && e.text == first) break;
      first = e.text;
      const std::optional<std::string> name = WireName(e.text);
      const bool receiver = e.dynamic;
      const RecordKey key = name && !receiver ? RecordKey{*name, *name} : RecordKey{};
      const size_t child = receiver || !name
                               ? Add(receiver ? TreeLine::kReceiver : TreeLine::kRecord, depth + 1, key, via)
                               : Visit(key, via, depth + 1);
      if (child == limit_) return;
      if (!receiver && !name) lines_[child].problem = "permerror: not a domain name";
      most_lookups = std::max(most_lookups, lines_[child].total_lookups);
      lines_[parent].total_prefixes4 = Sum(lines_[parent].total_prefixes4, lines_[child].total_prefixes4);
      lines_[parent].total_prefixes6 = Sum(lines_[parent].total_prefixes6, lines_[child].total_prefixes6);
    }
    lines_[parent].total_lookups = Sum(lines_[parent].total_lookups, most_lookups);
  }

  void Leaf(const Term& t, const std::string& domain, const std::string& via, int depth, size_t parent) {
    mz::spf::Expansion e{.text = domain, .dynamic = t.mechanism == Mechanism::kPtr};
    if (t.domain && !e.dynamic) e = mz::spf::ExpandStatic(*t.domain, {.domain = domain, .is_v4 = true});
    const std::optional<std::string> name = WireName(e.text);
    const size_t index = Add(e.dynamic ? TreeLine::kReceiver : TreeLine::kLookup, depth + 1,
                             name && !e.dynamic ? RecordKey{*name, *name} : RecordKey{}, via);
    if (index == limit_ || e.dynamic) return;
    TreeLine& line = lines_[index];
    if (!name) {
      line.problem = "not a domain name: never matches";
      return;
    }
    Addresses(t, *name, &line);
    line.total_prefixes4 = line.prefixes4;
    line.total_prefixes6 = line.prefixes6;
    if (t.mechanism == Mechanism::kExists) return;
    lines_[parent].total_prefixes4 = Sum(lines_[parent].total_prefixes4, line.prefixes4);
    lines_[parent].total_prefixes6 = Sum(lines_[parent].total_prefixes6, line.prefixes6);
  }

  void Addresses(const Term& t, const std::string& name, TreeLine* line) {
    if (t.mechanism == Mechanism::kMx) {
      const Answer* mx = source_->Find({name, kTypeMx});
      if (LookupFailed(mx, &line->problem)) return;
      for (const std::string& rdata : mx->rdata) {
        if (rdata.size() < 4) continue;
        std::string host = rdata.substr(2, rdata.size() - 3);
        dns::LowerName(&host);
        Count(host, kTypeA, &line->prefixes4, line);
        Count(host, kTypeAaaa, &line->prefixes6, line);
      }
    } else {
      Count(name, kTypeA, &line->prefixes4, line);
      if (t.mechanism == Mechanism::kA) Count(name, kTypeAaaa, &line->prefixes6, line);
    }
    if (line->prefixes4 + line->prefixes6 == 0 && line->problem.empty()) line->problem = "no address: never matches";
  }
  void Count(const std::string& host, uint16_t type, uint32_t* count, TreeLine* line) {
    const Answer* a = source_->Find({host, type});
    std::string why;
    if (LookupFailed(a, &why))
      line->problem = dns::NameText(host) + ": " + why;
    else
      *count += static_cast<uint32_t>(a->rdata.size());
  }

  AnswerSource* source_;
  const Limits& limits_;
  const size_t limit_;
  std::vector<TreeLine> lines_;
  absl::flat_hash_map<RecordKey, Seen> seen_;
};

}  // namespace

std::vector<TreeLine> Tree(AnswerSource* source, const RecordKey& key, const Limits& limits, size_t limit) {
  Walker walker(source, limits, limit);
  walker.Visit(key, "", 0);
  return walker.Take();
}

}  // namespace mz::compiler::spf
