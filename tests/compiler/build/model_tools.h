// Short ways to make models and to look into images, for the tests of compiler/build.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/build/image_writer.h"
#include "format/dns/name.h"
#include "format/image/verify.h"

namespace mz::compiler::testing {

inline std::string Wire(std::string_view text) {
  StatusOr<std::string> wire = dns::ParseName(text);
  EXPECT_TRUE(wire.ok()) << text;
  dns::LowerName(&*wire);
  return *wire;
}
// With root octet, case kept.
inline std::string FullWire(std::string_view text) { return *dns::ParseName(text) + '\0'; }

inline ResultId Result(Pool* pool, uint8_t last_octet, std::string_view text = "") {
  ValueModel value;
  value.a[3] = last_octet;
  if (!text.empty()) value.text = pool->InternText({std::string(text), {}, image::kTextCut254});
  return pool->InternResult({value});
}

inline DatasetModel* AddDataset(ImageModel* model, image::DatasetKind kind, std::string spec) {
  auto d = std::make_unique<DatasetModel>();
  d->kind = kind;
  d->spec = std::move(spec);
  model->datasets.push_back(std::move(d));
  return model->datasets.back().get();
}

inline ZoneModel* AddZone(ImageModel* model, std::string_view name, std::vector<uint32_t> datasets) {
  ZoneModel zone;
  zone.apex = Wire(name);
  zone.text = name;
  zone.datasets = std::move(datasets);
  model->zones.push_back(std::move(zone));
  return &model->zones.back();
}

inline void AddDnset(DatasetModel* d, std::string_view name, uint8_t flags, ResultId exact, ResultId wild) {
  d->dnset.push_back({d->names.Add(Wire(name)), flags, exact, wild, 0});
}

inline GenericRecord ARecord(uint32_t ttl, uint8_t last_octet) {
  return {1, ttl, std::string({'\x0a', '\0', '\0', static_cast<char>(last_octet)}), 0};
}

// An image in memory together with its view; the test fails when it does not verify.
struct TestImage {
  std::vector<uint8_t> bytes;
  image::View view;
  BuildResult result;
};
inline std::unique_ptr<TestImage> Write(const ImageModel& model, WriteOptions options = {}) {
  auto image = std::make_unique<TestImage>();
  if (!options.created_unix.has_value()) options.created_unix = 0;
  StatusOr<BuildResult> result = WriteImage(model, options, &image->bytes);
  if (!result.ok()) {
    ADD_FAILURE() << result.status().ToString();
    return nullptr;
  }
  image->result = *result;
  StatusOr<image::View> view = image::Verify(image->bytes, image::VerifyLevel::kEverything);
  if (!view.ok()) {
    ADD_FAILURE() << view.status().ToString();
    return nullptr;
  }
  image->view = *view;
  return image;
}

inline const image::NameRecord* Find(const image::View& view, uint32_t scope, std::string_view name) {
  std::string wire = Wire(name);
  const auto* p = reinterpret_cast<const uint8_t*>(wire.data());
  return view.FindName(scope, image::HashName(view.hash_seed(), scope, {p, wire.size()}), p, wire.size());
}

// The only dataset of zone `zone`.
inline const image::DatasetRef& OnlyDataset(const image::View& view, size_t zone = 0) {
  auto datasets = image::Datasets(view.node(view.zones()[zone].node));
  EXPECT_EQ(datasets.size(), 1u);
  return datasets[0];
}

}  // namespace mz::compiler::testing
