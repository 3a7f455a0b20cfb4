#include "sys/program.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/str.h"
#include "sys/fd.h"

namespace minke::sys {

std::string kept_program() {
  const char* kept = ::getenv(kOwnProgram);
  if (kept == nullptr) return "";
  auto parts = split_once(kept, ':');
  if (!parts || parse_int(parts->first) != std::optional<std::int64_t>(::getpid())) return "";
  return std::string(parts->second);
}

Result<std::string> own_program() {
  std::string self = TRY(read_link_at(DirFd::cwd(), "/proc/self/exe"));
  // An upgrade while we run unlinks our file; the kernel then appends this to the link's text.
  constexpr std::string_view kDeleted = " (deleted)";
  if (self.ends_with(kDeleted)) self.resize(self.size() - kDeleted.size());
  // A detached mount of one file shows it as "/", a sealed copy in memory as "/memfd:...".
  if (self != "/" && !self.starts_with("/memfd:")) return self;
  std::string kept = kept_program();
  return kept.empty() ? self : kept;
}

Result<std::string> program_path(const std::string& name) {
  std::string self = TRY(own_program());
  std::string folder = self.substr(0, self.rfind('/'));
  std::string beside = concat(folder, "/", name);
  if (::access(beside.c_str(), X_OK) == 0) return beside;
  // Test programs lie in BUILD/test, the programs in BUILD/bin.
  std::string sibling = concat(folder, "/../bin/", name);
  if (folder.ends_with("/test") && ::access(sibling.c_str(), X_OK) == 0) return sibling;
  std::string installed = concat(folder.substr(0, folder.rfind('/')), "/libexec/minke/", name);
  if (::access(installed.c_str(), X_OK) == 0) return installed;
  return Error(Errc::not_found, concat("the program ", name, " is missing (looked for ", beside,
                                       " and ", installed, "); reinstall minke"));
}

}  // namespace minke::sys
