// Reads a file block by block and has the blocks parsed ahead by other threads.
//
//   BlockStream stream(&source, state, options, threads);
//   while (ParsedText* block = stream.Next(max_range4)) { ... block->parsed ...; stream.Release(block); }
//
// Blocks come in file order. A block is parsed on the assumption that $MAXRANGE4 stays as it was when the block was read;
// Next() parses it again when that has turned out wrong, so the result never depends on the number of threads. Everything
// is called from one thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "format/dataset/block_parser.h"

namespace mz::compiler {

struct ParsedText {
  dataset::TextBlock text;
  dataset::ParsedBlock parsed;
  dataset::LineState state;
  enum { kFree, kFilled, kParsing, kParsed } stage = kFree;
};

class BlockStream {
 public:
  // threads: of all; 1 parses in Next(). Requires: the kind's lines depend on nothing but LineState::max_range4.
  BlockStream(dataset::TextSource* source, const dataset::LineState& state, const dataset::BlockParserOptions& options,
              int threads);
  ~BlockStream();
  BlockStream(const BlockStream&) = delete;
  BlockStream& operator=(const BlockStream&) = delete;

  // The next block, or null at the end. Requires: the one before has been released.
  ParsedText* Next(uint32_t max_range4);
  void Release(ParsedText* block);

 private:
  void Fill(uint32_t max_range4);
  void Work();
  void StartWorkers();

  dataset::TextSource* source_;
  dataset::LineState state_;
  dataset::BlockParserOptions options_;
  int threads_;
  dataset::BlockParser parser_;
  std::vector<std::unique_ptr<ParsedText>> ring_;
  size_t filled_ = 0;   // blocks read so far; block n lives in ring_[n % size]
  size_t taken_ = 0;    // blocks handed out so far
  bool source_at_end_ = false;

  std::mutex mutex_;
  std::condition_variable work_, done_;
  bool stop_ = false;
  std::vector<std::thread> workers_;
};

}  // namespace mz::compiler
