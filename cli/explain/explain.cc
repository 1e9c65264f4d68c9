// See explanation.h: the walk from the zone over its datasets to the entries.
#include <algorithm>
#include <map>
#include <set>

#include "cli/diagnostics.h"
#include "cli/explain/entries.h"
#include "cli/explain/explanation.h"
#include "cli/explain/source_lines.h"
#include "cli/offline_query.h"
#include "compiler/build/image_meta.h"
#include "format/dns/message_reader.h"
#include "format/dns/name.h"
#include "format/dns/query_builder.h"
#include "format/image/healthcheck_present.h"
#include "format/image/present.h"

namespace mz::cli {
namespace {

// The address that a relative name of reversed octets or nibbles stands for.
struct Reversed {
  std::optional<net::Ip4> v4;
  std::optional<net::Ip6> v6;
};

std::vector<std::string_view> Labels(std::string_view wire) {
  std::vector<std::string_view> out;
  while (!wire.empty()) {
    size_t length = static_cast<uint8_t>(wire[0]);
    out.push_back(wire.substr(1, length));
    wire.remove_prefix(1 + length);
  }
  return out;
}

int HexDigit(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; }

Reversed ReadReversed(std::string_view relative, bool has_ip4_datasets) {
  Reversed out;
  std::vector<std::string_view> labels = Labels(relative);
  if (labels.size() == 4) {
    net::Ip4 address = 0;
    for (size_t i = 4; i-- > 0;) {
      uint32_t octet = 0;
      if (labels[i].size() > 3) return {};
      for (char c : labels[i]) {
        if (c < '0' || c > '9') return {};
        octet = octet * 10 + static_cast<uint32_t>(c - '0');
      }
      if (octet > 255) return {};
      address = address << 8 | octet;
    }
    out.v4 = address;
  } else if (labels.size() == 32) {
    net::Ip6 address;
    for (size_t i = 32; i-- > 0;) {
      int digit = labels[i].size() == 1 ? HexDigit(labels[i][0]) : -1;
      if (digit < 0) return {};
      address.high = address.high << 4 | address.low >> 60;
      address.low = address.low << 4 | static_cast<uint64_t>(digit);
    }
    out.v6 = address;
    if (has_ip4_datasets && net::IsV4Mapped(address)) {
      out.v4 = static_cast<net::Ip4>(address.low);
      out.v6.reset();
    } else if (has_ip4_datasets && net::Is6To4(address)) {
      out.v4 = static_cast<net::Ip4>(address.high >> 16);
    }
  }
  return out;
}

const image::NameRecord* Find(const image::View& view, uint32_t scope, std::string_view name) {
  auto* bytes = reinterpret_cast<const uint8_t*>(name.data());
  return view.FindName(scope, image::HashName(view.hash_seed(), scope, {bytes, name.size()}), bytes, name.size());
}

bool IsIp4(uint8_t kind) { return kind == image::kIp4Set || kind == image::kIp4Tset || kind == image::kIp4Trie; }
bool IsIp6(uint8_t kind) { return kind == image::kIp6Tset || kind == image::kIp6Trie; }

class Explainer {
 public:
  Explainer(const image::View& view, const ExplainRequest& request, compiler::ImageMeta meta)
      : view_(view), request_(request), meta_(std::move(meta)) {}

  StatusOr<Explanation> Run() {
    std::string name = request_.name;
    dns::LowerName(&name);
    out_.name = dns::NameText(name);
    const image::ZoneRecord* zone = ZoneOf(name);
    if (request_.client) MZ_RETURN_IF_ERROR(ExplainAcl(view_.header().global_acl, "the acl of all zones"));
    if (zone == nullptr) {
      out_.notes.push_back("no zone of the image contains this name: REFUSED");
    } else {
      MZ_RETURN_IF_ERROR(ExplainZone(*zone, name));
    }
    AddAnswers();
    if (zone != nullptr) NoteNothingFound(name);
    return std::move(out_);
  }

 private:
  std::string Apex(const image::ZoneRecord& zone) const {
    return std::string(image::NameView(view_.name(zone.name)));
  }

