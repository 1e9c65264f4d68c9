// bind: a zone file for any authoritative server. Reversed addresses are names of octets or nibbles, so a prefix is a
// wildcard at the next border; below every name that exists a wildcard of its own is needed (RFC 4592 section 3.3.1).
//
// IPv4 and IPv6 names share their first labels where these are single digits ("2.customer" leads to 2.0.0.0/8 and to
// 2000::/4), so both families are walked together, and a wildcard on a shared name says both answers in one record.
#include <algorithm>
#include <optional>

#include "compiler/spf/emit.h"
#include "format/dns/name.h"

namespace mz::compiler::spf {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

// All addresses of one family in ascending order, top-aligned in 128 bits so that both families read alike.
class Map {
 public:
  template <typename Prefix>
  Map(const std::vector<EmittedGroup<Prefix>>& groups, int label_bits, int address_bits)
      : label_bits_(label_bits), address_bits_(address_bits) {
    for (const auto& group : groups) {
      answers_.push_back(&group.answer);
      for (const Prefix& p : group.prefixes) steps_.push_back({Top(p.address), answers_.size() - 1});
    }
    std::sort(steps_.begin(), steps_.end(), [](const Step& a, const Step& b) { return a.first < b.first; });
    steps_.erase(std::unique(steps_.begin(), steps_.end(),
                             [](const Step& a, const Step& b) { return a.answer == b.answer; }),
                 steps_.end());
  }

  int label_bits() const { return label_bits_; }
  int address_bits() const { return address_bits_; }
  int children() const { return 1 << label_bits_; }
  const EmittedAnswer& answer(size_t i) const { return *answers_[i]; }

  struct Cell {
    net::Ip6 first;
    int length = 0;
  };
  Cell Child(const Cell& c, int label) const {
    const int shift = 128 - c.length - label_bits_;
    Cell out{c.first, c.length + label_bits_};
    if (shift >= 64)
      out.first.high |= static_cast<uint64_t>(label) << (shift - 64);
    else
      out.first.low |= static_cast<uint64_t>(label) << shift;
    return out;
  }
  // The one answer of all its addresses, if there is one.
  std::optional<size_t> Uniform(const Cell& c) const {
    auto next = std::upper_bound(steps_.begin(), steps_.end(), c.first,
                                 [](const net::Ip6& a, const Step& s) { return a < s.first; });
    const net::Ip6 last = net::PrefixRange6(c.first, c.length).last;
    if (next != steps_.end() && !(last < next->first)) return {};
    return std::prev(next)->answer;
  }
  std::string PrefixText(const Cell& c) const {
    const std::string text = address_bits_ == 128 ? net::ToString(c.first)
                                                  : net::ToString(static_cast<net::Ip4>(c.first.high >> 32));
    return text + (c.length == address_bits_ ? "" : "/" + std::to_string(c.length));
  }

 private:
  struct Step {
    net::Ip6 first;
    size_t answer;
  };
  static net::Ip6 Top(net::Ip4 a) { return {uint64_t{a} << 32, 0}; }
  static net::Ip6 Top(const net::Ip6& a) { return a; }

  int label_bits_, address_bits_;
  std::vector<const EmittedAnswer*> answers_;
  std::vector<Step> steps_;
};

// What a node answers for one family: the answer, and the prefix that stands for the client's address.
struct Said {
  const EmittedAnswer* answer = nullptr;
  std::string prefix;
  bool is_v4 = true;
};

// The address becomes the prefix; a name hole only stands behind include:_p. and _t., where a name without a record is
// wanted, which names below a wildcard are not.
std::string Text(const Said& said) {
  std::string out;
  size_t hole = 0;
  const TextModel& text = said.answer->text;
  for (size_t i = 0; i <= text.literal.size(); i++) {
    for (; hole < text.holes.size() && (text.holes[hole] & ~unsigned{image::kHoleQueryName}) == i; hole++)
      out += text.holes[hole] & image::kHoleQueryName ? std::string_view("invalid") : std::string_view(said.prefix);
    if (i < text.literal.size()) out += text.literal[i];
  }
  return out;
}

std::string Quoted(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size(); at += 255) {
    out += at == 0 ? "\"" : " \"";
    for (char c : text.substr(at, 255)) {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
    out += '"';
  }
  return out;
}

char Sign(SpfOutcome outcome) {
  return outcome == SpfOutcome::kSoftfail ? '~' : outcome == SpfOutcome::kNeutral ? '?' : '-';
}

class Walk {
 public:
  Walk(std::string domain, bool is_exists, const EmittedDomain& d, const DomainNote& note)
      : domain_(std::move(domain)), exists_(is_exists), v4_(d.v4, 8, 32), v6_(d.v6, 4, 128), note_(note) {}

  std::string Run() {
    Visit("", Map::Cell{}, Map::Cell{});
    return std::move(out_);
  }

 private:
  using Cells = std::optional<Map::Cell>;

  // The most frequent answer of the children, which the wildcard at the node says.
  static size_t Default(const Map& map, const Map::Cell& cell) {
    if (const std::optional<size_t> all = map.Uniform(cell)) return *all;
    std::vector<std::pair<int, size_t>> count;  // most first, then the order of answers
    for (int i = 0; i < map.children(); i++) {
      const std::optional<size_t> answer = map.Uniform(map.Child(cell, i));
      if (!answer) continue;
      auto it = std::find_if(count.begin(), count.end(), [&](const auto& c) { return c.second == *answer; });
      if (it == count.end())
        count.push_back({-1, *answer});
      else
        it->first--;
    }
    if (count.empty()) return *map.Uniform({cell.first, map.address_bits()});
    return std::min_element(count.begin(), count.end())->second;
  }

