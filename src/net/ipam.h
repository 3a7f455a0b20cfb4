// Who has which address: RUNROOT/networks/NAME/leases/ADDRESS is a symbolic link whose text is the
// container's id, because symlinkat(2) makes and fills it in one step and fails when it is taken.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/network.h"

namespace minke::net {

class Ipam {
 public:
  // `run_dir`: RUNROOT/networks.
  Ipam(const std::string& run_dir, const Network& network)
      : dir_(run_dir + "/" + network.name + "/leases"), network_(network) {}

  struct Wish {
    std::vector<IpAddress> fixed;      // these, or it fails
    std::vector<IpAddress> preferred;  // where they are free
    // Whether a container still is there; asked only when all addresses are taken.
    std::function<bool(const std::string& id)> is_there;
  };
  // One address of each subnet, in their order, with the subnet's length. In a subnet without a
  // wish the next free one after the last given. What was leased is given back when it fails.
  // Addresses that `id` has already are its own. Errors: not in any subnet, taken (and by whom),
  // all taken.
  Result<std::vector<IpPrefix>> lease(const std::string& id, const Wish& wish) const;
  // Only those that `id` has.
  Status release(const std::string& id, const std::vector<IpPrefix>& addresses) const;
  // Whatever `id` has, found by reading all of them.
  Status release_all(const std::string& id) const;
  // Those of containers that are no more; how many they were.
  Result<int> release_stale(const std::function<bool(const std::string& id)>& is_there) const;
  Result<std::map<IpAddress, std::string>> list() const;

 private:
  enum class Take { taken, done };
  Result<Take> take(const std::string& id, const IpAddress& address) const;
  Result<IpAddress> lease_in(const Subnet& subnet, const std::string& id, const Wish& wish) const;
  Result<std::optional<IpAddress>> next_free(const Subnet& subnet, const std::string& id) const;
  std::string path(const IpAddress& address) const { return dir_ + "/" + address.text(); }
  std::string last_path(const Subnet& subnet) const;
  std::string dir_;
  const Network& network_;
};

}  // namespace minke::net
