// Paths inside the container's root, resolved by the kernel so that no link or rename leads outside
// (CVE-2019-18837, CVE-2021-30465, CVE-2024-45310).
#include <sys/stat.h>

#include <cstdio>
#include <cstring>

#include "runtime/child.h"
#include "runtime/syscalls.h"

namespace minke::runtime {

FdPath::FdPath(int fd) {
  std::memcpy(text, "/proc/self/fd/", 14);
  char digits[12];
  int n = 0;
  do {
    digits[n++] = static_cast<char>('0' + fd % 10);
    fd /= 10;
  } while (fd > 0);
  char* out = text + 14;
  while (n > 0) *out++ = digits[--n];
  *out = 0;
}

int open_in(int root, const char* path, int flags) {
  return sys_openat2(root, path, static_cast<std::uint64_t>(flags), 0,
                     RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

namespace {

constexpr std::size_t kPathMax = 4096;
constexpr int kLinkMax = 40;

// Path being resolved: everything before `done` exists and is open as `folder`.
struct Walk {
  char path[kPathMax];
  std::size_t done = 0;
};

// Puts the content of a dangling link in the place of the component it stands for.
int follow_link(Walk& w, int folder, std::size_t begin, std::size_t end) {
  char link[kPathMax];
  char name[256];
  if (end - begin >= sizeof name) return errno = ENAMETOOLONG, -1;
  std::memcpy(name, w.path + begin, end - begin);
  name[end - begin] = 0;
  ssize_t n = ::readlinkat(folder, name, link, sizeof link - 1);
  if (n < 0) return -1;
  std::size_t rest = std::strlen(w.path + end);
  std::size_t keep = link[0] == '/' ? 0 : begin;
  if (keep + static_cast<std::size_t>(n) + rest + 1 >= kPathMax) return errno = ENAMETOOLONG, -1;
  std::memmove(w.path + keep + n, w.path + end, rest + 1);
  std::memcpy(w.path + keep, link, static_cast<std::size_t>(n));
  w.done = 0;
  return 0;
}

enum class Last { folder, file, parent };

// Makes what is missing of `path`. For Last::parent the name of the last component comes back in
// `name`.
int make_path(int root, const char* original, Last last, char* name_out) {
  Walk w;
  std::size_t length = std::strlen(original);
  if (length >= kPathMax) return errno = ENAMETOOLONG, -1;
  std::memcpy(w.path, original, length + 1);
  int links = 0;
restart:
  int folder = open_in(root, "/", O_PATH | O_DIRECTORY);
  if (folder < 0) return -1;
  std::size_t at = 0;
  for (;;) {
    while (w.path[at] == '/') ++at;
    if (w.path[at] == 0) return folder;  // it was a folder all along
    std::size_t end = at;
    while (w.path[end] != 0 && w.path[end] != '/') ++end;
    std::size_t after = end;
    while (w.path[after] == '/') ++after;
    bool is_last = w.path[after] == 0;
    if (is_last && last == Last::parent) {
      if (end - at >= 256) return ::close(folder), errno = ENAMETOOLONG, -1;
      std::memcpy(name_out, w.path + at, end - at);
      name_out[end - at] = 0;
      return folder;
    }
    // Opened from the root each time, so that links and ".." in the part before are the kernel's
    // business.
    char kept = w.path[end];
    w.path[end] = 0;
    int next = open_in(root, w.path, O_PATH | (is_last ? 0 : O_DIRECTORY));
    w.path[end] = kept;
    if (next < 0 && errno == ENOENT) {
      char name[256];
      if (end - at >= sizeof name) return ::close(folder), errno = ENAMETOOLONG, -1;
      std::memcpy(name, w.path + at, end - at);
      name[end - at] = 0;
      int made;
      if (is_last && last == Last::file) {
        made = ::openat(folder, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_WRONLY, 0644);
        if (made >= 0) ::close(made);
      } else {
        made = ::mkdirat(folder, name, 0755);
      }
      if (made < 0 && errno == EEXIST) {
        // A link to nowhere, or somebody else made it just now.
        if (++links > kLinkMax) return ::close(folder), errno = ELOOP, -1;
        struct stat st;
        if (::fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode) &&
            follow_link(w, folder, at, end) < 0)
          return ::close(folder), -1;
        ::close(folder);
        goto restart;
      }
      if (made < 0) return ::close(folder), -1;
      next = ::openat(folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    }
    ::close(folder);
    if (next < 0) return -1;
    folder = next;
    at = end;
  }
}

}  // namespace

int open_or_make(ChildState& c, const char* path, bool folder) {
  int fd = open_in(c.root, path, O_PATH | (folder ? O_DIRECTORY : 0));
  if (fd >= 0) return fd;
  if (errno != ENOENT) {
    c.call = Call::open_target;
    return -1;
  }
  fd = make_path(c.root, path, folder ? Last::folder : Last::file, nullptr);
  if (fd < 0) c.call = Call::make_target;
  return fd;
}

int open_target(ChildState& c, const MountPlan& m, bool folder) {
  int fd = open_or_make(c, m.target, folder);
  if (fd < 0 || !m.no_links) return fd;
  ::close(fd);
  fd = sys_openat2(c.root, m.target, O_PATH | (folder ? O_DIRECTORY : 0), 0,
                   RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS);
  if (fd < 0) c.call = Call::open_target;
  return fd;
}

int open_parent(ChildState& c, const char* path, const char** name) {
  static char last[256];
  const char* slash = std::strrchr(path, '/');
  *name = last;
  // Nearly always "/dev/NAME" with /dev there.
  std::size_t length = slash == nullptr ? 0 : static_cast<std::size_t>(slash - path);
  char folder[kPathMax];
  if (slash != nullptr && slash[1] != 0 && length > 0 && length < sizeof folder &&
      std::strlen(slash + 1) < sizeof last) {
    std::memcpy(folder, path, length);
    folder[length] = 0;
    std::strcpy(last, slash + 1);
    int fd = open_in(c.root, folder, O_PATH | O_DIRECTORY);
    if (fd >= 0 || errno != ENOENT) {
      if (fd < 0) c.call = Call::open_target;
      return fd;
    }
  }
  int fd = make_path(c.root, path, Last::parent, last);
  if (fd < 0) c.call = Call::make_target;
  return fd;
}

}  // namespace minke::runtime
