// Builders take the entries of one dataset (or section) block by block, in order, and reduce them to the model.
//
// One builder per kind; the loader feeds it and asks it to finish when everything has been read.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "compiler/build/model.h"
#include "compiler/dataset/compile.h"
#include "compiler/dataset/expansion.h"
#include "format/dataset/entries.h"

namespace mz::compiler {

// How a builder talks back while it takes a block.
class BlockEvents {
 public:
  virtual ~BlockEvents() = default;
  // Reports and applies what stands before this line (relative to the block): diagnostics and specials.
  virtual void Before(uint32_t line) = 0;
  // "duplicated entry for P/L", in its place among the other diagnostics.
  virtual void Duplicate(uint32_t line, const std::string& prefix) = 0;
  // $TTL in force at the last line given to Before().
  virtual uint32_t current_ttl() const = 0;
};

// One block of entries in its place.
struct BlockInput {
  const dataset::ParsedBlock* block;
  std::span<const uint32_t> values;  // local value id -> code
  uint32_t first_line;               // 1-based, of the block's line 0
  uint16_t file;                     // index into the dataset's files
  BlockEvents* events;

  // The code of an entry's value. Requires: no exclusion.
  uint32_t Code(uint32_t value) const;
  uint32_t Line(uint32_t relative) const { return first_line + relative; }
};

struct FinishContext {
  ResultMap* results;
  uint32_t tset_value;  // code of the one value of ip4tset and ip6tset
  int threads;
};

inline size_t Expected(size_t in_block, double times) {
  return in_block == 0 ? 0 : static_cast<size_t>(static_cast<double>(in_block) * times * 1.02) + 1024;
}

class DatasetBuilder {
 public:
  virtual ~DatasetBuilder() = default;
  // A guess of what will come, from the size of the file: `times` blocks like this one.
  virtual void Expect(const dataset::ParsedBlock& block, double times) { (void)block, (void)times; }
  virtual Status Add(const BlockInput& input) = 0;
  // Fills map4, map6, names, dnset, generic, counts, extra_load_lines (acl: "ip4 trie: ...") and entries.
  virtual Status Finish(const FinishContext& context, DatasetModel* model) = 0;
};

// `model` receives names and provenance while blocks come in. Requires: kind is not combined.
std::unique_ptr<DatasetBuilder> MakeBuilder(image::DatasetKind kind, const CompileOptions& options,
                                            DatasetModel* model);

}  // namespace mz::compiler
