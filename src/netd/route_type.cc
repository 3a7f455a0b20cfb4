#include "netd/route_type.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace minke::netd {

Result<sys::UniqueFd> open_route_socket() {
  sys::UniqueFd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!fd) return Error::from_errno(errno, "open a routing socket");
  const timeval patience{1, 0};
  (void)::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  return fd;
}

bool is_own_address(int fd, const net::IpAddress& address) {
  struct {
    nlmsghdr header;
    rtmsg route;
    nlattr attribute;
    std::uint8_t bytes[16];
  } question{};
  question.header.nlmsg_len = static_cast<std::uint32_t>(sizeof question - 16 + address.size());
  question.header.nlmsg_type = RTM_GETROUTE;
  question.header.nlmsg_flags = NLM_F_REQUEST;
  question.route.rtm_family = address.v6 ? AF_INET6 : AF_INET;
  question.route.rtm_dst_len = address.bits();
  question.attribute.nla_type = RTA_DST;
  question.attribute.nla_len =
      static_cast<std::uint16_t>(sizeof question.attribute + address.size());
  std::memcpy(question.bytes, address.bytes.data(), address.size());
  // A late answer to an earlier question must not be taken for this one's.
  static thread_local std::uint32_t sequence = 0;
  question.header.nlmsg_seq = ++sequence;
  if (::send(fd, &question, question.header.nlmsg_len, 0) < 0) return true;
  for (;;) {
    alignas(nlmsghdr) char answer[4096];
    const ssize_t n = ::recv(fd, answer, sizeof answer, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < static_cast<ssize_t>(sizeof(nlmsghdr))) return true;
    nlmsghdr header;
    std::memcpy(&header, answer, sizeof header);
    if (header.nlmsg_seq != sequence) continue;
    if (header.nlmsg_type == NLMSG_ERROR) return false;  // no route: connect says so itself
    if (header.nlmsg_type != RTM_NEWROUTE || n < static_cast<ssize_t>(NLMSG_HDRLEN + sizeof(rtmsg)))
      return true;
    rtmsg route;
    std::memcpy(&route, answer + NLMSG_HDRLEN, sizeof route);
    return route.rtm_type == RTN_LOCAL;
  }
}

}  // namespace minke::netd
