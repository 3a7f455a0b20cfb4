// What a person sees of work that takes its time.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "store/store.h"

namespace minke::cli {

// What Podman says on standard error while it copies an image: the blobs and the config, a line
// each.
void say_copied(const store::Image& image);

// A bar on the terminal (standard error) for what takes over a second, drawn by a process of its
// own and wiped at the end; where standard error is no terminal, nothing at all.
class ProgressBar {
 public:
  // How far the work is can be seen of a descriptor: where its reader stands, or how long the file
  // is that it writes. Without one, or with a pipe, the time that has passed is shown.
  enum class Measure : std::uint8_t { read_offset, written_size };
  ProgressBar(const std::string& label, int fd, Measure measure, std::uint64_t total = 0);
  ~ProgressBar() { stop(); }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;
  // Before anything else is written to the terminal.
  void stop();

 private:
  pid_t child_ = -1;
};

// One picture of the bar, of `width` columns at most; `total` 0: not known.
std::string progress_line(std::string_view label, std::uint64_t done, std::uint64_t total,
                          std::uint64_t seconds, std::size_t width);

}  // namespace minke::cli
