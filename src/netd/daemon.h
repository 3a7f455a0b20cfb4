// netd: names, published ports and outbound traffic of one engine's networks. It keeps nothing that
// cannot be read again from the attachment records.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "sys/fd.h"

namespace minke::netd {

struct DaemonOptions {
  std::string root, runroot;
  std::string user;             // for messages
  uid_t uid = 0;                // outside
  std::string uplink = "auto";  // auto slirp4netns pasta none
  std::string portd;            // empty: where it usually is
  bool rootless = false;
  sys::UniqueFd netns;  // where bridges live: N, or the host's
};

// Returns when nobody needs it any more. `ready` is called once it answers.
Status run_daemon(DaemonOptions options, const std::function<void()>& ready);

}  // namespace minke::netd
