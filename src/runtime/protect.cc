#include "runtime/protect.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/str.h"
#include "runtime/syscalls.h"
#include "sys/fd.h"
#include "sys/program.h"

namespace minke::runtime {
namespace {

constexpr const char* kExe = "/proc/self/exe";

// Told by the kernel, not by the environment: that only stops an endless chain.
bool is_protected() {
  struct statvfs fs;
  if (::statvfs(kExe, &fs) == 0 && (fs.f_flag & ST_RDONLY) != 0) return true;
  sys::UniqueFd exe(::open(kExe, O_RDONLY | O_CLOEXEC));
  if (!exe) return false;
  int seals = ::fcntl(exe.get(), F_GET_SEALS);
  return seals >= 0 && (seals & F_SEAL_WRITE) != 0;
}

// The container runs with our user id at most, so what we may not write it may not either.
bool writable_by_us() {
  if (::geteuid() == 0) return true;
  struct stat st;
  if (::stat(kExe, &st) < 0) return true;
  return st.st_uid == ::geteuid() || ::access(kExe, W_OK) == 0 || errno == ETXTBSY;
}

sys::UniqueFd read_only_mount() {
  sys::UniqueFd mount(sys_open_tree(AT_FDCWD, kExe, OPEN_TREE_CLONE));
  if (!mount) return mount;
  struct mount_attr attr {};
  attr.attr_set = MOUNT_ATTR_RDONLY;
  if (sys_mount_setattr(mount.get(), "", AT_EMPTY_PATH, &attr) < 0) mount.reset();
  return mount;
}

Result<sys::UniqueFd> sealed_copy() {
  sys::UniqueFd copy(::memfd_create("minke", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!copy) return Error::from_errno(errno, "protect own program: memfd_create");
  sys::UniqueFd exe = TRY(sys::open(kExe, O_RDONLY));
  for (;;) {
    ssize_t n = ::sendfile(copy.get(), exe.get(), nullptr, 1 << 30);
    if (n == 0) break;
    if (n < 0 && errno != EINTR) return Error::from_errno(errno, "protect own program: copy");
  }
  if (::fcntl(copy.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) <
      0)
    return Error::from_errno(errno, "protect own program: seal");
  return copy;
}

}  // namespace

Status protect_own_binary() {
  if (is_protected() || !writable_by_us()) return {};
  // A parent's mark is not ours: an engine that starts this program through a script hands it down.
  if (!sys::kept_program().empty())
    return Error(
        Errc::internal,
        "protect own program: it is writable still after starting it from a read-only mount");
  sys::UniqueFd exe = read_only_mount();
  if (!exe) exe = TRY(sealed_copy());
  std::string path = TRY(sys::own_program());
  std::string words = TRY(sys::read_small_file("/proc/self/cmdline"));
  std::vector<char*> argv;
  for (std::size_t at = 0; at < words.size(); at += ::strlen(words.data() + at) + 1)
    argv.push_back(words.data() + at);
  argv.push_back(nullptr);
  ::setenv(sys::kOwnProgram, concat(::getpid(), ":", path).c_str(), 1);
  ::fexecve(exe.get(), argv.data(), environ);
  return Error::from_errno(errno, "protect own program: exec");
}

}  // namespace minke::runtime
