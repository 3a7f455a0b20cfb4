// Names of what lies elsewhere.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "sys/fd.h"

namespace minke::build {

inline bool is_url(std::string_view text) {
  return text.starts_with("http://") || text.starts_with("https://");
}

// What a file of the web is called where it goes: the last part of its path; "" when it has none.
std::string name_of_url(std::string_view url);

struct RemoteFile {
  sys::UniqueFd fd;    // open for reading; its mtime is what the server said, or now
  std::string digest;  // "sha256:HEX"
};
// Downloads once into `folder`; asked again it is there.
Result<RemoteFile> fetch_url(const std::string& url, const std::string& folder);

}  // namespace minke::build
