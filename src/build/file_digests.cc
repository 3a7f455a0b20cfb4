#include "build/file_digests.h"

#include <unistd.h>

#include <vector>

#include "base/str.h"
#include "base/time.h"
#include "codec/digest.h"
#include "sys/fd.h"

namespace minke::build {
namespace {

constexpr std::size_t kMaxKnown = 20000;
// Times of files move in steps: what changed this recently may change again without showing it.
constexpr std::int64_t kSettled = 2 * kSecond;

TimeNs time_of(const timespec& time) {
  return static_cast<TimeNs>(time.tv_sec) * kSecond + time.tv_nsec;
}

// Writing to a file changes its ctime, whatever is done to its mtime.
std::string identity_of(const struct stat& st) {
  return concat(st.st_dev, " ", st.st_ino, " ", st.st_size, " ", time_of(st.st_mtim), " ",
                time_of(st.st_ctim));
}

}  // namespace

// A line for each: five numbers and the digest.
void FileDigests::load() {
  loaded_ = true;
  if (path_.empty()) return;
  auto text = sys::read_small_file(path_, 8 << 20);
  if (!text) return;
  for (std::string_view line : split(*text, '\n')) {
    const std::size_t blank = line.rfind(' ');
    if (blank == std::string_view::npos) continue;
    const std::string_view digest = line.substr(blank + 1);
    if (digest.size() == 64 && is_hex(digest)) known_.emplace(line.substr(0, blank), digest);
  }
}

FileDigests::~FileDigests() {
  if (!changed_ || path_.empty()) return;
  // What is full begins anew: which of them are of use is not known.
  if (known_.size() > kMaxKnown) known_.clear();
  std::string text;
  for (const auto& [identity, digest] : known_) text += concat(identity, " ", digest, "\n");
  const std::string folder = path_.substr(0, path_.rfind('/'));
  ignore(sys::ensure_dirs(folder, 0700), "it is only there to be quick");
  ignore(sys::write_file(path_, text, 0600), "it is only there to be quick");
}

Result<std::string> FileDigests::digest_of(int fd, std::string_view name) {
  struct stat before {};
  if (::fstat(fd, &before) < 0) return Error::from_errno(errno, concat("stat ", name));
  if (!loaded_) load();
  const std::string identity = identity_of(before);
  auto found = known_.find(identity);
  if (found != known_.end()) return found->second;
  const TimeNs begun = now();
  Hasher hasher;
  std::vector<char> buffer(256 << 10);
  for (off_t at = 0;;) {
    ssize_t n = ::pread(fd, buffer.data(), buffer.size(), at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Error::from_errno(errno, concat("read ", name));
    if (n == 0) break;
    hasher.update({buffer.data(), static_cast<std::size_t>(n)});
    at += n;
  }
  struct stat after {};
  if (::fstat(fd, &after) < 0) return Error::from_errno(errno, concat("stat ", name));
  if (identity_of(after) != identity)
    return Error(Errc::conflict, concat(name, ": changed while it was read"));
  std::string digest = hasher.hex();
  if (time_of(after.st_ctim) + kSettled < begun && time_of(after.st_mtim) + kSettled < begun) {
    known_.emplace(identity, digest);
    changed_ = true;
  }
  return digest;
}

}  // namespace minke::build
