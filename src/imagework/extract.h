// Puts the entries of a layer's tar into a directory, by descriptor: no entry is ever resolved
// outside of it, through an absolute or leaving symbolic link, or through `..`.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/result.h"
#include "codec/tar_reader.h"
#include "imagework/limits.h"
#include "sys/fd.h"

namespace minke::imagework {

// "a/b" of "./a//b/"; refuses absolute paths, "..", NUL and what is too long. "" is the layer's
// root.
Result<std::string> clean_path(std::string_view path, std::size_t max);

// What of an extended attribute may reach the disk: user.* but overlay's own, ACLs, and file
// capabilities (made version 2, which the kernel ties to the user namespace that writes it). False:
// it must be left out.
bool accept_xattr(std::string_view name, std::string* value);

class Extractor {
 public:
  // `diff` must stay open. `rootless`: in a user namespace, where devices cannot be made (they are
  // left out, as Podman does) and overlay reads user.overlay.* marks.
  // In a plain folder whiteouts are names like any other.
  enum class Kind { layer, folder };
  Extractor(int diff, bool rootless, const Limits& limits, Kind kind = Kind::layer)
      : diff_(diff), rootless_(rootless), limits_(limits), layer_(kind == Kind::layer) {}

  Status apply(const TarEntry& entry, TarReader& reader);
  // Times of directories, marks of opaque ones; nothing may be applied after it.
  Status finish();

  // Directories to be marked by somebody with CAP_SYS_ADMIN (only when not rootless), each ended by
  // NUL.
  const std::string& opaque_list() const { return opaque_list_; }
  // The root itself hides everything below.
  bool root_opaque() const { return root_opaque_; }
  // Directories that no entry described; they should look as in the layer below.
  const std::unordered_set<std::string>& implied() const { return implied_; }
  // What was left out, one line each, for --log-level=debug.
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  struct Parent {
    std::string path;
    sys::UniqueFd fd;
  };
  struct Times {
    TimeNs atime = 0, mtime = 0;
  };
  Result<int> open_parent(Parent* cache, const std::string& path, bool create);
  Status make_parents(const std::string& path);
  Status apply_named(const TarEntry& entry, TarReader& reader, const std::string& path);
  Status whiteout(const std::string& folder, std::string_view name);
  Status make_file(const TarEntry& entry, TarReader& reader, int parent, const char* name);
  Status make_directory(const TarEntry& entry, int parent, const char* name,
                        const std::string& path);
  Status make_hard_link(const TarEntry& entry, int parent, const char* name);
  Status make_symlink(const TarEntry& entry, int parent, const char* name);
  Status make_node(const TarEntry& entry, int parent, const char* name);
  // Removes what stands at the name; true in `hidden` when that was a whiteout of this layer.
  Status clear_place(int parent, const char* name, bool* hidden);
  Status set_owner(const TarEntry& entry, int parent, const char* name, int fd);
  Status set_xattrs(const TarEntry& entry, int fd);
  Status set_root(const TarEntry& entry);
  Status owner_error(const TarEntry& entry, int err) const;
  Status count_entry();
  Status add_opaque(const std::string& path);
  void note(std::string text);

  int diff_;
  bool rootless_;
  Limits limits_;
  bool layer_ = true;
  Parent parent_, link_parent_;
  std::uint64_t entries_ = 0, bytes_ = 0;
  // Once a directory has setgid or a default ACL, what is made below it gets other owners and modes
  // than asked.
  bool inherits_ = false;
  bool root_opaque_ = false;
  std::unordered_map<std::string, Times> directories_;
  std::unordered_set<std::string> implied_, opaque_, noted_;
  std::string opaque_list_;
  std::vector<std::string> notes_;
};

}  // namespace minke::imagework
