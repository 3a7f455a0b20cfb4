// Accepting at the limit of descriptors. A client that cannot be accepted stays in the listener's
// queue, and a loop would be told of it again and again: with a descriptor in reserve it can be
// turned away instead.
#pragma once

#include <sys/socket.h>

#include <cstdint>

#include "sys/fd.h"

namespace minke::netd {

class SpareDescriptor {
 public:
  SpareDescriptor();
  // accept4(2), non-blocking and closed on exec. None: there was nobody, or he was turned away; the
  // log says so at most every ten seconds. `what`: of the listener.
  sys::UniqueFd accept(int listener, const char* what, sockaddr* peer = nullptr,
                       socklen_t* size = nullptr);

 private:
  sys::UniqueFd spare_;
  std::int64_t last_complaint_ = 0;
};

}  // namespace minke::netd
