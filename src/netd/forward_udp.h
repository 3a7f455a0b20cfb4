// Published UDP ports of rootless containers: one connected socket of N for each client that
// speaks, bound to the client's address and port, so that the container's answers come back to it.
// Runs on a thread that stands in N.
#pragma once

#include <memory>
#include <vector>

#include "netd/datagrams.h"
#include "netd/forward.h"
#include "netd/hash_table.h"
#include "netd/loop.h"
#include "netd/slab.h"
#include "sys/fd.h"

namespace minke::netd {

class UdpForwarder {
 public:
  // Bounds of what strangers can make us keep.
  struct Limits {
    std::uint32_t flows_per_port = 8192;
    std::uint32_t flows_per_client = 1024;                       // an address; of v6 a /64
    std::int64_t unanswered_ms = 30'000, answered_ms = 120'000;  // conntrack's own
  };
  UdpForwarder(Loop* loop, ForwardStats* stats, const Limits& limits);
  ~UdpForwarder();
  UdpForwarder(const UdpForwarder&) = delete;
  UdpForwarder& operator=(const UdpForwarder&) = delete;
  Status open();  // once, before the loop runs

  Status add(ForwardedContainer* container, sys::UniqueFd socket, std::uint16_t container_port);
  void remove(ForwardedContainer* container);
  // The container's addresses have changed: its clients' next datagrams find the new ones.
  void close_flows(ForwardedContainer* container);

 private:
  struct Flow;
  struct Port {
    Source source;
    UdpForwarder* forwarder;
    ForwardedContainer* container;
    sys::UniqueFd fd;
    std::uint16_t container_port;
    std::uint32_t flows = 0;
    TimeoutList young{0, nullptr, nullptr};  // its unanswered flows, in the order they came
  };
  // How many flows an address has, by its prefix.
  struct Client {
    Client* chain = nullptr;
    std::uint64_t hash = 0;
    net::IpAddress prefix;
    std::uint32_t flows = 0;
  };
  struct Flow {
    Source source;
    Timed timed;
    Timed age;  // in Port::young
    Task task;
    UdpForwarder* forwarder = nullptr;
    Flow* chain = nullptr;
    std::uint64_t hash = 0;
    Port* port = nullptr;
    Client* by = nullptr;
    Endpoint client;
    net::IpAddress local;  // of the host: answers come from it
    net::IpAddress target;
    std::uint16_t target_port = 0;
    std::uint32_t interface = 0;
    int fd = -1;
    bool answered = false, mapped = false, closed = false;
  };

  static void port_ready(Source* source, std::uint32_t events);
  static void flow_ready(Source* source, std::uint32_t events);
  static void expired(void* self, Timed* timed);
  static void free_flow(Task* task);
  void receive_from_clients(Port* port);
  void receive_from_container(Flow* flow);
  Flow* find(Port* port, const Endpoint& client, const net::IpAddress& local, std::uint64_t hash);
  Flow* make(Port* port, const Datagrams& first, const Endpoint& client, std::uint64_t hash);
  bool make_room(Port* port, const Client* by);
  Client* client_of(const net::IpAddress& address);
  bool port_is_taken(const Route& route, std::uint16_t target_port, const Endpoint& client,
                     std::uint64_t hash) const;
  void touch(Flow* flow);
  void close(Flow* flow);
  void leave(Client* client);

  Loop* loop_;
  ForwardStats* stats_;
  Limits limits_;
  std::uint32_t flow_limit_;  // of all ports: a share of the descriptors
  std::uint64_t seed_;
  std::vector<std::unique_ptr<Port>> ports_;
  Slab<Flow> flows_;
  Slab<Client> clients_;
  HashTable<Flow> by_client_;
  HashTable<Client> by_prefix_;
  TimeoutList unanswered_, answered_;
  DatagramBatch batch_;
  std::int64_t last_complaint_ms_;
};

}  // namespace minke::netd
