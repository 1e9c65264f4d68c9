// RDATA for the names of a healthcheck zone, with a place for the ID.
//
//   Template t("hc.example");
//   t.Text("v=spf1 include:i1.@D -all")        // @D: <id>.hc.example, @I: the ID's digits, @Z: hc.example
//   t.Name("mx.@D")
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/build/healthcheck_model.h"

namespace mz::compiler {

inline constexpr uint16_t kHcTypeA = 1, kHcTypeNs = 2, kHcTypeCname = 5, kHcTypeMx = 15, kHcTypeTxt = 16,
                          kHcTypeAaaa = 28, kHcTypeTlsa = 52, kHcTypeSpf = 99;

class Template {
 public:
  // `zone`: text without trailing dot; `apex`: the same in relative wire form.
  Template(std::string zone, std::string apex) : zone_(std::move(zone)), apex_(std::move(apex)) {}

  // With @D, @I and @Z replaced.
  std::string Expand(std::string_view text) const;
  // Character-strings of TXT: cut at 255 octets, but never inside an ID.
  std::string Text(std::string_view text) const;
  // The same, cut after each `width` octets (not inside an ID).
  std::string Text(std::string_view text, size_t width) const;
  // One character-string for each element.
  std::string Strings(const std::vector<std::string>& texts) const;
  // An absolute wire name: "mx.@D", "@D", "@Z" or without these.
  std::string Name(std::string_view text) const;
  std::string Mx(uint16_t preference, std::string_view text) const;

 private:
  std::string zone_, apex_;
};

// "_dmarc.sub" -> wire form without root.
std::string SubName(std::string_view text);

}  // namespace mz::compiler
