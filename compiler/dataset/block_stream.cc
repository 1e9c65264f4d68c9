// See block_stream.h.
#include "compiler/dataset/block_stream.h"

#include <algorithm>

namespace mz::compiler {

BlockStream::BlockStream(dataset::TextSource* source, const dataset::LineState& state,
                         const dataset::BlockParserOptions& options, int threads)
    : source_(source), state_(state), options_(options), threads_(std::clamp(threads, 1, 16)) {
  ring_.resize(threads_ == 1 ? 1 : static_cast<size_t>(threads_) * 2);
  for (auto& slot : ring_) slot = std::make_unique<ParsedText>();
}

BlockStream::~BlockStream() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  work_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void BlockStream::StartWorkers() {
  for (int i = 1; i < threads_; ++i) workers_.emplace_back([this] { Work(); });
}

// Reads until the ring is full.
void BlockStream::Fill(uint32_t max_range4) {
  while (!source_at_end_ && filled_ - taken_ < ring_.size()) {
    ParsedText& slot = *ring_[filled_ % ring_.size()];
    if (slot.stage != ParsedText::kFree) return;
    if (!source_->Next(&slot.text)) {
      source_at_end_ = true;
      return;
    }
    slot.state = state_;
    slot.state.max_range4 = max_range4;
    std::lock_guard lock(mutex_);
    slot.stage = ParsedText::kFilled;
    ++filled_;
    // Small files are parsed here: a second block is worth the threads.
    if (filled_ == 2 && workers_.empty()) StartWorkers();
    if (!workers_.empty()) work_.notify_one();
  }
}

void BlockStream::Work() {
  dataset::BlockParser parser;
  std::unique_lock lock(mutex_);
  for (;;) {
    ParsedText* found = nullptr;
    for (size_t n = taken_; n < filled_; ++n) {
      ParsedText* slot = ring_[n % ring_.size()].get();
      if (slot->stage == ParsedText::kFilled) {
        found = slot;
        break;
      }
    }
    if (found == nullptr) {
      if (stop_) return;
      work_.wait(lock);
      continue;
    }
    if (stop_) return;
    found->stage = ParsedText::kParsing;
    lock.unlock();
    parser.Parse(found->text, 0, found->state, options_, &found->parsed);
    lock.lock();
    found->stage = ParsedText::kParsed;
    done_.notify_one();
  }
}

ParsedText* BlockStream::Next(uint32_t max_range4) {
  Fill(max_range4);
  std::unique_lock lock(mutex_);
  if (taken_ == filled_) return nullptr;
  ParsedText* slot = ring_[taken_ % ring_.size()].get();
  ++taken_;
  if (slot->stage == ParsedText::kFilled) {
    slot->stage = ParsedText::kParsing;
    lock.unlock();
    parser_.Parse(slot->text, 0, slot->state, options_, &slot->parsed);
    lock.lock();
    slot->stage = ParsedText::kParsed;
  }
  done_.wait(lock, [&] { return slot->stage == ParsedText::kParsed; });
  lock.unlock();
  if (slot->state.max_range4 != max_range4) {
    slot->state.max_range4 = max_range4;
    parser_.Parse(slot->text, 0, slot->state, options_, &slot->parsed);
  }
  return slot;
}

void BlockStream::Release(ParsedText* block) {
  std::lock_guard lock(mutex_);
  block->stage = ParsedText::kFree;
}

}  // namespace mz::compiler
