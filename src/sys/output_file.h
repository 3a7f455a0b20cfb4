// A file that a command writes for its user: an archive of an image, an export.
#pragma once

#include <string>

#include "base/result.h"
#include "sys/fd.h"

namespace minke::sys {

// Is written beside the file of that name and takes its place when it is whole: whoever fails or is
// killed before leaves what was there, and nothing else. A file that is replaced hands on its mode,
// and must be one that could be written; links to it are followed. Written as they are: pipes and
// devices, what /dev/stdout and the like stand for, a file that is a mount, and one whose folder
// takes no new files.
class OutputFile {
 public:
  static Result<OutputFile> open(const std::string& path);
  OutputFile(OutputFile&& o) noexcept;
  OutputFile& operator=(OutputFile&&) = delete;
  ~OutputFile();

  int fd() const { return fd_.get(); }
  Status keep();  // it is whole

 private:
  OutputFile() = default;
  Status open_existing(const std::string& path);
  Status open_beside(const std::string& target, mode_t mode);

  UniqueFd fd_;
  DirFd folder_;
  std::string name_;       // that it gets in there; empty: it is written in place
  std::string temporary_;  // that it has in there, if any
};

bool has_content(const std::string& path);  // a regular file that is not empty

}  // namespace minke::sys
