// Processes: a pid in a variable is a question, a pidfd is an answer.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "sys/fd.h"

namespace minke::sys {

// Start time of a process in clock ticks since boot (field 22 of /proc/PID/stat): with the pid it
// names one process for the life of the machine. not_found when there is none; a zombie counts as
// gone.
Result<std::uint64_t> process_start_time(pid_t pid);
// True while the process with that pid *and* start time lives (a zombie does not).
bool process_alive(pid_t pid, std::uint64_t start_time);

class Pidfd {
 public:
  Pidfd() = default;
  explicit Pidfd(UniqueFd fd) : fd_(std::move(fd)) {}
  // pidfd_open(2), Linux 5.3. With `start_time` other than 0 it is checked after the open, so that
  // the descriptor is known to be of that very process.
  static Result<Pidfd> open(pid_t pid, std::uint64_t start_time = 0);
  Status kill(int signal) const;  // pidfd_send_signal; ESRCH when it is gone
  // Waits for the end: true when it ended, false after `timeout_ms` (-1 waits for ever).
  Result<bool> wait_exit(int timeout_ms) const;
  int get() const { return fd_.get(); }
  explicit operator bool() const { return static_cast<bool>(fd_); }

 private:
  UniqueFd fd_;
};

struct SpawnOptions {
  std::string path;  // absolute; no PATH look-up
  std::vector<std::string> argv;
  std::optional<std::vector<std::string>> env;  // none: our own
  int stdio[3] = {-1, -1, -1};                  // -1: inherited; -2: /dev/null
  // Descriptors given as 3, 4, ... in this order; all others are closed by CLOEXEC.
  std::vector<int> pass_fds;
  bool new_session = false;      // setsid
  bool die_with_parent = false;  // PR_SET_PDEATHSIG KILL
};
struct Spawned {
  pid_t pid = -1;
  Pidfd pidfd;
};
// vfork and exec; exec failures come back as the errno of this call (errno in Error::sys()).
Result<Spawned> spawn(const SpawnOptions& options);
// spawn, then wait: the wait status as of waitpid(2).
Result<int> run_and_wait(const SpawnOptions& options);
Result<int> wait_pid(pid_t pid);  // waitpid, EINTR retried: the wait status
// 0..255 of an exit, 128+n of a signal.
int exit_code_of(int wait_status);

// The signal of "TERM", "SIGTERM", "term", "15", "RTMIN+3", "SIGRTMAX-1"; nothing for anything
// else.
std::optional<int> parse_signal(std::string_view text);
std::string signal_name(int signal);  // "SIGTERM", "SIGRTMIN+3"

}  // namespace minke::sys
