#include "netd/dial_rules.h"

#include <cerrno>

#include "net/ruleset.h"
#include "netd/endpoint.h"

namespace minke::netd {
namespace {

struct Forbidden {
  bool v6;
  std::uint8_t bytes[2];  // the first ones
  std::uint8_t length;    // at most 16 bits
};
constexpr Forbidden kForbidden[] = {
    {false, {0, 0}, 8},        // this host
    {false, {127, 0}, 8},      // loopback
    {false, {224, 0}, 3},      // multicast, reserved, broadcast
    {true, {0xfe, 0x80}, 10},  // link-local
    {true, {0xff, 0}, 8},      // multicast
};

bool starts_with(const net::IpAddress& address, const Forbidden& row) {
  const unsigned mask = 0xffffu << (16 - row.length) & 0xffffu;
  const unsigned head = static_cast<unsigned>(address.bytes[0]) << 8 | address.bytes[1];
  const unsigned want = static_cast<unsigned>(row.bytes[0]) << 8 | row.bytes[1];
  return (head & mask) == want;
}

// ::/96, where :: and ::1 are.
bool is_v4_compatible(const net::IpAddress& address) {
  for (int i = 0; i < 12; ++i)
    if (address.bytes[static_cast<std::size_t>(i)] != 0) return false;
  return true;
}

}  // namespace

bool may_dial(const net::IpAddress& address) {
  for (const Forbidden& row : kForbidden)
    if (row.v6 == address.v6 && starts_with(address, row)) return false;
  return !address.v6 || !(is_v4_mapped(address) || is_v4_compatible(address));
}

SynAnswer answer_for(int connect_error) {
  struct Row {
    int error;
    SynAnswer answer;
  };
  static constexpr Row kRows[] = {
      {0, {Verdict::accept, 0}},
      {ECONNREFUSED, {Verdict::accept, net::kHeldRefused}},
      {ECONNRESET, {Verdict::accept, net::kHeldRefused}},
      {ENETUNREACH, {Verdict::accept, net::kHeldNoRoute}},
      {EHOSTUNREACH, {Verdict::accept, net::kHeldUnreachable}},
      {EACCES, {Verdict::accept, net::kHeldProhibited}},
      {EPERM, {Verdict::accept, net::kHeldProhibited}},
  };
  for (const Row& row : kRows)
    if (row.error == connect_error) return row.answer;
  // A time-out, or a shortage of our own: silence, and the container's kernel asks again.
  return {Verdict::drop, 0};
}

}  // namespace minke::netd
