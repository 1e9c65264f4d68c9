// See provenance_encoder.h.
#include "compiler/build/provenance_encoder.h"

#include <zstd.h>

#include <bit>
#include <cstring>
#include <memory>
#include <span>

#include "base/copy.h"
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
  BigVector<uint8_t> frame;  // empty: could not be compressed
};

// Octets one behind the other in memory that the caller has made large enough.
class Writer {
 public:
  explicit Writer(uint8_t* to) : to_(to) {}
  void Varint(uint64_t v) {
    for (; v >= 0x80; v >>= 7) *to_++ = static_cast<uint8_t>(v | 0x80);
    *to_++ = static_cast<uint8_t>(v);
  }
  template <typename Packed>
  void Put(Packed v) {
    std::memcpy(to_, &v, sizeof v);
    to_ += sizeof v;
  }
  void Bytes(const void* from, size_t n) {
    std::memcpy(to_, from, n);
    to_ += n;
  }
  void Short(std::string_view octets) {
    CopyShort(to_, reinterpret_cast<const uint8_t*>(octets.data()), octets.size());
    to_ += octets.size();
  }
  void Repeat(uint8_t octet, size_t n) {
    std::memset(to_, octet, n);
    to_ += n;
  }
  void Line(uint32_t line) {
    const auto delta = static_cast<int32_t>(line - line_);
    Varint(static_cast<uint32_t>(delta) << 1 ^ static_cast<uint32_t>(delta >> 31));
    line_ = line;
  }
  void Tag(uint16_t file, bool wild, bool exclusion) {
    Varint(uint64_t{file} << 2 | static_cast<uint64_t>(wild) << 1 | static_cast<uint64_t>(exclusion));
  }
  // As Line() for `n` consecutive lines, as Tag() for `n` equal ones.
  void Lines(uint32_t first, size_t n) {
    constexpr uint8_t kNextLine = 2;
    Line(first);
    Repeat(kNextLine, n - 1);
    line_ += static_cast<uint32_t>(n - 1);
  }
  void Tags(uint16_t file, size_t n) {
    if (file < 0x80 >> 2) return Repeat(static_cast<uint8_t>(file << 2), n);
    for (; n > 0; --n) Tag(file, false, false);
  }
  const uint8_t* end() const { return to_; }

 private:
  uint8_t* to_;
  uint32_t line_ = 0;
};

// Most octets that a varint of 32 bits, a tag, and one of 64 bits take.
constexpr size_t kVarint32 = 5, kTag = 3, kVarint64 = 10;

size_t MostBytes(const Block& b) {
  if (b.kind == image::kProvenance4) return b.entries * (kVarint32 + kTag + 4 + kVarint32);
  if (b.kind == image::kProvenance6) return b.entries * (kVarint32 + kTag + 16 + 2 * kVarint64);
  size_t bytes = b.entries * (kVarint32 + kTag + 1);
  for (const ProvenanceName& e : std::span(b.dataset->provenance_names).subspan(b.first, b.entries)) bytes += e.name.length;
  return bytes;
}

bool IsWild(const ProvenanceName& e) { return e.wild; }
bool IsWild(const ProvenanceEntry6&) { return false; }

template <typename Entry>
void PutLinesAndTags(std::span<const Entry> entries, Writer* out) {
  for (const Entry& e : entries) out->Line(e.line);
  for (const Entry& e : entries) out->Tag(e.file, IsWild(e), e.exclusion);
}

// Column by column; a run of plain addresses is a few copies.
void PutColumns4(const ProvenanceList4& list, size_t first, size_t count, Writer* out) {
  using Piece = ProvenanceList4::Piece;
  list.ForEachPiece(first, count, [&](const Piece& p, size_t from, size_t n) {
    if (p.plain) return out->Lines(p.line + static_cast<uint32_t>(from), n);
    for (const ProvenanceEntry4& e : list.Entries(p, from, n)) out->Line(e.line);
  });
  list.ForEachPiece(first, count, [&](const Piece& p, size_t from, size_t n) {
    if (p.plain) return out->Tags(p.file, n);
    for (const ProvenanceEntry4& e : list.Entries(p, from, n)) out->Tag(e.file, false, e.exclusion);
  });
  list.ForEachPiece(first, count, [&](const Piece& p, size_t from, size_t n) {
    if (!p.plain) {
      for (const ProvenanceEntry4& e : list.Entries(p, from, n)) out->Put(Le32(e.first));
    } else if constexpr (std::endian::native == std::endian::little) {
      out->Bytes(list.Addresses(p, from, n).data(), n * sizeof(net::Ip4));
    } else {
      for (net::Ip4 address : list.Addresses(p, from, n)) out->Put(Le32(address));
    }
  });
  list.ForEachPiece(first, count, [&](const Piece& p, size_t from, size_t n) {
    if (p.plain) return out->Repeat(0, n);
    for (const ProvenanceEntry4& e : list.Entries(p, from, n)) out->Varint(e.last - e.first);
  });
}

