#include "netd/syn_reader.h"

#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/str.h"

namespace minke::netd {
namespace {

// Headers of v6 with room for extensions, and of TCP.
constexpr std::uint32_t kCopyBytes = 256, kMaxPackets = 65536;
constexpr int kBufferBytes = 8 << 20;

Status ask(int fd, const std::string& message, std::string_view what) {
  std::uint8_t answer[1024];
  if (::send(fd, message.data(), message.size(), 0) < 0) return Error::from_errno(errno, what);
  for (;;) {
    const ssize_t n = ::recv(fd, answer, sizeof answer, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Error::from_errno(errno, what);
    const int error = parse_acknowledgement({answer, static_cast<std::size_t>(n)});
    if (error == 0) return {};
    if (error > 0) return Error::from_errno(error, what);
  }
}

}  // namespace

Result<sys::UniqueFd> open_syn_queue(std::uint16_t number) {
  sys::UniqueFd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER));
  if (!fd) return Error::from_errno(errno, "open a netfilter socket");
  // The kernel's answer must come even if the queue is silent.
  const timeval patience{2, 0};
  (void)::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  // More than net.core.rmem_max only for who may; else that.
  if (::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kBufferBytes, sizeof kBufferBytes) < 0)
    (void)::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &kBufferBytes, sizeof kBufferBytes);
  const int on = 1;
  (void)::setsockopt(fd.get(), SOL_NETLINK, NETLINK_NO_ENOBUFS, &on, sizeof on);
  TRY(ask(fd.get(), make_queue_bind(number), "claim the netfilter queue"));
  TRY(ask(fd.get(), make_queue_params(number, kCopyBytes, kMaxPackets),
          "set up the netfilter queue"));
  return fd;
}

Status SynReader::start(sys::UniqueFd queue, std::uint16_t number) {
  ring_.reset(static_cast<HeldPacket*>(std::calloc(kRing, sizeof(HeldPacket))));
  if (!ring_) return Error::from_errno(errno, "memory for the queue");
  queue_ = std::move(queue);
  number_ = number;
  return {};
}

void SynReader::drain(std::int64_t now_ms) {
  alignas(8) std::uint8_t datagram[4096];
  HeldPacket packets[16];
  while (count_ + std::size(packets) <= kRing) {
    const ssize_t n = ::recv(queue_.get(), datagram, sizeof datagram, MSG_DONTWAIT);
    if (n < 0 && (errno == EINTR || errno == ENOBUFS)) continue;
    if (n < 0) return;
    const std::size_t count =
        parse_held_packets({datagram, static_cast<std::size_t>(n)}, packets, std::size(packets));
    for (std::size_t i = 0; i < count; ++i) {
      packets[i].came_ms = now_ms;
      if (packets[i].syn) {
        std::memcpy(&ring_[(head_ + count_++) % kRing], &packets[i], sizeof packets[i]);
      } else {
        decide(packets[i].id, Verdict::accept, 0);
      }
    }
  }
}

// An empty ring begins at its start again, so that one in normal use stays within its first page.
bool SynReader::take(HeldPacket* out) {
  if (count_ == 0) return false;
  *out = ring_[head_];
  head_ = --count_ == 0 ? 0 : (head_ + 1) % kRing;
  return true;
}

void SynReader::decide(std::uint32_t id, Verdict verdict, std::uint32_t mark) {
  const std::string message = make_verdict(number_, id, verdict, mark);
  (void)!::send(queue_.get(), message.data(), message.size(), MSG_DONTWAIT);
}

}  // namespace minke::netd
