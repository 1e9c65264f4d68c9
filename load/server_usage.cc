// See server_usage.h.
#include "load/server_usage.h"

#include <dirent.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <string>

#include "base/file.h"

namespace mz::load {

StatusOr<ProcessUsage> ReadUsage(const std::vector<int>& pids) {
  ProcessUsage total;
  const uint64_t page = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  for (const int pid : pids) {
    const std::string process = "/proc/" + std::to_string(pid);
    const std::unique_ptr<DIR, int (*)(DIR*)> tasks(::opendir((process + "/task").c_str()), ::closedir);
    if (tasks == nullptr) return MakeStatus(StatusCode::kNotFound, "no process " + std::to_string(pid));
    while (const dirent* e = ::readdir(tasks.get())) {
      if (e->d_name[0] == '.') continue;
      const StatusOr<std::string> text = ReadFile(process + "/task/" + e->d_name + "/schedstat");
      if (!text.ok()) {
        if (::access((process + "/task/" + e->d_name).c_str(), F_OK) != 0) continue;  // the thread has ended
        return MakeStatus(StatusCode::kFailedPrecondition,
                          "/proc/PID/schedstat: the kernel lacks CONFIG_SCHED_INFO");
      }
      total.cpu_ns += std::strtoull(text->c_str(), nullptr, 10);
    }
    if (const StatusOr<std::string> memory = ReadFile(process + "/statm"); memory.ok()) {
      char* rest = nullptr;
      std::strtoull(memory->c_str(), &rest, 10);
      total.resident_bytes += std::strtoull(rest, nullptr, 10) * page;
    }
  }
  return total;
}

}  // namespace mz::load
