// Damages images at random, at least 100,000 times. As it is, every damaged image must be refused. With
// checksums made right again the deep checks decide: what they accept is asked everything, and may neither
// crash nor contradict itself.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "format/image/verify.h"
#include "tests/format/image/exercise.h"
#include "tests/format/image/image_edit.h"
#include "tests/format/image/sample_models.h"

namespace mz::image {
namespace {

class Mutator {
 public:
  Mutator(std::vector<Bytes> images, uint64_t seed) : images_(std::move(images)), random_(seed) {}

  // One damaged image.
  Bytes Next() {
    const Bytes& base = images_[Below(images_.size())];
    Bytes out = base;
    const int rounds = Below(4) == 0 ? 1 + static_cast<int>(Below(4)) : 1;
    for (int i = 0; i < rounds; i++) Damage(&out);
    return out;
  }
  uint64_t Below(uint64_t n) { return random_() % n; }

 private:
  void Damage(Bytes* b) {
    if (b->size() < kHeaderBytes) return;
    switch (Below(12)) {
      case 0:
      case 1:
        (*b)[Place(*b)] ^= static_cast<uint8_t>(1u << Below(8));
        break;
      case 2:
        (*b)[Place(*b)] = static_cast<uint8_t>(random_());
        break;
      case 3:
      case 4:
      case 5:
        SetWord(b);
        break;
      case 6:
        b->resize(Below(b->size() + 1));
        break;
      case 7:
        b->resize(b->size() + 1 + (Below(2) ? Below(64) : kSectionAlignment - 1));
        break;
      case 8:
        Splice(b);
        break;
      case 9:
        SwapSections(b);
        break;
      case 10:
        MoveInside(b);
        break;
      default:
        ResizeSection(b);
        break;
    }
  }

  // Mostly where there is content: padding pages are large and alike.
  size_t Place(const Bytes& b) {
    const Header& h = *reinterpret_cast<const Header*>(b.data());
    if (Below(10) == 0) return Below(b.size());
    // The sections that no server reads come last, and seldom.
    uint64_t section = Below(16) == 0 ? Below(kSectionCount) : Below(kMeta + 2);
    if (section == kMeta + 1) section = kSpfData;
    if (section == kMeta) return Below(std::min<size_t>(b.size(), 72 + 24 * kSectionCount));
    const uint64_t offset = h.sections[section].offset, size = h.sections[section].size;
    if (size == 0 || offset >= b.size()) return Below(b.size());
    return offset + Below(std::min<uint64_t>(size, b.size() - offset));
  }

  void SetWord(Bytes* b) {
    const size_t place = Place(*b) & ~size_t{3};
    if (place + 4 > b->size()) return;
    Le32& word = *reinterpret_cast<Le32*>(b->data() + place);
    static constexpr uint32_t kValues[] = {0,          1,          2,      0x7fffffff, 0x80000000,
                                           0xfffffffe, 0xffffffff, 0xffff, 0x10000};
    switch (Below(4)) {
      case 0:
        word = kValues[Below(std::size(kValues))];
        break;
      case 1:
        word = word + static_cast<uint32_t>(Below(5)) - 2;
        break;
      case 2:
        word = static_cast<uint32_t>(Below(64));
        break;
      default: {  // a word from elsewhere: offsets of the wrong kind
        const size_t other = Place(*b) & ~size_t{3};
        if (other + 4 <= b->size()) word = *reinterpret_cast<const Le32*>(b->data() + other);
      }
    }
  }

  void Splice(Bytes* b) {
    const Bytes& other = images_[Below(images_.size())];
    const size_t from = Place(other), to = Below(2) ? std::min(from, b->size() - 1) : Place(*b);
    const size_t n = std::min({other.size() - from, b->size() - to, size_t{1} << Below(13)});
    std::copy_n(other.begin() + static_cast<ptrdiff_t>(from), n, b->begin() + static_cast<ptrdiff_t>(to));
  }

  void MoveInside(Bytes* b) {
    const size_t from = Place(*b), to = Place(*b);
    const size_t n = std::min({b->size() - from, b->size() - to, size_t{4} << Below(6)});
    const Bytes piece(b->begin() + static_cast<ptrdiff_t>(from),
                      b->begin() + static_cast<ptrdiff_t>(from + n));
    std::copy(piece.begin(), piece.end(), b->begin() + static_cast<ptrdiff_t>(to));
  }

