// What the verbs about single domains share: a resolver, the answers, and an evaluator for a few records instead of all.
//
//   MZ_ASSIGN_OR_RETURN(auto desk, DomainDesk::Open({.config = path}, &log));
//   MZ_ASSIGN_OR_RETURN(ServedDomain d, desk->FindServed("customer.example", "", &log));
//   desk->Fetch({d.key()}, {}, &progress);
//   desk->evaluator().Evaluate(d.key())
//
// With a configuration its resolver is used, and what its state file knows is not asked again: what is shown is what is
// served. Nothing is written. One thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "cli/config.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/spf/settings.h"
#include "compiler/resolve/store.h"
#include "compiler/spf/refresher.h"

namespace mz::cli {

// A domain as a zone of the configuration serves it, or would serve it.
struct ServedDomain {
  const SpfZone* zone = nullptr;
  compiler::spf::DomainSetting setting;
  bool listed = true;            // false: in no list of the zone
  compiler::spf::RecordKey key() const { return {setting.source_domain, setting.owner}; }
  std::string domain_text, owner_text;
};

// Options of every such verb.
struct DeskOptions {
  std::string config;                    // path; "": none
  std::vector<std::string> forwarders;   // instead of those of the configuration or the system
  std::string replay;                    // a recording instead of the DNS
  bool fresh = false;                    // without the state file
  bool knows_own_zones = true;           // a record that leads to a zone of the configuration is an error

  void Declare(Options* options, bool may_ask_elsewhere);
};

class DomainDesk : public compiler::spf::AnswerSource {
 public:
  // Errors: those of the configuration (reported to the sink) and of the resolver.
  static StatusOr<std::unique_ptr<DomainDesk>> Open(const DeskOptions& options, dataset::DiagnosticSink* sink);

  // `zone`: "" or the name of one, for a domain that is in no list. Errors: InvalidArgument with the nearest listed name,
  // and those of reading the lists.
  StatusOr<ServedDomain> FindServed(std::string_view domain, std::string_view zone, dataset::DiagnosticSink* sink);

  // Takes `text` for the only TXT record of a name, whatever the DNS says.
  void Preset(const std::string& owner, std::string_view text);
  // Asks for everything the records rest on, and the other questions. Call it once.
  void Fetch(std::vector<compiler::spf::RecordKey> keys, const std::vector<resolve::Question>& others,
             Progress* progress);

  // Null: not asked. Valid until the next Fetch().
  const resolve::Answer* Find(const resolve::Question& question) override;
  compiler::spf::Evaluator& evaluator() { return refresher_->evaluator(); }
  bool has_config() const { return has_config_; }

 private:
  DomainDesk() = default;
  Status ReadConfig(const DeskOptions& options, dataset::DiagnosticSink* sink);
  Status OpenResolver(const DeskOptions& options);
  void LoadState(dataset::DiagnosticSink* sink);
  Status Unlisted(std::string_view domain, std::string_view zone) const;

  bool has_config_ = false, has_zones_ = false;
  Config config_;
  std::vector<SpfZone> zones_;
  std::unique_ptr<resolve::Resolver> resolver_;
  std::unique_ptr<resolve::Store> store_;
  std::unique_ptr<compiler::spf::Refresher> refresher_;
};

// A domain of the command line. Errors: InvalidArgument.
StatusOr<std::string> ParseDomainArgument(std::string_view text);

}  // namespace mz::cli
