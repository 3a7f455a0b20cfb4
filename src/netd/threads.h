// A thread with a Loop of its own, which others ask to do something. Small stacks: these threads
// hold nothing on them.
#pragma once

#include <pthread.h>

#include <atomic>
#include <functional>
#include <vector>

#include "base/result.h"
#include "netd/loop.h"
#include "sys/fd.h"

namespace minke::netd {

Status start_thread(pthread_t* thread, const char* name, void* (*main)(void*), void* argument);

class LoopThread {
 public:
  LoopThread();
  ~LoopThread() { stop(); }
  LoopThread(const LoopThread&) = delete;
  LoopThread& operator=(const LoopThread&) = delete;

  // `first` runs on the new thread before its loop; its failure is the result.
  Status start(const char* name, const std::function<Status()>& first);
  void stop();
  Loop& loop() { return loop_; }
  // Runs `act` on the thread between two rounds of its loop, and waits for it.
  Status call(const std::function<Status()>& act);

 private:
  struct Call {
    const std::function<Status()>* act;
    Status result;
    bool done = false;
  };
  static void* thread_main(void* self);
  static void woken(Source* source, std::uint32_t events);
  static void run_calls(Task* task);

  Source source_;
  Task task_;
  Loop loop_;
  sys::UniqueFd wake_;
  pthread_t thread_{};
  bool running_ = false;
  pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t done_ = PTHREAD_COND_INITIALIZER;
  std::vector<Call*> calls_;
  Call* first_ = nullptr;
};

}  // namespace minke::netd
