#include "monitor/hub.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/str.h"
#include "sys/socket.h"

namespace minke::monitor {
namespace {

constexpr std::size_t kMaxClients = 256;
constexpr int kFramesPerTurn = 16;
constexpr std::int64_t kIdleAfterMs = 1000;

// One buffer for all reads; in .bss, so that only touched pages count (see release_memory).
alignas(4096) char g_input[kMaxFrame];

bool would_block() { return errno == EAGAIN || errno == EWOULDBLOCK; }

}  // namespace

Hub::~Hub() {
  for (Source& source : sources_) close_source(source);
  drop_clients();
  if (listener_) loop_.remove(listener_.get());
  if (stdin_) loop_.remove(stdin_.get());
}

Status Hub::set_pipes(sys::UniqueFd in, sys::UniqueFd out, sys::UniqueFd err) {
  for (sys::UniqueFd* fd : {&in, &out, &err})
    if (*fd) TRY(sys::set_nonblocking(fd->get(), true));
  stdin_ = std::move(in);
  sources_[0].fd = std::move(out);
  sources_[1].fd = std::move(err);
  sources_[1].stream = Stream::err;
  streams_ready();
  return {};
}

void Hub::streams_ready() {
  ready_ = true;
  watch_sources();
  for (auto& [fd, client] : clients_) watch_client(client);
}

Status Hub::set_terminal(sys::UniqueFd master) {
  TRY(sys::set_nonblocking(master.get(), true));
  // A second descriptor for the way in: the loop watches the two directions apart.
  stdin_ = TRY(sys::duplicate(master.get()));
  terminal_ = master.get();
  has_terminal_ = true;
  sources_[0].fd = std::move(master);
  if (size_.ws_row != 0) ignore(apply_size(), "the first resize repeats it");
  streams_ready();
  return {};
}

Status Hub::listen(const std::string& path) {
  listener_ = TRY(sys::listen_unix(path, SOCK_SEQPACKET | SOCK_NONBLOCK, 0600));
  return loop_.add(listener_.get(), EPOLLIN, [this](std::uint32_t) { accept_clients(); });
}

void Hub::accept_clients() {
  while (true) {
    sys::UniqueFd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!fd) return;
    if (clients_.size() >= kMaxClients) continue;
    int number = fd.get();
    Client& client = clients_[number];
    client.fd = std::move(fd);
    watch_client(client);
  }
}

Status Hub::add_client(sys::UniqueFd socket, bool from_start, bool with_stdin) {
  TRY(sys::set_nonblocking(socket.get(), true));
  int number = socket.get();
  Client& client = clients_[number];
  client.fd = std::move(socket);
  client.from_start = from_start;
  client.wants_output = true;
  client.wants_stdin = with_stdin;
  watch_client(client);
  return {};
}

void Hub::watch_client(Client& client) {
  std::uint32_t wanted = 0;
  if (ready_ && !client.half_closed && stdin_pending_.empty()) wanted |= EPOLLIN;
  if (!client.pending.empty()) wanted |= EPOLLOUT;
  // One that has hung up reports it at every turn: it is looked at again when its frames can be
  // read.
  if (client.hung_up && (wanted & EPOLLIN) == 0) {
    if (client.watched != 0) loop_.remove(client.fd.get());
    client.watched = 0;
    return;
  }
  constexpr std::uint32_t kPresent =
      1U << 30;  // EPOLLWAKEUP's neighbour, never set by us: "in the loop"
  if ((client.watched & kPresent) == 0) {
    int number = client.fd.get();
    ignore(loop_.add(number, wanted,
                     [this, number](std::uint32_t events) { on_client(number, events); }),
           "out of memory for epoll: the client stays silent");
  } else if (client.watched != (wanted | kPresent)) {
    ignore(loop_.modify(client.fd.get(), wanted), "as above");
  }
  client.watched = wanted | kPresent;
}

bool Hub::held_back() const {
  for (const auto& [fd, client] : clients_)
    if (client.from_start && !client.pending.empty()) return true;
  return false;
}

void Hub::watch_sources() {
  bool stop = held_back();
  for (Source& source : sources_) {
    if (!source.fd || source.watched == !stop) continue;
    if (stop)
      loop_.remove(source.fd.get());
    else
      ignore(loop_.add(source.fd.get(), EPOLLIN,
                       [this, &source](std::uint32_t) { on_source(source); }),
             "a pipe or a terminal can always be watched");
    source.watched = !stop;
  }
}

void Hub::on_source(Source& source) {
  do {
    if (!read_source(source)) break;
  } while (finished_ && !held_back());  // nobody writes any more: empty means the end
  watch_sources();
  if (finished_) progress();
}

// One read; false when there is nothing now or ever.
bool Hub::read_source(Source& source) {
  ssize_t n;
  do {
    n = ::read(source.fd.get(), g_input, sizeof g_input - 1);
  } while (n < 0 && errno == EINTR);
  // EIO: the last descriptor of the terminal's other side was closed.
  if (n < 0 && would_block() && !finished_) return false;
  if (n <= 0) {
    close_source(source);
    return false;
  }
  std::string_view data(g_input, static_cast<std::size_t>(n));
  if (log_) log_->write(source.stream, data, now());
  broadcast(source.stream, data);
  if (n > 4096 && idle_timer_ == 0)
    idle_timer_ = loop_.add_timer(kIdleAfterMs, [this] { release_memory(); });
  return true;
}

