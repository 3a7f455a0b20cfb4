#include "netd/syn_queue.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <cstring>

#include "net/ruleset.h"
#include "netd/dial_rules.h"
#include "netd/syn_reader.h"

namespace minke::netd {
namespace {

using namespace std::string_literals;

std::span<const std::uint8_t> bytes(const std::string& s) {
  return {reinterpret_cast<const std::uint8_t*>(s.data()), s.size()};
}

const std::string kTcpSyn =
    "\x9c\x41\x01\xbb\xde\xad\xbe\xef\0\0\0\0\xa0\x02\xff\xff\0\0\0\0"s;  // 40001 -> 443

std::string v4_packet(const std::string& tcp) {
  return "\x45\0\0\x28\0\0\x40\0\x40\x06\0\0\x0a\x59\0\x02\xcb\0\x71\x07"s + tcp;
}
std::string v6_packet(std::uint8_t next, const std::string& rest) {
  std::string p = "\x60\0\0\0\0\x14"s + static_cast<char>(next) + "\x40"s;
  p += "\xfd\0\0\x89"s + std::string(11, '\0') + "\x02"s;
  p += "\x20\x01\x0d\xb8"s + std::string(11, '\0') + "\x07"s;
  return p + rest;
}

template <typename T>
std::string raw(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}
std::string attribute(std::uint16_t type, const std::string& value) {
  std::string a = raw(nlattr{static_cast<std::uint16_t>(4 + value.size()), type}) + value;
  a.resize((a.size() + 3) / 4 * 4);
  return a;
}
std::string message(std::uint16_t type, const std::string& attributes) {
  const std::string body = raw(nfgenmsg{AF_INET, 0, 0}) + attributes;
  nlmsghdr header{static_cast<std::uint32_t>(sizeof header + body.size()), type, 0, 0, 0};
  return raw(header) + body;
}
std::string held(std::uint32_t id, const std::string& packet) {
  nfqnl_msg_packet_hdr header{};
  header.packet_id = htonl(id);
  return message(NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET,
                 attribute(NFQA_PACKET_HDR, raw(header)) + attribute(NFQA_PAYLOAD, packet));
}

TEST(SynQueue, ReadsASynOfV4) {
  HeldPacket p;
  ASSERT_EQ(parse_held_packets(bytes(held(7, v4_packet(kTcpSyn))), &p, 1), 1u);
  EXPECT_EQ(p.id, 7u);
  EXPECT_TRUE(p.syn);
  EXPECT_EQ(p.source.text(), "10.89.0.2:40001");
  EXPECT_EQ(p.destination.text(), "203.0.113.7:443");
  EXPECT_EQ(p.sequence, 0xdeadbeefu);
}

TEST(SynQueue, ReadsASynOfV6BehindExtensions) {
  const std::string options = "\x06\0\x01\x04\0\0\0\0"s;
  HeldPacket p{};
  EXPECT_TRUE(parse_syn(bytes(v6_packet(IPPROTO_TCP, kTcpSyn)), &p));
  EXPECT_EQ(p.source.text(), "[fd00:89::2]:40001");
  EXPECT_TRUE(parse_syn(bytes(v6_packet(IPPROTO_HOPOPTS, options + kTcpSyn)), &p));
  EXPECT_EQ(p.destination.text(), "[2001:db8::7]:443");
  EXPECT_FALSE(parse_syn(bytes(v6_packet(IPPROTO_FRAGMENT, options + kTcpSyn)), &p));
}

TEST(SynQueue, WhatIsNoSynIsToldWithItsId) {
  std::string ack = kTcpSyn;
  ack[13] = 0x12;
  const std::string cut = v4_packet(kTcpSyn).substr(0, 39);
  for (const std::string& packet : {v4_packet(ack), cut, ""s, "\x45"s, v6_packet(0, "\x06\xff"s)}) {
    HeldPacket p;
    ASSERT_EQ(parse_held_packets(bytes(held(9, packet)), &p, 1), 1u);
    EXPECT_EQ(p.id, 9u);
    EXPECT_FALSE(p.syn);
  }
}

TEST(SynQueue, NothingBehindTheEndIsRead) {
  const std::string whole = held(1, v4_packet(kTcpSyn)) + held(2, v4_packet(kTcpSyn));
  HeldPacket p[4];
  EXPECT_EQ(parse_held_packets(bytes(whole), p, 4), 2u);
  EXPECT_EQ(p[1].id, 2u);
  EXPECT_EQ(parse_held_packets(bytes(whole), p, 1), 1u);
  for (std::size_t n = 0; n < whole.size(); ++n) {
    const std::string torn = whole.substr(0, n);
    EXPECT_LE(parse_held_packets(bytes(torn), p, 4), 1u) << n;
  }
}

TEST(SynQueue, VerdictHasIdVerdictAndMark) {
  const std::string plain = make_verdict(3, 7, Verdict::drop, 0);
  const std::string marked = make_verdict(3, 7, Verdict::accept, net::kHeldRefused);
  EXPECT_EQ(plain.size(), 16u + 4 + 12);
  ASSERT_EQ(marked.size(), plain.size() + 8);
  EXPECT_EQ(marked.substr(18, 2), "\0\x03"s);                // the queue
  EXPECT_EQ(marked.substr(24, 8), "\0\0\0\x01\0\0\0\x07"s);  // NF_ACCEPT, id
  EXPECT_EQ(plain.substr(24, 8), "\0\0\0\0\0\0\0\x07"s);     // NF_DROP
  EXPECT_EQ(marked.substr(marked.size() - 4), "\0\0\x0e\x01"s);
}

TEST(SynQueue, Acknowledgement) {
  nlmsghdr header{36, NLMSG_ERROR, 0, 0, 0};
  const auto answer = [&](std::int32_t error) { return raw(header) + raw(error) + raw(header); };
  EXPECT_EQ(parse_acknowledgement(bytes(answer(0))), 0);
  EXPECT_EQ(parse_acknowledgement(bytes(answer(-EPERM))), EPERM);
  EXPECT_EQ(parse_acknowledgement(bytes(answer(5))), -1);
  EXPECT_EQ(parse_acknowledgement(bytes(held(1, "x"))), -1);
  EXPECT_EQ(parse_acknowledgement(bytes(raw(header))), -1);
}

class SynReaderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    int fds[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds), 0);
    kernel_.reset(fds[0]);
    ASSERT_TRUE(reader_.start(sys::UniqueFd(fds[1]), 0));
  }
  void send(std::uint32_t id, const std::string& packet) {
    const std::string m = held(id, packet);
    ASSERT_EQ(::send(kernel_.get(), m.data(), m.size(), 0), static_cast<ssize_t>(m.size()));
  }
  sys::UniqueFd kernel_;
  SynReader reader_;
};

