// The netfilter queue's messages: what a container's packets look like to minke-netd.
#include "netd/syn_queue.h"

#include <cstdint>
#include <cstdlib>

#include "netd/dial_rules.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace minke::netd;
  HeldPacket packets[4];
  const std::size_t count = parse_held_packets({data, size}, packets, 4);
  if (count > 4) std::abort();
  for (std::size_t i = 0; i < count; ++i) {
    if (!packets[i].syn && packets[i].sequence != 0) std::abort();
    (void)may_dial(packets[i].destination.address);
    (void)packets[i].source.text();
  }
  HeldPacket one{};
  (void)parse_syn({data, size}, &one);
  (void)parse_acknowledgement({data, size});
  return 0;
}
