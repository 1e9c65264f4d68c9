// Builders of dnset and generic.
#include "compiler/dataset/name_builders.h"

#include <xxhash.h>

#include <algorithm>

#include "absl/container/flat_hash_map.h"
#include "compiler/dataset/specials_state.h"

namespace mz::compiler {
namespace {

using dataset::EntryGeneric;
using dataset::EntryName;
using dataset::kExclusion;

// Rank of each distinct name: a flat table of 64-bit slots, which hold the hash of a name, so that other names are seldom
// looked at. A slot's place is the share of its hash in 2^32, so a larger table is filled from end to end.
class NameTable {
 public:
  explicit NameTable(const NameArena* arena) : arena_(arena), slots_(kSmallest, Slot{}) {}

  static uint32_t Hash(std::string_view name) {
    return static_cast<uint32_t>(XXH3_64bits(name.data(), name.size()) >> 32);
  }
  // Room for so many names.
  void Reserve(size_t count) {
    if (size_t slots = count + count / 2; slots > slots_.size()) Resize(slots);
  }
  // The next Find() of this hash will not wait for the memory.
  void Prefetch(uint32_t hash) const { __builtin_prefetch(&slots_[Start(hash)], 1); }

  // The rank of `name`, or the next free one (*added): then the caller adds the name to the arena under that rank.
  template <typename NameOf>  // rank -> NameRef
  uint32_t Find(std::string_view name, uint32_t hash, uint32_t count, NameOf name_of, bool* added) {
    if ((uint64_t{count} + 1) * 4 > slots_.size() * 3) Resize(slots_.size() * 2);
    size_t at = Start(hash);
    for (; slots_[at].rank != 0; at = Next(at)) {
      const uint32_t rank = slots_[at].rank - 1;
      if (slots_[at].hash == hash && arena_->Get(name_of(rank)) == name) {
        *added = false;
        return rank;
      }
    }
    slots_[at] = {hash, count + 1};
    *added = true;
    return count;
  }

 private:
  static constexpr size_t kSmallest = 16;
  struct Slot {
    uint32_t hash = 0;
    uint32_t rank = 0;  // + 1; 0: free
  };

  size_t Start(uint32_t hash) const { return static_cast<size_t>(uint64_t{hash} * slots_.size() >> 32); }
  size_t Next(size_t at) const { return at + 1 == slots_.size() ? 0 : at + 1; }
  void Resize(size_t count) {
    BigVector<Slot> old(count, Slot{});
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.rank == 0) continue;
      size_t at = Start(slot.hash);
      while (slots_[at].rank != 0) at = Next(at);
      slots_[at] = slot;
    }
  }

  const NameArena* arena_;
  BigVector<Slot> slots_;
};

Status TooManyNames() {
  return MakeStatus(StatusCode::kResourceExhausted, "too many names: their text is limited to 4 GiB a dataset");
}

class DnsetBuilder : public DatasetBuilder {
 public:
  DnsetBuilder(const CompileOptions& options, DatasetModel* model)
      : model_(model), table_(&model->names), keep_provenance_(options.provenance) {}

  void Expect(const dataset::ParsedBlock& block, double times) override {
    const size_t entries = Expected(block.names.size(), times);
    Reserve(&model_->dnset, entries);
    if (keep_provenance_) Reserve(&model_->provenance_names, entries);
    model_->names.Reserve(Expected(block.arena.size(), times));
    table_.Reserve(model_->dnset.size() + entries);
  }

  Status Add(const BlockInput& input) override {
    if (model_->names.bytes() + input.block->arena.size() > UINT32_MAX) return TooManyNames();
    const std::vector<EntryName>& entries = input.block->names;
    for (size_t i = 0; i < entries.size(); ++i) {
      const EntryName& e = entries[i];
      if (i + kAhead < entries.size()) table_.Prefetch(entries[i + kAhead].hash);
      std::string_view wire(input.block->arena.data() + e.offset, e.length);
      bool added;
      uint32_t rank = table_.Find(wire, e.hash, static_cast<uint32_t>(model_->dnset.size()),
                                  [&](uint32_t r) { return model_->dnset[r].name; }, &added);
      if (added) {
        DnsetName name;
        name.name = model_->names.Add(wire);
        name.line = input.Line(e.line);
        model_->dnset.push_back(name);
      }
      DnsetName& name = model_->dnset[rank];
      // While reading, exact and wild hold a mark: 0 is an exclusion, else code + 1.
      const bool exclusion = (e.value & kExclusion) != 0;
      const uint32_t mark = exclusion ? 0 : input.values[e.value] + 1;
      if (e.flags & dataset::kEntryExact) AddMark(rank, image::kNameExact, mark, &name.flags, &name.exact);
      if (e.flags & dataset::kEntryWild) AddMark(rank, image::kNameWild, mark, &name.flags, &name.wild);
      if (!keep_provenance_) continue;
      for (uint8_t which : {dataset::kEntryExact, dataset::kEntryWild})  // ".NAME" is both
        if (e.flags & which)
          model_->provenance_names.push_back({name.name, input.Line(e.line), input.file, exclusion,
                                              which == dataset::kEntryWild});
    }
    entries_ += input.block->names.size();
    return absl::OkStatus();
  }

