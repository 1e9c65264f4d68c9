// See plain_addresses.h.
#include "format/dataset/plain_addresses.h"

#include <array>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace mz::dataset {
namespace {

// One octet of one to three digits. The caller has checked nothing; *p moves behind the digits.
inline bool TakeShortOctet(const char** p, uint32_t* value) {
  const char* q = *p;
  uint32_t v = static_cast<uint8_t>(*q - '0');
  if (v > 9) return false;
  uint32_t d = static_cast<uint8_t>(q[1] - '0');
  if (d > 9) {
    *p = q + 1;
    *value = v;
    return true;
  }
  v = v * 10 + d;
  d = static_cast<uint8_t>(q[2] - '0');
  if (d > 9) {
    *p = q + 2;
    *value = v;
    return true;
  }
  v = v * 10 + d;
  *p = q + 3;
  *value = v;
  return v <= 255;
}

#if defined(__x86_64__)

// A line has at most 16 octets, LF included, so one register holds it. The places of its dots and of its LF select how the
// digits are moved into four groups of [hundreds, tens, ones, nothing], the last octet of the address first.
constexpr int kDotPlaces = 12;  // 0..11

struct Shapes {
  // By the set of dot places: lengths of the first three octets as a number of base 3, or kNoShape.
  std::array<uint8_t, 1u << kDotPlaces> of_dots;
  std::array<std::array<uint8_t, 16>, 81> moves;  // by that number * 3 + length of the last octet - 1
};
constexpr uint8_t kNoShape = 255;

constexpr Shapes MakeShapes() {
  Shapes s{};
  for (auto& shape : s.of_dots) shape = kNoShape;
  for (unsigned shape = 0; shape < 81; ++shape) {
    const unsigned lengths[4] = {shape / 27 + 1, shape / 9 % 3 + 1, shape / 3 % 3 + 1, shape % 3 + 1};
    auto& move = s.moves[shape];
    for (auto& from : move) from = 0x80;  // a zero
    unsigned at = 0, dots = 0;
    for (unsigned octet = 0; octet < 4; ++octet) {
      for (unsigned digit = 0; digit < lengths[octet]; ++digit)
        move[4 * (3 - octet) + 3 - lengths[octet] + digit] = static_cast<uint8_t>(at + digit);
      at += lengths[octet];
      if (octet < 3) dots |= 1u << at++;
    }
    s.of_dots[dots] = static_cast<uint8_t>(shape / 3);
  }
  return s;
}
constexpr Shapes kShapes = MakeShapes();

__attribute__((target("sse4.1"))) const char* ParseWithSse(const char* p, const char* end, size_t most,
                                                           net::Ip4* out, size_t* count) {
  const __m128i kLf = _mm_set1_epi8('\n'), kDot = _mm_set1_epi8('.'), kZero = _mm_set1_epi8('0'), kNine = _mm_set1_epi8(9);
  const __m128i kWeights = _mm_set1_epi32(100 | 10 << 8 | 1 << 16), kOnes = _mm_set1_epi16(1), kMost = _mm_set1_epi32(255);
  net::Ip4* const begin = out;
  while (end - p >= 16 && most-- > 0) {
    const __m128i text = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    const unsigned lf = static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(text, kLf)));
    if (lf == 0) break;
    const unsigned length = static_cast<unsigned>(__builtin_ctz(lf));
    const unsigned inside = (1u << length) - 1;
    const unsigned dots = static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(text, kDot))) & inside;
    const __m128i digits = _mm_sub_epi8(text, kZero);
    const unsigned numeric =
        static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(digits, kNine), digits)));
    if (((dots | numeric) & inside) != inside || dots >= 1u << kDotPlaces) break;
    const unsigned shape = kShapes.of_dots[dots];
    if (shape == kNoShape) break;
    const unsigned last = length - 33 + static_cast<unsigned>(__builtin_clz(dots));  // digits of the last octet, less one
    if (last > 2) break;
    const __m128i move = _mm_loadu_si128(reinterpret_cast<const __m128i*>(kShapes.moves[shape * 3 + last].data()));
    const __m128i octets =
        _mm_madd_epi16(_mm_maddubs_epi16(_mm_shuffle_epi8(digits, move), kWeights), kOnes);
    if (_mm_movemask_epi8(_mm_cmpgt_epi32(octets, kMost)) != 0) break;
    const __m128i words = _mm_packus_epi32(octets, octets);
    *out++ = static_cast<uint32_t>(_mm_cvtsi128_si32(_mm_packus_epi16(words, words)));
    p += length + 1;
  }
  *count = static_cast<size_t>(out - begin);
  return p;
}

#endif

}  // namespace

const char* ParsePlainAddressesPortably(const char* p, const char* end, size_t most, net::Ip4* out,
                                        size_t* count) {
  net::Ip4* const begin = out;
  while (p < end && most-- > 0) {
    const char* q = p;
    uint32_t a, b, c, d;
    if (!TakeShortOctet(&q, &a) || *q != '.') break;
    ++q;
    if (!TakeShortOctet(&q, &b) || *q != '.') break;
    ++q;
    if (!TakeShortOctet(&q, &c) || *q != '.') break;
    ++q;
    if (!TakeShortOctet(&q, &d) || *q != '\n') break;
    *out++ = a << 24 | b << 16 | c << 8 | d;
    p = q + 1;
  }
  *count = static_cast<size_t>(out - begin);
  return p;
}

const char* ParsePlainAddresses(const char* p, const char* end, size_t most, net::Ip4* out, size_t* count) {
#if defined(__x86_64__)
  static const bool kHasSse = __builtin_cpu_supports("sse4.1");
  if (kHasSse) {
    p = ParseWithSse(p, end, most, out, count);
    if (end - p >= 16) return p;
    size_t more;  // the last octets of the text
    p = ParsePlainAddressesPortably(p, end, most - *count, out + *count, &more);
    *count += more;
    return p;
  }
#endif
  return ParsePlainAddressesPortably(p, end, most, out, count);
}

}  // namespace mz::dataset
