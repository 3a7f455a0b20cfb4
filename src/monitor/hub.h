// The streams of one container: what it writes goes to the log and to attached clients, what
// clients type goes to it. All descriptors are non-blocking and served by one event loop.
#pragma once

#include <sys/ioctl.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "monitor/log_writer.h"
#include "monitor/protocol.h"
#include "sys/event_loop.h"
#include "sys/fd.h"

namespace minke::monitor {

class Hub {
 public:
  explicit Hub(sys::EventLoop& loop) : loop_(loop) {}
  ~Hub();

  void set_log(std::unique_ptr<LogWriter> log) { log_ = std::move(log); }
  // Close the container's stdin when the first client that wrote to it has gone.
  void set_stdin_once(bool once) { stdin_once_ = once; }
  // Our ends of the container's pipes; any may be empty.
  Status set_pipes(sys::UniqueFd in, sys::UniqueFd out, sys::UniqueFd err);
  Status set_terminal(sys::UniqueFd master);
  // The size that the terminal gets when it comes.
  void set_size(std::uint16_t rows, std::uint16_t columns) { size_ = {rows, columns, 0, 0}; }
  Status listen(const std::string& path);

  // `from_start` applies back-pressure: while it has not taken what was written, nothing more is
  // read, so it loses nothing. Other clients have kClientBuffer and are cut off beyond it.
  Status add_client(sys::UniqueFd socket, bool from_start, bool with_stdin);

  // The container has ended: what it wrote is still read and handed out, then the clients are let
  // go.
  void finish();
  // Everything that was written is in the log and at every client (or the client is gone).
  bool drained() const;
  // Lets slow clients go without their rest.
  void drop_clients();
  // Called after finish() whenever drained() may have become true.
  std::function<void()> on_progress;
  // A client asked for the start of a container that waits for it; started() answers.
  std::function<void()> on_start;
  std::function<Status(std::string_view)> on_replan;
  void started(const Status& status);

 private:
  struct Client {
    sys::UniqueFd fd;
    bool from_start = false;
    bool wants_output = false, wants_stdin = false;
    bool wrote_stdin = false;
    bool half_closed = false;  // sends nothing more
    bool hung_up = false;      // gone, but its last frames are not read yet
    bool closing = false;      // gets its last frame, then ends
    bool awaits_start = false;
    std::deque<std::string> pending;
    std::size_t pending_bytes = 0;
    std::uint32_t watched = 0;  // epoll events, 0: not in the loop
  };
  struct Source {
    sys::UniqueFd fd;
    Stream stream = Stream::out;
    bool watched = false;
  };

  void accept_clients();
  void on_source(Source& source);
  bool read_source(Source& source);
  void close_source(Source& source);
  void broadcast(Stream stream, std::string_view data);
  void send_frame(Client& client, Frame type, std::string_view data);
  void flush_client(Client& client);
  void on_client(int fd, std::uint32_t events);
  void read_client(Client& client);
  void handle_frame(Client& client, std::string_view frame);
  void answer(Client& client, const Status& status);
  void remove_client(int fd);
  void write_stdin(std::string_view data);
  void flush_stdin();
  void close_stdin();
  void watch_client(Client& client);
  void watch_sources();
  void release_memory();
  void progress();
  bool held_back() const;
  Status apply_size();
  void streams_ready();

  sys::EventLoop& loop_;
  std::unique_ptr<LogWriter> log_;
  Source sources_[2];
  sys::UniqueFd stdin_, listener_;
  int terminal_ = -1;  // the master, owned by sources_[0]
  winsize size_{};
  bool has_terminal_ = false;
  bool ready_ = false;  // the streams exist: clients' frames are read
  std::string stdin_pending_;
  bool stdin_once_ = false, stdin_eof_ = false;
  bool finished_ = false;
  std::map<int, Client> clients_;
  std::uint64_t idle_timer_ = 0;
};

}  // namespace minke::monitor
