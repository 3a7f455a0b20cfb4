// Datagrams in batches: many in one system call, several of one size in one buffer (UDP_GRO on the
// way in, UDP_SEGMENT on the way out), and the local address that they came to.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <memory>

#include "netd/endpoint.h"

namespace minke::netd {

// What came in one buffer: one datagram, or several of `segment` bytes each (the last may be
// shorter).
struct Datagrams {
  char* data;
  std::uint32_t size;
  std::uint16_t segment;  // 0: one datagram
  SocketAddress from;
  net::IpAddress local;         // where it was sent to; unspecified when not known
  std::uint32_t interface = 0;  // on which it came
};

class DatagramBatch {
 public:
  static constexpr int kMessages = 8;
  static constexpr std::size_t kBuffer = 64 << 10;

  // Waits for nothing. The number received, or -errno.
  int receive(int fd);
  Datagrams& operator[](int i) { return received_[i]; }

 private:
  // Room for a packet info of v6, one of v4 (dual-stack sockets give both) and the segment's size.
  static constexpr std::size_t kControl =
      CMSG_SPACE(sizeof(in6_pktinfo)) + CMSG_SPACE(sizeof(in_pktinfo)) + CMSG_SPACE(sizeof(int));
  void prepare();

  std::unique_ptr<char[]> buffers_;  // made with the first use
  Datagrams received_[kMessages];
  mmsghdr messages_[kMessages];
  iovec parts_[kMessages];
  alignas(cmsghdr) char control_[kMessages][kControl];
};

// What sends are given beside the bytes. Null and unspecified: of a connected socket.
struct DatagramRoute {
  const SocketAddress* to = nullptr;
  net::IpAddress local;  // the source address, in the family of `to`
  std::uint32_t interface = 0;
};
// Sends all of it; what the kernel will not cut into segments is sent one by one. 0, or the errno
// of what was lost.
int send_datagrams(int fd, const Datagrams& datagrams, const DatagramRoute& route);

// Of a socket that many clients write to: addresses with what comes, several datagrams at once.
void set_datagram_options(int fd, bool with_local_address);

}  // namespace minke::netd
