// Bytes between two connected TCP sockets, moved by splice(2) through a pipe that is borrowed only
// while bytes are in transit: an idle connection costs its two descriptors and one Relay.
#pragma once

#include <atomic>
#include <cstdint>

#include "netd/loop.h"
#include "netd/slab.h"

namespace minke::netd {

struct Pipe {
  int reader, writer;
  std::uint32_t size;
  Pipe* next;
};

// How many pipes of which size the whole process may have. The kernel gives an ordinary user
// 16,384 pages of pipes (fs.pipe-user-pages-soft) and after that only pipes of one or two pages.
struct PipeBudget {
  std::atomic<int> large{32};    // of 1 MiB, the unprivileged maximum
  std::atomic<int> middle{64};   // of 256 KiB
  std::atomic<int> small{1024};  // as the kernel gives them
};

class PipePool {
 public:
  explicit PipePool(PipeBudget* budget) : budget_(budget) {}
  ~PipePool();
  PipePool(const PipePool&) = delete;
  PipePool& operator=(const PipePool&) = delete;

  Pipe* take();              // null: none to be had (budget, descriptors); do without
  void put(Pipe* pipe);      // empty again
  void discard(Pipe* pipe);  // with bytes of a lost connection in it
  std::size_t count() const { return slab_.used(); }

 private:
  bool reserve(std::uint32_t* size);
  void give_back(std::uint32_t size);

  PipeBudget* budget_;
  Slab<Pipe> slab_;
  Pipe* idle_ = nullptr;
};

struct Relay;

struct RelayEnd {
  Source source;
  Pipe* pipe = nullptr;    // holds what was read from this end
  std::uint32_t held = 0;  // bytes in it
  int fd = -1;
  bool readable = false, writable = false;  // since the last EAGAIN
  bool ended = false;                       // it sent FIN, and the other end was told
  bool second = false;                      // Relay::end[1]
};

// Connections that end together: those of a container.
struct RelayGroup {
  Relay* first = nullptr;
  std::uint32_t count = 0;
};

class Splicer;

struct Relay {
  RelayEnd end[2];
  Splicer* splicer = nullptr;
  RelayGroup* group = nullptr;
  Relay* previous = nullptr;
  Relay* next = nullptr;
  Task task;
  // While the second end connects: called with it connected (true) or failed. Null afterwards.
  void (*connected)(Relay* self, int error) = nullptr;
  std::atomic<std::uint64_t>* counter = nullptr;  // the owner's, as is the tag
  std::uint8_t tag = 0;
  bool closed = false;
};

struct SpliceStats {
  std::atomic<std::uint64_t> connections{0};  // open ones
  std::atomic<std::uint64_t> total{0}, resets{0};
  std::atomic<std::uint64_t> bytes[2] = {0, 0};  // from the first end; from the second
};

class Splicer {
 public:
  // `ended` is called after each relay's end: descriptors have become free, and its group may go.
  Splicer(Loop* loop, PipeBudget* budget, SpliceStats* stats,
          void (*ended)(void* owner, RelayGroup* group), void* owner)
      : loop_(loop), pool_(budget), stats_(stats), ended_(ended), owner_(owner) {}

  // Takes both sockets, non-blocking ones, and moves bytes until both have ended or one is lost.
  // With `connected` the second one's connect is on its way, and nothing moves before it is done;
  // then `connected` says what to do by returning with the relay open or after reset(). Null: epoll
  // refused; the sockets are still the caller's.
  Relay* add(int first, int second, RelayGroup* group,
             void (*connected)(Relay* self, int error) = nullptr);
  // Both sides get RST.
  void reset(Relay* relay);
  // `ended` must leave the group where it is meanwhile.
  void reset_all(RelayGroup* group);

 private:
  static void ready(Source* source, std::uint32_t events);
  static void run_task(Task* task);
  void connect_done(Relay* relay);
  void pump(Relay* relay);
  bool move(Relay* relay, int from);
  bool fill(Relay* relay, RelayEnd* source, RelayEnd* sink);
  bool drain(Relay* relay, RelayEnd* source, RelayEnd* sink);
  bool copy(Relay* relay, RelayEnd* source, RelayEnd* sink);
  void end_of_stream(RelayEnd* source, RelayEnd* sink);
  void release(RelayEnd* end);
  void close(Relay* relay, bool abort);

  Loop* loop_;
  PipePool pool_;
  SpliceStats* stats_;
  void (*ended_)(void*, RelayGroup*);
  void* owner_;
  Slab<Relay> relays_;
};

// Options of a socket whose bytes will be relayed: no waiting for more bytes, and a peer that is
// gone is noticed. Set on a listening socket, what it accepts has them too.
void set_relay_options(int fd);
// The same for a socket towards a container, and its sender does not pace itself
// (net::kInnerCongestion).
void set_inner_options(int fd);
// RST instead of FIN.
void close_with_reset(int fd);

}  // namespace minke::netd
