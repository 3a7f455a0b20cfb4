#include "netd/splice.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "net/setup.h"

namespace minke::netd {
namespace {

constexpr std::uint32_t kLarge = 1 << 20, kMiddle = 256 << 10, kSmall = 64 << 10;
constexpr int kMovesPerTurn = 16;  // then others have their turn
constexpr std::uint32_t kEvents = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;

constexpr int kKeepIdleSeconds = 300, kKeepIntervalSeconds = 30, kKeepProbes = 5;

bool take_one(std::atomic<int>* left) {
  if (left->fetch_sub(1, std::memory_order_relaxed) > 0) return true;
  left->fetch_add(1, std::memory_order_relaxed);
  return false;
}

}  // namespace

void set_relay_options(int fd) {
  const int on = 1;
  (void)::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  (void)::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  (void)::setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &kKeepIdleSeconds, sizeof kKeepIdleSeconds);
  (void)::setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &kKeepIntervalSeconds,
                     sizeof kKeepIntervalSeconds);
  (void)::setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &kKeepProbes, sizeof kKeepProbes);
}

void set_inner_options(int fd) {
  set_relay_options(fd);
  (void)::setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, net::kInnerCongestion.data(),
                     net::kInnerCongestion.size());
}

void close_with_reset(int fd) {
  const linger none{1, 0};
  (void)::setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
  ::close(fd);
}

PipePool::~PipePool() {
  while (idle_ != nullptr) {
    Pipe* pipe = idle_;
    idle_ = pipe->next;
    discard(pipe);
  }
}

bool PipePool::reserve(std::uint32_t* size) {
  if (take_one(&budget_->large)) {
    *size = kLarge;
  } else if (take_one(&budget_->middle)) {
    *size = kMiddle;
  } else if (take_one(&budget_->small)) {
    *size = kSmall;
  } else {
    return false;
  }
  return true;
}

void PipePool::give_back(std::uint32_t size) {
  (size == kLarge    ? budget_->large
   : size == kMiddle ? budget_->middle
                     : budget_->small)
      .fetch_add(1, std::memory_order_relaxed);
}

Pipe* PipePool::take() {
  if (idle_ != nullptr) {
    Pipe* pipe = idle_;
    idle_ = pipe->next;
    return pipe;
  }
  std::uint32_t size;
  int fds[2];
  if (!reserve(&size)) return nullptr;
  if (::pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0) {
    give_back(size);
    return nullptr;
  }
  // Refused beyond the user's share of pages: the pipe is what it is.
  if (size != kSmall) (void)::fcntl(fds[1], F_SETPIPE_SZ, size);
  Pipe* pipe = slab_.make();
  *pipe = {fds[0], fds[1], size, nullptr};
  return pipe;
}

// Large ones stay in front: they are taken first and the small ones rest at the end. Small ones are
// closed, they were only a way out.
void PipePool::put(Pipe* pipe) {
  if (pipe->size == kSmall) return discard(pipe);
  if (pipe->size == kLarge || idle_ == nullptr) {
    pipe->next = idle_;
    idle_ = pipe;
  } else {
    Pipe** at = &idle_;
    while (*at != nullptr && (*at)->size == kLarge) at = &(*at)->next;
    pipe->next = *at;
    *at = pipe;
  }
}

void PipePool::discard(Pipe* pipe) {
  ::close(pipe->reader);
  ::close(pipe->writer);
  give_back(pipe->size);
  slab_.free(pipe);
}

Relay* Splicer::add(int first, int second, RelayGroup* group, void (*connected)(Relay*, int)) {
  Relay* relay = relays_.make();
  relay->splicer = this;
  relay->connected = connected;
  relay->task.run = run_task;
  const int fds[2] = {first, second};
  for (int i = 0; i < 2; ++i) {
    relay->end[i].source.ready = ready;
    relay->end[i].fd = fds[i];
    relay->end[i].second = i == 1;
  }
  if (!loop_->watch(first, kEvents, &relay->end[0].source) ||
      !loop_->watch(second, kEvents, &relay->end[1].source)) {
    const int error = errno;
    loop_->forget(first);
    relays_.free(relay);
    errno = error;
    return nullptr;
  }
  relay->group = group;
  relay->next = group->first;
  if (group->first != nullptr) group->first->previous = relay;
  group->first = relay;
  ++group->count;
  stats_->connections.fetch_add(1, std::memory_order_relaxed);
  stats_->total.fetch_add(1, std::memory_order_relaxed);
  return relay;
}

void Splicer::ready(Source* source, std::uint32_t events) {
  auto* end = reinterpret_cast<RelayEnd*>(source);
  static_assert(offsetof(RelayEnd, source) == 0 && offsetof(Relay, end) == 0);
  auto* relay = reinterpret_cast<Relay*>(end->second ? end - 1 : end);
  if (relay->closed) return;
  if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) end->readable = true;
  if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) end->writable = true;
  Splicer* self = relay->splicer;
  if (relay->connected != nullptr) {
    if (end->second && (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)))
      return self->connect_done(relay);
    if (!end->second && (events & EPOLLERR)) return self->reset(relay);
    return;
  }
  self->pump(relay);
  // Lost while the other end takes nothing: it must hear of it all the same.
  if (!relay->closed && (events & EPOLLERR)) self->reset(relay);
}

