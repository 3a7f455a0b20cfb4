#include "sys/landlock.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "base/str.h"

namespace minke::sys {
namespace {

// Rights by their numbers: Debian 12's headers end at Landlock's version 2.
constexpr std::uint64_t kRead = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t kVersion1 = (std::uint64_t{1} << 13) - 1;  // execute to make_sym
constexpr std::uint64_t kRefer = std::uint64_t{1} << 13;           // 2
constexpr std::uint64_t kTruncate = std::uint64_t{1} << 14;        // 3
constexpr std::uint64_t kIoctlDev = std::uint64_t{1} << 15;        // 5
constexpr std::uint64_t kNetAll = 3;                               // 4: bind and connect TCP

struct RulesetAttr {
  std::uint64_t fs, net, scoped;
};

std::uint64_t rights_for(const PathAccess& access, std::uint64_t handled) {
  std::uint64_t rights = access.write ? handled & ~(kIoctlDev | LANDLOCK_ACCESS_FS_EXECUTE) : kRead;
  struct stat st {};
  bool file = ::fstat(access.fd, &st) == 0 && !S_ISDIR(st.st_mode);
  std::uint64_t of_files = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | kTruncate;
  return file ? rights & of_files : rights;
}

}  // namespace

Status restrict_paths(const std::vector<PathAccess>& reachable, LandlockNet net,
                      const std::string& who, std::vector<std::string>* notes) {
  long version =
      ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (version < 1) {
    notes->push_back(concat(who, " runs without Landlock: ",
                            errno == EOPNOTSUPP ? "it is switched off" : "the kernel lacks it"));
    return {};
  }
  RulesetAttr attr{kVersion1, 0, 0};
  std::size_t size = sizeof attr.fs;
  if (version >= 2) attr.fs |= kRefer;
  if (version >= 3) attr.fs |= kTruncate;
  if (version >= 5) attr.fs |= kIoctlDev;
  if (version >= 4) {
    attr.net = net == LandlockNet::none ? kNetAll : 0;
    size = offsetof(RulesetAttr, scoped);
  }
  if (version >= 6) {
    attr.scoped = 3;  // no abstract sockets, no signals to the outside
    size = sizeof attr;
  }
  auto ruleset = static_cast<int>(::syscall(SYS_landlock_create_ruleset, &attr, size, 0));
  if (ruleset < 0) return Error::from_errno(errno, "landlock_create_ruleset");
  for (const PathAccess& access : reachable) {
    struct landlock_path_beneath_attr rule {};
    rule.allowed_access = rights_for(access, attr.fs);
    rule.parent_fd = access.fd;
    if (::syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0) {
      int err = errno;
      ::close(ruleset);
      return Error::from_errno(err, "landlock_add_rule");
    }
  }
  long rc = ::syscall(SYS_landlock_restrict_self, ruleset, 0);
  int err = errno;
  ::close(ruleset);
  if (rc < 0) return Error::from_errno(err, "landlock_restrict_self");
  return {};
}

}  // namespace minke::sys
