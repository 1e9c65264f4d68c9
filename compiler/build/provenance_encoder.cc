// See provenance_encoder.h.
#include "compiler/build/provenance_encoder.h"

#include <zstd.h>

#include <cstring>
#include <span>

#include "compiler/build/parallel.h"
#include "format/image/layout.h"

namespace mz::compiler {

using image::ProvenanceBlock;
using image::ProvenanceHeader;

namespace {

// Level 1: the section is read rarely and written at every build.
constexpr int kCompressionLevel = 1;

struct Block {
  const DatasetModel* dataset;
  uint32_t meta;
  uint8_t kind;
  size_t first;
  uint32_t entries;
  uint32_t raw_bytes = 0;
  std::vector<uint8_t> frame;  // empty: could not be compressed
};

void PutVarint(std::vector<uint8_t>* out, uint64_t v) {
  for (; v >= 0x80; v >>= 7) out->push_back(static_cast<uint8_t>(v | 0x80));
  out->push_back(static_cast<uint8_t>(v));
}

template <typename Packed>
void PutPacked(std::vector<uint8_t>* out, Packed v) {
  uint8_t bytes[sizeof v];
  std::memcpy(bytes, &v, sizeof v);
  out->insert(out->end(), bytes, bytes + sizeof v);
}

bool IsWild(const ProvenanceName& e) { return e.wild; }
bool IsWild(const ProvenanceEntry4&) { return false; }
bool IsWild(const ProvenanceEntry6&) { return false; }

template <typename Entry>
void PutLinesAndTags(std::span<const Entry> entries, std::vector<uint8_t>* out) {
  uint32_t line = 0;
  for (const Entry& e : entries) {
    const auto delta = static_cast<int32_t>(e.line - line);
    PutVarint(out, static_cast<uint32_t>(delta) << 1 ^ static_cast<uint32_t>(delta >> 31));
    line = e.line;
  }
  for (const Entry& e : entries)
    PutVarint(out, uint64_t{e.file} << 2 | static_cast<uint64_t>(IsWild(e)) << 1 | static_cast<uint64_t>(e.exclusion));
}

void PutColumns(const Block& b, std::vector<uint8_t>* out) {
  const DatasetModel& d = *b.dataset;
  if (b.kind == image::kProvenance4) {
    auto entries = std::span(d.provenance4).subspan(b.first, b.entries);
    PutLinesAndTags(entries, out);
    for (const ProvenanceEntry4& e : entries) PutPacked(out, Le32(e.first));
    for (const ProvenanceEntry4& e : entries) PutVarint(out, e.last - e.first);
  } else if (b.kind == image::kProvenance6) {
    auto entries = std::span(d.provenance6).subspan(b.first, b.entries);
    PutLinesAndTags(entries, out);
    for (const ProvenanceEntry6& e : entries) PutPacked(out, Le64(e.first.high));
    for (const ProvenanceEntry6& e : entries) PutPacked(out, Le64(e.first.low));
    for (const ProvenanceEntry6& e : entries) PutVarint(out, e.first.high ^ e.last.high);
    for (const ProvenanceEntry6& e : entries) PutVarint(out, e.first.low ^ e.last.low);
  } else {
    auto entries = std::span(d.provenance_names).subspan(b.first, b.entries);
    PutLinesAndTags(entries, out);
    for (const ProvenanceName& e : entries) {
      std::string_view name = d.names.Get(e.name);
      out->push_back(static_cast<uint8_t>(name.size()));
      out->insert(out->end(), name.begin(), name.end());
    }
  }
}

void AddBlocks(const DatasetModel& d, uint32_t meta, uint8_t kind, size_t count, std::vector<Block>* blocks) {
  for (size_t first = 0; first < count; first += image::kProvenanceBlockEntries) {
    size_t n = std::min<size_t>(count - first, image::kProvenanceBlockEntries);
    blocks->push_back({&d, meta, kind, first, static_cast<uint32_t>(n)});
  }
}

}  // namespace

StatusOr<std::vector<uint8_t>> EncodeProvenance(const FlatDatasets& datasets, int threads) {
  std::vector<Block> blocks;
  for (size_t meta = 0; meta < datasets.size(); meta++) {
    const DatasetModel* d = datasets[meta].model;
    if (d == nullptr) continue;
    const uint32_t index = static_cast<uint32_t>(meta);
    AddBlocks(*d, index, image::kProvenance4, d->provenance4.size(), &blocks);
    AddBlocks(*d, index, image::kProvenance6, d->provenance6.size(), &blocks);
    AddBlocks(*d, index, image::kProvenanceName, d->provenance_names.size(), &blocks);
  }
  std::vector<uint8_t> out;
  if (blocks.empty()) return out;
  if (blocks.size() > UINT32_MAX) return MakeStatus(StatusCode::kResourceExhausted, "too much provenance");

  ParallelFor(threads, blocks.size(), [&](size_t i) {
    Block& b = blocks[i];
    std::vector<uint8_t> raw;
    PutColumns(b, &raw);
    b.raw_bytes = static_cast<uint32_t>(raw.size());
    b.frame.resize(ZSTD_compressBound(raw.size()));
    size_t n = ZSTD_compress(b.frame.data(), b.frame.size(), raw.data(), raw.size(), kCompressionLevel);
    b.frame.resize(ZSTD_isError(n) ? 0 : n);
    b.frame.shrink_to_fit();
  });

  ProvenanceHeader header{static_cast<uint32_t>(blocks.size()), 0u};
  PutPacked(&out, header);
  uint64_t offset = sizeof header + blocks.size() * sizeof(ProvenanceBlock);
  for (const Block& b : blocks) {
    if (b.frame.empty() || b.raw_bytes > image::kMaxProvenanceBlockBytes)
      return MakeStatus(StatusCode::kInternal, "provenance of dataset " + b.dataset->spec + " cannot be compressed");
    ProvenanceBlock entry{};
    entry.meta = b.meta;
    entry.kind = b.kind;
    entry.offset = offset;
    entry.bytes = static_cast<uint32_t>(b.frame.size());
    entry.raw_bytes = b.raw_bytes;
    entry.entries = b.entries;
    PutPacked(&out, entry);
    offset += b.frame.size();
  }
  out.reserve(offset);
  for (Block& b : blocks) {
    out.insert(out.end(), b.frame.begin(), b.frame.end());
    b.frame = {};
  }
  return out;
}

}  // namespace mz::compiler
