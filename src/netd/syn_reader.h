// Takes held SYNs out of the queue's socket, which has room for a few hundred, into a ring that has
// room for bursts.
#pragma once

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
  Status start(sys::UniqueFd queue, std::uint16_t number);
  // What is still held is dropped, and `bypass` takes over.
  void stop() { queue_.reset(); }

  int fd() const { return queue_.get(); }  // readable when the socket has some
  // All that the socket has and the ring has room for: as often as there is time, or a burst is
  // lost, to be repeated by its senders a second later.
  void drain(std::int64_t now_ms);
  bool empty() const { return count_ == 0; }
  bool take(HeldPacket* out);  // false: the ring is empty
  // What is not held any more does not matter.
  void decide(std::uint32_t id, Verdict verdict, std::uint32_t mark);

 private:
  static constexpr std::size_t kRing = 8192;
  static_assert(std::is_trivially_copyable_v<HeldPacket>);
  struct Free {
    void operator()(void* memory) const { std::free(memory); }
  };
  sys::UniqueFd queue_;
  std::uint16_t number_ = 0;
  // From calloc, so that what no burst has filled yet costs no memory.
  std::unique_ptr<HeldPacket[], Free> ring_;
  std::size_t head_ = 0, count_ = 0;  // the oldest, and how many there are
};

}  // namespace minke::netd
