#include "monitor/notify.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>

#include "base/str.h"
#include "sys/socket.h"

namespace minke::monitor {

namespace {

// "@name": it ends where the address ends.
Result<sys::UniqueFd> connect_abstract(const std::string& socket) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket.size() >= sizeof address.sun_path)
    return Error::from_errno(ENAMETOOLONG, concat("NOTIFY_SOCKET ", socket));
  std::memcpy(address.sun_path + 1, socket.data() + 1, socket.size() - 1);
  sys::UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd) return Error::from_errno(errno, "socket");
  auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket.size());
  if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), size) < 0)
    return Error::from_errno(errno, concat("connect ", socket));
  return fd;
}

}  // namespace

Status notify_manager(const std::string& socket, std::string_view state) {
  if (socket.empty() || state.empty()) return {};
  auto connected =
      socket[0] == '@' ? connect_abstract(socket) : sys::connect_unix(socket, SOCK_DGRAM);
  sys::UniqueFd fd = TRY(std::move(connected));
  if (::send(fd.get(), state.data(), state.size(), MSG_NOSIGNAL) < 0)
    return Error::from_errno(errno, concat("notify ", socket));
  return {};
}

Result<sys::UniqueFd> listen_notify(const std::string& path) {
  ::unlink(path.c_str());
  // Writable for whatever user the container's program is; the folder around it is closed to all
  // others.
  return sys::listen_unix(path, SOCK_DGRAM | SOCK_NONBLOCK, 0777);
}

std::string read_notify(int socket) {
  char message[4096];
  ssize_t n;
  do {
    n = ::recv(socket, message, sizeof message, MSG_DONTWAIT);
  } while (n < 0 && errno == EINTR);
  return n <= 0 ? std::string() : allowed_states({message, static_cast<std::size_t>(n)});
}

std::string allowed_states(std::string_view message) {
  static constexpr std::string_view kAllowed[] = {"READY=1", "RELOADING=1", "STOPPING=1",
                                                  "WATCHDOG=1"};
  static constexpr std::string_view kAllowedPrefixes[] = {
      "STATUS=", "EXTEND_TIMEOUT_USEC=", "MONOTONIC_USEC="};
  std::string out;
  for (std::string_view line : split(message, '\n')) {
    bool allowed = false;
    for (std::string_view state : kAllowed) allowed |= line == state;
    for (std::string_view prefix : kAllowedPrefixes) allowed |= line.starts_with(prefix);
    if (allowed) out += concat(line, '\n');
  }
  return out;
}

}  // namespace minke::monitor
