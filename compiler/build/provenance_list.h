// Where the entries of an IPv4 dataset were written, in file order.
//
// Most lists are plain addresses on consecutive lines: such a run takes 4 octets an address, everything else 16.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "base/big_vector.h"
#include "format/net/address.h"

namespace mz::compiler {

struct ProvenanceEntry4 {
  net::Ip4 first, last;
  uint32_t line;
  uint16_t file;      // index into DatasetModel::files
  bool exclusion;
};

class ProvenanceList4 {
 public:
  // Entries that lie together: plain addresses on consecutive lines, or entries as they were given.
  struct Piece {
    size_t first;     // number of its first entry in the list
    size_t at;        // index into addresses() or entries()
    uint32_t line;    // plain: of its first address
    uint16_t file;    // plain
    bool plain;
  };

  void push_back(const ProvenanceEntry4& entry) {
    if (pieces_.empty() || pieces_.back().plain) pieces_.push_back({size_, entries_.size(), 0, 0, false});
    entries_.push_back(entry);
    ++size_;
  }
  // Keeps the addresses without listing them: -> the index of the first one in addresses().
  size_t Keep(std::span<const net::Ip4> addresses) {
    const size_t at = addresses_.size();
    Append(&addresses_, addresses.data(), addresses.size());
    return at;
  }
  // Lists `count` addresses from index `at` on, the first one written in `line`.
  void AddRun(size_t at, size_t count, uint32_t line, uint16_t file) {
    if (count == 0) return;
    pieces_.push_back({size_, at, line, file, true});
    size_ += count;
  }
  // Room for so many addresses more.
  void ReserveAddresses(size_t count) { Reserve(&addresses_, count); }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  ProvenanceEntry4 operator[](size_t i) const {
    const Piece& piece = *FindPiece(i);
    const size_t offset = i - piece.first;
    if (!piece.plain) return entries_[piece.at + offset];
    const net::Ip4 address = addresses_[piece.at + offset];
    return {address, address, piece.line + static_cast<uint32_t>(offset), piece.file, false};
  }

  std::span<const net::Ip4> addresses() const { return addresses_; }
  // Calls visit(piece, its entry to begin with, how many) for the entries first .. first + count - 1, in order.
  template <typename Visit>
  void ForEachPiece(size_t first, size_t count, Visit visit) const {
    for (auto piece = count == 0 ? pieces_.end() : FindPiece(first); count > 0; ++piece) {
      const size_t end = piece + 1 == pieces_.end() ? size_ : (piece + 1)->first;
      const size_t n = std::min(count, end - first);
      visit(*piece, first - piece->first, n);
      first += n;
      count -= n;
    }
  }
  std::span<const net::Ip4> Addresses(const Piece& piece, size_t from, size_t count) const {
    return addresses().subspan(piece.at + from, count);
  }
  std::span<const ProvenanceEntry4> Entries(const Piece& piece, size_t from, size_t count) const {
    return std::span<const ProvenanceEntry4>(entries_).subspan(piece.at + from, count);
  }

 private:
  std::vector<Piece>::const_iterator FindPiece(size_t i) const {
    return std::upper_bound(pieces_.begin(), pieces_.end(), i, [](size_t n, const Piece& p) { return n < p.first; }) - 1;
  }

  size_t size_ = 0;
  std::vector<Piece> pieces_;
  BigVector<net::Ip4> addresses_;
  BigVector<ProvenanceEntry4> entries_;
};

}  // namespace mz::compiler
