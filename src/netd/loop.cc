#include "netd/loop.h"

#include <algorithm>
#include <climits>
#include <ctime>

namespace minke::netd {
namespace {

std::int64_t clock_us() {
  timespec now;
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * std::int64_t{1'000'000} + now.tv_nsec / 1000;
}

}  // namespace

TimeoutList::TimeoutList(std::int64_t length_ms, void (*expired)(void*, Timed*), void* owner)
    : length_ms_(length_ms), expired_(expired), owner_(owner) {
  head_.next = head_.previous = &head_;
}

void TimeoutList::remove(Timed* timed) {
  if (timed->next == nullptr) return;
  timed->previous->next = timed->next;
  timed->next->previous = timed->previous;
  timed->next = timed->previous = nullptr;
}

void TimeoutList::touch(Timed* timed, std::int64_t now_ms) {
  remove(timed);
  timed->due_ms = now_ms + length_ms_;
  timed->next = &head_;
  timed->previous = head_.previous;
  head_.previous->next = timed;
  head_.previous = timed;
}

std::int64_t TimeoutList::next_due() const {
  return oldest() == nullptr ? INT64_MAX : oldest()->due_ms;
}

void TimeoutList::run_due(std::int64_t now_ms) {
  while (Timed* timed = oldest()) {
    if (timed->due_ms > now_ms) return;
    remove(timed);
    expired_(owner_, timed);
  }
}

Status Loop::open() {
  epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll_) return Error::from_errno(errno, "epoll_create1");
  read_clock();
  return {};
}

bool Loop::watch(int fd, std::uint32_t events, Source* source) {
  epoll_event event{events, {.ptr = source}};
  return ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0;
}

bool Loop::change(int fd, std::uint32_t events, Source* source) {
  epoll_event event{events, {.ptr = source}};
  return ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event) == 0;
}

void Loop::forget(int fd) { (void)::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr); }

void Loop::later(Task* task) {
  if (task->queued) return;
  task->queued = true;
  task->next = nullptr;
  *last_ = task;
  last_ = &task->next;
}

Status Loop::add_timeouts(TimeoutList* list) {
  if (list_count_ == kMaxLists) return Error(Errc::internal, "too many lists of timeouts");
  lists_[list_count_++] = list;
  return {};
}

int Loop::timeout_ms() const {
  if (first_ != nullptr) return 0;
  std::int64_t due = INT64_MAX;
  for (int i = 0; i < list_count_; ++i) due = std::min(due, lists_[i]->next_due());
  if (due == INT64_MAX) return -1;
  return static_cast<int>(std::clamp<std::int64_t>(due - now_ms_, 0, INT_MAX));
}

void Loop::read_clock() {
  often_us_ = clock_us();
  now_ms_ = often_us_ / 1000;
}

void Loop::run_often() {
  if (often_ == nullptr) return;
  const std::int64_t now = clock_us();
  if (now - often_us_ < kOftenMicroseconds) return;
  often_us_ = now;
  often_->run(often_);
}

// Only what was queued when it began: a task that queues itself again waits for the next events.
void Loop::run_tasks() {
  Task* task = first_;
  first_ = nullptr;
  last_ = &first_;
  while (task != nullptr) {
    Task* next = task->next;
    task->queued = false;
    task->run(task);  // may free the task
    run_often();
    task = next;
  }
}

void Loop::run() {
  epoll_event events[kEvents];
  while (!stopped_) {
    const int count = ::epoll_wait(epoll_.get(), events, kEvents, timeout_ms());
    read_clock();
    for (int i = 0; i < count; ++i) {
      auto* source = static_cast<Source*>(events[i].data.ptr);
      source->ready(source, events[i].events);
      run_often();
    }
    for (int i = 0; i < list_count_; ++i) lists_[i]->run_due(now_ms_);
    run_tasks();
  }
}

}  // namespace minke::netd
