#include "runtime/cgroup_own.h"

#include <unistd.h>

#include <string_view>
#include <vector>

#include "base/str.h"
#include "runtime/cgroup_internal.h"
#include "sys/fd.h"

namespace minke::runtime {
namespace {

constexpr std::string_view kOwnGroup = "/runtime";  // Podman's name for it

struct Membership {
  std::string controllers;  // "" v2, "name=systemd"
  std::string path;
};

Result<std::vector<Membership>> memberships() {
  std::vector<Membership> out;
  std::string text = TRY(sys::read_small_file("/proc/self/cgroup"));
  for (std::string_view line : split(text, '\n')) {
    auto number = split_once(line, ':');
    if (!number) continue;
    auto parts = split_once(number->second, ':');
    if (parts) out.push_back({std::string(parts->first), std::string(parts->second)});
  }
  return out;
}

std::string without_own_group(std::string path) {
  if (path.ends_with(kOwnGroup)) path.resize(path.size() - kOwnGroup.size());
  return path.empty() ? "/" : path;
}

bool counts(const Membership& m, CgroupMode mode) {
  return (mode == CgroupMode::v2) == m.controllers.empty();
}

}  // namespace

Result<std::string> own_cgroup() {
  const CgroupMode mode = cgroup_mode();
  std::string memory = "/";
  for (const Membership& m : TRY(memberships())) {
    if (!counts(m, mode)) continue;
    if (m.controllers.empty() || m.controllers.starts_with("name="))
      return without_own_group(m.path);
    if (m.controllers == "memory") memory = m.path;
  }
  return without_own_group(memory);
}

Status leave_own_cgroup() {
  const CgroupMode mode = cgroup_mode();
  for (const Membership& m : TRY(memberships())) {
    if (!counts(m, mode) || m.path == "/" || m.path.ends_with(kOwnGroup)) continue;
    std::string_view place = m.controllers;
    if (place.starts_with("name=")) place.remove_prefix(5);
    std::string group = concat(kCgroupRoot, place.empty() ? "" : "/", place, m.path, kOwnGroup);
    TRY_CTX(sys::ensure_dirs(group, 0755), "--cgroups split");
    if (m.controllers == "cpuset") TRY_CTX(fill_cpuset(group), "--cgroups split");
    TRY_CTX(sys::write_existing(concat(group, "/cgroup.procs"), concat(::getpid())),
            concat("--cgroups split: enter ", group));
  }
  return {};
}

}  // namespace minke::runtime
