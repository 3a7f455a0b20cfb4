// Unix sockets that carry whole messages with descriptors attached.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "sys/fd.h"

namespace minke::sys {

Result<std::pair<UniqueFd, UniqueFd>> make_seqpacket_pair();
// A path longer than sun_path is reached through /proc/self/fd of its folder.
Result<UniqueFd> listen_unix(const std::string& path, int type, mode_t mode, int backlog = 64);
Result<UniqueFd> connect_unix(const std::string& path, int type);

struct Message {
  std::string data;
  std::vector<UniqueFd> fds;
};
Status send_message(int socket, std::string_view data, const std::vector<int>& fds = {});
// One message of at most `max` bytes; an empty one with no descriptors means the peer has closed.
Result<Message> receive_message(int socket, std::size_t max = 64 << 10);

}  // namespace minke::sys
