// The name server that containers ask: one pair of sockets for each gateway of each network. It
// answers names of ours at once and hands the rest to the forwarder.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "netd/dns_forward.h"
#include "netd/dns_resolvers.h"
#include "netd/dns_zone.h"
#include "netd/endpoint.h"
#include "netd/spare.h"
#include "sys/event_loop.h"
#include "sys/fd.h"

namespace minke::netd {

class DnsServer {
 public:
  struct Sockets {
    Endpoint at;
    sys::UniqueFd udp, tcp;  // bound; tcp listens; both non-blocking
  };
  struct Counters {
    std::uint64_t queries = 0, own = 0, forwarded = 0, bad = 0;
  };

  DnsServer(sys::EventLoop& loop, const DnsZone& zone, HostResolvers& resolvers);
  ~DnsServer();
  // Binds without a need for the address to be there yet. In the namespace of the calling thread.
  static Result<Sockets> bind(const Endpoint& at);

  Status add_network(const std::string& name, std::vector<Sockets> sockets);
  void remove_network(const std::string& name);
  bool has_network(const std::string& name) const { return networks_.count(name) > 0; }
  // Of --dns of a network: asked in place of the host's. Empty: the host's.
  void set_servers(const std::string& name, std::vector<Endpoint> servers);
  const Counters& counters() const { return counters_; }
  const DnsForwarder& forwarder() const { return forwarder_; }

  // The answer to one packet; empty for none. `later` takes the answer of an upstream server.
  std::string answer(const std::string& network, const net::IpAddress& asker,
                     std::string_view packet, bool by_tcp, const DnsForwarder::Done& later);

 private:
  struct Network {
    std::vector<std::shared_ptr<Sockets>> sockets;
    std::vector<Endpoint> servers;
  };
  struct Stream;
  void on_datagrams(const std::string& network, const std::shared_ptr<Sockets>& sockets);
  void on_connection(const std::string& network, const Sockets& sockets);
  void on_stream(std::uint64_t number, std::uint32_t events);
  void close_stream(std::uint64_t number);
  void send_stream(std::uint64_t number, const std::string& reply);
  std::string own_answer(const std::string& network, const net::IpAddress& asker,
                         std::string_view packet, const DnsQuery& query, std::size_t limit,
                         bool* own);
  std::vector<Endpoint> servers_for(const std::string& network, const net::IpAddress& asker) const;
  void sweep();

  sys::EventLoop& loop_;
  const DnsZone& zone_;
  HostResolvers& resolvers_;
  DnsForwarder forwarder_;
  std::map<std::string, Network> networks_;
  std::map<std::uint64_t, std::unique_ptr<Stream>> streams_;
  std::uint64_t next_stream_ = 1, sweeper_ = 0;
  SpareDescriptor spare_;
  std::uint32_t turn_ = 0;  // which of several addresses stands first
  Counters counters_;
};

}  // namespace minke::netd
