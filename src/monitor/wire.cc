#include "monitor/wire.h"

#include <sys/socket.h>

namespace minke::monitor {

std::string pack(Verb verb) { return std::string(1, static_cast<char>(verb)); }

std::string pack_error(const Error& error) {
  Packer packer(Verb::failed);
  auto code = error.code();
  int sys = error.sys(), exit = error.exit_code();
  std::string message = error.message();
  packer("code", code);
  packer("errno", sys);
  packer("exit", exit);
  packer("message", message);
  return std::move(packer.out());
}

Error unpack_error(std::string_view packed) {
  Unpacker unpacker(packed);
  Errc code = Errc::internal;
  int sys = 0, exit = 0;
  std::string message;
  unpacker("code", code);
  unpacker("errno", sys);
  unpacker("exit", exit);
  unpacker("message", message);
  Error error(code, std::move(message));
  return exit != 0 ? std::move(error).with_exit(exit) : std::move(error);
}

Result<sys::Message> receive_sized(int socket) {
  char probe;
  ssize_t size;
  do {
    // ECONNRESET: the peer has closed with a message of ours unread. The error comes once, ahead of
    // what is queued.
    size = ::recv(socket, &probe, sizeof probe, MSG_PEEK | MSG_TRUNC);
  } while (size < 0 && (errno == EINTR || errno == ECONNRESET));
  if (size < 0) return Error::from_errno(errno, "receive message");
  if (size == 0) return sys::Message{};
  return sys::receive_message(socket, static_cast<std::size_t>(size));
}

void raise_send_buffer(int socket) {
  int size = 1 << 20;
  // Best effort: the kernel clamps to net.core.wmem_max, which holds any plan of usual size.
  ::setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

}  // namespace minke::monitor
