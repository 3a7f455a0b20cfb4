#include "netd/dns_message.h"

#include <algorithm>

#include "base/str.h"

namespace minke::netd {
namespace {

constexpr std::size_t kMaxName = 255, kMaxLabel = 63, kOptSize = 11;
constexpr unsigned kMaxRecords = 32;  // that a query may carry before its OPT record

std::uint16_t get16(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(static_cast<unsigned char>(bytes[at]) << 8 |
                                    static_cast<unsigned char>(bytes[at + 1]));
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

// The name at `at`, without compression: a question stands first, so there is nothing to point to.
// Gives the offset behind it, or 0.
std::size_t read_name(std::string_view packet, std::size_t at, std::string* name, bool* plain) {
  std::size_t start = at;
  for (;;) {
    if (at >= packet.size()) return 0;
    std::size_t length = static_cast<unsigned char>(packet[at++]);
    if (length == 0) return at;
    if (length > kMaxLabel || length > packet.size() - at || at + length - start >= kMaxName)
      return 0;
    if (!name->empty()) *name += '.';
    for (char c : packet.substr(at, length)) {
      if (c <= ' ' || c > '~' || c == '.') *plain = false;
      *name += lower(c);
    }
    at += length;
  }
}

// Behind a name that may be compressed, or 0.
std::size_t skip_name(std::string_view packet, std::size_t at) {
  while (at < packet.size()) {
    std::size_t length = static_cast<unsigned char>(packet[at++]);
    if (length == 0) return at;
    if ((length & 0xc0) == 0xc0) return at < packet.size() ? at + 1 : 0;
    if (length > kMaxLabel) return 0;
    at += length;
  }
  return 0;
}

// Looks for the OPT record among what follows the question.
bool read_extras(std::string_view packet, std::size_t at, DnsQuery* query) {
  unsigned records = get16(packet, 6) + get16(packet, 8) + get16(packet, 10);
  if (records > kMaxRecords) return false;
  for (; records > 0; --records) {
    std::size_t name = at;
    at = skip_name(packet, at);
    if (at == 0 || packet.size() - at < 10) return false;
    std::uint16_t type = get16(packet, at);
    if (type == kDnsTypeOpt) {
      if (query->edns || packet[name] != 0) return false;
      query->edns = true;
      query->udp_size = std::max<std::size_t>(get16(packet, at + 2), kDnsPlainUdp);
      query->dnssec_ok = (static_cast<unsigned char>(packet[at + 6]) & 0x80) != 0;
    }
    std::size_t size = get16(packet, at + 8);
    at += 10;
    if (size > packet.size() - at) return false;
    at += size;
  }
  return true;
}

std::size_t question_end(std::string_view packet) {
  std::size_t at = skip_name(packet, kDnsHeader);
  return at == 0 || packet.size() - at < 4 ? 0 : at + 4;
}

bool parse_octet(std::string_view label, std::uint8_t* octet) {
  auto number = parse_uint(label);
  if (!number || *number > 255 || label.size() > 3) return false;
  *octet = static_cast<std::uint8_t>(*number);
  return true;
}

}  // namespace

DnsParse parse_dns_query(std::string_view packet, DnsQuery* query) {
  *query = {};
  if (packet.size() < kDnsHeader) return DnsParse::ignore;
  auto flags = get16(packet, 2);
  if ((flags & 0x8000) != 0) return DnsParse::ignore;
  query->id = get16(packet, 0);
  query->recursion_desired = (flags & 0x0100) != 0;
  query->checking_disabled = (flags & 0x0010) != 0;
  if ((flags & 0x7800) != 0) return DnsParse::unsupported;
  if (get16(packet, 4) != 1) return DnsParse::bad;
  std::size_t at = read_name(packet, kDnsHeader, &query->name, &query->plain);
  if (at == 0 || packet.size() - at < 4) return DnsParse::bad;
  query->type = get16(packet, at);
  query->klass = get16(packet, at + 2);
  at += 4;
  query->question_size = at - kDnsHeader;
  return read_extras(packet, at, query) ? DnsParse::query : DnsParse::bad;
}

bool is_dns_reply_to(std::string_view reply, std::string_view query) {
  if (reply.size() < kDnsHeader || query.size() < kDnsHeader) return false;
  if (get16(reply, 0) != get16(query, 0) || (get16(reply, 2) & 0x8000) == 0) return false;
  // A server that does not know EDNS may send the header alone.
  if (get16(reply, 4) == 0) return dns_code_of(reply) != DnsCode::ok;
  std::size_t end = question_end(query);
  if (get16(reply, 4) != 1 || end == 0 || reply.size() < end) return false;
  return std::equal(reply.begin() + kDnsHeader, reply.begin() + static_cast<std::ptrdiff_t>(end),
                    query.begin() + kDnsHeader,
                    [](char a, char b) { return lower(a) == lower(b); });
}

DnsCode dns_code_of(std::string_view packet) {
  return static_cast<DnsCode>(packet.size() < kDnsHeader ? 2 : packet[3] & 0x0f);
}
bool is_dns_truncated(std::string_view packet) {
  return packet.size() >= kDnsHeader && (packet[2] & 0x02) != 0;
}
std::uint16_t dns_id(std::string_view packet) { return get16(packet, 0); }
void set_dns_id(std::uint16_t id, std::string* packet) {
  (*packet)[0] = static_cast<char>(id >> 8);
  (*packet)[1] = static_cast<char>(id);
}

bool parse_reverse_name(std::string_view name, net::IpAddress* address) {
  *address = {};
  bool v6 = name.ends_with(".ip6.arpa");
  if (!v6 && !name.ends_with(".in-addr.arpa")) return false;
  name.remove_suffix(std::string_view(v6 ? ".ip6.arpa" : ".in-addr.arpa").size());
  address->v6 = v6;
  std::size_t wanted = v6 ? 32 : 4, seen = 0;
  for (std::string_view label : split(name, '.')) {
    if (seen == wanted) return false;
    std::size_t place = wanted - 1 - seen++;
    if (!v6) {
      if (!parse_octet(label, &address->bytes[place])) return false;
      continue;
    }
    auto nibble = label.size() == 1 ? parse_uint(label, 16) : std::nullopt;
    if (!nibble) return false;
    address->bytes[place / 2] |= static_cast<std::uint8_t>(*nibble << (place % 2 == 0 ? 4 : 0));
  }
  return seen == wanted;
}

DnsReply::DnsReply(std::string_view packet, const DnsQuery& query, DnsCode code, std::size_t limit)
    : limit_(limit - (query.edns ? kOptSize : 0)), edns_(query.edns), dnssec_ok_(query.dnssec_ok) {
  out_.reserve(kDnsHeader + query.question_size + 64);
  out_.assign(packet.substr(0, kDnsHeader + query.question_size));
  // An answer, ours (AA), recursion offered; RD and CD as asked.
  out_[2] = static_cast<char>(0x84 | (query.recursion_desired ? 1 : 0));
  out_[3] = static_cast<char>(0x80 | (query.checking_disabled ? 0x10 : 0) |
                              static_cast<unsigned char>(code));
  for (std::size_t i = 6; i < kDnsHeader; ++i) out_[i] = 0;
}

void DnsReply::put16(std::size_t value) {
  out_ += static_cast<char>(value >> 8);
  out_ += static_cast<char>(value);
}

bool DnsReply::begin_record(std::uint16_t type, std::uint32_t ttl, std::size_t size) {
  constexpr std::size_t kFixed = 12;
  if (full_ || answers_ == UINT16_MAX || out_.size() + kFixed + size > limit_) {
    full_ = true;
    return false;
  }
  ++answers_;
  put16(0xc000 | kDnsHeader);  // the name of the question
  put16(type);
  put16(kDnsClassIn);
  put16(ttl >> 16);
  put16(ttl & 0xffff);
  put16(size);
  return true;
}

void DnsReply::add(const net::IpAddress& address, std::uint32_t ttl) {
  if (!begin_record(address.v6 ? kDnsTypeAaaa : kDnsTypeA, ttl, address.size())) return;
  out_.append(reinterpret_cast<const char*>(address.bytes.data()), address.size());
}

void DnsReply::add_pointer(std::string_view name, std::uint32_t ttl) {
  std::string wire;
  for (std::string_view label : split(name, '.')) {
    if (label.empty() || label.size() > kMaxLabel) return;
    wire += static_cast<char>(label.size());
    wire += label;
  }
  wire += '\0';
  if (wire.size() <= kMaxName && begin_record(kDnsTypePtr, ttl, wire.size())) out_ += wire;
}

std::string DnsReply::take() {
  if (full_) out_[2] = static_cast<char>(out_[2] | 0x02);
  out_[6] = static_cast<char>(answers_ >> 8);
  out_[7] = static_cast<char>(answers_);
  if (edns_) {
    out_[11] = 1;
    out_ += '\0';
    put16(kDnsTypeOpt);
    put16(kDnsOwnUdp);
    put16(0);  // extended code and version
    put16(dnssec_ok_ ? 0x8000 : 0);
    put16(0);
  }
  return std::move(out_);
}

std::string dns_error(std::string_view packet, const DnsQuery& query, DnsParse parsed,
                      DnsCode code) {
  if (parsed == DnsParse::query) {
    DnsReply reply(packet, query, code, kDnsMaxMessage);
    std::string out = reply.take();
    out[2] = static_cast<char>(out[2] & ~0x04);  // not ours
    return out;
  }
  std::string out(packet.substr(0, kDnsHeader));
  out[2] = static_cast<char>(0x80 | (out[2] & 0x79));  // opcode and RD stay
  out[3] = static_cast<char>(0x80 | static_cast<unsigned char>(code));
  std::fill(out.begin() + 4, out.end(), '\0');
  return out;
}

}  // namespace minke::netd
