#include "netd/dns_forward.h"

#include <netinet/in.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>

#include "base/time.h"
#include "sys/fd.h"

namespace minke::netd {
namespace {

constexpr std::int64_t kMs = 1'000'000;
constexpr std::int64_t kNextServer = 250 * kMs;  // a server's start on the next one
constexpr std::int64_t kTryTcp = 1000 * kMs;     // without a word by UDP
constexpr std::int64_t kSendAgain = 1500 * kMs;  // a datagram may be lost
constexpr std::int64_t kGiveUp = 4500 * kMs;     // just before a client's own five seconds
constexpr std::int64_t kSilence = 30 * kSecond, kProbe = 3 * kSecond;
constexpr std::int64_t kTickMs = 50;
constexpr std::size_t kMaxFlights = 512, kMaxHealth = 256, kMaxServers = 8;

std::uint16_t random_id() {
  std::uint16_t id = 0;
  // Does not fail once the kernel's pool is filled, which was long ago.
  if (::getrandom(&id, sizeof id, 0) != sizeof id) id = static_cast<std::uint16_t>(monotonic_ns());
  return id;
}

}  // namespace

struct DnsForwarder::Attempt {
  sys::UniqueFd fd;
  std::size_t server;
  bool tcp;
  std::uint16_t id;
  std::int64_t started;
  bool sent_again = false, ended = false;
  std::string out, in;  // of TCP, each with its length in front
};

struct DnsForwarder::Flight {
  std::uint64_t number;
  std::string query;
  std::uint16_t id;  // the client's
  std::vector<Endpoint> servers;
  std::size_t next = 0;
  bool by_tcp;
  std::int64_t started, next_at;
  std::vector<std::unique_ptr<Attempt>> attempts;
  std::string poor;  // an answer that says that the server could not
  Done done;
};

DnsForwarder::DnsForwarder(sys::EventLoop& loop) : loop_(loop) {}

DnsForwarder::~DnsForwarder() {
  loop_.cancel_timer(timer_);
  for (auto& [number, flight] : flights_)
    for (auto& attempt : flight->attempts)
      if (attempt->fd) loop_.remove(attempt->fd.get());
}

bool DnsForwarder::ask(std::string_view query, const std::vector<Endpoint>& servers, bool by_tcp,
                       Done done) {
  if (flights_.size() >= kMaxFlights || query.size() < kDnsHeader || servers.empty()) {
    ++counters_.refused;
    return false;
  }
  ++counters_.asked;
  std::int64_t now = monotonic_ns();
  auto flight = std::make_unique<Flight>();
  flight->number = next_flight_++;
  flight->query = query;
  flight->id = dns_id(query);
  flight->by_tcp = by_tcp;
  flight->started = now;
  flight->done = std::move(done);
  flight->servers = servers;
  if (flight->servers.size() > kMaxServers) flight->servers.resize(kMaxServers);
  if (health_.size() > kMaxHealth) health_.clear();
  std::stable_partition(flight->servers.begin(), flight->servers.end(),
                        [&](const Endpoint& s) { return health_[s].silent_until <= now; });
  Flight& added = *(flights_[flight->number] = std::move(flight));
  open_next(added, now);
  // One that was silent may be back: asked beside the first, so that nobody waits to find out.
  for (std::size_t i = added.next; i < added.servers.size(); ++i) {
    Health& health = health_[added.servers[i]];
    if (health.silent_until <= now || health.probe_at > now) continue;
    health.probe_at = now + kProbe;
    open_attempt(added, i, health.tcp_until > now);
  }
  arm();
  return true;
}

void DnsForwarder::open_next(Flight& flight, std::int64_t now) {
  if (flight.next >= flight.servers.size()) return;
  std::size_t server = flight.next++;
  flight.next_at = now + kNextServer;
  for (const auto& attempt : flight.attempts)
    if (attempt->server == server) return;  // as a probe, already
  open_attempt(flight, server, flight.by_tcp || health_[flight.servers[server]].tcp_until > now);
}

void DnsForwarder::open_attempt(Flight& flight, std::size_t server, bool tcp) {
  const Endpoint& to = flight.servers[server];
  auto attempt = std::make_unique<Attempt>();
  attempt->server = server;
  attempt->tcp = tcp;
  attempt->id = random_id();
  attempt->started = monotonic_ns();
  attempt->fd =
      sys::UniqueFd(::socket(to.address.v6 ? AF_INET6 : AF_INET,
                             (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  Attempt* raw = attempt.get();
  // "No route" from a router on the way ends the wait too; without this only a closed port does.
  const int on = 1;
  if (!tcp && raw->fd)
    (void)::setsockopt(raw->fd.get(), to.address.v6 ? IPPROTO_IPV6 : IPPROTO_IP,
                       to.address.v6 ? IPV6_RECVERR : IP_RECVERR, &on, sizeof on);
  flight.attempts.push_back(std::move(attempt));
  SocketAddress address(to);
  if (!raw->fd ||
      (::connect(raw->fd.get(), &address.any, address.length) < 0 && errno != EINPROGRESS)) {
    raw->ended = true;
    raw->fd.reset();
    flight.next_at = 0;  // at the next tick
    return;
  }
  std::string query = flight.query;
  set_dns_id(raw->id, &query);
  if (tcp) {
    raw->out = {static_cast<char>(query.size() >> 8), static_cast<char>(query.size())};
    raw->out += query;
  } else if (::send(raw->fd.get(), query.data(), query.size(), MSG_NOSIGNAL) < 0) {
    raw->ended = true;
    flight.next_at = 0;
    return;
  }
  std::uint64_t number = flight.number;
  Status added =
      loop_.add(raw->fd.get(), tcp ? EPOLLIN | EPOLLOUT : EPOLLIN,
                [this, number, raw](std::uint32_t events) { on_ready(number, raw, events); });
  if (!added) raw->ended = true;
}

void DnsForwarder::on_ready(std::uint64_t flight_id, Attempt* attempt, std::uint32_t events) {
  auto found = flights_.find(flight_id);
  if (found == flights_.end()) return;
  if (attempt->tcp)
    on_tcp(*found->second, *attempt, events);
  else
    on_udp(*found->second, *attempt, events);
}

void DnsForwarder::on_udp(Flight& flight, Attempt& attempt, std::uint32_t events) {
  static char buffer[kDnsMaxMessage];  // the loop has one thread
  ssize_t size = ::recv(attempt.fd.get(), buffer, sizeof buffer, 0);
  if (size < 0) {
    // ECONNREFUSED and the like, by ICMP; a send may have been told already, and the event stays.
    if ((errno != EAGAIN && errno != EINTR) || (events & EPOLLERR) != 0) on_failed(flight, attempt);
    return;
  }
  on_reply(flight, attempt, std::string(buffer, static_cast<std::size_t>(size)));
}

void DnsForwarder::on_tcp(Flight& flight, Attempt& attempt, std::uint32_t events) {
  if ((events & EPOLLOUT) != 0 && !attempt.out.empty()) {
    ssize_t sent = ::send(attempt.fd.get(), attempt.out.data(), attempt.out.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) return on_failed(flight, attempt);
    if (sent > 0) attempt.out.erase(0, static_cast<std::size_t>(sent));
    if (attempt.out.empty())
      ignore(loop_.modify(attempt.fd.get(), EPOLLIN), "the tick ends it otherwise");
  }
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0) return;
  char buffer[4096];
  ssize_t size = ::recv(attempt.fd.get(), buffer, sizeof buffer, 0);
  // An ICMP error that came while connect() still ran stands in the error queue alone.
  const bool nothing_yet = size < 0 && (errno == EAGAIN || errno == EINTR);
  if (nothing_yet && (events & EPOLLERR) == 0) return;
  if (size <= 0) return on_failed(flight, attempt);
  attempt.in.append(buffer, static_cast<std::size_t>(size));
  if (attempt.in.size() < 2) return;
  std::size_t length = static_cast<std::size_t>(static_cast<unsigned char>(attempt.in[0])) << 8 |
                       static_cast<unsigned char>(attempt.in[1]);
  if (attempt.in.size() >= length + 2) on_reply(flight, attempt, attempt.in.substr(2, length));
}

void DnsForwarder::on_reply(Flight& flight, Attempt& attempt, std::string reply) {
  std::string query = flight.query;
  set_dns_id(attempt.id, &query);
  if (!is_dns_reply_to(reply, query)) {
    if (attempt.tcp) on_failed(flight, attempt);
    return;  // a datagram that nobody asked for: go on waiting
  }
  Health& health = health_[flight.servers[attempt.server]];
  health.silent_until = 0;
  if (!attempt.tcp)
    health.tcp_until = 0;
  else if (!flight.by_tcp)
    health.tcp_until = monotonic_ns() + kSilence;
  set_dns_id(flight.id, &reply);
  DnsCode code = dns_code_of(reply);
  if (code == DnsCode::ok || code == DnsCode::no_name || code == DnsCode::format_error) {
    // Those that should have been faster are asked later from now on.
    std::int64_t now = monotonic_ns();
    for (const auto& other : flight.attempts)
      if (!other->ended && other.get() != &attempt && now - other->started >= kNextServer)
        health_[flight.servers[other->server]].silent_until = now + kSilence;
    finish(flight, std::move(reply));
    return;
  }
  flight.poor = std::move(reply);
  on_failed(flight, attempt);
}

void DnsForwarder::on_failed(Flight& flight, Attempt& attempt) {
  loop_.remove(attempt.fd.get());
  attempt.fd.reset();
  attempt.ended = true;
  std::int64_t now = monotonic_ns();
  bool poor = !flight.poor.empty();
  std::size_t server = attempt.server;
  if (!attempt.tcp && !poor) open_attempt(flight, server, true);  // closed for UDP: perhaps not so
  if (flight.next < flight.servers.size()) return open_next(flight, now);
  bool waiting = std::any_of(flight.attempts.begin(), flight.attempts.end(),
                             [](const auto& other) { return !other->ended; });
  if (!waiting) finish(flight, std::move(flight.poor));
}

void DnsForwarder::finish(Flight& flight, std::string reply) {
  ++(reply.empty() ? counters_.unanswered : counters_.answered);
  for (auto& attempt : flight.attempts)
    if (attempt->fd) loop_.remove(attempt->fd.get());
  Done done = std::move(flight.done);
  flights_.erase(flight.number);  // `flight` is gone
  done(std::move(reply));
}

void DnsForwarder::arm() {
  if (timer_ == 0 && !flights_.empty()) timer_ = loop_.add_timer(kTickMs, [this] { tick(); });
}

void DnsForwarder::tick() {
  timer_ = 0;
  std::int64_t now = monotonic_ns();
  std::vector<std::uint64_t> numbers;
  numbers.reserve(flights_.size());
  for (const auto& [number, flight] : flights_) numbers.push_back(number);
  for (std::uint64_t number : numbers) {
    auto found = flights_.find(number);
    if (found == flights_.end()) continue;
    Flight& flight = *found->second;
    bool waiting = flight.next < flight.servers.size();
    for (const auto& attempt : flight.attempts) waiting |= !attempt->ended;
    if (now - flight.started >= kGiveUp || !waiting) {
      for (const auto& attempt : flight.attempts)
        if (!attempt->ended) health_[flight.servers[attempt->server]].silent_until = now + kSilence;
      finish(flight, std::move(flight.poor));
      continue;
    }
    if (now >= flight.next_at) open_next(flight, now);
    for (std::size_t i = 0; i < flight.attempts.size(); ++i) {
      Attempt& attempt = *flight.attempts[i];
      if (attempt.ended || attempt.tcp || attempt.sent_again) continue;
      if (now - attempt.started < kTryTcp) continue;
      if (now - attempt.started >= kSendAgain) {
        attempt.sent_again = true;
        std::string query = flight.query;
        set_dns_id(attempt.id, &query);
        if (::send(attempt.fd.get(), query.data(), query.size(), MSG_NOSIGNAL) < 0) continue;
      }
      std::size_t server = attempt.server;
      bool has_tcp = std::any_of(flight.attempts.begin(), flight.attempts.end(),
                                 [&](const auto& a) { return a->tcp && a->server == server; });
      if (!has_tcp) open_attempt(flight, server, true);
    }
  }
  arm();
}

}  // namespace minke::netd
