#include "netd/carrier.h"

#include <netinet/in.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/log.h"
#include "base/str.h"
#include "net/ruleset.h"
#include "netd/forward.h"
#include "netd/route_type.h"

namespace minke::netd {
namespace {

constexpr int kSynsPerTurn = 256, kSynsPerDrain = 16, kAcceptsPerTurn = 128, kBacklog = 65535;
constexpr std::int64_t kPauseMs = 250, kQuietMs = 10'000;
// Dials that took this long may have been asked for twice; the second SYN can still be on its way
// when the connection has been claimed.
constexpr std::int64_t kSlowMs = 500;

}  // namespace

Result<sys::UniqueFd> open_take_listener(bool v6) {
  sys::UniqueFd fd(
      ::socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return Error::from_errno(errno, "open a socket");
  const int on = 1;
  const int level = v6 ? IPPROTO_IPV6 : IPPROTO_IP;
  if (::setsockopt(fd.get(), level, v6 ? IPV6_TRANSPARENT : IP_TRANSPARENT, &on, sizeof on) < 0)
    return Error::from_errno(errno, "make a socket transparent");
  if (v6) (void)::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  set_inner_options(fd.get());
  const SocketAddress at(Endpoint{net::IpAddress::loopback(v6), 0, 0});
  if (::bind(fd.get(), &at.any, at.length) < 0 || ::listen(fd.get(), kBacklog) < 0)
    return Error::from_errno(errno, "listen on the loopback");
  return fd;
}

Carrier::Carrier(Loop* loop, PipeBudget* pipes, CarrierStats* stats, const Options& options)
    : loop_(loop),
      stats_(stats),
      options_(options),
      splicer_(loop, pipes, &stats->tcp, relay_ended, this),
      unclaimed_(options.claim_ms, unclaimed, this),
      pauses_(kPauseMs, pause_over, this),
      seed_(0),
      dial_limit_(static_cast<std::uint32_t>(last_usable_fd() / 2)),
      client_limit_(dial_limit_ / 4 * 3),
      last_complaint_ms_(-kQuietMs) {
  (void)!::getrandom(&seed_, sizeof seed_, 0);
  syn_source_.ready = syns_ready;
  more_.run = more_syns;
  drain_.run = drain_syns;
}

Carrier::~Carrier() = default;

Status Carrier::open(sys::UniqueFd listener4, sys::UniqueFd listener6) {
  TRY(loop_->add_timeouts(&unclaimed_));
  TRY(loop_->add_timeouts(&pauses_));
  listeners_[0].fd = std::move(listener4);
  listeners_[1].fd = std::move(listener6);
  for (Listener& l : listeners_) {
    l.source.ready = listener_ready;
    l.carrier = this;
    if (l.fd && !loop_->watch(l.fd.get(), EPOLLIN, &l.source))
      return Error::from_errno(errno, "watch a listener");
  }
  if (!options_.own_addresses) routes_ = TRY(open_route_socket());
  return {};
}

Status Carrier::hold(SynReader* reader) {
  reader_ = reader;
  if (!loop_->watch(reader->fd(), EPOLLIN, &syn_source_))
    return Error::from_errno(errno, "watch the queue");
  loop_->often(&drain_);
  return {};
}

void Carrier::syns_ready(Source* source, std::uint32_t) {
  holder_of(source, &Carrier::syn_source_)->take_syns();
}

void Carrier::more_syns(Task* task) { holder_of(task, &Carrier::more_)->take_syns(); }

void Carrier::drain_syns(Task* task) {
  auto* self = holder_of(task, &Carrier::drain_);
  self->reader_->drain(self->loop_->now_ms());
  if (!self->reader_->empty()) self->loop_->later(&self->more_);
}

// A connect takes as long as many SYNs take to come.
void Carrier::take_syns() {
  HeldPacket packet;
  for (int i = 0; i < kSynsPerTurn; ++i) {
    if (i % kSynsPerDrain == 0) reader_->drain(loop_->now_ms());
    if (!reader_->take(&packet)) return;
    hold_one(packet);
  }
  loop_->later(&more_);
}

Carrier::Dial* Carrier::find(const Endpoint& client, const Endpoint& destination,
                             std::uint64_t hash) {
  for (Dial* d = by_ends_.first(hash); d != nullptr; d = d->chain)
    if (d->hash == hash && d->client == client && d->destination == destination) return d;
  return nullptr;
}

// True when the SYN has its answer by what was done before. A new sequence number is a new
// connection: the container has given up the old one.
bool Carrier::repeat(Dial* dial, const HeldPacket& packet) {
  if (dial->sequence != packet.sequence) {
    if (dial->state == State::dialling) reader_->decide(dial->packet, Verdict::drop, 0);
    drop(dial, true);
    return false;
  }
  stats_->repeated.fetch_add(1, std::memory_order_relaxed);
  reader_->decide(packet.id, dial->state == State::dialling ? Verdict::drop : Verdict::accept, 0);
  return true;
}

void Carrier::hold_one(const HeldPacket& packet) {
  const std::uint64_t hash = hash_of(packet.source, seed_) ^ hash_of(packet.destination, seed_ + 1);
  if (Dial* known = find(packet.source, packet.destination, hash))
    if (repeat(known, packet)) return;
  if (!may_reach(packet.destination.address)) {
    stats_->forbidden.fetch_add(1, std::memory_order_relaxed);
    return reader_->decide(packet.id, Verdict::accept, net::kHeldProhibited);
  }
  Client* by = client_of(packet.source.address);
  if (by->dials >= client_limit_ || by_ends_.size() >= dial_limit_) {
    stats_->over_limit.fetch_add(1, std::memory_order_relaxed);
    leave(by);
    return reader_->decide(packet.id, Verdict::drop, 0);  // it will be asked for again
  }
  int error = 0;
  const int fd = connect_to(packet.destination, &error);
  if (fd < 0) {
    leave(by);
    const SynAnswer told = answer_for(error);
    return reader_->decide(packet.id, told.verdict, told.mark);
  }
  Dial* dial = dials_.make();
  dial->source.ready = dial_ready;
  dial->task.run = free_dial;
  dial->carrier = this;
  dial->by = by;
  dial->client = packet.source;
  dial->destination = packet.destination;
  dial->sequence = packet.sequence;
  dial->packet = packet.id;
  dial->began_ms = packet.came_ms;
  dial->fd = fd;
  ++by->dials;
  by_ends_.insert(dial, hash);
  stats_->held.fetch_add(1, std::memory_order_relaxed);
  if (loop_->watch(fd, EPOLLOUT, &dial->source)) return;
  reader_->decide(packet.id, Verdict::drop, 0);
  drop(dial, true);
}

// A socket whose connect is on its way or done; -1 with its error.
int Carrier::connect_to(const Endpoint& destination, int* error) {
  const int family = destination.address.v6 ? AF_INET6 : AF_INET;
  sys::UniqueFd fd(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  *error = fd ? 0 : errno;
  if (fd && fd.get() > last_usable_fd()) *error = EMFILE;
  if (*error != 0) {
    if (is_shortage(*error)) pause(*error);
    return -1;
  }
  set_relay_options(fd.get());
  stats_->dialled.fetch_add(1, std::memory_order_relaxed);
  const SocketAddress to(destination);
  if (::connect(fd.get(), &to.any, to.length) < 0 && errno != EINPROGRESS) {
    *error = errno;
    return -1;
  }
  return fd.release();
}

bool Carrier::may_reach(const net::IpAddress& address) {
  if (!may_dial(address)) return false;
  return options_.own_addresses || !is_own_address(routes_.get(), address);
}

void Carrier::dial_ready(Source* source, std::uint32_t) {
  auto* dial = reinterpret_cast<Dial*>(source);
  if (dial->closed || dial->state != State::dialling) return;
  int error = 0;
  socklen_t length = sizeof error;
  if (::getsockopt(dial->fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0) error = errno;
  dial->carrier->answer(dial, error);
}

void Carrier::answer(Dial* dial, int error) {
  const SynAnswer told = answer_for(error);
  reader_->decide(dial->packet, told.verdict, told.mark);
  if (error != 0) return drop(dial, false);
  stats_->held.fetch_sub(1, std::memory_order_relaxed);
  dial->state = State::connected;
  loop_->forget(dial->fd);
  unclaimed_.touch(&dial->timed, loop_->now_ms());
}

void Carrier::unclaimed(void* self, Timed* timed) {
  auto* carrier = static_cast<Carrier*>(self);
  Dial* dial = holder_of(timed, &Dial::timed);
  if (dial->state == State::connected)
    carrier->stats_->unclaimed.fetch_add(1, std::memory_order_relaxed);
  carrier->drop(dial, true);
}

void Carrier::listener_ready(Source* source, std::uint32_t) {
  auto* listener = reinterpret_cast<Listener*>(source);
  listener->carrier->accept_some(listener);
}

void Carrier::accept_some(Listener* listener) {
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    SocketAddress peer;
    sys::UniqueFd fd(
        ::accept4(listener->fd.get(), &peer.any, &peer.length, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd && fd.get() <= last_usable_fd()) {
      claim(std::move(fd), peer.endpoint());
    } else if (fd) {
      close_with_reset(fd.release());
      return pause(EMFILE);
    } else if (is_shortage(errno)) {
      return pause(errno);
    } else if (errno == EAGAIN) {
      return;
    }
  }
}

void Carrier::claim(sys::UniqueFd accepted, const Endpoint& client) {
  const Endpoint destination = local_endpoint(accepted.get());
  Dial* dial = find(client, destination, hash_of(client, seed_) ^ hash_of(destination, seed_ + 1));
  if (dial == nullptr || dial->state != State::connected)
    return carry_late(std::move(accepted), client, destination);
  if (splicer_.add(accepted.get(), dial->fd, &dial->by->relays) == nullptr)
    return close_with_reset(accepted.release());  // the other side in four seconds
  (void)accepted.release();
  dial->fd = -1;
  dial->state = State::claimed;
  if (loop_->now_ms() - dial->began_ms < kSlowMs) drop(dial, false);
}

// Nobody held its SYN (the queue was taken up after it had passed): dialled now, and what becomes
// of that is told by a reset.
void Carrier::carry_late(sys::UniqueFd accepted, const Endpoint& client,
                         const Endpoint& destination) {
  int error = 0;
  const int fd = may_reach(destination.address) ? connect_to(destination, &error) : -1;
  if (fd < 0) return close_with_reset(accepted.release());
  Client* by = client_of(client.address);
  if (splicer_.add(accepted.get(), fd, &by->relays, late_connected) == nullptr) {
    leave(by);
    ::close(fd);
    return close_with_reset(accepted.release());
  }
  (void)accepted.release();
}

void Carrier::late_connected(Relay* relay, int error) {
  if (error != 0) relay->splicer->reset(relay);
}

// Without descriptors nothing is taken for a moment: SYNs are repeated, listeners have a queue.
void Carrier::pause(int error) {
  stats_->fd_shortages.fetch_add(1, std::memory_order_relaxed);
  if (loop_->now_ms() - last_complaint_ms_ >= kQuietMs)
    log::error(concat("outbound connections: ", std::strerror(error), " with ",
                      std::to_string(stats_->tcp.connections.load()),
                      " open; new ones wait until others end (limit of open files: ulimit -Hn)"));
  last_complaint_ms_ = loop_->now_ms();
  for (Listener& l : listeners_)
    if (l.fd) (void)loop_->change(l.fd.get(), 0, &l.source);
  pauses_.touch(&pause_, loop_->now_ms());
}

void Carrier::pause_over(void* owner, Timed*) {
  auto* self = static_cast<Carrier*>(owner);
  for (Listener& l : self->listeners_)
    if (l.fd) (void)self->loop_->change(l.fd.get(), EPOLLIN, &l.source);
}

Carrier::Client* Carrier::client_of(const net::IpAddress& address) {
  const std::uint64_t hash = hash_of(address, seed_);
  for (Client* c = by_address_.first(hash); c != nullptr; c = c->chain)
    if (c->hash == hash && c->address == address) return c;
  Client* client = clients_.make();
  client->address = address;
  by_address_.insert(client, hash);
  return client;
}

void Carrier::relay_ended(void* self, RelayGroup* group) {
  static_cast<Carrier*>(self)->leave(holder_of(group, &Client::relays));
}

// A container can have as many addresses as it likes: only those with something open are kept.
void Carrier::leave(Client* client) {
  if (client->dials > 0 || client->relays.count > 0) return;
  by_address_.remove(client);
  clients_.free(client);
}

void Carrier::forget(const net::IpAddress& address) {
  const std::uint64_t hash = hash_of(address, seed_);
  Client* client = by_address_.first(hash);
  while (client != nullptr && !(client->hash == hash && client->address == address))
    client = client->chain;
  if (client == nullptr) return;
  std::vector<Dial*> gone;
  by_ends_.for_each([&](Dial* d) {
    if (d->by == client) gone.push_back(d);
  });
  ++client->dials;  // stays until all of it is gone
  for (Dial* dial : gone) {
    if (dial->state == State::dialling) reader_->decide(dial->packet, Verdict::drop, 0);
    drop(dial, true);
  }
  splicer_.reset_all(&client->relays);
  --client->dials;
  leave(client);
}

void Carrier::close_all() {
  std::vector<net::IpAddress> all;
  by_address_.for_each([&](const Client* c) { all.push_back(c->address); });
  for (const net::IpAddress& a : all) forget(a);
}

void Carrier::drop(Dial* dial, bool abort) {
  if (dial->closed) return;
  dial->closed = true;
  if (dial->state == State::dialling) stats_->held.fetch_sub(1, std::memory_order_relaxed);
  TimeoutList::remove(&dial->timed);
  by_ends_.remove(dial);
  if (dial->fd >= 0) {
    loop_->forget(dial->fd);
    if (abort) {
      close_with_reset(dial->fd);
    } else {
      ::close(dial->fd);
    }
  }
  --dial->by->dials;
  leave(dial->by);
  loop_->later(&dial->task);
}

void Carrier::free_dial(Task* task) {
  Dial* dial = holder_of(task, &Dial::task);
  dial->carrier->dials_.free(dial);
}

}  // namespace minke::netd
