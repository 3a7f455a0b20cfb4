#include "net/netd_client.h"

#include <sys/socket.h>

#include <cstring>

#include "base/str.h"
#include "sys/socket.h"

namespace minke::net {
namespace {

constexpr char kOk = '+', kFailed = '-';
constexpr std::size_t kMaxAnswer = 256 << 10;

}  // namespace

std::string netd_socket(const std::string& runroot) { return runroot + "/netd.sock"; }

std::string pack_netd_answer(std::string_view payload) { return concat(kOk, payload); }

std::string pack_netd_error(const Error& error) {
  std::string out = {kFailed, static_cast<char>(error.code())};
  return concat(out, error.message());
}

Result<std::string> unpack_netd_answer(std::string_view message) {
  if (message.empty()) return Error(Errc::unavailable, "minke-netd went away");
  if (message[0] == kOk) return std::string(message.substr(1));
  if (message.size() < 2 || message[0] != kFailed ||
      static_cast<unsigned char>(message[1]) > static_cast<unsigned char>(Errc::internal))
    return Error(Errc::corrupt, "minke-netd: an answer that is none");
  return Error(static_cast<Errc>(message[1]), std::string(message.substr(2)));
}

Result<NetdClient> NetdClient::connect(const std::string& runroot) {
  NetdClient client;
  client.socket_ = TRY(sys::connect_unix(netd_socket(runroot), SOCK_SEQPACKET));
  return client;
}

Result<NetdClient::Answer> NetdClient::call(NetdVerb verb, std::string_view word,
                                            const std::vector<int>& fds) {
  TRY_CTX(sys::send_message(socket_.get(), concat(static_cast<char>(verb), word), fds),
          "minke-netd");
  sys::Message message = TRY_CTX(sys::receive_message(socket_.get(), kMaxAnswer), "minke-netd");
  Answer answer;
  answer.payload = TRY(unpack_netd_answer(message.data));
  answer.fds = std::move(message.fds);
  return answer;
}

}  // namespace minke::net
