// What cp is asked.
#pragma once

#include <string>

namespace minke::engine {

struct CopyEnd {
  std::string container;  // as typed; empty: the host
  std::string path;       // as typed; "-" on the host is a tar archive
};
struct CopyOptions {
  bool archive = true;     // files get the owner of the container that they go to
  bool overwrite = false;  // a directory may become a file, and a file a directory
};

}  // namespace minke::engine
