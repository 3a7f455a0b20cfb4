#include "store/transfer_protocol.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/str.h"

namespace minke::store {
namespace {

constexpr std::uint32_t kMaxMessage = 64 << 20;

Status send_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t n = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Error::from_errno(errno, "transfer socket");
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

// False when the other side has gone before the first byte.
Result<bool> receive_all(int socket, char* out, std::size_t size) {
  for (std::size_t at = 0; at < size;) {
    ssize_t n = ::recv(socket, out + at, size - at, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno != ECONNRESET) return Error::from_errno(errno, "transfer socket");
    if (n <= 0) return at == 0 ? Result<bool>(false) : Error(Errc::io, "transfer socket: cut off");
    at += static_cast<std::size_t>(n);
  }
  return true;
}

}  // namespace

void bind(json::Binder& b, TransferClient& client) {
  b("certFile", client.cert_file);
  b("keyFile", client.key_file);
}
void bind(json::Binder& b, TransferHost& host) {
  b("host", host.host);
  b("repository", host.repository);
  b("insecure", host.insecure);
  b("mirror", host.mirror);
  b("username", host.username);
  b("password", host.password);
  b("identityToken", host.identity_token);
  b("caFiles", host.ca_files);
  b("clients", host.clients);
}
void bind(json::Binder& b, TransferBlob& blob) {
  b("digest", blob.digest);
  b("size", blob.size);
  b("staged", blob.staged);
  b("mountFrom", blob.mount_from);
}
void bind(json::Binder& b, TransferRequest& request) {
  b("verb", request.verb);
  b("hosts", request.hosts);
  b("reference", request.reference);
  b("os", request.os);
  b("architecture", request.architecture);
  b("variant", request.variant);
  b.required("retries", request.retries);
  b("retryDelay", request.retry_delay_ns);
  b("method", request.method);
  b("path", request.path);
  b("scope", request.scope);
  b("body", request.body);
  b("contentType", request.content_type);
  b("anonymous", request.anonymous);
  b("accept", request.accept);
  b("maxBody", request.max_body);
  b("requirements", request.requirements);
  b("signatures", request.signatures);
  b("signedReference", request.signed_reference);
  b("blobs", request.blobs);
  b("manifest", request.manifest);
  b("mediaType", request.media_type);
}
void bind(json::Binder& b, TransferMessage& message) {
  b("kind", message.kind);
  b("digest", message.digest);
  b("text", message.text);
  b("done", message.done);
  b("total", message.total);
  b("manifest", message.manifest);
  b("mediaType", message.media_type);
  b("config", message.config);
  b("indexDigest", message.index_digest);
  b("signatures", message.signatures);
  b("status", message.status);
  b("headers", message.headers);
  b("body", message.body);
  b("errorCode", message.error_code);
  b("errno", message.error_errno);
  b("wanted", message.wanted);
}

Status send_transfer_message(int socket, const TransferMessage& message) {
  std::string text = json::dump_struct(message);
  auto size = static_cast<std::uint32_t>(text.size());
  if (text.size() > kMaxMessage) return Error(Errc::internal, "transfer socket: message too large");
  std::string frame(sizeof size, '\0');
  std::memcpy(frame.data(), &size, sizeof size);
  frame += text;
  return send_all(socket, frame);
}

Result<TransferMessage> receive_transfer_message(int socket) {
  std::uint32_t size = 0;
  char head[sizeof size];
  if (!TRY(receive_all(socket, head, sizeof head))) return TransferMessage();
  std::memcpy(&size, head, sizeof size);
  if (size > kMaxMessage) return Error(Errc::corrupt, "transfer socket: message too large");
  std::string text(size, '\0');
  if (!TRY(receive_all(socket, text.data(), size)))
    return Error(Errc::io, "transfer socket: cut off");
  return json::parse_struct<TransferMessage>(text);
}

}  // namespace minke::store
