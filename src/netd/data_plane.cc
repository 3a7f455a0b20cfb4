#include "netd/data_plane.h"

#include <malloc.h>
#include <sched.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <map>

#include "base/log.h"
#include "base/str.h"
#include "netd/carrier.h"
#include "netd/forward_tcp.h"
#include "netd/forward_udp.h"
#include "netd/threads.h"

namespace minke::netd {
namespace {

void raise_fd_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) < 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

bool listens_on_v6(int fd) {
  SocketAddress at;
  return ::getsockname(fd, &at.any, &at.length) == 0 && at.any.sa_family == AF_INET6;
}

std::uint64_t count(const std::atomic<std::uint64_t>& value) {
  return value.load(std::memory_order_relaxed);
}

}  // namespace

struct DataPlane::Impl {
  struct Container {
    net::AttachmentRecord record;
    ForwardedContainer forwarded;
    bool warned_v6 = false;
  };

  explicit Impl(const PlaneOptions& o)
      : options(o),
        tcp(&inside.loop(), &pipes, &forward_stats),
        udp(&inside.loop(), &forward_stats,
            UdpForwarder::Limits{.flows_per_port = o.udp_flows_per_port,
                                 .flows_per_client = o.udp_flows_per_client}),
        carrier(&outside.loop(), &pipes, &carrier_stats, {.own_addresses = o.dial_own_addresses}) {}

  Status start();
  Status enter();
  Status set_container(const net::AttachmentRecord& record, sys::UniqueFd within);
  Status add_port(const std::string& id, PortListener* listener);
  Status remove(const std::string& id, std::vector<net::IpAddress>* gone);
  Status remove_all();
  Status forget(const std::vector<net::IpAddress>& addresses);

  PlaneOptions options;
  PipeBudget pipes;
  ForwardStats forward_stats;
  CarrierStats carrier_stats;
  LoopThread inside, outside;  // in N; in the host's namespace
  TcpForwarder tcp;
  UdpForwarder udp;
  Carrier carrier;
  SynReader reader;
  TakePorts take_ports;
  std::atomic<bool> carrying{false};
  // Of the thread inside.
  std::vector<net::Network> networks;
  std::map<std::string, std::unique_ptr<Container>> containers;
  sys::UniqueFd listener4, listener6;
};

Status DataPlane::Impl::enter() {
  if (::setns(options.netns, CLONE_NEWNET) < 0)
    return Error::from_errno(errno, "enter the containers' network namespace");
  TRY(note_own_namespace());
  TRY(tcp.open());
  TRY(udp.open());
  auto v4 = open_take_listener(false), v6 = open_take_listener(true);
  if (v4) listener4 = std::move(*v4);
  if (v6) listener6 = std::move(*v6);
  if (listener4) take_ports.v4 = local_endpoint(listener4.get()).port;
  if (listener6) take_ports.v6 = local_endpoint(listener6.get()).port;
  return {};
}

Status DataPlane::Impl::start() {
  TRY(inside.start("minke-netd-in", [this] { return enter(); }));
  return outside.start("minke-netd-out",
                       [this] { return carrier.open(std::move(listener4), std::move(listener6)); });
}

