// Query layouts as text: how the macro in the customer's record builds the name that receivers ask us.
//
//   "%{ir}.%{d}"                          1.2.0.192.customer.example
//   "%{i}._ip.%{h}._ehlo.%{d}"            192.0.2.1._ip.mx.sender.example._ehlo.customer.example
//   "{class}.%{ir}._d.%{d}"               p.1.2.0.192._d.customer.example (class labels p s n f z)
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "compiler/build/spf_model.h"
#include "compiler/spf/residual.h"

namespace mz::compiler::spf {

// Errors: InvalidArgument, with the place and the likely fix in words.
StatusOr<SpfLayout> ParseLayout(std::string_view text);

// What goes behind include:, redirect= or exists: in the customer's record: the layout and the zone. `class_label` replaces
// {class}.
std::string PublishedTarget(std::string_view layout_text, std::string_view zone_text,
                            char class_label);

// The whole record to publish for a form. `qualifier`: of the all at the end (forms with include and exists).
std::string PublishedRecord(std::string_view layout_text, std::string_view zone_text, Form form,
                            char all_qualifier);

// Octets of the longest name that is asked for this domain (presentation form): an IPv6 client, plus a helper label.
size_t LongestQueryName(const SpfLayout& layout, std::string_view domain_text, std::string_view zone_text,
                        bool with_helper);

}  // namespace mz::compiler::spf
