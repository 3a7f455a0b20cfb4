// N: what netd finds when it comes up.
#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/netlink.h>

#include "net/ruleset.h"
#include "net/testing_hosts.h"

namespace minke::net {

namespace {

using namespace testing;

constexpr std::uint16_t kListener = 4001, kQueue = 7;

Result<sys::UniqueFd> transparent_socket(const IpAddress& address, std::uint16_t port, int type) {
  sys::UniqueFd fd(::socket(address.v6 ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC, 0));
  int on = 1;
  if (::setsockopt(fd.get(), address.v6 ? SOL_IPV6 : SOL_IP,
                   address.v6 ? IPV6_TRANSPARENT : IP_TRANSPARENT, &on, sizeof on) < 0)
    return Error::from_errno(errno, "transparent");
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  auto at = SocketAddress::of(address, port);
  if (::bind(fd.get(), at.raw(), at.size) < 0) return Error::from_errno(errno, "bind");
  if (type == SOCK_STREAM && ::listen(fd.get(), 8) < 0 && errno != EOPNOTSUPP)
    return Error::from_errno(errno, "listen");
  return fd;
}

// As netd does for a client: a socket of N that bears the client's address and port.
std::string forwarded(const IpAddress& client, const IpAddress& to, int container, int type) {
  auto server = listener(container, IpAddress::any(to.v6), 80, type);
  NEED(server);
  sys::UniqueFd fd(::socket(to.v6 ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC, 0));
  int on = 1;
  ::setsockopt(fd.get(), to.v6 ? SOL_IPV6 : SOL_IP, to.v6 ? IPV6_TRANSPARENT : IP_TRANSPARENT, &on,
               sizeof on);
  auto from = SocketAddress::of(client, 40000);
  if (::bind(fd.get(), from.raw(), from.size) < 0) return "bind to the client's address";
  timeval patience{3, 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  auto target = SocketAddress::of(to, 80);
  if (::connect(fd.get(), target.raw(), target.size) < 0)
    return concat("connect: ", std::string(::strerror(errno)));
  char byte = 'x';
  if (::send(fd.get(), &byte, 1, 0) != 1) return "send";
  if (!wait_readable(server->get(), 3000)) return "nothing arrived";
  SocketAddress peer;
  sys::UniqueFd served;
  if (type == SOCK_STREAM) {
    served = sys::UniqueFd(::accept(server->get(), peer.raw(), &peer.size));
    if (::send(served.get(), &byte, 1, 0) != 1) return "answer";
  } else {
    ::recvfrom(server->get(), &byte, 1, 0, peer.raw(), &peer.size);
    ::sendto(server->get(), &byte, 1, 0, peer.raw(), peer.size);
  }
  return wait_readable(fd.get(), 3000) ? peer.text() : "no answer";
}

Status bind_queue(sys::NetlinkSocket& socket) {
  nfgenmsg header{};
  header.nfgen_family = AF_UNSPEC;
  header.res_id = htons(kQueue);
  sys::NetlinkRequest request;
  constexpr std::uint16_t kConfig = NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_CONFIG;
  nfqnl_msg_config_cmd command{NFQNL_CFG_CMD_BIND, 0, htons(AF_INET)};
  request.begin(kConfig, 0, header);
  request.put(NFQA_CFG_CMD, {reinterpret_cast<const char*>(&command), sizeof command});
  nfqnl_msg_config_params params{};
  params.copy_mode = NFQNL_COPY_META;
  request.begin(kConfig, 0, header);
  request.put(NFQA_CFG_PARAMS, {reinterpret_cast<const char*>(&params), sizeof params});
  return socket.run(request, "bind queue");
}

Status decide(sys::NetlinkSocket& socket, std::uint32_t packet, std::uint32_t mark) {
  nfgenmsg header{};
  header.res_id = htons(kQueue);
  nfqnl_msg_verdict_hdr verdict{htonl(NF_ACCEPT), packet};
  sys::NetlinkRequest request;
  request.begin(NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_VERDICT, 0, header);
  request.put(NFQA_VERDICT_HDR, {reinterpret_cast<const char*>(&verdict), sizeof verdict});
  if (mark != 0) request.be32(NFQA_MARK, mark);
  return socket.run(request, "verdict");
}

// What a container's connect gets when the held SYN is let go with `mark`.
std::string held(sys::NetlinkSocket& queue, int container, const IpAddress& to,
                 std::uint32_t mark) {
  sys::UniqueFd client;
  {
    auto there = sys::InNetns::enter(container);
    NEED(there);
    client = sys::UniqueFd(
        ::socket(to.v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  }
  auto target = SocketAddress::of(to, 80);
  if (::connect(client.get(), target.raw(), target.size) == 0 || errno != EINPROGRESS)
    return "connect did not wait";
  if (!wait_readable(queue.fd(), 3000)) return "the SYN was not held";
  char buffer[4096];
  ssize_t size = ::recv(queue.fd(), buffer, sizeof buffer, 0);
  if (size <= 0) return "nothing in the queue";
  sys::NetlinkAttributes packet({buffer, static_cast<std::size_t>(size)},
                                sizeof(nlmsghdr) + sizeof(nfgenmsg));
  auto number = packet.u32(NFQA_PACKET_HDR);
  if (!number) return "no packet number";
  NEED(decide(queue, *number, mark));
  pollfd writable{client.get(), POLLOUT, 0};
  if (::poll(&writable, 1, 3000) != 1) return "no end";
  int error = 0;
  socklen_t length = sizeof error;
  ::getsockopt(client.get(), SOL_SOCKET, SO_ERROR, &error, &length);
  return ::strerror(error);
}

}  // namespace

TEST(Inside, AnswersToSocketsThatBearAClientsAddressComeBack) {
  MINKE_EXPECT_ALONE([]() -> std::string {
    Place n{-1, true, {}};
    auto inside = prepare_inside(n, {});
    NEED(inside);
    if (!inside->transparent) return concat(sys::testing::kSkipped, "no socket expression");
    if (inside->carries) return "carries without listeners";
    Network net = network("one", "minke1", "10.89.1.0/24", "fd00:1::/64");
    NEED(ensure_network(net, n));
    Attachment a = attachment(net, 2);
    auto container = new_container(net, a, n);
    NEED(container);
    for (int type : {SOCK_STREAM, SOCK_DGRAM}) {
      SAME(forwarded(ip("203.0.113.7"), ip("10.89.1.2"), container->get(), type), "203.0.113.7");
      SAME(forwarded(ip("2001:db8::7"), ip("fd00:1::2"), container->get(), type), "2001:db8::7");
    }
    return {};
  });
}

TEST(Inside, OutboundConnectionsAreHeldThenTakenOrRefused) {
  MINKE_EXPECT_ALONE([]() -> std::string {
    Place n{-1, true, {}};
    auto inside = prepare_inside(n, {kListener, kListener, kQueue});
    NEED(inside);
    if (!inside->carries)
      return concat(sys::testing::kSkipped, "queue ", queue_name(inside->queue));
    Network net = network("one", "minke1", "10.89.1.0/24", "fd00:1::/64");
    Network inner = network("two", "minke2", "10.89.2.0/24", nullptr);
    inner.internal = true;
    NEED(ensure_network(net, n));
    NEED(ensure_network(inner, n));
    // Again, with the networks there: nothing of theirs is lost.
    inside = prepare_inside(n, {kListener, kListener, kQueue});
    NEED(inside);
    Attachment a = attachment(net, 2), b = attachment(net, 3);
    auto container = new_container(net, a, n), neighbour = new_container(net, b, n);
    NEED(container);
    NEED(neighbour);
    auto four = transparent_socket(ip("127.0.0.1"), kListener, SOCK_STREAM);
    auto six = transparent_socket(ip("::1"), kListener, SOCK_STREAM);
    NEED(four);
    NEED(six);
    // Nobody reads the queue: passed by, taken at once.
    SAME(seen_from(container->get(), ip("198.51.100.10"), 80, four->get(), SOCK_STREAM),
         "10.89.1.2");
    SAME(seen_from(container->get(), ip("2001:db8::10"), 80, six->get(), SOCK_STREAM), "fd00:1::2");
    auto queue = open_nftables(n);
    NEED(queue);
    NEED(bind_queue(*queue));
    for (const char* text : {"198.51.100.10", "2001:db8::10"}) {
      IpAddress to = ip(text);
      SAME(held(*queue, container->get(), to, 0), ::strerror(0));
      SAME(held(*queue, container->get(), to, kHeldRefused), ::strerror(ECONNREFUSED));
      SAME(held(*queue, container->get(), to, kHeldNoRoute), ::strerror(ENETUNREACH));
      SAME(held(*queue, container->get(), to, kHeldUnreachable), ::strerror(EHOSTUNREACH));
      SAME(held(*queue, container->get(), to, kHeldProhibited),
           ::strerror(to.v6 ? EACCES : EHOSTUNREACH));
    }
    // To a neighbour and to the gateway: not held, not taken.
    auto server = listener(neighbour->get(), IpAddress::any(false), 80, SOCK_STREAM);
    NEED(server);
    SAME(seen_from(container->get(), ip("10.89.1.3"), 80, server->get(), SOCK_STREAM), "10.89.1.2");
    // The listeners themselves cannot be reached: they are on N's loopback alone.
    SAME(seen_from(container->get(), ip("10.89.1.1"), kListener, server->get(), SOCK_STREAM),
         "connect: Connection refused");
    return {};
  });
}

}  // namespace minke::net
