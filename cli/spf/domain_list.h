// Which domains an SPF zone serves: from the configuration, a file, and a URL.
//
// One entry: "customer.example"; "+customer.example" also for every name below it; "alias.example=customer.example" serves
// the policy of another domain under this name. A file has one entry a line; '#' begins a comment. A URL gives JSON: every
// value of a key "domain", anywhere in it, is an entry.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "cli/config.h"
#include "compiler/spf/zone.h"
#include "format/dataset/diagnostic.h"

namespace mz::cli {

// One entry. Errors: InvalidArgument.
StatusOr<compiler::spf::DomainSetting> ParseDomainEntry(std::string_view text, std::string_view source_prefix);

// A bad line is reported and left out, as is a domain that was listed before.
void ReadDomainFile(const std::string& path, std::string_view text, std::string_view source_prefix,
                    dataset::DiagnosticSink* sink, std::vector<compiler::spf::DomainSetting>* out);

// Every "domain" in a JSON text. Errors: InvalidArgument.
StatusOr<std::vector<std::string>> DomainsInJson(std::string_view text);

// All sources of one zone together, without duplicates. Errors: those of reading the file or of the download; a zone
// without any domain is InvalidArgument.
StatusOr<std::vector<compiler::spf::DomainSetting>> DomainsOf(const ZoneConfig& zone, dataset::DiagnosticSink* sink);

}  // namespace mz::cli
