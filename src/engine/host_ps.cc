#include "engine/host_ps.h"

#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"
#include "sys/fd.h"
#include "sys/process.h"

namespace minke::engine {
namespace {

constexpr int kSetupFailed = 126;

[[noreturn]] void fail(const char* step) {
  const char* reason = ::strerrordesc_np(errno);
  std::string text = concat("ps(1) in the container's pid namespace: ", step, ": ", reason, "\n");
  ignore(sys::write_all(STDERR_FILENO, text), "nobody reads it");
  ::_exit(kSetupFailed);
}

// In the child that already is in the namespace: a mount namespace of its own, so that nothing is
// mounted on the host.
[[noreturn]] void exec_ps(const char* program, char** argv) {
  if (::unshare(CLONE_NEWNS) < 0) fail("new mount namespace");
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0) fail("make mounts private");
  if (::mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) < 0)
    fail("mount proc");
  ::execv(program, argv);
  fail("start it");
}

[[noreturn]] void enter_and_exec(int space, const char* program, char** argv) {
  if (::setns(space, CLONE_NEWPID) < 0) fail("join");
  pid_t child = ::fork();
  if (child < 0) fail("fork");
  if (child == 0) exec_ps(program, argv);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  ::_exit(sys::exit_code_of(status));
}

}  // namespace

Result<int> run_host_ps(pid_t init, const std::vector<std::string>& words) {
  constexpr const char* kPrograms[] = {"/usr/bin/ps", "/bin/ps"};
  const char* program = nullptr;
  for (const char* path : kPrograms)
    if (program == nullptr && ::access(path, X_OK) == 0) program = path;
  if (program == nullptr) return Error(Errc::not_found, "the host has no ps(1) (package procps)");
  sys::UniqueFd space = TRY(sys::open(concat("/proc/", init, "/ns/pid"), O_RDONLY));
  std::vector<std::string> argv = {"ps"};
  argv.insert(argv.end(), words.begin(), words.end());
  std::vector<char*> pointers;
  for (std::string& word : argv) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  pid_t child = ::fork();
  if (child < 0) return Error::from_errno(errno, "fork");
  if (child == 0) enter_and_exec(space.get(), program, pointers.data());
  return sys::wait_pid(child);
}

}  // namespace minke::engine
