// The user namespace of an ordinary user: made once per login with newuidmap and newgidmap, held by
// a process that does nothing else, joined by every later command.
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <climits>

#include "base/log.h"
#include "base/str.h"
#include "config/subid.h"
#include "engine/host.h"
#include "state/object_lock.h"
#include "sys/fd.h"
#include "sys/process.h"

namespace minke::engine {
namespace {

struct IdRange {
  std::uint32_t inside, outside, count;
};

std::vector<IdRange> ranges_of(std::uint32_t own, const std::vector<config::SubidRange>& subids) {
  std::vector<IdRange> ranges{{0, own, 1}};
  std::uint32_t next = 1;
  for (const config::SubidRange& range : subids) {
    if (range.count > UINT32_MAX - next) break;
    ranges.push_back({next, range.start, range.count});
    next += range.count;
  }
  return ranges;
}

Status run_map_tool(const char* tool, pid_t pid, const std::vector<IdRange>& ranges) {
  sys::SpawnOptions spawn;
  spawn.path = concat("/usr/bin/", tool);
  spawn.argv = {tool, concat(pid)};
  for (const IdRange& range : ranges)
    for (std::uint32_t number : {range.inside, range.outside, range.count})
      spawn.argv.push_back(concat(number));
  spawn.stdio[0] = -2;
  auto [reader, writer] = TRY(sys::make_pipe());
  spawn.stdio[1] = spawn.stdio[2] = writer.get();
  auto child = sys::spawn(spawn);
  writer.reset();
  if (!child) {
    if (child.error().sys() != ENOENT) return std::move(child.error());
    return Error(Errc::unsupported, concat(spawn.path, " is missing: install the package uidmap"));
  }
  std::string said = sys::read_all(reader.get(), 64 << 10, tool).value_or("");
  int status = TRY(sys::wait_pid(child->pid));
  if (status == 0) return {};
  return Error(Errc::permission, concat(tool, " failed: ", trim(said)));
}

// One id only: the user is root inside and nobody else is there. Needs no helper and no subordinate
// ids.
Status write_single_map(pid_t pid, uid_t uid, gid_t gid) {
  std::string proc = concat("/proc/", pid);
  TRY(sys::write_existing(proc + "/setgroups", "deny"));
  TRY(sys::write_existing(proc + "/uid_map", concat("0 ", uid, " 1\n")));
  return sys::write_existing(proc + "/gid_map", concat("0 ", gid, " 1\n"));
}

Status write_maps(pid_t pid, const Host& host) {
  auto uids = TRY(config::find_subids("/etc/subuid", host.user_name, host.uid));
  auto gids = TRY(config::find_subids("/etc/subgid", host.user_name, host.uid));
  if (uids.empty() || gids.empty()) {
    log::warn(concat("user ", host.user_name,
                     " has no subordinate ids: containers have one user only; for more: usermod "
                     "--add-subuids 100000-165535 --add-subgids 100000-165535 ",
                     host.user_name));
    return write_single_map(pid, host.uid, host.gid);
  }
  Status mapped = run_map_tool("newuidmap", pid, ranges_of(host.uid, uids));
  if (mapped) mapped = run_map_tool("newgidmap", pid, ranges_of(host.gid, gids));
  if (mapped) return {};
  return std::move(mapped.error()).wrap("user namespace");
}

// Waits for the maps, then becomes the holder: a small static program that only sleeps.
[[noreturn]] void become_holder(const char* program, int go_fd, int other_end) {
  ::close(other_end);  // or a starter that dies would never be noticed
  char byte;
  if (::read(go_fd, &byte, 1) != 1) ::_exit(1);
  ::setsid();
  // The holder outlives the terminal and keeps none of its descriptors.
  ::syscall(SYS_close_range, 0, ~0U, 0);
  if (::open("/dev/null", O_RDWR) != 0 || ::dup(0) != 1 || ::dup(0) != 2 || ::chdir("/") < 0)
    ::_exit(1);
  const char* argv[] = {"minke-holder", "--hold", nullptr};
  const char* env[] = {nullptr};
  ::execve(program, const_cast<char**>(argv), const_cast<char**>(env));
  ::_exit(127);
}

Result<pid_t> make_holder(const Host& host) {
  auto [reader, writer] = TRY(sys::make_pipe());
  // clone, not unshare: a process that gains capabilities by unshare loses its dumpable mark, and
  // with it the right of newuidmap to see it as the user's own.
  auto pid = static_cast<pid_t>(
      ::syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, nullptr, nullptr, nullptr, nullptr));
  if (pid < 0) {
    Error error = Error::from_errno(errno, "make user namespace");
    if (error.sys() == EPERM || error.sys() == ENOSPC)
      return std::move(error).wrap(
          "see kernel.unprivileged_userns_clone and user.max_user_namespaces (sysctl)");
    return error;
  }
  if (pid == 0) become_holder(host.init_path.c_str(), reader.get(), writer.get());
  Status mapped = write_maps(pid, host);
  if (!mapped) {
    ::kill(pid, SIGKILL);
    ignore(sys::wait_pid(pid), "the holder that was given up");
    return std::move(mapped.error());
  }
  TRY(sys::write_all(writer.get(), "1", "holder"));
  return pid;
}

struct Holder {
  pid_t pid;
  std::uint64_t start_time;
};

std::optional<Holder> read_holder(const std::string& path) {
  auto text = sys::read_small_file(path, 64);
  if (!text) return std::nullopt;
  auto fields = split_once(trim(*text), ' ');
  if (!fields) return std::nullopt;
  auto pid = parse_int(fields->first);
  auto start = parse_uint(fields->second);
  if (!pid || !start) return std::nullopt;
  return Holder{static_cast<pid_t>(*pid), *start};
}

Result<sys::Pidfd> open_holder(const std::string& path) {
  auto holder = read_holder(path);
  if (!holder) return Error(Errc::not_found, "no user namespace is held");
  return sys::Pidfd::open(holder->pid, holder->start_time);
}

Result<sys::Pidfd> ensure_holder(const Host& host) {
  std::string path = host.runroot + "/userns";
  if (auto held = open_holder(path)) return held;
  TRY(sys::ensure_dirs(host.runroot, 0700));
  sys::FileLock lock = TRY(state::lock_object(host.runroot, "the user namespace"));
  if (auto held = open_holder(path)) return held;  // somebody else was faster
  pid_t pid = TRY(make_holder(host));
  sys::Pidfd pidfd = TRY(sys::Pidfd::open(pid));
  std::uint64_t start = TRY(sys::process_start_time(pid));
  TRY(sys::write_file(path, concat(pid, " ", start, "\n"), 0600));
  return pidfd;
}

Result<std::vector<oci::IdMapping>> read_map(const char* path) {
  std::vector<oci::IdMapping> maps;
  std::string text = TRY(sys::read_small_file(path, 64 << 10));
  for (std::string_view line : split(text, '\n')) {
    std::uint32_t numbers[3];
    std::size_t count = 0;
    for (std::string_view word : split(line, ' '))
      if (auto number = parse_uint(word); number && count < 3)
        numbers[count++] = static_cast<std::uint32_t>(*number);
    if (count == 3) maps.push_back({numbers[0], numbers[1], numbers[2]});
  }
  return maps;
}

}  // namespace

Status enter_namespaces(Host* host) {
  if (host->rootless && !host->in_user_namespace) {
    sys::Pidfd holder = TRY(ensure_holder(*host));
    // Linux 5.8: a pidfd names the namespaces of its process. The mount namespace must be ours to
    // mount in.
    if (::setns(holder.get(), CLONE_NEWUSER) < 0)
      return Error::from_errno(errno, "join user namespace");
    if (::unshare(CLONE_NEWNS) < 0) return Error::from_errno(errno, "make mount namespace");
    host->in_user_namespace = true;
  }
  host->uid_map = TRY(read_map("/proc/self/uid_map"));
  host->gid_map = TRY(read_map("/proc/self/gid_map"));
  host->single_id = host->rootless && host->uid_map.size() == 1 && host->uid_map[0].size == 1;
  return {};
}

}  // namespace minke::engine
