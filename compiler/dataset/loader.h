// Loads one dataset: reads its files, applies specials in order, sorts lines into sections, and has builders make the
// model of what it read.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/status.h"
#include "compiler/dataset/block_stream.h"
#include "compiler/dataset/builder.h"
#include "compiler/dataset/compile.h"
#include "compiler/dataset/reporter.h"
#include "compiler/dataset/specials_state.h"
#include "compiler/dataset/value_table.h"
#include "format/dataset/block_parser.h"
#include "format/dataset/text_source.h"

namespace mz::compiler {

class Loader : private BlockEvents {
 public:
  Loader(image::DatasetKind kind, std::string_view dataset_spec, const CompileOptions& options, Pool* pool,
         dataset::DiagnosticSink* sink);
  ~Loader() override;

  // Once. Errors: the dataset does not load; the sink has been told why.
  StatusOr<std::unique_ptr<DatasetModel>> Load(const std::vector<std::string>& files);
  // The same for text in memory; `name` stands for a file in diagnostics.
  StatusOr<std::unique_ptr<DatasetModel>> LoadText(const std::string& name, std::string_view text);

 private:
  // The lines of one kind: the whole dataset, or a section of a combined one.
  struct Section;

  bool LoadFile(const std::string& path);
  bool ReadBlocks(dataset::TextSource* source);
  bool ReadPlainBlocks(dataset::TextSource* source);      // one kind, parsed ahead
  bool ReadSectionedBlocks(dataset::TextSource* source);  // combined, acl: line state changes on the way
  // Hands a parsed block on. False: the dataset has failed.
  bool TakeBlock(const dataset::TextBlock& text, const dataset::ParsedBlock& parsed, size_t from);
  void MapValues(const dataset::ParsedBlock& parsed);

  void Before(uint32_t line) override;
  void Duplicate(uint32_t line, const std::string& prefix) override;
  uint32_t current_ttl() const override;

  void HandleSpecial(const dataset::Note& note);
  void HandleTsetDefault(const dataset::Note& note);
  void StartSection(const dataset::DatasetText& text, const dataset::Note& note);
  void AddToSubzone(const std::string& wire, uint32_t part);
  bool FinishSection(Section* section);
  StatusOr<std::unique_ptr<DatasetModel>> Finish();
  void Fail(std::string message, std::string hint, const dataset::Note& note);
  void InvalidSpecial(const dataset::Note& note, const dataset::SpecialLine& line);
  void ResetDefaults(Section* section);
  Status Failure() const;

  image::DatasetKind kind_;
  const CompileOptions& options_;
  Pool* pool_;
  dataset::DiagnosticSink* sink_;
  Reporter reporter_;
  std::unique_ptr<DatasetModel> model_;

  CommonSpecials common_;
  LocalSpecials outside_;                // combined: specials outside of sections
  std::unique_ptr<Section> section_;     // null: combined before its first section
  bool in_section_ = false;              // data lines go to section_
  absl::flat_hash_map<std::string, uint32_t> subzones_;  // wire name -> index into DatasetModel::subzones
  bool failed_ = false;
  Status builder_status_;

  // The block at hand.
  const dataset::TextBlock* text_ = nullptr;
  const dataset::ParsedBlock* parsed_ = nullptr;
  size_t block_from_ = 0;
  uint32_t first_line_ = 1;
  size_t next_note_ = 0;
  std::vector<uint32_t> codes_;
  uint32_t found_line_ = 0;              // Duplicate: where the search for a line stands
  size_t found_offset_ = 0;
  uint16_t file_index_ = 0;
};

}  // namespace mz::compiler
