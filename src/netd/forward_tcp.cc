#include "netd/forward_tcp.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/log.h"
#include "base/str.h"
#include "netd/proxy_header.h"

namespace minke::netd {
namespace {

constexpr int kAcceptsPerTurn = 64;
constexpr std::int64_t kPauseMs = 250, kQuietMs = 10'000;

// The addresses as the container is to believe them: of a client on the host itself the one that
// its socket of N shows, never 127.0.0.1.
std::string header_for(net::ProxyHeader version, const Relay& relay) {
  Endpoint client = peer_endpoint(relay.end[0].fd);
  const Endpoint local = local_endpoint(relay.end[0].fd);
  const net::IpAddress& a = client.address;
  if (a.is_loopback() || a == local.address || (a.v6 && a.is_link_local()))
    client = local_endpoint(relay.end[1].fd);
  return make_proxy_header(version, client, local);
}

}  // namespace

TcpForwarder::TcpForwarder(Loop* loop, PipeBudget* pipes, ForwardStats* stats)
    : loop_(loop),
      stats_(stats),
      splicer_(loop, pipes, &stats->tcp, one_ended, this),
      pauses_(kPauseMs, pause_over, this),
      last_pause_ms_(-kQuietMs) {
  resume_.run = run_resume;
}

TcpForwarder::~TcpForwarder() = default;

Status TcpForwarder::open() { return loop_->add_timeouts(&pauses_); }

Status TcpForwarder::add(ForwardedContainer* container, sys::UniqueFd fd,
                         std::uint16_t container_port, net::ProxyHeader proxy) {
  TRY(sys::set_nonblocking(fd.get(), true));
  set_relay_options(fd.get());
  auto listener = std::make_unique<Listener>(
      Listener{{ready}, this, container, std::move(fd), container_port, proxy});
  if (!loop_->watch(listener->fd.get(), paused_ ? 0u : EPOLLIN, &listener->source))
    return Error::from_errno(errno, "watch a published port");
  listeners_.push_back(std::move(listener));
  stats_->ports.fetch_add(1, std::memory_order_relaxed);
  return {};
}

void TcpForwarder::remove(ForwardedContainer* container) {
  std::erase_if(waiting_, [&](const Waiting& w) { return w.listener->container == container; });
  const auto gone = std::erase_if(listeners_, [&](const auto& l) {
    if (l->container != container) return false;
    loop_->forget(l->fd.get());
    return true;
  });
  stats_->ports.fetch_sub(gone, std::memory_order_relaxed);
  splicer_.reset_all(&container->relays);
}

void TcpForwarder::reset_stale(ForwardedContainer* container) {
  std::vector<Relay*> stale;
  for (Relay* relay = container->relays.first; relay != nullptr; relay = relay->next) {
    const net::IpAddress to = peer_endpoint(relay->end[1].fd).address;
    const auto& own = container->target.addresses;
    if (std::none_of(own.begin(), own.end(),
                     [&](const Target::Address& a) { return a.address.address == to; }))
      stale.push_back(relay);
  }
  for (Relay* relay : stale) splicer_.reset(relay);
}

void TcpForwarder::ready(Source* source, std::uint32_t) {
  auto* listener = reinterpret_cast<Listener*>(source);
  listener->forwarder->accept_some(listener);
}

void TcpForwarder::accept_some(Listener* listener) {
  for (int i = 0; i < kAcceptsPerTurn && !paused_; ++i) {
    sys::UniqueFd client(
        ::accept4(listener->fd.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (client && client.get() <= last_usable_fd()) {
      forward(listener, std::move(client));
    } else if (client) {
      pause(EMFILE);
      waiting_.push_back({listener, std::move(client)});
    } else if (is_shortage(errno)) {
      pause(errno);
    } else if (errno == EAGAIN) {
      return;
    }  // else this one client is lost: ECONNABORTED and the network's own errors
  }
}

void TcpForwarder::forward(Listener* listener, sys::UniqueFd client) {
  const Endpoint peer = peer_endpoint(client.get()), local = local_endpoint(client.get());
  const auto route = choose_route(listener->container->target, peer.address, local.address,
                                  stats_->transparent.load(std::memory_order_relaxed));
  int fd = route ? dial_container(*listener->container, SOCK_STREAM, *route, peer,
                                  listener->container_port, true, stats_)
                 : -EHOSTUNREACH;
  if (is_shortage(-fd)) {
    pause(-fd);
    waiting_.push_back({listener, std::move(client)});
    return;
  }
  Relay* relay =
      fd < 0 ? nullptr : splicer_.add(client.get(), fd, &listener->container->relays, connected);
  if (relay == nullptr) {
    if (fd >= 0) ::close(fd);
    stats_->refused.fetch_add(1, std::memory_order_relaxed);
    close_with_reset(client.release());
    return;
  }
  (void)client.release();
  relay->tag = static_cast<std::uint8_t>(listener->proxy);
  relay->counter = &stats_->refused;
}

void TcpForwarder::connected(Relay* relay, int error) {
  if (error != 0) {
    relay->counter->fetch_add(1, std::memory_order_relaxed);
    return relay->splicer->reset(relay);
  }
  const auto proxy = static_cast<net::ProxyHeader>(relay->tag);
  if (proxy == net::ProxyHeader::none) return;
  const std::string header = header_for(proxy, *relay);
  // The first bytes of a new connection always find room.
  if (::send(relay->end[1].fd, header.data(), header.size(), MSG_NOSIGNAL | MSG_DONTWAIT) !=
      static_cast<ssize_t>(header.size()))
    relay->splicer->reset(relay);
}

void TcpForwarder::pause(int error) {
  stats_->fd_shortages.fetch_add(1, std::memory_order_relaxed);
  if (loop_->now_ms() - last_pause_ms_ >= kQuietMs)
    log::error(concat("published ports: ", std::strerror(error), " with ",
                      std::to_string(stats_->tcp.connections.load()),
                      " connections open; new ones wait until others end (limit of open files: "
                      "ulimit -Hn)"));
  last_pause_ms_ = loop_->now_ms();
  pauses_.touch(&pause_, loop_->now_ms());
  if (paused_) return;
  paused_ = true;
  for (const auto& l : listeners_) (void)loop_->change(l->fd.get(), 0, &l->source);
}

void TcpForwarder::pause_over(void* self, Timed*) { static_cast<TcpForwarder*>(self)->resume(); }

void TcpForwarder::one_ended(void* owner, RelayGroup*) {
  auto* self = static_cast<TcpForwarder*>(owner);
  if (self->paused_) self->loop_->later(&self->resume_);
}

void TcpForwarder::run_resume(Task* task) {
  auto* self = holder_of(task, &TcpForwarder::resume_);
  if (self->paused_) self->resume();
}

void TcpForwarder::resume() {
  TimeoutList::remove(&pause_);
  paused_ = false;
  std::vector<Waiting> waiting;
  waiting.swap(waiting_);
  for (Waiting& w : waiting) forward(w.listener, std::move(w.client));
  if (paused_) return;
  for (const auto& l : listeners_) (void)loop_->change(l->fd.get(), EPOLLIN, &l->source);
}

}  // namespace minke::netd
