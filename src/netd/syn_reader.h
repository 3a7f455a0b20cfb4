// The thread that does nothing but read the queue of held SYNs, so that bursts find room in its
// socket, and a ring that hands them to the carrier's thread.
#pragma once

#include <pthread.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <type_traits>

#include "base/result.h"
#include "netd/syn_queue.h"
#include "sys/fd.h"

namespace minke::netd {

// Claims queue `number` of the namespace that the calling thread stands in.
Result<sys::UniqueFd> open_syn_queue(std::uint16_t number);

class SynReader {
 public:
  ~SynReader() { stop(); }
  Status start(sys::UniqueFd queue, std::uint16_t number);
  void stop();

  int event_fd() const { return filled_.get(); }  // readable when there is something to take
  void clear_event();
  bool take(HeldPacket* out);  // the carrier's thread alone
  // From any thread; what is not held any more does not matter.
  void decide(std::uint32_t id, Verdict verdict, std::uint32_t mark);
  std::uint64_t seen() const { return seen_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::size_t kRing = 8192;  // a power of two
  static_assert(std::is_trivially_copyable_v<HeldPacket>);
  struct Free {
    void operator()(void* memory) const { std::free(memory); }
  };
  static void* thread_main(void* self);
  void read_until_stopped();
  void hand_over(const HeldPacket& packet);

  sys::UniqueFd queue_, filled_, stop_;
  std::uint16_t number_ = 0;
  pthread_t thread_{};
  bool running_ = false;
  // From calloc, so that what no burst has filled yet costs no memory.
  std::unique_ptr<HeldPacket[], Free> ring_;
  std::atomic<std::size_t> head_{0}, tail_{0};  // taken from head, put at tail
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> seen_{0};
};

}  // namespace minke::netd
