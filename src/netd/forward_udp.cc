#include "netd/forward_udp.h"

#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/log.h"
#include "base/str.h"

namespace minke::netd {
namespace {

constexpr int kBatchesPerTurn = 8;
constexpr std::int64_t kQuietMs = 60'000;

std::uint64_t random_seed() {
  std::uint64_t seed = 0;
  (void)!::getrandom(&seed, sizeof seed, 0);
  return seed;
}

// The client as the host's socket wants it: a dual-stack one speaks of v4 in v6.
SocketAddress address_for(const Endpoint& client, bool mapped) {
  if (!mapped) return SocketAddress(client);
  SocketAddress a;
  a.v6.sin6_family = AF_INET6;
  a.v6.sin6_port = htons(client.port);
  a.v6.sin6_addr.s6_addr[10] = a.v6.sin6_addr.s6_addr[11] = 0xff;
  std::memcpy(a.v6.sin6_addr.s6_addr + 12, client.address.bytes.data(), 4);
  return a;
}

}  // namespace

UdpForwarder::UdpForwarder(Loop* loop, ForwardStats* stats, const Limits& limits)
    : loop_(loop),
      stats_(stats),
      limits_(limits),
      flow_limit_(static_cast<std::uint32_t>(std::max(last_usable_fd() / 4, 16))),
      seed_(random_seed()),
      unanswered_(limits.unanswered_ms, expired, this),
      answered_(limits.answered_ms, expired, this),
      last_complaint_ms_(-kQuietMs) {}

UdpForwarder::~UdpForwarder() = default;

Status UdpForwarder::open() {
  TRY(loop_->add_timeouts(&unanswered_));
  return loop_->add_timeouts(&answered_);
}

Status UdpForwarder::add(ForwardedContainer* container, sys::UniqueFd fd,
                         std::uint16_t container_port) {
  TRY(sys::set_nonblocking(fd.get(), true));
  set_datagram_options(fd.get(), true);
  auto port = std::make_unique<Port>();
  port->source.ready = port_ready;
  port->forwarder = this;
  port->container = container;
  port->fd = std::move(fd);
  port->container_port = container_port;
  if (!loop_->watch(port->fd.get(), EPOLLIN, &port->source))
    return Error::from_errno(errno, "watch a published port");
  ports_.push_back(std::move(port));
  stats_->ports.fetch_add(1, std::memory_order_relaxed);
  return {};
}

void UdpForwarder::close_flows(ForwardedContainer* container) {
  std::vector<Flow*> gone;
  for (const TimeoutList* list : {&unanswered_, &answered_})
    list->for_each([&](Timed* timed) {
      Flow* flow = holder_of(timed, &Flow::timed);
      if (flow->port->container == container) gone.push_back(flow);
    });
  for (Flow* flow : gone) close(flow);
}

void UdpForwarder::remove(ForwardedContainer* container) {
  close_flows(container);
  const auto gone = std::erase_if(ports_, [&](const auto& p) {
    if (p->container != container) return false;
    loop_->forget(p->fd.get());
    return true;
  });
  stats_->ports.fetch_sub(gone, std::memory_order_relaxed);
}

void UdpForwarder::port_ready(Source* source, std::uint32_t) {
  auto* port = reinterpret_cast<Port*>(source);
  port->forwarder->receive_from_clients(port);
}

void UdpForwarder::flow_ready(Source* source, std::uint32_t) {
  auto* flow = reinterpret_cast<Flow*>(source);
  if (!flow->closed) flow->forwarder->receive_from_container(flow);
}

void UdpForwarder::receive_from_clients(Port* port) {
  for (int turn = 0; turn < kBatchesPerTurn; ++turn) {
    const int count = batch_.receive(port->fd.get());
    for (int i = 0; i < count; ++i) {
      const Datagrams& d = batch_[i];
      const Endpoint client = d.from.endpoint();
      const std::uint64_t hash = hash_of(client, seed_);
      Flow* flow = find(port, client, d.local, hash);
      if (flow == nullptr) flow = make(port, d, client, hash);
      if (flow == nullptr || send_datagrams(flow->fd, d, {}) != 0) {
        stats_->udp_dropped.fetch_add(1, std::memory_order_relaxed);
        continue;
      }
      // An unanswered flow is as old as its first datagram, or a scanner would keep its own alive.
      if (flow->answered) touch(flow);
    }
    if (count < DatagramBatch::kMessages) return;
  }
}

void UdpForwarder::receive_from_container(Flow* flow) {
  const SocketAddress client = address_for(flow->client, flow->mapped);
  const DatagramRoute route{&client, flow->local, flow->interface};
  for (int turn = 0; turn < kBatchesPerTurn; ++turn) {
    // An error is an ICMP answer (nothing listens there), and taken with this: the flow stays, the
    // container may yet begin to listen.
    const int count = batch_.receive(flow->fd);
    for (int i = 0; i < count; ++i)
      if (send_datagrams(flow->port->fd.get(), batch_[i], route) != 0)
        stats_->udp_dropped.fetch_add(1, std::memory_order_relaxed);
    if (count > 0) {
      flow->answered = true;
      TimeoutList::remove(&flow->age);
      touch(flow);
    }
    if (count < DatagramBatch::kMessages) return;
  }
}

UdpForwarder::Flow* UdpForwarder::find(Port* port, const Endpoint& client,
                                       const net::IpAddress& local, std::uint64_t hash) {
  for (Flow* f = by_client_.first(hash); f != nullptr; f = f->chain)
    if (f->hash == hash && f->port == port && f->client == client && f->local == local) return f;
  return nullptr;
}

// Two published ports of one container port: sockets of N with the same two ends could not be told
// apart.
bool UdpForwarder::port_is_taken(const Route& route, std::uint16_t target_port,
                                 const Endpoint& client, std::uint64_t hash) const {
  for (const Flow* f = by_client_.first(hash); f != nullptr; f = f->chain)
    if (f->hash == hash && f->client == client && f->target == route.address &&
        f->target_port == target_port)
      return true;
  return false;
}

UdpForwarder::Client* UdpForwarder::client_of(const net::IpAddress& address) {
  net::IpAddress prefix = address;
  if (prefix.v6) std::fill(prefix.bytes.begin() + 8, prefix.bytes.end(), 0);
  const std::uint64_t hash = hash_of(prefix, seed_);
  for (Client* c = by_prefix_.first(hash); c != nullptr; c = c->chain)
    if (c->hash == hash && c->prefix == prefix) return c;
  Client* client = clients_.make();
  client->prefix = prefix;
  by_prefix_.insert(client, hash);
  return client;
}

void UdpForwarder::leave(Client* client) {
  if (client->flows > 0) return;
  by_prefix_.remove(client);
  clients_.free(client);
}

// At the limit of a port the oldest flow that nobody has answered gives way: a flood of invented
// addresses pushes out itself, not those who are being served.
bool UdpForwarder::make_room(Port* port, const Client* by) {
  if (by->flows >= limits_.flows_per_client) return false;
  if (port->flows < limits_.flows_per_port && by_client_.size() < flow_limit_) return true;
  Timed* own = port->young.oldest();
  Timed* any = unanswered_.oldest();
  if (own != nullptr) {
    close(holder_of(own, &Flow::age));
  } else if (any != nullptr && port->flows < limits_.flows_per_port) {
    close(holder_of(any, &Flow::timed));
  } else {
    return false;
  }
  return true;
}

UdpForwarder::Flow* UdpForwarder::make(Port* port, const Datagrams& first, const Endpoint& client,
                                       std::uint64_t hash) {
  const auto route = choose_route(port->container->target, client.address, first.local,
                                  stats_->transparent.load(std::memory_order_relaxed));
  if (!route || client.port == 0) return nullptr;
  Client* by = client_of(client.address);
  ++by->flows;  // so that make_room does not take it away
  if (!make_room(port, by)) {
    --by->flows;
    leave(by);
    return nullptr;
  }
  const int fd = dial_container(*port->container, SOCK_DGRAM, *route, client, port->container_port,
                                !port_is_taken(*route, port->container_port, client, hash), stats_);
  Flow* flow = fd < 0 ? nullptr : flows_.make();
  if (flow != nullptr) {
    flow->source.ready = flow_ready;
    flow->task.run = free_flow;
    set_datagram_options(fd, false);
    if (!loop_->watch(fd, EPOLLIN, &flow->source)) {
      ::close(fd);
      flows_.free(flow);
      flow = nullptr;
    }
  }
  if (flow == nullptr) {
    if (is_shortage(-fd)) stats_->fd_shortages.fetch_add(1, std::memory_order_relaxed);
    if (is_shortage(-fd) && loop_->now_ms() - last_complaint_ms_ >= kQuietMs) {
      last_complaint_ms_ = loop_->now_ms();
      log::error(concat("published ports: ", std::strerror(-fd), " for another client of UDP"));
    }
    --by->flows;
    leave(by);
    return nullptr;
  }
  flow->forwarder = this;
  flow->fd = fd;
  flow->port = port;
  flow->by = by;
  flow->client = client;
  flow->local = first.local;
  flow->interface = first.interface;
  flow->mapped = !client.address.v6 && first.from.any.sa_family == AF_INET6;
  flow->target = route->address;
  flow->target_port = port->container_port;
  by_client_.insert(flow, hash);
  ++port->flows;
  stats_->udp_flows.fetch_add(1, std::memory_order_relaxed);
  stats_->udp_flows_total.fetch_add(1, std::memory_order_relaxed);
  port->young.touch(&flow->age, loop_->now_ms());
  touch(flow);
  return flow;
}

void UdpForwarder::touch(Flow* flow) {
  (flow->answered ? answered_ : unanswered_).touch(&flow->timed, loop_->now_ms());
}

void UdpForwarder::expired(void* self, Timed* timed) {
  static_cast<UdpForwarder*>(self)->close(holder_of(timed, &Flow::timed));
}

void UdpForwarder::close(Flow* flow) {
  if (flow->closed) return;
  flow->closed = true;
  TimeoutList::remove(&flow->timed);
  TimeoutList::remove(&flow->age);
  by_client_.remove(flow);
  loop_->forget(flow->fd);
  ::close(flow->fd);
  --flow->port->flows;
  --flow->by->flows;
  leave(flow->by);
  flow->by = nullptr;
  stats_->udp_flows.fetch_sub(1, std::memory_order_relaxed);
  loop_->later(&flow->task);
}

void UdpForwarder::free_flow(Task* task) {
  Flow* flow = holder_of(task, &Flow::task);
  flow->forwarder->flows_.free(flow);  // its port may be gone by now
}

}  // namespace minke::netd
