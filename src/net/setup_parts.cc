#include "net/setup_parts.h"

#include <linux/netlink.h>

#include <algorithm>
#include <cerrno>

#include "base/str.h"
#include "net/link.h"
#include "sys/fd.h"

namespace minke::net {

namespace {
std::string setting_path(const std::string& name) { return concat("/proc/sys/net/", name); }
}  // namespace

Result<Settings> Settings::of(int netns) {
  auto there = TRY(sys::InNetns::enter(netns));
  return Settings(std::move(there));
}

std::optional<std::string> Settings::get(const std::string& name) const {
  auto text = sys::read_small_file(setting_path(name), 4096);
  if (!text) return std::nullopt;
  return std::string(trim(*text));
}

Status Settings::set(const std::string& name, std::string_view value) const {
  if (get(name) == value) return {};
  return sys::write_existing(setting_path(name), value);
}

Status Settings::set_if_there(const std::string& name, std::string_view value) const {
  auto now = get(name);
  if (!now || *now == value) return {};
  return sys::write_existing(setting_path(name), value);
}

Status lay_local_table(Links& links) {
  for (bool v6 : {false, true}) {
    LinkBatch rules, routes;
    RuleSpec rule{v6, kLocalTable, kLocalTable, kMark, kMark, {}};
    RouteSpec route;
    route.destination = {IpAddress::any(v6), 0};
    route.index = 1;  // lo
    route.table = kLocalTable;
    route.local = true;
    auto status = links.run(rules.add_rule(rule));
    if (!status && v6 && status.error().sys() == EAFNOSUPPORT) return {};  // no IPv6 here
    if (!status && status.error().sys() != EEXIST) return status;
    status = links.run(routes.add_route(route));
    if (!status && v6 && status.error().sys() == EAFNOSUPPORT) return {};
    if (!status && status.error().sys() != EEXIST) return status;
  }
  return {};
}

// The kernel says ENOENT for an expression or target that it does not have, and EOPNOTSUPP or
// EINVAL where it cannot be used so.
bool is_not_known(const Error& error) {
  return error.sys() == ENOENT || error.sys() == EOPNOTSUPP || error.sys() == EINVAL ||
         error.sys() == EPROTONOSUPPORT;
}

Result<sys::NetlinkSocket> open_nftables(const Place& place) {
  return sys::NetlinkSocket::open(NETLINK_NETFILTER, place.netns);
}

Status put_elements(sys::NetlinkSocket& socket, const std::vector<SetElements>& all,
                    std::string_view what) {
  nft::Transaction plain(NFPROTO_INET, kTable);
  for (const auto& set : all) plain.add_elements(set.set, set.elements);
  auto status = plain.commit(socket, what);
  if (status || (status.error().sys() != EEXIST && status.error().sys() != EBUSY)) return status;
  nft::Transaction replacing(NFPROTO_INET, kTable);
  for (const auto& set : all) {
    auto there = TRY(nft::find_elements(socket, NFPROTO_INET, kTable, set.set, set.elements));
    for (auto& element : there) element.data.clear();
    replacing.delete_elements(set.set, there).add_elements(set.set, set.elements);
  }
  return replacing.commit(socket, what);
}

Status drop_elements(sys::NetlinkSocket& socket, const std::vector<SetElements>& all,
                     std::string_view what) {
  nft::Transaction transaction(NFPROTO_INET, kTable);
  for (const auto& set : all) {
    auto there = TRY(nft::find_elements(socket, NFPROTO_INET, kTable, set.set, set.elements));
    std::sort(there.begin(), there.end());
    std::vector<nft::Element> ours;
    for (const auto& wanted : set.elements) {
      // Data orders behind key: an element without data stands before that of the same key.
      auto found =
          std::lower_bound(there.begin(), there.end(), nft::Element{wanted.key, {}, false});
      if (found != there.end() && found->key == wanted.key &&
          (wanted.data.empty() || found->data == wanted.data))
        ours.push_back({wanted.key, {}, wanted.interval_end});
    }
    transaction.delete_elements(set.set, ours);
  }
  auto status = transaction.commit(socket, what);
  if (!status && status.error().sys() == ENOENT) return {};  // somebody was quicker
  return status;
}

}  // namespace minke::net
