#include "engine/tree_size.h"

#include <sys/stat.h>

#include <set>

namespace minke::engine {
namespace {

using Inodes = std::set<std::pair<dev_t, ino_t>>;

Result<std::int64_t> sum(const sys::DirFd& dir, Inodes* linked) {
  std::int64_t total = 0;
  for (const std::string& name : TRY(sys::list_dir(dir))) {
    auto st = sys::stat_at(dir, name.c_str());
    if (!st) continue;
    if (S_ISDIR(st->st_mode)) {
      auto below = sys::open_at(dir, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
      if (!below) continue;
      total += TRY(sum(sys::DirFd(std::move(*below)), linked));
    } else if (S_ISREG(st->st_mode)) {
      if (st->st_nlink > 1 && !linked->emplace(st->st_dev, st->st_ino).second) continue;
      total += st->st_size;
    }
  }
  return total;
}

}  // namespace

Result<std::int64_t> tree_size(const sys::DirFd& dir) {
  Inodes linked;
  return sum(dir, &linked);
}

}  // namespace minke::engine
