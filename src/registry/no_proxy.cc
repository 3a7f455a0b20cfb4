#include "registry/no_proxy.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "base/str.h"

namespace minke::registry {
namespace {

// IPv4 as the part of IPv6 that stands for it, so that the two need no distinction.
struct Address {
  std::array<unsigned char, 16> bytes{};
  bool v4 = false;
};

std::optional<Address> parse_address(std::string_view text) {
  Address out;
  const std::string plain(text);
  if (::inet_pton(AF_INET6, plain.c_str(), out.bytes.data()) == 1) return out;
  out.v4 = true;
  out.bytes[10] = out.bytes[11] = 0xff;
  if (::inet_pton(AF_INET, plain.c_str(), &out.bytes[12]) == 1) return out;
  return std::nullopt;
}

bool share_bits(const Address& a, const Address& b, unsigned bits) {
  for (unsigned i = 0; i < bits; ++i) {
    const unsigned mask = 0x80U >> (i % 8);
    if ((a.bytes[i / 8] & mask) != (b.bytes[i / 8] & mask)) return false;
  }
  return true;
}

bool is_loopback(std::string_view host, const std::optional<Address>& address) {
  if (!address) return host == "localhost" || host.ends_with(".localhost");
  if (address->v4) return address->bytes[12] == 127;
  constexpr std::array<unsigned char, 16> kOne = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  return address->bytes == kOne;
}

std::string_view without_brackets(std::string_view host) {
  return host.size() > 1 && host.front() == '[' && host.back() == ']'
             ? host.substr(1, host.size() - 2)
             : host;
}

// "a.example:80" in two; of an IPv6 address without brackets, no colon is that of a port.
std::pair<std::string_view, std::string_view> split_port(std::string_view entry) {
  const std::size_t colon = entry.rfind(':');
  const bool bare_v6 = entry.find(':') != colon && entry.front() != '[';
  if (colon == std::string_view::npos || bare_v6 || entry.back() == ']')
    return {without_brackets(entry), {}};
  return {without_brackets(entry.substr(0, colon)), entry.substr(colon + 1)};
}

bool covers(std::string_view entry, std::string_view host, const std::optional<Address>& address,
            std::uint16_t port) {
  if (entry == "*") return true;
  if (auto network = split_once(entry, '/')) {
    auto base = parse_address(network->first);
    auto bits = parse_uint(network->second);
    if (base && bits) {
      const unsigned before = base->v4 ? 96 : 0;
      return address && address->v4 == base->v4 && *bits <= 128 - before &&
             share_bits(*address, *base, static_cast<unsigned>(*bits) + before);
    }
  }
  auto [name, wanted_port] = split_port(entry);
  if (name.empty() || (!wanted_port.empty() && wanted_port != std::to_string(port))) return false;
  if (auto one = parse_address(name)) return address && share_bits(*address, *one, 128);
  if (name.starts_with("*.")) name.remove_prefix(1);
  if (name.starts_with('.')) return host.ends_with(name);
  return host == name || host.ends_with(concat(".", name));
}

}  // namespace

bool is_asked_directly(std::string_view host, std::uint16_t port, std::string_view list) {
  const std::string lower = to_lower(without_brackets(host));
  const std::optional<Address> address = parse_address(lower);
  if (is_loopback(lower, address)) return true;
  const std::string entries = to_lower(list);
  const auto words = split(entries, ',');
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) {
    word = trim(word);
    return !word.empty() && covers(word, lower, address, port);
  });
}

}  // namespace minke::registry
