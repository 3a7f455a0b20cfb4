#include "netd/dns_resolvers.h"

#include <net/if.h>

#include <algorithm>

#include "base/str.h"
#include "base/time.h"
#include "sys/fd.h"

namespace minke::netd {
namespace {

constexpr std::size_t kMaxServers = 8, kMaxFile = 64 << 10;
constexpr std::int64_t kLookAgain = kSecond / 2;
constexpr std::uint16_t kPort = 53;

bool is_same(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_size == b.st_size &&
         a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec &&
         a.st_ctim.tv_sec == b.st_ctim.tv_sec && a.st_ctim.tv_nsec == b.st_ctim.tv_nsec;
}

bool is_stub(const Endpoint& server) {
  // 127.0.0.53 and .54, systemd-resolved's
  return !server.address.v6 && server.address.v4_number() >> 1 == 0x7f000035 >> 1;
}

}  // namespace

std::vector<Endpoint> parse_name_servers(std::string_view resolv_conf) {
  std::vector<Endpoint> servers;
  for (std::string_view line : split(resolv_conf, '\n')) {
    line = trim(line);
    constexpr std::string_view kWord = "nameserver";
    if (!line.starts_with(kWord) || servers.size() == kMaxServers) continue;
    std::string_view rest = line.substr(kWord.size());
    if (rest.empty() || (rest[0] != ' ' && rest[0] != '\t')) continue;
    rest = trim(rest);
    rest = rest.substr(0, rest.find_first_of(" \t#;"));
    Endpoint server;
    server.port = kPort;
    if (auto zone = split_once(rest, '%')) {
      rest = zone->first;
      server.scope = ::if_nametoindex(std::string(zone->second).c_str());
      if (server.scope == 0) continue;
    }
    auto address = net::IpAddress::parse(rest);
    if (!address) continue;
    server.address = *address;
    if (std::find(servers.begin(), servers.end(), server) == servers.end())
      servers.push_back(server);
  }
  return servers;
}

bool HostResolvers::changed() {
  bool changed = servers_.empty();
  for (File& file : files_) {
    struct stat now {};
    if (::stat(file.path.c_str(), &now) < 0) now = {};
    if (is_same(now, file.seen)) continue;
    file.seen = now;
    changed = true;
  }
  return changed;
}

const std::vector<Endpoint>& HostResolvers::servers() {
  std::int64_t now = monotonic_ns();
  if (looked_at_ != 0 && now - looked_at_ < kLookAgain) return servers_;
  looked_at_ = now;
  if (!changed()) return servers_;
  auto read = [](const std::string& path) {
    auto text = sys::read_small_file(path, kMaxFile);
    return text ? parse_name_servers(*text) : std::vector<Endpoint>();
  };
  servers_ = read(files_[0].path);
  // The stub alone, or with others behind it that resolved does not ask: its real ones are better.
  if (std::any_of(servers_.begin(), servers_.end(), is_stub))
    if (auto real = read(files_[1].path); !real.empty()) servers_ = std::move(real);
  if (servers_.empty()) servers_.push_back({net::IpAddress::loopback(false), kPort, 0});
  return servers_;
}

}  // namespace minke::netd
