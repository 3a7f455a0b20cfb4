#include "netd/syn_reader.h"

#include <linux/netlink.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>

#include "base/str.h"
#include "netd/threads.h"

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
  filled_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  stop_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!filled_ || !stop_) return Error::from_errno(errno, "eventfd");
  ring_.reset(static_cast<HeldPacket*>(std::calloc(kRing, sizeof(HeldPacket))));
  if (!ring_) return Error::from_errno(errno, "memory for the queue");
  queue_ = std::move(queue);
  number_ = number;
  TRY(start_thread(&thread_, "minke-netd-syn", thread_main, this));
  running_ = true;
  return {};
}

void SynReader::stop() {
  if (!running_) return;
  stopping_ = true;
  const std::uint64_t one = 1;
  (void)!::write(stop_.get(), &one, sizeof one);
  ::pthread_join(thread_, nullptr);
  running_ = false;
  queue_.reset();  // what is still held is dropped, and `bypass` takes over
}

void* SynReader::thread_main(void* self) {
  static_cast<SynReader*>(self)->read_until_stopped();
  return nullptr;
}

void SynReader::read_until_stopped() {
  alignas(8) std::uint8_t datagram[4096];
  HeldPacket packets[16];
  pollfd wait[2] = {{queue_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}};
  while (!stopping_) {
    const ssize_t n = ::recv(queue_.get(), datagram, sizeof datagram, MSG_DONTWAIT);
    if (n < 0) {
      if (errno != EINTR && errno != ENOBUFS) (void)::poll(wait, 2, -1);
      continue;
    }
    const std::size_t count =
        parse_held_packets({datagram, static_cast<std::size_t>(n)}, packets, std::size(packets));
    for (std::size_t i = 0; i < count; ++i) hand_over(packets[i]);
  }
}

void SynReader::hand_over(const HeldPacket& packet) {
  if (!packet.syn) return decide(packet.id, Verdict::accept, 0);
  seen_.fetch_add(1, std::memory_order_relaxed);
  const std::size_t tail = tail_.load(std::memory_order_relaxed);
  while (tail - head_.load(std::memory_order_acquire) == kRing) {
    if (stopping_) return;
    const timespec moment{0, 200'000};
    (void)::nanosleep(&moment, nullptr);
  }
  std::memcpy(&ring_[tail % kRing], &packet, sizeof packet);
  tail_.store(tail + 1, std::memory_order_seq_cst);
  // The taker clears the event before it looks: it is told when it may have found nothing.
  if (head_.load(std::memory_order_seq_cst) == tail) {
    const std::uint64_t one = 1;
    (void)!::write(filled_.get(), &one, sizeof one);
  }
}

void SynReader::clear_event() {
  std::uint64_t count;
  (void)!::read(filled_.get(), &count, sizeof count);
}

bool SynReader::take(HeldPacket* out) {
  const std::size_t head = head_.load(std::memory_order_relaxed);
  if (head == tail_.load(std::memory_order_seq_cst)) return false;
  *out = ring_[head % kRing];
  head_.store(head + 1, std::memory_order_seq_cst);
  return true;
}

void SynReader::decide(std::uint32_t id, Verdict verdict, std::uint32_t mark) {
  const std::string message = make_verdict(number_, id, verdict, mark);
  (void)!::send(queue_.get(), message.data(), message.size(), MSG_DONTWAIT);
}

}  // namespace minke::netd
