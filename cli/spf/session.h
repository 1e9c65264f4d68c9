// Everything behind the SPF zones of one configuration while it runs: resolver, state file, evaluator, zones.
//
//   MZ_ASSIGN_OR_RETURN(auto session, SpfSession::Open(config, &log));
//   session->Fetch(&progress);                       // until everything was asked once
//   session->AddTo(&model, created, &log);           // zones into an image model
//
// One thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "cli/config.h"
#include "cli/progress.h"
#include "cli/spf/settings.h"
#include "compiler/build/model.h"
#include "compiler/resolve/store.h"
#include "compiler/spf/refresher.h"
#include "compiler/spf/zone.h"

namespace mz::cli {

class SpfSession {
 public:
  // Reads the lists of domains and the state file. `config` must outlive the session. Errors: InvalidArgument, and those
  // of the domain sources.
  static StatusOr<std::unique_ptr<SpfSession>> Open(const Config& config, dataset::DiagnosticSink* sink);

  // The lists of domains anew. True: some list changed. Errors: as Open(); the old lists stay.
  StatusOr<bool> ReloadDomains(dataset::DiagnosticSink* sink);

  // Asks until every question was answered or failed once.
  void Fetch(Progress* progress);

  struct Summary {
    uint32_t zones = 0, domains = 0, incomplete = 0, without_record = 0;
    uint64_t questions = 0;
  };
  // Adds one dataset and one zone per SPF zone. Findings go to the sink, each once. Errors: InvalidArgument.
  StatusOr<Summary> AddTo(compiler::ImageModel* model, dataset::DiagnosticSink* sink);

  // The last call, before a process ends: a large session is not freed, which would take seconds.
  void LeaveMemoryToExit();
  static constexpr size_t kTooManyToFree = 50'000;  // questions

  Status SaveState() const;
  Status FinishRecording();

  const std::vector<SpfZone>& zones() const { return zones_; }
  compiler::spf::Refresher& refresher() { return *refresher_; }
  resolve::Store& store() { return *store_; }
  double replay_seconds() const { return replay_seconds_; }  // spent on reading the recording
  int resolver_fd() const { return resolver_->fd(); }
  static compiler::spf::RecordKey KeyOf(const compiler::spf::DomainSetting& d) { return {d.source_domain, d.owner}; }
  // The setting of a domain (any spelling of case), or null.
  const compiler::spf::DomainSetting* FindDomain(std::string_view text, const SpfZone** zone) const;
  // Alarms of the failure policy since the last call, as lines for a log.
  std::vector<resolve::StoreEvent> TakeEvents() { return store_->TakeEvents(); }

 private:
  explicit SpfSession(const Config& config) : config_(config) {}
  void SetDomains();
  void ReportFindings(dataset::DiagnosticSink* sink);
  void ReportCosts(const compiler::spf::DomainReport& report, const SpfZone& zone, dataset::DiagnosticSink* sink);
  std::vector<compiler::spf::RecordKey> Keys() const;

  const Config& config_;
  std::vector<SpfZone> zones_;
  std::unique_ptr<resolve::Resolver> resolver_;
  std::function<Status()> finish_recording_;
  std::unique_ptr<resolve::Store> store_;
  std::unique_ptr<compiler::spf::Refresher> refresher_;
  double replay_seconds_ = 0;
};

}  // namespace mz::cli
