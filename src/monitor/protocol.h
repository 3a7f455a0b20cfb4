// The attach socket, RUN_DIR/attach: SOCK_SEQPACKET, one frame per message: a type byte, then its
// payload.
//
//   client -> monitor
//     attach      flags (one byte, AttachFlag): the first frame of a client that wants the streams
//     stdin_data  bytes for the container's stdin
//     stdin_eof   no more stdin from this client (shutdown(SHUT_WR) says the same)
//     resize      rows, columns: two 16-bit numbers, low byte first
//     reopen_logs the log file was moved away: open a new one
//     replan      what to do from now on at its end and about its health (wire.h, RestartPlan and
//                 HealthPlan)
//     start       let a container that was only made (init) run; answered when it does
//   monitor -> client
//     stdout_data, stderr_data   what the container wrote (all of a terminal is stdout)
//     cut_off     this client was too slow: its stream ends here, the container's does not
//     done        answer to resize, reopen_logs, replan and start
//     refused     the same, with the reason as text
// The monitor closes the connection when the container's streams have ended.
#pragma once

#include <cstddef>
#include <cstdint>

namespace minke::monitor {

enum class Frame : std::uint8_t {
  attach = 1,
  stdin_data = 2,
  stdin_eof = 3,
  resize = 4,
  reopen_logs = 5,
  start = 6,
  replan = 7,
  stdout_data = 16,
  stderr_data = 17,
  cut_off = 18,
  done = 19,
  refused = 20,
};

enum AttachFlag : std::uint8_t {
  kAttachStdin = 1,
  kAttachOutput = 2,
};

// A frame with its type byte is never longer.
constexpr std::size_t kMaxFrame = 32 << 10;
// What a client may leave unread in the monitor before it is cut off.
constexpr std::size_t kClientBuffer = 1 << 20;

}  // namespace minke::monitor
