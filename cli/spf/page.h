// How the verbs about SPF put things on a page: colours, aligned columns, lists of prefixes.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "cli/diagnostics.h"
#include "cli/terminal.h"
#include "compiler/spf/evaluator.h"

namespace mz::cli {

enum class Tint { kGood, kWarning, kBad, kFaint, kStrong };
// Unchanged unless the terminal has colours.
std::string Tinted(const Terminal& terminal, Tint tint, std::string_view text);

// "192.0.2.0/24, 2001:db8::/32 and 12 more"; "" for no address at all. A set that holds most of the address space is told
// by what it does not hold: "all but ...". At most `limit` prefixes.
std::string PrefixesText(compiler::spf::Evaluator* evaluator, compiler::spf::SetId set4, compiler::spf::SetId set6,
                         size_t limit);
// {"prefixes": [...], "count": N}
nlohmann::json PrefixesJson(compiler::spf::Evaluator* evaluator, compiler::spf::SetId set4, compiler::spf::SetId set6,
                            size_t limit);

// Text in a column: at least `width` characters (UTF-8 counts once), two blanks behind it.
std::string Padded(std::string_view text, size_t width);

// "4,194,304"
std::string Grouped(uint64_t n);

// Findings of the SPF compiler as diagnostics, with the section in the message.
void ReportFindings(const std::vector<compiler::spf::Finding>& findings, DiagnosticLog* log);

std::string JsonText(const nlohmann::json& document);

// Says what is wrong; the exit code. A name or a configuration that is wrong is a usage error.
int FailSpf(const Status& status, bool as_json, Terminal& terminal);

}  // namespace mz::cli
