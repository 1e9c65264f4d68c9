// A zone of type "healthcheck" of the configuration -> what compiler/healthcheck wants, and the model of an image.
//
//   MZ_ASSIGN_OR_RETURN(compiler::HealthcheckOptions options, LoadHealthcheckZone(zone, sink));
//   options.keys, options.selector, options.mail_hosts ...       // also what `mailzone healthcheck` needs
//   MZ_RETURN_IF_ERROR(AddHealthcheckZones(config, &image_model, sink, &entries));
//
// Reads the key files, the public DKIM keys and the registered IDs. Errors: InvalidArgument (a value or a file's content,
// with the likely fix), those of reading files (NotFound, PermissionDenied ...).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "cli/config.h"
#include "compiler/build/model.h"
#include "compiler/healthcheck/zone.h"
#include "format/dataset/diagnostic.h"

namespace mz::cli {

StatusOr<compiler::HealthcheckOptions> LoadHealthcheckZone(const ZoneConfig& zone, dataset::DiagnosticSink* sink);

// Appends all healthcheck zones of the configuration, each with its dataset and the generic dataset of its helper names.
// `entries` grows by the number of names, outcomes and IDs.
Status AddHealthcheckZones(const Config& config, compiler::ImageModel* model, dataset::DiagnosticSink* sink,
                           uint64_t* entries);

// Every file that LoadHealthcheckZone() reads.
std::vector<std::string> HealthcheckFiles(const ZoneConfig& zone);

// Which of the zone's keys signs new IDs: 0 or 1.
inline uint8_t SigningKey(const ZoneConfig& zone) { return static_cast<uint8_t>(zone.signing_key.value_or(0)); }

}  // namespace mz::cli
