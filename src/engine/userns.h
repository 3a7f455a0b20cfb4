// The maps of a container's own user namespace. "Host" ids here are ids of the namespace that the
// engine stands in: real ones rootful, those of the login's namespace rootless.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/host.h"
#include "engine/request.h"

namespace minke::engine {

struct UsernsMaps {
  bool private_ = false;  // a namespace of its own
  std::vector<oci::IdMapping> uid_map, gid_map;
  std::string user;  // keep-id: the user that the process runs as unless one was asked
};

using MapsInUse = std::function<Result<std::vector<oci::IdMapping>>()>;

// --userns (private, keep-id, auto, nomap; host gives none), --uidmap, --gidmap, --subuidname,
// --subgidname. container: and ns: are not for this function.
Result<UsernsMaps> resolve_userns(const CreateRequest& request, const Host& host,
                                  const MapsInUse& in_use);

// Lines [+][@][ug]CONTAINER:HOST[:COUNT] of one kind. `parent` is the map of the namespace that the
// engine stands in: "@" marks a HOST id as a real one, which is looked up in it. "+" adds to `base`
// (the default map), cutting out of it what the new line covers; the first line without it replaces
// `base`. `flag` "u" or "g" is for lines that carry such a letter: those of the other kind are
// passed over.
Result<std::vector<oci::IdMapping>> parse_id_maps(const std::vector<std::string>& lines, char kind,
                                                  const std::vector<oci::IdMapping>& parent,
                                                  std::vector<oci::IdMapping> base);

// All ids of the namespace that the engine stands in, as a map onto itself from 0.
std::vector<oci::IdMapping> identity_of(const std::vector<oci::IdMapping>& parent);

// The host id of a container id, or nothing when it is not mapped.
std::optional<std::uint32_t> map_to_host(const std::vector<oci::IdMapping>& map,
                                         std::uint32_t container_id);

// Ids that the map holds.
std::uint64_t map_size(const std::vector<oci::IdMapping>& map);

}  // namespace minke::engine
