// Published TCP ports of rootless containers: connections that the host's listeners accept go on
// from sockets of N, bound to the client's own address and port. Runs on a thread that stands in N.
#pragma once

#include <memory>
#include <vector>

#include "net/port.h"
#include "netd/forward.h"
#include "netd/loop.h"
#include "netd/splice.h"
#include "sys/fd.h"

namespace minke::netd {

class TcpForwarder {
 public:
  TcpForwarder(Loop* loop, PipeBudget* pipes, ForwardStats* stats);
  ~TcpForwarder();
  TcpForwarder(const TcpForwarder&) = delete;
  TcpForwarder& operator=(const TcpForwarder&) = delete;
  Status open();  // once, before the loop runs

  // A listening socket of the host's namespace; `container` stays where it is until remove().
  Status add(ForwardedContainer* container, sys::UniqueFd listener, std::uint16_t container_port,
             net::ProxyHeader proxy);
  // Its listeners are closed, its connections reset.
  void remove(ForwardedContainer* container);
  // Connections that lead to other addresses than the container's of now are reset.
  void reset_stale(ForwardedContainer* container);

 private:
  struct Listener {
    Source source;
    TcpForwarder* forwarder;
    ForwardedContainer* container;
    sys::UniqueFd fd;
    std::uint16_t container_port;
    net::ProxyHeader proxy;
  };
  struct Waiting {  // accepted, but there was no descriptor for its second socket
    Listener* listener;
    sys::UniqueFd client;
  };

  static void ready(Source* source, std::uint32_t events);
  static void connected(Relay* relay, int error);
  static void one_ended(void* self, RelayGroup* group);
  static void pause_over(void* self, Timed* timed);
  static void run_resume(Task* task);
  void accept_some(Listener* listener);
  void forward(Listener* listener, sys::UniqueFd client);
  void pause(int error);
  void resume();

  Loop* loop_;
  ForwardStats* stats_;
  Splicer splicer_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::vector<Waiting> waiting_;
  // While there are no descriptors nothing is accepted: clients wait in the kernel's queue.
  TimeoutList pauses_;
  Timed pause_;
  Task resume_;
  bool paused_ = false;
  std::int64_t last_pause_ms_;
};

}  // namespace minke::netd
