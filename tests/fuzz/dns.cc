// Queries: whatever parses gets an answer that is one to it and within the limit, and nothing is
// read beyond the packet.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "netd/dns_message.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace minke;
  std::string_view packet(reinterpret_cast<const char*>(data), size);
  netd::DnsQuery query;
  netd::DnsParse parsed = netd::parse_dns_query(packet, &query);
  netd::is_dns_reply_to(packet, packet);
  net::IpAddress address;
  netd::parse_reverse_name(packet, &address);
  if (parsed == netd::DnsParse::ignore) return 0;
  std::string error = netd::dns_error(packet, query, parsed, netd::DnsCode::server_failure);
  if (netd::dns_id(error) != query.id) __builtin_trap();
  if (parsed != netd::DnsParse::query) return 0;
  netd::DnsReply reply(packet, query, netd::DnsCode::ok, netd::kDnsPlainUdp);
  for (int i = 0; i < 40; ++i) reply.add(net::IpAddress::loopback(i % 2 == 0), 1);
  reply.add_pointer(query.name, 1);
  std::string out = reply.take();
  if (out.size() > netd::kDnsPlainUdp || !netd::is_dns_reply_to(out, packet)) __builtin_trap();
  return 0;
}
