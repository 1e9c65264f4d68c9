// The change record: one JSON object a line for every domain and address family whose answers changed, and why.
//
//   {"time":"2026-11-21T05:50:00Z","zone":"_spf.example.net","domain":"customer.example","family":4,
//    "changes":[{"prefixes":["192.0.2.0/24"],"count":1,"before":"v=spf1 -all","after":"v=spf1 ip4:$IP -all"}],
//    "cause":{"question":"_spf.provider.example TXT","before":[...],"after":[...]},
//    "path":["customer.example","_spf.provider.example"]}
//
// "alert" is added when far more IPv4 addresses pass than before: over a /8, or twice as many.
// A domain that is served for the first time has one line with "new": true instead.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/status.h"
#include "cli/spf/session.h"

namespace mz::cli {

inline constexpr size_t kMaxListedPrefixes = 50;  // of one change; more are counted
inline constexpr uint64_t kAlertPassAddresses = uint64_t{1} << 24;  // a /8: more of IPv4 passes than any sender needs
inline constexpr uint64_t kFewPassAddresses = 4096;                 // doubling so few is everyday life

class ChangeRecord {
 public:
  explicit ChangeRecord(SpfSession* session) : session_(*session) {}

  // Takes the policies as they are now for what is published, and nothing for a change.
  void Remember();
  // The lines for what differs from the published policies, which become those of now. `changes` are the answers that
  // came in meanwhile.
  std::vector<std::string> Update(const std::vector<compiler::spf::Refresher::Change>& changes, int64_t now);

 private:
  struct Published {
    compiler::spf::Partition v4, v6;
  };
  // A policy that suddenly passes far more addresses is accepted, but somebody should look: the words for it, or "".
  std::string Growth(const compiler::spf::Partition& before, const compiler::spf::Partition& after);
  template <typename F>
  void AddFamily(const SpfZone& zone, const compiler::spf::DomainSetting& domain,
                 const compiler::spf::Partition& before, const compiler::spf::Partition& after,
                 const std::vector<compiler::spf::Refresher::Change>& changes, int64_t now,
                 std::vector<std::string>* lines);

  SpfSession& session_;
  absl::flat_hash_map<compiler::spf::RecordKey, Published> published_;
};

// Appends lines to a file. Errors: those of opening and writing.
Status AppendLines(const std::string& path, const std::vector<std::string>& lines);

// "_spf.provider.example TXT"
std::string QuestionText(const resolve::Question& question);
// RDATA for people: TXT as text, addresses, MX as "10 mail.example", else hexadecimal.
std::vector<std::string> AnswerTexts(const resolve::Question& question, const resolve::Answer& answer);
std::string TimeText(int64_t unix_seconds);

}  // namespace mz::cli
