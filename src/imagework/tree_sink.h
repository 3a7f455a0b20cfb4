// Entries into a tree that somebody else may be changing at the same time: each is put in place by
// the descriptor of its folder, links on the way are followed inside of the root only, and what
// stands at a name is never written through.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/tar_reader.h"
#include "imagework/tree_reader.h"
#include "sys/fd.h"

namespace minke::imagework {

// `path` as if its folder were the whole world: "/../a//b/." is "a/b", and what is only dots is "".
std::string confined(std::string_view path);

struct PutOptions {
  store::WorkerOwners owners;
  // A directory may give way to something else, and something else to a directory.
  bool overwrite = false;
  bool skip_devices = false;
  bool make_folder = false;  // the folder is made where it is missing
};

class TreeSink final : public EntrySink {
 public:
  // `root` stays with the caller; `folder` is the path below it that entries are put into.
  static Result<TreeSink> open(int root, const std::string& folder, PutOptions options,
                               std::vector<std::string>* notes);
  TreeSink(TreeSink&&) = default;

  Status add(const TarEntry& entry, int fd) override { return put(entry, fd, nullptr); }
  // The data come from the archive.
  Status add_from(const TarEntry& entry, TarReader& reader) { return put(entry, -1, &reader); }
  // Modes and times of directories; nothing may be added after it.
  Status finish();

 private:
  struct Directory {
    std::string path;
    dev_t device;
    ino_t inode;
    std::uint32_t mode;
    TimeNs mtime;
  };
  TreeSink(int root, std::string folder, sys::UniqueFd top, PutOptions options,
           std::vector<std::string>* notes)
      : root_(root),
        folder_(std::move(folder)),
        top_(std::move(top)),
        options_(std::move(options)),
        notes_(notes),
        buffer_(kBufferSize) {}
  Status put(const TarEntry& entry, int fd, TarReader* reader);
  Result<sys::UniqueFd> enter(int parent, const std::string& path, const std::string& name);
  Result<sys::UniqueFd> walk(const std::string& path, bool create);
  Result<int> parent_of(const std::string& path, bool create);
  Status make_room(int parent, const std::string& name, const std::string& path);
  template <typename Make>
  Status make(int parent, const std::string& name, const std::string& path, Make create);
  Status put_file(const TarEntry& entry, int parent, const std::string& name,
                  const std::string& path, Owner owner, int fd, TarReader* reader);
  Status put_directory(const TarEntry& entry, int parent, const std::string& name,
                       const std::string& path, Owner owner);
  Status put_link(const TarEntry& entry, int parent, const std::string& name,
                  const std::string& path);
  Status set_xattrs(const TarEntry& entry, int fd);
  Status copy(int from, int to, TarEntry::Extent extent, const std::string& path);
  void note(std::string text);

  static constexpr std::size_t kBufferSize = 1 << 20;
  int root_;
  std::string folder_;
  sys::UniqueFd top_;
  PutOptions options_;
  std::vector<std::string>* notes_;
  std::vector<char> buffer_;
  std::optional<std::string> cached_path_;
  sys::UniqueFd cached_;
  std::vector<Directory> directories_;
  bool can_copy_range_ = true;
};

}  // namespace minke::imagework
