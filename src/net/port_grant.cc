#include "net/port_grant.h"

#include <algorithm>

#include "base/str.h"

namespace minke::net {
namespace {

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (true) {
    line = trim(line);
    if (line.empty()) return words;
    std::size_t end = line.find_first_of(" \t");
    words.push_back(line.substr(0, end));
    line = end == std::string_view::npos ? std::string_view() : line.substr(end);
  }
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  auto number = parse_uint(text);
  if (!number || *number == 0 || *number > UINT16_MAX) return std::nullopt;
  return static_cast<std::uint16_t>(*number);
}

Result<PortGrant> parse_grant(std::string_view line) {
  std::vector<std::string_view> words = words_of(line);
  if (words.size() != 4)
    return Error(Errc::invalid_argument, "must be USER ADDRESS PORTS PROTOCOL");
  PortGrant grant;
  grant.user = words[0];
  if (words[1] != "*") grant.address = TRY(IpAddress::parse(words[1]));
  for (std::string_view piece : split(words[2], ',')) {
    auto range = split_once(piece, '-');
    auto first = parse_port(range ? range->first : piece),
         last = parse_port(range ? range->second : piece);
    if (!first || !last || *first > *last)
      return Error(Errc::invalid_argument,
                   concat("not a port or a range of ports: ", quote(piece)));
    grant.ports.emplace_back(*first, *last);
  }
  if (words[3] != "*") {
    grant.protocol = parse_protocol(words[3]);
    if (!grant.protocol || *grant.protocol == Protocol::sctp)
      return Error(Errc::invalid_argument, concat("not tcp, udp or *: ", quote(words[3])));
  }
  return grant;
}

}  // namespace

Result<std::vector<PortGrant>> parse_port_grants(std::string_view text) {
  std::vector<PortGrant> grants;
  int number = 0;
  for (std::string_view line : split(text, '\n')) {
    ++number;
    line = trim(line.substr(0, line.find('#')));
    if (line.empty()) continue;
    PortGrant grant = TRY_CTX(parse_grant(line), concat("line ", number));
    grants.push_back(std::move(grant));
  }
  return grants;
}

Result<PortWish> parse_port_wish(std::string_view text) {
  std::vector<std::string_view> words = words_of(text);
  auto protocol = words.size() == 3 ? parse_protocol(words[0]) : std::nullopt;
  auto port = words.size() == 3 ? parse_port(words[2]) : std::nullopt;
  if (!protocol || !port || *protocol == Protocol::sctp)
    return Error(Errc::invalid_argument, "must be tcp or udp, an address and a port");
  PortWish wish{*protocol, {}, *port};
  wish.address = TRY(IpAddress::parse(words[1]));
  return wish;
}

bool grants(const PortGrant& grant, const std::vector<std::string>& user_names,
            const PortWish& wish) {
  return std::find(user_names.begin(), user_names.end(), grant.user) != user_names.end() &&
         (!grant.address || *grant.address == wish.address) &&
         (!grant.protocol || *grant.protocol == wish.protocol) &&
         std::any_of(grant.ports.begin(), grant.ports.end(), [&](const auto& range) {
           return range.first <= wish.port && wish.port <= range.second;
         });
}

}  // namespace minke::net