  const image::ZoneRecord* ZoneOf(std::string_view name) const {
    for (std::string_view rest = name;; rest.remove_prefix(1u + static_cast<uint8_t>(rest[0]))) {
      if (const image::NameRecord* r = Find(view_, 0, rest)) return &view_.zones()[r->a];
      if (rest.empty()) return nullptr;
    }
  }

  Status ExplainZone(const image::ZoneRecord& zone, std::string_view name) {
    std::string apex = Apex(zone);
    out_.zone = dns::NameText(apex);
    relative_ = name.substr(0, name.size() - apex.size());
    if (zone.flags & image::kZoneNotLoaded) out_.notes.push_back("the zone is not loaded: SERVFAIL for everything");
    if (zone.expires_unix != 0 && zone.expires_unix < request_.now_unix)
      out_.notes.push_back("the zone's data expired: SERVFAIL for everything");
    if (request_.client) MZ_RETURN_IF_ERROR(ExplainAcl(zone.acl, "the acl of the zone"));
    if (relative_.empty()) out_.notes.push_back("the name is the apex of the zone: it has the SOA and NS records");
    return ExplainNode(view_.node(zone.node), relative_, "");
  }

  Status ExplainNode(const image::Node& node, std::string_view relative, const std::string& subzone) {
    for (const image::DatasetRef& ref : image::Datasets(node)) {
      if (ref.kind == image::kCombined)
        MZ_RETURN_IF_ERROR(ExplainCombined(ref, relative));
      else
        MZ_RETURN_IF_ERROR(ExplainDataset(ref, node, relative, subzone));
    }
    return absl::OkStatus();
  }

  // The most specific subzone alone answers.
  Status ExplainCombined(const image::DatasetRef& ref, std::string_view relative) {
    for (std::string_view rest = relative;; rest.remove_prefix(1u + static_cast<uint8_t>(rest[0]))) {
      const image::NameRecord* r = Find(view_, ref.scope, rest);
      if (r != nullptr && (r->flags & image::kNameExact)) {
        std::string subzone = rest.empty() ? "@" : dns::NameText(rest);
        std::string_view inner = relative.substr(0, relative.size() - rest.size());
        if (inner.empty() && !rest.empty())
          out_.notes.push_back("the name is the subzone " + subzone + " itself: it exists");
        return ExplainNode(view_.node(r->a), inner, subzone);
      }
      if (rest.empty()) break;
    }
    ExplainedDataset d = Describe(ref, "");
    d.asked = TextOf(relative);
    d.verdict = "no subzone contains the name";
    out_.datasets.push_back(std::move(d));
    return absl::OkStatus();
  }

  static std::string TextOf(std::string_view relative) { return relative.empty() ? "@" : dns::NameText(relative); }

  ExplainedDataset Describe(const image::DatasetRef& ref, const std::string& subzone) const {
    ExplainedDataset d;
    d.kind = std::string(image::KindText(ref.kind));
    d.subzone = subzone;
    if (ref.meta < meta_.datasets.size()) {
      const compiler::MetaDataset& meta = meta_.datasets[ref.meta];
      d.spec = meta.model.spec;
      if (meta.part_of >= 0) d.spec = meta_.datasets[static_cast<size_t>(meta.part_of)].model.spec + " " + d.spec;
    }
    return d;
  }

