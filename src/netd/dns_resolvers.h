// The host's own name servers, as its resolv.conf says now.
#pragma once

#include <sys/stat.h>

#include <string>
#include <string_view>
#include <vector>

#include "netd/endpoint.h"

namespace minke::netd {

// The nameserver lines; ones that do not parse are left out. At most eight.
std::vector<Endpoint> parse_name_servers(std::string_view resolv_conf);

class HostResolvers {
 public:
  HostResolvers(std::string path, std::string resolved_path)
      : files_{{std::move(path), {}}, {std::move(resolved_path), {}}} {}
  HostResolvers() : HostResolvers("/etc/resolv.conf", "/run/systemd/resolve/resolv.conf") {}

  // What the files say; looked at again at most twice a second, read again when they are others.
  // systemd-resolved's stub is replaced by the servers behind it. Without any server: 127.0.0.1,
  // as resolv.conf(5) has it.
  const std::vector<Endpoint>& servers();

 private:
  struct File {
    std::string path;
    struct stat seen;
  };
  bool changed();
  File files_[2];
  std::int64_t looked_at_ = 0;
  std::vector<Endpoint> servers_;
};

}  // namespace minke::netd
