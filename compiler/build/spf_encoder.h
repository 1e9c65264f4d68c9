// SPF datasets -> the SPF section, class maps, private maps and domain names.
//
//   SpfEncoder spf(&values, &maps, &names);
//   for (...) MZ_RETURN_IF_ERROR(spf.Collect(*model));   // every dataset first: the whole image shares sets
//   MZ_RETURN_IF_ERROR(spf.BuildShared());
//   for (...) MZ_RETURN_IF_ERROR(spf.Encode(*model, &ref));
//   section = spf.Finish();
//
// A set takes one of three forms. Few prefixes: written out in each domain that has it. Used by several domains: a
// shared set with its classes. Else, and where the classes would grow past their limits: a map. Memory and
// image are linear in the model, whatever the overlaps: a list of more than kMaxSpfEntries entries becomes one
// map. The models must outlive the encoder. Errors: Internal (a model breaks the rules of spf_model.h),
// ResourceExhausted.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/status.h"
#include "compiler/build/heap.h"
#include "compiler/build/map_builder.h"
#include "compiler/build/name_index_builder.h"
#include "compiler/build/address_classes.h"
#include "compiler/build/spf_model.h"
#include "compiler/build/value_encoder.h"
#include "format/image/layout.h"

namespace mz::compiler {

class SpfEncoder {
 public:
  SpfEncoder(ValueEncoder* values, MapBuilder* maps, NameIndexBuilder* names, ClassLimits limits = {});

  Status Collect(const SpfModel& model);
  Status BuildShared();
  // Sets map4 (the zone) and exact_depths; the scope is given.
  Status Encode(const SpfModel& model, image::DatasetRef* ref);
  StatusOr<Bytes> Finish();

 private:
  static constexpr uint32_t kSmall = UINT32_MAX;  // in SetRefs: always written out

  template <typename Address>
  struct Family {
    using Range = typename AddressFamily<Address>::Range;
    using Interval = typename AddressFamily<Address>::Interval;
    std::vector<SharedSet<Address>> sets;  // distinct large sets of all models
    absl::flat_hash_map<uint64_t, uint32_t> by_hash;
    std::vector<uint32_t> shared_id;                   // by index in sets; 0: none
    absl::flat_hash_map<uint64_t, uint32_t> set_maps;  // index in sets << 32 | program id -> kMaps offset
    std::deque<std::vector<Interval>> intervals;       // of all maps: the MapBuilder compares with them
    uint32_t class_map = 0, classes = 0, class_words = 0, set_count = 0;
  };
  struct SetRefs {  // by index in the model's sets: kSmall or index in Family::sets
    std::vector<uint32_t> four, six;
  };
  // A domain under construction; kept for its capacity.
  struct Draft {
    std::vector<uint32_t> programs;  // local index -> program id
    std::vector<uint32_t> key4, key6;
    std::vector<uint8_t> kind4, kind6, program4, program6;
    std::vector<net::Ip6> prefix6;
  };

  template <typename Address>
  Status CollectSets(const std::vector<std::vector<typename AddressFamily<Address>::Range>>& sets,
                     Family<Address>* family, std::vector<uint32_t>* refs);
  template <typename Address>
  Status BuildSharedFamily(Family<Address>* family);
  Status EncodeZone(const SpfModel& model, image::DatasetRef* ref);
  Status EncodeLayouts(const SpfModel& model, std::string* counts, std::string* parts, std::string* labels);
  StatusOr<uint32_t> EncodeProgram(const SpfProgram& program);
  StatusOr<uint32_t> EncodeDomain(const SpfModel& model, const SetRefs& refs, const SpfDomain& domain);
  template <typename Address>
  Status EncodeList(const std::vector<std::vector<typename AddressFamily<Address>::Range>>& sets,
                    const std::vector<uint32_t>& refs, std::span<const SpfEntry> entries, uint32_t default_program,
                    Family<Address>* family);
  template <typename Address>
  Status AddMapEntry(const std::vector<std::vector<typename AddressFamily<Address>::Range>>& sets,
                     std::span<const SpfEntry> entries, Family<Address>* family);
  template <typename Address>
  Status AddSetMapEntry(uint32_t set, uint32_t program, Family<Address>* family);
  template <typename Address>
  void Put(uint32_t key, uint8_t kind, uint8_t program);
  int LocalProgram(uint32_t id);
  StatusOr<uint32_t> StoreDraft(const SpfDomain& domain);

  ValueEncoder* values_;
  MapBuilder* maps_;
  NameIndexBuilder* names_;
  const ClassLimits limits_;
  Heap heap_{8};
  bool any_ = false;
  Family<net::Ip4> four_;
  Family<net::Ip6> six_;
  absl::flat_hash_map<const SpfModel*, SetRefs> refs_;
  std::vector<image::SpfProgram> programs_;                 // by id; 0 is reserved
  absl::flat_hash_map<std::string, uint32_t> program_ids_;  // by content
  std::vector<uint32_t> program_id_;                        // of the model being encoded, by index
  absl::flat_hash_map<uint64_t, uint32_t> domains_;         // by hash of the content: kSpfData offset
  Draft draft_;
};

}  // namespace mz::compiler
