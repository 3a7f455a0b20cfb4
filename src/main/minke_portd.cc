// minke-portd: binds ports that are root's for users who may have them, and hands the socket over.
// Started by minke-portd.socket, as root; ends when nobody has asked for a while. It reads
// /etc/minke/ports.d, looks at who asks (the kernel says so), binds, logs, and nothing else.
#include <netinet/in.h>
#include <poll.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <map>

#include "base/str.h"
#include "net/netd_client.h"
#include "net/port_grant.h"
#include "netd/listeners.h"
#include "sys/fd.h"
#include "sys/socket.h"

namespace {

using namespace minke;

constexpr int kListener = 3;  // systemd's first descriptor
constexpr int kIdleMs = 30'000, kPatienceSeconds = 5;
constexpr std::size_t kMaxRequest = 256, kMaxFile = 64 << 10;

void note(int priority, const std::string& text) {
  ::syslog(LOG_AUTHPRIV | priority, "%s", text.c_str());
  std::string line = text + "\n";  // the journal has it too
  if (::write(STDERR_FILENO, line.data(), line.size()) < 0) return;
}

std::vector<std::string> names_of(uid_t uid) {
  std::vector<std::string> names = {concat(uid)};
  if (const passwd* entry = ::getpwuid(uid)) names.emplace_back(entry->pw_name);
  return names;
}

// A file that somebody else may write would let him grant himself ports.
Result<std::vector<net::PortGrant>> read_grants(const std::string& path) {
  sys::UniqueFd file = TRY(sys::open(path, O_RDONLY | O_NOFOLLOW));
  struct stat st {};
  if (::fstat(file.get(), &st) < 0) return Error::from_errno(errno, path);
  if (!S_ISREG(st.st_mode) || st.st_uid != ::geteuid() || (st.st_mode & 0022) != 0)
    return Error(Errc::permission, concat(path, ": not a file of root's alone; left out"));
  std::string text = TRY(sys::read_all(file.get(), kMaxFile, path));
  return TRY_CTX(net::parse_port_grants(text), path);
}

bool is_granted(const std::string& folder, uid_t uid, const net::PortWish& wish) {
  auto files = sys::list_dir(sys::DirFd::cwd(), folder.c_str());
  if (!files) return false;
  std::vector<std::string> names = names_of(uid);
  for (const std::string& file : *files) {
    if (!file.ends_with(".conf")) continue;
    auto all = read_grants(concat(folder, "/", file));
    if (!all) {
      note(LOG_WARNING, all.error().message());
      continue;
    }
    for (const net::PortGrant& grant : *all)
      if (net::grants(grant, names, wish)) return true;
  }
  return false;
}

Result<ucred> peer_of(int socket) {
  ucred who{};
  socklen_t size = sizeof who;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &who, &size) < 0)
    return Error::from_errno(errno, "SO_PEERCRED");
  return who;
}

Result<sys::UniqueFd> serve(int socket, const std::string& folder, std::string* asked) {
  const ucred who = TRY(peer_of(socket));
  sys::Message message = TRY(sys::receive_message(socket, kMaxRequest));
  net::PortWish wish = TRY(net::parse_port_wish(message.data));
  netd::ListenSpec spec{{wish.address, wish.port, 0}, wish.protocol, 0, {}};
  *asked = concat("user ", names_of(who.uid).back(), " (pid ", who.pid, "): ", spec.text());
  if (!is_granted(folder, who.uid, wish))
    return Error(Errc::permission, concat("no file in ", folder, " grants ", spec.text(),
                                          " to user ", names_of(who.uid).back()));
  return netd::bind_only(spec);
}

void answer(int socket, const std::string& folder) {
  timeval patience{kPatienceSeconds, 0};
  ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  std::string asked = "somebody";
  auto bound = serve(socket, folder, &asked);
  note(bound ? LOG_INFO : LOG_NOTICE,
       concat(asked, bound ? ": handed over" : ": ", bound ? "" : bound.error().message()));
  Status sent = bound ? sys::send_message(socket, net::pack_netd_answer({}), {bound->get()})
                      : sys::send_message(socket, net::pack_netd_error(bound.error()));
  ignore(sent, "whoever asked has gone");
}

// Each question has a process of its own, and each user a few of them: who connects and says
// nothing keeps nobody else waiting.
class Questions {
 public:
  explicit Questions(std::string folder) : folder_(std::move(folder)) {}
  void take(int socket) {
    reap(running_.size() >= kMost);
    auto who = peer_of(socket);
    if (!who) return;
    const auto his = std::count_if(running_.begin(), running_.end(),
                                   [&](const auto& one) { return one.second == who->uid; });
    if (his >= kMostOfOne) {
      note(LOG_NOTICE, concat("user ", names_of(who->uid).back(), ": too many questions at once"));
      const Error busy(Errc::unavailable, "minke-portd: too many questions of this user at once");
      ignore(sys::send_message(socket, net::pack_netd_error(busy)), "whoever asked has gone");
      return;
    }
    const pid_t pid = ::fork();
    if (pid == 0) {
      answer(socket, folder_);
      ::_exit(0);
    }
    if (pid > 0) running_[pid] = who->uid;
  }

 private:
  static constexpr std::size_t kMost = 64;
  static constexpr std::ptrdiff_t kMostOfOne = 4;
  void reap(bool wait_for_one) {
    for (pid_t pid; (pid = ::waitpid(-1, nullptr, wait_for_one ? 0 : WNOHANG)) > 0;) {
      running_.erase(pid);
      wait_for_one = false;
    }
  }
  std::string folder_;
  std::map<pid_t, uid_t> running_;
};

}  // namespace

int main(int argc, char** argv) {
  int type = 0;
  socklen_t size = sizeof type;
  if (argc > 2 || ::getsockopt(kListener, SOL_SOCKET, SO_TYPE, &type, &size) < 0 ||
      type != SOCK_SEQPACKET) {
    note(LOG_ERR, "minke-portd is started by minke-portd.socket (systemctl enable --now it)");
    return 125;
  }
  std::string folder = argc > 1 ? argv[1] : "/etc/minke/ports.d";
  ::openlog("minke-portd", LOG_PID, LOG_AUTHPRIV);
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  Questions questions(std::move(folder));
  for (pollfd listener{kListener, POLLIN, 0}; ::poll(&listener, 1, kIdleMs) > 0;) {
    sys::UniqueFd socket(::accept4(kListener, nullptr, nullptr, SOCK_CLOEXEC));
    if (socket) questions.take(socket.get());
  }
  return 0;
}