  static bool Needed(const Map& map, const Map::Cell& cell, size_t inherited) {
    const std::optional<size_t> answer = map.Uniform(cell);
    return !answer || *answer != inherited;
  }

  // `path`: the labels of the node, with a dot behind each.
  void Visit(const std::string& path, const Cells& c4, const Cells& c6) {
    const bool leaf4 = c4 && c4->length == 32, leaf6 = c6 && c6->length == 128;
    if (leaf4) Record(path + domain_, SaidAt(v4_, *c4), {});
    if (leaf6) Record(path + domain_, {}, SaidAt(v6_, *c6));
    const bool below4 = c4 && !leaf4, below6 = c6 && !leaf6;
    if (!below4 && !below6) return;
    const size_t default4 = below4 ? Default(v4_, *c4) : 0, default6 = below6 ? Default(v6_, *c6) : 0;
    Record("*." + path + domain_, below4 ? SaidBy(v4_, *c4, default4) : Said{},
           below6 ? SaidBy(v6_, *c6, default6) : Said{});
    for (int i = 0; i < 256; i++) {
      const bool has6 = below6 && i < 10;  // an octet of one digit is a nibble as well
      const Cells n4 = below4 ? Cells(v4_.Child(*c4, i)) : Cells();
      const Cells n6 = has6 ? Cells(v6_.Child(*c6, i)) : Cells();
      if (!n4 && !n6) break;
      if ((n4 && Needed(v4_, *n4, default4)) || (n6 && Needed(v6_, *n6, default6)))
        Visit(std::to_string(i) + "." + path, n4, n6);
    }
    for (int i = 10; below6 && i < 16; i++) {
      const Map::Cell n6 = v6_.Child(*c6, i);
      if (Needed(v6_, n6, default6)) Visit(std::string(1, kHex[i]) + "." + path, {}, n6);
    }
  }

  static Said SaidBy(const Map& map, const Map::Cell& cell, size_t answer) {
    return {&map.answer(answer), map.PrefixText(cell), map.address_bits() == 32};
  }
  static Said SaidAt(const Map& map, const Map::Cell& cell) { return SaidBy(map, cell, *map.Uniform(cell)); }

  void Record(const std::string& owner, const Said& a, const Said& b) {
    if (exists_) {
      const bool listed4 = a.answer != nullptr && !a.answer->unlisted;
      const bool listed6 = b.answer != nullptr && !b.answer->unlisted;
      if (a.answer != nullptr && b.answer != nullptr && listed4 != listed6)
        note_("an address border that IPv4 and IPv6 names share cannot be said with A records", "", true);
      // The name exists either way, so that a wildcard above does not answer for it.
      out_ += owner + (listed4 || (listed6 && a.answer == nullptr) ? " A 127.0.0.2\n" : " TXT \"not listed\"\n");
      return;
    }
    const std::string text = a.answer == nullptr ? Text(b) : b.answer == nullptr ? Text(a) : Both(a, b);
    out_ += owner + " TXT " + Quoted(text) + "\n";
  }

  std::string Both(const Said& a, const Said& b) {
    const std::string text4 = Text(a), text6 = Text(b);
    if (text4 == text6) return text4;
    const auto decided = [](const Said& s) {
      const SpfOutcome o = s.answer->outcome;
      return o == SpfOutcome::kPass || o == SpfOutcome::kFail || o == SpfOutcome::kSoftfail || o == SpfOutcome::kNeutral;
    };
    if (!decided(a) || !decided(b)) {
      note_("different records for IPv4 and IPv6 clients on a name that both share: permerror there", "", true);
      return "v=spf1 exists:%{x}";
    }
    const bool pass4 = a.answer->outcome == SpfOutcome::kPass, pass6 = b.answer->outcome == SpfOutcome::kPass;
    if (pass4 && pass6) return "v=spf1 ip4:" + a.prefix + " ip6:" + b.prefix + " -all";
    if (pass4) return "v=spf1 ip4:" + a.prefix + " " + Sign(b.answer->outcome) + "all";
    if (pass6) return "v=spf1 ip6:" + b.prefix + " " + Sign(a.answer->outcome) + "all";
    return std::string("v=spf1 ") + Sign(a.answer->outcome) + "ip4:0.0.0.0/0 " + Sign(b.answer->outcome) + "all";
  }

  const std::string domain_;
  const bool exists_;
  const Map v4_, v6_;
  const DomainNote& note_;
  std::string out_;
};

}  // namespace

std::string BindHead(const EmitZone& zone) {
  std::string mailbox = zone.hostmaster;
  if (const size_t at = mailbox.find('@'); at != std::string::npos) mailbox[at] = '.';
  if (mailbox.ends_with('.')) mailbox.pop_back();
  // The serial has a fixed width: who compares two files leaves it out.
  const uint32_t ttl = std::max(zone.settings->ttl_cap, zone.settings->ttl_floor);
  std::string serial = std::to_string(zone.created);
  serial.insert(0, 10 - std::min<size_t>(serial.size(), 10), ' ');
  return "; mailzone: SPF policies. Written by a program: changes here are lost.\n$ORIGIN " +
         dns::NameText(zone.settings->apex) + ".\n$TTL " + std::to_string(ttl) + "\n@ SOA " + zone.ns + ". " + mailbox +
         ". (" + serial + " 10800 3600 604800 300)\n@ NS " + zone.ns + ".\n";
}

std::string BindDomain(const EmitZone& zone, const EmittedDomain& domain, const DomainNote& note) {
  return Walk(dns::NameText(domain.setting->name), zone.settings->form == Form::kExists, domain, note).Run();
}

}  // namespace mz::compiler::spf
