// Names of what lies elsewhere.
#pragma once

#include <string_view>

namespace minke::build {

inline bool is_url(std::string_view text) {
  return text.starts_with("http://") || text.starts_with("https://");
}

inline bool is_git(std::string_view text) {
  return text.starts_with("git@") || text.starts_with("git://") || text.starts_with("ssh://") ||
         text.starts_with("github.com/") ||
         (is_url(text) && text.substr(0, text.find('#')).ends_with(".git"));
}

}  // namespace minke::build
