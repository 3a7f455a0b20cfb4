#include "netd/syn_queue.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/netlink.h>

#include <algorithm>
#include <cstring>

namespace minke::netd {
namespace {

constexpr std::uint16_t kPacket = NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET;
constexpr std::uint16_t kVerdict = NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_VERDICT;
constexpr std::uint16_t kConfig = NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_CONFIG;

using Bytes = std::span<const std::uint8_t>;

template <typename T>
bool read_at(Bytes bytes, std::size_t at, T* out) {
  if (at > bytes.size() || bytes.size() - at < sizeof *out) return false;
  std::memcpy(out, bytes.data() + at, sizeof *out);
  return true;
}

std::uint32_t u32(Bytes b, std::size_t at) {
  return std::uint32_t{b[at]} << 24 | b[at + 1] << 16 | b[at + 2] << 8 | b[at + 3];
}
std::uint16_t u16(Bytes b, std::size_t at) {
  return static_cast<std::uint16_t>(b[at] << 8 | b[at + 1]);
}

bool parse_tcp(Bytes tcp, HeldPacket* out) {
  constexpr std::uint8_t kFin = 1, kSyn = 2, kRst = 4, kAck = 16;
  if (tcp.size() < 20) return false;
  if ((tcp[13] & (kFin | kSyn | kRst | kAck)) != kSyn) return false;
  out->source.port = u16(tcp, 0);
  out->destination.port = u16(tcp, 2);
  out->sequence = u32(tcp, 4);
  return true;
}

net::IpAddress address_at(Bytes packet, std::size_t at, bool v6) {
  net::IpAddress a = net::IpAddress::any(v6);
  std::memcpy(a.bytes.data(), packet.data() + at, a.size());
  return a;
}

bool parse_v4(Bytes packet, HeldPacket* out) {
  if (packet.size() < 20) return false;
  const std::size_t header = (packet[0] & 15) * 4u;
  if (header < 20 || header > packet.size() || packet[9] != IPPROTO_TCP) return false;
  if ((u16(packet, 6) & 0x1fff) != 0) return false;  // a later fragment
  out->source.address = address_at(packet, 12, false);
  out->destination.address = address_at(packet, 16, false);
  return parse_tcp(packet.subspan(header), out);
}

bool parse_v6(Bytes packet, HeldPacket* out) {
  constexpr int kMaxExtensions = 8;
  if (packet.size() < 40) return false;
  out->source.address = address_at(packet, 8, true);
  out->destination.address = address_at(packet, 24, true);
  std::uint8_t next = packet[6];
  std::size_t at = 40;
  for (int i = 0; i < kMaxExtensions && next != IPPROTO_TCP; ++i) {
    if (next != IPPROTO_HOPOPTS && next != IPPROTO_ROUTING && next != IPPROTO_DSTOPTS) return false;
    if (packet.size() - at < 8) return false;
    next = packet[at];
    at += (packet[at + 1] + 1u) * 8;
    if (at > packet.size()) return false;
  }
  return next == IPPROTO_TCP && parse_tcp(packet.subspan(at), out);
}

// Attributes of one message: `visit(type, payload)`.
template <typename F>
void for_each_attribute(Bytes bytes, F visit) {
  nlattr attribute;
  while (read_at(bytes, 0, &attribute)) {
    if (attribute.nla_len < sizeof attribute || attribute.nla_len > bytes.size()) return;
    visit(attribute.nla_type & NLA_TYPE_MASK,
          bytes.subspan(sizeof attribute, attribute.nla_len - sizeof attribute));
    bytes = bytes.subspan(std::min<std::size_t>(NLA_ALIGN(attribute.nla_len), bytes.size()));
  }
}

bool parse_packet(Bytes payload, HeldPacket* out) {
  if (payload.size() < sizeof(nfgenmsg)) return false;
  *out = {};
  bool has_id = false;
  for_each_attribute(payload.subspan(sizeof(nfgenmsg)), [&](int type, Bytes value) {
    if (type == NFQA_PACKET_HDR && value.size() >= 4) {
      out->id = u32(value, 0);
      has_id = true;
    } else if (type == NFQA_PAYLOAD) {
      out->syn = parse_syn(value, out);
    }
  });
  return has_id;
}

// One netlink message, put together attribute by attribute.
class Message {
 public:
  Message(std::uint16_t type, std::uint16_t flags, std::uint16_t queue) {
    const nlmsghdr header{0, type, static_cast<std::uint16_t>(NLM_F_REQUEST | flags), 0, 0};
    const nfgenmsg family{AF_UNSPEC, NFNETLINK_V0, htons(queue)};
    append(header);
    append(family);
  }
  template <typename T>
  Message& attribute(std::uint16_t type, const T& value) {
    const nlattr header{static_cast<std::uint16_t>(sizeof header + sizeof value), type};
    append(header);
    append(value);
    bytes_.resize(NLA_ALIGN(bytes_.size()));
    return *this;
  }
  std::string take() {
    const auto length = static_cast<std::uint32_t>(bytes_.size());
    std::memcpy(bytes_.data(), &length, sizeof length);
    return std::move(bytes_);
  }

