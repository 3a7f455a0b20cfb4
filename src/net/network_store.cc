#include "net/network_store.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <unistd.h>

#include <algorithm>

#include "base/failpoint.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/str.h"
#include "codec/digest.h"
#include "sys/fd.h"

namespace minke::net {
namespace {

constexpr std::string_view kSuffix = ".json";
constexpr std::string_view kStagingPrefix = ".new-";
constexpr std::size_t kNetworkMax = 1 << 20;

// .new-PID-RANDOM, left by a command that died.
bool is_abandoned(std::string_view name) {
  if (!name.starts_with(kStagingPrefix)) return false;
  name.remove_prefix(kStagingPrefix.size());
  auto pid = parse_int(name.substr(0, name.find('-')));
  return !pid || *pid <= 0 || !sys::exists(concat("/proc/", *pid));
}

Error not_there(std::string_view name) {
  return Error(Errc::not_found,
               concat("unable to find network with name or ID ", name, ": network not found"));
}

}  // namespace

NetworkDefaults built_in_defaults() {
  NetworkDefaults defaults;
  defaults.subnet = {IpAddress::from_v4(0x0a580000), 16};  // 10.88.0.0/16
  struct Row {
    std::uint32_t base;
    std::uint8_t length;
  };
  // Podman's: 10.89.0.0/16, 10.90.0.0/15, 10.92.0.0/14, 10.96.0.0/11, 10.128.0.0/9.
  for (const Row& row : {Row{0x0a590000, 16}, Row{0x0a5a0000, 15}, Row{0x0a5c0000, 14},
                         Row{0x0a600000, 11}, Row{0x0a800000, 9}})
    defaults.pools.push_back({{IpAddress::from_v4(row.base), row.length}, 24});
  return defaults;
}

std::string network_id(std::string_view name) { return sha256_hex(name); }

Result<Network> NetworkStore::load(const std::string& name) const {
  if (name.find('/') != std::string::npos) return not_there(name);
  auto text = sys::read_small_file(path(name), kNetworkMax);
  if (!text) {
    if (text.error().code() != Errc::not_found) return std::move(text.error());
    if (name == defaults_.name) return plan_default();
    return not_there(name);
  }
  auto network = json::parse_struct<Network>(*text);
  if (!network) return std::move(network.error()).wrap(path(name)).as(Errc::corrupt);
  network->name = name;
  return network;
}

Result<Network> NetworkStore::find(std::string_view name) const {
  auto exact = load(std::string(name));
  if (exact || exact.error().code() != Errc::not_found) return exact;
  if (name == "bridge" || name == "default") return load(defaults_.name);
  if (name.empty() || !is_hex(name)) return not_there(name);
  std::optional<Network> hit;
  for (Network& network : TRY(list())) {
    if (!network.id.starts_with(name)) continue;
    if (hit)
      return Error(Errc::conflict, concat("more than one result for network ID ", name,
                                          ": network already exists"));
    hit = std::move(network);
  }
  if (!hit) return not_there(name);
  return std::move(*hit);
}

Result<std::vector<Network>> NetworkStore::list_written() const {
  std::vector<Network> networks;
  auto folder = sys::open_dir(dir_);
  if (!folder) {
    if (folder.error().code() == Errc::not_found) return networks;
    return std::move(folder.error());
  }
  for (const std::string& file : TRY(sys::list_dir(*folder))) {
    if (is_abandoned(file))
      ignore(sys::unlink_at(*folder, file.c_str()), "tried again by the next listing");
    if (file.starts_with('.') || !file.ends_with(kSuffix)) continue;
    std::string name = file.substr(0, file.size() - kSuffix.size());
    auto network = load(name);
    if (network)
      networks.push_back(std::move(*network));
    else if (network.error().code() != Errc::not_found)
      // One that cannot be read does not hide the others.
      log::error(concat("network ", name, ": ", network.error().message()));
  }
  return networks;
}

Result<std::vector<Network>> NetworkStore::list() const {
  std::vector<Network> networks = TRY(list_written());
  auto is_default = [this](const Network& network) { return network.name == defaults_.name; };
  if (std::none_of(networks.begin(), networks.end(), is_default)) {
    HostUse host = TRY(read_host_use());
    networks.push_back(detail::plan_default_network(defaults_, networks, host, rootless_));
  }
  std::sort(networks.begin(), networks.end(),
            [](const Network& a, const Network& b) { return a.name < b.name; });
  return networks;
}

Result<Network> NetworkStore::plan_default() const {
  std::vector<Network> others = TRY(list_written());
  HostUse host = TRY(read_host_use());
  return detail::plan_default_network(defaults_, others, host, rootless_);
}

Result<Network> NetworkStore::plan(const NetworkRequest& request) const {
  std::vector<Network> others = TRY(list());
  HostUse host = TRY(read_host_use());
  return detail::plan_network(request, defaults_, others, host, rootless_);
}

Status NetworkStore::write(const Network& network, bool anew) const {
  const auto cwd = sys::DirFd::cwd();
  const std::string staging = concat(dir_, "/", kStagingPrefix, ::getpid(), "-", random_hex(8));
  const std::string text = json::dump_struct(network);
  Status written = sys::write_file(staging, text, 0600, sys::Durability::data);
  if (!written && written.error().code() == Errc::not_found) {
    TRY(sys::ensure_dirs(dir_, 0700));
    written = sys::write_file(staging, text, 0600, sys::Durability::data);
  }
  TRY(std::move(written));
  failpoint("net.create", 1);  // staged
  Status renamed = sys::rename_at(cwd, staging.c_str(), cwd, path(network.name).c_str(),
                                  anew ? RENAME_NOREPLACE : 0);
  failpoint("net.create", 2);  // it exists
  if (renamed) return {};
  ignore(sys::unlink_at(cwd, staging.c_str()), "list() removes old ones");
  if (renamed.error().code() != Errc::already_exists) return renamed;
  return Error(Errc::already_exists,
               concat("network name ", network.name, " already used: network already exists"));
}

Result<Network> NetworkStore::create(const NetworkRequest& request) const {
  Network network = TRY(plan(request));
  TRY(write(network, true));
  return network;
}

Result<Network> NetworkStore::ensure_default() const {
  Network network = TRY(load(defaults_.name));
  if (!is_written(defaults_.name)) TRY(write(network, true));
  return network;
}

bool NetworkStore::is_written(const std::string& name) const { return sys::exists(path(name)); }

Status NetworkStore::replace(const Network& network) const { return write(network, false); }

Status NetworkStore::remove(const std::string& name) const {
  return sys::unlink_at(sys::DirFd::cwd(), path(name).c_str());
}

}  // namespace minke::net
