// The tables of iptables-legacy: a firewall beside nf_tables, which nft does not show.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace minke::net {

// Built-in chains of its filter table that forward or take in packets and drop by policy, of the
// network namespace that the caller is in: "iptables-legacy, chain FORWARD". Nothing is loaded by
// asking.
Result<std::vector<std::string>> dropping_legacy_chains();

}  // namespace minke::net
