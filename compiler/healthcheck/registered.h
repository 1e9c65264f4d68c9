// Registered IDs: settings that were kept in a table before IDs could tell them themselves.
//
// Text, one ID a line, '#' begins a comment:
//   00112233445566778899aabbccddeeff spf=softfail dkim=pass dmarc=reject mx=none
// or an SQLite file with the older program's table messages(id or message_id, spf, dkim, dmarc, mx). Columns that are not
// there or NULL leave the dimension at "none"; deleted rows (deleted_at) are left out.
//
// Any bytes are safe. Cost: linear, and a sort; 16 octets and 10 codes an ID. Errors: InvalidArgument (findings were
// reported to the sink with file, line and column, as far as there are such), those of reading.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "compiler/build/healthcheck_model.h"
#include "format/dataset/diagnostic.h"

namespace mz::compiler {

// Ascending, none twice. An ID with two different settings is an error. The magic of SQLite tells the two kinds apart.
StatusOr<std::vector<RegisteredId>> ReadRegistered(const std::string& path, dataset::DiagnosticSink* sink);

// The text form; `path` is for messages.
StatusOr<std::vector<RegisteredId>> ParseRegistered(const std::string& path, std::string_view text,
                                                    dataset::DiagnosticSink* sink);

// The SQLite form.
StatusOr<std::vector<RegisteredId>> ReadRegisteredTable(const std::string& path);

// Sorts and drops repetitions; the ID that has two settings, or nothing.
const RegisteredId* SortRegistered(std::vector<RegisteredId>* ids);

}  // namespace mz::compiler
