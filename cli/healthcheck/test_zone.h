// A healthcheck zone of a configuration, as the verbs need it: its names, its keys, and what its server answers.
//
//   MZ_ASSIGN_OR_RETURN(std::unique_ptr<TestZone> zone, TestZone::Open("mailzone.toml", "", &log));
//   const std::string id = zone->MakeId(settings, now);
//   for (const AnsweredName& a : zone->Answers(id, now).value()) ...
//
// The answers come from an image of this one zone, made in memory, by the server's own code. One thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "cli/config.h"
#include "cli/healthcheck/compose.h"
#include "cli/healthcheck/key_files.h"
#include "compiler/build/healthcheck_model.h"
#include "format/dataset/diagnostic.h"
#include "format/dns/message_reader.h"
#include "format/healthcheck/id.h"

namespace mz::cli {

// What one question gets.
struct AnsweredName {
  std::string name;  // as text
  uint16_t type = 0;
  std::vector<dns::Record> records;
  std::string fault;  // "SERVFAIL", "no answer", "NXDOMAIN" ...; "" with records
};

class TestZone {
 public:
  // `name`: "" when the configuration has one healthcheck zone only. Errors: those of the configuration (reported
  // to the sink), InvalidArgument (no such zone, a bad key file), those of reading keys.
  static StatusOr<std::unique_ptr<TestZone>> Open(const std::string& config_path, const std::string& name,
                                                  dataset::DiagnosticSink* sink);
  ~TestZone();

  const Config& config() const { return config_; }
  const std::string& name() const { return name_; }
  uint32_t expiry_minutes() const { return expiry_minutes_; }
  bool opaque_ids() const { return id_keys_.opaque_ids; }
  KeyRing& keys() { return *keys_; }

  // Errors: InvalidArgument (the zone has no key that signs).
  StatusOr<std::string> MakeId(const healthcheck::Settings& settings, int64_t now_unix) const;
  // Requires: 32 hexadecimal digits.
  healthcheck::IdError Read(std::string_view id, healthcheck::Id* out) const;

  // What the zone's table of registered IDs says. Requires: as above.
  std::optional<healthcheck::Settings> Registered(std::string_view id) const;

  // With the zone's names; the caller adds recipient and texts.
  TestMailSpec Spec(const healthcheck::Settings& settings, const std::string& id, int64_t now_unix) const;

  // All names below the ID and all types that are answered with something, faults included. Errors: those of
  // compiling.
  StatusOr<std::vector<AnsweredName>> Answers(const std::string& id, int64_t now_unix);

 private:
  struct Image;
  TestZone();
  Status Compile();

  Config config_;
  const ZoneConfig* zone_ = nullptr;
  std::string name_, mail_host_, literal_, selector_;
  uint32_t expiry_minutes_ = 0;
  uint8_t signing_key_ = 0;
  healthcheck::IdKeys id_keys_;
  std::vector<compiler::RegisteredId> registered_;  // ascending
  std::unique_ptr<KeyRing> keys_;
  std::unique_ptr<Image> image_;
};

}  // namespace mz::cli
