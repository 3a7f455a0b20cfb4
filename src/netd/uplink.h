// What carries the containers' other traffic out of N: pasta or slirp4netns of the distribution. A
// small process of our own keeps it running, so that netd itself never starts a program.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "sys/event_loop.h"
#include "sys/fd.h"

namespace minke::netd {

struct UplinkProgram {
  std::string name;  // slirp4netns, pasta
  std::string path;
  std::vector<std::string> argv;  // as 3: N; as 4: where it says that it is ready; as 5: its life
  bool says_ready = false, has_life = false;
};

// The ones that are installed, best first; `wanted` (pasta, slirp4netns, auto) leaves others out.
// `help` gives what a program says of its own options.
std::vector<UplinkProgram> find_uplinks(const std::string& wanted);
UplinkProgram slirp_uplink(const std::string& path, const std::string& help, bool host_has_v6);
UplinkProgram pasta_uplink(const std::string& path, const std::string& help, bool host_has_v6);
bool host_has_v6();  // a default route

class Uplink {
 public:
  struct State {
    std::string program;  // empty: none is installed
    std::string trouble;  // why it does not serve now
    bool up = false;
    std::uint32_t restarts = 0;
  };
  ~Uplink();
  // Forks the keeper: before there are threads. `pid_file` names the running program, for the next
  // netd to end what a killed keeper has left.
  Status start(int netns, const std::string& wanted, const std::string& pid_file);
  // Until it is up or known not to be.
  void wait_ready(int timeout_ms);
  Status watch(sys::EventLoop& loop);
  const State& state() const { return state_; }

 private:
  bool read_report();
  sys::UniqueFd reports_;
  State state_;
  sys::EventLoop* loop_ = nullptr;
};

}  // namespace minke::netd
