// For tests: code run in a process with user and network namespaces of its own, so that an ordinary
// user may run it as well as root and nothing touches the machine's interfaces.
#pragma once

#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <string>

#include "base/str.h"
#include "sys/fd.h"

namespace minke::sys::testing {

constexpr const char* kSkipped = "skipped: ";

// What the child's `run` returned: empty for success, "skipped: ..." when namespaces cannot be had,
// else what went wrong.
inline std::string in_own_namespaces(const std::function<std::string()>& run) {
  auto pipe = make_pipe();
  if (!pipe) return pipe.error().message();
  auto [reader, writer] = std::move(*pipe);
  uid_t uid = ::geteuid();
  gid_t gid = ::getegid();
  pid_t child = ::fork();
  if (child < 0) return "fork";
  if (child == 0) {
    reader.reset();
    std::string said;
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0) {
      said = concat(kSkipped, "unshare: ", std::string(::strerror(errno)));
    } else {
      ignore(write_existing("/proc/self/setgroups", "deny"), "not asked for when root");
      ignore(write_existing("/proc/self/uid_map", concat("0 ", uid, " 1")), "shows in the test");
      ignore(write_existing("/proc/self/gid_map", concat("0 ", gid, " 1")), "shows in the test");
      said = run();
    }
    ignore(write_all(writer.get(), said), "the parent has gone");
    ::_exit(0);
  }
  writer.reset();
  auto said = read_all(reader.get());
  int status = 0;
  ::waitpid(child, &status, 0);
  if (!said) return said.error().message();
  if (!WIFEXITED(status)) return concat("ended by signal ", WTERMSIG(status), ": ", *said);
  return *said;
}

}  // namespace minke::sys::testing

#define MINKE_EXPECT_ALONE(...)                                                    \
  do {                                                                             \
    std::string said_ = ::minke::sys::testing::in_own_namespaces(__VA_ARGS__);     \
    if (said_.starts_with(::minke::sys::testing::kSkipped)) GTEST_SKIP() << said_; \
    EXPECT_EQ(said_, "");                                                          \
  } while (false)
