// See probe.h.
#include "tests/compiler/dataset/probe.h"

#include <algorithm>

#include "format/dataset/name_key.h"
#include "format/dns/name.h"

namespace mz::compiler::test {

std::string ResultText(const Pool& pool, ResultId result) {
  if (result == 0) return "-";
  std::string out;
  for (const ValueModel& value : pool.result(result)) {
    if (!out.empty()) out += " ";
    if (value.is_action) {
      constexpr const char* kNames[] = {"pass", "ignore", "refuse", "empty"};
      out += kNames[value.a[3] & 3];
      continue;
    }
    for (int i = 0; i < 4; ++i) out += (i ? "." : "") + std::to_string(value.a[i]);
    if (value.text == 0) continue;
    const TextModel& text = pool.text(value.text);
    out += " \"";
    size_t hole = 0;
    for (size_t i = 0; i <= text.literal.size(); ++i) {
      for (; hole < text.holes.size() && text.holes[hole] == i; ++hole) out += "<>";
      if (i < text.literal.size()) out += text.literal[i];
    }
    out += "\"";
  }
  return out;
}

namespace {

template <typename Interval, typename Address>
ResultId Find(const BigVector<Interval>& map, const Address& address) {
  if (map.empty()) return 0;
  auto it = std::upper_bound(map.begin(), map.end(), address,
                             [](const Address& a, const Interval& i) { return a < i.start; });
  return std::prev(it)->result;
}

}  // namespace

std::string AskIp4(const DatasetModel& model, const Pool& pool, std::string_view address) {
  return ResultText(pool, Find(model.map4, *net::ParseIp4(address)));
}

std::string AskIp6(const DatasetModel& model, const Pool& pool, std::string_view address) {
  return ResultText(pool, Find(model.map6, *net::ParseIp6(address)));
}

std::string AskName(const DatasetModel& model, const Pool& pool, std::string_view name) {
  std::string wire;
  if (name != "@") dataset::AppendName(name, false, &wire);
  if (model.kind == image::kGeneric) {
    std::string out;
    for (const GenericName& n : model.generic) {
      if (model.names.Get(n.name) != wire) continue;
      for (const GenericRecord& r : n.records) {
        out += (out.empty() ? "" : " ") + dns::TypeText(r.type) + "/" + std::to_string(r.ttl) + "/";
        for (unsigned char c : r.rdata) {
          constexpr char kHex[] = "0123456789abcdef";
          out += {kHex[c >> 4], kHex[c & 15]};
        }
      }
    }
    return out.empty() ? "-" : out;
  }
  auto find = [&](std::string_view w) -> const DnsetName* {
    for (const DnsetName& n : model.dnset)
      if (model.names.Get(n.name) == w) return &n;
    return nullptr;
  };
  if (const DnsetName* n = find(wire); n && (n->flags & image::kNameExact)) return ResultText(pool, n->exact);
  for (std::string_view rest = wire; !rest.empty();) {
    rest.remove_prefix(1u + static_cast<uint8_t>(rest[0]));
    if (const DnsetName* n = find(rest); n && (n->flags & image::kNameWild)) return ResultText(pool, n->wild);
  }
  return "-";
}

Compiled::Compiled(image::DatasetKind kind, std::string_view text, CompileOptions options) {
  if (options.now_unix == 0) options.now_unix = 1700000000;
  auto result = CompileText(kind, "data", text, options, &pool, &sink);
  status = result.status();
  if (result.ok()) model = std::move(*result);
}

}  // namespace mz::compiler::test
