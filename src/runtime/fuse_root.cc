#include "runtime/fuse_root.h"

#include <fcntl.h>

#include "base/str.h"
#include "runtime/syscalls.h"
#include "sys/process.h"

namespace minke::runtime {
namespace {

// fuse-overlayfs splits at ':' and ',' and takes a backslash before them.
std::string escaped(const std::string& path) {
  std::string out;
  for (char c : path) {
    if (c == ':' || c == ',' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

Result<sys::UniqueFd> mount_connection(int device) {
  sys::UniqueFd context(sys_fsopen("fuse"));
  if (!context) return Error::from_errno(errno, "fuse root: fsopen");
  const std::pair<const char*, std::string> options[] = {{"source", "fuse-overlayfs"},
                                                         {"fd", concat(device)},
                                                         {"rootmode", "40000"},
                                                         {"user_id", "0"},
                                                         {"group_id", "0"}};
  for (const auto& [key, value] : options)
    if (sys_fsconfig(context.get(), FSCONFIG_SET_STRING, key, value.c_str(), 0) < 0)
      return Error::from_errno(errno, concat("fuse root: option ", key));
  for (const char* flag : {"default_permissions", "allow_other"})
    if (sys_fsconfig(context.get(), FSCONFIG_SET_FLAG, flag, nullptr, 0) < 0)
      return Error::from_errno(errno, concat("fuse root: option ", flag));
  if (sys_fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) < 0)
    return Error::from_errno(errno, "fuse root: mount");
  sys::UniqueFd mount(sys_fsmount(context.get(), 0));
  if (!mount) return Error::from_errno(errno, "fuse root: fsmount");
  return mount;
}

}  // namespace

Result<sys::UniqueFd> make_fuse_root(const OverlayRoot& overlay) {
  sys::UniqueFd device = TRY_CTX(sys::open("/dev/fuse", O_RDWR), "fuse root");
  sys::UniqueFd mount = TRY(mount_connection(device.get()));
  std::string options = "lowerdir=";
  for (std::size_t i = 0; i < overlay.lower.size(); ++i)
    options += concat(i > 0 ? ":" : "", escaped(overlay.lower[i]));
  if (!overlay.upper.empty())
    options += concat(",upperdir=", escaped(overlay.upper), ",workdir=", escaped(overlay.work));
  sys::SpawnOptions spawn;
  spawn.path = overlay.fuse_program;
  // libfuse serves a connection that is mounted already when the mount point is named so; the
  // program then goes to the background by itself.
  spawn.argv = {overlay.fuse_program, "-o", options, "/dev/fd/3"};
  spawn.pass_fds = {device.get()};
  spawn.stdio[0] = spawn.stdio[1] = -2;
  int status = TRY(sys::run_and_wait(spawn));
  if (status != 0)
    return Error(Errc::io, concat("fuse root: ", overlay.fuse_program, " ended with ",
                                  sys::exit_code_of(status)));
  return mount;
}

}  // namespace minke::runtime
