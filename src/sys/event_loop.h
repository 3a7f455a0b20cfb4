// epoll, signalfd and timerfd behind callbacks; one thread.
#pragma once

#include <signal.h>
#include <sys/epoll.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "base/result.h"
#include "sys/fd.h"

namespace minke::sys {

class EventLoop {
 public:
  using IoHandler = std::function<void(std::uint32_t events)>;
  using Handler = std::function<void()>;

  static Result<std::unique_ptr<EventLoop>> create();
  // The loop does not own `fd`: remove it before it is closed. Handlers may add and remove,
  // themselves too.
  Status add(int fd, std::uint32_t events, IoHandler handler);
  Status modify(int fd, std::uint32_t events);
  void remove(int fd);
  // Runs `handler` after `delay_ms`, once. The id is never 0 and never used twice.
  std::uint64_t add_timer(std::int64_t delay_ms, Handler handler);
  void cancel_timer(std::uint64_t id);  // 0 and ended ones are fine
  Status run();                         // until stop()
  void stop() { stopped_ = true; }
  // For a handler that waits by itself: readable when a watched descriptor is ready.
  int fd() const { return epoll_.get(); }
  int next_timeout_ms() const;  // until the next timer is due; -1 without one

 private:
  struct Watch {
    std::uint64_t serial;
    IoHandler handler;
  };
  struct Timer {
    std::int64_t due_ns;
    Handler handler;
  };
  void run_due_timers();

  UniqueFd epoll_;
  bool stopped_ = false;
  std::uint64_t next_serial_ = 1;
  std::map<int, std::shared_ptr<Watch>> watches_;
  std::map<std::uint64_t, Timer> timers_;
};

// Blocks the signals and gives a descriptor that reads signalfd_siginfo records.
Result<UniqueFd> make_signalfd(const std::vector<int>& signals);

}  // namespace minke::sys
