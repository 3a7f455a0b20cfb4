#include "monitor/notify.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>

#include "base/str.h"
#include "sys/socket.h"

namespace minke::monitor {

Status notify_manager(const std::string& socket, std::string_view state) {
  if (socket.empty() || state.empty()) return {};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket.size() >= sizeof address.sun_path)
    return Error::from_errno(ENAMETOOLONG, concat("NOTIFY_SOCKET ", socket));
  std::memcpy(address.sun_path, socket.data(), socket.size());
  std::size_t size = offsetof(sockaddr_un, sun_path) + socket.size();
  if (socket[0] == '@')
    address.sun_path[0] = '\0';  // abstract: its name ends where the address ends
  else
    ++size;
  sys::UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd) return Error::from_errno(errno, "socket");
  if (::sendto(fd.get(), state.data(), state.size(), MSG_NOSIGNAL,
               reinterpret_cast<sockaddr*>(&address), static_cast<socklen_t>(size)) < 0)
    return Error::from_errno(errno, concat("notify ", socket));
  return {};
}

Result<sys::UniqueFd> listen_notify(const std::string& path) {
  ::unlink(path.c_str());
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return Error::from_errno(ENAMETOOLONG, concat("socket ", path));
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  sys::UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return Error::from_errno(errno, "socket");
  // Writable for whatever user the container's program is; the folder around it is closed to all
  // others.
  ::fchmod(fd.get(), 0777);
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) < 0)
    return Error::from_errno(errno, concat("bind ", path));
  return fd;
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
