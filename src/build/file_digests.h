// Digests of large files, known by what the kernel says of them: a build that finds nothing changed
// need not read them again. ROOT/buildcache/files; losing it costs a read of each.
#pragma once

#include <sys/stat.h>

#include <map>
#include <optional>
#include <string>

#include "base/result.h"

namespace minke::build {

class FileDigests {
 public:
  // Smaller ones are read as fast as they are looked up.
  static constexpr std::uint64_t kLeast = 64 << 10;

  explicit FileDigests(std::string path) : path_(std::move(path)) {}  // "": nothing is kept
  FileDigests(const FileDigests&) = delete;
  FileDigests& operator=(const FileDigests&) = delete;
  ~FileDigests();

  // SHA-256 of the file's bytes, in hex. `name` is for messages.
  Result<std::string> digest_of(int fd, std::string_view name);

 private:
  void load();
  std::string path_;
  bool loaded_ = false, changed_ = false;
  std::map<std::string, std::string> known_;
};

}  // namespace minke::build
