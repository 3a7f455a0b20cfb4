#include "engine/netd.h"

#include <sched.h>
#include <unistd.h>

#include "base/failpoint.h"
#include "base/str.h"
#include "sys/lock.h"
#include "sys/process.h"
#include "sys/program.h"

namespace minke::engine {
namespace {

Status start_netd(const Host& host) {
  sys::UniqueFd netns = TRY(bridge_netns(host));
  auto [said, err] = TRY(sys::make_pipe());
  sys::SpawnOptions spawn;
  spawn.path = TRY(sys::program_path("minke-netd"));
  spawn.argv = {spawn.path, "--root",       host.root, "--runroot",     host.runroot,
                "--user",   host.user_name, "--uid",   concat(host.uid)};
  if (host.rootless) spawn.argv.emplace_back("--rootless");
  spawn.stdio[0] = spawn.stdio[1] = -2;
  spawn.stdio[2] = err.get();
  spawn.pass_fds = {netns.get()};
  failpoint("engine.netd", 1);  // locked, nothing started
  sys::Spawned child = TRY(sys::spawn(spawn));
  err.reset();
  std::string text = sys::read_all(said.get(), 64 << 10, "netd").value_or("");
  int status = TRY(sys::wait_pid(child.pid));
  if (status == 0) return {};
  return Error(Errc::unavailable, concat("minke-netd did not start: ", trim(text)));
}

}  // namespace

Result<net::NetdClient> ensure_netd(const Host& host) {
  if (auto there = net::NetdClient::connect(host.runroot)) return there;
  TRY(sys::ensure_dirs(host.runroot, 0700));
  sys::UniqueFd file = TRY(sys::open(host.runroot + "/netd.lock", O_RDWR | O_CREAT, 0600));
  sys::FileLock lock =
      TRY(sys::FileLock::acquire(std::move(file), sys::LockMode::exclusive, "minke-netd"));
  if (auto there = net::NetdClient::connect(host.runroot)) return there;  // somebody was faster
  TRY(start_netd(host));
  failpoint("engine.netd", 2);  // it runs
  return net::NetdClient::connect(host.runroot);
}

Result<std::string> tell_netd(const Host& host, net::NetdVerb verb, std::string_view word,
                              const std::vector<int>& fds) {
  for (int tries = 0;; ++tries) {
    net::NetdClient netd = TRY(ensure_netd(host));
    auto answer = netd.call(verb, word, fds);
    if (answer) return std::move(answer->payload);
    bool went_away = answer.error().code() == Errc::unavailable || answer.error().sys() == EPIPE ||
                     answer.error().sys() == ECONNRESET;
    if (!went_away || tries > 0) return std::move(answer.error());
  }
}

Status at_bridges(const Host& host, const std::function<Status(const net::Place&)>& act) {
  if (!host.rootless) return act({-1, false, host.runroot});
  sys::UniqueFd netns = TRY(bridge_netns(host));
  auto [reader, writer] = TRY(sys::make_pipe());
  pid_t pid = ::fork();
  if (pid < 0) return Error::from_errno(errno, "fork");
  if (pid == 0) {
    Status done = ::setns(netns.get(), CLONE_NEWNET) == 0
                      ? act({-1, true, host.runroot})
                      : Status(Error::from_errno(errno, "join the bridges' network namespace"));
    std::string answer = done ? net::pack_netd_answer({}) : net::pack_netd_error(done.error());
    ignore(sys::write_all(writer.get(), answer, "answer"), "its absence is a failure too");
    ::_exit(0);
  }
  writer.reset();
  auto answer = sys::read_all(reader.get(), 256 << 10, "answer");
  TRY(sys::wait_pid(pid));
  std::string text = TRY(std::move(answer));
  if (text.empty()) return Error(Errc::internal, "the bridges' namespace: a step ended early");
  TRY(net::unpack_netd_answer(text));
  return {};
}

}  // namespace minke::engine
