// Outbound TCP of rootless containers: each SYN is held in a netfilter queue of N until the host's
// own connect has its answer; then the container is told the same, or gets a listener of N that is
// spliced to the connection. Runs on a thread that stands in the host's namespace.
#pragma once

#include <atomic>
#include <vector>

#include "netd/dial_rules.h"
#include "netd/hash_table.h"
#include "netd/loop.h"
#include "netd/slab.h"
#include "netd/splice.h"
#include "netd/syn_reader.h"
#include "sys/fd.h"

namespace minke::netd {

struct CarrierStats {
  SpliceStats tcp;
  std::atomic<std::uint64_t> held{0}, dialled{0}, repeated{0}, forbidden{0}, unclaimed{0},
      over_limit{0}, fd_shortages{0};
};

// A listener for what tproxy brings: bound to the loopback of the namespace that the calling thread
// stands in, so that containers cannot reach it by themselves.
Result<sys::UniqueFd> open_take_listener(bool v6);

class Carrier {
 public:
  struct Options {
    bool own_addresses = true;  // the host's addresses but loopback may be dialled
    std::int64_t claim_ms = 4000;
  };
  Carrier(Loop* loop, PipeBudget* pipes, CarrierStats* stats, const Options& options);
  ~Carrier();
  Carrier(const Carrier&) = delete;
  Carrier& operator=(const Carrier&) = delete;

  // On the carrier's thread, once. A listener may be empty: that family is not carried.
  Status open(sys::UniqueFd listener4, sys::UniqueFd listener6);
  Status hold(SynReader* reader);  // from here on; the reader is this thread's now
  // A container's address is gone: what it has open is reset.
  void forget(const net::IpAddress& client);
  void close_all();

 private:
  enum class State : std::uint8_t { dialling, connected, claimed };
  // A container's address.
  struct Client {
    Client* chain = nullptr;
    std::uint64_t hash = 0;
    net::IpAddress address;
    RelayGroup relays;
    std::uint32_t dials = 0;
  };
  // A SYN and the host's connection for it.
  struct Dial {
    Source source;
    Timed timed;
    Task task;
    Carrier* carrier = nullptr;
    Dial* chain = nullptr;
    std::uint64_t hash = 0;
    Client* by = nullptr;
    Endpoint client, destination;
    std::int64_t began_ms = 0;
    std::uint32_t sequence = 0, packet = 0;
    int fd = -1;
    State state = State::dialling;
    bool closed = false;
  };
  struct Listener {
    Source source;
    Carrier* carrier = nullptr;
    sys::UniqueFd fd;
  };

  static void syns_ready(Source* source, std::uint32_t events);
  static void listener_ready(Source* source, std::uint32_t events);
  static void dial_ready(Source* source, std::uint32_t events);
  static void late_connected(Relay* relay, int error);
  static void relay_ended(void* self, RelayGroup* group);
  static void unclaimed(void* self, Timed* timed);
  static void pause_over(void* self, Timed* timed);
  static void more_syns(Task* task);
  static void drain_syns(Task* task);
  static void free_dial(Task* task);

  void take_syns();
  void hold_one(const HeldPacket& packet);
  bool repeat(Dial* dial, const HeldPacket& packet);
  int connect_to(const Endpoint& destination, int* error);
  bool may_reach(const net::IpAddress& address);
  void answer(Dial* dial, int error);
  void accept_some(Listener* listener);
  void claim(sys::UniqueFd accepted, const Endpoint& client);
  void carry_late(sys::UniqueFd accepted, const Endpoint& client, const Endpoint& destination);
  void pause(int error);
  Dial* find(const Endpoint& client, const Endpoint& destination, std::uint64_t hash);
  Client* client_of(const net::IpAddress& address);
  void leave(Client* client);
  void drop(Dial* dial, bool abort);

  Loop* loop_;
  CarrierStats* stats_;
  Options options_;
  Splicer splicer_;
  SynReader* reader_ = nullptr;
  Source syn_source_;
  Task more_, drain_;
  Listener listeners_[2];
  Slab<Dial> dials_;
  Slab<Client> clients_;
  HashTable<Dial> by_ends_;
  HashTable<Client> by_address_;
  TimeoutList unclaimed_, pauses_;
  Timed pause_;
  std::uint64_t seed_;
  std::uint32_t dial_limit_, client_limit_;
  std::int64_t last_complaint_ms_;
  sys::UniqueFd routes_;  // asks the host's routing table
};

}  // namespace minke::netd
