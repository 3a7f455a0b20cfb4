// The control socket: who speaks, what is asked, and the answer. Requests are those of
// net/netd_client.h.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "net/netd_client.h"
#include "netd/spare.h"
#include "sys/event_loop.h"
#include "sys/fd.h"

namespace minke::netd {

struct Request {
  net::NetdVerb verb{};
  std::string word;  // an id of 64 hex digits, or a network's name; empty where none is wanted
};
// Only what is well formed: a word becomes part of a path.
Result<Request> parse_request(std::string_view message);

class Control {
 public:
  struct Reply {
    std::string payload;
    std::vector<int> fds;  // stay the handler's
  };
  using Handler = std::function<Result<Reply>(const Request&, std::vector<sys::UniqueFd> fds)>;

  Control(sys::EventLoop& loop, Handler handler) : loop_(loop), handler_(std::move(handler)) {}
  ~Control();
  Status listen(const std::string& runroot);
  // Somebody is connected, or about to be.
  bool busy() const;
  std::size_t watchers() const;
  // Called when the last connection has closed.
  std::function<void()> on_idle;

 private:
  struct Peer {
    sys::UniqueFd socket;
    bool watches = false;
  };
  void on_connect();
  void on_message(std::uint64_t number);
  void close(std::uint64_t number);

  sys::EventLoop& loop_;
  Handler handler_;
  sys::UniqueFd listener_;
  SpareDescriptor spare_;
  std::map<std::uint64_t, Peer> peers_;
  std::uint64_t next_ = 1;
};

}  // namespace minke::netd