void Splicer::connect_done(Relay* relay) {
  int error = 0;
  socklen_t length = sizeof error;
  if (::getsockopt(relay->end[1].fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0) error = errno;
  auto* connected = relay->connected;
  relay->connected = nullptr;
  connected(relay, error);
  if (!relay->closed) pump(relay);
}

void Splicer::run_task(Task* task) {
  Relay* relay = holder_of(task, &Relay::task);
  if (relay->closed) {
    relay->splicer->relays_.free(relay);
  } else {
    relay->splicer->pump(relay);
  }
}

void Splicer::pump(Relay* relay) {
  const bool more[2] = {move(relay, 0), !relay->closed && move(relay, 1)};
  if (relay->closed) return;
  if (relay->end[0].ended && relay->end[1].ended) return close(relay, false);
  if (more[0] || more[1]) loop_->later(&relay->task);
}

// True when its turn ended before there was nothing left to do.
bool Splicer::move(Relay* relay, int from) {
  RelayEnd* source = &relay->end[from];
  RelayEnd* sink = &relay->end[1 - from];
  for (int i = 0; i < kMovesPerTurn; ++i) {
    // Nothing is read that cannot go on: a slow reader holds no pipe but for what it refused.
    const bool moved = source->held > 0 ? drain(relay, source, sink)
                                        : source->readable && sink->writable && !source->ended &&
                                              fill(relay, source, sink);
    if (relay->closed) return false;
    if (!moved) {
      if (source->held == 0) release(source);
      return false;
    }
  }
  return true;
}

bool Splicer::fill(Relay* relay, RelayEnd* source, RelayEnd* sink) {
  if (source->pipe == nullptr) source->pipe = pool_.take();
  if (source->pipe == nullptr) return copy(relay, source, sink);
  const ssize_t n = ::splice(source->fd, nullptr, source->pipe->writer, nullptr, source->pipe->size,
                             SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
  if (n > 0) {
    source->held = static_cast<std::uint32_t>(n);
    return true;
  }
  if (n == 0) {
    end_of_stream(source, sink);
  } else if (errno == EAGAIN) {
    source->readable = false;
  } else if (errno == EINTR) {
    return true;
  } else {
    reset(relay);
  }
  return false;
}

bool Splicer::drain(Relay* relay, RelayEnd* source, RelayEnd* sink) {
  if (!sink->writable) return false;
  const ssize_t n = ::splice(source->pipe->reader, nullptr, sink->fd, nullptr, source->held,
                             SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
  if (n > 0) {
    source->held -= static_cast<std::uint32_t>(n);
    stats_->bytes[source->second].fetch_add(static_cast<std::uint64_t>(n),
                                            std::memory_order_relaxed);
    return true;
  }
  if (n < 0 && errno == EAGAIN) {
    sink->writable = false;
  } else if (n < 0 && errno == EINTR) {
    return true;
  } else {
    reset(relay);
  }
  return false;
}

// Without a pipe: what the sink takes of a look at the source's queue is then removed from it, so
// that nothing is ever held in between.
bool Splicer::copy(Relay* relay, RelayEnd* source, RelayEnd* sink) {
  static thread_local char buffer[16 << 10];
  ssize_t n = ::recv(source->fd, buffer, sizeof buffer, MSG_PEEK | MSG_DONTWAIT);
  if (n == 0) {
    end_of_stream(source, sink);
    return false;
  }
  if (n < 0) {
    if (errno == EINTR) return true;
    if (errno == EAGAIN) {
      source->readable = false;
    } else {
      reset(relay);
    }
    return false;
  }
  n = ::send(sink->fd, buffer, static_cast<std::size_t>(n), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (n < 0) {
    if (errno == EINTR) return true;
    if (errno == EAGAIN) {
      sink->writable = false;
    } else {
      reset(relay);
    }
    return false;
  }
  stats_->bytes[source->second].fetch_add(static_cast<std::uint64_t>(n), std::memory_order_relaxed);
  if (::recv(source->fd, nullptr, static_cast<std::size_t>(n), MSG_TRUNC | MSG_DONTWAIT) == n)
    return true;
  reset(relay);
  return false;
}

void Splicer::end_of_stream(RelayEnd* source, RelayEnd* sink) {
  source->ended = true;
  source->readable = false;
  if (!sink->ended) (void)::shutdown(sink->fd, SHUT_WR);  // else close(2) says so in a moment
}

void Splicer::release(RelayEnd* end) {
  if (end->pipe == nullptr) return;
  if (end->held > 0) {
    pool_.discard(end->pipe);
  } else {
    pool_.put(end->pipe);
  }
  end->pipe = nullptr;
}

void Splicer::close(Relay* relay, bool abort) {
  if (relay->closed) return;
  relay->closed = true;
  for (RelayEnd& end : relay->end) {
    release(&end);
    loop_->forget(end.fd);
    if (abort) {
      close_with_reset(end.fd);
    } else {
      ::close(end.fd);
    }
    end.fd = -1;
  }
  RelayGroup* group = relay->group;
  (relay->previous != nullptr ? relay->previous->next : group->first) = relay->next;
  if (relay->next != nullptr) relay->next->previous = relay->previous;
  --group->count;
  stats_->connections.fetch_sub(1, std::memory_order_relaxed);
  if (abort) stats_->resets.fetch_add(1, std::memory_order_relaxed);
  loop_->later(&relay->task);  // frees it
  ended_(owner_, group);
}

void Splicer::reset(Relay* relay) { close(relay, true); }

void Splicer::reset_all(RelayGroup* group) {
  while (group->first != nullptr) reset(group->first);
}

}  // namespace minke::netd
