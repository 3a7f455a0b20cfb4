#include "netd/forward.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/log.h"
#include "base/str.h"
#include "net/ruleset.h"

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

namespace minke::netd {
namespace {

constexpr int kReservedFds = 64;

thread_local sys::UniqueFd own_namespace;

bool set_option(int fd, int level, int name) {
  const int on = 1;
  return ::setsockopt(fd, level, name, &on, sizeof on) == 0;
}

bool make_transparent(int fd, bool v6) {
  return v6 ? set_option(fd, IPPROTO_IPV6, IPV6_TRANSPARENT)
            : set_option(fd, IPPROTO_IP, IP_TRANSPARENT);
}

// Port 0: one is chosen when the connection's other end is known, so that it need not be free for
// all.
bool bind_as_client(int fd, Endpoint client, bool keep_port) {
  if (keep_port) {
    if (!set_option(fd, SOL_SOCKET, SO_REUSEADDR)) return false;
  } else {
    client.port = 0;
    if (!set_option(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT)) return false;
  }
  const SocketAddress address(client);
  return ::bind(fd, &address.any, address.length) == 0;
}

void say_not_transparent(int error, ForwardStats* stats) {
  if (!stats->transparent.exchange(false)) return;
  log::warn(concat("no transparent sockets (", std::strerror(error),
                   "): containers see the address of their network's gateway, not the clients'"));
}

int close_and_return(int fd, int error) {
  ::close(fd);
  return -error;
}

// A socket stays in the namespace that it was made in; the thread comes back at once.
int make_socket(const ForwardedContainer& container, bool v6, int type) {
  const int family = v6 ? AF_INET6 : AF_INET, kind = type | SOCK_NONBLOCK | SOCK_CLOEXEC;
  if (!container.within) return ::socket(family, kind, 0);
  if (::setns(container.within.get(), CLONE_NEWNET) < 0) return -1;
  const int fd = ::socket(family, kind, 0);
  const int error = errno;
  MINKE_CHECK(::setns(own_namespace.get(), CLONE_NEWNET) == 0);
  // Answers to it are led back by this mark (net/setup.h, prepare_within).
  const std::uint32_t mark = net::kMark;
  if (fd >= 0) (void)::setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof mark);
  errno = error;
  return fd;
}

int dial_once(const ForwardedContainer& container, int type, const Route& route,
              const Endpoint& client, std::uint16_t port, bool keep_port, ForwardStats* stats) {
  const bool v6 = route.address.v6;
  const int fd = make_socket(container, v6, type);
  if (fd < 0) return -errno;
  if (fd > last_usable_fd()) return close_and_return(fd, EMFILE);
  if (route.disguise == Disguise::none || route.source) {
    if (!make_transparent(fd, v6)) {
      say_not_transparent(errno, stats);
    } else if (route.source ? !bind_as_client(fd, {*route.source, 0, 0}, false)
                            : !bind_as_client(fd, client, keep_port)) {
      return close_and_return(fd, errno);
    }
  }
  if (type == SOCK_STREAM) set_inner_options(fd);
  const SocketAddress to(Endpoint{route.address, port, 0});
  if (::connect(fd, &to.any, to.length) < 0 && errno != EINPROGRESS)
    return close_and_return(fd, errno);
  return fd;
}

}  // namespace

int last_usable_fd() {
  static const int last = [] {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) < 0) return 1024 - kReservedFds;
    const auto most = std::min<rlim_t>(limit.rlim_cur, 1 << 30);
    return std::max(static_cast<int>(most) - kReservedFds, kReservedFds);
  }();
  return last;
}

bool is_shortage(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

Status note_own_namespace() {
  own_namespace = TRY(sys::open("/proc/thread-self/ns/net", O_RDONLY));
  return {};
}

int dial_container(const ForwardedContainer& container, int type, const Route& route,
                   const Endpoint& client, std::uint16_t port, bool keep_port,
                   ForwardStats* stats) {
  const int fd = dial_once(container, type, route, client, port, keep_port, stats);
  // The same client's port is in use towards this very port, or its last connection is in
  // TIME-WAIT: the address stays real, the port does not.
  const bool taken = fd == -EADDRNOTAVAIL || fd == -EADDRINUSE;
  if (!taken || !keep_port || route.disguise != Disguise::none) return fd;
  return dial_once(container, type, route, client, port, false, stats);
}

}  // namespace minke::netd
