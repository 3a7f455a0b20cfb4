#include "net/address.h"

#include <arpa/inet.h>

#include <algorithm>

#include "base/rand.h"
#include "base/str.h"

namespace minke::net {
namespace {

// The address with the bits from `length` on cleared, or set.
IpAddress with_tail(IpAddress address, std::uint8_t length, bool set) {
  for (std::size_t i = 0; i < address.size(); ++i) {
    int kept = std::clamp(static_cast<int>(length) - static_cast<int>(i) * 8, 0, 8);
    auto tail = static_cast<std::uint8_t>(0xff >> kept);
    address.bytes[i] =
        static_cast<std::uint8_t>(set ? address.bytes[i] | tail : address.bytes[i] & ~tail);
  }
  return address;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

Result<IpAddress> IpAddress::parse(std::string_view text) {
  IpAddress address;
  address.v6 = text.find(':') != std::string_view::npos;
  if (text.size() >= INET6_ADDRSTRLEN ||
      ::inet_pton(address.v6 ? AF_INET6 : AF_INET, std::string(text).c_str(),
                  address.bytes.data()) != 1)
    return Error(Errc::invalid_argument, concat(quote(text), " is not an IP address"));
  return address;
}

IpAddress IpAddress::from_v4(std::uint32_t host_order) {
  IpAddress address;
  for (int i = 0; i < 4; ++i)
    address.bytes[static_cast<std::size_t>(i)] =
        static_cast<std::uint8_t>(host_order >> (24 - 8 * i));
  return address;
}

IpAddress IpAddress::loopback(bool v6) {
  if (!v6) return from_v4(0x7f000001);
  IpAddress address = any(true);
  address.bytes[15] = 1;
  return address;
}

std::string IpAddress::text() const {
  char buffer[INET6_ADDRSTRLEN];
  return ::inet_ntop(v6 ? AF_INET6 : AF_INET, bytes.data(), buffer, sizeof buffer);
}

std::uint32_t IpAddress::v4_number() const {
  return static_cast<std::uint32_t>(bytes[0]) << 24 | static_cast<std::uint32_t>(bytes[1]) << 16 |
         static_cast<std::uint32_t>(bytes[2]) << 8 | bytes[3];
}

IpAddress IpAddress::next() const { return plus(1); }

IpAddress IpAddress::previous() const {
  IpAddress address = *this;
  for (std::size_t i = size(); i-- > 0;)
    if (address.bytes[i]-- != 0) break;
  return address;
}

IpAddress IpAddress::plus(std::uint64_t count) const {
  IpAddress address = *this;
  std::uint64_t carry = 0;
  for (std::size_t i = size(); i-- > 0;) {
    std::uint64_t sum = address.bytes[i] + (count & 0xff) + carry;
    address.bytes[i] = static_cast<std::uint8_t>(sum);
    carry = sum >> 8;
    count >>= 8;
  }
  return address;
}

std::uint64_t IpAddress::distance_to(const IpAddress& other) const {
  std::array<std::uint8_t, 16> difference{};
  int borrow = 0;
  for (std::size_t i = size(); i-- > 0;) {
    int value = other.bytes[i] - bytes[i] - borrow;
    borrow = value < 0 ? 1 : 0;
    difference[i] = static_cast<std::uint8_t>(value);
  }
  std::uint64_t distance = 0;
  for (std::size_t i = 0; i < size(); ++i) {
    if (distance >> 56 != 0) return UINT64_MAX;
    distance = distance << 8 | difference[i];
  }
  return distance;
}

bool IpAddress::is_unspecified() const { return bytes == std::array<std::uint8_t, 16>{}; }
bool IpAddress::is_loopback() const { return v6 ? *this == loopback(true) : bytes[0] == 127; }
bool IpAddress::is_link_local() const {
  return v6 ? bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80 : bytes[0] == 169 && bytes[1] == 254;
}
bool IpAddress::is_multicast() const { return v6 ? bytes[0] == 0xff : bytes[0] >> 4 == 14; }

Result<IpPrefix> IpPrefix::parse(std::string_view text) {
  auto halves = split_once(text, '/');
  auto wrong = [&] {
    return Error(Errc::invalid_argument,
                 concat(quote(text), " is not a network: expected ADDRESS/LENGTH"));
  };
  if (!halves) return wrong();
  auto address = IpAddress::parse(halves->first);
  auto length = parse_uint(halves->second);
  if (!address || !length || *length > address->bits()) return wrong();
  return IpPrefix{*address, static_cast<std::uint8_t>(*length)};
}

std::string IpPrefix::text() const { return concat(address.text(), "/", length); }

bool IpPrefix::contains(const IpAddress& other) const {
  return other.v6 == address.v6 && with_tail(other, length, false) == network();
}
bool IpPrefix::overlaps(const IpPrefix& other) const {
  return length <= other.length ? contains(other.address) : other.contains(address);
}
IpAddress IpPrefix::network() const { return with_tail(address, length, false); }
IpAddress IpPrefix::last() const { return with_tail(address, length, true); }
IpAddress IpPrefix::mask() const {
  return with_tail(with_tail(IpAddress::any(address.v6), 0, true), length, false);
}

Result<MacAddress> MacAddress::parse(std::string_view text) {
  MacAddress mac;
  auto wrong = [&] {
    return Error(Errc::invalid_argument, concat(quote(text), " is not a MAC address"));
  };
  const char separator = text.size() == 14 ? '.' : text.size() == 17 ? text[2] : '\0';
  if (separator != '.' && separator != ':' && separator != '-') return wrong();
  const std::size_t group = separator == '.' ? 4 : 2;
  std::size_t digits = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i % (group + 1) == group) {
      if (text[i] != separator) return wrong();
      continue;
    }
    int digit = hex_digit(text[i]);
    if (digit < 0) return wrong();
    std::uint8_t& byte = mac.bytes[digits / 2];
    byte = static_cast<std::uint8_t>(byte << 4 | digit);
    ++digits;
  }
  return mac;
}

MacAddress MacAddress::random() {
  MacAddress mac;
  std::string digits = random_hex(6);
  for (std::size_t i = 0; i < 6; ++i)
    mac.bytes[i] =
        static_cast<std::uint8_t>(hex_digit(digits[2 * i]) << 4 | hex_digit(digits[2 * i + 1]));
  mac.bytes[0] = static_cast<std::uint8_t>((mac.bytes[0] & ~1) | 2);
  return mac;
}

std::string MacAddress::text() const {
  return format("%02x:%02x:%02x:%02x:%02x:%02x", bytes[0], bytes[1], bytes[2], bytes[3], bytes[4],
                bytes[5]);
}

}  // namespace minke::net
