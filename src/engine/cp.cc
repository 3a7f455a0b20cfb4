// cp: finds both ends, by Podman's rules on what a path means; the confined worker copies.
#include "engine/cp.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <climits>
#include <cstdlib>

#include "base/failpoint.h"
#include "base/str.h"
#include "engine/container_root.h"
#include "engine/engine.h"
#include "engine/userns.h"
#include "engine/users.h"
#include "store/image_worker.h"

namespace minke::engine {
namespace {

std::string_view base_name(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  return path.substr(path.rfind('/') + 1);
}
std::string parent_of(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return slash == 0 ? "/" : std::string(path.substr(0, slash));
}
std::string without_slashes(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

// "DIR/." means what is in it, not itself.
bool means_contents(std::string_view path) { return path.ends_with("/."); }

Error not_on_host(std::string_view path, std::string_view why = "no such file or directory") {
  return {Errc::not_found, concat(quote(path), " could not be found on the host: ", why)};
}

// An end of a copy within a container.
struct Inside {
  Container container;
  ContainerRoot view;
  std::uint32_t uid = 0, gid = 0;  // its user, as ids of ours
  std::string typed, path;         // as typed; absolute
  Error missing() const {
    return {Errc::not_found, concat(quote(typed), " could not be found on container ",
                                    container.config.name, ": no such file or directory")};
  }
};

// The user of a container as ids that we can give.
Status find_user(Inside* end) {
  const ContainerConfig& config = end->container.config;
  int root = end->view.root.get();
  ResolvedUser user = TRY(resolve_user(config.user, {}, read_account_file(root, "etc/passwd"),
                                       read_account_file(root, "etc/group")));
  end->uid = user.uid;
  end->gid = user.gid;
  if (config.uid_map.empty()) return {};
  auto uid = map_to_host(config.uid_map, user.uid), gid = map_to_host(config.gid_map, user.gid);
  if (!uid || !gid)
    return Error(Errc::invalid_argument,
                 concat("user ", user.uid, ":", user.gid,
                        " is not mapped in the user namespace of the container"));
  end->uid = *uid;
  end->gid = *gid;
  return {};
}

Result<Inside> open_inside(Engine& engine, const CopyEnd& end, RootUse use) {
  Inside inside;
  auto container = engine.find_container(end.container);
  if (!container) {
    if (container.error().code() != Errc::not_found) return std::move(container.error());
    return Error(Errc::not_found, concat("container ", quote(end.container), " does not exist"));
  }
  inside.container = std::move(*container);
  inside.typed = end.path;
  inside.path = end.path;
  if (!end.path.starts_with('/')) {
    const std::string& work = inside.container.config.workdir;
    inside.path = concat(work, work.ends_with('/') ? "" : "/", end.path);
  }
  if (inside.path == "/") inside.path = "/.";
  if (end.path.find('*') != std::string::npos) return inside.missing();
  inside.view = TRY(open_container_root(engine.host(), inside.container, use));
  TRY(find_user(&inside));
  return inside;
}

// What is to be copied.
struct Source {
  sys::UniqueFd fd;  // a directory, a regular file, or O_PATH of anything else
  std::string name;
  bool is_dir = false, contents = false;
};

// The same file once more for reading: by descriptor, so that it is what was looked at.
Status reopen(Source* source) {
  struct stat st {};
  if (::fstat(source->fd.get(), &st) < 0) return Error::from_errno(errno, "stat the source");
  source->is_dir = S_ISDIR(st.st_mode);
  if (!S_ISREG(st.st_mode) && !source->is_dir) return {};
  int flags = source->is_dir ? O_RDONLY | O_DIRECTORY : O_RDONLY | O_NONBLOCK;
  source->fd = TRY(sys::open(concat("/proc/self/fd/", source->fd.get()), flags));
  return {};
}

bool same_directory(int a, int b) {
  struct stat one {
  }, other{};
  return ::fstat(a, &one) == 0 && ::fstat(b, &other) == 0 && one.st_dev == other.st_dev &&
         one.st_ino == other.st_ino;
}

bool is_kernel_view(int fd) {
  struct statfs fs {};
  return ::fstatfs(fd, &fs) == 0 && (fs.f_type == PROC_SUPER_MAGIC || fs.f_type == SYSFS_MAGIC);
}

// The name that a descriptor's file has in its folder: links have been followed.
std::string name_of(int fd, std::string_view otherwise) {
  char path[PATH_MAX];
  ssize_t n = ::readlink(concat("/proc/self/fd/", fd).c_str(), path, sizeof path);
  if (n <= 0) return std::string(otherwise);
  std::string_view name(path, static_cast<std::size_t>(n));
  name = name.substr(name.rfind('/') + 1);
  return std::string(name.empty() ? otherwise : name);
}

Result<Source> open_source_inside(const Inside& end) {
  Source source;
  auto found = sys::open_in_root(end.view.root.get(), without_slashes(end.path).c_str(), O_PATH);
  if (!found) {
    if (found.error().sys() == ENOENT || found.error().sys() == ENOTDIR) return end.missing();
    return std::move(found.error());
  }
  source.fd = std::move(*found);
  if (is_kernel_view(source.fd.get()))
    return Error(Errc::not_found, concat(quote(end.typed),
                                         ": the kernel shows it, there is no file "
                                         "to copy: no such file or directory"));
  source.name = name_of(source.fd.get(), base_name(end.path));
  TRY(reopen(&source));
  source.contents = source.is_dir && (means_contents(end.path) || base_name(end.path) == ".");
  return source;
}

Result<Source> open_source_outside(const std::string& path) {
  Source source;
  auto found = sys::open(path, O_PATH);
  if (!found) {
    if (found.error().sys() == ENOENT) return not_on_host(path);
    if (found.error().sys() == ENOTDIR) return not_on_host(path, "not a directory");
    return std::move(found.error());
  }
  source.fd = std::move(*found);
  TRY(reopen(&source));
  source.contents = source.is_dir && means_contents(path);
  source.name = base_name(path);
  if (source.name.empty() || source.name == "." || source.name == "..")
    source.name = name_of(source.fd.get(), "root");
  return source;
}

// Where it goes: a folder, and the name that it gets there ("": its own, or none for contents).
struct Target {
  std::string folder, name;
};

Error must_be_folder() {
  return {Errc::invalid_argument, "destination must be a directory when copying a directory"};
}

Result<bool> is_folder(int fd) {
  struct stat st {};
  if (::fstat(fd, &st) < 0) return Error::from_errno(errno, "stat the destination");
  return S_ISDIR(st.st_mode);
}

// The path that a link without a target leads to, step by step as the container sees it.
Result<std::string> follow_last(int root, std::string path) {
  constexpr int kMaxLinks = 40;
  for (int i = 0; i < kMaxLinks; ++i) {
    auto link = sys::open_in_root(root, path.c_str(), O_PATH | O_NOFOLLOW);
    if (!link) return path;
    struct stat st {};
    if (::fstat(link->get(), &st) < 0 || !S_ISLNK(st.st_mode)) return path;
    char text[PATH_MAX];
    ssize_t n = ::readlinkat(link->get(), "", text, sizeof text);
    if (n <= 0) return path;
    std::string to(text, static_cast<std::size_t>(n));
    path = to.starts_with('/') ? to : concat(parent_of(path), "/", to);
  }
  return Error::from_errno(ELOOP, path);
}

Result<Target> find_target_inside(const Inside& end, const Source* source) {
  int root = end.view.root.get();
  std::string path = without_slashes(end.path);
  auto found = sys::open_in_root(root, path.c_str(), O_PATH);
  if (found) {
    bool folder = TRY(is_folder(found->get()));
    if (folder) return Target{path, ""};
    if (source == nullptr)
      return Error(Errc::invalid_argument,
                   "destination must be a directory when copying from stdin");
    if (source->is_dir) return must_be_folder();
    if (end.path.ends_with('/')) return Error::from_errno(ENOTDIR, end.typed);
    path = TRY(follow_last(root, path));
    return Target{parent_of(path), std::string(base_name(path))};
  }
  if (found.error().sys() != ENOENT && found.error().sys() != ENOTDIR)
    return std::move(found.error());
  if (end.path.ends_with('/')) return end.missing();
  if (source == nullptr)
    return Error(Errc::invalid_argument, "destination must be a directory when copying from stdin");
  path = TRY(follow_last(root, path));
  auto parent = sys::open_in_root(root, parent_of(path).c_str(), O_PATH);
  if (!parent) return end.missing();
  if (!TRY(is_folder(parent->get()))) return Error::from_errno(ENOTDIR, end.typed);
  return Target{parent_of(path), std::string(base_name(path))};
}

Result<std::string> real_path(const std::string& path) {
  char* real = ::realpath(path.c_str(), nullptr);
  if (real == nullptr) return Error::from_errno(errno, path);
  std::string out = real;
  ::free(real);
  return out;
}

Result<Target> find_target_outside(const std::string& typed, const Source& source) {
  auto real = real_path(typed);
  if (real) {
    struct stat st {};
    if (::stat(real->c_str(), &st) < 0) return Error::from_errno(errno, typed);
    if (S_ISDIR(st.st_mode)) return Target{*real, ""};
    if (!S_ISREG(st.st_mode))
      return Error(Errc::invalid_argument, concat("invalid destination: ", quote(typed),
                                                  " must be a directory or a regular file"));
    if (source.is_dir) return must_be_folder();
    return Target{parent_of(*real), std::string(base_name(*real))};
  }
  if (real.error().sys() != ENOENT) return not_on_host(typed, "not a directory");
  if (typed.ends_with('/')) return not_on_host(typed);
  auto parent = real_path(parent_of(typed));
  if (!parent) return not_on_host(typed);
  return Target{*parent, std::string(base_name(typed))};
}

store::WorkerOwners owned_by(std::uint64_t uid, std::uint64_t gid) {
  store::WorkerOwners owners;
  owners.fixed = true;
  owners.uid = uid;
  owners.gid = gid;
  return owners;
}

// The user's own files keep their numbers as ids of the container.
store::WorkerOwners as_inside(const ContainerConfig& config) {
  store::WorkerOwners owners;
  for (const oci::IdMapping& row : config.uid_map)
    owners.uids.push_back({row.container_id, row.host_id, row.size});
  for (const oci::IdMapping& row : config.gid_map)
    owners.gids.push_back({row.container_id, row.host_id, row.size});
  return owners;
}

// What is typed into a pipe must not be waited for with a container locked.
Result<sys::UniqueFd> spool(const Host& host, int input) {
  sys::UniqueFd file = TRY(sys::open(host.root + "/staging", O_RDWR | O_TMPFILE, 0600));
  std::string buffer(std::size_t{1} << 20, '\0');
  for (;;) {
    ssize_t n = ::read(input, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Error::from_errno(errno, "read standard input");
    if (n == 0) break;
    TRY(sys::write_all(file.get(), {buffer.data(), static_cast<std::size_t>(n)}, "archive"));
  }
  if (::lseek(file.get(), 0, SEEK_SET) < 0) return Error::from_errno(errno, "archive");
  return file;
}

}  // namespace

Status Engine::copy(const CopyEnd& from, const CopyEnd& to, const CopyOptions& options) {
  TRY(enter());
  bool archive_in = from.container.empty() && (from.path == "-" || from.path == "/dev/stdin");
  bool archive_out = to.container.empty() && to.path == "-";
  store::WorkerTree how;
  how.overwrite = options.overwrite;
  // The host's end of a copy is opened as the caller's working directory sees it, before a mount
  // namespace may change.
  std::optional<Inside> source_end;
  std::optional<Source> source;
  sys::UniqueFd archive;
  if (!from.container.empty()) {
    source_end = TRY(open_inside(*this, from, RootUse::read));
    source = TRY(open_source_inside(*source_end));
    how.read_as = owned_by(source_end->uid, source_end->gid);
    how.container_root = source->contents && source->is_dir &&
                         same_directory(source->fd.get(), source_end->view.root.get());
  } else if (!archive_in) {
    source = TRY(open_source_outside(from.path));
  }
  if (archive_out) {
    how.name = source->contents ? "" : source->name;
    return store::read_tree(how, source->fd.get(), STDOUT_FILENO);
  }
  if (archive_in) {
    struct stat st {};
    auto container = find_container(to.container);
    bool regular = ::fstat(STDIN_FILENO, &st) == 0 && S_ISREG(st.st_mode);
    if (container && container->live.pid == 0 && !regular)
      archive = TRY(spool(host_, STDIN_FILENO));
  }

  Target target;
  sys::UniqueFd root;
  std::optional<Inside> target_end;
  if (!to.container.empty()) {
    target_end = TRY(open_inside(*this, to, RootUse::write));
    target = TRY(find_target_inside(*target_end, source ? &*source : nullptr));
    root = std::move(target_end->view.root);
    how.write_as = options.archive ? owned_by(target_end->uid, target_end->gid)
                   : source_end    ? store::WorkerOwners()
                                   : as_inside(target_end->container.config);
  } else {
    target = TRY(find_target_outside(to.path, *source));
    root = TRY(sys::open(target.folder, O_RDONLY | O_DIRECTORY));
    target.folder = ".";
    how.write_as = owned_by(0, 0);
    if (!host_.rootless) how.write_as = owned_by(::geteuid(), ::getegid());
    how.skip_devices = true;
  }
  how.folder = target.folder;
  failpoint("engine.cp", 1);  // both ends are open
  if (archive_in)
    return store::put_archive(how, archive ? archive.get() : STDIN_FILENO, root.get());
  how.name = !target.name.empty() ? target.name : source->contents ? "" : source->name;
  TRY(store::copy_tree(how, source->fd.get(), root.get()));
  failpoint("engine.cp", 2);
  return {};
}

}  // namespace minke::engine
