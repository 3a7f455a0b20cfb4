#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/str.h"
#include "base/time.h"
#include "netd/dns_forward.h"
#include "netd/dns_message.h"
#include "netd/dns_resolvers.h"
#include "netd/dns_server.h"
#include "netd/dns_zone.h"
#include "sys/fd.h"

namespace minke::netd {
namespace {

net::IpAddress ip(std::string_view text) { return *net::IpAddress::parse(text); }
net::IpPrefix prefix(std::string_view text) { return *net::IpPrefix::parse(text); }

std::string question(std::string_view name, std::uint16_t type, std::uint16_t id = 0x1234) {
  std::string out = {
      static_cast<char>(id >> 8), static_cast<char>(id), 1, 0, 0, 1, 0, 0, 0, 0, 0, 0};
  if (!name.empty())
    for (std::string_view label : split(name, '.')) {
      out += static_cast<char>(label.size());
      out += label;
    }
  out += '\0';
  for (unsigned value : {unsigned{type}, 1U}) {
    out += static_cast<char>(value >> 8);
    out += static_cast<char>(value);
  }
  return out;
}

std::string with_edns(std::string query, std::uint16_t size) {
  query[11] = 1;
  query += std::string("\0\0\x29", 3);
  query += static_cast<char>(size >> 8);
  query += static_cast<char>(size);
  query += std::string(6, '\0');
  return query;
}

unsigned count_of(std::string_view reply) {
  return static_cast<unsigned char>(reply[6]) << 8 | static_cast<unsigned char>(reply[7]);
}

net::AttachmentRecord container(char digit, const std::string& name,
                                std::vector<std::pair<std::string, std::string>> networks,
                                std::vector<std::string> aliases = {}) {
  net::AttachmentRecord record;
  record.id = std::string(64, digit);
  record.name = name;
  for (auto& [network, address] : networks) {
    net::Attachment a;
    a.network = network;
    a.dns_enabled = true;
    a.aliases = aliases;
    for (std::string_view each : split(address, ' ')) a.addresses.push_back(prefix(each));
    record.networks.push_back(a);
  }
  return record;
}

TEST(DnsMessage, ParsesAQuestion) {
  DnsQuery query;
  std::string packet = with_edns(question("Web.Example.ORG", kDnsTypeAaaa), 4096);
  ASSERT_EQ(parse_dns_query(packet, &query), DnsParse::query);
  EXPECT_EQ(query.name, "web.example.org");
  EXPECT_EQ(query.type, kDnsTypeAaaa);
  EXPECT_EQ(query.klass, kDnsClassIn);
  EXPECT_TRUE(query.edns);
  EXPECT_TRUE(query.recursion_desired);
  EXPECT_EQ(query.udp_size, 4096U);
  EXPECT_EQ(query.id, 0x1234);
}

TEST(DnsMessage, RefusesWhatIsNoQuestion) {
  DnsQuery query;
  std::string good = question("a.b", kDnsTypeA);
  EXPECT_EQ(parse_dns_query("", &query), DnsParse::ignore);
  EXPECT_EQ(parse_dns_query(good.substr(0, 11), &query), DnsParse::ignore);
  for (std::size_t size = 12; size < good.size(); ++size)
    EXPECT_EQ(parse_dns_query(good.substr(0, size), &query), DnsParse::bad) << size;
  std::string reply = good;
  reply[2] = static_cast<char>(0x81);
  EXPECT_EQ(parse_dns_query(reply, &query), DnsParse::ignore);  // or two servers talk for ever
  std::string update = good;
  update[2] = 0x28;
  EXPECT_EQ(parse_dns_query(update, &query), DnsParse::unsupported);
  std::string two = good;
  two[5] = 2;
  EXPECT_EQ(parse_dns_query(two, &query), DnsParse::bad);
  std::string pointer = good.substr(0, 12) + "\xc0\x0c" + std::string("\0\1\0\1", 4);
  EXPECT_EQ(parse_dns_query(pointer, &query), DnsParse::bad);  // to itself
  std::string liar = with_edns(good, 512);
  liar[liar.size() - 1] = 9;  // longer than the packet
  EXPECT_EQ(parse_dns_query(liar, &query), DnsParse::bad);
  std::string crowd = good;
  crowd[11] = 100;
  EXPECT_EQ(parse_dns_query(crowd, &query), DnsParse::bad);
  std::string dotted = good.substr(0, 12) + std::string("\3a.b\0\0\1\0\1", 9);
  ASSERT_EQ(parse_dns_query(dotted, &query), DnsParse::query);
  EXPECT_FALSE(query.plain);
  std::string longest = good.substr(0, 12);
  for (int i = 0; i < 5; ++i) longest += "\x3f" + std::string(63, 'a');
  EXPECT_EQ(parse_dns_query(longest + std::string("\0\0\1\0\1", 5), &query), DnsParse::bad);
}

TEST(DnsMessage, AnswersWithinTheLimit) {
  std::string packet = question("a", kDnsTypeA);
  DnsQuery query;
  ASSERT_EQ(parse_dns_query(packet, &query), DnsParse::query);
  DnsReply reply(packet, query, DnsCode::ok, kDnsPlainUdp);
  for (int i = 0; i < 40; ++i) reply.add(ip("10.0.0.1"), 0);
  std::string out = reply.take();
  EXPECT_LE(out.size(), kDnsPlainUdp);
  EXPECT_TRUE(is_dns_truncated(out));
  EXPECT_EQ(count_of(out), (512 - packet.size()) / 16);
  EXPECT_TRUE(is_dns_reply_to(out, packet));
  EXPECT_EQ(static_cast<unsigned char>(out[2]) & 0x85, 0x85);  // answer, ours, RD
  std::string e = with_edns(packet, 1232);
  ASSERT_EQ(parse_dns_query(e, &query), DnsParse::query);
  DnsReply larger(e, query, DnsCode::ok, 1232);
  for (int i = 0; i < 40; ++i) larger.add(ip("fd00::1"), 7);
  out = larger.take();
  EXPECT_FALSE(is_dns_truncated(out));
  EXPECT_EQ(count_of(out), 40U);
  EXPECT_EQ(out[11], 1);
}

TEST(DnsMessage, KnowsItsReply) {
  std::string query = question("Web", kDnsTypeA), reply = question("wEB", kDnsTypeA);
  reply[2] = static_cast<char>(0x81);
  EXPECT_TRUE(is_dns_reply_to(reply, query));
  EXPECT_FALSE(is_dns_reply_to(query, query));
  std::string other = reply;
  other[0] = 0;
  EXPECT_FALSE(is_dns_reply_to(other, query));
  std::string wrong = question("wab", kDnsTypeA);
  wrong[2] = static_cast<char>(0x81);
  EXPECT_FALSE(is_dns_reply_to(wrong, query));
}

TEST(DnsMessage, ReadsReverseNames) {
  net::IpAddress address;
  ASSERT_TRUE(parse_reverse_name("4.3.88.10.in-addr.arpa", &address));
  EXPECT_EQ(address, ip("10.88.3.4"));
  ASSERT_TRUE(parse_reverse_name(
      "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", &address));
  EXPECT_EQ(address, ip("2001:db8::567:89ab"));
  EXPECT_FALSE(parse_reverse_name("3.88.10.in-addr.arpa", &address));
  EXPECT_FALSE(parse_reverse_name("256.3.88.10.in-addr.arpa", &address));
  EXPECT_FALSE(parse_reverse_name("1.4.3.88.10.in-addr.arpa", &address));
  EXPECT_FALSE(parse_reverse_name("in-addr.arpa", &address));
}

TEST(DnsZone, ShowsTheNamesOfTheAskersNetworks) {
  DnsZone zone;
  zone.set(container('a', "web", {{"front", "10.1.0.2/24 fd01::2/64"}}, {"www"}));
  zone.set(container('b', "App", {{"front", "10.1.0.3/24"}, {"back", "10.2.0.3/24"}}));
  zone.set(container('c', "db", {{"back", "10.2.0.4/24"}}));
  zone.set(container('d', "mail", {{"back", "10.2.0.5/24"}}, {"mail.example.org"}));
  auto addresses = [&](const char* network, const char* asker, const char* name, bool v6 = false) {
    auto names = zone.look_up(network, ip(asker), name, v6);
    std::string out(names.kind == DnsZone::Kind::foreign  ? "foreign"
                    : names.kind == DnsZone::Kind::absent ? "absent"
                                                          : "");
    for (const auto& address : names.addresses) out += address.text() + " ";
    return out;
  };
  EXPECT_EQ(addresses("front", "10.1.0.3", "web"), "10.1.0.2 ");
  EXPECT_EQ(addresses("front", "10.1.0.3", "www", true), "fd01::2 ");
  EXPECT_EQ(addresses("front", "10.1.0.3", std::string(12, 'a').c_str()), "10.1.0.2 ");
  EXPECT_EQ(addresses("front", "10.1.0.3", "web.dns.podman"), "10.1.0.2 ");
  EXPECT_EQ(addresses("front", "10.1.0.3", "nobody.dns.podman"), "absent");
  EXPECT_EQ(addresses("front", "10.1.0.3", "db"), "10.2.0.4 ");  // it is on both networks
  EXPECT_EQ(addresses("front", "10.1.0.2", "db"), "absent");     // it is not
  EXPECT_EQ(addresses("front", "10.1.0.2", "example.org"), "foreign");
  // An alias with dots is a name of the world's everywhere else.
  EXPECT_EQ(addresses("back", "10.2.0.4", "mail.example.org"), "10.2.0.5 ");
  EXPECT_EQ(addresses("front", "10.1.0.2", "mail.example.org"), "foreign");
  zone.remove(std::string(64, 'd'));
  EXPECT_EQ(addresses("back", "10.2.0.4", "app", true), "");  // the name, without an address
  zone.remove(std::string(64, 'c'));
  EXPECT_EQ(addresses("front", "10.1.0.3", "db"), "foreign");
  zone.set(container('a', "renamed", {{"front", "10.1.0.9/24"}}));
  EXPECT_EQ(addresses("front", "10.1.0.3", "web"), "foreign");
  EXPECT_EQ(addresses("front", "10.1.0.3", "renamed"), "10.1.0.9 ");
  EXPECT_EQ(zone.containers(), 2U);
  zone.remove(std::string(64, 'a'));
  zone.remove(std::string(64, 'b'));
  EXPECT_EQ(zone.names(), 0U);
}

TEST(DnsZone, AnswersReverseQuestions) {
  DnsZone zone;
  zone.set(container('a', "web", {{"front", "10.1.0.2/24"}}));
  zone.set(container('c', "db", {{"back", "10.2.0.4/24"}}));
  EXPECT_EQ(zone.reverse("front", ip("10.1.0.2"), ip("10.1.0.2")).name, "web");
  EXPECT_EQ(zone.reverse("front", ip("10.1.0.2"), ip("10.2.0.4")).kind, DnsZone::Kind::absent);
  EXPECT_EQ(zone.reverse("front", ip("10.1.0.2"), ip("10.1.0.77")).kind, DnsZone::Kind::absent);
  EXPECT_EQ(zone.reverse("front", ip("10.1.0.2"), ip("192.0.2.1")).kind, DnsZone::Kind::foreign);
}

TEST(DnsResolvers, ReadsNameServers) {
  auto servers = parse_name_servers(
      "# nameserver 1.1.1.1\nnameserver 9.9.9.9 # quad\n nameserver\tfd00::53\nnameserver x\n"
      "nameservers 8.8.8.8\nnameserver 9.9.9.9\nsearch lan\nnameserver fe80::1%lo\nnameserver "
      "fe80::1%nosuch\n");
  ASSERT_EQ(servers.size(), 3U);
  EXPECT_EQ(servers[0].text(), "9.9.9.9:53");
  EXPECT_EQ(servers[1].text(), "[fd00::53]:53");
  EXPECT_NE(servers[2].scope, 0U);
}

TEST(DnsResolvers, FollowsTheFileAndLooksBehindTheStub) {
  char folder[] = "/tmp/minke-resolv.XXXXXX";
  ASSERT_NE(::mkdtemp(folder), nullptr);
  std::string file = concat(folder, "/resolv.conf"), real = concat(folder, "/real");
  HostResolvers resolvers(file, real);
  EXPECT_EQ(resolvers.servers().at(0).text(), "127.0.0.1:53");
  auto says = [&](const char* want) {
    std::int64_t end = monotonic_ns() + 10 * kSecond;
    while (resolvers.servers().at(0).text() != want && monotonic_ns() < end) ::usleep(20'000);
    return resolvers.servers().at(0).text() == want;
  };
  ASSERT_TRUE(sys::write_file(file, "nameserver 10.0.0.1\n", 0600));
  EXPECT_TRUE(says("10.0.0.1:53"));
  ASSERT_TRUE(sys::write_file(file, "nameserver 127.0.0.53\n", 0600));
  EXPECT_TRUE(says("127.0.0.53:53"));
  ASSERT_TRUE(sys::write_file(real, "nameserver 10.0.0.2\n", 0600));
  EXPECT_TRUE(says("10.0.0.2:53"));
  ignore(sys::remove_tree_at(sys::DirFd::cwd(), folder), "scratch");
}

// A name server on 127.0.0.1 that does as told.
class Upstream {
 public:
  enum class Mood { answers, silent, fails, truncates, tcp_only, forges };
  Upstream(sys::EventLoop& loop, Mood mood) : loop_(loop), mood_(mood) {
    for (int tries = 0; tries < 50; ++tries) {
      auto udp = DnsServer::bind({net::IpAddress::loopback(false), port_of(tries), 0});
      if (!udp) continue;
      sockets_ = std::move(*udp);
      break;
    }
    if (mood == Mood::tcp_only) sockets_.udp.reset();
    if (sockets_.udp) {
      EXPECT_TRUE(loop.add(sockets_.udp.get(), EPOLLIN, [this](std::uint32_t) { on_udp(); }));
    }
    EXPECT_TRUE(loop.add(sockets_.tcp.get(), EPOLLIN, [this](std::uint32_t) { on_tcp(); }));
  }
  ~Upstream() {
    if (sockets_.udp) loop_.remove(sockets_.udp.get());
    loop_.remove(sockets_.tcp.get());
    for (const auto& stream : streams_) loop_.remove(stream.get());
  }
  Endpoint at() const { return sockets_.at; }
  int asked = 0, asked_by_tcp = 0;

 private:
  static std::uint16_t port_of(int tries) {
    return static_cast<std::uint16_t>(20000 +
                                      (::getpid() * 7 + tries * 13 + next_++ * 131) % 20000);
  }
  std::string reply_to(const std::string& packet, DnsCode code) {
    DnsQuery query;
    EXPECT_EQ(parse_dns_query(packet, &query), DnsParse::query);
    DnsReply reply(packet, query, code, kDnsMaxMessage);
    if (code == DnsCode::ok) reply.add(ip("192.0.2.7"), 5);
    return reply.take();
  }
  void on_udp() {
    char buffer[2048];
    SocketAddress peer;
    ssize_t size =
        ::recvfrom(sockets_.udp.get(), buffer, sizeof buffer, 0, &peer.any, &peer.length);
    if (size <= 0) return;
    ++asked;
    if (mood_ == Mood::silent) return;
    std::string packet(buffer, static_cast<std::size_t>(size));
    std::string reply =
        reply_to(packet, mood_ == Mood::fails ? DnsCode::server_failure : DnsCode::ok);
    if (mood_ == Mood::truncates) reply[2] = static_cast<char>(reply[2] | 2);
    if (mood_ == Mood::forges) {
      std::string forged = reply;
      forged[0] = static_cast<char>(forged[0] + 1);
      forged[forged.size() - 1] = 66;
      ::sendto(sockets_.udp.get(), forged.data(), forged.size(), 0, &peer.any, peer.length);
    }
    ::sendto(sockets_.udp.get(), reply.data(), reply.size(), 0, &peer.any, peer.length);
  }
  void on_tcp() {
    sys::UniqueFd fd(::accept4(sockets_.tcp.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!fd) return;
    int number = fd.get();
    EXPECT_TRUE(loop_.add(number, EPOLLIN, [this, number](std::uint32_t) { on_question(number); }));
    streams_.push_back(std::move(fd));
  }
  void on_question(int fd) {
    char buffer[2048];
    ssize_t size = ::recv(fd, buffer, sizeof buffer, 0);  // small: comes in one piece
    if (size < 14) return loop_.remove(fd);
    ++asked_by_tcp;
    if (mood_ == Mood::silent) return;
    std::string reply = reply_to({buffer + 2, static_cast<std::size_t>(size) - 2},
                                 mood_ == Mood::fails ? DnsCode::server_failure : DnsCode::ok);
    char head[2] = {static_cast<char>(reply.size() >> 8), static_cast<char>(reply.size())};
    reply.insert(0, head, 2);
    ::send(fd, reply.data(), reply.size(), MSG_NOSIGNAL);
  }
  std::vector<sys::UniqueFd> streams_;
  inline static int next_ = 0;
  sys::EventLoop& loop_;
  Mood mood_;
  DnsServer::Sockets sockets_;
};

struct Asking : testing::Test {
  std::unique_ptr<sys::EventLoop> loop = *sys::EventLoop::create();
  DnsForwarder forwarder{*loop};
  std::string ask(const std::vector<Endpoint>& servers, bool by_tcp = false) {
    std::string reply = "none";
    EXPECT_TRUE(forwarder.ask(question("example.org", kDnsTypeA, 0x4321), servers, by_tcp,
                              [&](std::string got) {
                                reply = std::move(got);
                                loop->stop();
                              }));
    EXPECT_TRUE(loop->run());
    return reply;
  }
  static bool is_good(const std::string& reply) {
    return reply.size() > 12 && dns_id(reply) == 0x4321 && dns_code_of(reply) == DnsCode::ok &&
           count_of(reply) == 1 && reply.ends_with(std::string("\xc0\0\2\7", 4));
  }
};

TEST_F(Asking, OneServer) {
  Upstream good(*loop, Upstream::Mood::answers);
  EXPECT_TRUE(is_good(ask({good.at()})));
  EXPECT_TRUE(is_good(ask({good.at()}, true)));
  EXPECT_EQ(good.asked, 1);
  EXPECT_EQ(good.asked_by_tcp, 1);
}

TEST_F(Asking, ASilentOneDoesNotBlockTheOthers) {
  Upstream silent(*loop, Upstream::Mood::silent), good(*loop, Upstream::Mood::answers);
  EXPECT_TRUE(is_good(ask({silent.at(), good.at()})));
  EXPECT_EQ(silent.asked, 1);
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(is_good(ask({silent.at(), good.at()})));
  EXPECT_LE(silent.asked, 3);  // known to be silent: a probe now and then
}

TEST_F(Asking, AFailingOneGivesWayToTheNext) {
  Upstream bad(*loop, Upstream::Mood::fails), good(*loop, Upstream::Mood::answers);
  EXPECT_TRUE(is_good(ask({bad.at(), good.at()})));
  std::string reply = ask({bad.at()});
  EXPECT_EQ(dns_code_of(reply), DnsCode::server_failure);
  EXPECT_EQ(dns_id(reply), 0x4321);
}

TEST_F(Asking, ATruncatedAnswerIsHandedOn) {
  Upstream cuts(*loop, Upstream::Mood::truncates);
  EXPECT_TRUE(is_dns_truncated(ask({cuts.at()})));
  EXPECT_FALSE(is_dns_truncated(ask({cuts.at()}, true)));
}

TEST_F(Asking, ByTcpWhereUdpIsClosed) {
  Upstream tcp(*loop, Upstream::Mood::tcp_only);
  EXPECT_TRUE(is_good(ask({tcp.at()})));
  EXPECT_TRUE(is_good(ask({tcp.at()})));
  EXPECT_EQ(tcp.asked_by_tcp, 2);
}

TEST_F(Asking, AForgedAnswerIsNotTaken) {
  Upstream forger(*loop, Upstream::Mood::forges);
  EXPECT_TRUE(is_good(ask({forger.at()})));
}

TEST_F(Asking, NobodyAnswers) {
  Upstream silent(*loop, Upstream::Mood::silent);
  EXPECT_EQ(ask({silent.at()}), "");
  EXPECT_EQ(forwarder.under_way(), 0U);
  EXPECT_EQ(forwarder.counters().unanswered, 1U);
}

struct Serving : testing::Test {
  std::unique_ptr<sys::EventLoop> loop = *sys::EventLoop::create();
  DnsZone zone;
  HostResolvers resolvers{"/nonexistent", "/nonexistent"};
  DnsServer server{*loop, zone, resolvers};
  void SetUp() override {
    zone.set(container('a', "web", {{"front", "10.1.0.2/24"}}));
    ASSERT_TRUE(server.add_network("front", {}));
  }
  std::string now(const std::string& packet, bool by_tcp = false) {
    return server.answer("front", ip("10.1.0.9"), packet, by_tcp, {});
  }
};

TEST_F(Serving, OurNamesAreNeverAskedOutside) {
  std::string reply = now(question("WEB", kDnsTypeA));
  EXPECT_EQ(count_of(reply), 1U);
  EXPECT_TRUE(reply.ends_with(std::string("\x0a\1\0\2", 4)));
  for (std::uint16_t type : {std::uint16_t{15}, std::uint16_t{16}, kDnsTypeAaaa}) {
    reply = now(question("web", type));
    EXPECT_EQ(dns_code_of(reply), DnsCode::ok);
    EXPECT_EQ(count_of(reply), 0U);
  }
  zone.set(container('b', "db", {{"back", "10.2.0.2/24"}}));
  EXPECT_EQ(dns_code_of(now(question("db", kDnsTypeA))), DnsCode::no_name);
  EXPECT_EQ(count_of(now(question("2.0.1.10.in-addr.arpa", kDnsTypePtr))), 1U);
  EXPECT_EQ(dns_code_of(now(question("9.0.1.10.in-addr.arpa", kDnsTypePtr))), DnsCode::no_name);
  EXPECT_EQ(server.forwarder().counters().asked, 0U);
}

TEST_F(Serving, AnInternalNetworkAsksNobodyOutside) {
  auto inside = container('c', "alone", {{"front", "10.1.0.9/24"}});
  inside.networks[0].internal = true;
  zone.set(inside);
  EXPECT_EQ(dns_code_of(now(question("example.org", kDnsTypeA))), DnsCode::no_name);
  EXPECT_EQ(server.forwarder().counters().asked, 0U);
}

TEST_F(Serving, WhatIsNoQuestionIsRefused) {
  EXPECT_EQ(now("short"), "");
  EXPECT_EQ(dns_code_of(now(question("web", kDnsTypeA).substr(0, 14))), DnsCode::format_error);
  std::string update = question("web", kDnsTypeA);
  update[2] = 0x28;
  EXPECT_EQ(dns_code_of(now(update)), DnsCode::not_implemented);
}

TEST_F(Serving, AGatewayOfOursIsNoUpstream) {
  auto sockets = DnsServer::bind({net::IpAddress::loopback(false), 0, 0});
  ASSERT_TRUE(sockets);
  std::vector<DnsServer::Sockets> all;
  all.push_back(std::move(*sockets));
  ASSERT_TRUE(server.add_network("loop", std::move(all)));
  // Without servers of its own it would ask 127.0.0.1, which is itself.
  std::string reply =
      server.answer("loop", ip("127.0.0.1"), question("example.org", kDnsTypeA), false, {});
  EXPECT_EQ(dns_code_of(reply), DnsCode::server_failure);
}

}  // namespace
}  // namespace minke::netd
