#include "build/ssh_agent.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "base/rand.h"
#include "base/str.h"
#include "config/toml_file.h"
#include "sys/capture.h"
#include "sys/fd.h"
#include "sys/process.h"

namespace minke::build {
namespace {

using sys::UniqueFd;

constexpr int kStartTries = 500, kStartWait = 20 * 1000;  // 10 s, in microseconds each

Result<std::string> host_program(const char* name) {
  if (auto path = sys::find_in_path(name)) return std::move(*path);
  return Error(Errc::unsupported,
               concat("keys need ", name, " of the host, which is not in PATH (install ",
                      "openssh-client, or name the socket of an agent)"));
}

Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return Error(Errc::invalid_argument, concat(path, ": too long for a socket"));
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

Result<UniqueFd> connect_to(const std::string& path) {
  const sockaddr_un address = TRY(address_of(path));
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd || ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0)
    return Error::from_errno(errno, concat("connect to ", path));
  return fd;
}

// Asks nobody: no terminal, no program that shows a window.
std::vector<std::string> quiet_environment(const std::string& socket) {
  std::vector<std::string> env = {concat("SSH_AUTH_SOCK=", socket), "SSH_ASKPASS_REQUIRE=never"};
  for (const char* name : {"PATH", "HOME", "LANG"})
    if (const char* value = ::getenv(name)) env.push_back(concat(name, "=", value));
  return env;
}

// What comes from one side goes to the other, until both have ended.
void pump(int left, int right) {
  pollfd fds[2] = {{left, POLLIN, 0}, {right, POLLIN, 0}};
  char buffer[16 << 10];
  while (fds[0].fd >= 0 || fds[1].fd >= 0) {
    if (::poll(fds, 2, -1) < 0 && errno != EINTR) return;
    for (int i = 0; i < 2; ++i) {
      if (fds[i].fd < 0 || fds[i].revents == 0) continue;
      const int to = i == 0 ? right : left;
      ssize_t n = ::read(fds[i].fd, buffer, sizeof buffer);
      if (n < 0 && errno == EINTR) continue;
      if (n > 0 && sys::write_all(to, {buffer, static_cast<std::size_t>(n)}, "agent")) continue;
      if (n != 0) return;
      ::shutdown(to, SHUT_WR);
      fds[i].fd = -1;
    }
  }
}

bool ends_with_parent(pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  return ::getppid() == parent;
}

// Each connection has a process of its own.
[[noreturn]] void relay(int listener, const std::string& agent, pid_t parent) {
  if (!ends_with_parent(parent)) ::_exit(1);
  ::dup2(listener, 3);
  ::syscall(SYS_close_range, 4U, ~0U, 0U);
  for (int fd = 0; fd < 3; ++fd) ::close(fd);
  ::signal(SIGCHLD, SIG_IGN);
  ::signal(SIGPIPE, SIG_IGN);
  const pid_t self = ::getpid();
  for (;;) {
    int client = ::accept4(3, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0 && (errno == EINTR || errno == ECONNABORTED)) continue;
    if (client < 0) ::_exit(1);
    if (::fork() == 0) {
      if (!ends_with_parent(self)) ::_exit(1);
      if (auto server = connect_to(agent)) pump(client, server->get());
      ::_exit(0);
    }
    ::close(client);
  }
}

}  // namespace

OwnedProcess& OwnedProcess::operator=(OwnedProcess&& other) noexcept {
  end();
  std::swap(pid_, other.pid_);
  return *this;
}

void OwnedProcess::end() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ignore(sys::wait_pid(pid_), "it has ended or been killed");
  pid_ = -1;
}

Result<SshAgent> SshAgent::start(const std::vector<std::string>& keys, const std::string& folder) {
  const std::string agent_path = TRY(host_program("ssh-agent")), add = TRY(host_program("ssh-add"));
  const std::string socket = concat(folder, "/agent-", random_hex(4));
  TRY(address_of(socket));
  sys::SpawnOptions options;
  options.path = agent_path;
  options.argv = {"ssh-agent", "-D", "-a", socket};
  options.env = quiet_environment(socket);
  options.die_with_parent = true;
  for (int& fd : options.stdio) fd = -2;
  sys::Spawned child = TRY(sys::spawn(options));
  SshAgent agent(child.pid, socket);
  for (int tries = 0; !connect_to(socket); ++tries) {
    if (tries == kStartTries || TRY(child.pidfd.wait_exit(0)))
      return Error(Errc::unavailable, "ssh-agent does not start");
    ::usleep(kStartWait);
  }
  for (const std::string& key : keys) {
    sys::SpawnOptions adding;
    adding.path = add;
    adding.argv = {"ssh-add", "-q", "--", key};
    adding.env = quiet_environment(socket);
    adding.die_with_parent = adding.new_session = true;
    sys::Captured said = TRY(sys::capture(std::move(adding), "", "ssh-add"));
    if (said.exit_code == 0) continue;
    const std::string_view reason = trim(said.err);
    return Error(Errc::invalid_argument,
                 concat(key, ": ssh-add does not take it",
                        reason.empty() ? " (has it a passphrase? then use an agent)" : ": ",
                        config::one_line(reason)));
  }
  return agent;
}

Result<OwnedProcess> relay_agent(const std::string& path, const std::string& agent,
                                 const RelayOwner& owner) {
  TRY_CTX(connect_to(agent), "ssh agent");
  const std::size_t slash = path.rfind('/');
  sys::DirFd folder = TRY(sys::open_dir(path.substr(0, slash)));
  const std::string name = path.substr(slash + 1);
  // By way of the descriptor: the path may be longer than a socket's may.
  const sockaddr_un address = TRY(address_of(concat("/proc/self/fd/", folder.get(), "/", name)));
  UniqueFd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!listener ||
      ::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0 ||
      ::fchmodat(folder.get(), name.c_str(), owner.mode, 0) < 0 ||
      ::fchownat(folder.get(), name.c_str(), owner.uid, owner.gid, AT_SYMLINK_NOFOLLOW) < 0 ||
      ::listen(listener.get(), SOMAXCONN) < 0)
    return Error::from_errno(errno, concat("socket for the ssh agent at ", path));
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return Error::from_errno(errno, "fork");
  if (pid == 0) relay(listener.get(), agent, parent);
  return OwnedProcess(pid);
}

}  // namespace minke::build
