// READY=1 and the like for a service manager, sd_notify(3). Without NOTIFY_SOCKET in the environment nothing happens.
#pragma once

#include <string_view>

namespace mz::cli {

void NotifyServiceManager(std::string_view message);

}  // namespace mz::cli