DataPlane::DataPlane(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

// The carrier's thread writes verdicts by the reader: it goes first.
DataPlane::~DataPlane() {
  ignore(impl_->inside.call([this] { return impl_->remove_all(); }), "ends anyway");
  ignore(impl_->outside.call([this]() -> Status {
    impl_->carrier.close_all();
    return {};
  }),
         "ends anyway");
  impl_->outside.stop();
  impl_->reader.stop();
  impl_->inside.stop();
}

Result<std::unique_ptr<DataPlane>> DataPlane::start(const PlaneOptions& options) {
  raise_fd_limit();
  // One heap for all threads: they allocate seldom, and each heap of their own would cost pages.
  (void)::mallopt(M_ARENA_MAX, 1);
  auto impl = std::make_unique<Impl>(options);
  Status started = impl->start();
  std::unique_ptr<DataPlane> plane(new DataPlane(std::move(impl)));  // ends what has begun
  TRY(std::move(started));
  return plane;
}

void DataPlane::set_transparent(bool on) { impl_->forward_stats.transparent = on; }

TakePorts DataPlane::take_ports() const { return impl_->take_ports; }

Status DataPlane::start_carrier(std::uint16_t queue) {
  if (impl_->carrying) return Error(Errc::already_exists, "outbound TCP is carried already");
  sys::UniqueFd fd;
  auto open = [&]() -> Status {
    fd = TRY(open_syn_queue(queue));
    return {};
  };
  TRY(impl_->inside.call(open));
  TRY(impl_->reader.start(std::move(fd), queue));
  TRY(impl_->outside.call([this] { return impl_->carrier.hold(&impl_->reader); }));
  impl_->carrying = true;
  return {};
}

Status DataPlane::set_networks(std::vector<net::Network> networks) {
  return impl_->inside.call([&]() -> Status {
    impl_->networks = std::move(networks);
    for (auto& [id, container] : impl_->containers)
      container->forwarded.target = make_target(container->record, impl_->networks);
    return {};
  });
}

Status DataPlane::Impl::set_container(const net::AttachmentRecord& record, sys::UniqueFd within) {
  std::unique_ptr<Container>& container = containers[record.id];
  const bool known = container != nullptr;
  if (!known) container = std::make_unique<Container>();
  container->record = record;
  container->record.ports.clear();
  container->forwarded.target = make_target(record, networks);
  if (within) container->forwarded.within = std::move(within);
  if (!known) return {};
  tcp.reset_stale(&container->forwarded);
  udp.close_flows(&container->forwarded);
  return {};
}

namespace {

std::vector<net::IpAddress> addresses_of(const net::AttachmentRecord& record) {
  std::vector<net::IpAddress> all;
  for (const net::Attachment& a : record.networks)
    for (const net::IpPrefix& p : a.addresses) all.push_back(p.address);
  return all;
}

}  // namespace

Status DataPlane::set_container(const net::AttachmentRecord& record, sys::UniqueFd within) {
  std::vector<net::IpAddress> gone;
  TRY(impl_->inside.call([&]() -> Status {
    const auto known = impl_->containers.find(record.id);
    if (known != impl_->containers.end()) {
      const auto now = addresses_of(record);
      for (const net::IpAddress& a : addresses_of(known->second->record))
        if (std::find(now.begin(), now.end(), a) == now.end()) gone.push_back(a);
    }
    return impl_->set_container(record, std::move(within));
  }));
  return impl_->forget(gone);
}

Status DataPlane::Impl::forget(const std::vector<net::IpAddress>& addresses) {
  if (addresses.empty() || !carrying) return {};
  return outside.call([&]() -> Status {
    for (const net::IpAddress& a : addresses) carrier.forget(a);
    return {};
  });
}

Status DataPlane::Impl::add_port(const std::string& id, PortListener* listener) {
  const auto known = containers.find(id);
  if (known == containers.end())
    return Error(Errc::not_found, concat("no container ", id, " among the published"));
  Container& container = *known->second;
  if (listens_on_v6(listener->socket.get()) && !container.forwarded.target.has_family(true) &&
      !container.warned_v6) {
    container.warned_v6 = true;
    log::warn(concat("container ", id.substr(0, 12),
                     " has no IPv6 address but is published on IPv6: "
                     "it sees those clients under the address of its network's gateway"));
  }
  if (listener->protocol == net::Protocol::udp)
    return udp.add(&container.forwarded, std::move(listener->socket), listener->container_port);
  return tcp.add(&container.forwarded, std::move(listener->socket), listener->container_port,
                 listener->proxy);
}

Status DataPlane::add_port(const std::string& id, PortListener listener) {
  if (listener.protocol == net::Protocol::sctp)
    return Error(Errc::unsupported, "sctp ports cannot be published without root");
  return impl_->inside.call([&] { return impl_->add_port(id, &listener); });
}

Status DataPlane::Impl::remove(const std::string& id, std::vector<net::IpAddress>* gone) {
  const auto known = containers.find(id);
  if (known == containers.end()) return {};
  tcp.remove(&known->second->forwarded);
  udp.remove(&known->second->forwarded);
  *gone = addresses_of(known->second->record);
  containers.erase(known);
  return {};
}

Status DataPlane::Impl::remove_all() {
  std::vector<net::IpAddress> gone;
  while (!containers.empty()) TRY(remove(std::string(containers.begin()->first), &gone));
  return {};
}

Status DataPlane::remove_container(const std::string& id) {
  std::vector<net::IpAddress> gone;
  TRY(impl_->inside.call([&] { return impl_->remove(id, &gone); }));
  return impl_->forget(gone);
}

PlaneStats DataPlane::stats() const {
  const ForwardStats& f = impl_->forward_stats;
  const CarrierStats& c = impl_->carrier_stats;
  return {
      .ports = count(f.ports),
      .in_connections = count(f.tcp.connections),
      .in_total = count(f.tcp.total),
      .in_refused = count(f.refused),
      .in_bytes = count(f.tcp.bytes[0]),
      .out_bytes = count(f.tcp.bytes[1]),
      .udp_flows = count(f.udp_flows),
      .udp_flows_total = count(f.udp_flows_total),
      .udp_dropped = count(f.udp_dropped),
      .carried = count(c.tcp.connections),
      .carried_total = count(c.tcp.total),
      .held = count(c.held),
      .dialled = count(c.dialled),
      .repeated = count(c.repeated),
      .forbidden = count(c.forbidden),
      .unclaimed = count(c.unclaimed),
      .over_limit = count(c.over_limit),
      .carried_up_bytes = count(c.tcp.bytes[0]),
      .carried_down_bytes = count(c.tcp.bytes[1]),
      .fd_shortages = count(f.fd_shortages) + count(c.fd_shortages),
      .transparent = f.transparent.load(std::memory_order_relaxed),
      .carrying = impl_->carrying.load(std::memory_order_relaxed),
  };
}

}  // namespace minke::netd
