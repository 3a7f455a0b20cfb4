// The table `inet minke`: which chains, rules and sets it has, and which elements a network, a name
// server and a published port are. Values alone; net/setup.h talks to the kernel.
//
// The rules are laid once; networks and ports come and go as elements, so that neither their number
// nor the cost of one more grows with what is there.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "net/attachment.h"
#include "net/network.h"
#include "net/nft.h"
#include "net/setup.h"

namespace minke::net {

constexpr const char* kTable = "minke";
// One bit of the packet mark. In the host: the table has accepted this packet. In N: it is for a
// socket of N, whatever its destination. Away from 0x2000 (netavark), 0x4000 and 0x8000
// (kube-proxy), 0xff0000 (Tailscale) and 0xca6c (wg-quick).
constexpr std::uint32_t kMark = 0x1000;
constexpr std::uint32_t kLocalTable = 27755;  // routing table and priority of its rule
// Marks that netd gives a held SYN with its verdict.
constexpr std::uint32_t kHeldRefused = 0xe01;      // reset
constexpr std::uint32_t kHeldNoRoute = 0xe02;      // network unreachable
constexpr std::uint32_t kHeldUnreachable = 0xe03;  // host unreachable
constexpr std::uint32_t kHeldProhibited = 0xe04;   // administratively prohibited

// The element of set `bridges` that says which rules the table has; no interface has such a name.
constexpr const char* kLayout = "layout 1";

// The table with its sets, chains and rules; elements stay. hold and take stay as they are.
void add_base(nft::Transaction& transaction, bool rootless);
// Rules of hold and take. `transparent`: with `socket transparent`.
void add_inside(nft::Transaction& transaction, const InsidePorts& ports, Queue queue,
                bool transparent);

struct SetElements {
  std::string set;
  std::vector<nft::Element> elements;
};
// Of a bridge network.
std::vector<SetElements> network_elements(const Network& network);
std::vector<SetElements> name_elements(const Network& network, std::uint16_t port);
std::vector<SetElements> port_elements(const AttachmentRecord& record);
// ::1 led by the kernel.
SetElements loopback6_element();

std::uint8_t protocol_number(Protocol protocol);
// Where published ports lead, per family.
struct PublishTarget {
  std::optional<IpAddress> v4, v6;
};
PublishTarget publish_target(const AttachmentRecord& record);

}  // namespace minke::net