void Hub::release_memory() {
  idle_timer_ = 0;
  ::madvise(g_input, sizeof g_input, MADV_DONTNEED);
  if (log_) log_->idle();
}

void Hub::close_source(Source& source) {
  if (!source.fd) return;
  if (source.watched) loop_.remove(source.fd.get());
  source.watched = false;
  if (terminal_ == source.fd.get()) terminal_ = -1;
  source.fd.reset();
  if (log_) log_->finish(source.stream, now());
}

void Hub::broadcast(Stream stream, std::string_view data) {
  Frame type = stream == Stream::out ? Frame::stdout_data : Frame::stderr_data;
  for (auto it = clients_.begin(); it != clients_.end();) {
    Client& client = it++->second;  // sending may remove it
    if (client.wants_output && !client.closing && !client.hung_up) send_frame(client, type, data);
  }
}

void Hub::send_frame(Client& client, Frame type, std::string_view data) {
  if (client.pending.empty()) {
    iovec parts[] = {{&type, 1}, {const_cast<char*>(data.data()), data.size()}};
    msghdr header{};
    header.msg_iov = parts;
    header.msg_iovlen = 2;
    ssize_t n;
    do {
      n = ::sendmsg(client.fd.get(), &header, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (n < 0 && errno == EINTR);
    if (n >= 0) return;
    if (!would_block()) {  // gone; what it sent last is still read by its own event
      client.wants_output = false;
      return;
    }
  }
  std::string frame;
  frame.reserve(data.size() + 1);
  frame += static_cast<char>(type);
  frame += data;
  client.pending_bytes += frame.size();
  client.pending.push_back(std::move(frame));
  if (!client.from_start && client.pending_bytes > kClientBuffer) {
    client.pending.clear();
    client.pending.emplace_back(1, static_cast<char>(Frame::cut_off));
    client.pending_bytes = 1;
    client.closing = true;
  }
  watch_client(client);
}

void Hub::flush_client(Client& client) {
  while (!client.pending.empty()) {
    std::string& frame = client.pending.front();
    ssize_t n = ::send(client.fd.get(), frame.data(), frame.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && would_block()) break;
    if (n < 0) {
      client.pending.clear();
      client.pending_bytes = 0;
      client.wants_output = false;
      break;
    }
    client.pending_bytes -= frame.size();
    client.pending.pop_front();
  }
}

void Hub::on_client(int fd, std::uint32_t events) {
  auto found = clients_.find(fd);
  if (found == clients_.end()) return;
  Client& client = found->second;
  if ((events & (EPOLLHUP | EPOLLERR)) != 0) client.hung_up = true;
  if ((events & EPOLLOUT) != 0 && !client.hung_up) flush_client(client);
  if (client.hung_up) {
    client.pending.clear();
    client.pending_bytes = 0;
    client.wants_output = false;
  }
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) read_client(client);
  found = clients_.find(fd);
  if (found != clients_.end()) {
    bool done = client.pending.empty() && client.closing;
    if (done || (client.hung_up && client.half_closed))
      remove_client(fd);
    else
      watch_client(client);
  }
  watch_sources();
  if (finished_) progress();
}

void Hub::read_client(Client& client) {
  if (!ready_) return;
  for (int i = 0; i < kFramesPerTurn && !client.half_closed && stdin_pending_.empty(); ++i) {
    ssize_t n = ::recv(client.fd.get(), g_input, sizeof g_input, MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && would_block()) return;
    if (n <= 0) {
      client.half_closed = true;
      if (n < 0) client.hung_up = true;
      // A client that hung up without saying that its input ended (a lost or detached one) leaves
      // stdin as it is.
      if (client.wants_stdin && !client.hung_up) close_stdin();
      return;
    }
    handle_frame(client, std::string_view(g_input, static_cast<std::size_t>(n)));
  }
}

void Hub::handle_frame(Client& client, std::string_view frame) {
  auto type = static_cast<Frame>(frame[0]);
  frame.remove_prefix(1);
  switch (type) {
    case Frame::attach: {
      auto flags = frame.empty() ? 0 : static_cast<unsigned char>(frame[0]);
      client.wants_stdin = (flags & kAttachStdin) != 0;
      client.wants_output = (flags & kAttachOutput) != 0;
      return;
    }
    case Frame::stdin_data:
      if (!client.wants_stdin) return;
      client.wrote_stdin = true;
      write_stdin(frame);
      return;
    case Frame::stdin_eof:
      if (client.wants_stdin) close_stdin();
      return;
    case Frame::resize: {
      if (frame.size() != 4)
        return answer(client, Error(Errc::invalid_argument, "resize: wrong length"));
      auto byte = [&](std::size_t i) { return static_cast<unsigned char>(frame[i]); };
      size_.ws_row = static_cast<unsigned short>(byte(0) | byte(1) << 8);
      size_.ws_col = static_cast<unsigned short>(byte(2) | byte(3) << 8);
      Status done = apply_size();
      // A client with the streams sends sizes by the way and waits for no answer.
      if (!client.wants_output && !client.wants_stdin) answer(client, done);
      return;
    }
    case Frame::reopen_logs:
      return answer(client, log_ ? log_->reopen() : Status());
    case Frame::replan:
      return answer(client, on_replan ? on_replan(frame)
                                      : Status(Error(Errc::conflict, "it has no plan to change")));
    case Frame::start:
      if (!on_start) return answer(client, Error(Errc::conflict, "it has been started already"));
      client.awaits_start = true;
      return on_start();
    case Frame::stdout_data:
    case Frame::stderr_data:
    case Frame::cut_off:
    case Frame::done:
    case Frame::refused:
      break;
  }
  answer(client, Error(Errc::invalid_argument, concat("unknown frame ", static_cast<int>(type))));
}

void Hub::started(const Status& status) {
  on_start = nullptr;
  std::vector<int> waiting;  // an answer may end a client
  for (auto& [fd, client] : clients_)
    if (client.awaits_start) waiting.push_back(fd);
  for (int fd : waiting) {
    auto found = clients_.find(fd);
    if (found == clients_.end()) continue;
    found->second.awaits_start = false;
    answer(found->second, status);
  }
}

void Hub::answer(Client& client, const Status& status) {
  if (status)
    send_frame(client, Frame::done, {});
  else
    send_frame(client, Frame::refused, const_cast<Status&>(status).error().message());
}

Status Hub::apply_size() {
  if (terminal_ < 0) {
    if (has_terminal_) return Error(Errc::conflict, "resize: the terminal is closed");
    return Error(Errc::conflict, "resize: the container has no terminal");
  }
  if (::ioctl(terminal_, TIOCSWINSZ, &size_) < 0) return Error::from_errno(errno, "resize");
  return {};
}

void Hub::remove_client(int fd) {
  auto found = clients_.find(fd);
  if (found == clients_.end()) return;
  Client& client = found->second;
  if (stdin_once_ && client.wrote_stdin) close_stdin();
  if (client.watched != 0) loop_.remove(fd);
  clients_.erase(found);
}

void Hub::write_stdin(std::string_view data) {
  if (!stdin_) return;  // closed: what comes now has no reader
  if (!stdin_pending_.empty()) {
    stdin_pending_ += data;
    return;
  }
  while (!data.empty()) {
    ssize_t n = ::write(stdin_.get(), data.data(), data.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && would_block()) break;
    if (n < 0) {  // EPIPE: nobody reads any more
      stdin_.reset();
      return;
    }
    data.remove_prefix(static_cast<std::size_t>(n));
  }
  if (data.empty()) return;
  stdin_pending_ = data;
  ignore(loop_.add(stdin_.get(), EPOLLOUT, [this](std::uint32_t) { flush_stdin(); }),
         "a pipe or a terminal can always be watched");
  // No client is read until the container has taken this.
  for (auto& [fd, client] : clients_) watch_client(client);
}

void Hub::flush_stdin() {
  while (!stdin_pending_.empty()) {
    ssize_t n = ::write(stdin_.get(), stdin_pending_.data(), stdin_pending_.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && would_block()) return;
    if (n < 0) {
      loop_.remove(stdin_.get());
      stdin_.reset();
      stdin_pending_.clear();
      break;
    }
    stdin_pending_.erase(0, static_cast<std::size_t>(n));
  }
  if (stdin_) loop_.remove(stdin_.get());
  std::string().swap(stdin_pending_);
  if (stdin_eof_) close_stdin();
  for (auto& [fd, client] : clients_) watch_client(client);
}

void Hub::close_stdin() {
  stdin_eof_ = true;
  // A terminal has no end of its own: its user types ctrl-d.
  if (has_terminal_ || !stdin_pending_.empty()) return;
  stdin_.reset();
}

void Hub::finish() {
  finished_ = true;
  for (Source& source : sources_)
    if (source.fd && source.watched) on_source(source);
  if (!stdin_pending_.empty()) {
    loop_.remove(stdin_.get());
    std::string().swap(stdin_pending_);
  }
  stdin_.reset();
  if (listener_) loop_.remove(listener_.get());
  listener_.reset();
  progress();
}

bool Hub::drained() const {
  return finished_ && !sources_[0].fd && !sources_[1].fd && clients_.empty();
}

void Hub::drop_clients() {
  while (!clients_.empty()) remove_client(clients_.begin()->first);
  watch_sources();
}

void Hub::progress() {
  if (!sources_[0].fd && !sources_[1].fd) {
    for (auto it = clients_.begin(); it != clients_.end();) {
      int fd = it->first;
      bool done = it->second.pending.empty();
      ++it;
      if (done) remove_client(fd);
    }
  }
  if (on_progress) on_progress();
}

}  // namespace minke::monitor
