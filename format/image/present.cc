// See present.h.
#include "format/image/present.h"

#include <algorithm>

#include "format/dns/name.h"

namespace mz::image {

namespace {

constexpr size_t kCut = 254;  // rbldnsd's limit of a TXT string

void AppendEscaped(uint8_t c, std::string* out) {
  if (c == '"' || c == '\\') {
    *out += '\\';
    *out += static_cast<char>(c);
  } else if (c >= 32 && c < 127) {
    *out += static_cast<char>(c);
  } else {
    *out += '\\';
    *out += static_cast<char>('0' + c / 100);
    *out += static_cast<char>('0' + c / 10 % 10);
    *out += static_cast<char>('0' + c % 10);
  }
}

uint32_t HolePlace(const Text& text, uint32_t hole) {
  return text.flags & kTextSpf ? hole & ~uint32_t{kHoleQueryName} : hole;
}
bool IsNameHole(const Text& text, uint32_t hole) { return (text.flags & kTextSpf) && (hole & kHoleQueryName); }

}  // namespace

std::string TemplateText(const Text& text) {
  std::string out = text.flags & kTextSpf ? "\"" : text.flags & kTextCut254 ? "TXT \"" : "TXT/255 \"";
  const uint8_t* literal = Literal(text);
  const std::span<const Le16> holes = Holes(text);
  size_t hole = 0;
  for (uint32_t i = 0; i <= text.bytes; i++) {
    for (; hole < holes.size() && HolePlace(text, holes[hole]) == i; hole++)
      out += IsNameHole(text, holes[hole]) ? "${name}" : "$";
    if (i == text.bytes) break;
    if (literal[i] == '$') out += '$';
    AppendEscaped(literal[i], &out);
  }
  out += '"';
  return out;
}

namespace {

std::string_view ActionText(uint8_t action) {
  switch (action) {
    case kAclPass:
      return "pass";
    case kAclIgnore:
      return "ignore";
    case kAclRefuse:
      return "refuse";
    default:
      return "empty";
  }
}

std::string OctetsText(const uint8_t a[4]) {
  return net::ToString(net::Ip4{a[0]} << 24 | net::Ip4{a[1]} << 16 | net::Ip4{a[2]} << 8 | a[3]);
}

std::string WireNameText(std::string_view wire_with_root) {
  return AbsoluteName(wire_with_root.substr(0, wire_with_root.empty() ? 0 : wire_with_root.size() - 1));
}

}  // namespace

bool SameText(const Text& a, const Text& b) {
  if (a.bytes != b.bytes || a.holes != b.holes || a.flags != b.flags) return false;
  return std::memcmp(&a + 1, &b + 1, 2 * size_t{a.holes} + a.bytes) == 0;
}

std::string_view KindText(uint8_t kind) {
  static constexpr std::string_view kNames[] = {"?",       "ip4set", "ip4tset", "ip4trie",  "ip6tset",
                                                "ip6trie", "dnset",  "generic", "combined", "acl",
                                                "spf",     "healthcheck"};
  static_assert(std::size(kNames) == kDatasetKindLast + 1);
  return kNames[kind <= kDatasetKindLast ? kind : 0];
}

std::string ExpandText(const Text& text, std::string_view subject) {
  std::string out;
  const auto* literal = reinterpret_cast<const char*>(Literal(text));
  size_t at = 0;
  for (const Le16& hole : Holes(text)) {
    const size_t place = HolePlace(text, hole);
    out.append(literal + at, place - at);
    out += subject;
    at = place;
  }
  out.append(literal + at, text.bytes - at);
  if ((text.flags & kTextCut254) && out.size() > kCut) out.resize(kCut);
  return out;
}

std::string ResultText(const View& view, uint32_t result) {
  if (result == 0) return "excluded";
  std::string out;
  for (uint32_t id = result;; id++) {
    const Value& v = view.value(id);
    if (id != result) out += " + ";
    if (v.ref & kValueAction) {
      out += ActionText(v.a[3]);
    } else {
      out += "A " + OctetsText(v.a);
      if (uint32_t text = v.ref & kValueTextMask; text != 0) out += " " + TemplateText(view.text(text));
    }
    if ((v.ref & kValueMore) == 0) return out;
  }
}

bool SameResult(const View& a, uint32_t result_a, const View& b, uint32_t result_b) {
  if (result_a == 0 || result_b == 0) return result_a == result_b;
  for (uint32_t i = 0;; i++) {
    const Value &x = a.value(result_a + i), &y = b.value(result_b + i);
    const uint32_t flags = kValueMore | kValueAction;
    if (std::memcmp(x.a, y.a, 4) != 0 || (x.ref & flags) != (y.ref & flags)) return false;
    const uint32_t text_x = x.ref & kValueTextMask, text_y = y.ref & kValueTextMask;
    if ((text_x == 0) != (text_y == 0)) return false;
    if (text_x != 0 && !SameText(a.text(text_x), b.text(text_y))) return false;
    if ((x.ref & kValueMore) == 0) return true;
  }
}

std::string QuotedText(std::string_view octets) {
  std::string out = "\"";
  for (char c : octets) AppendEscaped(static_cast<uint8_t>(c), &out);
  return out += '"';
}

std::string AbsoluteName(std::string_view wire) {
  std::string text = dns::NameText(wire);
  if (!wire.empty()) text += '.';
  return text;
}

std::string RdataText(uint16_t type, std::string_view rdata) {
  const auto* p = reinterpret_cast<const uint8_t*>(rdata.data());
  if (type == 1 && rdata.size() == 4) return OctetsText(p);
  if (type == 15 && rdata.size() > 2)
    return std::to_string(LoadBe16(p)) + " " + WireNameText(rdata.substr(2));
  if (type == 16) {
    std::string out;
    for (size_t i = 0; i < rdata.size(); i += 1u + p[i]) {
      if (i != 0) out += ' ';
      out += QuotedText(rdata.substr(i + 1, p[i]));
    }
    return out;
  }
  std::string out = "\\# " + std::to_string(rdata.size());
  if (!rdata.empty()) out += ' ';
  for (char c : rdata) {
    static constexpr char kHex[] = "0123456789abcdef";
    out += kHex[static_cast<uint8_t>(c) >> 4];
    out += kHex[c & 15];
  }
  return out;
}

std::vector<GenericRr> DecodeRrset(const RrsetHeader& rrset) {
  const std::span<const uint8_t> records = Records(rrset);
  std::vector<GenericRr> out;
  size_t at = 0;
  for (uint32_t i = 0; i < rrset.count; i++) {
    const size_t length = LoadBe16(&records[at + 8]);
    out.push_back({LoadBe16(&records[at]),
                   LoadBe32(&records[at + 4]),
                   {reinterpret_cast<const char*>(records.data()) + at + 10, length}});
    at += 10 + length;
  }
  return out;
}

namespace {

// Reads names through relocations. See Relocation in layout.h.
class AuthorityReader {
 public:
  AuthorityReader(const AuthorityBlock& block, std::string_view apex)
      : base_(AuthorityRecords(block)), relocations_(Relocations(block)), apex_(apex) {}

