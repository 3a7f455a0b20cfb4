#include "net/legacy_tables.h"

#include <arpa/inet.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>
#include <sys/socket.h>

#include <cstring>

#include "base/str.h"
#include "sys/fd.h"

namespace minke::net {

namespace {

constexpr const char* kTableName = "filter";
constexpr std::size_t kSizeMax = 16 << 20;

struct Family {
  int domain, level, get_info, get_entries;
  const char* names;  // the tables that somebody uses; asking for another one would make it
  const char* program;
};
constexpr Family kFour = {AF_INET,
                          SOL_IP,
                          IPT_SO_GET_INFO,
                          IPT_SO_GET_ENTRIES,
                          "/proc/thread-self/net/ip_tables_names",
                          "iptables-legacy"};
constexpr Family kSix = {AF_INET6,
                         SOL_IPV6,
                         IP6T_SO_GET_INFO,
                         IP6T_SO_GET_ENTRIES,
                         "/proc/thread-self/net/ip6_tables_names",
                         "ip6tables-legacy"};

struct Hook {
  unsigned number;
  const char* chain;
};
constexpr Hook kHooks[] = {{NF_INET_FORWARD, "FORWARD"}, {NF_INET_LOCAL_IN, "INPUT"}};

// A chain's policy is its last rule, at `underflow`: a standard target with a verdict.
template <typename Entry>
bool drops(std::string_view entries, std::size_t underflow) {
  Entry entry;
  xt_standard_target target;
  if (underflow > entries.size() || entries.size() - underflow < sizeof entry) return false;
  std::memcpy(&entry, entries.data() + underflow, sizeof entry);
  std::size_t at = underflow + entry.target_offset;
  if (at > entries.size() || entries.size() - at < sizeof target) return false;
  std::memcpy(&target, entries.data() + at, sizeof target);
  return target.verdict == -NF_DROP - 1;
}

template <typename Info, typename Entries, typename Entry>
Status add_family(const Family& family, std::vector<std::string>* out) {
  auto names = sys::read_small_file(family.names, 4096);
  if (!names || names->find(kTableName) == std::string::npos) return {};
  sys::UniqueFd socket(::socket(family.domain, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) return Error::from_errno(errno, family.program);
  Info info{};
  std::strcpy(info.name, kTableName);
  socklen_t size = sizeof info;
  if (::getsockopt(socket.get(), family.level, family.get_info, &info, &size) < 0)
    return Error::from_errno(errno, family.program);
  if (info.size > kSizeMax) return {};
  std::string buffer(sizeof(Entries) + info.size, '\0');
  auto* request = reinterpret_cast<Entries*>(buffer.data());
  std::strcpy(request->name, kTableName);
  request->size = info.size;
  size = static_cast<socklen_t>(buffer.size());
  if (::getsockopt(socket.get(), family.level, family.get_entries, request, &size) < 0) {
    if (errno == EAGAIN) return {};  // it changes just now: the next look tells
    return Error::from_errno(errno, family.program);
  }
  auto entries = std::string_view(buffer).substr(sizeof(Entries));
  for (const Hook& hook : kHooks)
    if ((info.valid_hooks & (1U << hook.number)) != 0 &&
        drops<Entry>(entries, info.underflow[hook.number]))
      out->push_back(concat(family.program, ", chain ", hook.chain));
  return {};
}

}  // namespace

Result<std::vector<std::string>> dropping_legacy_chains() {
  std::vector<std::string> chains;
  TRY((add_family<ipt_getinfo, ipt_get_entries, ipt_entry>(kFour, &chains)));
  TRY((add_family<ip6t_getinfo, ip6t_get_entries, ip6t_entry>(kSix, &chains)));
  return chains;
}

}  // namespace minke::net
