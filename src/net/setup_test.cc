#include "net/setup.h"

#include "net/testing_hosts.h"

namespace minke::net {

namespace {

using namespace testing;

std::string published_ports(const char* bridge_calls) {
  NEED(switch_bridge_calls(bridge_calls));
  Place place;
  auto world = outside(-1);
  NEED(world);
  Network n = network("web", "minke1", "10.89.0.0/24", "fd00:89::/64");
  NEED(ensure_network(n, place));
  Attachment a = attachment(n, 2);
  auto container = new_container(n, a, place);
  NEED(container);
  auto record = record_of(
      a, {port(8080, 80), port(5353, 53, Protocol::udp), port(9000, 90, Protocol::tcp, "127.0.0.1"),
          port(9001, 91, Protocol::tcp, "2001:db8::1")});
  NEED(publish(record, place));
  auto proxied = settle_loopback6(place);
  NEED(proxied);
  auto tcp = listener(container->get(), IpAddress::any(true), 80, SOCK_STREAM);
  auto udp4 = listener(container->get(), IpAddress::any(false), 53, SOCK_DGRAM);
  NEED(tcp);
  NEED(udp4);
  // From outside: the real address, both families.
  SAME(seen_from(world->get(), ip("203.0.113.1"), 8080, tcp->get(), SOCK_STREAM),
       "::ffff:203.0.113.7");
  SAME(seen_from(world->get(), ip("2001:db8::1"), 8080, tcp->get(), SOCK_STREAM), "2001:db8::7");
  SAME(seen_from(world->get(), ip("203.0.113.1"), 5353, udp4->get(), SOCK_DGRAM), "203.0.113.7");
  // From the host itself: as the bridge by loopback, as itself by its own address.
  SAME(seen_from(-1, ip("127.0.0.1"), 8080, tcp->get(), SOCK_STREAM), "::ffff:10.89.0.1");
  SAME(seen_from(-1, ip("203.0.113.1"), 8080, tcp->get(), SOCK_STREAM), "::ffff:203.0.113.1");
  SAME(seen_from(-1, ip("127.0.0.1"), 5353, udp4->get(), SOCK_DGRAM), "10.89.0.1");
  SAME(seen_from(-1, ip("2001:db8::1"), 8080, tcp->get(), SOCK_STREAM), "2001:db8::1");
  if (*proxied)
    SAME(seen_from(-1, ip("::1"), 8080, tcp->get(), SOCK_STREAM, 300),
         "connect: Connection refused");
  else
    SAME(seen_from(-1, ip("::1"), 8080, tcp->get(), SOCK_STREAM), "fd00:89::1");
  // From the container itself and from its neighbour by the host's address.
  Attachment b = attachment(n, 3);
  auto neighbour = new_container(n, b, place);
  NEED(neighbour);
  SAME(seen_from(container->get(), ip("203.0.113.1"), 8080, tcp->get(), SOCK_STREAM),
       "::ffff:10.89.0.1");
  SAME(seen_from(neighbour->get(), ip("203.0.113.1"), 8080, tcp->get(), SOCK_STREAM),
       "::ffff:10.89.0.1");
  SAME(seen_from(neighbour->get(), ip("2001:db8::1"), 8080, tcp->get(), SOCK_STREAM), "fd00:89::1");
  // Directly: no translation.
  SAME(seen_from(neighbour->get(), ip("10.89.0.2"), 80, tcp->get(), SOCK_STREAM),
       "::ffff:10.89.0.3");
  // Only where it was published.
  auto local = listener(container->get(), IpAddress::any(false), 90, SOCK_STREAM);
  auto six = listener(container->get(), IpAddress::any(true), 91, SOCK_STREAM);
  NEED(local);
  NEED(six);
  SAME(seen_from(-1, ip("127.0.0.1"), 9000, local->get(), SOCK_STREAM), "10.89.0.1");
  SAME(seen_from(world->get(), ip("203.0.113.1"), 9000, local->get(), SOCK_STREAM, 300),
       "connect: Connection refused");
  SAME(seen_from(world->get(), ip("2001:db8::1"), 9001, six->get(), SOCK_STREAM), "2001:db8::7");
  SAME(seen_from(-1, ip("::1"), 9001, six->get(), SOCK_STREAM, 300), "connect: Connection refused");
  // Out into the world: as the host.
  auto remote = listener(world->get(), IpAddress::any(true), 99, SOCK_STREAM);
  NEED(remote);
  SAME(seen_from(container->get(), ip("203.0.113.7"), 99, remote->get(), SOCK_STREAM),
       "::ffff:203.0.113.1");
  SAME(seen_from(container->get(), ip("2001:db8::7"), 99, remote->get(), SOCK_STREAM),
       "2001:db8::1");
  // A UDP client that talks on after the container was replaced by another one.
  NEED(unpublish(record, place));
  auto moved = record_of(b, record.ports);
  NEED(publish(moved, place));
  auto udp_b = listener(neighbour->get(), IpAddress::any(false), 53, SOCK_DGRAM);
  NEED(udp_b);
  SAME(seen_from(world->get(), ip("203.0.113.1"), 5353, udp_b->get(), SOCK_DGRAM), "203.0.113.7");
  // Unpublished by the one who has it no more: nothing happens; by its owner: it is gone.
  NEED(unpublish(record, place));
  SAME(seen_from(world->get(), ip("203.0.113.1"), 5353, udp_b->get(), SOCK_DGRAM), "203.0.113.7");
  NEED(unpublish(moved, place));
  SAME(seen_from(world->get(), ip("203.0.113.1"), 8080, tcp->get(), SOCK_STREAM, 300),
       "connect: Connection refused");
  return {};
}

}  // namespace

TEST(Setup, PublishedPortsKeepTheClientsAddress) {
  MINKE_EXPECT_ALONE([] { return published_ports("0"); });
}

TEST(Setup, PublishedPortsWhereBridgesCallNetfilter) {
  MINKE_EXPECT_ALONE([] { return published_ports("1"); });
}

}  // namespace minke::net
