#include <unistd.h>

#include <utility>

#include "base/str.h"
#include "net/setup_parts.h"
#include "sys/fd.h"

namespace minke::net {

namespace {

std::vector<UdpPort> udp_ports(const AttachmentRecord& record) {
  std::vector<UdpPort> out;
  for (const auto& mapping : record.ports) {
    if (mapping.protocol != Protocol::udp) continue;
    UdpPort port{mapping.host_ip, mapping.host_port, mapping.range};
    if (port.address && port.address->is_unspecified()) port.address.reset();
    out.push_back(port);
  }
  return out;
}

// The kernel lets the last close of such a socket wait until what was removed is freed, 12 ms and
// more: a child that nobody waits for does it.
void close_behind(sys::UniqueFd socket, sys::NetlinkSocket owner) {
  auto pipe = sys::make_pipe();
  if (!pipe) return;  // then we wait
  pid_t child = ::fork();
  if (child == 0) {
    int kept[2] = {pipe->first.get(), socket.get()};
    if (kept[0] > kept[1]) std::swap(kept[0], kept[1]);
    // Nothing else of ours may stay open meanwhile: locks, and the ends of pipes.
    if (kept[0] > 0) ::close_range(0, static_cast<unsigned>(kept[0] - 1), 0);
    if (kept[1] > kept[0] + 1)
      ::close_range(static_cast<unsigned>(kept[0] + 1), static_cast<unsigned>(kept[1] - 1), 0);
    ::close_range(static_cast<unsigned>(kept[1] + 1), ~0U, 0);
    char byte;
    while (::read(pipe->first.get(), &byte, 1) < 0 && errno == EINTR) {
    }  // until the parent has none any more
    ::_exit(0);
  }
  owner = {};
  socket.reset();
}

}  // namespace

Status publish(const AttachmentRecord& record, const Place& place) {
  if (place.rootless || record.ports.empty()) return {};
  auto elements = port_elements(record);
  if (elements.empty()) return {};
  auto socket = TRY(open_nftables(place));
  TRY(put_elements(socket, elements, concat("publish ports of ", record.name)));
  return forget_connections(socket, place, udp_ports(record));
}

Status unpublish(const AttachmentRecord& record, const Place& place) {
  if (place.rootless || record.ports.empty()) return {};
  auto elements = port_elements(record);
  if (elements.empty()) return {};
  auto socket = TRY(open_nftables(place));
  Status dropped = drop_elements(socket, elements, concat("unpublish ports of ", record.name));
  if (dropped) dropped = forget_connections(socket, place, udp_ports(record));
  if (auto last = sys::duplicate(socket.fd())) close_behind(std::move(*last), std::move(socket));
  return dropped;
}

}  // namespace minke::net
