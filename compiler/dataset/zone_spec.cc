// Zone specifications: "ZONE:TYPE:FILE[,FILE...]", and the words they are made of.
#include <absl/container/flat_hash_map.h>

#include "compiler/dataset/compile.h"
#include "format/dataset/name_key.h"
#include "format/dataset/specials.h"
#include "format/dns/name.h"

namespace mz::compiler {
namespace {

struct KindEntry {
  std::string_view word;
  image::DatasetKind kind;
};
constexpr KindEntry kKinds[] = {
    {"ip4set", image::kIp4Set},   {"ip4tset", image::kIp4Tset}, {"ip4trie", image::kIp4Trie},
    {"ip6tset", image::kIp6Tset}, {"ip6trie", image::kIp6Trie}, {"dnset", image::kDnset},
    {"generic", image::kGeneric}, {"combined", image::kCombined}, {"acl", image::kAcl},
};
constexpr size_t kLogFileOctets = 60;

Status Invalid(std::string message) { return MakeStatus(StatusCode::kInvalidArgument, message); }

}  // namespace

std::string_view KindWord(image::DatasetKind kind) {
  for (const KindEntry& k : kKinds)
    if (k.kind == kind) return k.word;
  return "unknown";
}

std::optional<image::DatasetKind> KindOfWord(std::string_view word) {
  for (const KindEntry& k : kKinds)
    if (k.word == word) return k.kind;
  return std::nullopt;
}

std::string DatasetLogName(std::string_view spec) {
  size_t colon = spec.find(':');
  if (colon == std::string_view::npos) return std::string(spec);
  return std::string(spec.substr(0, colon + 1 + kLogFileOctets));
}

StatusOr<uint32_t> ParseTime(std::string_view text) {
  uint32_t seconds;
  if (!dataset::ParseTimeText(text, &seconds))
    return Invalid("invalid time value `" + std::string(text) + "': a number with an optional unit s, m, h, d or w");
  return seconds;
}

StatusOr<ZoneSpec> ParseZoneSpec(std::string_view text) {
  ZoneSpec spec;
  size_t colon = text.find(':');
  if (colon == std::string_view::npos) return Invalid("invalid zone spec `" + std::string(text) + "'");
  std::string_view zone = text.substr(0, colon);
  spec.dataset_spec = std::string(text.substr(colon + 1));
  if (!dataset::AppendName(zone, /*keep_case=*/false, &spec.zone))
    return Invalid("invalid domain name `" + std::string(zone) + "'");

  std::string_view data = spec.dataset_spec;
  colon = data.find(':');
  if (colon == std::string_view::npos) return Invalid("invalid zone data specification `" + std::string(data) + "'");
  std::string_view type = data.substr(0, colon);
  std::optional<image::DatasetKind> kind = KindOfWord(type);
  if (!kind) return Invalid("unknown dataset type `" + std::string(type) + "'");
  spec.kind = *kind;
  // Commas and further colons both separate file names; empty ones do not count.
  for (std::string_view rest = data.substr(colon + 1); !rest.empty();) {
    size_t end = rest.find_first_of(",:");
    if (end != 0) spec.files.emplace_back(rest.substr(0, end));
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  if (spec.files.empty()) return Invalid("missing filenames for " + std::string(type));
  if (spec.zone.empty() && spec.kind != image::kAcl)
    return Invalid("missing domain name in `" + std::string(text) + "'");
  if (!spec.zone.empty()) spec.zone_text = dns::NameText(spec.zone);
  return spec;
}

StatusOr<std::vector<ZoneSpec>> ParseZoneSpecs(const std::vector<std::string>& texts) {
  std::vector<ZoneSpec> specs;
  for (const std::string& text : texts) {
    MZ_ASSIGN_OR_RETURN(ZoneSpec spec, ParseZoneSpec(text));
    specs.push_back(std::move(spec));
  }
  MZ_RETURN_IF_ERROR(CheckZoneSpecs(specs));
  return specs;
}

Status CheckZoneSpecs(const std::vector<ZoneSpec>& specs) {
  struct Zone {
    bool acl = false, data = false;
  };
  absl::flat_hash_map<std::string, Zone> zones;
  bool global_acl = false;
  for (const ZoneSpec& spec : specs) {
    if (spec.zone.empty()) {
      if (global_acl) return Invalid("global acl specified more than once");
      global_acl = true;
      continue;
    }
    Zone& zone = zones[spec.zone];
    if (spec.kind != image::kAcl) {
      zone.data = true;
    } else if (zone.acl) {
      return Invalid("repeated ACL definition for zone `" + spec.zone_text + "'");
    } else {
      zone.acl = true;
    }
  }
  for (const ZoneSpec& spec : specs)
    if (!spec.zone.empty() && !zones[spec.zone].data)
      return Invalid("missing data for zone `" + spec.zone_text + "'");
  return absl::OkStatus();
}

}  // namespace mz::compiler
