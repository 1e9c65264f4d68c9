// rbldnsd's statistics: log lines on request and lines of the statistics file, computed from the counters of the page.
//
//   stats for 3secs zone bl.test: tot=6 ok=4 nxd=2 err=0 in=198 out=547           one per zone ("secs")
//   stats for 3sec: tot=16 ok=7 nxd=2 err=7 in=459 out=862                        all traffic ("sec")
//   1795228231 a:6:4:2:198:547 *:16:7:2:459:862                                   file: EPOCH ZONE:tot:ok:nxd:in:out ...
//
// The page's counters only grow; "zeroing" (SIGUSR2) means a new baseline here. Control thread only.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/log.h"
#include "format/stats/page.h"

namespace mz::control {

struct Counts {
  uint64_t ok = 0, nxdomain = 0, error = 0, bytes_in = 0, bytes_out = 0;
  uint64_t total() const { return ok + nxdomain + error; }
  Counts operator-(const Counts& o) const {
    return {ok - o.ok, nxdomain - o.nxdomain, error - o.error, bytes_in - o.bytes_in, bytes_out - o.bytes_out};
  }
};

std::string ZoneStatsLine(uint64_t seconds, std::string_view zone, const Counts& c);
std::string TotalStatsLine(uint64_t seconds, const Counts& c);
std::string StatsFileField(std::string_view zone, const Counts& c);  // "a:6:4:2:198:547"

class Statistics {
 public:
  // `file` may be empty. With `deltas`, lines of the file tell differences since the line before.
  Statistics(const stats::Page& page, std::string file, bool deltas, int64_t now_unix);

  // The statistics slots of the zones in service, in their order.
  void SetZones(std::span<const uint32_t> slots) { slots_.assign(slots.begin(), slots.end()); }

  void LogLines(const Logger& log, int64_t now_unix) const;
  // Appends to the file; a file that cannot be written is passed over, as rbldnsd does.
  void WriteLine(int64_t now_unix);
  void WriteTimestamp(int64_t now_unix);  // a bare line, at start, SIGUSR2 and exit
  void Zero(int64_t now_unix);

 private:
  Counts Zone(uint32_t slot) const;
  Counts Total() const;
  void Append(const std::string& line);

  struct State {  // counters at some moment
    std::map<uint32_t, Counts> zones;
    Counts total;
    Counts ZoneSince(uint32_t slot, const Counts& now) const;
  };
  State Now() const;

  const stats::Page& page_;
  const std::string file_;
  const bool deltas_;
  std::vector<uint32_t> slots_;
  int64_t since_;
  State baseline_, last_line_;
};

}  // namespace mz::control
