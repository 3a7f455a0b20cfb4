#include "engine/tree_changes.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>

#include "base/str.h"
#include "sys/fd.h"

namespace minke::engine {
namespace {

using Kind = TreeChange::Kind;

constexpr int kMaxDepth = 2048;
constexpr int kDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

Result<std::vector<std::string>> names_in(int dir) {
  sys::DirFd folder(TRY(sys::duplicate(dir)));
  return sys::list_dir(folder);
}

bool look(int dir, const std::string& name, struct stat* st) {
  return dir >= 0 && ::fstatat(dir, name.c_str(), st, AT_SYMLINK_NOFOLLOW) == 0;
}

// Times without fractions come from archives that have none.
bool same_time(const timespec& a, const timespec& b) {
  return a.tv_sec == b.tv_sec && (a.tv_nsec == b.tv_nsec || a.tv_nsec == 0 || b.tv_nsec == 0);
}

bool is_whiteout(const struct stat& st) {
  return S_ISCHR(st.st_mode) && st.st_rdev == makedev(0, 0);
}

bool has_mark(int dir, std::string_view mark) {
  for (const char* space : {"trusted.overlay.", "user.overlay."}) {
    char value[8];
    if (::fgetxattr(dir, concat(space, mark).c_str(), value, sizeof value) >= 0 || errno == ERANGE)
      return mark != "opaque" || value[0] == 'y';
  }
  return false;
}

class UpperWalk {
 public:
  Status walk(int upper, int lower, const std::string& path, int depth) {
    if (depth > kMaxDepth) return Error(Errc::unsupported, "folders are nested too deeply");
    for (const std::string& name : TRY(names_in(upper)))
      TRY(one(upper, lower, name, concat(path, "/", name), depth));
    return {};
  }
  std::vector<TreeChange> take() && { return std::move(changes_); }

 private:
  Status one(int upper, int lower, const std::string& name, const std::string& path, int depth) {
    struct stat now {
    }, before{};
    if (!look(upper, name, &now)) return {};  // went away meanwhile
    if (is_whiteout(now)) return add(Kind::deleted, path);
    bool was = look(lower, name, &before);
    if (!S_ISDIR(now.st_mode)) return add(was ? Kind::changed : Kind::added, path);
    sys::UniqueFd dir(::openat(upper, name.c_str(), kDirectory)), old;
    if (!dir) return {};
    if (was && S_ISDIR(before.st_mode)) old.reset(::openat(lower, name.c_str(), kDirectory));
    bool replaced = was && has_mark(dir.get(), "opaque");
    // A folder is copied up for what is below it as well: that is no change of its own.
    bool same = !replaced && old && before.st_size == now.st_size &&
                before.st_mode == now.st_mode && same_time(before.st_mtim, now.st_mtim);
    if (!same) TRY(add(replaced ? Kind::deleted : was ? Kind::changed : Kind::added, path));
    unsaid_.emplace_back(same ? path : "");
    Status below = walk(dir.get(), old.get(), path, depth + 1);
    unsaid_.pop_back();
    return below;
  }

  // What appears or goes changes its folder, whatever the folder's times say.
  Status add(Kind kind, const std::string& path) {
    if (kind != Kind::changed)
      for (std::string& folder : unsaid_) {
        if (!folder.empty()) changes_.push_back({Kind::changed, folder});
        folder.clear();
      }
    changes_.push_back({kind, path});
    return {};
  }

  std::vector<TreeChange> changes_;
  std::vector<std::string> unsaid_;  // folders above, "" for those that are told already
};

bool differ(const struct stat& a, const struct stat& b) {
  if (a.st_mode != b.st_mode || a.st_uid != b.st_uid || a.st_gid != b.st_gid ||
      a.st_rdev != b.st_rdev)
    return true;
  if (S_ISDIR(a.st_mode)) return false;
  return !same_time(a.st_mtim, b.st_mtim) || a.st_size != b.st_size;
}

class Comparison {
 public:
  Status walk(int before, int after, const std::string& path, int depth) {
    if (depth > kMaxDepth) return Error(Errc::unsupported, "folders are nested too deeply");
    std::vector<std::string> names = after < 0 ? std::vector<std::string>() : TRY(names_in(after));
    if (before >= 0)
      for (std::string& name : TRY(names_in(before))) names.push_back(std::move(name));
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    for (const std::string& name : names)
      TRY(one(before, after, name, concat(path, "/", name), depth));
    return {};
  }
  std::vector<TreeChange> take() && { return std::move(changes_); }

 private:
  Status one(int before, int after, const std::string& name, const std::string& path, int depth) {
    struct stat was {
    }, is{};
    bool had = look(before, name, &was), has = look(after, name, &is);
    if (!has) {
      if (had) changes_.push_back({Kind::deleted, path});
      return {};
    }
    std::size_t at = changes_.size();
    bool told = !had || differ(was, is);
    if (told) changes_.push_back({had ? Kind::changed : Kind::added, path});
    if (!S_ISDIR(is.st_mode)) return {};
    sys::UniqueFd now(::openat(after, name.c_str(), kDirectory)), old;
    if (had && S_ISDIR(was.st_mode)) old.reset(::openat(before, name.c_str(), kDirectory));
    if (!now) return {};
    TRY(walk(old.get(), now.get(), path, depth + 1));
    // A folder changes with what is in it.
    if (!told && changes_.size() > at)
      changes_.insert(changes_.begin() + static_cast<std::ptrdiff_t>(at), {Kind::changed, path});
    return {};
  }

  std::vector<TreeChange> changes_;
};

Status find_opaque(int dir, const std::string& path, int depth, std::string* list) {
  if (depth > kMaxDepth) return Error(Errc::unsupported, "folders are nested too deeply");
  if (!path.empty() && has_mark(dir, "opaque")) *list += path + '\0';
  if (has_mark(dir, "redirect"))
    return Error(Errc::unsupported,
                 concat("/", path,
                        " was renamed by an overlay redirect, for which layers have no "
                        "form; commit it with --squash"));
  for (const std::string& name : TRY(names_in(dir))) {
    struct stat st {};
    if (!look(dir, name, &st) || !S_ISDIR(st.st_mode)) continue;
    sys::UniqueFd below(::openat(dir, name.c_str(), kDirectory));
    if (!below) continue;
    TRY(find_opaque(below.get(), path.empty() ? name : concat(path, "/", name), depth + 1, list));
  }
  return {};
}

}  // namespace

Result<std::vector<TreeChange>> changes_of_upper(int upper, int lower) {
  UpperWalk walk;
  TRY(walk.walk(upper, lower, "", 0));
  return std::move(walk).take();
}

Result<std::vector<TreeChange>> changes_between(int old_root, int new_root) {
  Comparison comparison;
  TRY(comparison.walk(old_root, new_root, "", 0));
  return std::move(comparison).take();
}

Result<std::string> opaque_directories(int upper) {
  std::string list;
  TRY(find_opaque(upper, "", 0, &list));
  return list;
}

}  // namespace minke::engine
