// See image_meta.h.
#include "compiler/build/image_meta.h"

#include <nlohmann/json.hpp>

#include "format/dns/name.h"

namespace mz::compiler {

using Json = nlohmann::ordered_json;

namespace {

constexpr const char* kKinds[] = {"",      "ip4set", "ip4tset", "ip4trie",  "ip6tset",
                                  "ip6trie", "dnset",  "generic", "combined", "acl", "spf", "healthcheck"};
static_assert(std::size(kKinds) == image::kDatasetKindLast + 1);

// Well-formed UTF-8 without surrogates and overlong forms (RFC 3629): what JSON can carry as it is.
bool IsUtf8(std::string_view s) {
  for (size_t i = 0; i < s.size();) {
    uint8_t c = static_cast<uint8_t>(s[i]);
    if (c >= 0x80 && (c < 0xc2 || c > 0xf4)) return false;
    const size_t more = c < 0x80 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
    if (i + more >= s.size()) return false;
    uint32_t code = more == 0 ? c : c & (0x3fu >> more);
    for (size_t k = 1; k <= more; k++) {
      uint8_t next = static_cast<uint8_t>(s[i + k]);
      if ((next & 0xc0) != 0x80) return false;
      code = code << 6 | (next & 0x3f);
    }
    if ((more == 2 && code < 0x800) || (more == 3 && code < 0x10000) || code > 0x10ffff ||
        (code >= 0xd800 && code < 0xe000))
      return false;
    i += more + 1;
  }
  return true;
}

Json TextJson(std::string_view s) {
  if (IsUtf8(s)) return std::string(s);
  static constexpr char kHex[] = "0123456789abcdef";
  std::string hex;
  for (char c : s) {
    hex.push_back(kHex[static_cast<uint8_t>(c) >> 4]);
    hex.push_back(kHex[c & 15]);
  }
  return Json{{"hex", hex}};
}

std::string TextOf(const Json& j) {
  if (j.is_string()) return j.get<std::string>();
  const std::string& hex = j.at("hex").get_ref<const std::string&>();
  auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    throw std::invalid_argument("bad hex");
  };
  std::string out;
  for (size_t i = 0; i + 1 < hex.size(); i += 2)
    out.push_back(static_cast<char>(digit(hex[i]) << 4 | digit(hex[i + 1])));
  return out;
}

// Wire form with root octet <-> presentation form.
std::string NameJson(std::string_view wire) { return dns::NameText(wire.substr(0, wire.size() - 1)); }

std::string NameOf(const Json& j) {
  StatusOr<std::string> wire = dns::ParseName(j.get_ref<const std::string&>());
  if (!wire.ok()) throw std::invalid_argument(std::string(Message(wire.status())));
  return *wire + '\0';
}

Json DatasetJson(const DatasetModel& d) {
  Json j;
  j["spec"] = TextJson(d.spec);
  j["kind"] = KindText(d.kind);
  j["ttl"] = d.ttl;
  j["entries"] = d.entries;
  if (!d.counts.empty()) j["counts"] = TextJson(d.counts);
  for (const std::string& line : d.extra_load_lines) j["extra_load_lines"].push_back(TextJson(line));
  if (d.newest_mtime != 0) j["newest_mtime"] = d.newest_mtime;
  if (d.expires_unix != 0) j["expires"] = d.expires_unix;
  for (const SourceFile& f : d.files)
    j["files"].push_back({{"path", TextJson(f.path)},
                          {"size", f.size},
                          {"mtime_s", f.mtime_seconds},
                          {"mtime_ns", f.mtime_nanoseconds},
                          {"inode", f.inode}});
  if (d.soa.has_value() && !d.soa->mname.empty() && !d.soa->rname.empty())
    j["soa"] = {{"ttl", d.soa->ttl},         {"mname", NameJson(d.soa->mname)}, {"rname", NameJson(d.soa->rname)},
                {"serial", d.soa->serial},   {"refresh", d.soa->refresh},       {"retry", d.soa->retry},
                {"expire", d.soa->expire},   {"minimum", d.soa->minimum}};
  if (d.ns.has_value()) {
    Json names = Json::array();
    for (const std::string& name : d.ns->names)
      if (!name.empty()) names.push_back(NameJson(name));
    j["ns"] = {{"ttl", d.ns->ttl}, {"names", names}};
  }
  return j;
}

template <typename T>
T Get(const Json& j, const char* key, T fallback) {
  auto it = j.find(key);
  return it == j.end() ? fallback : it->get<T>();
}

void ReadDataset(const Json& j, MetaDataset* out) {
  DatasetModel& d = out->model;
  out->loaded = true;
  d.spec = TextOf(j.at("spec"));
  const std::string kind = j.at("kind").get<std::string>();
  size_t k = 1;
  while (k < std::size(kKinds) && kind != kKinds[k]) k++;
  if (k == std::size(kKinds)) throw std::invalid_argument("unknown kind " + kind);
  d.kind = static_cast<image::DatasetKind>(k);
  d.ttl = j.at("ttl").get<uint32_t>();
  d.entries = Get<uint64_t>(j, "entries", 0);
  if (j.contains("counts")) d.counts = TextOf(j["counts"]);
  if (j.contains("extra_load_lines"))
    for (const Json& line : j["extra_load_lines"]) d.extra_load_lines.push_back(TextOf(line));
  d.newest_mtime = Get<int64_t>(j, "newest_mtime", 0);
  d.expires_unix = Get<int64_t>(j, "expires", 0);
  if (j.contains("files"))
    for (const Json& f : j["files"])
      d.files.push_back({TextOf(f.at("path")), f.at("mtime_s").get<int64_t>(), f.at("mtime_ns").get<int64_t>(),
                         f.at("size").get<uint64_t>(), f.at("inode").get<uint64_t>()});
  if (j.contains("soa")) {
    const Json& s = j["soa"];
    Soa soa;
    soa.ttl = s.at("ttl").get<uint32_t>();
    soa.mname = NameOf(s.at("mname"));
    soa.rname = NameOf(s.at("rname"));
    soa.serial = s.at("serial").get<uint32_t>();
    soa.refresh = s.at("refresh").get<uint32_t>();
    soa.retry = s.at("retry").get<uint32_t>();
    soa.expire = s.at("expire").get<uint32_t>();
    soa.minimum = s.at("minimum").get<uint32_t>();
    d.soa = std::move(soa);
  }
  if (j.contains("ns")) {
    NameServers ns;
    ns.ttl = j["ns"].at("ttl").get<uint32_t>();
    for (const Json& name : j["ns"].at("names")) ns.names.push_back(NameOf(name));
    d.ns = std::move(ns);
  }
  out->first_part = Get<uint32_t>(j, "first_part", 0);
  out->part_count = Get<uint32_t>(j, "part_count", 0);
  out->part_of = Get<int>(j, "part_of", -1);
}

Json OptionsJson(const std::string& text) {
  if (text.empty()) return Json::object();
  Json parsed = Json::parse(text);
  if (parsed.is_object() && parsed.dump() == text) return parsed;
  return TextJson(text);
}

}  // namespace

