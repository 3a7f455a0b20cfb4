#include "netd/control.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "base/log.h"
#include "base/str.h"
#include "sys/socket.h"

namespace minke::netd {
namespace {

constexpr std::size_t kMaxRequest = 1024, kMaxPeers = 20'000, kMaxName = 255;

bool is_id(std::string_view word) {
  return word.size() == 64 && std::all_of(word.begin(), word.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

bool is_name(std::string_view word) {
  auto is_plain = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  };
  return !word.empty() && word.size() <= kMaxName && is_plain(word[0]) &&
         std::all_of(word.begin(), word.end(),
                     [&](char c) { return is_plain(c) || c == '_' || c == '.' || c == '-'; });
}

// A reader that does not read must not hold up everybody: its answer is lost instead.
void send_answer(int socket, const std::string& answer, const std::vector<int>& fds) {
  if (!sys::send_message(socket, answer, fds))
    log::debug("a control connection did not take its answer");
}

}  // namespace

Result<Request> parse_request(std::string_view message) {
  if (message.empty()) return Error(Errc::invalid_argument, "netd: an empty request");
  Request request{static_cast<net::NetdVerb>(message[0]), std::string(message.substr(1))};
  bool good = false;
  switch (request.verb) {
    case net::NetdVerb::sync:
    case net::NetdVerb::drop:
    case net::NetdVerb::watch:
      good = is_id(request.word);
      break;
    case net::NetdVerb::network:
      good = is_name(request.word);
      break;
    case net::NetdVerb::status:
    case net::NetdVerb::namespaces:
      good = request.word.empty();
      break;
  }
  if (!good)
    return Error(Errc::invalid_argument, concat("netd: no such request: ", quote(message)));
  return request;
}

Control::~Control() {
  if (listener_) loop_.remove(listener_.get());
  for (auto& [number, peer] : peers_) loop_.remove(peer.socket.get());
}

Status Control::listen(const std::string& runroot) {
  std::string path = net::netd_socket(runroot);
  ::unlink(path.c_str());  // of one that was killed; whoever starts us holds the lock
  listener_ = TRY(sys::listen_unix(path, SOCK_SEQPACKET | SOCK_NONBLOCK, 0600, 1024));
  return loop_.add(listener_.get(), EPOLLIN, [this](std::uint32_t) { on_connect(); });
}

bool Control::busy() const {
  if (!peers_.empty()) return true;
  pollfd waiting{listener_.get(), POLLIN, 0};
  return ::poll(&waiting, 1, 0) > 0;
}

std::size_t Control::watchers() const {
  return static_cast<std::size_t>(std::count_if(
      peers_.begin(), peers_.end(), [](const auto& each) { return each.second.watches; }));
}

void Control::on_connect() {
  sys::UniqueFd socket = spare_.accept(listener_.get(), "the network daemon's socket");
  if (!socket || peers_.size() >= kMaxPeers) return;
  ucred who{};
  socklen_t size = sizeof who;
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &who, &size) < 0 ||
      (who.uid != ::geteuid() && who.uid != 0))
    return;
  std::uint64_t number = next_++;
  if (!loop_.add(socket.get(), EPOLLIN, [this, number](std::uint32_t) { on_message(number); }))
    return;
  peers_[number].socket = std::move(socket);
}

void Control::close(std::uint64_t number) {
  auto found = peers_.find(number);
  if (found == peers_.end()) return;
  loop_.remove(found->second.socket.get());
  peers_.erase(found);
  if (peers_.empty() && on_idle) on_idle();
}

void Control::on_message(std::uint64_t number) {
  auto found = peers_.find(number);
  if (found == peers_.end()) return;
  auto message = sys::receive_message(found->second.socket.get(), kMaxRequest);
  if (!message && (message.error().sys() == EAGAIN || message.error().sys() == EINTR)) return;
  if (!message || (message->data.empty() && message->fds.empty())) return close(number);
  auto request = parse_request(message->data);
  if (request && request->verb == net::NetdVerb::watch) found->second.watches = true;
  auto reply = request ? handler_(*request, std::move(message->fds))
                       : Result<Reply>(std::move(request.error()));
  found = peers_.find(number);
  if (found == peers_.end()) return;
  if (reply)
    send_answer(found->second.socket.get(), net::pack_netd_answer(reply->payload), reply->fds);
  else
    send_answer(found->second.socket.get(), net::pack_netd_error(reply.error()), {});
}

}  // namespace minke::netd
