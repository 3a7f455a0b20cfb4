// The SYNs that the kernel holds for us (nfnetlink_queue): its messages, read and written without a
// library. docs: linux/netfilter/nfnetlink_queue.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "netd/endpoint.h"

namespace minke::netd {

struct HeldPacket {
  std::uint32_t id;  // of the queue: the verdict names it
  bool syn;          // a whole TCP SYN; else the rest is 0
  std::uint32_t sequence;
  Endpoint source, destination;
  std::int64_t came_ms;  // when it was read; set by the reader
};

// The packets of one datagram of the queue's socket, at most `room`. Anything malformed is left
// out; a packet that is held but no SYN is told, since it wants its verdict.
std::size_t parse_held_packets(std::span<const std::uint8_t> datagram, HeldPacket* out,
                               std::size_t room);
// The header and the TCP header of a packet; false when it is no SYN. Fills all but the id.
bool parse_syn(std::span<const std::uint8_t> packet, HeldPacket* out);

enum class Verdict : std::uint8_t { accept, drop };
std::string make_verdict(std::uint16_t queue, std::uint32_t id, Verdict verdict,
                         std::uint32_t mark);  // mark 0: as it is

// Messages that claim the queue for the sender and set what it gets; each wants an acknowledgement.
std::string make_queue_bind(std::uint16_t queue);
std::string make_queue_params(std::uint16_t queue, std::uint32_t copy_bytes,
                              std::uint32_t max_packets);
// The errno of an acknowledgement, 0 for success; -1 when it is none.
int parse_acknowledgement(std::span<const std::uint8_t> datagram);

}  // namespace minke::netd
