// DNS messages as the name server needs them: the question of a query, answers of our own, and
// whether a reply is the one to a query. Bytes in, bytes out; no system calls.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "net/address.h"

namespace minke::netd {

enum class DnsCode : std::uint8_t {
  ok = 0,
  format_error = 1,
  server_failure = 2,
  no_name = 3,
  not_implemented = 4,
  refused = 5,
};

constexpr std::uint16_t kDnsTypeA = 1, kDnsTypePtr = 12, kDnsTypeAaaa = 28, kDnsTypeOpt = 41,
                        kDnsTypeAny = 255;
constexpr std::uint16_t kDnsClassIn = 1;
constexpr std::size_t kDnsHeader = 12;
constexpr std::size_t kDnsPlainUdp = 512;  // the most that a client without EDNS takes
constexpr std::size_t kDnsOwnUdp = 1232;   // the most that we send: no fragments on any path
constexpr std::size_t kDnsMaxMessage = 65535;

struct DnsQuery {
  std::uint16_t id = 0;
  bool recursion_desired = false, checking_disabled = false;
  // Lower case, without the last dot; empty for the root. A name with a byte that no host name has
  // (a dot within a label, a control character) is not `plain`, and never one of ours.
  std::string name;
  bool plain = true;
  std::uint16_t type = 0, klass = 0;
  bool edns = false, dnssec_ok = false;
  std::size_t udp_size = kDnsPlainUdp;  // what the client takes by UDP
  std::size_t question_size = 0;        // bytes after the header
};

enum class DnsParse { query, ignore, bad, unsupported };
// `ignore`: not a query, or too short to answer. `bad` and `unsupported` have the header's fields
// only, enough for dns_error().
DnsParse parse_dns_query(std::string_view packet, DnsQuery* query);

// Whether `reply` answers `query`, both as on the wire: the id, and the question (names in any
// case).
bool is_dns_reply_to(std::string_view reply, std::string_view query);
DnsCode dns_code_of(std::string_view packet);
bool is_dns_truncated(std::string_view packet);
std::uint16_t dns_id(std::string_view packet);
void set_dns_id(std::uint16_t id, std::string* packet);

// The reverse name's address: of 4.3.2.1.in-addr.arpa and the ip6.arpa kind, whole names only.
bool parse_reverse_name(std::string_view name, net::IpAddress* address);

// An answer of our own to `packet`, which parsed as `query`. What does not fit into `limit` bytes
// is left out, and the answer is marked as truncated.
class DnsReply {
 public:
  DnsReply(std::string_view packet, const DnsQuery& query, DnsCode code, std::size_t limit);
  void add(const net::IpAddress& address, std::uint32_t ttl);
  void add_pointer(std::string_view name, std::uint32_t ttl);
  // The message; the object is of no use afterwards.
  std::string take();

 private:
  bool begin_record(std::uint16_t type, std::uint32_t ttl, std::size_t size);
  void put16(std::size_t value);
  std::string out_;
  std::size_t limit_;
  bool edns_, dnssec_ok_, full_ = false;
  std::uint16_t answers_ = 0;
};

// A message without records; for what did not parse it has no question either.
std::string dns_error(std::string_view packet, const DnsQuery& query, DnsParse parsed,
                      DnsCode code);

}  // namespace minke::netd
