#include "netd/datagrams.h"

#include <netinet/udp.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

namespace minke::netd {
namespace {

constexpr int kBufferBytes = 2 << 20;

net::IpAddress v4_of(const in_addr& address) {
  net::IpAddress a;
  std::memcpy(a.bytes.data(), &address, 4);
  return a;
}

net::IpAddress v6_of(const in6_addr& address) {
  net::IpAddress a = net::IpAddress::any(true);
  std::memcpy(a.bytes.data(), &address, 16);
  return unmapped(a);
}

void read_control(msghdr* header, Datagrams* out) {
  for (cmsghdr* c = CMSG_FIRSTHDR(header); c != nullptr; c = CMSG_NXTHDR(header, c)) {
    if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
      in_pktinfo info;
      std::memcpy(&info, CMSG_DATA(c), sizeof info);
      out->local = v4_of(info.ipi_addr);
      out->interface = static_cast<std::uint32_t>(info.ipi_ifindex);
    } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
      in6_pktinfo info;
      std::memcpy(&info, CMSG_DATA(c), sizeof info);
      out->local = v6_of(info.ipi6_addr);
      out->interface = info.ipi6_ifindex;
    } else if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) {
      int size = 0;
      std::memcpy(&size, CMSG_DATA(c), sizeof size);
      out->segment = static_cast<std::uint16_t>(size);
    }
  }
}

template <typename T>
void append_control(msghdr* header, char* buffer, int level, int type, const T& value) {
  auto* c = reinterpret_cast<cmsghdr*>(buffer + header->msg_controllen);
  std::memset(c, 0, CMSG_SPACE(sizeof value));
  c->cmsg_level = level;
  c->cmsg_type = type;
  c->cmsg_len = CMSG_LEN(sizeof value);
  std::memcpy(CMSG_DATA(c), &value, sizeof value);
  header->msg_controllen += CMSG_SPACE(sizeof value);
}

void append_source(msghdr* header, char* buffer, const DatagramRoute& route) {
  if (route.local.is_unspecified()) return;
  if (route.to->any.sa_family == AF_INET) {
    in_pktinfo info{};
    std::memcpy(&info.ipi_spec_dst, route.local.bytes.data(), 4);
    return append_control(header, buffer, IPPROTO_IP, IP_PKTINFO, info);
  }
  in6_pktinfo info{};
  if (route.local.v6) {
    std::memcpy(&info.ipi6_addr, route.local.bytes.data(), 16);
    if (route.local.is_link_local()) info.ipi6_ifindex = route.interface;
  } else {  // a dual-stack socket that answers over v4
    info.ipi6_addr.s6_addr[10] = info.ipi6_addr.s6_addr[11] = 0xff;
    std::memcpy(info.ipi6_addr.s6_addr + 12, route.local.bytes.data(), 4);
  }
  append_control(header, buffer, IPPROTO_IPV6, IPV6_PKTINFO, info);
}

int send_once(int fd, char* data, std::size_t size, std::uint16_t segment,
              const DatagramRoute& route) {
  iovec part{data, size};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(in6_pktinfo)) + CMSG_SPACE(2)];
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  if (route.to != nullptr) {
    header.msg_name = const_cast<sockaddr*>(&route.to->any);
    header.msg_namelen = route.to->length;
    append_source(&header, control, route);
  }
  if (segment > 0) append_control(&header, control, IPPROTO_UDP, UDP_SEGMENT, segment);
  header.msg_control = header.msg_controllen > 0 ? control : nullptr;
  for (int attempt = 0; attempt < 3; ++attempt) {
    if (::sendmsg(fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) return 0;
    // An earlier datagram's ICMP answer, handed over instead of sending this one.
    if (errno != ECONNREFUSED && errno != EINTR && errno != EHOSTUNREACH && errno != ENETUNREACH)
      break;
  }
  return errno;
}

}  // namespace

void DatagramBatch::prepare() {
  if (!buffers_) buffers_ = std::make_unique_for_overwrite<char[]>(kMessages * kBuffer);
  for (int i = 0; i < kMessages; ++i) {
    received_[i] = {};
    received_[i].data = buffers_.get() + i * kBuffer;
    parts_[i] = {received_[i].data, kBuffer};
    messages_[i] = {};
    messages_[i].msg_hdr.msg_name = &received_[i].from.v6;
    messages_[i].msg_hdr.msg_namelen = sizeof received_[i].from.v6;
    messages_[i].msg_hdr.msg_iov = &parts_[i];
    messages_[i].msg_hdr.msg_iovlen = 1;
    messages_[i].msg_hdr.msg_control = control_[i];
    messages_[i].msg_hdr.msg_controllen = kControl;
  }
}

int DatagramBatch::receive(int fd) {
  prepare();
  const int count = ::recvmmsg(fd, messages_, kMessages, MSG_DONTWAIT, nullptr);
  if (count < 0) return -errno;
  for (int i = 0; i < count; ++i) {
    received_[i].size = messages_[i].msg_len;
    received_[i].from.length = messages_[i].msg_hdr.msg_namelen;
    read_control(&messages_[i].msg_hdr, &received_[i]);
    if (received_[i].segment >= received_[i].size) received_[i].segment = 0;
  }
  return count;
}

int send_datagrams(int fd, const Datagrams& datagrams, const DatagramRoute& route) {
  const int error = send_once(fd, datagrams.data, datagrams.size, datagrams.segment, route);
  if (error == 0 || error == EAGAIN || datagrams.segment == 0) return error;
  int lost = 0;
  for (std::uint32_t at = 0; at < datagrams.size; at += datagrams.segment) {
    const auto size = std::min<std::uint32_t>(datagrams.segment, datagrams.size - at);
    const int one = send_once(fd, datagrams.data + at, size, 0, route);
    if (one != 0) lost = one;
  }
  return lost;
}

void set_datagram_options(int fd, bool with_local_address) {
  const int on = 1;
  (void)::setsockopt(fd, IPPROTO_UDP, UDP_GRO, &on, sizeof on);
  if (!with_local_address) return;
  (void)::setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
  (void)::setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
  // As much as the host allows: bursts wait here while the loop serves others.
  (void)::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &kBufferBytes, sizeof kBufferBytes);
}

}  // namespace minke::netd
