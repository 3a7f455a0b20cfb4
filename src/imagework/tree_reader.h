// A tree as entries, walked by descriptor so that nothing that moves meanwhile leads outside of it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/result.h"
#include "codec/tar_reader.h"
#include "store/worker_protocol.h"
#include "sys/fd.h"

namespace minke::imagework {

// Where entries go: an archive, or another tree.
class EntrySink {
 public:
  EntrySink() = default;
  EntrySink(EntrySink&&) = default;
  EntrySink& operator=(EntrySink&&) = delete;
  virtual ~EntrySink() = default;
  // `fd` is the open file whose bytes belong to the entry (its extents when it is sparse), else -1.
  virtual Status add(const TarEntry& entry, int fd) = 0;
};

// The id that `rule` gives to `id`; an id without a place in its map is an error that names `path`.
struct Owner {
  std::uint64_t uid = 0, gid = 0;
};
Result<Owner> give_owner(const store::WorkerOwners& rule, Owner from, std::string_view path);

struct TreeOptions {
  // The name of the tree itself, which then is an entry too; empty: only what is in it.
  std::string name;
  store::WorkerOwners owners;
  // An overlay's upper folder: whiteouts and opaque directories come out as a layer writes them.
  bool layer = false;
  std::unordered_set<std::string> opaque;  // paths below the root, without a name
  bool one_mount = false;                  // leave other mounts as empty directories
  bool container_root = false;             // leave out what the kernel shows: /dev, /proc, /sys
  // What is left out, with all that is below; paths are relative, without `name`. None: nothing.
  std::function<bool(const std::string& path, bool directory)> skip;
};

class TreeReader {
 public:
  TreeReader(EntrySink& sink, TreeOptions options, std::vector<std::string>* notes)
      : sink_(sink), options_(std::move(options)), notes_(notes) {}
  // `source`: a directory, a regular file open for reading, or anything else by O_PATH.
  Status read(int source);

 private:
  Status walk(sys::UniqueFd dir, const std::string& path, int depth);
  Status one(int dir, const std::string& name, const std::string& path, int depth);
  Status directory(int dir, const std::string& name, const std::string& path, TarEntry entry,
                   int depth);
  Status file(int dir, const std::string& name, TarEntry entry, const struct stat& seen);
  Status open_file(int fd, const struct stat& st, TarEntry entry);
  Status whiteout(const std::string& path);
  Status add(TarEntry entry, int fd);
  bool linked_before(const struct stat& st, TarEntry* entry);
  void find_extents(int fd, const struct stat& st, TarEntry* entry);
  Status read_xattrs(int fd, TarEntry* entry);
  std::string full(const std::string& path) const;
  void note(std::string text);

  EntrySink& sink_;
  TreeOptions options_;
  std::vector<std::string>* notes_;
  std::uint64_t root_mount_ = 0;
  std::map<std::pair<dev_t, ino_t>, std::string> seen_;
};

}  // namespace minke::imagework
