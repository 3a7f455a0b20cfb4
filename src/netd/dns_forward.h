// Questions that are not ours, on their way to the host's name servers and back. Each attempt has a
// socket of its own, so that its port is as random as its id, and stands in the namespace of the
// caller. A server that does not answer costs a fraction of a second, and then is asked last.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "netd/dns_message.h"
#include "netd/endpoint.h"
#include "sys/event_loop.h"

namespace minke::netd {

class DnsForwarder {
 public:
  // The reply as it came, with the query's id; empty when no server has answered in time.
  using Done = std::function<void(std::string reply)>;
  struct Counters {
    std::uint64_t asked = 0, answered = 0, unanswered = 0, refused = 0;
  };

  explicit DnsForwarder(sys::EventLoop& loop);
  ~DnsForwarder();
  // False when too many questions are under way already. `done` runs later, never within ask().
  bool ask(std::string_view query, const std::vector<Endpoint>& servers, bool by_tcp, Done done);
  std::size_t under_way() const { return flights_.size(); }
  const Counters& counters() const { return counters_; }

 private:
  struct Attempt;
  struct Flight;
  struct Health {
    std::int64_t silent_until = 0;  // asked last till then
    std::int64_t probe_at = 0;      // but once in a while beside the others
    std::int64_t tcp_until = 0;     // answers by TCP only
  };
  void open_next(Flight& flight, std::int64_t now);
  void open_attempt(Flight& flight, std::size_t server, bool tcp);
  void on_ready(std::uint64_t flight_id, Attempt* attempt, std::uint32_t events);
  void on_udp(Flight& flight, Attempt& attempt, std::uint32_t events);
  void on_tcp(Flight& flight, Attempt& attempt, std::uint32_t events);
  void on_reply(Flight& flight, Attempt& attempt, std::string reply);
  void on_failed(Flight& flight, Attempt& attempt);
  void finish(Flight& flight, std::string reply);
  void tick();
  void arm();

  sys::EventLoop& loop_;
  std::map<std::uint64_t, std::unique_ptr<Flight>> flights_;
  std::map<Endpoint, Health> health_;
  std::uint64_t next_flight_ = 1;
  std::uint64_t timer_ = 0;
  Counters counters_;
};

}  // namespace minke::netd