  // The relative name at `at`; `at` moves behind what stands there.
  std::string Name(size_t* at) const {
    std::string name;
    size_t p = *at;
    bool jumped = false;
    for (;;) {
      const auto r =
          std::lower_bound(relocations_.begin(), relocations_.end(), p,
                           [](const Relocation& x, size_t position) { return x.position < position; });
      if (r != relocations_.end() && r->position == p) {
        if (!jumped) *at = p + 2;
        jumped = true;
        const uint32_t target = r->target;
        if (target & kRelocateQuestion)
          return name.append(apex_.substr(target & ~uint32_t{kRelocateQuestion}));
        p = target;
        continue;
      }
      const size_t length = base_[p];
      if (length == 0) {
        if (!jumped) *at = p + 1;
        return name;
      }
      name.append(reinterpret_cast<const char*>(base_) + p, 1 + length);
      p += 1 + length;
    }
  }
  const uint8_t* At(size_t at) const { return base_ + at; }

 private:
  const uint8_t* base_;
  std::span<const Relocation> relocations_;
  std::string_view apex_;
};

}  // namespace

std::vector<AuthorityRr> DecodeAuthority(const AuthorityBlock& block, std::string_view apex) {
  const AuthorityReader reader(block, apex);
  std::vector<AuthorityRr> out;
  size_t at = 0;
  const uint32_t count = uint32_t{block.rr_count} + block.glue_count;
  for (uint32_t i = 0; i < count; i++) {
    AuthorityRr rr;
    rr.owner = reader.Name(&at);
    rr.type = LoadBe16(reader.At(at));
    rr.ttl = LoadBe32(reader.At(at + 4));
    at += 10;
    const int names = rr.type == 6 ? 2 : rr.type == 2 ? 1 : 0;
    const int numbers = rr.type == 6 ? 5 : rr.type == 2 ? 0 : 1;
    for (int n = 0; n < names; n++) rr.names.push_back(reader.Name(&at));
    for (int n = 0; n < numbers; n++, at += 4) rr.numbers.push_back(LoadBe32(reader.At(at)));
    out.push_back(std::move(rr));
  }
  return out;
}

std::vector<std::string> AuthorityLines(const View& view, const ZoneRecord& zone) {
  const std::string_view apex = NameView(view.name(zone.name));
  std::vector<std::string> out;
  if (zone.soa != 0) {
    const AuthorityRr soa = DecodeAuthority(view.authority(zone.soa), apex)[0];
    std::string line = "soa " + std::to_string(zone.soa_ttl);
    for (const std::string& name : soa.names) line += " " + AbsoluteName(name);
    for (uint32_t n : soa.numbers) line += " " + std::to_string(n);
    out.push_back(std::move(line));
  }
  if (zone.ns != 0) {
    for (const AuthorityRr& rr : DecodeAuthority(view.authority(view.rotation(zone, 0)), apex)) {
      const std::string ttl = std::to_string(rr.ttl);
      out.push_back(rr.names.empty()
                        ? "glue " + ttl + " " + AbsoluteName(rr.owner) + " " + net::ToString(rr.numbers[0])
                        : "ns " + ttl + " " + AbsoluteName(rr.names[0]));
    }
  }
  return out;
}

std::string RelativeName(const NameRecord& r) { return r.name_bytes == 0 ? "@" : dns::NameText(NameView(r)); }

int CompareCanonical(std::span<const uint8_t> a, std::span<const uint8_t> b) {
  uint8_t starts_a[128], starts_b[128];
  size_t labels_a = 0, labels_b = 0;
  for (size_t i = 0; i < a.size(); i += 1u + a[i]) starts_a[labels_a++] = static_cast<uint8_t>(i);
  for (size_t i = 0; i < b.size(); i += 1u + b[i]) starts_b[labels_b++] = static_cast<uint8_t>(i);
  while (labels_a > 0 && labels_b > 0) {
    const uint8_t *x = &a[starts_a[--labels_a]], *y = &b[starts_b[--labels_b]];
    if (int order = std::memcmp(x + 1, y + 1, std::min(*x, *y)); order != 0) return order;
    if (*x != *y) return *x < *y ? -1 : 1;
  }
  return labels_a == labels_b ? 0 : labels_a < labels_b ? -1 : 1;
}

ScopeNames::ScopeNames(const View& view) {
  const auto* buckets = reinterpret_cast<const Bucket*>(view.section(kBuckets).data());
  for (uint32_t b = 0; b < view.bucket_count(); b++)
    for (int i = 0; i < kBucketSlots && buckets[b].tag[i] != 0; i++) records_.push_back(buckets[b].record[i]);
  std::sort(records_.begin(), records_.end(), [&](uint32_t x, uint32_t y) {
    const NameRecord &a = view.name(x), &b = view.name(y);
    if (a.scope != b.scope) return a.scope < b.scope;
    return CompareCanonical(NameBytes(a), NameBytes(b)) < 0;
  });
  for (size_t i = 0; i < records_.size(); i++) {
    auto [it, is_new] = ranges_.try_emplace(view.name(records_[i]).scope, i, 0);
    it->second.second++;
  }
}

std::span<const uint32_t> ScopeNames::Sorted(uint32_t scope) const {
  const auto it = ranges_.find(scope);
  if (it == ranges_.end()) return {};
  return std::span(records_).subspan(it->second.first, it->second.second);
}

}  // namespace mz::image
