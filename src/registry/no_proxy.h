// Who is asked without a proxy, by the rules that Go's programs (and so Podman) follow.
#pragma once

#include <cstdint>
#include <string_view>

namespace minke::registry {

// `host` as a URL has it (IPv6 in brackets), `list` the value of no_proxy: names ("a.example" with
// all below it, ".a.example" and "*.a.example" only those), addresses, both with ":PORT" behind
// them, networks as ADDRESS/BITS, "*". This machine's own loopback is never asked for by a proxy.
bool is_asked_directly(std::string_view host, std::uint16_t port, std::string_view list);

}  // namespace minke::registry
