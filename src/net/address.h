// Addresses, prefixes and ranges of both families as values. No system calls.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace minke::net {

struct IpAddress {
  bool v6 = false;
  std::array<std::uint8_t, 16> bytes{};  // network order; of v4 the first four, the others 0

  // "10.0.0.1", "fd00::1"; no zone. An address of v6 that maps one of v4 stays one of v6.
  static Result<IpAddress> parse(std::string_view text);
  static IpAddress from_v4(std::uint32_t host_order);
  static IpAddress any(bool v6) { return {v6, {}}; }
  static IpAddress loopback(bool v6);

  std::string text() const;
  std::size_t size() const { return v6 ? 16 : 4; }  // bytes in use
  std::uint8_t bits() const { return v6 ? 128 : 32; }
  std::uint32_t v4_number() const;  // host order; of v4 alone

  // By family, then by number.
  auto operator<=>(const IpAddress&) const = default;
  // The neighbours; they wrap around at the ends of the family.
  IpAddress next() const;
  IpAddress previous() const;
  // `count` further on, wrapping around.
  IpAddress plus(std::uint64_t count) const;
  // other - *this, of the same family and not before *this; UINT64_MAX when it is more than that.
  std::uint64_t distance_to(const IpAddress& other) const;

  bool is_unspecified() const;
  bool is_loopback() const;    // 127/8, ::1
  bool is_link_local() const;  // 169.254/16, fe80::/10
  bool is_multicast() const;   // 224/4, ff00::/8
};

struct IpPrefix {
  IpAddress address;  // may have bits below the length: an interface's address with its subnet
  std::uint8_t length = 0;

  // ADDRESS/LENGTH.
  static Result<IpPrefix> parse(std::string_view text);
  // All of one address.
  static IpPrefix host(const IpAddress& address) { return {address, address.bits()}; }
  std::string text() const;

  auto operator<=>(const IpPrefix&) const = default;
  bool contains(const IpAddress& other) const;
  bool overlaps(const IpPrefix& other) const;
  IpAddress network() const;  // the first address
  IpAddress last() const;     // of v4: the broadcast address
  IpAddress mask() const;
  // The same without bits below the length.
  IpPrefix masked() const { return {network(), length}; }
};

// From `first` to `last`, both included.
struct IpRange {
  IpAddress first, last;
  auto operator<=>(const IpRange&) const = default;
  bool contains(const IpAddress& address) const {
    return address.v6 == first.v6 && first <= address && address <= last;
  }
};

struct MacAddress {
  std::array<std::uint8_t, 6> bytes{};

  // Six pairs of digits with ':' or '-', or three groups of four with '.'.
  static Result<MacAddress> parse(std::string_view text);
  // Locally administered, of one station.
  static MacAddress random();
  std::string text() const;
  auto operator<=>(const MacAddress&) const = default;
  bool is_zero() const { return bytes == std::array<std::uint8_t, 6>{}; }
  bool is_multicast() const { return (bytes[0] & 1) != 0; }
};

}  // namespace minke::net
