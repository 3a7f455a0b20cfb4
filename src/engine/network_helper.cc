#include "engine/network_helper.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/failpoint.h"
#include "base/log.h"
#include "base/str.h"
#include "engine/name_files.h"
#include "engine/network_facts.h"
#include "engine/network_place.h"
#include "engine/records.h"
#include "net/helper_mode.h"
#include "net/host_ports.h"
#include "net/host_use.h"
#include "net/setup.h"
#include "state/object_lock.h"
#include "sys/fd.h"
#include "sys/pid_file.h"
#include "sys/process.h"
#include "sys/socket.h"

namespace minke::engine {
namespace {

constexpr int kReadyMs = 10'000, kEndMs = 5000;
constexpr int kMisused = 126;  // exit code, as Podman's for its options
constexpr const char *kPidFile = "/helper.pid", *kPastaPidFile = "/pasta.pid";
constexpr const char *kApiSocket = "/slirp4netns.sock", *kLogFile = "/helper.log";

Result<std::string> find_helper(const std::string& name) {
  if (HelperProgram found = find_helper_program(name.c_str(), false); !found.path.empty())
    return found.path;
  return Error(Errc::unsupported,
               concat("network mode ", name, ": the program is not installed (package ",
                      name == "pasta" ? "passt" : name, ")"));
}

// A child's words, both streams, whole.
Result<std::pair<int, std::string>> run_and_read(sys::SpawnOptions spawn) {
  auto [reader, writer] = TRY(sys::make_pipe());
  spawn.stdio[0] = -2;
  spawn.stdio[1] = spawn.stdio[2] = writer.get();
  sys::Spawned child = TRY(sys::spawn(spawn));
  writer.reset();
  std::string text = sys::read_all(reader.get(), 64 << 10, spawn.path).value_or("");
  int status = TRY(sys::wait_pid(child.pid));
  return std::pair(sys::exit_code_of(status), std::string(trim(text)));
}

std::string help_of(const std::string& program) {
  sys::SpawnOptions spawn;
  spawn.path = program;
  spawn.argv = {program, "--help"};
  auto said = run_and_read(std::move(spawn));
  return said ? said->second : std::string();
}

const std::string& options_of(const ContainerConfig& config) {
  return config.request.network.value;
}

Status forward_port(const std::string& socket_path, const net::PortMapping& port,
                    std::uint16_t index, const net::SlirpOptions& options) {
  std::string request = TRY(net::slirp_forward_request(port, index, options));
  sys::UniqueFd socket = TRY(sys::connect_unix(socket_path, SOCK_STREAM));
  timeval patience{kReadyMs / 1000, 0};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  TRY(sys::write_all(socket.get(), request, "slirp4netns"));
  ::shutdown(socket.get(), SHUT_WR);
  std::string answer = TRY(sys::read_all(socket.get(), 64 << 10, "slirp4netns"));
  return net::check_slirp_answer(answer);
}

struct Start {
  const ContainerConfig& config;
  const std::string& run_dir;
  int netns, life;
  bool own_handler;  // the program forwards no ports
};

Result<HelperNames> start_slirp(const Start& start) {
  net::SlirpOptions options = TRY(net::parse_slirp_options(options_of(start.config)));
  std::string program = TRY(find_helper("slirp4netns"));
  std::string api =
      start.config.ports.empty() || start.own_handler ? std::string() : start.run_dir + kApiSocket;
  ::unlink((start.run_dir + kApiSocket).c_str());
  auto [ready, writer] = TRY(sys::make_pipe());
  // A file: it speaks on after we have gone.
  const std::string log = start.run_dir + kLogFile;
  sys::UniqueFd words = TRY(sys::open(log, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600));
  sys::SpawnOptions spawn;
  spawn.path = program;
  // A socket's name may have 107 bytes, our folders' more: by descriptor.
  sys::DirFd folder = TRY(sys::open_dir(start.run_dir));
  spawn.argv =
      TRY(net::slirp_argv(program, help_of(program), options,
                          api.empty() ? std::string() : concat("/proc/self/fd/6", kApiSocket)));
  spawn.stdio[0] = -2;
  spawn.stdio[1] = spawn.stdio[2] = words.get();
  spawn.pass_fds = {start.netns, writer.get(), start.life, folder.get()};
  spawn.new_session = true;
  sys::Spawned child = TRY(sys::spawn(spawn));
  writer.reset();
  TRY(sys::write_pid_file(start.run_dir + kPidFile, child.pid));
  pollfd waits[2] = {{ready.get(), POLLIN, 0}, {child.pidfd.get(), POLLIN, 0}};
  char byte;
  if (::poll(waits, 2, kReadyMs) <= 0 || ::read(ready.get(), &byte, 1) != 1) {
    ignore(child.pidfd.kill(SIGKILL), "it may have ended");
    ignore(sys::wait_pid(child.pid), "its words count");
    std::string text = sys::read_small_file(log).value_or("");
    return Error(Errc::unavailable, concat("slirp4netns failed: ", trim(text)));
  }
  if (!api.empty())
    for (const net::PortMapping& port : start.config.ports)
      for (std::uint16_t i = 0; i < port.range; ++i) TRY(forward_port(api, port, i, options));
  HelperNames names{
      {net::slirp_address(options).text()}, {net::slirp_resolver(options).text()}, {}};
  if (auto address = net::own_address()) names.host = address->text();
  return names;
}

// Pasta gives it the host's own address.
HelperNames pasta_names(const std::vector<std::string>& argv) {
  HelperNames names;
  if (auto address = net::own_address()) names.own.push_back(address->text());
  if (net::has_word(argv, net::kPastaResolver)) names.servers.emplace_back(net::kPastaResolver);
  if (net::has_word(argv, net::kPastaHost)) names.host = net::kPastaHost;
  return names;
}

Result<HelperNames> start_pasta(const Start& start) {
  std::string program = TRY(find_helper("pasta")), help = help_of(program);
  std::string started = start.run_dir + kPastaPidFile;
  ::unlink(started.c_str());
  sys::SpawnOptions spawn;
  spawn.path = program;
  spawn.argv =
      TRY(net::pasta_argv(program, help, options_of(start.config), start.config.ports, started));
  spawn.pass_fds = {start.netns};
  HelperNames names = pasta_names(spawn.argv);
  auto [code, text] = TRY(run_and_read(std::move(spawn)));
  if (code != 0)
    return Error(Errc::unavailable, concat("pasta failed with exit code ", code, ": ", text));
  std::string written = TRY(sys::read_small_file(started, 64));
  auto pid = parse_int(trim(written));
  if (!pid) return Error(Errc::unavailable, "pasta: it did not say which process serves");
  TRY(sys::write_pid_file(start.run_dir + kPidFile, static_cast<pid_t>(*pid)));
  return names;
}

// Killed between its start and our note of it: pasta's own note names a pid alone, so it has to be
// the one whose command line says where that note is.
void end_unnoted_pasta(const std::string& run_dir) {
  const std::string path = run_dir + kPastaPidFile;
  auto text = sys::read_small_file(path, 64);
  auto pid = text ? parse_int(trim(*text)) : std::nullopt;
  if (!pid || *pid <= 0) return;
  auto process = sys::Pidfd::open(static_cast<pid_t>(*pid));
  auto words = sys::read_small_file(concat("/proc/", *pid, "/cmdline"), 64 << 10);
  if (!process || !words || words->find(path) == std::string::npos) return;
  ignore(process->kill(SIGKILL), "it may have ended");
  ignore(process->wait_exit(kEndMs), "its namespace goes all the same");
}

void end_helper(const std::string& run_dir) {
  if (auto process = sys::open_pid_file(run_dir + kPidFile)) {
    ignore(process->kill(SIGKILL), "it may have ended");
    ignore(process->wait_exit(kEndMs), "its namespace goes all the same");
  } else {
    end_unnoted_pasta(run_dir);
  }
  for (const char* name : {kPidFile, kApiSocket, kPastaPidFile, kLogFile})
    ignore(sys::unlink_at(sys::DirFd::cwd(), (run_dir + name).c_str()), "may not be there");
}

// In a process that stands in the user's own network namespace: from the host's there is no way
// into the container's and back. What it could lay comes through a pipe.
Result<net::Attachment> prepare_within(const Host& host, const net::Attachment& device, int netns) {
  auto [reader, writer] = TRY(sys::make_pipe());
  Status laid = at_bridges(host, [&, out = writer.get()](const net::Place&) -> Status {
    net::Attachment made = device;
    TRY(net::prepare_within(&made, netns));
    return sys::write_all(out, json::dump_struct(made), "answer");
  });
  TRY(std::move(laid));
  writer.reset();
  const std::string text = TRY(sys::read_all(reader.get(), 64 << 10, "answer"));
  return json::parse_struct<net::Attachment>(text);
}

// minke-netd makes its sockets for clients within the container.
Status serve_from_within(const Host& host, const ContainerConfig& config,
                         const monitor::StateRecord& init, int netns, std::vector<int> handed) {
  net::AttachmentRecord record;
  record.id = config.id;
  record.name = config.name;
  record.hostname = config.hostname;
  record.ports = config.ports;
  record.pid = init.pid;
  record.start_time = init.start_time;
  const net::SlirpOptions options = TRY(net::parse_slirp_options(options_of(config)));
  net::Attachment device = TRY(prepare_within(host, net::slirp_device(options), netns));
  record.networks.push_back(std::move(device));
  if (record.networks[0].gateways.empty())
    log::warn(concat("container ", config.name,
                     ": this kernel cannot lead its answers back (nf_tables ",
                     "chain type route): it sees its own address in place of its clients'"));
  failpoint("engine.helper-ports", 1);  // its answers are led, nobody listens
  TRY(net::save_attachments(ContainerPaths(host, config.id).run_dir, record));
  failpoint("engine.helper-ports", 2);  // recorded
  handed.push_back(netns);
  return tell_networks(host, net::NetdVerb::sync, config.id, true, handed);
}

Status check_own_ports(const ContainerConfig& config, const net::SlirpOptions& options) {
  for (const net::PortMapping& port : config.ports) {
    if (port.protocol == net::Protocol::sctp)
      return Error(Errc::unsupported, concat("published port ", port.container_port,
                                             "/sctp is not supported for users: tcp and udp are"));
    if (port.host_ip && port.host_ip->v6 && !options.ipv6)
      return Error(Errc::unsupported,
                   concat("published port ", port.container_port, " at ", port.host_ip->text(),
                          ": the container has no IPv6 (enable_ipv6=false)"));
  }
  return {};
}

Status check_options(const ContainerConfig& config, const Host& host) {
  if (config.network_mode == "pasta") {
    TRY(net::pasta_argv("pasta", "", options_of(config), config.ports, ""));
    return {};
  }
  net::SlirpOptions options = TRY(net::parse_slirp_options(options_of(config)));
  if (port_handler(config, host) == kOwnHandler) return check_own_ports(config, options);
  for (const net::PortMapping& port : config.ports)
    TRY(net::slirp_forward_request(port, 0, options));
  return {};
}

}  // namespace

std::string port_handler(const ContainerConfig& config, const Host& host) {
  if (config.network_mode != "slirp4netns" || !host.rootless) return config.network_mode;
  auto options = net::parse_slirp_options(options_of(config));
  // Without minke-netd the program itself keeps clients' addresses too, of IPv4.
  return options && options->port_handler == "rootlesskit" && netd_serves(host)
             ? kOwnHandler
             : config.network_mode;
}

bool is_helper_mode(const std::string& mode) { return mode == "slirp4netns" || mode == "pasta"; }

Status check_network_helper(const ContainerConfig& config, const Host& host) {
  if (config.network_mode == "pasta" && !host.rootless)
    return Error(Errc::invalid_argument, "pasta networking is only supported for rootless mode");
  for (const net::PortMapping& port : config.ports)
    if (port.proxy != net::ProxyHeader::none && port_handler(config, host) != kOwnHandler)
      return Error(Errc::unsupported,
                   concat("published port ", port.container_port,
                          ": proxy= needs a bridge network, not ", config.network_mode));
  TRY(find_helper(config.network_mode));
  Status good = check_options(config, host);
  if (!good) return std::move(good.error()).with_exit(kMisused);
  return {};
}

Status start_network_helper(const Host& host, const ContainerConfig& config,
                            const monitor::StateRecord& init, int life,
                            std::vector<int> listeners) {
  const ContainerPaths paths(host, config.id);
  const std::string& run_dir = paths.run_dir;
  TRY(stop_network_helper(host, config.id));  // of a run whose clean-up was killed
  // Before the first port: who finds it ends and frees all that is the container's.
  TRY(sys::write_file(run_dir + kHelperFile, config.network_mode, 0600));
  failpoint("engine.helper", 1);  // meant, nothing begun
  const bool own_handler = !config.ports.empty() && port_handler(config, host) == kOwnHandler;
  auto start = [&]() -> Result<HelperNames> {
    if (!config.ports.empty()) {
      sys::FileLock lock = TRY(state::lock_object(host.runroot + "/networks", "the networks"));
      TRY(net::lease_ports(host.runroot, config.id, config.ports, !own_handler));
    }
    failpoint("engine.helper", 2);  // its ports are reserved
    sys::UniqueFd netns = TRY(open_network_namespace(init.pid, init.start_time));
    const Start what{config, run_dir, netns.get(), life, own_handler};
    if (config.network_mode == "pasta") return start_pasta(what);
    HelperNames names = TRY(start_slirp(what));
    if (own_handler) TRY(serve_from_within(host, config, init, netns.get(), std::move(listeners)));
    return names;
  };
  Result<HelperNames> started = start();
  if (!started) {
    ignore(stop_network_helper(host, config.id), "the failure is told");
    return std::move(started.error());
  }
  failpoint("engine.helper", 3);  // it serves
  NameSources sources;
  sources.helper = &*started;
  sources.host_address = started->host;
  return write_names(config, paths.dir, std::move(sources));
}

bool has_own_network(const std::string& mode) {
  return mode == "none" || mode == "bridge" || is_helper_mode(mode);
}

Status stop_network_helper(const Host& host, const std::string& id) {
  const std::string run_dir = ContainerPaths(host, id).run_dir;
  if (!sys::exists(run_dir + kHelperFile)) return {};
  end_helper(run_dir);
  failpoint("engine.helper-end", 1);  // it has ended, its ports are reserved
  TRY(net::release_ports(host.runroot, id));
  return sys::unlink_at(sys::DirFd::cwd(), (run_dir + kHelperFile).c_str());
}

}  // namespace minke::engine
