// --network slirp4netns[:OPTIONS] and pasta[:OPTIONS]: a container with a namespace of its own and
// a helper program that carries its traffic. What the options mean, and the helper's command line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/address.h"
#include "net/attachment.h"
#include "net/port.h"

namespace minke::net {

constexpr const char* kHelperInterface = "tap0";

struct SlirpOptions {
  IpPrefix cidr{IpAddress::from_v4(0x0a000200), 24};  // 10.0.2.0/24
  std::uint32_t mtu = 65520;
  bool ipv6 = true, host_loopback = false;
  std::string port_handler = "rootlesskit";  // or slirp4netns
  std::string outbound, outbound6;           // an address, or an interface of the host
};
// KEY=VALUE with commas between; messages as Podman's.
Result<SlirpOptions> parse_slirp_options(std::string_view text);

// Addresses within the range, as slirp4netns gives them.
IpAddress slirp_address(const SlirpOptions& options);   // the container's: .100
IpAddress slirp_gateway(const SlirpOptions& options);   // .2
IpAddress slirp_resolver(const SlirpOptions& options);  // .3

// The device in the container's record when minke-netd serves the ports in place of rootlesskit: no
// network of ours, so it is known by its driver. With IPv6 it has an address of our own choice,
// which is there at once.
Attachment slirp_device(const SlirpOptions& options);
inline bool is_slirp_device(const Attachment& attachment) {
  return attachment.driver == "slirp4netns";
}

// Descriptors: 3 the namespace, 4 is written to when it is ready, 5 closes when it has to end.
// `help`: what the program says of
// its own options; one that the user asked for and it does not know is an error.
Result<std::vector<std::string>> slirp_argv(const std::string& program, const std::string& help,
                                            const SlirpOptions& options,
                                            const std::string& api_socket);

// Its API socket: one request a port. An address of v6 is an error: it listens on v4 alone.
Result<std::string> slirp_forward_request(const PortMapping& port, std::uint16_t index,
                                          const SlirpOptions& options);
// What it answered; the error is its own words.
Status check_slirp_answer(std::string_view answer);

// Where pasta hands on questions for names, and where it leads to the host, as Podman has it.
constexpr const char *kPastaResolver = "169.254.1.1", *kPastaHost = "169.254.1.2";
// `options` as after "pasta:": words with commas between, appended to ours and stronger than them.
// Descriptor 3 is the namespace; its first process ends when it is ready, and the one that serves
// is named in `pid_file`.
Result<std::vector<std::string>> pasta_argv(const std::string& program, const std::string& help,
                                            std::string_view options,
                                            const std::vector<PortMapping>& ports,
                                            const std::string& pid_file);
// Whether this option is among its words.
bool has_word(const std::vector<std::string>& argv, std::string_view option);

}  // namespace minke::net
