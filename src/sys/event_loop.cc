#include "sys/event_loop.h"

#include <sys/signalfd.h>

#include <algorithm>

#include "base/time.h"

namespace minke::sys {

Result<std::unique_ptr<EventLoop>> EventLoop::create() {
  auto loop = std::make_unique<EventLoop>();
  loop->epoll_ = UniqueFd(::epoll_create1(EPOLL_CLOEXEC));
  if (!loop->epoll_) return Error::from_errno(errno, "epoll_create1");
  return loop;
}

Status EventLoop::add(int fd, std::uint32_t events, IoHandler handler) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) < 0)
    return Error::from_errno(errno, "epoll_ctl add");
  watches_[fd] = std::make_shared<Watch>(Watch{next_serial_++, std::move(handler)});
  return {};
}

Status EventLoop::modify(int fd, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event) < 0)
    return Error::from_errno(errno, "epoll_ctl modify");
  return {};
}

void EventLoop::remove(int fd) {
  if (watches_.erase(fd) > 0) ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

std::uint64_t EventLoop::add_timer(std::int64_t delay_ms, Handler handler) {
  std::uint64_t id = next_serial_++;
  timers_[id] = Timer{monotonic_ns() + delay_ms * 1'000'000, std::move(handler)};
  return id;
}

void EventLoop::cancel_timer(std::uint64_t id) { timers_.erase(id); }

int EventLoop::next_timeout_ms() const {
  if (timers_.empty()) return -1;
  std::int64_t due = INT64_MAX;
  for (const auto& [id, timer] : timers_) due = std::min(due, timer.due_ns);
  std::int64_t wait = (due - monotonic_ns() + 999'999) / 1'000'000;
  return static_cast<int>(std::clamp<std::int64_t>(wait, 0, 1 << 30));
}

void EventLoop::run_due_timers() {
  std::int64_t at = monotonic_ns();
  std::vector<std::uint64_t> due;
  for (const auto& [id, timer] : timers_)
    if (timer.due_ns <= at) due.push_back(id);
  for (std::uint64_t id : due) {
    auto found = timers_.find(id);
    if (found == timers_.end()) continue;  // cancelled by one that ran before it
    Handler handler = std::move(found->second.handler);
    timers_.erase(found);
    handler();
  }
}

Status EventLoop::run() {
  stopped_ = false;
  while (!stopped_) {
    epoll_event events[32];
    int n = ::epoll_wait(epoll_.get(), events, 32, next_timeout_ms());
    if (n < 0 && errno != EINTR) return Error::from_errno(errno, "epoll_wait");
    // A handler may remove a descriptor of this batch, and its number may be taken anew: only
    // watches that were there before the batch are served.
    std::uint64_t batch = next_serial_;
    for (int i = 0; i < n && !stopped_; ++i) {
      auto found = watches_.find(events[i].data.fd);
      if (found == watches_.end() || found->second->serial >= batch) continue;
      std::shared_ptr<Watch> keep = found->second;
      keep->handler(events[i].events);
    }
    if (!stopped_) run_due_timers();
  }
  return {};
}

Result<UniqueFd> make_signalfd(const std::vector<int>& signals) {
  sigset_t set;
  ::sigemptyset(&set);
  for (int signal : signals) ::sigaddset(&set, signal);
  if (::sigprocmask(SIG_BLOCK, &set, nullptr) < 0) return Error::from_errno(errno, "sigprocmask");
  UniqueFd fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) return Error::from_errno(errno, "signalfd");
  return fd;
}

}  // namespace minke::sys
