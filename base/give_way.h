// Long computations beside threads that have to answer at once, on the same core.
//
//   for (...) { a piece of some ten microseconds; GiveWay(); }
//
// A thread with a background policy (SCHED_BATCH, SCHED_IDLE; threads inherit it) offers its core at each call; for any other
// thread the call does nothing. The policy is looked at once, in a thread's first call.
//
// Why the policy is not enough: a thread that wakes up interrupts a background thread at once only while it has not had
// more than its share (EEVDF, Linux 6.6 and later). Otherwise the kernel looks again at the next tick of its clock, 1 to 10 ms later.
// Measured (250 Hz, server and load on one core): 1 in 1,000 wake-ups waited up to 4 ms without these calls, none with them.
#pragma once

namespace mz {

void GiveWay();

}  // namespace mz
