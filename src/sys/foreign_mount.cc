#include "sys/foreign_mount.h"

#include <linux/mount.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/str.h"
#include "sys/process.h"
#include "sys/socket.h"

namespace minke::sys {
namespace {

// In the child; the errno of what failed.
int clone_and_send(int space, const char* path, int socket) {
  if (::setns(space, CLONE_NEWNS) < 0) return errno;
  auto root = open("/", O_PATH | O_DIRECTORY);
  if (!root) return root.error().sys();
  auto place = open_in_root(root->get(), path, O_PATH);
  if (!place) return place.error().sys();
  UniqueFd tree(static_cast<int>(::syscall(SYS_open_tree, place->get(), "",
                                           AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC)));
  if (!tree) return errno;
  return send_message(socket, "mount", {tree.get()}) ? 0 : EIO;
}

}  // namespace

Result<UniqueFd> clone_mount_of(pid_t pid, const char* path) {
  UniqueFd space = TRY(open(concat("/proc/", pid, "/ns/mnt"), O_RDONLY));
  auto [ours, theirs] = TRY(make_seqpacket_pair());
  pid_t child = ::fork();
  if (child < 0) return Error::from_errno(errno, "fork");
  if (child == 0) ::_exit(clone_and_send(space.get(), path, theirs.get()));
  theirs.reset();
  auto message = receive_message(ours.get());
  int status = TRY(wait_pid(child));
  if (status != 0)
    return Error::from_errno(exit_code_of(status), concat("mount at ", path, " of process ", pid));
  Message received = TRY(std::move(message));
  if (received.fds.size() != 1)
    return Error(Errc::internal,
                 concat("mount at ", path, " of process ", pid, ": none came back"));
  return std::move(received.fds[0]);
}

}  // namespace minke::sys
