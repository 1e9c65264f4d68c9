// A vector for arrays of many megabytes that are written once from end to end.
//
//   BigVector<uint64_t> points;
//   points.resize(n);                     // contents are undefined for trivial types: the caller writes every element
//   BigVector<uint8_t> bytes(n, 0);       // as in std::vector
//
// Differences from std::vector: elements that are made without a value are default-initialised, so that resize() touches no
// memory, and large arrays ask for huge pages: the first touch of a 4 KiB page costs a microsecond and more, a list of ten
// million lines would pay that a hundred thousand times.
#pragma once

#include <sys/mman.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>
#include <vector>

namespace mz {

template <typename T>
class BigAllocator {
 public:
  using value_type = T;
  BigAllocator() = default;
  template <typename U>
  BigAllocator(const BigAllocator<U>&) {}  // NOLINT: conversion between element types is what allocators are for

  T* allocate(size_t n) {
    if (n > static_cast<size_t>(-1) / 2 / sizeof(T)) throw std::bad_array_new_length();
    if (!IsBig(n)) return std::allocator<T>().allocate(n);
    void* p = ::mmap(nullptr, MappedBytes(n), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) throw std::bad_alloc();
    ::madvise(p, MappedBytes(n), MADV_HUGEPAGE);
    return static_cast<T*>(p);
  }
  void deallocate(T* p, size_t n) {
    if (!IsBig(n)) return std::allocator<T>().deallocate(p, n);
    ::munmap(p, MappedBytes(n));
  }

  template <typename U>
  void construct(U* p) {
    ::new (static_cast<void*>(p)) U;
  }
  template <typename U, typename... Args>
  void construct(U* p, Args&&... args) {
    ::new (static_cast<void*>(p)) U(std::forward<Args>(args)...);
  }

  template <typename U>
  friend bool operator==(const BigAllocator&, const BigAllocator<U>&) {
    return true;
  }

 private:
  static constexpr size_t kHugePage = size_t{2} << 20;
  static constexpr size_t kBigBytes = 2 * kHugePage;
  static bool IsBig(size_t n) { return n * sizeof(T) >= kBigBytes; }
  static size_t MappedBytes(size_t n) { return (n * sizeof(T) + kHugePage - 1) / kHugePage * kHugePage; }
};

template <typename T>
using BigVector = std::vector<T, BigAllocator<T>>;

// Room for `more` elements. Grows by half at least, so that many small calls stay linear. (A vector with an allocator of its
// own would copy element by element.)
template <typename T>
void Grow(BigVector<T>* v, size_t more);
template <typename T>
void Reserve(BigVector<T>* v, size_t more) {
  if (v->capacity() - v->size() < more) [[unlikely]] Grow(v, more);
}

template <typename T>
[[gnu::noinline]] void Grow(BigVector<T>* v, size_t more) {
  static_assert(std::is_trivially_copyable_v<T>);
  BigVector<T> larger;
  larger.reserve(std::max(v->size() + more, v->size() + v->size() / 2));
  larger.resize(v->size());
  if (!v->empty()) std::memcpy(static_cast<void*>(larger.data()), v->data(), v->size() * sizeof(T));
  v->swap(larger);
}

template <typename T>
void Append(BigVector<T>* v, const T* from, size_t count) {
  if (count == 0) return;
  Reserve(v, count);
  const size_t at = v->size();
  v->resize(at + count);
  std::memcpy(static_cast<void*>(v->data() + at), from, count * sizeof(T));
}

}  // namespace mz
