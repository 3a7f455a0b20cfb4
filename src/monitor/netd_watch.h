// A container on a network watches the network's daemon: one that dies is started anew by whichever
// monitor is first, and learns all it needs from the records.
#pragma once

#include <string>
#include <vector>

#include "monitor/plan.h"
#include "sys/event_loop.h"
#include "sys/fd.h"

namespace minke::monitor {

class NetdWatch {
 public:
  explicit NetdWatch(sys::EventLoop& loop) : loop_(loop) {}
  ~NetdWatch() { stop(); }
  // `listeners`: sockets that the container was given; each new netd gets them, and `within`, the
  // container's network namespace, where it is one. Without a netd they are kept open until the
  // end.
  void start(const NetdPlan& plan, const std::string& id, std::vector<sys::UniqueFd> listeners,
             sys::UniqueFd within = {});
  void stop();
  // What the next run needs again.
  const std::vector<sys::UniqueFd>& listeners() const { return listeners_; }

 private:
  void connect();
  void on_ready();
  void run_command();
  void try_later();

  sys::EventLoop& loop_;
  NetdPlan plan_;
  std::string id_;
  std::vector<sys::UniqueFd> listeners_;
  sys::UniqueFd within_;
  sys::UniqueFd socket_;
  std::uint64_t timer_ = 0;
  int misses_ = 0;  // connects that failed since the last one that did not
};

}  // namespace minke::monitor
