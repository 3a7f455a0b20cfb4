#include "netd/daemon.h"

#include <linux/nsfs.h>
#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "base/log.h"
#include "base/str.h"
#include "base/time.h"
#include "codec/json.h"
#include "net/helper_mode.h"
#include "net/setup.h"
#include "netd/confine.h"
#include "netd/container_ports.h"
#include "netd/control.h"
#include "netd/data_plane.h"
#include "netd/dns_server.h"
#include "netd/threads.h"
#include "netd/uplink.h"
#include "sys/event_loop.h"
#include "sys/lock.h"
#include "sys/process.h"

namespace minke::netd {
namespace {

// Nobody has needed it for this long: the end. A container that is started again at once finds it.
constexpr std::int64_t kLingerMs = 3000;
constexpr int kUplinkReadyMs = 3000;
constexpr std::size_t kMaxNetworkFile = 1 << 20;
constexpr std::uint16_t kQueue = 0;
constexpr std::int64_t kRulesQuietMs = 50;  // a flush comes as many messages

class Daemon {
 public:
  Daemon(DaemonOptions options, std::unique_ptr<sys::EventLoop> loop);
  Status set_up();
  Status run() { return loop_->run(); }

 private:
  struct Container {
    net::AttachmentRecord record;
    ContainerPorts ports;  // where the data plane accepts for it
    sys::Pidfd init;
    sys::UniqueFd within;  // its network namespace, of one that no bridge leads to
  };
  struct Network {
    std::set<std::string> members;  // ids
    std::vector<Endpoint> at;
    std::optional<net::Network> record;
  };

  Result<Control::Reply> serve(const Request& request, std::vector<sys::UniqueFd> fds);
  Result<std::string> sync(const std::string& id, std::vector<sys::UniqueFd> given);
  void drop(const std::string& id);
  void read_all();
  Result<sys::UniqueFd> open_listener(const Container& container, const ListenSpec& spec) const;
  Status publish(Container& container, std::vector<sys::UniqueFd> given,
                 std::vector<std::string>* warnings);
  Status share_networks();
  // Where the bridges are: rootless on the thread that stands in N.
  Status at_bridges(const std::function<Status()>& act);
  net::Place place() const { return {-1, options_.rootless, options_.runroot}; }
  Status start_plane();
  Status prepare_inside();
  Status settle_loopback6();
  std::vector<ListenSpec> wanted_listeners(const net::AttachmentRecord& record,
                                           std::vector<std::string>* warnings) const;
  Status watch_rules();
  void check_rules();
  Status restore_rules();
  std::string holder_of(const ListenSpec& spec, const std::string& but) const;
  Status watch_init(Container& container);
  Status serve_names(const net::AttachmentRecord& record);
  Status listen_for_names(const std::string& name, const std::vector<Endpoint>& at);
  void leave_networks(const net::AttachmentRecord& record, const net::AttachmentRecord* still);
  void set_servers(const std::string& name, const Network& network);
  void read_network(const std::string& name);
  std::string status() const;
  void maybe_linger();
  void maybe_end();
  void on_signal();

