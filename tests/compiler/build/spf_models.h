// SPF models in few words, for tests.
//
//   SpfModelBuilder spf(&pool, {"%{ir}.%{d}"});
//   uint32_t pass = spf.Program(SpfOutcome::kPass, "v=spf1 ip4:$ -all");
//   spf.Domain("customer.com", {{spf.Set4({"192.0.2.0/24"}), pass}}, {}, fail, fail);
//   dataset->spf = spf.Finish();
//
// In texts '$' is the place of the address and '@' that of the query name.
#pragma once

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/build/spf_model.h"
#include "format/dns/name.h"
#include "format/net/address.h"

namespace mz::compiler::testing {

inline std::string SpfWire(std::string_view text) {
  if (text.empty()) return "";
  std::string wire = dns::ParseName(text).value();
  dns::LowerName(&wire);
  return wire;
}

// "%{ir}.%{d}": macros by their letters, labels as they are; "%{c}" is the class label.
inline SpfLayout ParseTestLayout(std::string_view text) {
  SpfLayout out;
  while (!text.empty()) {
    const size_t dot = std::min(text.find('.'), text.size());
    const std::string_view part = text.substr(0, dot);
    text.remove_prefix(std::min(dot + 1, text.size()));
    SpfLayoutPart p;
    if (part == "%{i}") {
      p.kind = SpfLayoutPart::kAddress;
    } else if (part == "%{ir}") {
      p.kind = SpfLayoutPart::kAddressReversed;
    } else if (part == "%{v}") {
      p.kind = SpfLayoutPart::kFamily;
    } else if (part == "%{d}") {
      p.kind = SpfLayoutPart::kDomain;
    } else if (part == "%{c}") {
      p.kind = SpfLayoutPart::kClass;
    } else if (part.starts_with("%{")) {
      p.kind = SpfLayoutPart::kIgnored;
    } else {
      p.label = part;
    }
    out.push_back(p);
  }
  return out;
}

class SpfModelBuilder {
 public:
  SpfModelBuilder(Pool* pool, const std::vector<std::string>& layouts)
      : pool_(pool), model_(std::make_shared<SpfModel>()) {
    for (const std::string& l : layouts) model_->layouts.push_back(ParseTestLayout(l));
  }

  TextId Text(std::string_view text) {
    TextModel t;
    t.flags = image::kTextSpf;
    for (const char c : text) {
      if (c == '$' || c == '@') {
        t.holes.push_back(static_cast<uint16_t>(t.literal.size() | (c == '@' ? image::kHoleQueryName : 0u)));
      } else {
        t.literal += c;
      }
    }
    return pool_->InternText(t);
  }

  uint32_t Program(SpfOutcome outcome, std::string_view text) {
    SpfProgram p;
    p.outcome = outcome;
    if (!text.empty()) p.text = Text(text);
    model_->programs.push_back(p);
    return static_cast<uint32_t>(model_->programs.size() - 1);
  }
  SpfProgram& program(uint32_t i) { return model_->programs[i]; }

  uint32_t Set4(const std::vector<std::string>& prefixes) {
    std::vector<net::Range4> ranges;
    for (const std::string& p : prefixes) {
      const size_t slash = p.find('/');
      ranges.push_back(net::PrefixRange4(net::ParseIp4(p.substr(0, slash)).value(),
                                         slash == p.npos ? 32 : std::atoi(p.c_str() + slash + 1)));
    }
    return AddSet4(std::move(ranges));
  }
  uint32_t Set6(const std::vector<std::string>& prefixes) {
    std::vector<net::Range6> ranges;
    for (const std::string& p : prefixes) {
      const size_t slash = p.find('/');
      ranges.push_back(net::PrefixRange6(net::ParseIp6(p.substr(0, slash)).value(),
                                         slash == p.npos ? 128 : std::atoi(p.c_str() + slash + 1)));
    }
    return AddSet6(std::move(ranges));
  }
  // Any ranges; they are made a set.
  uint32_t AddSet4(std::vector<net::Range4> ranges) {
    std::sort(ranges.begin(), ranges.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<net::Range4> out;
    for (const net::Range4& r : ranges) {
      if (!out.empty() && (out.back().last == ~0u || r.first <= out.back().last + 1)) {
        out.back().last = std::max(out.back().last, r.last);
      } else {
        out.push_back(r);
      }
    }
    model_->sets4.push_back(std::move(out));
    return static_cast<uint32_t>(model_->sets4.size() - 1);
  }
  uint32_t AddSet6(std::vector<net::Range6> ranges) {
    std::sort(ranges.begin(), ranges.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<net::Range6> out;
    for (const net::Range6& r : ranges) {
      if (!out.empty() && (out.back().last == net::kIp6Last || r.first <= out.back().last.Next())) {
        out.back().last = std::max(out.back().last, r.last);
      } else {
        out.push_back(r);
      }
    }
    model_->sets6.push_back(std::move(out));
    return static_cast<uint32_t>(model_->sets6.size() - 1);
  }

  SpfDomain& Domain(std::string_view name, std::vector<SpfEntry> entries4, std::vector<SpfEntry> entries6,
                    uint32_t default4, uint32_t default6) {
    SpfDomain d;
    d.name = model_->names.Add(SpfWire(name));
    d.entries4 = std::move(entries4);
    d.entries6 = std::move(entries6);
    d.default4 = default4;
    d.default6 = default6;
    model_->domains.push_back(std::move(d));
    return model_->domains.back();
  }

  SpfModel& model() { return *model_; }
  std::shared_ptr<const SpfModel> Finish() {
    std::sort(model_->domains.begin(), model_->domains.end(), [&](const SpfDomain& a, const SpfDomain& b) {
      return model_->names.Get(a.name) < model_->names.Get(b.name);
    });
    return model_;
  }

 private:
  Pool* pool_;
  std::shared_ptr<SpfModel> model_;
};

// What the model says: the program of an address, by its definition.
inline uint32_t FirstMatch(const SpfModel& m, const SpfDomain& d, net::Ip4 ip) {
  for (const SpfEntry& e : d.entries4)
    for (const net::Range4& r : m.sets4[e.set])
      if (r.first <= ip && ip <= r.last) return e.program;
  return d.default4;
}
inline uint32_t FirstMatch(const SpfModel& m, const SpfDomain& d, const net::Ip6& ip) {
  for (const SpfEntry& e : d.entries6)
    for (const net::Range6& r : m.sets6[e.set])
      if (r.first <= ip && ip <= r.last) return e.program;
  return d.default6;
}

}  // namespace mz::compiler::testing
