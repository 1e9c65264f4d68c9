// The meta section: JSON that describes the image for people, for `mailzone`'s verbs and for the next build. The server
// never reads it. Keys, in this order of nesting:
//
//   options       what WriteOptions::build_options_json held: the object itself, or a string when its text is not what
//                 this writer would print for that object (it is given back octet by octet)
//   global_acl    index into datasets, or null
//   zones[]       name (presentation form), text (as configured), datasets[] (indexes, in order), acl (index or null)
//   datasets[]    flat; DatasetRef::meta is an index here. The parts of a combined dataset follow it.
//                 null: configured, but never loaded. Else:
//     spec, kind ("ip4set"), ttl, entries, counts, extra_load_lines[], newest_mtime, expires
//     files[]     path, size, mtime_s, mtime_ns, inode
//     soa         ttl, mname, rname (presentation form), serial (0: newest file), refresh, retry, expire, minimum
//     ns          ttl, names[]
//     first_part, part_count   combined only
//     part_of                  parts only: index of the combined dataset
//
// Absent keys mean the default. Text that is not UTF-8 is an object {"hex": "..."}.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "compiler/build/flat_datasets.h"
#include "compiler/build/image_writer.h"
#include "compiler/build/model.h"

namespace mz::compiler {

// Errors: InvalidArgument (options.build_options_json is not JSON).
StatusOr<std::string> EncodeMeta(const ImageModel& model, const FlatDatasets& flat, const WriteOptions& options);

struct MetaDataset {
  // Everything of the section: spec, kind, ttl, files, soa, ns, expiry, counts. Maps, names, parts and provenance are
  // elsewhere in the image.
  DatasetModel model;
  bool loaded = false;     // false: null in the section
  uint32_t first_part = 0, part_count = 0;
  int part_of = -1;
};
struct ImageMeta {
  std::string build_options_json;
  std::vector<MetaDataset> datasets;
};

// Errors: DataLoss (not what EncodeMeta writes). Any bytes are safe.
StatusOr<ImageMeta> DecodeMeta(std::string_view json);

const char* KindText(image::DatasetKind kind);

}  // namespace mz::compiler