  Status ExplainDataset(const image::DatasetRef& ref, const image::Node& node, std::string_view relative,
                        const std::string& subzone) {
    ExplainedDataset d = Describe(ref, subzone);
    FoundEntries found;
    d.asked = TextOf(relative);
    if (IsIp4(ref.kind) || IsIp6(ref.kind)) {
      Reversed address = ReadReversed(relative, (node.flags & image::kNodeHasIp4) != 0);
      if (IsIp4(ref.kind) && address.v4) {
        d.asked = net::ToString(*address.v4);
        SetVerdict(ref.map4 != 0 ? image::FindAddress(view_, view_.map(ref.map4), *address.v4).result : 0, &d);
        MZ_ASSIGN_OR_RETURN(found, EntriesOf(view_, ref, *address.v4));
      } else if (IsIp6(ref.kind) && address.v6) {
        d.asked = net::ToString(*address.v6);
        SetVerdict(ref.map6 != 0 ? image::FindAddress(view_, view_.map(ref.map6), *address.v6).result : 0, &d);
        MZ_ASSIGN_OR_RETURN(found, EntriesOf(view_, ref, *address.v6));
      } else {
        d.verdict = IsIp4(ref.kind) ? "not a reversed IPv4 address" : "not a reversed IPv6 address";
      }
    } else if (ref.kind == image::kDnset) {
      SetVerdict(relative.empty() ? 0 : DnsetResult(ref, relative), &d);
      if (!relative.empty()) {
        MZ_ASSIGN_OR_RETURN(found, EntriesOf(view_, ref, relative));
      }
    } else if (ref.kind == image::kGeneric) {
      const image::NameRecord* r = Find(view_, ref.scope, relative);
      bool exact = r != nullptr && (r->flags & image::kNameExact);
      d.found = exact;
      d.verdict = exact ? "has records:" : "no such name";
      if (exact)
        for (const image::GenericRr& rr : image::DecodeRrset(view_.rrset(r->a)))
          d.verdict += " " + dns::TypeText(rr.type) + " " + image::RdataText(rr.type, rr.rdata);
      MZ_ASSIGN_OR_RETURN(found, EntriesOf(view_, ref, relative));
    } else if (ref.kind == image::kHealthcheck) {
      ExplainHealthcheck(ref, relative, &d);
      out_.datasets.push_back(std::move(d));
      return absl::OkStatus();
    }
    MZ_RETURN_IF_ERROR(AddEntries(ref, std::move(found), &d));
    out_.datasets.push_back(std::move(d));
    return absl::OkStatus();
  }

  // The ID is the last label.
  void ExplainHealthcheck(const image::DatasetRef& ref, std::string_view relative, ExplainedDataset* d) const {
    if (relative.empty()) {
      d->verdict = "the zone's own name has no ID";
      return;
    }
    std::string_view sub = relative, label;
    size_t below = 0;
    for (std::string_view rest = relative; !rest.empty(); rest.remove_prefix(1 + label.size())) {
      label = rest.substr(1, static_cast<uint8_t>(rest[0]));
      below = relative.size() - rest.size();
    }
    sub = relative.substr(0, below);
    const image::HealthcheckZone& zone = view_.healthcheck_zone(ref.map4);
    d->asked = std::string(label);
    d->verdict = image::HealthcheckIdText(view_, zone, label, request_.now_unix, &d->found);
    if (!d->found) return;
    const image::NameRecord* r = Find(view_, ref.scope, sub);
    if (r == nullptr) d->verdict += "; no name '" + dns::NameText(sub) + "' below an ID";
    d->found = r != nullptr;
  }

  uint32_t DnsetResult(const image::DatasetRef& ref, std::string_view name) const {
    const image::NameRecord* r = Find(view_, ref.scope, name);
    if (r != nullptr && (r->flags & image::kNameExact)) return r->a;
    for (std::string_view rest = name; !rest.empty();) {
      rest.remove_prefix(1u + static_cast<uint8_t>(rest[0]));
      r = Find(view_, ref.scope, rest);
      if (r != nullptr && (r->flags & image::kNameWild)) return r->b;
    }
    return 0;
  }

  void SetVerdict(uint32_t result, ExplainedDataset* d) const {
    d->found = result != 0;
    d->verdict = result != 0 ? "listed: " + image::ResultText(view_, result) : "not listed";
  }

  Status ExplainAcl(uint32_t acl_node, const std::string& what) {
    if (acl_node == 0) return absl::OkStatus();
    const image::DatasetRef& ref = image::Datasets(view_.node(acl_node))[0];
    const answer::Client& client = *request_.client;
    ExplainedDataset d = Describe(ref, "");
    FoundEntries found;
    uint32_t result = 0;
    if (client.is_v4) {
      d.asked = "client " + net::ToString(client.v4);
      if (ref.map4 != 0) result = image::FindAddress(view_, view_.map(ref.map4), client.v4).result;
      MZ_ASSIGN_OR_RETURN(found, EntriesOf(view_, ref, client.v4));
    } else {
      d.asked = "client " + net::ToString(client.v6);
      if (ref.map6 != 0) result = image::FindAddress(view_, view_.map(ref.map6), client.v6).result;
      MZ_ASSIGN_OR_RETURN(found, EntriesOf(view_, ref, client.v6));
    }
    d.found = result != 0;
    d.verdict = what + (result != 0 ? " says: " + image::ResultText(view_, result) : " has no rule for it");
    MZ_RETURN_IF_ERROR(AddEntries(ref, std::move(found), &d));
    out_.datasets.push_back(std::move(d));
    return absl::OkStatus();
  }

