// See statistics.h.
#include "server/control/statistics.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"

namespace mz::control {
namespace {

std::string Number(uint64_t n) { return std::to_string(n); }

std::string Fields(const Counts& c) {
  return "tot=" + Number(c.total()) + " ok=" + Number(c.ok) + " nxd=" + Number(c.nxdomain) + " err=" +
         Number(c.error) + " in=" + Number(c.bytes_in) + " out=" + Number(c.bytes_out);
}

uint64_t Get(const std::atomic<uint64_t>& a) { return a.load(std::memory_order_relaxed); }

}  // namespace

std::string ZoneStatsLine(uint64_t seconds, std::string_view zone, const Counts& c) {
  return "stats for " + Number(seconds) + "secs zone " + std::string(zone) + ": " + Fields(c);
}

std::string TotalStatsLine(uint64_t seconds, const Counts& c) {
  return "stats for " + Number(seconds) + "sec: " + Fields(c);
}

std::string StatsFileField(std::string_view zone, const Counts& c) {
  return std::string(zone) + ":" + Number(c.total()) + ":" + Number(c.ok) + ":" + Number(c.nxdomain) + ":" +
         Number(c.bytes_in) + ":" + Number(c.bytes_out);
}

Statistics::Statistics(const stats::Page& page, std::string file, bool deltas, int64_t now_unix)
    : page_(page), file_(std::move(file)), deltas_(deltas), since_(now_unix) {}

Counts Statistics::Zone(uint32_t slot) const {
  Counts c;
  for (uint32_t w = 0; w < page_.workers(); w++) {
    const stats::ZoneCounters& z = page_.zone(w, slot);
    c.ok += Get(z.ok), c.nxdomain += Get(z.nxdomain), c.error += Get(z.error);
    c.bytes_in += Get(z.bytes_in), c.bytes_out += Get(z.bytes_out);
  }
  return c;
}

Counts Statistics::Total() const {
  Counts c;
  for (uint32_t w = 0; w < page_.workers(); w++) {
    const stats::WorkerCounters& k = page_.worker(w);
    c.ok += Get(k.answered), c.nxdomain += Get(k.nxdomain), c.error += Get(k.errors) + Get(k.dropped);
    c.bytes_in += Get(k.bytes_in), c.bytes_out += Get(k.bytes_out);
  }
  return c;
}

Counts Statistics::State::ZoneSince(uint32_t slot, const Counts& now) const {
  auto it = zones.find(slot);
  return it == zones.end() ? now : now - it->second;
}

Statistics::State Statistics::Now() const {
  State s;
  // Every slot that is in use, also of zones that are not in service now: they may come back.
  for (uint32_t i = 0; i < page_.header().zone_slots_used; i++) s.zones[i] = Zone(i);
  s.zones[page_.zone_slots() - 1] = Zone(page_.zone_slots() - 1);
  s.total = Total();
  return s;
}

void Statistics::LogLines(const Logger& log, int64_t now_unix) const {
  const uint64_t seconds = static_cast<uint64_t>(now_unix > since_ ? now_unix - since_ : 0);
  for (uint32_t slot : slots_)
    log.Info(ZoneStatsLine(seconds, page_.zone_name(slot).text, baseline_.ZoneSince(slot, Zone(slot))));
  log.Info(TotalStatsLine(seconds, Total() - baseline_.total));
}

void Statistics::WriteLine(int64_t now_unix) {
  if (file_.empty()) return;
  // The line before may be older than the last zeroing: Zero() moves both.
  const State& from = deltas_ ? last_line_ : baseline_;
  std::string line = Number(static_cast<uint64_t>(now_unix));
  for (uint32_t slot : slots_)
    line += ' ' + StatsFileField(page_.zone_name(slot).text, from.ZoneSince(slot, Zone(slot)));
  line += ' ' + StatsFileField("*", Total() - from.total) + '\n';
  if (deltas_) last_line_ = Now();
  Append(line);
}

void Statistics::WriteTimestamp(int64_t now_unix) {
  if (!file_.empty()) Append(Number(static_cast<uint64_t>(now_unix)) + '\n');
}

void Statistics::Zero(int64_t now_unix) {
  since_ = now_unix;
  baseline_ = Now();
  last_line_ = baseline_;
}

void Statistics::Append(const std::string& line) {
  UniqueFd fd(::open(file_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0644));
  if (fd.valid()) (void)!::write(fd.get(), line.data(), line.size());
}

}  // namespace mz::control
