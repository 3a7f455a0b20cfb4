#include "netd/dns_server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>

#include "base/str.h"
#include "base/time.h"

namespace minke::netd {
namespace {

constexpr unsigned kBatch = 16;
constexpr std::size_t kMaxDatagram = 2048;  // a query is small; a longer one is not answered
constexpr std::size_t kMaxStreams = 128, kMaxAddresses = 256;
constexpr std::int64_t kStreamIdle = 10 * kSecond;
constexpr std::int64_t kSweepMs = 2000;
constexpr std::uint16_t kServerPort = 53;
constexpr std::uint32_t kTtl = 0;  // a container started anew has another address

Status set_option(int fd, int level, int option, const char* what) {
  int on = 1;
  if (::setsockopt(fd, level, option, &on, sizeof on) < 0) return Error::from_errno(errno, what);
  return {};
}

Result<sys::UniqueFd> bound_socket(const Endpoint& at, int type) {
  sys::UniqueFd fd(
      ::socket(at.address.v6 ? AF_INET6 : AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return Error::from_errno(errno, "socket");
  // A bridge without a port is down, and a new address of v6 is tentative for a while.
  if (at.address.v6) {
    TRY(set_option(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, "IPV6_V6ONLY"));
    TRY(set_option(fd.get(), IPPROTO_IPV6, IPV6_FREEBIND, "IPV6_FREEBIND"));
  } else {
    TRY(set_option(fd.get(), IPPROTO_IP, IP_FREEBIND, "IP_FREEBIND"));
  }
  if (type == SOCK_STREAM) TRY(set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR, "SO_REUSEADDR"));
  SocketAddress address(at);
  if (::bind(fd.get(), &address.any, address.length) < 0)
    return Error::from_errno(errno, concat("name server: bind ", at.text()));
  return fd;
}

// What a client that takes `limit` bytes gets of a longer answer: to ask again by TCP.
std::string fit(std::string reply, std::size_t question_size, std::size_t limit) {
  if (reply.size() <= limit) return reply;
  reply.resize(kDnsHeader + question_size);
  reply[2] = static_cast<char>(reply[2] | 0x02);
  for (std::size_t i = 6; i < kDnsHeader; ++i) reply[i] = 0;
  return reply;
}

}  // namespace

struct DnsServer::Stream {
  sys::UniqueFd fd;
  std::string network;
  net::IpAddress asker;
  std::string in, out;
  std::int64_t touched;
  bool waiting = false;  // for an answer from upstream: one question at a time
};

DnsServer::DnsServer(sys::EventLoop& loop, const DnsZone& zone, HostResolvers& resolvers)
    : loop_(loop), zone_(zone), resolvers_(resolvers), forwarder_(loop) {}

DnsServer::~DnsServer() {
  while (!networks_.empty()) remove_network(std::string(networks_.begin()->first));
  loop_.cancel_timer(sweeper_);
}

Result<DnsServer::Sockets> DnsServer::bind(const Endpoint& at) {
  Sockets sockets;
  sockets.at = at;
  sockets.udp = TRY(bound_socket(at, SOCK_DGRAM));
  sockets.tcp = TRY(bound_socket(at, SOCK_STREAM));
  if (::listen(sockets.tcp.get(), 64) < 0) return Error::from_errno(errno, "name server: listen");
  return sockets;
}

Status DnsServer::add_network(const std::string& name, std::vector<Sockets> sockets) {
  remove_network(name);
  Network& network = networks_[name];
  for (Sockets& each : sockets) {
    auto shared = std::make_shared<Sockets>(std::move(each));
    network.sockets.push_back(shared);
    TRY(loop_.add(shared->udp.get(), EPOLLIN,
                  [this, name, shared](std::uint32_t) { on_datagrams(name, shared); }));
    TRY(loop_.add(shared->tcp.get(), EPOLLIN,
                  [this, name, shared](std::uint32_t) { on_connection(name, *shared); }));
  }
  return {};
}

void DnsServer::remove_network(const std::string& name) {
  auto found = networks_.find(name);
  if (found == networks_.end()) return;
  for (const auto& sockets : found->second.sockets) {
    loop_.remove(sockets->udp.get());
    loop_.remove(sockets->tcp.get());
  }
  networks_.erase(found);
  std::vector<std::uint64_t> streams;
  for (const auto& [number, stream] : streams_)
    if (stream->network == name) streams.push_back(number);
  for (std::uint64_t number : streams) close_stream(number);
}

void DnsServer::set_servers(const std::string& name, std::vector<Endpoint> servers) {
  if (auto found = networks_.find(name); found != networks_.end())
    found->second.servers = std::move(servers);
}

std::vector<Endpoint> DnsServer::servers_for(const std::string& network,
                                             const net::IpAddress& asker) const {
  auto found = networks_.find(network);
  std::vector<Endpoint> servers;
  for (const net::IpAddress& server : zone_.servers_of(network, asker))
    servers.push_back({server, kServerPort, 0});
  if (servers.empty())
    servers = found != networks_.end() && !found->second.servers.empty() ? found->second.servers
                                                                         : resolvers_.servers();
  // A gateway of ours would ask us again, and again.
  for (const auto& [name, other] : networks_)
    for (const auto& sockets : other.sockets)
      std::erase_if(servers, [&](const Endpoint& s) { return s.address == sockets->at.address; });
  return servers;
}

std::string DnsServer::own_answer(const std::string& network, const net::IpAddress& asker,
                                  std::string_view packet, const DnsQuery& query, std::size_t limit,
                                  bool* own) {
  *own = false;
  if (!query.plain || query.klass != kDnsClassIn) return {};
  net::IpAddress reversed;
  if (parse_reverse_name(query.name, &reversed)) {
    DnsZone::Pointer pointer = zone_.reverse(network, asker, reversed);
    if (pointer.kind == DnsZone::Kind::foreign) return {};
    *own = true;
    bool found = pointer.kind == DnsZone::Kind::found;
    DnsReply reply(packet, query, found ? DnsCode::ok : DnsCode::no_name, limit);
    if (found && (query.type == kDnsTypePtr || query.type == kDnsTypeAny))
      reply.add_pointer(pointer.name, kTtl);
    return reply.take();
  }
  DnsZone::Names names = zone_.look_up(network, asker, query.name, query.type == kDnsTypeAaaa);
  if (names.kind == DnsZone::Kind::foreign) return {};
  *own = true;
  DnsReply reply(packet, query, names.kind == DnsZone::Kind::found ? DnsCode::ok : DnsCode::no_name,
                 limit);
  if (query.type == kDnsTypeAny) {
    auto v6 = zone_.look_up(network, asker, query.name, true);
    names.addresses.insert(names.addresses.end(), v6.addresses.begin(), v6.addresses.end());
  } else if (query.type != kDnsTypeA && query.type != kDnsTypeAaaa) {
    names.addresses.clear();  // the name is there, such a record is not
  }
  if (names.addresses.size() > 1)
    std::rotate(
        names.addresses.begin(),
        names.addresses.begin() + static_cast<std::ptrdiff_t>(turn_++ % names.addresses.size()),
        names.addresses.end());
  if (names.addresses.size() > kMaxAddresses) names.addresses.resize(kMaxAddresses);
  for (const net::IpAddress& address : names.addresses) reply.add(address, kTtl);
  return reply.take();
}

std::string DnsServer::answer(const std::string& network, const net::IpAddress& asker,
                              std::string_view packet, bool by_tcp,
                              const DnsForwarder::Done& later) {
  DnsQuery query;
  DnsParse parsed = parse_dns_query(packet, &query);
  if (parsed == DnsParse::ignore) return {};
  ++counters_.queries;
  if (parsed != DnsParse::query) {
    ++counters_.bad;
    return dns_error(packet, query, parsed,
                     parsed == DnsParse::bad ? DnsCode::format_error : DnsCode::not_implemented);
  }
  std::size_t limit = by_tcp ? kDnsMaxMessage : std::min(query.udp_size, kDnsOwnUdp);
  bool own = false;
  std::string reply = own_answer(network, asker, packet, query, limit, &own);
  if (own) {
    ++counters_.own;
    return reply;
  }
  if (zone_.is_internal(network, asker)) return dns_error(packet, query, parsed, DnsCode::no_name);
  ++counters_.forwarded;
  std::size_t client_limit = by_tcp ? kDnsMaxMessage : query.udp_size;
  auto done = [later, packet = std::string(packet), query, client_limit](std::string got) {
    if (got.empty()) got = dns_error(packet, query, DnsParse::query, DnsCode::server_failure);
    later(fit(std::move(got), query.question_size, client_limit));
  };
  if (!forwarder_.ask(packet, servers_for(network, asker), by_tcp, std::move(done)))
    return dns_error(packet, query, parsed, DnsCode::server_failure);
  return {};
}

void DnsServer::on_datagrams(const std::string& network, const std::shared_ptr<Sockets>& sockets) {
  static char bytes[kBatch][kMaxDatagram];  // the loop has one thread
  SocketAddress peers[kBatch];
  iovec parts[kBatch];
  mmsghdr messages[kBatch];
  for (unsigned i = 0; i < kBatch; ++i) {
    parts[i] = {bytes[i], kMaxDatagram};
    messages[i] = {};
    messages[i].msg_hdr.msg_iov = &parts[i];
    messages[i].msg_hdr.msg_iovlen = 1;
    messages[i].msg_hdr.msg_name = &peers[i].any;
    messages[i].msg_hdr.msg_namelen = peers[i].length;
  }
  int fd = sockets->udp.get();
  int got = ::recvmmsg(fd, messages, kBatch, 0, nullptr);
  if (got <= 0) return;
  std::string replies[kBatch];
  mmsghdr answers[kBatch];
  iovec out[kBatch];
  unsigned count = 0;
  for (int i = 0; i < got; ++i) {
    const mmsghdr& message = messages[i];
    if ((message.msg_hdr.msg_flags & MSG_TRUNC) != 0) continue;
    Endpoint peer = peers[i].endpoint();
    if (peer.port == 0) continue;
    auto later = [sockets, peer](std::string reply) {
      SocketAddress to(peer);
      ::sendto(sockets->udp.get(), reply.data(), reply.size(), MSG_NOSIGNAL, &to.any, to.length);
    };
    replies[count] = answer(network, peer.address, {bytes[i], message.msg_len}, false, later);
    if (replies[count].empty()) continue;
    out[count] = {replies[count].data(), replies[count].size()};
    answers[count] = {};
    answers[count].msg_hdr.msg_iov = &out[count];
    answers[count].msg_hdr.msg_iovlen = 1;
    answers[count].msg_hdr.msg_name = &peers[i].any;
    answers[count].msg_hdr.msg_namelen = message.msg_hdr.msg_namelen;
    ++count;
  }
  // What a full queue refuses is lost as any datagram may be.
  for (unsigned sent = 0; sent < count;) {
    int n = ::sendmmsg(fd, answers + sent, count - sent, MSG_NOSIGNAL);
    sent += n > 0 ? static_cast<unsigned>(n) : 1;
  }
}

void DnsServer::on_connection(const std::string& network, const Sockets& sockets) {
  SocketAddress peer;
  sys::UniqueFd fd =
      spare_.accept(sockets.tcp.get(), "questions for names", &peer.any, &peer.length);
  if (!fd) return;
  if (streams_.size() >= kMaxStreams) {  // the one that was quiet for longest makes place
    auto oldest = std::min_element(
        streams_.begin(), streams_.end(),
        [](const auto& a, const auto& b) { return a.second->touched < b.second->touched; });
    close_stream(oldest->first);
  }
  int on = 1;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  std::uint64_t number = next_stream_++;
  auto stream = std::make_unique<Stream>();
  stream->network = network;
  stream->asker = peer.endpoint().address;
  stream->touched = monotonic_ns();
  stream->fd = std::move(fd);
  if (!loop_.add(stream->fd.get(), EPOLLIN,
                 [this, number](std::uint32_t events) { on_stream(number, events); }))
    return;
  streams_[number] = std::move(stream);
  if (sweeper_ == 0) sweeper_ = loop_.add_timer(kSweepMs, [this] { sweep(); });
}

void DnsServer::close_stream(std::uint64_t number) {
  auto found = streams_.find(number);
  if (found == streams_.end()) return;
  loop_.remove(found->second->fd.get());
  streams_.erase(found);
}

void DnsServer::send_stream(std::uint64_t number, const std::string& reply) {
  auto found = streams_.find(number);
  if (found == streams_.end()) return;
  Stream& stream = *found->second;
  stream.touched = monotonic_ns();
  stream.out += static_cast<char>(reply.size() >> 8);
  stream.out += static_cast<char>(reply.size());
  stream.out += reply;
}

void DnsServer::on_stream(std::uint64_t number, std::uint32_t events) {
  auto found = streams_.find(number);
  if (found == streams_.end()) return;
  Stream& stream = *found->second;
  if ((events & EPOLLIN) != 0) {
    char buffer[2048];
    ssize_t size = ::recv(stream.fd.get(), buffer, sizeof buffer, 0);
    if (size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR)) return close_stream(number);
    if (size > 0) stream.in.append(buffer, static_cast<std::size_t>(size));
    stream.touched = monotonic_ns();
  } else if ((events & (EPOLLHUP | EPOLLERR)) != 0) {
    return close_stream(number);
  }
  auto next_length = [&]() -> std::size_t {
    return stream.in.size() < 2
               ? SIZE_MAX
               : static_cast<std::size_t>(static_cast<unsigned char>(stream.in[0])) << 8 |
                     static_cast<unsigned char>(stream.in[1]);
  };
  while (!stream.waiting && stream.out.empty()) {
    std::size_t length = next_length();
    if (length == SIZE_MAX || stream.in.size() - 2 < length) break;
    if (length > kMaxDatagram) return close_stream(number);
    std::string packet = stream.in.substr(2, length);
    stream.in.erase(0, length + 2);
    std::string reply =
        answer(stream.network, stream.asker, packet, true, [this, number](std::string got) {
          auto still = streams_.find(number);
          if (still == streams_.end()) return;
          still->second->waiting = false;
          send_stream(number, got);
          on_stream(number, EPOLLOUT);
        });
    if (reply.empty())
      stream.waiting = true;
    else
      send_stream(number, reply);
  }
  if (!stream.out.empty()) {
    ssize_t sent = ::send(stream.fd.get(), stream.out.data(), stream.out.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) return close_stream(number);
    if (sent > 0) stream.out.erase(0, static_cast<std::size_t>(sent));
    if (stream.out.empty() && next_length() != SIZE_MAX) return on_stream(number, EPOLLOUT);
  }
  // A client that sends on without reading has to wait.
  std::uint32_t wanted = !stream.out.empty() ? std::uint32_t{EPOLLOUT}
                         : stream.waiting    ? 0U
                                             : std::uint32_t{EPOLLIN};
  if (!loop_.modify(stream.fd.get(), wanted)) close_stream(number);
}

void DnsServer::sweep() {
  std::int64_t now = monotonic_ns();
  std::vector<std::uint64_t> idle;
  for (const auto& [number, stream] : streams_)
    if (now - stream->touched > kStreamIdle) idle.push_back(number);
  for (std::uint64_t number : idle) close_stream(number);
  sweeper_ = streams_.empty() ? 0 : loop_.add_timer(kSweepMs, [this] { sweep(); });
}

}  // namespace minke::netd