  // Names the files and reads the lines.
  Status AddEntries(const image::DatasetRef& ref, FoundEntries found, ExplainedDataset* d) {
    if (!d->found && !found.entries.empty() && found.entries[0].exclusion && d->verdict == "not listed")
      d->verdict = "excluded";
    static const std::vector<compiler::SourceFile> kNoFiles;
    const std::vector<compiler::SourceFile>* files = &kNoFiles;
    if (ref.meta < meta_.datasets.size()) {
      const compiler::MetaDataset& meta = meta_.datasets[ref.meta];
      files = &meta.model.files;
      if (meta.part_of >= 0) files = &meta_.datasets[static_cast<size_t>(meta.part_of)].model.files;
    }
    std::map<size_t, std::set<uint32_t>> wanted;
    for (const ExplainedEntry& e : found.entries) wanted[std::stoul(e.file)].insert(e.line);
    std::map<size_t, SourceText> texts;
    for (const auto& [file, lines] : wanted)
      if (file < files->size()) texts[file] = ReadLines((*files)[file], lines);
    for (ExplainedEntry& e : found.entries) {
      size_t file = std::stoul(e.file);
      if (file >= files->size()) return MakeStatus(StatusCode::kDataLoss, "the provenance names a file that is not there");
      e.file = (*files)[file].path;
      const SourceText& text = texts[file];
      e.text_missing = text.missing;
      if (auto it = text.lines.find(e.line); it != text.lines.end()) e.text = it->second;
    }
    d->entries = std::move(found.entries);
    d->entries_hidden = found.hidden;
    if (d->found && d->entries.empty())
      out_.notes.push_back(d->spec + ": the image was built without provenance, so no line can be named");
    return absl::OkStatus();
  }

  void AddAnswers() {
    for (uint16_t type : request_.types) {
      OfflineQuery query;
      query.name = request_.name;
      query.type = type;
      query.tcp = true;
      query.now_unix = request_.now_unix;
      if (request_.client) query.client = *request_.client;
      std::string reply = AskImage(view_, query, {});
      ExplainedAnswer answer{.type = dns::TypeText(type), .rcode = {}, .records = {}};
      StatusOr<dns::Message> message =
          dns::ReadMessage({reinterpret_cast<const uint8_t*>(reply.data()), reply.size()});
      if (!reply.empty() && message.ok()) {
        answer.rcode = dns::RcodeText(message->rcode());
        for (const dns::Record& r : message->answer)
          answer.records.push_back(std::to_string(r.ttl) + " " + dns::TypeText(r.type) + " " + dns::RdataText(r));
      }
      out_.answers.push_back(std::move(answer));
    }
  }

  void NoteNothingFound(std::string_view) {
    bool found = std::any_of(out_.datasets.begin(), out_.datasets.end(), [](const ExplainedDataset& d) { return d.found; });
    if (found || relative_.empty() || out_.answers.empty()) return;
    for (const ExplainedAnswer& a : out_.answers) {
      if (a.records.empty()) continue;
      if (a.records[0].find("v=spf1") != std::string::npos)
        out_.notes.push_back("an SPF policy answers: `mailzone spf explain CONFIG DOMAIN ADDRESS` says why");
      return;
    }
    bool noerror = out_.answers[0].rcode == "NOERROR";
    if (noerror && out_.notes.empty())
      out_.notes.push_back("nothing is listed at this name, but names below it exist: NODATA");
    else if (out_.answers[0].rcode == "NXDOMAIN")
      out_.notes.push_back("nothing is listed at this name or below it: NXDOMAIN");
  }

  const image::View& view_;
  const ExplainRequest& request_;
  compiler::ImageMeta meta_;
  std::string_view relative_;
  Explanation out_;
};

}  // namespace

StatusOr<Explanation> Explain(const image::View& view, const ExplainRequest& request) {
  MZ_ASSIGN_OR_RETURN(compiler::ImageMeta meta, compiler::DecodeMeta(view.meta()));
  return Explainer(view, request, std::move(meta)).Run();
}

}  // namespace mz::cli
