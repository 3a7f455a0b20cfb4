#include "engine/doctor.h"

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "base/str.h"
#include "config/subid.h"
#include "engine/doctor_parts.h"
#include "engine/rootfs_view.h"
#include "runtime/cgroup.h"
#include "sys/fd.h"
#include "sys/program.h"

namespace minke::engine {
namespace {

using State = Fact::State;

// The command with what makes it root's, when we are not.
std::string as_root(const Host& host, std::string_view command) {
  return concat(host.rootless ? "sudo " : "", command);
}

std::optional<std::int64_t> sysctl(const char* path) {
  auto text = sys::read_small_file(path, 64);
  return text ? parse_int(trim(*text)) : std::nullopt;
}

Fact kernel() {
  struct utsname name {};
  ::uname(&name);
  std::vector<std::string_view> parts = split(name.release, '.');
  auto major = parse_int(parts[0]);
  auto minor = parts.size() > 1
                   ? parse_int(parts[1].substr(0, parts[1].find_first_not_of("0123456789")))
                   : std::nullopt;
  std::int64_t version = major.value_or(0) * 1000 + minor.value_or(0);
  Fact fact{"kernel", State::good, name.release, ""};
  if (version < 5011) {
    fact.state = State::limit;
    fact.text += ": overlay of ordinary users needs 5.11, the fast way to mount 5.2";
  }
  return fact;
}

Fact programs() {
  std::vector<std::string> missing;
  for (const char* name :
       {"minke-monitor", "minke-init", "minke-image", "minke-runtime", "minke-netd"})
    if (!sys::program_path(name)) missing.emplace_back(name);
  if (missing.empty()) return {"programs", State::good, "all there", ""};
  return {"programs", State::bad, join(missing, ", ") + " not found beside minke", ""};
}

Fact user_namespaces(const Host& host) {
  struct Row {
    const char* path;
    const char* key;
    std::int64_t wrong, right;
  };
  constexpr Row kRows[] = {
      {"/proc/sys/user/max_user_namespaces", "user.max_user_namespaces", 0, 15000},
      {"/proc/sys/kernel/unprivileged_userns_clone", "kernel.unprivileged_userns_clone", 0, 1},
      {"/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
       "kernel.apparmor_restrict_unprivileged_userns", 1, 0}};
  for (const Row& row : kRows) {
    auto value = sysctl(row.path);
    if (!value || *value != row.wrong) continue;
    return {"user namespaces", host.rootless ? State::bad : State::limit,
            concat(row.key, " is ", *value),
            as_root(host, concat("sysctl -w ", row.key, "=", row.right))};
  }
  return {"user namespaces", State::good, "allowed", ""};
}

void subordinate_ids(const Host& host, std::vector<Fact>* facts) {
  constexpr std::uint64_t kUsual = 65536;
  std::string fix = as_root(
      host,
      concat("usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ", host.user_name));
  for (const char* file : {"/etc/subuid", "/etc/subgid"}) {
    auto ranges = config::find_subids(file, host.user_name, host.uid);
    std::uint64_t count = 0;
    if (ranges)
      for (const config::SubidRange& range : *ranges) count += range.count;
    Fact fact{file, State::good, concat(count, " ids"), ""};
    if (count < kUsual) {
      fact.state = State::limit;
      fact.text = count == 0 ? concat("none for ", host.user_name,
                                      ": containers have one user only, and most images cannot be "
                                      "unpacked")
                             : concat("only ", count, " ids: images use up to ", kUsual);
      fact.fix = fix;
    }
    facts->push_back(std::move(fact));
  }
  for (const char* tool : {"/usr/bin/newuidmap", "/usr/bin/newgidmap"}) {
    struct stat st {};
    Fact fact{tool, State::good, "there", ""};
    char capability[64];
    if (::stat(tool, &st) < 0) {
      fact = {tool, State::limit, "missing: subordinate ids cannot be used",
              as_root(host, "apt-get install uidmap")};
    } else if ((st.st_mode & S_ISUID) == 0 &&
               ::getxattr(tool, "security.capability", capability, sizeof capability) < 0) {
      fact = {tool, State::limit, "neither setuid nor with file capabilities",
              as_root(host, concat("chmod u+s ", tool))};
    }
    facts->push_back(std::move(fact));
  }
}

Fact runtime_dir(const Host& host) {
  const char* named = ::getenv("XDG_RUNTIME_DIR");
  struct stat st {};
  if (named != nullptr && ::stat(named, &st) == 0 && S_ISDIR(st.st_mode))
    return {"XDG_RUNTIME_DIR", State::good, named, ""};
  return {"XDG_RUNTIME_DIR", State::limit,
          concat(named == nullptr ? "not set" : concat(named, " is not there"), ": ", host.runroot,
                 " is used, which may outlive a reboot"),
          concat("export XDG_RUNTIME_DIR=/run/user/", host.uid)};
}

Fact linger(const Host& host) {
  if (!sys::exists("/run/systemd/system"))
    return {"linger", State::good, "no systemd: nothing ends processes at logout", ""};
  if (sys::exists("/var/lib/systemd/linger/" + host.user_name))
    return {"linger", State::good, "on", ""};
  return {"linger", State::limit, "off: containers end when you log out",
          concat("loginctl enable-linger ", host.user_name)};
}

Fact cgroups(const Host& host) {
  constexpr const char* kNames[] = {"v1", "hybrid", "v2"};
  runtime::CgroupMode mode = runtime::cgroup_mode();
  std::string text = concat("cgroup ", kNames[static_cast<int>(mode)]);
  if (!host.rootless) return {"cgroups", State::good, text, ""};
  if (mode != runtime::CgroupMode::v2)
    return {"cgroups", State::limit, text + ": limits for ordinary users need v2",
            "sudo sed -i 's/^GRUB_CMDLINE_LINUX=\"/&systemd.unified_cgroup_hierarchy=1 /' "
            "/etc/default/grub && sudo update-grub && sudo reboot"};
  std::string folder = concat("/sys/fs/cgroup/user.slice/user-", host.uid, ".slice/user@", host.uid,
                              ".service/cgroup.controllers");
  auto controllers = sys::read_small_file(folder, 4096);
  std::vector<std::string> missing;
  for (const char* name : {"cpu", "memory", "pids", "io"}) {
    bool there = false;
    if (controllers)
      for (std::string_view word : split(trim(*controllers), ' ')) there = there || word == name;
    if (!there) missing.emplace_back(name);
  }
  if (missing.empty()) return {"cgroups", State::good, text + ", delegated", ""};
  return {"cgroups", State::limit,
          concat(text, ": not delegated to you: ", join(missing, " "),
                 "; limits of these do not "
                 "work"),
          "sudo mkdir -p /etc/systemd/system/user@.service.d && printf "
          "'[Service]\\nDelegate=cpu cpuset io memory pids\\n' | sudo tee "
          "/etc/systemd/system/user@.service.d/delegate.conf && sudo systemctl daemon-reload"};
}

// Tried for real: two folders of our own as one.
Fact overlay(Engine& engine) {
  const Host& host = engine.host();
  auto staging = engine.store().stage("doctor");
  if (!staging) return {"overlay", State::bad, staging.error().message(), ""};
  std::vector<std::string> folders;
  for (const char* name : {"/a", "/b"}) {
    folders.push_back(staging->path() + name);
    ignore(sys::make_dir_at(sys::DirFd::cwd(), folders.back().c_str(), 0755), "told by the mount");
  }
  auto view = mount_layers(folders, host.rootless);
  if (view) return {"overlay", State::good, host.rootless ? "works, with userxattr" : "works", ""};
  bool fuse = ::access("/usr/bin/fuse-overlayfs", X_OK) == 0 && ::access("/dev/fuse", R_OK) == 0;
  return {
      "overlay", State::bad, view.error().message(),
      fuse ? ""
           : as_root(host, host.rootless ? "apt-get install fuse-overlayfs" : "modprobe overlay")};
}

Fact storage(const Host& host) {
  struct statfs fs {};
  struct statvfs flags {};
  if (::statfs(host.root.c_str(), &fs) < 0 || ::statvfs(host.root.c_str(), &flags) < 0)
    return {"storage", State::bad, concat(host.root, " cannot be looked at"), ""};
  std::uint64_t free_mib = flags.f_bavail * flags.f_frsize >> 20;
  std::string text = concat(host.root, ", ", free_mib, " MiB free");
  if ((flags.f_flag & ST_RDONLY) != 0)
    return {"storage", State::bad, concat(host.root, " is read-only"),
            as_root(host, concat("mount -o remount,rw \"$(stat -c %m ", host.root, ")\""))};
  if (fs.f_type == NFS_SUPER_MAGIC)
    return {
        "storage", State::bad,
        text + " on NFS, where overlay and mapped owners do not work: use --root on a local disk",
        ""};
  if ((flags.f_flag & (ST_NODEV | ST_NOEXEC | ST_NOSUID) & ST_NOEXEC) != 0)
    return {"storage", State::bad, concat(host.root, " is mounted noexec"),
            as_root(host, concat("mount -o remount,exec \"$(stat -c %m ", host.root, ")\""))};
  if (flags.f_files > 0 && flags.f_favail == 0)
    return {"storage", State::bad, concat(host.root, ": no inodes are left"), "minke system prune"};
  if (free_mib < 256) return {"storage", State::limit, text, "minke system prune --all"};
  return {"storage", State::good, text, ""};
}

Fact low_ports(const Host& host) {
  auto start = sysctl("/proc/sys/net/ipv4/ip_unprivileged_port_start");
  if (!host.rootless || !start || *start <= 80)
    return {"low ports", State::good, concat("from ", start.value_or(0)), ""};
  return {"low ports", State::limit, concat("below ", *start, " are root's"),
          "sudo sysctl -w net.ipv4.ip_unprivileged_port_start=80"};
}

Fact seccomp() {
  auto actions = sys::read_small_file("/proc/sys/kernel/seccomp/actions_avail", 4096);
  if (actions && actions->find("errno") != std::string::npos)
    return {"seccomp", State::good, "filters work", ""};
  return {"seccomp", State::bad,
          "this kernel has no filters: containers need --security-opt seccomp=unconfined", ""};
}

Fact landlock() {
#ifdef SYS_landlock_create_ruleset
  long version = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, 1U);
#else
  long version = -1;
#endif
  if (version > 0) return {"landlock", State::good, concat("version ", version), ""};
  return {"landlock", State::limit,
          "not there: archives are unpacked without this second wall (add landlock to lsm= of the "
          "kernel's command line)",
          ""};
}

}  // namespace

std::vector<Fact> examine_host(Engine& engine) {
  const Host& host = engine.host();
  std::vector<Fact> facts = {kernel(), programs(), user_namespaces(host)};
  if (host.rootless) {
    subordinate_ids(host, &facts);
    facts.push_back(runtime_dir(host));
    facts.push_back(linger(host));
  }
  facts.push_back(cgroups(host));
  Status entered = engine.enter();
  if (entered)
    facts.push_back(overlay(engine));
  else
    facts.push_back({"overlay", State::bad, entered.error().message(), ""});
  facts.push_back(storage(host));
  facts.push_back(low_ports(host));
  examine_networks(engine, &facts);
  facts.push_back(seccomp());
  facts.push_back(landlock());
  return facts;
}

}  // namespace minke::engine
