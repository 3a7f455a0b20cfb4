#include "sys/output_file.h"

#include <linux/openat2.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/rand.h"
#include "base/str.h"

namespace minke::sys {
namespace {

// /dev/stdout, /proc/self/fd/N: whoever opened the file has it already, and gains nothing by
// another that gets its name.
bool leads_through_magic_link(const std::string& path) {
  open_how how{};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_NO_MAGICLINKS;
  UniqueFd fd(static_cast<int>(::syscall(SYS_openat2, AT_FDCWD, path.c_str(), &how, sizeof how)));
  return !fd && errno == ELOOP;
}

// A single file that is bound from elsewhere: nothing can be renamed over it.
bool is_mount(int fd) {
  struct statx facts {};
  return ::statx(fd, "", AT_EMPTY_PATH, 0, &facts) == 0 &&
         (facts.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

bool is_refusal(int error) { return error == EACCES || error == EPERM || error == EROFS; }

std::pair<std::string, std::string> split_path(const std::string& path) {
  std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return {".", path};
  return {slash == 0 ? "/" : path.substr(0, slash), path.substr(slash + 1)};
}

std::string link_of(int fd) { return concat("/proc/self/fd/", fd); }

}  // namespace

bool has_content(const std::string& path) {
  struct stat st {};
  return ::stat(path.c_str(), &st) == 0 && S_ISREG(st.st_mode) && st.st_size != 0;
}

OutputFile::OutputFile(OutputFile&& o) noexcept
    : fd_(std::move(o.fd_)),
      folder_(std::move(o.folder_)),
      name_(std::move(o.name_)),
      temporary_(std::exchange(o.temporary_, {})) {}

OutputFile::~OutputFile() {
  if (temporary_.empty()) return;
  int saved = errno;
  ignore(unlink_at(folder_, temporary_.c_str()), "the reason comes first");
  errno = saved;
}

Result<OutputFile> OutputFile::open(const std::string& path) {
  OutputFile file;
  struct stat st {};
  if (::stat(path.c_str(), &st) == 0) {
    TRY(file.open_existing(path));
    return file;
  }
  if (errno != ENOENT) return Error::from_errno(errno, concat("open ", path));
  struct stat link {};
  if (path.ends_with('/') ||
      ::lstat(path.c_str(), &link) == 0) {  // a link to what is not there yet
    file.fd_ = TRY(sys::open(path, O_WRONLY | O_CREAT, 0644));
    return file;
  }
  Status beside = file.open_beside(path, 0644);
  if (!beside) return Error::from_errno(beside.error().sys(), concat("open ", path));
  return file;
}

Status OutputFile::open_existing(const std::string& path) {
  fd_ = TRY(sys::open(path, O_WRONLY));
  struct stat st {};
  if (::fstat(fd_.get(), &st) < 0) return Error::from_errno(errno, path);
  if (!S_ISREG(st.st_mode)) return {};
  UniqueFd existing = std::move(fd_);
  char* real = leads_through_magic_link(path) || is_mount(existing.get())
                   ? nullptr
                   : ::realpath(path.c_str(), nullptr);
  if (real != nullptr) {
    std::string target(real);
    ::free(real);
    Status beside = open_beside(target, st.st_mode & 07777);
    if (!beside && !is_refusal(beside.error().sys())) return beside;
    if (beside) {
      // Root's to give; an owner that this namespace does not know is nobody's.
      constexpr uid_t kUnmapped = 65534, kAsItIs = static_cast<uid_t>(-1);
      if (::fchown(fd_.get(), st.st_uid == kUnmapped ? kAsItIs : st.st_uid,
                   st.st_gid == kUnmapped ? kAsItIs : st.st_gid) < 0 &&
          errno != EPERM && errno != EINVAL)
        return Error::from_errno(errno, path);
      if (::fchmod(fd_.get(), st.st_mode & 0777) < 0) return Error::from_errno(errno, path);
      return {};
    }
  }
  name_.clear();
  fd_ = std::move(existing);
  if (::ftruncate(fd_.get(), 0) < 0) return Error::from_errno(errno, concat("truncate ", path));
  return {};
}

Status OutputFile::open_beside(const std::string& target, mode_t mode) {
  auto [folder, name] = split_path(target);
  folder_ = TRY(open_dir(folder));
  name_ = name;
  // Without a name it goes with us, however we end.
  auto unnamed = open_at(folder_, ".", O_WRONLY | O_TMPFILE, mode);
  if (unnamed) {
    fd_ = std::move(*unnamed);
    return {};
  }
  int error = unnamed.error().sys();
  if (error != EOPNOTSUPP && error != EISDIR && error != ENOENT && error != EINVAL)
    return std::move(unnamed.error());
  temporary_ = concat(".", name.substr(0, 200), ".", random_hex(6));
  auto named = open_at(folder_, temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL, mode);
  if (!named) temporary_.clear();
  fd_ = TRY(std::move(named));
  return {};
}

Status OutputFile::keep() {
  if (name_.empty()) return {};
  auto link = [this](const std::string& name) {
    return ::linkat(AT_FDCWD, link_of(fd_.get()).c_str(), folder_.get(), name.c_str(),
                    AT_SYMLINK_FOLLOW);
  };
  if (temporary_.empty()) {
    if (link(name_) == 0) return {};
    if (errno != EEXIST) return Error::from_errno(errno, concat("link ", name_));
    std::string beside = concat(".", name_.substr(0, 200), ".", random_hex(6));
    if (link(beside) < 0) return Error::from_errno(errno, concat("link ", name_));
    temporary_ = std::move(beside);
  }
  TRY(rename_at(folder_, temporary_.c_str(), folder_, name_.c_str()));
  temporary_.clear();
  return {};
}

}  // namespace minke::sys
