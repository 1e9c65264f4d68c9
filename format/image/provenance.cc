// See provenance.h; the format is in layout.h at ProvenanceHeader.
#include "format/image/provenance.h"

#include <zstd.h>

#include <memory>

namespace mz::image {

namespace {

Status Damaged(std::string_view what) {
  return MakeStatus(StatusCode::kDataLoss, "zone image is damaged: section provenance: " + std::string(what));
}

// Takes values off the front of a decompressed block. Once something is missing everything is zero and ok() is false.
class ColumnReader {
 public:
  explicit ColumnReader(std::span<const uint8_t> bytes) : at_(bytes.data()), end_(at_ + bytes.size()) {}

  uint64_t Varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 70; shift += 7) {
      if (at_ == end_ || (shift == 63 && *at_ > 1)) break;
      value |= uint64_t{*at_ & 0x7fu} << shift;
      if ((*at_++ & 0x80) == 0) return value;
    }
    ok_ = false;
    at_ = end_;
    return 0;
  }
  const uint8_t* Take(size_t bytes) {
    if (static_cast<size_t>(end_ - at_) < bytes) {
      ok_ = false;
      at_ = end_;
      return nullptr;
    }
    at_ += bytes;
    return at_ - bytes;
  }
  bool ok() const { return ok_; }
  bool AtEnd() const { return at_ == end_; }

 private:
  const uint8_t* at_;
  const uint8_t* end_;
  bool ok_ = true;
};

struct Tag {
  uint32_t line;
  uint16_t file;
  bool exclusion, wild;
};

Status VisitBlock(std::span<const uint8_t> raw, const ProvenanceBlock& block, ProvenanceVisitor* visitor) {
  ColumnReader in(raw);
  const uint32_t entries = block.entries;
  std::vector<Tag> tags(entries);
  uint32_t line = 0;
  for (Tag& t : tags) {
    uint64_t zigzag = in.Varint();
    line += static_cast<uint32_t>(zigzag >> 1 ^ (0 - (zigzag & 1)));
    t.line = line;
  }
  for (Tag& t : tags) {
    uint64_t tag = in.Varint();
    if (tag >> 18 != 0) return Damaged("a file number is out of range");
    t.file = static_cast<uint16_t>(tag >> 2);
    t.wild = (tag & 2) != 0;
    t.exclusion = (tag & 1) != 0;
  }
  if (block.kind == kProvenance4) {
    const uint8_t* first = in.Take(size_t{entries} * 4);
    for (uint32_t i = 0; in.ok() && i < entries; i++) {
      net::Ip4 start = reinterpret_cast<const Le32*>(first)[i];
      uint64_t span = in.Varint();
      if (span > ~start) return Damaged("a range ends behind the last address");
      if (!in.ok()) break;
      visitor->Visit(ProvenanceEntry4{{start, start + static_cast<net::Ip4>(span)}, tags[i].line, tags[i].file,
                                      tags[i].exclusion});
    }
  } else if (block.kind == kProvenance6) {
    const uint8_t* high = in.Take(size_t{entries} * 8);
    const uint8_t* low = in.Take(size_t{entries} * 8);
    if (!in.ok()) return Damaged("a block is too short");
    std::vector<net::Ip6> last(entries);
    for (uint32_t i = 0; i < entries; i++) last[i].high = reinterpret_cast<const Le64*>(high)[i] ^ in.Varint();
    for (uint32_t i = 0; i < entries; i++) last[i].low = reinterpret_cast<const Le64*>(low)[i] ^ in.Varint();
    for (uint32_t i = 0; in.ok() && i < entries; i++) {
      net::Ip6 start{reinterpret_cast<const Le64*>(high)[i], reinterpret_cast<const Le64*>(low)[i]};
      if (last[i] < start) return Damaged("a range ends before it begins");
      visitor->Visit(ProvenanceEntry6{{start, last[i]}, tags[i].line, tags[i].file, tags[i].exclusion});
    }
  } else {
    for (uint32_t i = 0; in.ok() && i < entries; i++) {
      const uint8_t* length = in.Take(1);
      const uint8_t* name = length == nullptr ? nullptr : in.Take(*length);
      if (name == nullptr) break;
      visitor->Visit(ProvenanceEntryName{{reinterpret_cast<const char*>(name), *length}, tags[i].line, tags[i].file,
                                         tags[i].exclusion, tags[i].wild});
    }
  }
  if (!in.ok() || !in.AtEnd()) return Damaged("a block does not hold what it says");
  return absl::OkStatus();
}

