// The store's directories: making them, staging, trash, blobs. Images are in images.cc.
#include "store/store.h"

#include <sys/file.h>
#include <unistd.h>

#include <mutex>

#include "base/failpoint.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/str.h"
#include "codec/digest.h"
#include "store/layout.h"

namespace minke::store {
namespace {

using sys::DirFd;
using sys::UniqueFd;

Status check_version(const std::string& root, std::string_view text) {
  auto version = parse_int(trim(text));
  if (!version || *version < 1) return Error(Errc::corrupt, concat(root, "/version: not a number"));
  if (*version > kLayoutVersion)
    return Error(Errc::unsupported,
                 concat(root, ": layout version ", *version,
                        " was written by a newer minke (this one knows ", kLayoutVersion,
                        "); upgrade minke or use another --root"));
  return {};
}

Status make_layout(const std::string& root) {
  TRY(sys::ensure_dirs(root, 0700));
  DirFd dir = TRY(sys::open_dir(root));
  for (const char* name :
       {"images", "images/blobs", "images/blobs/sha256", "layers", "staging", "trash"})
    TRY_CTX(sys::ensure_dir_at(dir, name, 0700), root);
  if (!sys::exists_at(dir, "images/oci-layout"))
    TRY_CTX(sys::write_file_at(dir, "images/oci-layout", kOciLayout, 0644, sys::Durability::data),
            root);
  if (!sys::exists_at(dir, "images/index.json"))
    TRY_CTX(sys::write_file_at(dir, "images/index.json", oci::dump_index(oci::ImageIndex()), 0644,
                               sys::Durability::data),
            root);
  // Last: whoever sees it sees the rest.
  return sys::write_file_at(dir, "version", concat(kLayoutVersion, "\n"), 0644,
                            sys::Durability::data);
}

// Locks of staging directories handed out as mere paths; each is kept until its directory has moved
// away.
struct HeldLock {
  std::string path;
  UniqueFd fd;
};
std::mutex g_held_mutex;
std::vector<HeldLock> g_held;

bool same_file(int fd, const std::string& path) {
  struct stat open_file {
  }, named{};
  return ::fstat(fd, &open_file) == 0 && ::lstat(path.c_str(), &named) == 0 &&
         open_file.st_ino == named.st_ino && open_file.st_dev == named.st_dev;
}

void hold(std::string path, UniqueFd fd) {
  std::lock_guard guard(g_held_mutex);
  std::erase_if(g_held, [](const HeldLock& held) { return !same_file(held.fd.get(), held.path); });
  g_held.push_back({std::move(path), std::move(fd)});
}

Result<UniqueFd> open_locked(const std::string& path, int operation) {
  UniqueFd fd = TRY(sys::open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  // flock, not an OFD lock: those need a descriptor open for writing, which a directory cannot
  // have.
  if (::flock(fd.get(), operation) < 0) return Error::from_errno(errno, concat("lock ", path));
  return fd;
}

}  // namespace

Staging::~Staging() {
  if (!lock_) return;
  ignore(sys::remove_tree_at(DirFd::cwd(), path_.c_str()),
         "the next empty_trash finds it abandoned");
}

std::string Staging::release() {
  std::string path = path_;
  hold(path, std::move(lock_));
  return path;
}

Result<Store> Store::open(const std::string& root, bool rootless) {
  auto version = sys::read_small_file(root + "/version", 64);
  if (version)
    TRY(check_version(root, *version));
  else if (version.error().sys() == ENOENT || version.error().sys() == ENOTDIR)
    TRY_CTX(make_layout(root), "storage");
  else
    return std::move(version.error()).wrap(root);
  return Store(root, rootless);
}

Result<Staging> Store::stage(std::string_view what) const {
  for (int tries = 0; tries < 10; ++tries) {
    std::string path = concat(root_, "/staging/", what, "-", random_hex(8));
    TRY_CTX(sys::make_dir_at(DirFd::cwd(), path.c_str(), 0700), "staging");
    auto fd = open_locked(path, LOCK_EX);
    if (!fd && fd.error().sys() != ENOENT) return std::move(fd.error());
    // Between our mkdir and the lock a cleaner may have taken it for abandoned.
    if (fd && same_file(fd->get(), path)) return Staging(path, std::move(*fd));
  }
  return Error(Errc::internal, concat(root_, "/staging: new directories disappear"));
}

Result<std::string> Store::make_staging(std::string_view what) const {
  Staging staging = TRY(stage(what));
  return staging.release();
}

Status Store::move_to_trash(const std::string& path) const {
  std::string target = concat(root_, "/trash/", random_hex(12));
  auto moved = sys::rename_at(DirFd::cwd(), path.c_str(), DirFd::cwd(), target.c_str());
  if (!moved && moved.error().sys() == ENOENT) return {};
  return moved;
}

bool Store::has_trash() const {
  for (const char* name : {"/trash", "/staging"}) {
    auto names = sys::list_dir(DirFd::cwd(), (root_ + name).c_str());
    if (names && !names->empty()) return true;
  }
  return false;
}

Status Store::clear_abandoned() const {
  ErrorList errors;
  std::string staging = root_ + "/staging";
  for (const std::string& name : TRY(sys::list_dir(DirFd::cwd(), staging.c_str()))) {
    std::string path = concat(staging, "/", name);
    auto lock = open_locked(path, LOCK_EX | LOCK_NB);
    if (!lock) {
      // EWOULDBLOCK: in use. ENOENT: renamed into place meanwhile. A plain file was left by a
      // killed write.
      if (lock.error().sys() == ENOTDIR)
        errors.add(sys::remove_tree_at(DirFd::cwd(), path.c_str()));
      continue;
    }
    if (same_file(lock->get(), path)) errors.add(move_to_trash(path));
  }
  return std::move(errors).to_status();
}

Status Store::empty_trash() const {
  ErrorList errors;
  errors.add(clear_abandoned());
  std::string trash = root_ + "/trash";
  DirFd dir = TRY(sys::open_dir(trash));
  for (const std::string& name : TRY(sys::list_dir(dir)))
    errors.add(sys::remove_tree_at(dir, name.c_str()));
  return std::move(errors).to_status();
}

std::string Store::blob_path(const oci::Digest& digest) const {
  return concat(root_, "/images/blobs/", digest.algorithm(), "/", digest.hex());
}

Result<std::string> Store::read_blob(const oci::Digest& digest, std::size_t max) const {
  MINKE_CHECK(!digest.empty());
  std::string bytes =
      TRY_CTX(sys::read_small_file(blob_path(digest), max), concat("blob ", digest.str()));
  Hasher hasher(digest.algorithm() == "sha512" ? HashKind::sha512 : HashKind::sha256);
  hasher.update(bytes);
  if (hasher.hex() != digest.hex())
    return Error(Errc::corrupt, concat("blob ", digest.str(),
                                       " is damaged on disk; remove the image and get it again"));
  return bytes;
}

bool Store::has_layer(const std::string& chain_id) const {
  return sys::exists(concat(root_, "/layers/", chain_id, "/", kDiffDir));
}

std::vector<std::string> Store::lower_dirs(const Image& image) const {
  std::vector<std::string> dirs;
  for (auto it = image.chain_ids.rbegin(); it != image.chain_ids.rend(); ++it)
    dirs.push_back(concat(root_, "/layers/", *it, "/", kDiffDir));
  return dirs;
}

}  // namespace minke::store
