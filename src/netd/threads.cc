#include "netd/threads.h"

#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>

namespace minke::netd {
namespace {

constexpr std::size_t kStack = 128 << 10;

class Locked {
 public:
  explicit Locked(pthread_mutex_t* mutex) : mutex_(mutex) { ::pthread_mutex_lock(mutex_); }
  ~Locked() { ::pthread_mutex_unlock(mutex_); }
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;

 private:
  pthread_mutex_t* mutex_;
};

}  // namespace

// Signals are the main thread's: the new one inherits them blocked.
Status start_thread(pthread_t* thread, const char* name, void* (*main)(void*), void* argument) {
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_attr_t attributes;
  ::pthread_attr_init(&attributes);
  ::pthread_attr_setstacksize(&attributes, kStack);
  const int error = ::pthread_create(thread, &attributes, main, argument);
  ::pthread_attr_destroy(&attributes);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (error != 0) return Error::from_errno(error, "start a thread");
  (void)::pthread_setname_np(*thread, name);
  return {};
}

LoopThread::LoopThread() {
  source_.ready = woken;
  task_.run = run_calls;
}

Status LoopThread::start(const char* name, const std::function<Status()>& first) {
  TRY(loop_.open());
  wake_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake_ || !loop_.watch(wake_.get(), EPOLLIN, &source_))
    return Error::from_errno(errno, "eventfd");
  Call call{&first, {}, false};
  first_ = &call;
  TRY(start_thread(&thread_, name, thread_main, this));
  running_ = true;
  {
    Locked lock(&mutex_);
    while (!call.done) ::pthread_cond_wait(&done_, &mutex_);
  }
  if (call.result) return {};
  ::pthread_join(thread_, nullptr);
  running_ = false;
  return std::move(call.result);
}

void LoopThread::stop() {
  if (!running_) return;
  ignore(call([this]() -> Status {
           loop_.stop();
           return {};
         }),
         "cannot fail");
  ::pthread_join(thread_, nullptr);
  running_ = false;
}

Status LoopThread::call(const std::function<Status()>& act) {
  if (!running_) return Error(Errc::unavailable, "the thread has ended");
  Call call{&act, {}, false};
  Locked lock(&mutex_);
  calls_.push_back(&call);
  const std::uint64_t one = 1;
  (void)!::write(wake_.get(), &one, sizeof one);
  while (!call.done) ::pthread_cond_wait(&done_, &mutex_);
  return std::move(call.result);
}

void* LoopThread::thread_main(void* argument) {
  auto* self = static_cast<LoopThread*>(argument);
  Call* first = self->first_;
  Status result = (*first->act)();
  const bool ok = result.ok();
  {
    Locked lock(&self->mutex_);
    first->result = std::move(result);
    first->done = true;
    ::pthread_cond_broadcast(&self->done_);
  }
  if (ok) self->loop_.run();
  return nullptr;
}

// Not in the middle of a round: what a call removes may be the subject of the round's next event.
void LoopThread::woken(Source* source, std::uint32_t) {
  auto* self = holder_of(source, &LoopThread::source_);
  std::uint64_t count;
  (void)!::read(self->wake_.get(), &count, sizeof count);
  self->loop_.later(&self->task_);
}

void LoopThread::run_calls(Task* task) {
  auto* self = holder_of(task, &LoopThread::task_);
  std::vector<Call*> calls;
  {
    Locked lock(&self->mutex_);
    calls.swap(self->calls_);
  }
  for (Call* call : calls) {
    Status result = (*call->act)();
    Locked lock(&self->mutex_);
    call->result = std::move(result);
    call->done = true;
    ::pthread_cond_broadcast(&self->done_);
  }
}

}  // namespace minke::netd
