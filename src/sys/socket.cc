#include "sys/socket.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "base/str.h"

namespace minke::sys {
namespace {

constexpr std::size_t kMaxFds = 64;

// Fills `address`; `folder` keeps the descriptor that a long path goes through.
Status make_address(const std::string& path, sockaddr_un* address, UniqueFd* folder) {
  address->sun_family = AF_UNIX;
  std::string name = path;
  if (name.size() >= sizeof address->sun_path) {
    std::size_t slash = path.rfind('/');
    if (slash == std::string::npos) return Error::from_errno(ENAMETOOLONG, concat("socket ", path));
    *folder = TRY(open(path.substr(0, slash), O_PATH | O_DIRECTORY));
    name = concat("/proc/self/fd/", folder->get(), path.substr(slash));
    if (name.size() >= sizeof address->sun_path)
      return Error::from_errno(ENAMETOOLONG, concat("socket ", path));
  }
  std::memcpy(address->sun_path, name.c_str(), name.size() + 1);
  return {};
}

}  // namespace

Result<std::pair<UniqueFd, UniqueFd>> make_seqpacket_pair() {
  int fds[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
    return Error::from_errno(errno, "socketpair");
  return std::pair(UniqueFd(fds[0]), UniqueFd(fds[1]));
}

Result<UniqueFd> listen_unix(const std::string& path, int type, mode_t mode, int backlog) {
  sockaddr_un address{};
  UniqueFd folder;
  TRY(make_address(path, &address, &folder));
  UniqueFd fd(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
  if (!fd) return Error::from_errno(errno, "socket");
  // The mode of the socket file is that of the descriptor at bind.
  ::fchmod(fd.get(), mode);
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) < 0)
    return Error::from_errno(errno, concat("bind ", path));
  constexpr int kTypeMask = 0xf;
  if ((type & kTypeMask) == SOCK_DGRAM) return fd;  // nobody connects to it
  if (::listen(fd.get(), backlog) < 0) return Error::from_errno(errno, concat("listen ", path));
  return fd;
}

Result<UniqueFd> connect_unix(const std::string& path, int type) {
  sockaddr_un address{};
  UniqueFd folder;
  TRY(make_address(path, &address, &folder));
  UniqueFd fd(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
  if (!fd) return Error::from_errno(errno, "socket");
  int n;
  do {
    n = ::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
  } while (n < 0 && errno == EINTR);
  if (n < 0) return Error::from_errno(errno, concat("connect ", path));
  return fd;
}

Status send_message(int socket, std::string_view data, const std::vector<int>& fds) {
  MINKE_CHECK(fds.size() <= kMaxFds);
  iovec part{const_cast<char*>(data.data()), data.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(kMaxFds * sizeof(int))] = {};
  if (!fds.empty()) {
    header.msg_control = control;
    header.msg_controllen = CMSG_SPACE(fds.size() * sizeof(int));
    cmsghdr* first = CMSG_FIRSTHDR(&header);
    first->cmsg_level = SOL_SOCKET;
    first->cmsg_type = SCM_RIGHTS;
    first->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
    std::memcpy(CMSG_DATA(first), fds.data(), fds.size() * sizeof(int));
  }
  ssize_t n;
  do {
    n = ::sendmsg(socket, &header, MSG_NOSIGNAL);
  } while (n < 0 && errno == EINTR);
  if (n < 0) return Error::from_errno(errno, "send message");
  return {};
}

Result<Message> receive_message(int socket, std::size_t max) {
  Message message;
  message.data.resize(max);
  iovec part{message.data.data(), max};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(kMaxFds * sizeof(int))];
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  ssize_t n;
  do {
    n = ::recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
  } while (n < 0 && errno == EINTR);
  if (n < 0) return Error::from_errno(errno, "receive message");
  message.data.resize(static_cast<std::size_t>(n));
  for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    std::size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd;
      std::memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof fd);
      message.fds.emplace_back(fd);
    }
  }
  if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0)
    return Error(Errc::corrupt, concat("receive message: larger than ", max, " bytes"));
  return message;
}

}  // namespace minke::sys
