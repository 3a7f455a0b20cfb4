// Sources that are git repositories: the host's git fetches one commit, and runs nothing of what it
// has fetched.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "build/build.h"
#include "build/remote.h"

namespace minke::build {

// REMOTE[#REF[:FOLDER]], or REMOTE?ref=..&subdir=..: https://HOST/NAME.git, git://, ssh://,
// git@HOST:NAME, github.com/NAME.
struct GitSource {
  std::string remote;  // as git wants it; may hold a password
  std::string ref;     // a branch, a tag, a commit; empty: what the remote's HEAD is
  std::string folder;  // of the repository; empty: all of it
  std::string commit;  // must be the one that is found (?checksum=); a short one will do
  bool submodules = true;
  std::string shown;  // for messages: without user and password
};
Result<GitSource> parse_git(std::string_view text);

struct GitAccess {
  // Whose configuration of git and ssh counts: the user's, for what the user has named; else none.
  bool own = false;
  std::string agent;  // socket of an ssh agent; empty: none
  // GIT_AUTH_TOKEN and GIT_AUTH_HEADER, and those with ".HOST" behind them, are looked for here.
  const std::map<std::string, SecretSource>* secrets = nullptr;
  std::string private_folder;  // in memory: what is secret lies there
};

struct GitTree {
  std::string path;    // GitSource::folder of the work tree, resolved inside of it
  std::string commit;  // 40 or 64 hex digits
};
// Clones into `scratch`; asked again with the same source it is there. Without `keep_git` nothing
// named .git is in it. unsupported: the host has no git.
Result<GitTree> fetch_git(const GitSource& source, bool keep_git, const std::string& scratch,
                          const GitAccess& access);

}  // namespace minke::build
