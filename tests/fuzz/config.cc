// containers.conf: whatever stands there is read or refused in one line that names the file; what
// is read does not depend on whether somebody listens to the notes.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "config/containers_conf.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace minke::config;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  ContainersConf noted, quiet;
  Strings notes;
  minke::Status first = merge_containers_conf(text, "c.conf", &noted, &notes);
  minke::Status second = merge_containers_conf(text, "c.conf", &quiet, nullptr);
  if (first.ok() != second.ok() || noted.where != quiet.where || noted.env != quiet.env ||
      noted.runtimes != quiet.runtimes)
    __builtin_trap();
  if (!first) {
    std::string said = first.error().message();
    if (said.find("c.conf") == std::string::npos || said.find('\n') != std::string::npos)
      __builtin_trap();
  }
  for (const std::string& note : notes)
    if (note.find('\n') != std::string::npos) __builtin_trap();
  return 0;
}
