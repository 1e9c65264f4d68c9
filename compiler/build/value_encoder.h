// Results, values and texts of the image (sections kValues and kTexts), in order of first use, so that the bytes do not
// depend on the order in which a parser met them, and what nothing refers to takes no room.
#pragma once

#include <cstdint>
#include <vector>

#include "base/status.h"
#include "compiler/build/heap.h"
#include "compiler/build/model.h"

namespace mz::compiler {

class ValueEncoder {
 public:
  // `pool` must outlive the encoder.
  explicit ValueEncoder(const Pool& pool);

  // The result id in the image of a result of the pool; 0 stays 0. Requires: `id` is of this pool.
  // After an error (a limit of the format) the returned ids are 0 and status() tells.
  uint32_t Use(ResultId id) { return id == 0 || result_ids_[id] != 0 ? result_ids_[id] : Encode(id); }
  // kTexts offset of the text as SPF programs have it (image::kTextSpf, never cut); 0 stays 0. Errors as above.
  uint32_t UseSpfText(TextId id);
  const Status& status() const { return status_; }
  size_t pool_results() const { return result_ids_.size() - 1; }

  Bytes TakeValues();
  Bytes TakeTexts() { return texts_.Take(); }

 private:
  uint32_t Encode(ResultId id);
  uint32_t EncodeText(TextId id);
  uint32_t StoreText(const TextModel& text, uint8_t flags);

  const Pool& pool_;
  std::vector<uint32_t> result_ids_;   // by ResultId; 0: not used yet
  std::vector<uint32_t> text_offsets_;  // by TextId; 0: not used yet
  std::vector<uint32_t> spf_text_offsets_;  // likewise, sized at the first use
  std::vector<image::Value> values_;
  Heap texts_{8};
  Status status_;
};

}  // namespace mz::compiler
