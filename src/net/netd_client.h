// How engine and monitors speak to netd: RUNROOT/netd.sock, seqpacket; a request is one verb and a
// word, with descriptors where the verb takes them; each gets one answer. A message only says where
// to look: netd reads the records itself, so that one started anew knows as much as the old one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sys/fd.h"

namespace minke::net {

enum class NetdVerb : char {
  sync = 's',        // ID: read its attachment record again; listening sockets may come along
  drop = 'd',        // ID: it has ended
  network = 'n',     // NAME: read it again
  watch = 'w',       // ID: the connection stays; its end says that netd is gone. As sync besides
  status = '?',      // the answer is JSON
  namespaces = 'N',  // the answer has the descriptors of the user and of the network namespace
};

// Where netd answers names on a bridge's gateway: 53 is led here, so a resolver of the host on 53
// is in nobody's way.
constexpr std::uint16_t kNetdDnsPort = 27753;

std::string netd_socket(const std::string& runroot);

// The answer in a message: what follows an `ok`, or the error.
std::string pack_netd_answer(std::string_view payload);
std::string pack_netd_error(const Error& error);
Result<std::string> unpack_netd_answer(std::string_view message);

class NetdClient {
 public:
  // not_found or unavailable when none is there.
  static Result<NetdClient> connect(const std::string& runroot);
  struct Answer {
    std::string payload;
    std::vector<sys::UniqueFd> fds;
  };
  Result<Answer> call(NetdVerb verb, std::string_view word = {}, const std::vector<int>& fds = {});
  // Readable when netd ends.
  int fd() const { return socket_.get(); }
  sys::UniqueFd take() { return std::move(socket_); }

 private:
  sys::UniqueFd socket_;
};

}  // namespace minke::net
