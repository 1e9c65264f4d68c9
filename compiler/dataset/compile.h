// rbldnsd text in, models out: zone specifications, data files, and how they make zones.
//
//   MZ_ASSIGN_OR_RETURN(std::vector<ZoneSpec> specs, ParseZoneSpecs(argv_rest));
//   Assembly a = Assemble(specs, options, previous, sink);
//   a.model ... WriteImage;  a.failed ... which datasets kept their last good data or are missing
//
// Behaviour is rbldnsd's (1.0pre, 20210120) but for the deviations of docs/COMPATIBILITY.md. Not thread-safe; large files
// are parsed by `threads` threads inside.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "compiler/build/adopt.h"
#include "compiler/build/model.h"
#include "format/dataset/diagnostic.h"

namespace mz::compiler {

struct ZoneSpec {
  std::string zone;                 // wire form without root octet, lower case; empty: the global acl
  std::string zone_text;            // lower case presentation form
  image::DatasetKind kind = image::kIp4Set;
  std::vector<std::string> files;
  std::string dataset_spec;         // "ip4set:a,b": identity of the dataset (TYPE + file list as written)
  std::optional<uint32_t> default_ttl;  // beats CompileOptions::ttl.default_ttl; whoever sets it makes dataset_spec differ
};

// "ZONE:TYPE:FILE[,FILE...]". Errors: InvalidArgument with rbldnsd's text.
StatusOr<ZoneSpec> ParseZoneSpec(std::string_view text);
StatusOr<std::vector<ZoneSpec>> ParseZoneSpecs(const std::vector<std::string>& texts);

// Rules across specs: an acl at most once per zone and once for all, no zone without data. ParseZoneSpecs and Assemble
// check them. Errors: InvalidArgument with rbldnsd's text.
Status CheckZoneSpecs(const std::vector<ZoneSpec>& specs);

// "ip4set:FILES" as rbldnsd's log names a dataset: FILES cut to 60 octets.
std::string DatasetLogName(std::string_view dataset_spec);

// The word of a kind: "ip4set"; and back, nullopt for other words.
std::string_view KindWord(image::DatasetKind kind);
std::optional<image::DatasetKind> KindOfWord(std::string_view word);

// rbldnsd time value: decimal with optional unit s m h d w. Errors: InvalidArgument.
StatusOr<uint32_t> ParseTime(std::string_view text);

struct TtlBounds {                  // rbldnsd -t
  uint32_t default_ttl = 2100;
  uint32_t min_ttl = 0;             // 0: no limit
  uint32_t max_ttl = 0;
};

struct CompileOptions {
  TtlBounds ttl;
  bool mask_host_bits = false;      // -e
  bool refuse_gzip = false;         // -C
  bool provenance = true;
  int64_t now_unix = 0;             // for $TIMESTAMP
  int threads = 2;
  bool ent_nxdomain = false;        // zones get kZoneEntNxdomain
  bool minimal = false;             // -a: zones get kZoneMinimal
  uint32_t profile = image::kProfileRbldnsd;
  // Specs of the datasets that the last Assembly kept or missed: one that still fails is no news (Assembly::changed).
  std::vector<std::string> failing_before;
  std::function<void(std::string_view file, uint64_t done, uint64_t total)> progress;  // octets
};

// One dataset from its files. Errors: the dataset does not load (the reason has been reported to the sink, with
// rbldnsd's wording, and is in the status).
StatusOr<std::unique_ptr<DatasetModel>> CompileDataset(image::DatasetKind kind, const std::vector<std::string>& files,
                                                       std::string_view dataset_spec, const CompileOptions& options,
                                                       Pool* pool, dataset::DiagnosticSink* sink);

// The same for text in memory; `name` stands for the file in diagnostics. Its $SOA serial 0 has no file time.
StatusOr<std::unique_ptr<DatasetModel>> CompileText(image::DatasetKind kind, const std::string& name,
                                                    std::string_view text, const CompileOptions& options, Pool* pool,
                                                    dataset::DiagnosticSink* sink);

struct Assembly {
  ImageModel model;
  struct Dataset {
    std::string spec;
    enum State { kCompiled, kUnchanged, kKept, kMissing } state;  // kKept: failed now, last good data adopted
    std::string error;              // kKept, kMissing
  };
  std::vector<Dataset> datasets;    // parallel to model.datasets
  // Anything but kUnchanged; a failing dataset counts when it begins to fail (CompileOptions::failing_before).
  bool changed = false;
  bool all_loaded = true;           // no kMissing
  std::vector<std::string> zone_errors;  // "zone NAME: ...", "zone NAME: not all datasets are loaded, ..."
};

// Compiles every dataset of the specs (once each), adopts what did not change or failed from `previous` (may be null),
// and orders zones, nested zones first. Errors: InvalidArgument for rules across specs (two acls for a zone ...).
StatusOr<Assembly> Assemble(const std::vector<ZoneSpec>& specs, const CompileOptions& options, const Adopter* previous,
                            dataset::DiagnosticSink* sink);

}  // namespace mz::compiler