 private:
  template <typename T>
  void append(const T& value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  std::string bytes_;
};

}  // namespace

bool parse_syn(Bytes packet, HeldPacket* out) {
  const std::uint32_t id = out->id;
  const bool syn = !packet.empty() && ((packet[0] >> 4 == 4 && parse_v4(packet, out)) ||
                                       (packet[0] >> 4 == 6 && parse_v6(packet, out)));
  if (!syn) *out = {};
  out->id = id;
  return syn;
}

std::size_t parse_held_packets(Bytes bytes, HeldPacket* out, std::size_t room) {
  std::size_t count = 0;
  nlmsghdr header;
  while (count < room && read_at(bytes, 0, &header)) {
    if (header.nlmsg_len < sizeof header || header.nlmsg_len > bytes.size()) break;
    if (header.nlmsg_type == kPacket &&
        parse_packet(bytes.subspan(sizeof header, header.nlmsg_len - sizeof header), out + count))
      ++count;
    bytes = bytes.subspan(std::min<std::size_t>(NLMSG_ALIGN(header.nlmsg_len), bytes.size()));
  }
  return count;
}

std::string make_verdict(std::uint16_t queue, std::uint32_t id, Verdict verdict,
                         std::uint32_t mark) {
  nfqnl_msg_verdict_hdr header{};
  header.verdict = htonl(verdict == Verdict::accept ? NF_ACCEPT : NF_DROP);
  header.id = htonl(id);
  Message message(kVerdict, 0, queue);
  message.attribute(NFQA_VERDICT_HDR, header);
  if (mark != 0) message.attribute(NFQA_MARK, htonl(mark));
  return message.take();
}

std::string make_queue_bind(std::uint16_t queue) {
  nfqnl_msg_config_cmd command{};
  command.command = NFQNL_CFG_CMD_BIND;
  return Message(kConfig, NLM_F_ACK, queue).attribute(NFQA_CFG_CMD, command).take();
}

std::string make_queue_params(std::uint16_t queue, std::uint32_t copy_bytes,
                              std::uint32_t max_packets) {
  nfqnl_msg_config_params params{};
  params.copy_range = htonl(copy_bytes);
  params.copy_mode = NFQNL_COPY_PACKET;
  return Message(kConfig, NLM_F_ACK, queue)
      .attribute(NFQA_CFG_PARAMS, params)
      .attribute(NFQA_CFG_QUEUE_MAXLEN, htonl(max_packets))
      .take();
}

int parse_acknowledgement(Bytes datagram) {
  nlmsghdr header;
  std::int32_t error;
  if (!read_at(datagram, 0, &header) || header.nlmsg_type != NLMSG_ERROR) return -1;
  if (!read_at(datagram, sizeof header, &error)) return -1;
  return error > 0 || error < -4095 ? -1 : -error;
}

}  // namespace minke::netd