  void SwapSections(Bytes* b) {
    Header& h = *reinterpret_cast<Header*>(b->data());
    if (Below(2)) {
      std::swap(h.sections[Below(kSectionCount)], h.sections[Below(kSectionCount)]);
      return;
    }
    ImageParts parts;
    if (!Split(*b, &parts)) return;
    if (Below(2)) {
      std::swap(parts.sections[Below(kSectionCount)], parts.sections[Below(kSectionCount)]);
    } else {
      ImageParts other;
      const size_t i = Below(kSectionCount);
      if (Split(images_[Below(images_.size())], &other)) parts.sections[i] = other.sections[i];
    }
    *b = Join(parts);
  }

  void ResizeSection(Bytes* b) {
    ImageParts parts;
    if (!Split(*b, &parts)) return;
    Bytes& section = parts.sections[Below(kSectionCount)];
    const size_t step = size_t{4} << Below(5);
    section.resize(Below(2) ? section.size() + step : section.size() - std::min(step, section.size()));
    *b = Join(parts);
  }

  std::vector<Bytes> images_;
  std::mt19937_64 random_;
};

struct Totals {
  int refused_as_is = 0, refused_fixed = 0, accepted = 0, joined = 0;
};

// Variants that were laid out again (new sizes) carry right checksums already: they only count for the second
// part.
Totals TryVariants(std::vector<Bytes> images, int variants, uint64_t seed) {
  std::vector<Bytes> originals = images;
  Mutator mutator(std::move(images), seed);
  Totals totals;
  for (int i = 0; i < variants; i++) {
    Bytes damaged = mutator.Next();
    if (std::find(originals.begin(), originals.end(), damaged) != originals.end()) {
      i--;
      continue;
    }
    Bytes fixed = damaged;
    FixChecksums(&fixed);
    if (fixed != damaged) {
      EXPECT_FALSE(Verify(damaged, VerifyLevel::kEverything).ok()) << "variant " << i << " of seed " << seed;
      totals.refused_as_is++;
    } else {
      totals.joined++;
    }
    // A copy of the exact size, so that ASan sees every read behind the end.
    const Bytes exact(fixed.begin(), fixed.end());
    StatusOr<View> view = Verify(exact, VerifyLevel::kEverything, i % 64 == 0 ? 2 : 1);
    if (view.ok()) {
      ExerciseView(*view, /*text_forms=*/totals.accepted++ % 8 == 0);
    } else {
      EXPECT_EQ(view.status().code(), StatusCode::kDataLoss);
      totals.refused_fixed++;
    }
    if (testing::Test::HasFailure()) break;
  }
  std::printf("%d variants: %d refused for checksums, %d refused for content, %d accepted and asked\n",
              variants, totals.refused_as_is, totals.refused_fixed, totals.accepted);
  return totals;
}

TEST(MutationTest, DamagedImagesAreRefusedOrHarmless) {
  std::vector<Bytes> images;
  for (const std::string& name : SmallSampleNames()) images.push_back(SampleImage(name));
  const Totals totals = TryVariants(std::move(images), 110000, 1);
  EXPECT_GT(totals.refused_as_is, 80000);
  EXPECT_GT(totals.refused_fixed, 50000);
  EXPECT_GT(totals.accepted, 1000);  // else the second part tests nothing
}

TEST(MutationTest, DamagedDirectTablesAreRefusedOrHarmless) {
  const Totals totals = TryVariants({SampleImage("direct4")}, 60, 2);
  EXPECT_GT(totals.refused_fixed, 10);
}

TEST(MutationTest, EveryHeaderOctetCounts) {
  const Bytes image = SampleImage("every-kind");
  for (size_t i = 0; i < kHeaderBytes; i++) {
    Bytes damaged = image;
    damaged[i] ^= 0x20;
    EXPECT_FALSE(Verify(damaged, VerifyLevel::kStructure).ok()) << i;
  }
}

TEST(MutationTest, EveryLengthButTheRightOneIsRefused) {
  const Bytes image = SampleImage("tiny");
  for (size_t n = 0; n < image.size(); n += n < 8192 ? 1 : 97)
    EXPECT_FALSE(Verify(std::span(image).first(n), VerifyLevel::kStructure).ok()) << n;
  Bytes longer = image;
  for (size_t n : {size_t{1}, size_t{4095}, size_t{4096}}) {
    longer.resize(image.size() + n);
    EXPECT_FALSE(Verify(longer, VerifyLevel::kStructure).ok()) << n;
  }
}

}  // namespace
}  // namespace mz::image
