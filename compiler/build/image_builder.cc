// See image_builder.h.
#include "compiler/build/image_builder.h"

#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <numeric>
#include <optional>

#include "absl/container/flat_hash_map.h"
#include "compiler/build/dataset_encoder.h"
#include "compiler/build/flat_datasets.h"
#include "compiler/build/image_meta.h"
#include "compiler/build/map_builder.h"
#include "compiler/build/name_index_builder.h"
#include "compiler/build/parallel.h"
#include "compiler/build/provenance_encoder.h"
#include "compiler/build/value_encoder.h"
#include "compiler/build/zone_encoder.h"

namespace mz::compiler {

using image::SectionId;

namespace {

constexpr uint64_t kSmallImage = 4u << 20;  // not worth a thread

// A build that must be reproducible is told the time by SOURCE_DATE_EPOCH (reproducible-builds.org).
uint64_t CreatedUnix(const WriteOptions& options) {
  if (options.created_unix.has_value()) return *options.created_unix;
  if (const char* epoch = std::getenv("SOURCE_DATE_EPOCH"); epoch != nullptr && *epoch >= '0' && *epoch <= '9')
    return std::strtoull(epoch, nullptr, 10);
  return static_cast<uint64_t>(std::time(nullptr));
}

uint64_t PaddedSize(uint64_t size) {
  return (size + image::kSectionAlignment - 1) / image::kSectionAlignment * image::kSectionAlignment;
}

// XXH3-64 over a section and its zero padding.
uint64_t SectionChecksum(const Bytes& section) {
  static constexpr uint8_t kZeros[image::kSectionAlignment] = {};
  XXH3_state_t* state = XXH3_createState();
  MZ_CHECK(state != nullptr);
  XXH3_64bits_reset(state);
  XXH3_64bits_update(state, section.data(), section.size());
  XXH3_64bits_update(state, kZeros, PaddedSize(section.size()) - section.size());
  uint64_t checksum = XXH3_64bits_digest(state);
  XXH3_freeState(state);
  return checksum;
}

Status FillHeader(const ImageModel& model, const WriteOptions& options, const NameIndex& index, uint32_t zone_depths,
                  uint32_t global_acl, uint32_t shared_sets, BuiltImage* out) {
  image::Header& h = out->header;
  std::memset(static_cast<void*>(&h), 0, sizeof h);
  std::memcpy(h.magic, image::kMagic, sizeof h.magic);
  h.version = image::kVersion;
  h.header_bytes = static_cast<uint32_t>(image::kHeaderBytes);
  h.hash_seed = index.hash_seed;
  h.profile = model.profile;
  h.section_count = static_cast<uint32_t>(image::kSectionCount);
  h.zone_depths = zone_depths;
  h.max_probes = index.max_probes;
  h.global_acl = global_acl;
  h.shared_sets = shared_sets;
  uint64_t offset = image::kHeaderBytes;
  for (uint32_t i = 0; i < image::kSectionCount; i++) {
    h.sections[i].offset = offset;
    h.sections[i].size = out->sections[i].size();
    offset += PaddedSize(out->sections[i].size());
  }
  // The largest sections first, so that the threads end together.
  std::array<uint32_t, image::kSectionCount> order;
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(),
                   [&](uint32_t a, uint32_t b) { return out->sections[a].size() > out->sections[b].size(); });
  ParallelFor(offset < kSmallImage ? 1 : options.threads, order.size(),
              [&](size_t i) { h.sections[order[i]].checksum = SectionChecksum(out->sections[order[i]]); });
  if (offset > image::kMaxImageBytes)
    return MakeStatus(StatusCode::kResourceExhausted, "the image would have " + std::to_string(offset) + " bytes");
  h.file_size = offset;
  h.identity = XXH3_64bits(&h, sizeof h);
  h.created_unix = CreatedUnix(options);
  h.checksum = XXH3_64bits(&h, offsetof(image::Header, checksum));
  return absl::OkStatus();
}

}  // namespace

StatusOr<BuildResult> BuildImage(const ImageModel& model, const WriteOptions& options, BuiltImage* out) {
  auto progress = [&](double done) {
    if (options.progress) options.progress(done);
  };
  BuildResult result;
  FlatDatasets flat(model);
  ValueEncoder values(model.pool);
  MapBuilder maps(&values, kDirect4Keys, options.threads);
  NameIndexBuilder names;
  RecordHeap records;

  DatasetEncoder datasets(model, flat, &values, &maps, &names, &records, options.shared_sets, options.threads);
  MZ_RETURN_IF_ERROR(datasets.EncodeAll([&](double part) { progress(0.5 * part); }));
  ZoneEncoder zones(model, options, &datasets, &names, &records);
  MZ_RETURN_IF_ERROR(zones.EncodeAll(&result.warnings));
  MZ_RETURN_IF_ERROR(values.status());
  MZ_ASSIGN_OR_RETURN(std::string meta, EncodeMeta(model, flat, options));
  if (options.provenance) {
    MZ_ASSIGN_OR_RETURN(out->sections[image::kProvenance], EncodeProvenance(flat, options.threads));
  }
  MZ_ASSIGN_OR_RETURN(out->sections[image::kSpfData], datasets.TakeSpf());
  out->sections[image::kHealthcheckData] = datasets.TakeHealthcheck();
  progress(0.6);

  out->sections[image::kZones] = zones.TakeZones();
  out->sections[image::kMaps] = maps.TakeMaps();
  out->sections[image::kResultTables] = maps.TakeResultTables();
  out->sections[image::kValues] = values.TakeValues();
  out->sections[image::kTexts] = values.TakeTexts();
  out->sections[image::kRrsets] = records.Take();
  out->sections[image::kMeta].assign(meta.begin(), meta.end());

  // The default seed depends on every name and on where it leads, and on nothing else.
  uint64_t seed = options.hash_seed.has_value()
                      ? *options.hash_seed
                      : XXH3_64bits_withSeed(names.nodes().bytes().data(), names.nodes().size(),
                                             XXH3_64bits(out->sections[image::kValues].data(),
                                                         out->sections[image::kValues].size()));
  MZ_ASSIGN_OR_RETURN(NameIndex index, names.Finish(seed, options.hash_seed.has_value(), options.threads));
  out->sections[image::kBuckets] = std::move(index.buckets);
  out->sections[image::kNodes] = names.nodes().Take();
  progress(0.9);

  MZ_RETURN_IF_ERROR(FillHeader(model, options, index, zones.zone_depths(), zones.global_acl(), datasets.shared_sets(), out));
  result.identity = out->header.identity;
  result.file_bytes = out->header.file_size;
  result.zones = static_cast<uint32_t>(model.zones.size());
  result.names = index.names;
  result.addresses_intervals = maps.intervals_stored();
  progress(1.0);
  return result;
}

}  // namespace mz::compiler
