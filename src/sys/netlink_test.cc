#include "sys/netlink.h"

#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <cstring>

#include "sys/testing_namespace.h"

namespace minke::sys {

namespace {

NetlinkRequest new_dummy(const std::string& name, std::uint16_t flags) {
  NetlinkRequest request;
  request.begin(RTM_NEWLINK, flags, ifinfomsg{}).text(IFLA_IFNAME, name);
  request.nest(IFLA_LINKINFO, [&] { request.text(IFLA_INFO_KIND, "bridge"); });
  return request;
}

std::string link_names(NetlinkSocket& socket) {
  NetlinkRequest request;
  request.begin(RTM_GETLINK, 0, ifinfomsg{});
  auto links = socket.dump(request, "list links");
  if (!links) return links.error().message();
  std::string names;
  for (const auto& link : *links)
    names += NetlinkAttributes(link.payload, sizeof(ifinfomsg)).text(IFLA_IFNAME) + " ";
  return names;
}

}  // namespace

TEST(NetlinkAttributes, StopAtATornLength) {
  NetlinkRequest request;
  std::string bytes(
      "\x06\x00\x01\x00"
      "ab\x00\x00"
      "\x40\x00\x02\x00zz",
      14);
  NetlinkAttributes attributes(bytes);
  EXPECT_EQ(attributes.text(1), "ab");
  EXPECT_FALSE(attributes.find(2));
  EXPECT_FALSE(attributes.u32(1));
}

TEST(Netlink, ListsMakesAndRefusesInTheKernelsWords) {
  MINKE_EXPECT_ALONE([]() -> std::string {
    auto socket = NetlinkSocket::open(NETLINK_ROUTE);
    if (!socket) return socket.error().message();
    auto names = link_names(*socket);
    if (names.find("lo ") == std::string::npos) return "no lo: " + names;
    auto request = new_dummy("one", NLM_F_CREATE | NLM_F_EXCL);
    if (auto made = socket->run(request, "make one"); !made) return made.error().message();
    // The second message of three fails: the others are done, and it is said which.
    NetlinkRequest three = new_dummy("two", NLM_F_CREATE | NLM_F_EXCL);
    three.begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, ifinfomsg{}).text(IFLA_IFNAME, "one");
    three.begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, ifinfomsg{}).text(IFLA_IFNAME, "three");
    three.nest(IFLA_LINKINFO, [&] { three.text(IFLA_INFO_KIND, "bridge"); });
    std::size_t failed = 99;
    auto status = socket->run(three, "make three", &failed);
    if (status || status.error().sys() != EEXIST || failed != 1) return "second was not refused";
    if (status.error().code() != Errc::already_exists) return "code";
    names = link_names(*socket);
    if (names.find("two ") == std::string::npos || names.find("three ") == std::string::npos)
      return "not all made: " + names;
    // A refusal with words.
    NetlinkRequest wrong;
    ifinfomsg none{};
    none.ifi_index = 4711;
    wrong.begin(RTM_NEWLINK, 0, none).text(IFLA_IFNAME, std::string(64, 'x'));
    status = socket->run(wrong, "rename");
    if (status || status.error().message().find("rename: ") != 0) return "not refused";
    if (status.error().message().find("ttribute") == std::string::npos)
      return "no words of the kernel: " + status.error().message();
    return {};
  });
}

TEST(Netlink, ASocketStaysInTheNamespaceItWasMadeIn) {
  MINKE_EXPECT_ALONE([]() -> std::string {
    auto first = open("/proc/self/ns/net", O_RDONLY);
    if (!first || ::unshare(CLONE_NEWNET) < 0) return "second namespace";
    auto there = NetlinkSocket::open(NETLINK_ROUTE, first->get());
    auto here = NetlinkSocket::open(NETLINK_ROUTE);
    if (!there || !here) return "sockets";
    auto request = new_dummy("inthere", NLM_F_CREATE);
    if (auto made = there->run(request, "make"); !made) return made.error().message();
    if (::if_nametoindex("inthere") != 0) return "came back to the wrong namespace";
    if (link_names(*there).find("inthere ") == std::string::npos) return "not there";
    if (link_names(*here).find("inthere ") != std::string::npos) return "is here";
    {
      auto inside = InNetns::enter(first->get());
      if (!inside || ::if_nametoindex("inthere") == 0) return "InNetns did not enter";
    }
    return ::if_nametoindex("inthere") == 0 ? "" : "InNetns did not leave";
  });
}

TEST(Netlink, NobodyEntersANamespaceWithoutAWayBack) {
  MINKE_EXPECT_ALONE([]() -> std::string {
    // A network namespace of a user namespace within; then that user namespace alone is joined.
    auto [reader, writer] = *make_pipe();
    auto [hold, release] = *make_pipe();
    pid_t child = ::fork();
    if (child == 0) {
      release.reset();
      char byte = ::unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 ? '1' : '0';
      // Until the parent has seen enough.
      if (::write(writer.get(), &byte, 1) != 1 || ::read(hold.get(), &byte, 1) != 0) ::_exit(1);
      ::_exit(0);
    }
    char byte = '0';
    if (::read(reader.get(), &byte, 1) != 1 || byte != '1') return "namespaces of the child";
    auto user = open(concat("/proc/", child, "/ns/user"), O_RDONLY);
    auto net = open(concat("/proc/", child, "/ns/net"), O_RDONLY);
    if (!user || !net || ::setns(user->get(), CLONE_NEWUSER) < 0) return "join";
    auto inside = InNetns::enter(net->get());
    release.reset();
    if (inside) return "entered";
    return inside.error().sys() == EPERM ? "" : inside.error().message();
  });
}

}  // namespace minke::sys
