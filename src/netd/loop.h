// Raw epoll for many small objects: what is ready is a function pointer and the object itself, no
// allocation and no std::function per event. One thread.
#pragma once

#include <sys/epoll.h>

#include <cstdint>

#include "base/result.h"
#include "sys/fd.h"

namespace minke::netd {

// First member of whatever waits for a descriptor; epoll hands back its address. It must live until
// the round in which it was last watched has ended: free by a Task.
struct Source {
  void (*ready)(Source* self, std::uint32_t events) = nullptr;
};

// Something to do after the events of this round: more bytes of a busy connection, or freeing what
// an event of the same round may still point at. Intrusive: in the list once at most.
struct Task {
  void (*run)(Task* self) = nullptr;
  Task* next = nullptr;
  bool queued = false;
};

// In a TimeoutList, for its whole length from the last touch on.
struct Timed {
  Timed* previous = nullptr;
  Timed* next = nullptr;  // null: in no list
  std::int64_t due_ms = 0;
};

// Timers of one length are due in the order in which they were set: a list, no heap.
class TimeoutList {
 public:
  // `expired` gets each one that is due, already taken out.
  TimeoutList(std::int64_t length_ms, void (*expired)(void* owner, Timed* timed), void* owner);
  TimeoutList(const TimeoutList&) = delete;
  TimeoutList& operator=(const TimeoutList&) = delete;

  void touch(Timed* timed, std::int64_t now_ms);  // adds it, or moves it to the end
  static void remove(Timed* timed);               // from whichever list; fine when in none
  Timed* oldest() const { return head_.next == &head_ ? nullptr : head_.next; }
  std::int64_t next_due() const;  // INT64_MAX when empty
  void run_due(std::int64_t now_ms);
  template <typename F>
  void for_each(F visit) const {  // oldest first; `visit` must not change the list
    for (Timed* t = head_.next; t != &head_; t = t->next) visit(t);
  }

 private:
  Timed head_;
  std::int64_t length_ms_;
  void (*expired_)(void* owner, Timed* timed);
  void* owner_;
};

class Loop {
 public:
  Status open();
  // False with errno. Events of epoll_ctl(2), EPOLLET among them when wanted.
  bool watch(int fd, std::uint32_t events, Source* source);
  bool change(int fd, std::uint32_t events, Source* source);
  // Before a watched descriptor is closed, always: close(2) does it only when no other one of the
  // same socket is open, and a service manager, a monitor or a child before its exec may hold one.
  // What has come already in this round comes all the same.
  void forget(int fd);
  void later(Task* task);
  // What cannot wait for a long round to end: run between two events or tasks whenever
  // kOftenMicroseconds have passed. It must not touch what an event of the round may point at.
  void often(Task* task) { often_ = task; }
  Status add_timeouts(TimeoutList* list);          // at most kMaxLists
  std::int64_t now_ms() const { return now_ms_; }  // CLOCK_MONOTONIC when this round began
  void run();                                      // until stop(), which only this thread may call
  void stop() { stopped_ = true; }

 private:
  static constexpr int kMaxLists = 8, kEvents = 128;
  static constexpr std::int64_t kOftenMicroseconds = 500;
  int timeout_ms() const;
  void run_tasks();
  void read_clock();
  void run_often();

  sys::UniqueFd epoll_;
  TimeoutList* lists_[kMaxLists] = {};
  int list_count_ = 0;
  Task* first_ = nullptr;
  Task** last_ = &first_;
  Task* often_ = nullptr;
  std::int64_t now_ms_ = 0, often_us_ = 0;
  bool stopped_ = false;
};

// The object that holds `member`, as the kernel's container_of.
template <typename T, typename M>
T* holder_of(M* member, M T::*where) {
  constexpr std::uintptr_t kSomewhere = 1 << 16;  // not null, or sanitizers complain
  const auto at = reinterpret_cast<std::uintptr_t>(
      &(reinterpret_cast<T*>(kSomewhere)->*where));  // NOLINT: never read or written
  return reinterpret_cast<T*>(reinterpret_cast<char*>(member) - (at - kSomewhere));
}

}  // namespace minke::netd