const char* KindText(image::DatasetKind kind) {
  return kind >= 1 && kind <= image::kDatasetKindLast ? kKinds[kind] : "";
}

StatusOr<std::string> EncodeMeta(const ImageModel& model, const FlatDatasets& flat, const WriteOptions& options) {
  Json root;
  try {
    root["options"] = OptionsJson(options.build_options_json);
  } catch (const std::exception& e) {
    return MakeStatus(StatusCode::kInvalidArgument, std::string("build options are not JSON: ") + e.what());
  }
  try {
    auto index = [&](const std::optional<uint32_t>& dataset) {
      return dataset.has_value() ? Json(flat.top(*dataset)) : Json(nullptr);
    };
    root["global_acl"] = index(model.global_acl);
    root["zones"] = Json::array();
    for (const ZoneModel& zone : model.zones) {
      Json datasets = Json::array();
      for (uint32_t d : zone.datasets) datasets.push_back(flat.top(d));
      root["zones"].push_back({{"name", dns::NameText(zone.apex)},
                               {"text", TextJson(zone.text)},
                               {"datasets", datasets},
                               {"acl", index(zone.acl)}});
    }
    Json& list = root["datasets"] = Json::array();
    for (const auto& top : model.datasets) {
      if (top == nullptr) {
        list.push_back(nullptr);
        continue;
      }
      const size_t meta = list.size();
      Json j = DatasetJson(*top);
      if (!top->parts.empty()) {
        j["first_part"] = flat[meta].first_part;
        j["part_count"] = top->parts.size();
      }
      list.push_back(std::move(j));
      for (const auto& part : top->parts) {
        Json p = part == nullptr ? Json(nullptr) : DatasetJson(*part);
        if (part != nullptr) p["part_of"] = meta;
        list.push_back(std::move(p));
      }
    }
    return root.dump();
  } catch (const std::exception& e) {
    return MakeStatus(StatusCode::kInternal, std::string("cannot write the image's metadata: ") + e.what());
  }
}

StatusOr<ImageMeta> DecodeMeta(std::string_view text) {
  try {
    const Json root = Json::parse(text);
    ImageMeta meta;
    const Json& options = root.at("options");
    meta.build_options_json = options.is_object() && !options.contains("hex") ? options.dump() : TextOf(options);
    for (const Json& j : root.at("datasets")) {
      MetaDataset& d = meta.datasets.emplace_back();
      if (!j.is_null()) ReadDataset(j, &d);
    }
    const size_t count = meta.datasets.size();
    for (const MetaDataset& d : meta.datasets)
      if (d.first_part > count || d.part_count > count - d.first_part || d.part_of >= static_cast<int64_t>(count))
        throw std::invalid_argument("a part's index is out of range");
    return meta;
  } catch (const std::exception& e) {
    return MakeStatus(StatusCode::kDataLoss, std::string("the image's metadata is damaged: ") + e.what());
  }
}

}  // namespace mz::compiler
