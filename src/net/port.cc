#include "net/port.h"

#include <algorithm>
#include <tuple>

#include "base/str.h"
#include "net/network.h"

namespace minke::net {
namespace {

constexpr const char* kProtocols[] = {"tcp", "udp", "sctp"};
constexpr const char* kProxyHeaders[] = {"", "v1", "v2"};

Error invalid(std::string text) { return Error(Errc::invalid_argument, std::move(text)); }

Result<std::uint16_t> parse_port(std::string_view text) {
  auto number = parse_int(text);
  if (!number)
    return invalid(
        concat("invalid port number: strconv.Atoi: parsing ", quote(text), ": invalid syntax"));
  if (*number < 1 || *number > 65535)
    return invalid(concat("port numbers must be between 1 and 65535 (inclusive), got ", *number));
  return static_cast<std::uint16_t>(*number);
}

struct Range {
  std::uint16_t first = 0, count = 1;
};
Result<Range> parse_range(std::string_view text) {
  std::vector<std::string_view> ends = split(text, '-');
  if (ends.size() > 2)
    return invalid("invalid port format - port ranges are formatted as startPort-stopPort");
  Range range;
  range.first = TRY(parse_port(ends[0]));
  if (ends.size() == 1) return range;
  std::uint16_t last = TRY(parse_port(ends[1]));
  if (last <= range.first)
    return invalid(concat("the end port of a range must be higher than the start port - ", last,
                          " is not higher than ", range.first));
  range.count = static_cast<std::uint16_t>(last - range.first + 1);
  return range;
}

struct Halves {
  std::optional<std::string_view> ip, host;
  std::string_view container;
};
Result<Halves> split_publish(std::string_view text) {
  Halves out;
  std::size_t bracket = text.find(']');
  const bool v6 = bracket != std::string_view::npos;
  if (v6) {
    if (text.find(']', bracket + 1) != std::string_view::npos)
      return invalid(
          "invalid port format - at most one IPv6 address can be specified in a --publish");
    if (!text.starts_with('['))
      return invalid("invalid port format - IPv6 addresses must be enclosed by []");
    out.ip = text.substr(1, bracket - 1);
    text.remove_prefix(bracket + 1);
    if (!text.starts_with(':'))
      return invalid("invalid port format - IPv6 address must be followed by a colon (':')");
    text.remove_prefix(1);
  }
  std::vector<std::string_view> parts = split(text, ':');
  if (v6 && parts.size() == 1)
    return invalid(
        "invalid port format - must provide host and destination port if specifying an IP");
  if (v6 && parts.size() == 3)
    return invalid(
        "invalid port format - when v6 address specified, must be [ipv6]:hostPort:ctrPort");
  if (parts.size() > 3)
    return invalid("invalid port format - format is [[hostIP:]hostPort:]containerPort");
  out.container = parts.back();
  if (parts.size() >= 2) out.host = parts[parts.size() - 2];
  if (parts.size() == 3) out.ip = parts[0];
  return out;
}

// The words after the ports: ",proxy=v1".
Status take_options(std::string_view words, PortMapping* port) {
  for (std::string_view word : split(words, ',')) {
    if (word == "proxy=v1")
      port->proxy = ProxyHeader::v1;
    else if (word == "proxy=v2")
      port->proxy = ProxyHeader::v2;
    else
      return invalid(concat("invalid option ", quote(word),
                            " of a published port: known are proxy=v1 and proxy=v2"));
  }
  return {};
}

Status take_protocol(std::string_view text, PortMapping* port) {
  if (text.empty()) return invalid("must provide a non-empty protocol to publish");
  auto known = parse_protocol(to_lower(text));
  if (!known) return invalid(concat("unrecognized protocol ", quote(text), " in port mapping"));
  port->protocol = *known;
  return {};
}

bool same_way(const PortMapping& a, const PortMapping& b) {
  return a.protocol == b.protocol && a.host_ip == b.host_ip && a.proxy == b.proxy;
}

std::uint32_t host_end(const PortMapping& p) { return std::uint32_t{p.host_port} + p.range; }

}  // namespace

const char* protocol_name(Protocol protocol) {
  return kProtocols[static_cast<std::size_t>(protocol)];
}

std::optional<Protocol> parse_protocol(std::string_view text) {
  for (std::size_t i = 0; i < std::size(kProtocols); ++i)
    if (text == kProtocols[i]) return static_cast<Protocol>(i);
  return std::nullopt;
}

void bind(json::Binder& b, PortMapping& p) {
  bind_field(b, "host_ip", p.host_ip);
  b.required("host_port", p.host_port);
  b.required("container_port", p.container_port);
  b.required("range", p.range);
  std::string protocol = protocol_name(p.protocol);
  b("protocol", protocol);
  std::string proxy = kProxyHeaders[static_cast<std::size_t>(p.proxy)];
  b("proxy", proxy);
  if (!b.reading()) return;
  if (auto known = parse_protocol(protocol))
    p.protocol = *known;
  else
    b.fail_at("protocol", concat(quote(protocol), " is not tcp, udp or sctp"));
  for (std::size_t i = 0; i < std::size(kProxyHeaders); ++i)
    if (proxy == kProxyHeaders[i]) p.proxy = static_cast<ProxyHeader>(i);
  if (p.range == 0) p.range = 1;
}

Result<PortMapping> parse_publish(std::string_view typed) {
  PortMapping port;
  std::string_view text = typed;
  if (std::size_t options = text.find(",proxy="); options != std::string_view::npos) {
    TRY(take_options(text.substr(options + 1), &port));
    text = text.substr(0, options);
  }
  std::vector<std::string_view> words = split(text, '/');
  if (words.size() > 2) return invalid("invalid port format - protocol can only be specified once");
  Halves halves = TRY(split_publish(words[0]));
  if (halves.container.empty())
    return invalid("must provide a non-empty container port to publish");
  Range inside = TRY_CTX(parse_range(halves.container), "parsing container port");
  port.container_port = inside.first;
  port.range = inside.count;
  if (words.size() == 2) TRY(take_protocol(words[1], &port));
  if (halves.ip) {
    if (halves.ip->empty()) return invalid("must provide a non-empty container host IP to publish");
    auto address = IpAddress::parse(*halves.ip);
    if (!address) return invalid(concat("cannot parse ", quote(*halves.ip), " as an IP address"));
    // 0.0.0.0 and no address are the same, as for Podman; [::] asks for IPv6 by name.
    if (address->v6 || !address->is_unspecified()) port.host_ip = *address;
  }
  if (port.proxy != ProxyHeader::none && port.protocol != Protocol::tcp)
    return invalid(concat("published port ", quote(typed), ": proxy= is for tcp"));
  if (!halves.host || halves.host->empty()) return port;
  Range outside = TRY_CTX(parse_range(*halves.host), "parsing host port");
  if (outside.count != inside.count)
    return invalid(concat("host and container port ranges have different lengths: ", outside.count,
                          " vs ", inside.count));
  port.host_port = outside.first;
  return port;
}

Result<PortMapping> parse_exposed(std::string_view text) {
  PortMapping port;
  std::vector<std::string_view> words = split(text, '/');
  Range range = TRY(parse_range(words[0]));
  port.container_port = range.first;
  port.range = range.count;
  if (words.size() > 1) TRY(take_protocol(words[1], &port));
  return port;
}

bool host_ports_overlap(const PortMapping& a, const PortMapping& b) {
  if (a.protocol != b.protocol) return false;
  auto any = [](const PortMapping& p) { return !p.host_ip || p.host_ip->is_unspecified(); };
  auto v6_only = [](const PortMapping& p) { return p.host_ip && p.host_ip->v6; };
  if (any(a) && any(b)) {
    // All addresses of both families against those of IPv6 alone: they share the latter.
  } else if (any(a) || any(b)) {
    const PortMapping& open = any(a) ? a : b;
    const PortMapping& one = any(a) ? b : a;
    if (v6_only(open) && !one.host_ip->v6) return false;
  } else if (*a.host_ip != *b.host_ip) {
    return false;
  }
  return a.host_port < host_end(b) && b.host_port < host_end(a);
}

Result<std::vector<PortMapping>> merge_ports(std::vector<PortMapping> ports) {
  std::sort(ports.begin(), ports.end(), [](const PortMapping& a, const PortMapping& b) {
    return std::tie(a.protocol, a.host_ip, a.proxy, a.container_port, a.host_port, a.range) <
           std::tie(b.protocol, b.host_ip, b.proxy, b.container_port, b.host_port, b.range);
  });
  ports.erase(std::unique(ports.begin(), ports.end()), ports.end());
  std::vector<PortMapping> merged;
  for (const PortMapping& port : ports) {
    if (!merged.empty() && same_way(merged.back(), port) && port.host_port != 0 &&
        merged.back().host_port != 0) {
      PortMapping& last = merged.back();
      const int shift = last.host_port - last.container_port;
      const std::uint32_t end = std::uint32_t{last.container_port} + last.range;
      if (port.host_port - port.container_port == shift && port.container_port <= end) {
        std::uint32_t to = std::max(end, std::uint32_t{port.container_port} + port.range);
        last.range = static_cast<std::uint16_t>(to - last.container_port);
        continue;
      }
    }
    merged.push_back(port);
  }
  for (std::size_t i = 0; i < merged.size(); ++i)
    for (std::size_t j = i + 1; j < merged.size(); ++j)
      if (merged[i].host_port != 0 && merged[j].host_port != 0 &&
          host_ports_overlap(merged[i], merged[j]))
        return Error(Errc::conflict, concat("conflicting port mappings for host port ",
                                            std::max(merged[i].host_port, merged[j].host_port),
                                            " (protocol ", protocol_name(merged[i].protocol), ")"));
  return merged;
}

std::string ports_text(const std::vector<PortMapping>& ports) {
  std::string out;
  for (const PortMapping& port : ports) {
    std::string ip = port.host_ip ? port.host_ip->text() : "0.0.0.0";
    if (port.host_ip && port.host_ip->v6) ip = concat("[", ip, "]");
    if (!out.empty()) out += ", ";
    auto ends = [&port](std::uint16_t first) {
      return port.range == 1 ? concat(first) : concat(first, "-", first + port.range - 1);
    };
    out += concat(ip, ":", ends(port.host_port), "->", ends(port.container_port), "/",
                  protocol_name(port.protocol));
  }
  return out;
}

}  // namespace minke::net
