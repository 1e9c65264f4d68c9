// How the threads of the daemon share a core, when they must: workers come first, a load takes what they leave. Best effort:
// where the kernel refuses or does not know a wish, only latency is worse.
//
//   worker:   ComeFirst();
//   loader:   StandBack();                     // on the thread that loads; threads that it starts inherit it
//   control:  StarvationWatch watch;  ... every kStarvationCheckMs while it loads: watch.Check();
#pragma once

#include <cstdint>

namespace mz::control {

// When the calling thread wakes up it gets its core soon: the kernel (Linux 6.12 and later) lets a thread that asks for short
// slices interrupt one with longer slices, unless it has used up its share; otherwise the other runs on until a tick, some
// milliseconds. A scheduling policy that the operator has given is left alone, and his nice value in any case.
void ComeFirst();

// For copying and verifying a large image, seconds of CPU. The calling thread runs only while its core is idle (SCHED_IDLE:
// any worker that wakes up interrupts it at once), where StarvationWatch can end that, which takes a privilege: RLIMIT_NICE
// (AllowReturn()), or CAP_SYS_NICE, and /proc. Otherwise it gets about a tenth of a worker's share (SCHED_BATCH, 10 nicer), and
// a worker may wait for a tick of the kernel's clock.
void StandBack();

// Asks that threads of this process may come back from SCHED_IDLE; called while there are privileges left. Gives no right to
// a better nice value than that of StandBack().
void AllowReturn();

// So that a load ends although no core is ever idle: threads at SCHED_IDLE that together got less than a twentieth of a core
// since the last look are given the tenth of a share instead. Control thread.
inline constexpr int kStarvationCheckMs = 500;

class StarvationWatch {
 public:
  void Check();

 private:
  int64_t checked_ns_ = 0;  // 0: no idle threads at the last look
  int64_t cpu_ns_ = 0;
};

}  // namespace mz::control
