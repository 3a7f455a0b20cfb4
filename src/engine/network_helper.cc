#include "engine/network_helper.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/str.h"
#include "net/helper_mode.h"
#include "sys/fd.h"
#include "sys/pid_file.h"
#include "sys/process.h"
#include "sys/socket.h"

namespace minke::engine {
namespace {

constexpr int kReadyMs = 10'000, kEndMs = 5000;
constexpr const char* kPidFile = "/helper.pid";
constexpr const char* kApiSocket = "/slirp4netns.sock";

Result<std::string> find_helper(const std::string& name) {
  for (const char* folder : {"/usr/local/bin/", "/usr/bin/", "/bin/"})
    if (std::string path = concat(folder, name); ::access(path.c_str(), X_OK) == 0) return path;
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

Status start_slirp(const NetworkHelper& helper, const std::string& run_dir, int netns) {
  net::SlirpOptions options = TRY(net::parse_slirp_options(helper.options));
  std::string program = TRY(find_helper("slirp4netns"));
  std::string api = helper.ports.empty() ? std::string() : run_dir + kApiSocket;
  ::unlink((run_dir + kApiSocket).c_str());
  auto [ready, writer] = TRY(sys::make_pipe());
  auto [said, words] = TRY(sys::make_pipe());
  sys::SpawnOptions spawn;
  spawn.path = program;
  spawn.argv = TRY(net::slirp_argv(program, help_of(program), options, api));
  spawn.stdio[0] = -2;
  spawn.stdio[1] = spawn.stdio[2] = words.get();
  spawn.pass_fds = {netns, writer.get()};
  spawn.new_session = true;
  sys::Spawned child = TRY(sys::spawn(spawn));
  writer.reset();
  words.reset();
  TRY(sys::write_pid_file(run_dir + kPidFile, child.pid));
  pollfd waits[2] = {{ready.get(), POLLIN, 0}, {child.pidfd.get(), POLLIN, 0}};
  char byte;
  if (::poll(waits, 2, kReadyMs) <= 0 || ::read(ready.get(), &byte, 1) != 1) {
    ignore(child.pidfd.kill(SIGKILL), "it may have ended");
    ignore(sys::wait_pid(child.pid), "its words count");
    std::string text = sys::read_all(said.get(), 4096, "slirp4netns").value_or("");
    return Error(Errc::unavailable, concat("slirp4netns failed: ", trim(text)));
  }
  for (const net::PortMapping& port : helper.ports)
    for (std::uint16_t i = 0; i < port.range; ++i) TRY(forward_port(api, port, i, options));
  return {};
}

Status start_pasta(const NetworkHelper& helper, const std::string& run_dir, int netns) {
  std::string program = TRY(find_helper("pasta"));
  std::string started = run_dir + "/pasta.pid";
  ::unlink(started.c_str());
  sys::SpawnOptions spawn;
  spawn.path = program;
  spawn.argv =
      TRY(net::pasta_argv(program, help_of(program), helper.options, helper.ports, started));
  spawn.pass_fds = {netns};
  auto [code, text] = TRY(run_and_read(std::move(spawn)));
  if (code != 0)
    return Error(Errc::unavailable, concat("pasta failed with exit code ", code, ": ", text));
  std::string written = TRY(sys::read_small_file(started, 64));
  auto pid = parse_int(trim(written));
  if (!pid) return Error(Errc::unavailable, "pasta: it did not say which process serves");
  return sys::write_pid_file(run_dir + kPidFile, static_cast<pid_t>(*pid));
}

}  // namespace

bool is_helper_mode(const std::string& mode) { return mode == "slirp4netns" || mode == "pasta"; }

Status check_network_helper(const NetworkHelper& helper) {
  TRY(find_helper(helper.mode));
  if (helper.mode == "pasta") {
    TRY(net::pasta_argv("pasta", "", helper.options, helper.ports, ""));
    return {};
  }
  net::SlirpOptions options = TRY(net::parse_slirp_options(helper.options));
  for (const net::PortMapping& port : helper.ports)
    TRY(net::slirp_forward_request(port, 0, options));
  return {};
}

Status start_network_helper(const NetworkHelper& helper, const std::string& run_dir, pid_t pid) {
  sys::UniqueFd netns = TRY(sys::open(concat("/proc/", pid, "/ns/net"), O_RDONLY));
  TRY(stop_network_helper(run_dir));  // of a run whose clean-up was killed
  Status started = helper.mode == "pasta" ? start_pasta(helper, run_dir, netns.get())
                                          : start_slirp(helper, run_dir, netns.get());
  if (!started) ignore(stop_network_helper(run_dir), "the failure is told");
  return started;
}

Status stop_network_helper(const std::string& run_dir) {
  if (!sys::exists(run_dir + kPidFile)) return {};
  if (auto process = sys::open_pid_file(run_dir + kPidFile)) {
    ignore(process->kill(SIGKILL), "it may have ended");
    ignore(process->wait_exit(kEndMs), "its namespace goes all the same");
  }
  for (const char* name : {kPidFile, kApiSocket, "/pasta.pid"})
    ignore(sys::unlink_at(sys::DirFd::cwd(), (run_dir + name).c_str()), "may not be there");
  return {};
}

}  // namespace minke::engine
