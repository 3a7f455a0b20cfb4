// tmpcopyup: what lies in the image beneath a new tmpfs is copied into it.
#include <dirent.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <cstring>

#include "runtime/child.h"
#include "runtime/syscalls.h"

namespace minke::runtime {
namespace {

constexpr int kDepthMax = 64;

struct Entry64 {  // struct linux_dirent64
  std::uint64_t ino;
  std::int64_t off;
  unsigned short length;
  unsigned char type;
  char name[1];
};

int copy_attributes(const struct stat& st, int fd) {
  struct timespec times[2] = {st.st_atim, st.st_mtim};
  if (::fchown(fd, st.st_uid, st.st_gid) < 0) return -1;
  if (::fchmod(fd, st.st_mode & 07777) < 0) return -1;  // after chown, which drops the set-id bits
  return ::futimens(fd, times);
}

int copy_file(int from, int to, const char* name, const struct stat& st) {
  int in = ::openat(from, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (in < 0) return -1;
  int out = ::openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  int result = out < 0 ? -1 : 0;
  while (result == 0) {
    ssize_t n = ::sendfile(out, in, nullptr, 1 << 30);
    if (n == 0) break;
    if (n < 0 && errno != EINTR) result = -1;
  }
  if (result == 0) result = copy_attributes(st, out);
  if (out >= 0) sys::close_keeping_errno(out);
  sys::close_keeping_errno(in);
  return result;
}

int copy_folder(int from, int to, int depth);

int copy_entry(int from, int to, const char* name, int depth) {
  struct stat st;
  if (::fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0) return -1;
  if (S_ISREG(st.st_mode)) return copy_file(from, to, name, st);
  if (S_ISLNK(st.st_mode)) {
    char link[4096];
    ssize_t n = ::readlinkat(from, name, link, sizeof link - 1);
    if (n < 0) return -1;
    link[n] = 0;
    if (::symlinkat(link, to, name) < 0) return -1;
    return ::fchownat(to, name, st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW);
  }
  if (S_ISDIR(st.st_mode)) {
    if (depth >= kDepthMax) return errno = ELOOP, -1;
    int in = ::openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (in < 0) return -1;
    int out = -1;
    if (::mkdirat(to, name, 0700) == 0)
      out = ::openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int result = out < 0 ? -1 : copy_folder(in, out, depth + 1);
    if (result == 0) result = copy_attributes(st, out);
    if (out >= 0) sys::close_keeping_errno(out);
    sys::close_keeping_errno(in);
    return result;
  }
  if (S_ISSOCK(st.st_mode)) return 0;  // nobody listens on a copy
  if (::mknodat(to, name, st.st_mode, st.st_rdev) < 0) return -1;
  return ::fchownat(to, name, st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW);
}

int copy_folder(int from, int to, int depth) {
  alignas(8) char buffer[2048];
  for (;;) {
    auto n = ::syscall(SYS_getdents64, from, buffer, sizeof buffer);
    if (n <= 0) return static_cast<int>(n);
    for (long at = 0; at < n;) {
      auto* entry = reinterpret_cast<Entry64*>(buffer + at);
      at += entry->length;
      if (std::strcmp(entry->name, ".") == 0 || std::strcmp(entry->name, "..") == 0) continue;
      if (copy_entry(from, to, entry->name, depth) < 0) return -1;
    }
  }
}

}  // namespace

int child_copy_up(int from, int to) {
  int in = ::openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (in < 0) return -1;
  int out = ::openat(to, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int result = out < 0 ? -1 : copy_folder(in, out, 0);
  struct stat st;
  if (result == 0) result = ::fstat(in, &st) < 0 || copy_attributes(st, out) < 0 ? -1 : 0;
  if (out >= 0) sys::close_keeping_errno(out);
  sys::close_keeping_errno(in);
  return result;
}

}  // namespace minke::runtime
