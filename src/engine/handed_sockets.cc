#include "engine/handed_sockets.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "base/str.h"
#include "netd/listeners.h"

namespace minke::engine {
namespace {

constexpr int kFirst = 3;  // SD_LISTEN_FDS_START
constexpr std::uint64_t kMost = 50;

std::string variable(const char* name) {
  const char* value = ::getenv(name);
  return value == nullptr ? "" : value;
}

Result<std::vector<HandedSocket>> read_environment() {
  std::vector<HandedSocket> sockets;
  auto pid = parse_int(variable("LISTEN_PID"));
  const std::string fds = variable("LISTEN_FDS"), names = variable("LISTEN_FDNAMES");
  // Whoever finds them later would take them for its own.
  for (const char* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) ::unsetenv(name);
  if (!pid || *pid != ::getpid() || fds.empty()) return sockets;
  auto count = parse_uint(fds);
  if (!count || *count > kMost)
    return Error(Errc::invalid_argument,
                 concat("LISTEN_FDS=", fds, ": not a number from 0 to ", kMost));
  std::vector<std::string_view> words;
  if (!names.empty()) words = split(names, ':');
  for (std::size_t i = 0; i < *count; ++i) {
    int fd = kFirst + static_cast<int>(i);
    if (::fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
      return Error::from_errno(errno, concat("LISTEN_FDS=", fds, ": descriptor ", fd));
    sockets.push_back({fd, i < words.size() ? std::string(words[i]) : std::string()});
  }
  return sockets;
}

bool listens(int fd) {
  int on = 0;
  socklen_t size = sizeof on;
  return ::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &size) == 0 && on != 0;
}

const net::PortMapping* mapping_at(const ContainerConfig& config, const netd::ListenSpec& socket) {
  for (const net::PortMapping& port : config.ports)
    if (port.protocol == socket.protocol && socket.at.port >= port.host_port &&
        socket.at.port < port.host_port + port.range)
      return &port;
  return nullptr;
}

// Whether a socket at the mapping's port serves it.
Status check_socket(int fd, const netd::ListenSpec& there, const net::PortMapping& port,
                    bool rootless) {
  const std::string what = concat("the socket that was handed over at ", there.text());
  if (!rootless)
    return Error(Errc::conflict,
                 concat(what,
                        " is at a published port, and root's are led by the kernel: take it "
                        "out of the socket unit, or out of -p, and the container gets the "
                        "socket itself"));
  std::vector<net::IpAddress> wanted;
  if (port.host_ip)
    wanted = {*port.host_ip};
  else
    wanted = {net::IpAddress::any(false), net::IpAddress::any(true)};
  bool fits = std::any_of(wanted.begin(), wanted.end(), [&](const net::IpAddress& address) {
    netd::ListenSpec spec = there;
    spec.at.address = address;
    return netd::can_stand_for(fd, spec);
  });
  if (!fits)
    return Error(Errc::conflict,
                 concat(what, " is not at the address of the published port (",
                        port.host_ip ? port.host_ip->text() : std::string("any"),
                        "): make ListenStream= of the socket unit and -p the same"));
  if (there.protocol == net::Protocol::tcp && !listens(fd))
    return Error(Errc::conflict,
                 concat(what, " does not listen: set Accept=no in the socket unit"));
  return {};
}

}  // namespace

Result<std::vector<HandedSocket>*> take_handed_sockets() {
  static Result<std::vector<HandedSocket>> taken = read_environment();
  if (!taken) return Error(taken.error().code(), taken.error().message());
  return &*taken;
}

Result<SortedSockets> sort_handed_sockets(const ContainerConfig& config, bool rootless,
                                          std::vector<HandedSocket>* sockets) {
  SortedSockets sorted;
  for (HandedSocket& socket : *sockets) {
    if (socket.used) continue;
    // One of another family of sockets is none of a published port.
    auto there = netd::describe_listener(socket.fd);
    const net::PortMapping* port = there ? mapping_at(config, *there) : nullptr;
    if (port != nullptr) TRY(check_socket(socket.fd, *there, *port, rootless));
    (port != nullptr ? sorted.published : sorted.inside).push_back(&socket);
  }
  return sorted;
}

std::vector<std::string> handed_environment(const std::vector<HandedSocket*>& sockets) {
  if (sockets.empty()) return {};
  std::vector<std::string> names;
  for (const HandedSocket* socket : sockets) names.push_back(socket->name);
  std::vector<std::string> out = {concat("LISTEN_FDS=", sockets.size()), "LISTEN_PID=1"};
  if (std::any_of(names.begin(), names.end(), [](const std::string& n) { return !n.empty(); }))
    out.push_back(concat("LISTEN_FDNAMES=", join(names, ":")));
  return out;
}

}  // namespace minke::engine