  DaemonOptions options_;
  std::unique_ptr<sys::EventLoop> loop_;
  Binder binder_;
  LoopThread inside_;  // stands in N: a rootless process could not come back from there
  std::unique_ptr<DataPlane> plane_;
  Uplink uplink_;
  HostResolvers resolvers_;
  DnsZone zone_;
  DnsServer dns_;
  Control control_;
  sys::UniqueFd signals_, own_userns_;
  std::optional<net::RulesetWatch> rules_;
  std::uint64_t rules_timer_ = 0;
  net::Inside n_;
  bool running_ = false;
  std::uint32_t restored_ = 0;
  std::map<std::string, Container> containers_;
  std::map<std::string, Network> networks_;
  std::uint64_t linger_ = 0;
  TimeNs started_ = now();
};

Daemon::Daemon(DaemonOptions options, std::unique_ptr<sys::EventLoop> loop)
    : options_(std::move(options)),
      loop_(std::move(loop)),
      dns_(*loop_, zone_, resolvers_),
      control_(*loop_, [this](const Request& request, std::vector<sys::UniqueFd> fds) {
        return serve(request, std::move(fds));
      }) {
  binder_.rootless = options_.rootless;
  binder_.uid = options_.uid;
  binder_.user = options_.user;
  if (!options_.portd.empty()) binder_.portd = options_.portd;
}

Status Daemon::set_up() {
  signals_ = TRY(sys::make_signalfd({SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGPIPE}));
  raise_descriptor_limit();
  TRY(control_.listen(options_.runroot));
  control_.on_idle = [this] { maybe_linger(); };
  TRY(loop_->add(signals_.get(), EPOLLIN, [this](std::uint32_t) { on_signal(); }));
  own_userns_ = TRY(sys::open("/proc/self/ns/user", O_RDONLY));
  // First, as it forks; it is ready while the rest is set up.
  if (options_.rootless)
    TRY(uplink_.start(options_.netns.get(), options_.uplink, options_.runroot + "/uplink"));
  TRY(drop_capabilities());
  if (options_.rootless) TRY(start_plane());
  TRY(settle_loopback6());
  TRY(watch_rules());
  read_all();
  uplink_.wait_ready(kUplinkReadyMs);
  TRY(uplink_.watch(*loop_));
  TRY(install_filter());
  running_ = true;
  maybe_linger();
  ::malloc_trim(0);
  return {};
}

Status Daemon::at_bridges(const std::function<Status()>& act) {
  return options_.rootless ? inside_.call(act) : act();
}

Status Daemon::start_plane() {
  auto join_n = [this]() -> Status {
    if (::setns(options_.netns.get(), CLONE_NEWNET) == 0) return {};
    return Error::from_errno(errno, "join the network namespace of the bridges");
  };
  TRY(inside_.start("minke-netd-n", join_n));
  PlaneOptions options;
  options.netns = options_.netns.get();
  plane_ = TRY(DataPlane::start(options));
  return prepare_inside();
}

// Rules of N, as far as this kernel has them: without a queue the uplink carries TCP too, without
// transparent sockets clients show up as their network's gateway.
Status Daemon::prepare_inside() {
  TakePorts take = plane_->take_ports();
  net::InsidePorts ports{take.v4, take.v6, kQueue};
  auto lay = [&]() -> Status {
    n_ = TRY(net::prepare_inside(place(), ports));
    return {};
  };
  TRY(at_bridges(lay));
  plane_->set_transparent(n_.transparent);
  if (!n_.transparent)
    log::warn(
        "this kernel has no transparent sockets: containers see gateways in place of clients");
  if (!n_.carries) log::warn("this kernel cannot hold SYNs: outbound TCP is left to the helper");
  if (!n_.carries || plane_->stats().carrying) return {};
  Status carries = plane_->start_carrier(kQueue);
  if (carries) return {};
  log::warn(concat("outbound TCP is left to the helper: ", carries.error().message()));
  ports = {};
  return at_bridges(lay);
}

// Rootful, where the kernel cannot lead [::1] to a container (net/setup.h): the data plane does. It
// has threads, and those are made at the start: a netd that finds out later ends, and the monitors
// start one that knows.
Status Daemon::settle_loopback6() {
  if (options_.rootless) return {};
  bool ours = TRY(net::settle_loopback6(place()));
  if (ours && !plane_ && !running_) {
    PlaneOptions options;
    options.netns = options_.netns.get();
    plane_ = TRY(DataPlane::start(options));
    plane_->set_transparent(false);
  } else if (ours && !plane_) {
    loop_->stop();
  }
  return {};
}

std::vector<ListenSpec> Daemon::wanted_listeners(const net::AttachmentRecord& record,
                                                 std::vector<std::string>* warnings) const {
  std::vector<ListenSpec> specs = listen_specs(record, warnings);
  if (options_.rootless) return specs;
  std::erase_if(specs, [](ListenSpec& spec) {
    if (spec.at.address == net::IpAddress::any(true))
      spec.at.address = net::IpAddress::loopback(true);
    return spec.at.address != net::IpAddress::loopback(true);
  });
  return specs;
}

Status Daemon::watch_rules() {
  auto open = [this]() -> Status {
    auto watch = TRY(net::RulesetWatch::open(place()));
    rules_.emplace(std::move(watch));
    return {};
  };
  TRY(at_bridges(open));
  return loop_->add(rules_->fd(), EPOLLIN, [this](std::uint32_t) {
    ignore(rules_->drain(), "what was lost is found by looking");
    if (rules_timer_ == 0)
      rules_timer_ = loop_->add_timer(kRulesQuietMs, [this] { check_rules(); });
  });
}

void Daemon::check_rules() {
  rules_timer_ = 0;
  if (containers_.empty()) return;  // the next start lays them
  std::uint32_t before = restored_;
  Status done = at_bridges([this]() -> Status {
    if (TRY(net::table_is_there(place()))) return {};
    return restore_rules();
  });
  if (done && options_.rootless && restored_ != before) done = prepare_inside();
  if (!done) log::error(concat("rules of the networks: ", done.error().message()));
  if (options_.rootless) return;
  if (Status settled = settle_loopback6(); !settled) log::error(settled.error().message());
  auto notes = net::allow_forwarding(place());
  if (!notes) return log::error(notes.error().message());
  for (const std::string& note : *notes) log::warn(note);
}

// Somebody has thrown our table away, as `nft flush ruleset` does.
Status Daemon::restore_rules() {
  std::vector<net::Network> networks;
  std::vector<net::Names> names;
  std::vector<net::AttachmentRecord> records;
  for (const auto& [name, network] : networks_) {
    if (network.record) networks.push_back(*network.record);
    if (!network.at.empty()) names.push_back({name, net::kNetdDnsPort});
  }
  for (const auto& [id, container] : containers_) records.push_back(container.record);
  TRY(net::restore(networks, names, records, place()));
  ++restored_;
  log::warn("the table `inet minke` was gone and has been laid anew");
  return {};
}

void Daemon::on_signal() {
  signalfd_siginfo info;
  while (::read(signals_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT) loop_->stop();
    if (info.ssi_signo == SIGHUP) read_all();
    if (info.ssi_signo == SIGCHLD)
      while (::waitpid(-1, nullptr, WNOHANG) > 0) {
      }
  }
}

void Daemon::read_all() {
  auto ids = sys::list_dir(sys::DirFd::cwd(), (options_.runroot + "/containers").c_str());
  if (!ids) return;
  for (const std::string& id : *ids) {
    if (!parse_request(concat(static_cast<char>(net::NetdVerb::sync), id))) continue;
    auto synced = sync(id, {});
    if (!synced && synced.error().code() != Errc::not_found)
      log::error(concat("container ", id.substr(0, 12), ": ", synced.error().message()));
  }
}

Result<Control::Reply> Daemon::serve(const Request& request, std::vector<sys::UniqueFd> fds) {
  Control::Reply reply;
  switch (request.verb) {
    case net::NetdVerb::sync:
      reply.payload = TRY(sync(request.word, std::move(fds)));
      return reply;
    case net::NetdVerb::watch:
      // Known already unless we were started anew; what fails then was told by the first sync.
      if (containers_.count(request.word) == 0 || !fds.empty()) {
        auto synced = sync(request.word, std::move(fds));
        if (!synced && synced.error().code() != Errc::not_found) return std::move(synced.error());
      }
      return reply;
    case net::NetdVerb::drop:
      drop(request.word);
      return reply;
    case net::NetdVerb::network:
      read_network(request.word);
      return reply;
    case net::NetdVerb::status:
      reply.payload = status();
      return reply;
    case net::NetdVerb::namespaces:
      reply.fds = {own_userns_.get(), options_.netns.get()};
      return reply;
  }
  return Error(Errc::invalid_argument, "netd: no such request");
}

// The network namespace among what was handed over.
sys::UniqueFd take_namespace(std::vector<sys::UniqueFd>* given) {
  for (auto fd = given->begin(); fd != given->end(); ++fd) {
    if (::ioctl(fd->get(), NS_GET_NSTYPE) != CLONE_NEWNET) continue;
    sys::UniqueFd found = std::move(*fd);
    given->erase(fd);
    return found;
  }
  return {};
}

// Takes over what the record says now. An error leaves all as it was before.
Result<std::string> Daemon::sync(const std::string& id, std::vector<sys::UniqueFd> given) {
  auto record = TRY(net::load_attachments(concat(options_.runroot, "/containers/", id)));
  if (!record || record->id != id) {
    drop(id);
    return Error(Errc::not_found, concat("container ", id.substr(0, 12), " is on no network"));
  }
  if (record->pid > 0 && !sys::process_alive(record->pid, record->start_time)) {
    drop(id);
    return Error(Errc::not_found, concat("container ", id.substr(0, 12), " has ended"));
  }
  loop_->cancel_timer(linger_);
  linger_ = 0;
  std::vector<std::string> warnings;
  bool is_new = containers_.count(id) == 0;
  Container& container = containers_[id];
  net::AttachmentRecord before = std::exchange(container.record, std::move(*record));
  if (sys::UniqueFd within = take_namespace(&given)) container.within = std::move(within);
  // Names first: they also read the networks, by which the data plane finds its ways.
  zone_.remove(id);
  Status taken = serve_names(container.record);
  if (taken) taken = publish(container, std::move(given), &warnings);
  if (taken) taken = watch_init(container);
  if (!taken) {
    if (is_new) {
      drop(id);
    } else {
      // Networks that it would have joined must not wait for it for ever.
      leave_networks(container.record, &before);
      container.record = std::move(before);
      zone_.set(container.record);
    }
    return std::move(taken.error());
  }
  leave_networks(before, &container.record);
  return join(warnings, "\n");
}

Status Daemon::publish(Container& container, std::vector<sys::UniqueFd> given,
                       std::vector<std::string>* warnings) {
  if (!plane_) return {};  // the kernel forwards
  const net::AttachmentRecord& record = container.record;
  // Known by its record alone: its monitor hands the namespace over soon.
  if (!container.within && std::any_of(record.networks.begin(), record.networks.end(),
                                       [](const auto& a) { return net::is_slirp_device(a); }))
    return {};
  std::vector<ListenSpec> wanted = wanted_listeners(record, warnings);
  std::set<ListenSpec> all(wanted.begin(), wanted.end());
  bool fewer = std::any_of(container.ports.listens().begin(), container.ports.listens().end(),
                           [&](const ListenSpec& spec) { return all.count(spec) == 0; });
  if (fewer) {  // its last address of a family went: the others are opened anew
    TRY(plane_->remove_container(record.id));
    for (sys::UniqueFd& socket : container.ports.close()) given.push_back(std::move(socket));
  }
  TRY(container.ports.take(record.name, std::move(given), wanted, warnings));
  auto opened = TRY(container.ports.open(
      wanted, [&](const ListenSpec& spec) { return open_listener(container, spec); }));
  TRY(share_networks());
  sys::UniqueFd within;
  if (container.within) within = TRY(sys::duplicate(container.within.get()));
  TRY(plane_->set_container(record, std::move(within)));
  for (auto& [spec, socket] : opened) {
    TRY(plane_->add_port(record.id,
                         {std::move(socket), spec.protocol, spec.container_port, spec.proxy}));
    container.ports.add(spec);
  }
  return {};
}

Status Daemon::share_networks() {
  std::vector<net::Network> records;
  for (const auto& [name, network] : networks_)
    if (network.record) records.push_back(*network.record);
  return plane_->set_networks(std::move(records));
}

Result<sys::UniqueFd> Daemon::open_listener(const Container& container,
                                            const ListenSpec& spec) const {
  auto bound = bind_listener(spec, binder_);
  if (bound || bound.error().sys() != EADDRINUSE) return bound;
  std::string holder = holder_of(spec, container.record.id);
  if (holder.empty()) return bound;
  return Error(Errc::in_use, concat(bound.error().message(), " by container ", holder));
}

std::string Daemon::holder_of(const ListenSpec& spec, const std::string& but) const {
  for (const auto& [id, container] : containers_)
    for (const ListenSpec& held : container.ports.listens())
      if (id != but && held.protocol == spec.protocol && held.at.port == spec.at.port &&
          held.at.address.v6 == spec.at.address.v6)
        return concat(container.record.name, " (", id.substr(0, 12), ")");
  return {};
}

// Whoever cleans up may come late, or never: the ports of a container that has ended are free.
Status Daemon::watch_init(Container& container) {
  if (container.init || container.record.pid <= 0) return {};
  auto init = sys::Pidfd::open(container.record.pid, container.record.start_time);
  if (!init) return {};  // it ended just now: its clean-up says so
  container.init = std::move(*init);
  std::string id = container.record.id;
  return loop_->add(container.init.get(), EPOLLIN, [this, id](std::uint32_t) { drop(id); });
}

void Daemon::drop(const std::string& id) {
  auto found = containers_.find(id);
  if (found == containers_.end()) return;
  if (found->second.init) loop_->remove(found->second.init.get());
  net::AttachmentRecord record = std::move(found->second.record);
  containers_.erase(found);
  zone_.remove(id);
  leave_networks(record, nullptr);
  if (plane_) ignore(plane_->remove_container(id), "its threads have ended, and so will we");
  maybe_linger();
}

Status Daemon::serve_names(const net::AttachmentRecord& record) {
  for (const net::Attachment& attachment : record.networks) {
    Network& network = networks_[attachment.network];
    if (network.members.insert(record.id).second && !network.record)
      read_network(attachment.network);
    if (!attachment.dns_enabled || attachment.gateways.empty()) continue;
    std::vector<Endpoint> at;
    for (const net::IpAddress& gateway : attachment.gateways)
      at.push_back({gateway, net::kNetdDnsPort, 0});
    if (dns_.has_network(attachment.network) && network.at == at) continue;
    TRY_CTX(listen_for_names(attachment.network, at), concat("network ", attachment.network));
    network.at = std::move(at);
    set_servers(attachment.network, network);
  }
  zone_.set(record);
  return {};
}

Status Daemon::listen_for_names(const std::string& name, const std::vector<Endpoint>& at) {
  dns_.remove_network(name);
  std::vector<DnsServer::Sockets> sockets;
  auto bind_all = [&]() -> Status {
    for (const Endpoint& each : at) {
      DnsServer::Sockets made = TRY(DnsServer::bind(each));
      sockets.push_back(std::move(made));
    }
    return {};
  };
  TRY(at_bridges(bind_all));
  TRY(dns_.add_network(name, std::move(sockets)));
  const auto& record = networks_[name].record;
  if (!record) return {};
  return at_bridges([&]() -> Status {
    TRY(net::ensure_network(*record, place()));  // the rules may be gone since it was made
    return net::lead_names(*record, place(), net::kNetdDnsPort);
  });
}

// Of those that `record` names, and `still` does not.
void Daemon::leave_networks(const net::AttachmentRecord& record,
                            const net::AttachmentRecord* still) {
  for (const net::Attachment& attachment : record.networks) {
    if (still != nullptr &&
        std::any_of(still->networks.begin(), still->networks.end(),
                    [&](const net::Attachment& a) { return a.network == attachment.network; }))
      continue;
    auto found = networks_.find(attachment.network);
    if (found == networks_.end()) continue;
    found->second.members.erase(record.id);
    if (!found->second.members.empty()) continue;
    dns_.remove_network(attachment.network);
    networks_.erase(found);
  }
}

void Daemon::read_network(const std::string& name) {
  auto found = networks_.find(name);
  if (found == networks_.end()) return;  // read when somebody joins it
  auto text =
      sys::read_small_file(concat(options_.root, "/networks/", name, ".json"), kMaxNetworkFile);
  if (!text) return;  // removed in this moment
  auto network = json::parse_struct<net::Network>(*text);
  if (!network) return log::error(concat("network ", name, ": ", network.error().message()));
  found->second.record = std::move(*network);
  set_servers(name, found->second);
  if (plane_) ignore(share_networks(), "its threads have ended, and so will we");
}

void Daemon::set_servers(const std::string& name, const Network& network) {
  std::vector<Endpoint> servers;
  if (network.record)
    for (const net::IpAddress& server : network.record->dns_servers)
      servers.push_back({server, 53, 0});
  dns_.set_servers(name, std::move(servers));
}

std::string Daemon::status() const {
  json::Object out, dns, uplink;
  out.set("pid", static_cast<std::int64_t>(::getpid()));
  out.set("rootless", options_.rootless);
  out.set("started", format_rfc3339(started_));
  out.set("containers", static_cast<std::int64_t>(containers_.size()));
  out.set("watchers", static_cast<std::int64_t>(control_.watchers()));
  std::size_t listeners = 0;
  for (const auto& [id, container] : containers_) listeners += container.ports.listens().size();
  out.set("listeners", static_cast<std::int64_t>(listeners));
  dns.set("networks", static_cast<std::int64_t>(networks_.size()));
  dns.set("names", static_cast<std::int64_t>(zone_.names()));
  dns.set("queries", dns_.counters().queries);
  dns.set("own", dns_.counters().own);
  dns.set("forwarded", dns_.counters().forwarded);
  dns.set("unanswered", dns_.forwarder().counters().unanswered);
  out.set("dns", std::move(dns));
  out.set("rulesRestored", restored_);
  if (options_.rootless) {
    const Uplink::State& state = uplink_.state();
    uplink.set("program", state.program);
    uplink.set("up", state.up);
    uplink.set("restarts", state.restarts);
    uplink.set("trouble", state.trouble);
    out.set("uplink", std::move(uplink));
    PlaneStats stats = plane_->stats();
    json::Object plane;
    const std::pair<const char*, std::uint64_t> rows[] = {
        {"connections", stats.in_connections},
        {"connectionsTotal", stats.in_total},
        {"refused", stats.in_refused},
        {"bytes", stats.in_bytes + stats.out_bytes},
        {"udpFlows", stats.udp_flows},
        {"udpFlowsTotal", stats.udp_flows_total},
        {"udpDropped", stats.udp_dropped},
        {"carried", stats.carried},
        {"carriedTotal", stats.carried_total},
        {"held", stats.held},
        {"dialled", stats.dialled},
        {"fdShortages", stats.fd_shortages}};
    for (const auto& [name, value] : rows) plane.set(name, value);
    plane.set("queue", net::queue_name(n_.queue));
    plane.set("transparent", stats.transparent);
    plane.set("carrying", stats.carrying);
    out.set("plane", std::move(plane));
  }
  auto pages = sys::read_small_file("/proc/self/statm", 256);
  if (pages)
    if (auto fields = split(*pages, ' '); fields.size() > 1)
      out.set("resident", static_cast<std::int64_t>(parse_uint(fields[1]).value_or(0) * 4096));
  return json::dump(json::Value(std::move(out)));
}

void Daemon::maybe_linger() {
  if (!containers_.empty() || control_.watchers() > 0 || linger_ != 0) return;
  linger_ = loop_->add_timer(kLingerMs, [this] {
    linger_ = 0;
    maybe_end();
  });
}

// Under the lock that whoever starts a netd takes: after it nobody can have found this one and lose
// it before the first word.
void Daemon::maybe_end() {
  if (!containers_.empty()) return;
  auto file = sys::open(options_.runroot + "/netd.lock", O_RDWR | O_CREAT, 0600);
  if (!file) return loop_->stop();
  auto lock = sys::FileLock::try_acquire(std::move(*file), sys::LockMode::exclusive, "netd");
  if (!lock || control_.busy()) return maybe_linger();
  ::unlink(net::netd_socket(options_.runroot).c_str());
  loop_->stop();
}

}  // namespace

Status run_daemon(DaemonOptions options, const std::function<void()>& ready) {
  auto loop = TRY(sys::EventLoop::create());
  Daemon daemon(std::move(options), std::move(loop));
  TRY(daemon.set_up());
  ready();
  return daemon.run();
}

}  // namespace minke::netd