  Status Finish(const FinishContext& context, DatasetModel* model) override {
    uint64_t exact = 0, wild = 0;
    for (uint32_t rank = 0; rank < model->dnset.size(); ++rank) {
      DnsetName& name = model->dnset[rank];
      if (name.flags & image::kNameExact)
        exact += Resolve(rank, image::kNameExact, context.results, &name.exact);
      if (name.flags & image::kNameWild) wild += Resolve(rank, image::kNameWild, context.results, &name.wild);
    }
    model->counts = "e/w=" + std::to_string(exact) + "/" + std::to_string(wild);
    model->entries = entries_;
    return absl::OkStatus();
  }

 private:
  static constexpr size_t kAhead = 16;  // names whose slots are on their way from memory
  static uint64_t MoreKey(uint32_t rank, uint8_t which) { return uint64_t{rank} << 8 | which; }

  void AddMark(uint32_t rank, uint8_t which, uint32_t mark, uint8_t* flags, uint32_t* field) {
    if (!(*flags & which)) {
      *flags |= which;
      *field = mark;
    } else if (*field != mark && *field != 0) {  // an exclusion beats every value of its key
      if (mark == 0)
        *field = 0;
      else
        more_[MoreKey(rank, which)].push_back(mark);
    }
  }

  // Turns the marks of a key into its result. Returns what rbldnsd counts: distinct values, or 1 for an exclusion.
  uint64_t Resolve(uint32_t rank, uint8_t which, ResultMap* results, uint32_t* field) {
    if (*field == 0) return 1;
    auto it = more_.find(MoreKey(rank, which));
    if (it == more_.end()) {
      *field = results->Single(*field - 1);
      return 1;
    }
    std::vector<uint32_t>& codes = it->second;
    codes.push_back(*field);
    std::sort(codes.begin(), codes.end());
    codes.erase(std::unique(codes.begin(), codes.end()), codes.end());
    for (uint32_t& code : codes) --code;
    *field = results->Several(codes);
    return results->Stored(codes);
  }

  DatasetModel* model_;
  NameTable table_;
  bool keep_provenance_;
  uint64_t entries_ = 0;
  absl::flat_hash_map<uint64_t, std::vector<uint32_t>> more_;  // further marks of a key
};

class GenericBuilder : public DatasetBuilder {
 public:
  GenericBuilder(const CompileOptions& options, DatasetModel* model)
      : model_(model), table_(&model->names), bounds_(options.ttl), keep_provenance_(options.provenance) {}

  Status Add(const BlockInput& input) override {
    if (model_->names.bytes() + input.block->arena.size() > UINT32_MAX) return TooManyNames();
    for (const EntryGeneric& e : input.block->generic) {
      input.events->Before(e.line);  // $TTL counts by position
      std::string_view wire = std::string_view(input.block->arena).substr(e.offset, e.name_bytes);
      bool added;
      uint32_t rank = table_.Find(wire, NameTable::Hash(wire), static_cast<uint32_t>(model_->generic.size()),
                                  [&](uint32_t i) { return model_->generic[i].name; }, &added);
      if (added) model_->generic.push_back({model_->names.Add(wire), {}});
      GenericRecord record;
      record.type = e.type;
      record.ttl = EffectiveTtl(e.ttl, input.events->current_ttl(), bounds_);
      record.rdata = input.block->arena.substr(e.offset + e.name_bytes, e.rdata_bytes);
      record.line = input.Line(e.line);
      GenericName& name = model_->generic[rank];
      if (keep_provenance_) model_->provenance_names.push_back({name.name, record.line, input.file, false, false});
      name.records.push_back(std::move(record));
    }
    entries_ += input.block->generic.size();
    return absl::OkStatus();
  }

  Status Finish(const FinishContext&, DatasetModel* model) override {
    for (GenericName& name : model->generic) {
      std::vector<GenericRecord>& records = name.records;
      std::stable_sort(records.begin(), records.end(),
                       [](const GenericRecord& x, const GenericRecord& y) { return x.type < y.type; });
      RemoveDuplicates(&records);
    }
    model->counts = "e=" + std::to_string(entries_);
    model->entries = entries_;
    return absl::OkStatus();
  }

 private:
  // The first of equal records stays, with the smallest TTL of its type: what rbldnsd answers with.
  static void RemoveDuplicates(std::vector<GenericRecord>* records) {
    if (records->size() < 2) return;
    absl::flat_hash_map<std::string, size_t> seen;
    size_t kept = 0;
    for (size_t i = 0; i < records->size(); ++i) {
      GenericRecord& record = (*records)[i];
      std::string key = std::to_string(record.type) + ":" + record.rdata;
      auto [it, added] = seen.try_emplace(std::move(key), kept);
      if (!added) {
        GenericRecord& first = (*records)[it->second];
        first.ttl = std::min(first.ttl, record.ttl);
        continue;
      }
      if (kept != i) (*records)[kept] = std::move(record);
      ++kept;
    }
    records->resize(kept);
  }

  DatasetModel* model_;
  NameTable table_;
  TtlBounds bounds_;
  bool keep_provenance_;
  uint64_t entries_ = 0;
};

}  // namespace

std::unique_ptr<DatasetBuilder> MakeNameBuilder(image::DatasetKind kind, const CompileOptions& options,
                                                DatasetModel* model) {
  switch (kind) {
    case image::kDnset: return std::make_unique<DnsetBuilder>(options, model);
    case image::kGeneric: return std::make_unique<GenericBuilder>(options, model);
    default: return nullptr;
  }
}

}  // namespace mz::compiler
