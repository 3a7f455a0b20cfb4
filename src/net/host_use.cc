#include "net/host_use.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <bit>
#include <cstring>
#include <memory>

#include "base/str.h"
#include "sys/fd.h"

namespace minke::net {
namespace {

constexpr std::size_t kRoutesMax = 64 << 20;

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  for (std::size_t at = 0; at < line.size();) {
    std::size_t end = line.find_first_of(" \t", at);
    if (end == std::string_view::npos) end = line.size();
    if (end > at) words.push_back(line.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

// Of no interest: reached everywhere, or of one link.
bool counts(const IpPrefix& prefix) {
  return prefix.length > 0 && !prefix.address.is_multicast() &&
         !(prefix.address.v6 && (prefix.address.is_link_local() || prefix.address.is_loopback()));
}

std::optional<IpAddress> address_of(const sockaddr* address) {
  if (address == nullptr) return std::nullopt;
  IpAddress out;
  if (address->sa_family == AF_INET) {
    std::memcpy(out.bytes.data(), &reinterpret_cast<const sockaddr_in*>(address)->sin_addr, 4);
  } else if (address->sa_family == AF_INET6) {
    out.v6 = true;
    std::memcpy(out.bytes.data(), &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr, 16);
  } else {
    return std::nullopt;
  }
  return out;
}

}  // namespace

std::vector<IpPrefix> parse_route_table(std::string_view text) {
  std::vector<IpPrefix> found;
  for (std::string_view line : split(text, '\n')) {
    // Iface Destination Gateway Flags RefCnt Use Metric Mask ...; numbers in the machine's order.
    std::vector<std::string_view> words = words_of(line);
    if (words.size() < 8) continue;
    auto destination = parse_uint(words[1], 16), mask = parse_uint(words[7], 16);
    if (!destination || !mask) continue;
    IpPrefix prefix;
    prefix.address = IpAddress::from_v4(ntohl(static_cast<std::uint32_t>(*destination)));
    prefix.length = static_cast<std::uint8_t>(std::popcount(static_cast<std::uint32_t>(*mask)));
    if (counts(prefix)) found.push_back(prefix);
  }
  return found;
}

std::vector<IpPrefix> parse_route6_table(std::string_view text) {
  std::vector<IpPrefix> found;
  for (std::string_view line : split(text, '\n')) {
    // Destination (32 digits), its length, source, ...
    std::vector<std::string_view> words = words_of(line);
    if (words.size() < 10 || words[0].size() != 32) continue;
    auto length = parse_uint(words[1], 16);
    if (!length || *length > 128) continue;
    IpPrefix prefix;
    prefix.address.v6 = true;
    prefix.length = static_cast<std::uint8_t>(*length);
    for (std::size_t i = 0; i < 16; ++i)
      prefix.address.bytes[i] =
          static_cast<std::uint8_t>(parse_uint(words[0].substr(2 * i, 2), 16).value_or(0));
    if (counts(prefix)) found.push_back(prefix);
  }
  return found;
}

Result<HostUse> read_host_use() {
  HostUse use;
  const std::string routes = sys::read_small_file("/proc/net/route", kRoutesMax).value_or("");
  use.taken = parse_route_table(routes);
  for (std::string_view line : split(routes, '\n')) {
    std::vector<std::string_view> words = words_of(line);
    if (words.size() >= 8 && words[1] == "00000000" && words[7] == "00000000" &&
        use.default_link.empty())
      use.default_link = words[0];
  }
  for (const IpPrefix& prefix :
       parse_route6_table(sys::read_small_file("/proc/net/ipv6_route", kRoutesMax).value_or("")))
    use.taken.push_back(prefix);
  // Without IPv6 the file is not there; ipv6.disable_ipv6 is 1 where it was switched off.
  auto off = sys::read_small_file("/proc/sys/net/ipv6/conf/all/disable_ipv6", 64);
  use.ipv6 = off && trim(*off) == "0";
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) < 0) return Error::from_errno(errno, "listing the host's addresses");
  std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owned(list, ::freeifaddrs);
  for (const ifaddrs* item = list; item != nullptr; item = item->ifa_next) {
    use.links.insert(item->ifa_name);
    auto address = address_of(item->ifa_addr);
    if (address && counts(IpPrefix::host(*address))) use.taken.push_back(IpPrefix::host(*address));
  }
  return use;
}

std::optional<IpAddress> own_address() {
  // A route is looked up, nothing is sent: documentation's addresses are as far away as any.
  constexpr std::uint32_t kFarAway = 0xc0000201;  // 192.0.2.1
  sys::UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in far{};
  sockaddr_storage own{};  // large enough for all that the kernel may say
  far.sin_family = AF_INET;
  far.sin_port = htons(9);
  far.sin_addr.s_addr = htonl(kFarAway);
  socklen_t size = sizeof own;
  if (socket && ::connect(socket.get(), reinterpret_cast<sockaddr*>(&far), sizeof far) == 0 &&
      ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&own), &size) == 0)
    if (auto address = address_of(reinterpret_cast<sockaddr*>(&own));
        address && !address->is_loopback())
      return address;
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) < 0) return std::nullopt;
  std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(list, &::freeifaddrs);
  std::optional<IpAddress> six;
  for (const ifaddrs* each = list; each != nullptr; each = each->ifa_next) {
    auto address = address_of(each->ifa_addr);
    if (!address || address->is_loopback() || address->is_link_local()) continue;
    if (!address->v6) return address;
    if (!six) six = address;
  }
  return six;
}

}  // namespace minke::net