TEST_F(SynReaderTest, HandsOutInOrderWithTheTimeOfReading) {
  HeldPacket p;
  for (std::uint32_t round = 0; round < 3; ++round) {
    for (std::uint32_t i = 0; i < 3; ++i) send(round * 3 + i, v4_packet(kTcpSyn));
    reader_.drain(1000 + round);
    for (std::uint32_t i = 0; i < 3; ++i) {
      ASSERT_TRUE(reader_.take(&p));
      EXPECT_EQ(p.id, round * 3 + i);
      EXPECT_EQ(p.came_ms, 1000 + round);
    }
    EXPECT_FALSE(reader_.take(&p));
  }
}

// What finds no room stays with the kernel; the ring's end is followed by its beginning.
TEST_F(SynReaderTest, AFullRingLosesNothing) {
  std::uint32_t sent = 0, taken = 0;
  HeldPacket p;
  for (int i = 0; i < 8180; ++i) {
    send(sent++, v4_packet(kTcpSyn));
    reader_.drain(1);
  }
  for (; taken < 5000 && reader_.take(&p); ++taken) ASSERT_EQ(p.id, taken);
  EXPECT_EQ(taken, 5000u);
  for (int i = 0; i < 1000; ++i) {
    send(sent++, v4_packet(kTcpSyn));
    reader_.drain(1);
  }
  for (; reader_.take(&p); ++taken) ASSERT_EQ(p.id, taken);
  reader_.drain(1);
  for (; reader_.take(&p); ++taken) ASSERT_EQ(p.id, taken);
  EXPECT_EQ(taken, sent);
}

TEST_F(SynReaderTest, WhatIsNoSynIsLetPassAtOnce) {
  HeldPacket p;
  send(5, "no packet");
  reader_.drain(1);
  EXPECT_TRUE(reader_.empty());
  EXPECT_FALSE(reader_.take(&p));
  char verdict[256];
  const ssize_t n = ::recv(kernel_.get(), verdict, sizeof verdict, MSG_DONTWAIT);
  EXPECT_EQ(std::string(verdict, n > 0 ? n : 0), make_verdict(0, 5, Verdict::accept, 0));
}

TEST(DialRules, LoopbackAndItsDisguisesAreNeverDialled) {
  const auto ip = [](const char* text) { return *net::IpAddress::parse(text); };
  for (const char* no : {"0.0.0.0", "0.1.2.3", "127.0.0.1", "127.255.255.254", "224.0.0.1",
                         "239.1.2.3", "240.0.0.1", "255.255.255.255", "::", "::1", "::127.0.0.1",
                         "::ffff:127.0.0.1", "::ffff:203.0.113.7", "fe80::1", "febf::1", "ff02::1"})
    EXPECT_FALSE(may_dial(ip(no))) << no;
  for (const char* yes : {"1.0.0.0", "126.255.255.255", "128.0.0.1", "223.255.255.255", "10.0.0.1",
                          "169.254.1.1", "2001:db8::1", "fd00::1", "fec0::1", "::1:0:0:1"})
    EXPECT_TRUE(may_dial(ip(yes))) << yes;
}

TEST(DialRules, AnswersAreTheConnects) {
  EXPECT_EQ(answer_for(0).mark, 0u);
  EXPECT_EQ(answer_for(0).verdict, Verdict::accept);
  EXPECT_EQ(answer_for(ECONNREFUSED).mark, net::kHeldRefused);
  EXPECT_EQ(answer_for(ENETUNREACH).mark, net::kHeldNoRoute);
  EXPECT_EQ(answer_for(EHOSTUNREACH).mark, net::kHeldUnreachable);
  EXPECT_EQ(answer_for(EACCES).mark, net::kHeldProhibited);
  for (int silent : {ETIMEDOUT, EMFILE, EADDRNOTAVAIL})
    EXPECT_EQ(answer_for(silent).verdict, Verdict::drop) << silent;
}

}  // namespace
}  // namespace minke::netd