void PutColumns(const Block& b, Writer* out) {
  const DatasetModel& d = *b.dataset;
  if (b.kind == image::kProvenance4) {
    PutColumns4(d.provenance4, b.first, b.entries, out);
  } else if (b.kind == image::kProvenance6) {
    auto entries = std::span<const ProvenanceEntry6>(d.provenance6).subspan(b.first, b.entries);
    PutLinesAndTags(entries, out);
    for (const ProvenanceEntry6& e : entries) out->Put(Le64(e.first.high));
    for (const ProvenanceEntry6& e : entries) out->Put(Le64(e.first.low));
    for (const ProvenanceEntry6& e : entries) out->Varint(e.first.high ^ e.last.high);
    for (const ProvenanceEntry6& e : entries) out->Varint(e.first.low ^ e.last.low);
  } else {
    auto entries = std::span<const ProvenanceName>(d.provenance_names).subspan(b.first, b.entries);
    PutLinesAndTags(entries, out);
    for (const ProvenanceName& e : entries) {
      out->Put(e.name.length);
      out->Short(d.names.Get(e.name));
    }
  }
}

// Of one thread: blocks are encoded and compressed in the same memory again and again.
struct Scratch {
  BigVector<uint8_t> raw, frame;
  std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context{ZSTD_createCCtx(), &ZSTD_freeCCtx};
};

void Compress(Block* b, Scratch* scratch) {
  scratch->raw.resize(MostBytes(*b));
  Writer writer(scratch->raw.data());
  PutColumns(*b, &writer);
  b->raw_bytes = static_cast<uint32_t>(writer.end() - scratch->raw.data());
  scratch->frame.resize(ZSTD_compressBound(b->raw_bytes));
  if (scratch->context == nullptr) return;
  const size_t n = ZSTD_compressCCtx(scratch->context.get(), scratch->frame.data(), scratch->frame.size(),
                                     scratch->raw.data(), b->raw_bytes, kCompressionLevel);
  if (!ZSTD_isError(n)) b->frame.assign(scratch->frame.data(), scratch->frame.data() + n);
}

void AddBlocks(const DatasetModel& d, uint32_t meta, uint8_t kind, size_t count, std::vector<Block>* blocks) {
  for (size_t first = 0; first < count; first += image::kProvenanceBlockEntries) {
    size_t n = std::min<size_t>(count - first, image::kProvenanceBlockEntries);
    blocks->push_back({&d, meta, kind, first, static_cast<uint32_t>(n)});
  }
}

}  // namespace

StatusOr<Bytes> EncodeProvenance(const FlatDatasets& datasets, int threads) {
  std::vector<Block> blocks;
  for (size_t meta = 0; meta < datasets.size(); meta++) {
    const DatasetModel* d = datasets[meta].model;
    if (d == nullptr) continue;
    const uint32_t index = static_cast<uint32_t>(meta);
    AddBlocks(*d, index, image::kProvenance4, d->provenance4.size(), &blocks);
    AddBlocks(*d, index, image::kProvenance6, d->provenance6.size(), &blocks);
    AddBlocks(*d, index, image::kProvenanceName, d->provenance_names.size(), &blocks);
  }
  Bytes out;
  if (blocks.empty()) return out;
  if (blocks.size() > UINT32_MAX) return MakeStatus(StatusCode::kResourceExhausted, "too much provenance");

  ParallelFor(threads, blocks.size(), [&](size_t i) {
    thread_local Scratch scratch;
    Compress(&blocks[i], &scratch);
  });

  uint64_t size = sizeof(ProvenanceHeader) + blocks.size() * sizeof(ProvenanceBlock);
  for (const Block& b : blocks) size += b.frame.size();
  out.resize(size);
  Writer writer(out.data());
  writer.Put(ProvenanceHeader{static_cast<uint32_t>(blocks.size()), 0u});
  uint64_t offset = sizeof(ProvenanceHeader) + blocks.size() * sizeof(ProvenanceBlock);
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
    writer.Put(entry);
    offset += b.frame.size();
  }
  for (const Block& b : blocks) writer.Bytes(b.frame.data(), b.frame.size());
  return out;
}

}  // namespace mz::compiler
