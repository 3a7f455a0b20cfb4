#include "netd/proxy_header.h"

#include <algorithm>

#include "base/str.h"

namespace minke::netd {
namespace {

constexpr std::string_view kSignature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr char kVersionProxy = 0x21;  // version 2, a connection made for somebody else
constexpr char kTcp4 = 0x11, kTcp6 = 0x21;

net::IpAddress as_v6(const net::IpAddress& address) {
  if (address.v6) return address;
  net::IpAddress mapped = net::IpAddress::any(true);
  mapped.bytes[10] = mapped.bytes[11] = 0xff;
  std::copy_n(address.bytes.begin(), 4, mapped.bytes.begin() + 12);
  return mapped;
}

void append_u16(std::string* out, std::size_t value) {
  out->push_back(static_cast<char>(value >> 8 & 0xff));
  out->push_back(static_cast<char>(value & 0xff));
}

void append_address(std::string* out, const net::IpAddress& address) {
  out->append(reinterpret_cast<const char*>(address.bytes.data()), address.size());
}

std::string text_header(const Endpoint& source, const Endpoint& destination) {
  return concat("PROXY ", source.address.v6 ? "TCP6 " : "TCP4 ", source.address.text(), " ",
                destination.address.text(), " ", std::to_string(source.port), " ",
                std::to_string(destination.port), "\r\n");
}

std::string binary_header(const Endpoint& source, const Endpoint& destination) {
  std::string out(kSignature);
  out.push_back(kVersionProxy);
  out.push_back(source.address.v6 ? kTcp6 : kTcp4);
  append_u16(&out, 2 * source.address.size() + 4);
  append_address(&out, source.address);
  append_address(&out, destination.address);
  append_u16(&out, source.port);
  append_u16(&out, destination.port);
  return out;
}

}  // namespace

std::string make_proxy_header(net::ProxyHeader version, const Endpoint& source,
                              const Endpoint& destination) {
  Endpoint from = source, to = destination;
  if (from.address.v6 != to.address.v6) {
    from.address = as_v6(from.address);
    to.address = as_v6(to.address);
  }
  switch (version) {
    case net::ProxyHeader::none:
      return {};
    case net::ProxyHeader::v1:
      return text_header(from, to);
    case net::ProxyHeader::v2:
      return binary_header(from, to);
  }
  return {};
}

}  // namespace minke::netd
