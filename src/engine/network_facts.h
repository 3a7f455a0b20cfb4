// What serves networks now: for `info` and `doctor`.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "engine/host.h"

namespace minke::engine {

struct HelperProgram {
  std::string name, path, version;  // path empty: not installed
};
struct NetworkFacts {
  pid_t netd = 0;  // 0: it does not run now; below, then, what it would use or what is not known
  // Rootless: what carries the containers' UDP and ping out, and TCP where netd cannot.
  std::string uplink, uplink_trouble;
  // Rootless: what hands a new connection to netd (nft, xtables); none: the uplink carries TCP.
  std::string queue;
  bool transparent = true;  // containers are shown clients' own addresses
};
NetworkFacts network_facts(const Host& host);
// slirp4netns, pasta; with what they say of their version.
HelperProgram find_helper_program(const char* name, bool with_version);

}  // namespace minke::engine
