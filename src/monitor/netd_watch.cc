#include "monitor/netd_watch.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "base/str.h"
#include "net/netd_client.h"
#include "sys/process.h"
#include "sys/program.h"
#include "sys/socket.h"

namespace minke::monitor {
namespace {

constexpr std::int64_t kSoonMs = 50, kLongestMs = 5000;
// Of many monitors one is enough: the others look a little later whether it is there.
constexpr int kSpreadMs = 40;

}  // namespace

void NetdWatch::start(const NetdPlan& plan, const std::string& id,
                      std::vector<sys::UniqueFd> listeners, sys::UniqueFd within) {
  plan_ = plan;
  id_ = id;
  listeners_ = std::move(listeners);
  within_ = std::move(within);
  if (!plan_.runroot.empty()) connect();
}

void NetdWatch::stop() {
  loop_.cancel_timer(timer_);
  if (socket_) loop_.remove(socket_.get());
  socket_.reset();
}

void NetdWatch::connect() {
  timer_ = 0;
  auto client = net::NetdClient::connect(plan_.runroot);
  if (client) {
    socket_ = client->take();
    std::vector<int> fds;
    for (const sys::UniqueFd& fd : listeners_) fds.push_back(fd.get());
    if (within_) fds.push_back(within_.get());
    std::string word = concat(static_cast<char>(net::NetdVerb::watch), id_);
    if (sys::send_message(socket_.get(), word, fds) &&
        loop_.add(socket_.get(), EPOLLIN, [this](std::uint32_t) { on_ready(); })) {
      misses_ = 0;
      return;
    }
    socket_.reset();
  }
  // The first look was at a netd that may just be starting; every tenth one after it helps again.
  if (misses_++ % 10 == 0) run_command();
  try_later();
}

void NetdWatch::on_ready() {
  char answer[4096];
  ssize_t size = ::recv(socket_.get(), answer, sizeof answer, MSG_DONTWAIT);
  if (size > 0 || (size < 0 && (errno == EAGAIN || errno == EINTR))) return;
  loop_.remove(socket_.get());
  socket_.reset();
  timer_ = loop_.add_timer(::getpid() % kSpreadMs, [this] { connect(); });
}

void NetdWatch::run_command() {
  if (plan_.command.empty()) return;
  sys::SpawnOptions spawn;
  spawn.path = plan_.command[0];
  spawn.argv = plan_.command;
  // The mark of this program's own start is not one of the command's.
  spawn.env.emplace();
  std::size_t mark = std::strlen(sys::kOwnProgram);
  for (char** variable = environ; *variable != nullptr; ++variable)
    if (std::strncmp(*variable, sys::kOwnProgram, mark) != 0 || (*variable)[mark] != '=')
      spawn.env->emplace_back(*variable);
  for (int& stdio : spawn.stdio) stdio = -2;
  spawn.new_session = true;
  ignore(sys::spawn(spawn), "tried again; its end is reaped with all other children");
}

void NetdWatch::try_later() {
  std::int64_t wait = std::min(kSoonMs * (1 + misses_ / 4), kLongestMs);
  timer_ = loop_.add_timer(wait, [this] { connect(); });
}

}  // namespace minke::monitor
