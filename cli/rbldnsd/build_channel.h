// Messages between the daemon and its compiler process: one datagram each over a SOCK_SEQPACKET pair, at most one file
// descriptor with each. Both ends are ours and run the same binary, but the compiler end has read untrusted text: the
// daemon believes nothing but lengths it has checked, and images it has verified.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/status.h"

namespace mz::cli {

enum class MessageKind : uint8_t {
  kBuild = 1,   // to the compiler: text = specs that failed last time, one per line; fd = the image in service
  kLine = 2,    // value = LogLevel; text
  kResult = 3,  // value = BuildVerdict; text = what failed; fd = the new image
  kEnd = 4,     // the compiling process has ended: value = wait status; cpu_microseconds
};

enum class BuildVerdict : uint32_t {
  kRejected = 1,   // the specifications make no sense: text says why; fatal at start
  kIncomplete = 2, // first load, and a dataset did not load
  kUnchanged = 3,
  kChanged = 4,
};

struct BuildMessage {
  MessageKind kind = MessageKind::kLine;
  uint32_t value = 0;
  uint64_t cpu_microseconds = 0;
  // kResult: specs of the datasets that could not be loaded, one per line; `text` is for people.
  std::string failing;
  std::string text;
  UniqueFd fd;
};

// Texts are cut to kMaxTextBytes each. Errors: Unavailable when the other end is gone.
inline constexpr size_t kMaxTextBytes = 32 * 1024;
Status SendMessage(int socket, const BuildMessage& message);
StatusOr<BuildMessage> ReceiveMessage(int socket);

}  // namespace mz::cli