struct FreeContext {
  void operator()(ZSTD_DCtx* c) const { ZSTD_freeDCtx(c); }
};

}  // namespace

Status ForEachProvenance(const View& view, uint32_t dataset_meta, ProvenanceVisitor* visitor) {
  const std::string_view section = view.section(kProvenance);
  if (section.empty()) return absl::OkStatus();
  if (section.size() < sizeof(ProvenanceHeader)) return Damaged("no header");
  const auto& header = *reinterpret_cast<const ProvenanceHeader*>(section.data());
  const auto* blocks = reinterpret_cast<const ProvenanceBlock*>(&header + 1);
  if (header.block_count > (section.size() - sizeof header) / sizeof(ProvenanceBlock))
    return Damaged("more blocks than fit");
  std::unique_ptr<ZSTD_DCtx, FreeContext> context;
  std::vector<uint8_t> raw;
  for (uint32_t i = 0; i < header.block_count; i++) {
    const ProvenanceBlock& block = blocks[i];
    if (block.meta != dataset_meta) continue;
    if (block.kind < kProvenance4 || block.kind > kProvenanceName) return Damaged("unknown kind of block");
    if (block.offset > section.size() || block.bytes > section.size() - block.offset)
      return Damaged("a block reaches outside the section");
    if (block.entries == 0 || block.entries > kProvenanceBlockEntries || block.raw_bytes == 0 ||
        block.raw_bytes > kMaxProvenanceBlockBytes)
      return Damaged("a block of an impossible size");
    if (context == nullptr) context.reset(ZSTD_createDCtx());
    if (context == nullptr) return MakeStatus(StatusCode::kResourceExhausted, "no memory for decompression");
    raw.resize(block.raw_bytes);
    const char* frame = section.data() + block.offset;
    const size_t n = ZSTD_decompressDCtx(context.get(), raw.data(), raw.size(), frame, block.bytes);
    if (ZSTD_isError(n) || n != raw.size()) return Damaged("a block does not decompress");
    MZ_RETURN_IF_ERROR(VisitBlock(raw, block, visitor));
  }
  return absl::OkStatus();
}

namespace {

class Collector : public ProvenanceVisitor {
 public:
  Collector(Provenance* out, size_t max_entries) : out_(out), left_(max_entries) {}
  void Visit(const ProvenanceEntry4& e) override {
    if (Count()) out_->v4.push_back(e);
  }
  void Visit(const ProvenanceEntry6& e) override {
    if (Count()) out_->v6.push_back(e);
  }
  void Visit(const ProvenanceEntryName& e) override {
    if (Count()) out_->names.push_back({std::string(e.name), e.line, e.file, e.exclusion, e.wild});
  }
  bool overflow() const { return overflow_; }

 private:
  bool Count() {
    overflow_ |= left_ == 0;
    if (left_ > 0) left_--;
    return !overflow_;
  }
  Provenance* out_;
  size_t left_;
  bool overflow_ = false;
};

}  // namespace

StatusOr<Provenance> ReadProvenance(const View& view, uint32_t dataset_meta, size_t max_entries) {
  Provenance out;
  Collector collector(&out, max_entries);
  MZ_RETURN_IF_ERROR(ForEachProvenance(view, dataset_meta, &collector));
  if (collector.overflow())
    return MakeStatus(StatusCode::kResourceExhausted,
                      "more than " + std::to_string(max_entries) + " provenance entries in one dataset");
  return out;
}

}  // namespace mz::image
