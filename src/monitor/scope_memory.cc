#include "monitor/scope_memory.h"

#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <utility>

#include "runtime/cgroup.h"

namespace minke::monitor {

bool ScopeMemory::take_events() {
  alignas(inotify_event) char buffer[1024];
  bool news = false;
  while (events_ && ::read(events_.get(), buffer, sizeof buffer) > 0) news = true;
  return news;
}

void ScopeMemory::watch(sys::EventLoop& loop, const std::string& cgroup) {
  if (cgroup.empty()) return;
  auto scope = runtime::Cgroup::open(cgroup);
  if (!scope || !scope->is_scope()) return;
  auto events = scope->oom_event_fd();
  if (!events) return;  // no memory controller
  events_.reset(*events);
  auto look = [this, scope = std::move(*scope)](std::uint32_t) {
    take_events();
    if (auto kills = scope.oom_kills(); kills && *kills > 0) killed_ = true;
  };
  ignore(loop.add(events_.get(), EPOLLIN, std::move(look)), "the end may still tell");
}

bool ScopeMemory::killed(const std::string& cgroup, std::optional<int> init_status) {
  if (cgroup.empty()) return false;
  auto opened = runtime::Cgroup::open(cgroup);
  if (!opened) return killed_;
  const bool news = take_events();
  if (auto kills = opened->oom_kills(); kills && *kills > 0) return true;
  // Something happened at the limit, init was killed, and the scope is gone already.
  const bool gone = opened->entries().empty() || !sys::exists(opened->entries()[0].path);
  const bool by_kill =
      init_status && WIFSIGNALED(*init_status) && WTERMSIG(*init_status) == SIGKILL;
  return killed_ || (news && gone && by_kill);
}

}  // namespace minke::monitor
