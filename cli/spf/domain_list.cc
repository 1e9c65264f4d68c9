// See domain_list.h.
#include "cli/spf/domain_list.h"

#include <functional>
#include <nlohmann/json.hpp>

#include "absl/container/flat_hash_set.h"
#include "base/file.h"
#include "cli/spf/download.h"
#include "compiler/spf/wire_names.h"
#include "format/dns/name.h"

namespace mz::cli {
namespace {

using compiler::spf::DomainSetting;

StatusOr<std::string> DomainName(std::string_view text) {
  std::optional<std::string> wire = compiler::spf::WireName(text);
  if (!wire) return MakeStatus(StatusCode::kInvalidArgument, "'" + std::string(text) + "' is not a domain name");
  for (size_t i = 0; i < wire->size();) {
    const size_t n = static_cast<uint8_t>((*wire)[i]);
    for (size_t k = i + 1; k <= i + n; k++) {
      const char c = (*wire)[k];
      if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'))
        return MakeStatus(StatusCode::kInvalidArgument,
                          "'" + std::string(text) + "' has characters other than letters, digits, - and _");
    }
    i += 1 + n;
  }
  if (dns::CountLabels(*wire) < 2)
    return MakeStatus(StatusCode::kInvalidArgument, "'" + std::string(text) + "' has only one label");
  return std::move(*wire);
}

std::string_view Trim(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

class List {
 public:
  explicit List(std::vector<DomainSetting>* out) : out_(*out) {
    for (const DomainSetting& d : out_) names_.insert(d.name);
  }
  bool Add(DomainSetting d) {
    if (!names_.insert(d.name).second) return false;
    out_.push_back(std::move(d));
    return true;
  }

 private:
  std::vector<DomainSetting>& out_;
  absl::flat_hash_set<std::string> names_;
};

}  // namespace

StatusOr<DomainSetting> ParseDomainEntry(std::string_view text, std::string_view source_prefix) {
  DomainSetting out;
  if (text.starts_with('+')) {
    out.subdomains = true;
    text.remove_prefix(1);
  }
  const size_t equals = text.find('=');
  MZ_ASSIGN_OR_RETURN(out.name, DomainName(Trim(text.substr(0, equals))));
  out.source_domain = out.name;
  if (equals != std::string_view::npos) {
    MZ_ASSIGN_OR_RETURN(out.source_domain, DomainName(Trim(text.substr(equals + 1))));
  }
  MZ_ASSIGN_OR_RETURN(out.owner, compiler::spf::OwnerOf(source_prefix, out.source_domain));
  return out;
}

void ReadDomainFile(const std::string& path, std::string_view text, std::string_view source_prefix,
                    dataset::DiagnosticSink* sink, std::vector<DomainSetting>* out) {
  List list(out);
  uint32_t number = 0;
  while (!text.empty()) {
    number++;
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::string_view entry = Trim(line.substr(0, line.find('#')));
    if (entry.empty()) continue;
    StatusOr<DomainSetting> domain = ParseDomainEntry(entry, source_prefix);
    if (domain.ok() && list.Add(std::move(*domain))) continue;
    dataset::Diagnostic d;
    d.severity = dataset::Severity::kWarning;
    d.file = path;
    d.line = number;
    d.column = d.source_column = static_cast<uint32_t>(entry.data() - line.data()) + 1;
    d.length = static_cast<uint32_t>(std::min<size_t>(entry.size(), 200));
    d.message = domain.ok() ? "listed before" : std::string(Message(domain.status()));
    d.hint = domain.ok() ? "" : "one domain a line: customer.example";
    d.source_line = std::string(line.substr(0, 200));
    sink->Report(std::move(d));
  }
}

StatusOr<std::vector<std::string>> DomainsInJson(std::string_view text) {
  const nlohmann::json document = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (document.is_discarded()) return MakeStatus(StatusCode::kInvalidArgument, "the answer is not JSON");
  std::vector<std::string> out;
  std::vector<const nlohmann::json*> waiting{&document};
  while (!waiting.empty()) {  // no recursion: the depth is somebody else's choice
    const nlohmann::json* node = waiting.back();
    waiting.pop_back();
    if (node->is_object()) {
      if (auto it = node->find("domain"); it != node->end() && it->is_string()) out.push_back(it->get<std::string>());
    }
    if (!node->is_structured()) continue;
    std::vector<const nlohmann::json*> children;
    for (const nlohmann::json& child : *node) children.push_back(&child);
    waiting.insert(waiting.end(), children.rbegin(), children.rend());
  }
  return out;
}

StatusOr<std::vector<DomainSetting>> DomainsOf(const ZoneConfig& zone, dataset::DiagnosticSink* sink) {
  std::vector<DomainSetting> out;
  {
    List list(&out);
    for (const std::string& entry : zone.domains) {
      StatusOr<DomainSetting> domain = ParseDomainEntry(entry, zone.source_prefix);
      if (!domain.ok()) return Annotate(domain.status(), "zone " + zone.name);
      list.Add(std::move(*domain));
    }
    if (!zone.domains_url.empty()) {
      std::vector<std::string> headers;
      if (!zone.domains_key.empty()) headers.push_back("x-apikey: " + zone.domains_key);
      StatusOr<std::string> text = Download(zone.domains_url, headers);
      if (!text.ok()) return Annotate(text.status(), "zone " + zone.name + ": domains_url");
      StatusOr<std::vector<std::string>> names = DomainsInJson(*text);
      if (!names.ok()) return Annotate(names.status(), "zone " + zone.name + ": domains_url");
      for (const std::string& name : *names) {
        StatusOr<DomainSetting> domain = ParseDomainEntry(name, zone.source_prefix);
        if (domain.ok() && list.Add(std::move(*domain))) continue;
        if (domain.ok()) continue;
        dataset::Diagnostic d;
        d.file = zone.domains_url;
        d.message = std::string(Message(domain.status()));
        sink->Report(std::move(d));
      }
    }
  }
  if (!zone.domains_file.empty()) {
    MZ_ASSIGN_OR_RETURN(std::string text, ReadFile(zone.domains_file));
    ReadDomainFile(zone.domains_file, text, zone.source_prefix, sink, &out);
  }
  if (out.empty()) return MakeStatus(StatusCode::kInvalidArgument, "zone " + zone.name + ": its list of domains is empty");
  return out;
}

}  // namespace mz::cli
