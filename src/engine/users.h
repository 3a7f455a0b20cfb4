// Users and groups by the image's own /etc/passwd and /etc/group. Both are foreign bytes: opened
// without blocking, regular files only, bounded in size, numbers checked and never wrapped.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace minke::engine {

struct PasswdEntry {
  std::string name;
  std::uint32_t uid = 0, gid = 0;
  std::string home;
};
struct GroupEntry {
  std::string name;
  std::uint32_t gid = 0;
  std::vector<std::string> members;
};
// Lines that are malformed, or hold ids beyond 31 bits, are passed over.
std::vector<PasswdEntry> parse_passwd(std::string_view text);
std::vector<GroupEntry> parse_group(std::string_view text);

// The text of a regular file below `root_fd` (resolved inside it), or "" when there is none, when
// it is no regular file (a FIFO or device never blocks), or when it is larger than 8 MiB.
std::string read_account_file(int root_fd, const char* path);
// The same of a host file that is bound over it.
std::string read_account_file(const std::string& host_path);

struct ResolvedUser {
  std::uint32_t uid = 0, gid = 0;
  std::vector<std::uint32_t>
      additional_gids;  // the primary one first, then those of the user unless a group was named
  std::string home = "/";
  std::string name;                          // "" when the uid has no entry
  bool in_passwd = false, in_group = false;  // whether uid and gid have entries
};

// [USER][:[GROUP]] with names or numbers of 0..2147483647; "" is uid 0. `groups` are the further
// ones asked for, names or numbers. Errors in Podman's words.
Result<ResolvedUser> resolve_user(std::string_view spec, const std::vector<std::string>& groups,
                                  std::string_view passwd, std::string_view group);

// True when the text can be nothing but a number: such a text is never looked up as a name
// (CVE-2024-40635).
bool looks_numeric(std::string_view text);

}  // namespace minke::engine
