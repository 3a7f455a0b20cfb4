// plane: the data plane of minke-netd by itself, in the place of the daemon, for tests and
// benchmarks.
//   plane PID [--user] [--no-own] [--nofile=N]      N is the network namespace of PID; --user: join
//   its user namespace first
// Reads commands from standard input, one a line, and answers each with one line ("ok", "error:
// ...", or what was asked):
//   container ID NETWORK[,NETWORK]...  a network: ADDRESS/LEN|ADDRESS/LEN...=GATEWAY|GATEWAY[!]
//   ('!': internal) port ID tcp|udp ADDRESS PORT CONTAINER_PORT [v1|v2|dual] remove ID transparent
//   on|off    take    carrier QUEUE    stats    nofile N (before the first container)
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "base/str.h"
#include "net/setup.h"
#include "netd/data_plane.h"
#include "netd/endpoint.h"
#include "netd/threads.h"

using namespace minke;

namespace {

constexpr std::uint16_t kQueue = 0;

std::vector<std::string> words_of(const std::string& text, char separator) {
  std::vector<std::string> words;
  std::string word;
  for (char c : text + separator) {
    if (c != separator) {
      word += c;
    } else {
      if (!word.empty()) words.push_back(word);
      word.clear();
    }
  }
  return words;
}

Result<net::Attachment> parse_network(std::string text, int index) {
  net::Attachment a;
  a.network = "n" + std::to_string(index);
  a.driver = "bridge";
  if (text.ends_with('!')) {
    a.internal = true;
    text.pop_back();
  }
  const auto sides = words_of(text, '=');
  if (sides.empty()) return Error(Errc::invalid_argument, "empty network");
  for (const std::string& p : words_of(sides[0], '|'))
    a.addresses.push_back(TRY(net::IpPrefix::parse(p)));
  if (sides.size() > 1)
    for (const std::string& g : words_of(sides[1], '|'))
      a.gateways.push_back(TRY(net::IpAddress::parse(g)));
  return a;
}

Result<sys::UniqueFd> bind_port(const std::string& protocol, const netd::Endpoint& at, bool dual) {
  const int type = protocol == "udp" ? SOCK_DGRAM : SOCK_STREAM;
  sys::UniqueFd fd(::socket(at.address.v6 ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC, 0));
  if (!fd) return Error::from_errno(errno, "socket");
  const int on = 1, only = dual ? 0 : 1;
  if (type == SOCK_STREAM) (void)::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (at.address.v6) (void)::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only);
  const netd::SocketAddress address(at);
  if (::bind(fd.get(), &address.any, address.length) < 0)
    return Error::from_errno(errno, "bind " + at.text());
  if (type == SOCK_STREAM && ::listen(fd.get(), 65535) < 0)
    return Error::from_errno(errno, "listen");
  return fd;
}

Status make_bridge(const net::Place& n, const std::vector<std::string>& w) {
  net::Network network;
  network.name = network.interface = w.at(1);
  network.id = std::string(64, 'a');
  network.driver = "bridge";
  for (std::size_t i = 2; i < w.size(); ++i) {
    const auto sides = words_of(w[i], '=');
    net::Subnet subnet;
    subnet.subnet = TRY(net::IpPrefix::parse(sides.at(0)));
    subnet.gateway = TRY(net::IpAddress::parse(sides.at(1)));
    network.ipv6_enabled |= subnet.subnet.address.v6;
    network.subnets.push_back(subnet);
  }
  return net::ensure_network(network, n);
}

Status prepare(netd::DataPlane* plane, const net::Place& n, bool carry) {
  net::InsidePorts ports;
  if (carry) ports = {plane->take_ports().v4, plane->take_ports().v6, kQueue};
  const net::Inside inside = TRY(net::prepare_inside(n, ports));
  std::printf("queue=%s transparent=%d carries=%d ", net::queue_name(inside.queue),
              inside.transparent, inside.carries);
  plane->set_transparent(inside.transparent);
  return inside.carries && !plane->stats().carrying ? plane->start_carrier(kQueue) : Status();
}

Status add_container(netd::DataPlane* plane, const std::vector<std::string>& w) {
  net::AttachmentRecord record;
  record.id = w.at(1);
  int index = 0;
  for (const std::string& n : words_of(w.at(2), ','))
    record.networks.push_back(TRY(parse_network(n, index++)));
  return plane->set_container(record);
}

