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

// user@HOST:PATH
inline bool is_scp(std::string_view text) {
  const std::size_t at = text.find('@'), colon = text.find(':');
  return text.find("://") == std::string_view::npos && at != std::string_view::npos && at > 0 &&
         colon != std::string_view::npos && colon > at + 1 &&
         text.substr(0, colon).find('/') == std::string_view::npos;
}

inline bool is_git(std::string_view text) {
  if (text.starts_with("git://") || text.starts_with("ssh://") || text.starts_with("github.com/"))
    return true;
  if (!is_url(text)) return is_scp(text);
  return text.substr(0, text.find_first_of("#?")).ends_with(".git");
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
