// netd's control socket: what parses must be safe as part of a path, and answers come out as they
// went in. The lines of minke-portd's files and requests as well.
#include "netd/control.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "net/netd_client.h"
#include "net/port_grant.h"
#include "netd/dns_resolvers.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace minke;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  if (auto request = netd::parse_request(text))
    if (request->word.find('/') != std::string::npos || request->word.starts_with('.') ||
        request->word.find('\0') != std::string::npos || request->word.size() > 255)
      __builtin_trap();
  if (auto answer = net::unpack_netd_answer(text); answer && "+" + *answer != text)
    __builtin_trap();
  ignore(net::parse_port_grants(text), "any text may be wrong");
  if (auto wish = net::parse_port_wish(text); wish && wish->port == 0) __builtin_trap();
  if (netd::parse_name_servers(text).size() > 8) __builtin_trap();
  return 0;
}