Status add_port(netd::DataPlane* plane, const std::vector<std::string>& w) {
  netd::PortListener listener;
  const std::string how = w.size() > 6 ? w[6] : "";
  netd::Endpoint at{TRY(net::IpAddress::parse(w.at(3))),
                    static_cast<std::uint16_t>(std::atoi(w.at(4).c_str()))};
  listener.socket = TRY(bind_port(w.at(2), at, how == "dual"));
  listener.protocol = w[2] == "udp" ? net::Protocol::udp : net::Protocol::tcp;
  listener.container_port = static_cast<std::uint16_t>(std::atoi(w.at(5).c_str()));
  if (how == "v1") listener.proxy = net::ProxyHeader::v1;
  if (how == "v2") listener.proxy = net::ProxyHeader::v2;
  return plane->add_port(w[1], std::move(listener));
}

void print_stats(const netd::PlaneStats& s) {
#define FIELD(name) std::printf("%s=%llu ", #name, static_cast<unsigned long long>(s.name))
  FIELD(ports);
  FIELD(in_connections);
  FIELD(in_total);
  FIELD(in_refused);
  FIELD(in_bytes);
  FIELD(out_bytes);
  FIELD(udp_flows);
  FIELD(udp_flows_total);
  FIELD(udp_dropped);
  FIELD(carried);
  FIELD(carried_total);
  FIELD(held);
  FIELD(dialled);
  FIELD(repeated);
  FIELD(forbidden);
  FIELD(unclaimed);
  FIELD(over_limit);
  FIELD(carried_up_bytes);
  FIELD(carried_down_bytes);
  FIELD(fd_shortages);
  FIELD(transparent);
  FIELD(carrying);
#undef FIELD
  std::puts("");
}

Status obey(netd::DataPlane* plane, netd::LoopThread* inside, const net::Place& n,
            const std::vector<std::string>& w) {
  if (w[0] == "bridge") return inside->call([&] { return make_bridge(n, w); });
  if (w[0] == "prepare") return inside->call([&] { return prepare(plane, n, w.size() > 1); });
  if (w[0] == "container" && w.size() == 3) return add_container(plane, w);
  if (w[0] == "port" && w.size() >= 6) return add_port(plane, w);
  if (w[0] == "remove" && w.size() == 2) return plane->remove_container(w[1]);
  if (w[0] == "transparent" && w.size() == 2) return plane->set_transparent(w[1] == "on"), Status();
  return Error(Errc::invalid_argument, "no such command");
}

Status join(const char* pid, bool user, int* netns) {
  const std::string base = concat("/proc/", pid, "/ns/");
  auto user_ns = sys::open(base + "user", O_RDONLY);
  auto net_ns = TRY(sys::open(base + "net", O_RDONLY));
  if (user) {
    if (!user_ns) return std::move(user_ns.error());
    if (::setns(user_ns->get(), CLONE_NEWUSER) < 0)
      return Error::from_errno(errno, "join the user namespace");
  }
  *netns = net_ns.release();
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  netd::PlaneOptions options;
  bool user = false;
  for (int i = 2; i < argc; ++i) {
    if (!std::strcmp(argv[i], "--user")) user = true;
    if (!std::strcmp(argv[i], "--no-own")) options.dial_own_addresses = false;
    if (!std::strncmp(argv[i], "--nofile=", 9)) {
      const rlim_t n = static_cast<rlim_t>(std::atoi(argv[i] + 9));
      const rlimit limit{n, n};
      (void)::setrlimit(RLIMIT_NOFILE, &limit);
    }
  }
  if (argc < 2) return 2;
  Status joined = join(argv[1], user, &options.netns);
  if (!joined) return std::printf("error: %s\n", joined.error().message().c_str()), 1;
  auto plane = netd::DataPlane::start(options);
  if (!plane) return std::printf("error: %s\n", plane.error().message().c_str()), 1;
  const net::Place n{options.netns, true, {}};
  netd::LoopThread
      inside;  // stands in N: an ordinary user's process could not come back from there
  Status entered = inside.start("plane-n", [&]() -> Status {
    return ::setns(n.netns, CLONE_NEWNET) == 0 ? Status() : Error::from_errno(errno, "setns");
  });
  if (!entered) return std::printf("error: %s\n", entered.error().message().c_str()), 1;
  std::puts("ready");
  char line[1000];
  while (std::fgets(line, sizeof line, stdin) != nullptr) {
    line[std::strcspn(line, "\n")] = 0;
    const auto w = words_of(line, ' ');
    if (w.empty()) continue;
    if (w[0] == "stats") {
      print_stats((*plane)->stats());
    } else if (Status s = obey(plane->get(), &inside, n, w); s) {
      std::puts("ok");
    } else {
      std::printf("error: %s\n", s.error().message().c_str());
    }
  }
  return 0;
}
