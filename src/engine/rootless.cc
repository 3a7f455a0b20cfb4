// The user namespace of an ordinary user and N, the network namespace of its bridges: made once per
// login with newuidmap and newgidmap, held by a process that does nothing else, joined by every
// later command.
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
#include "net/netd_client.h"
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
  // The holder outlives the terminal and keeps none of its descriptors. Those above close at exec,
  // which some wait for.
  ::syscall(SYS_close_range, 3, ~0U, 4 /* CLOEXEC */);
  for (int fd = 0; fd < 3; ++fd) ::close(fd);
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
  auto pid = static_cast<pid_t>(::syscall(SYS_clone, CLONE_NEWUSER | CLONE_NEWNET | SIGCHLD,
                                          nullptr, nullptr, nullptr, nullptr));
  if (pid < 0) {
    Error error = Error::from_errno(errno, "make user and network namespace");
    if (error.sys() == EPERM || error.sys() == ENOSPC)
      return std::move(error).wrap(
          "see kernel.unprivileged_userns_clone, user.max_user_namespaces and "
          "user.max_net_namespaces "
          "(sysctl)");
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

// A holder in namespaces that are there already: those of `user` and `net`; without them in our own
// user namespace and a network namespace that is new.
Result<pid_t> make_joined_holder(const Host& host, int user, int net) {
  auto [reader, writer] = TRY(sys::make_pipe());
  auto [failed, failure] = TRY(sys::make_pipe());
  pid_t pid = ::fork();
  if (pid < 0) return Error::from_errno(errno, "fork");
  if (pid == 0) {
    bool joined = user < 0 ? ::unshare(CLONE_NEWNET) == 0
                           : ::setns(user, CLONE_NEWUSER) == 0 && ::setns(net, CLONE_NEWNET) == 0;
    int error = joined ? 0 : errno;
    if (::write(failure.get(), &error, sizeof error) != sizeof error || error != 0) ::_exit(1);
    become_holder(host.init_path.c_str(), reader.get(), writer.get());
  }
  failure.reset();
  int error = EIO;
  if (::read(failed.get(), &error, sizeof error) != sizeof error || error != 0) {
    ignore(sys::wait_pid(pid), "the holder that was given up");
    return Error::from_errno(error, "join the namespaces that are in use");
  }
  TRY(sys::write_all(writer.get(), "1", "holder"));
  // One that has joined by itself can be looked at, and joined, from exec on.
  while (::read(failed.get(), &error, sizeof error) < 0 && errno == EINTR) {
  }
  return pid;
}

// The holder was killed and netd was not: its namespaces are those that containers run in.
std::optional<pid_t> rescue_from_netd(const Host& host) {
  auto netd = net::NetdClient::connect(host.runroot);
  if (!netd) return std::nullopt;
  auto answer = netd->call(net::NetdVerb::namespaces);
  if (!answer || answer->fds.size() != 2) return std::nullopt;
  auto pid = make_joined_holder(host, answer->fds[0].get(), answer->fds[1].get());
  if (!pid) {
    log::warn(pid.error().message());
    return std::nullopt;
  }
  return *pid;
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

Result<sys::Pidfd> record_holder(const std::string& path, pid_t pid) {
  sys::Pidfd pidfd = TRY(sys::Pidfd::open(pid));
  std::uint64_t start = TRY(sys::process_start_time(pid));
  TRY(sys::write_file(path, concat(pid, " ", start, "\n"), 0600));
  return pidfd;
}

Result<sys::UniqueFd> netns_of(pid_t pid) {
  return sys::open(concat("/proc/", pid, "/ns/net"), O_RDONLY);
}

bool is_own_netns(int netns) {
  struct stat own {
  }, other{};
  return ::stat("/proc/self/ns/net", &own) == 0 && ::fstat(netns, &other) == 0 &&
         own.st_ino == other.st_ino && own.st_dev == other.st_dev;
}

Result<sys::Pidfd> ensure_holder(const Host& host) {
  std::string path = host.runroot + "/userns";
  if (auto held = open_holder(path)) return held;
  TRY(sys::ensure_dirs(host.runroot, 0700));
  sys::FileLock lock = TRY(state::lock_object(host.runroot, "the user namespace"));
  if (auto held = open_holder(path)) return held;  // somebody else was faster
  auto rescued = rescue_from_netd(host);
  pid_t pid = rescued ? *rescued : TRY(make_holder(host));
  return record_holder(path, pid);
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

Result<sys::UniqueFd> bridge_netns(const Host& host) {
  if (!host.rootless) return netns_of(::getpid());
  std::string path = host.runroot + "/userns";
  auto open_held = [&]() -> Result<sys::UniqueFd> {
    auto holder = read_holder(path);
    if (!holder) return Error(Errc::not_found, "no user namespace is held");
    TRY(sys::Pidfd::open(holder->pid, holder->start_time));
    return netns_of(holder->pid);
  };
  auto held = open_held();
  if (held && !is_own_netns(held->get())) return held;
  // Killed since this command joined, or made by a version that had no N: another one, in the user
  // namespace that we are in.
  sys::FileLock lock = TRY(state::lock_object(host.runroot, "the user namespace"));
  held = open_held();
  if (held && !is_own_netns(held->get())) return held;
  auto old = read_holder(path);
  auto rescued = rescue_from_netd(host);
  pid_t pid = rescued ? *rescued : TRY(make_joined_holder(host, -1, -1));
  TRY(record_holder(path, pid));
  if (held && old)
    if (auto process = sys::Pidfd::open(old->pid, old->start_time))
      ignore(process->kill(SIGKILL), "its namespace lives on in ours");
  return netns_of(pid);
}

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
