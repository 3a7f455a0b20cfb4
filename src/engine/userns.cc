#include "engine/userns.h"

#include <algorithm>

#include "base/str.h"
#include "config/containers_conf.h"
#include "config/subid.h"

namespace minke::engine {
namespace {

using Map = std::vector<oci::IdMapping>;

constexpr std::uint64_t kAllIds = std::uint64_t{UINT32_MAX};  // 4294967295 itself is no id

oci::IdMapping line_of(std::uint64_t container_id, std::uint64_t host_id, std::uint64_t size) {
  return {static_cast<std::uint32_t>(container_id), static_cast<std::uint32_t>(host_id),
          static_cast<std::uint32_t>(size)};
}

// Takes the part of `side` (container or host ids) in [start, start + size) out of each line.
Map without(const Map& map, std::uint32_t oci::IdMapping::*side, std::uint64_t start,
            std::uint64_t size) {
  Map out;
  const std::uint64_t end = start + size;
  for (const oci::IdMapping& line : map) {
    const std::uint64_t first = line.*side, last = first + line.size;
    if (first < std::min(start, last)) {
      std::uint64_t kept = std::min(start, last) - first;
      out.push_back(line_of(line.container_id, line.host_id, kept));
    }
    if (last > std::max(end, first)) {
      std::uint64_t skipped = std::max(end, first) - first;
      out.push_back(
          line_of(line.container_id + skipped, line.host_id + skipped, line.size - skipped));
    }
  }
  return out;
}

void sort_by_container(Map* map) {
  std::sort(map->begin(), map->end(), [](const oci::IdMapping& a, const oci::IdMapping& b) {
    return a.container_id < b.container_id;
  });
}

Status check_overlap(Map map, char kind) {
  for (auto side : {&oci::IdMapping::container_id, &oci::IdMapping::host_id}) {
    std::sort(map.begin(), map.end(),
              [&](const auto& a, const auto& b) { return a.*side < b.*side; });
    for (std::size_t i = 1; i < map.size(); ++i)
      if (std::uint64_t{map[i - 1].*side} + map[i - 1].size > map[i].*side)
        return Error(Errc::invalid_argument,
                     concat(kind == 'u' ? "UID" : "GID", " mappings overlap at ", map[i].*side));
  }
  return {};
}

struct MapLine {
  bool append = false, real = false;
  bool for_u = false, for_g = false;  // letters
  std::uint64_t container_id = 0, host_id = 0, size = 1;
};

std::optional<MapLine> parse_line(std::string_view text) {
  MapLine line;
  for (; !text.empty() && std::string_view("+@ug").find(text[0]) != std::string_view::npos;
       text.remove_prefix(1)) {
    if (text[0] == '+') line.append = true;
    if (text[0] == '@') line.real = true;
    if (text[0] == 'u') line.for_u = true;
    if (text[0] == 'g') line.for_g = true;
  }
  std::vector<std::string_view> fields = split(text, ':');
  if (fields.size() < 2 || fields.size() > 3) return {};
  if (fields[1].starts_with('@')) {
    line.real = true;
    fields[1].remove_prefix(1);
  }
  auto container_id = parse_uint(fields[0]), host_id = parse_uint(fields[1]);
  auto size = fields.size() == 3 ? parse_uint(fields[2]) : std::optional<std::uint64_t>(1);
  if (!container_id || !host_id || !size || *size == 0) return {};
  if (*container_id > kAllIds || *host_id > kAllIds || *size > kAllIds - *container_id ||
      *size > kAllIds - *host_id)
    return {};
  line.container_id = *container_id;
  line.host_id = *host_id;
  line.size = *size;
  return line;
}

// A real id as the namespace with the map `parent` sees it; the whole range must lie in one line.
std::optional<std::uint64_t> real_to_inner(const Map& parent, std::uint64_t real,
                                           std::uint64_t size) {
  if (parent.empty()) return real;
  for (const oci::IdMapping& line : parent)
    if (real >= line.host_id && real + size <= std::uint64_t{line.host_id} + line.size)
      return line.container_id + (real - line.host_id);
  return {};
}

// Every host id must exist in the namespace that the engine stands in.
Status check_available(const Map& map, const Host& host, const Map& parent, char kind) {
  if (parent.empty()) return {};
  Map all = identity_of(parent);
  for (const oci::IdMapping& line : map) {
    bool inside = false;
    for (const oci::IdMapping& have : all)
      inside = inside ||
               (line.host_id >= have.host_id &&
                std::uint64_t{line.host_id} + line.size <= std::uint64_t{have.host_id} + have.size);
    if (inside) continue;
    const char* file = kind == 'u' ? "/etc/subuid" : "/etc/subgid";
    return Error(
        Errc::invalid_argument,
        concat("potentially insufficient ", kind == 'u' ? "UIDs" : "GIDs",
               " available in user namespace (requested ", line.container_id, ":", line.host_id,
               ":", line.size, ", available are ", map_size(parent), "): check ", file,
               host.single_id ? concat("; ", host.user_name,
                                       " has no range there: usermod --add-subuids 100000-165535 "
                                       "--add-subgids 100000-165535 ",
                                       host.user_name)
                              : std::string()));
  }
  return {};
}

Status check_maps(const UsernsMaps& maps, const Host& host) {
  TRY(check_overlap(maps.uid_map, 'u'));
  TRY(check_overlap(maps.gid_map, 'g'));
  TRY(check_available(maps.uid_map, host, host.uid_map, 'u'));
  return check_available(maps.gid_map, host, host.gid_map, 'g');
}

// "size=1000,uid=5": each key once, known ones only.
Result<std::vector<std::pair<std::string_view, std::string_view>>> parse_options(
    std::string_view text, std::initializer_list<std::string_view> known) {
  std::vector<std::pair<std::string_view, std::string_view>> options;
  if (text.empty()) return options;
  for (std::string_view option : split(text, ',')) {
    auto pair = split_once(option, '=');
    std::string_view key = pair ? pair->first : option;
    if (!pair || std::find(known.begin(), known.end(), key) == known.end())
      return Error(Errc::invalid_argument, concat("unknown option specified: ", quote(key)));
    options.push_back(*pair);
  }
  return options;
}

Result<std::uint32_t> number_option(std::string_view value) {
  auto number = parse_uint(value);
  if (!number || *number > 2147483647)
    return Error(Errc::invalid_argument,
                 concat("strconv.ParseUint: parsing ", quote(value), ": invalid syntax"));
  return static_cast<std::uint32_t>(*number);
}

// The caller's own id (0 in the login's namespace) becomes `id` in the container, the others move
// around it.
Map keep_id_map(std::uint32_t id, std::uint64_t subordinate, std::uint64_t limit) {
  const std::uint64_t below = std::min<std::uint64_t>(id, subordinate);
  Map map;
  if (below > 0) map.push_back(line_of(0, 1, below));
  map.push_back(line_of(id, 0, 1));
  if (subordinate > below)
    map.push_back(line_of(id + std::uint64_t{1}, below + 1, subordinate - below));
  if (limit == 0) return map;
  Map cut;
  for (const oci::IdMapping& line : map)
    if (line.container_id < limit)
      cut.push_back(line_of(line.container_id, line.host_id,
                            std::min<std::uint64_t>(line.size, limit - line.container_id)));
  return cut;
}

Result<UsernsMaps> resolve_keep_id(const CreateRequest& request, const Host& host) {
  if (!host.rootless)
    return Error(Errc::invalid_argument, "keep-id is only supported in rootless mode");
  std::uint32_t uid = host.uid, gid = host.gid;
  std::uint64_t size = 0;
  for (auto [key, value] : TRY(parse_options(request.userns.value, {"uid", "gid", "size"}))) {
    std::uint32_t number = TRY(number_option(value));
    if (key == "uid") uid = number;
    if (key == "gid") gid = number;
    if (key == "size") size = number;
  }
  if (size != 0 && (uid >= size || gid >= size))
    return Error(Errc::invalid_argument, concat("--userns keep-id: size=", size,
                                                " does not reach uid ", uid, " and gid ", gid));
  UsernsMaps maps;
  maps.private_ = true;
  maps.uid_map = keep_id_map(uid, map_size(host.uid_map) - 1, size);
  maps.gid_map = keep_id_map(gid, map_size(host.gid_map) - 1, size);
  maps.user = concat(uid, ":", gid);
  return maps;
}

Result<UsernsMaps> resolve_nomap(const Host& host) {
  if (!host.rootless)
    return Error(Errc::invalid_argument, "nomap is only supported in rootless mode");
  const std::uint64_t uids = map_size(host.uid_map) - 1, gids = map_size(host.gid_map) - 1;
  if (uids == 0 || gids == 0)
    return Error(Errc::invalid_argument,
                 concat("--userns nomap: ", host.user_name,
                        " has no subordinate ids: check /etc/subuid and /etc/subgid"));
  UsernsMaps maps;
  maps.private_ = true;
  maps.uid_map = {line_of(0, 1, uids)};
  maps.gid_map = {line_of(0, 1, gids)};
  return maps;
}

// Ids that automatic namespaces are cut from: rootless all subordinate ones, rootful the ranges of
// the user "containers".
Result<Map> auto_pool(const Host& host, const std::string& user, const char* file,
                      const Map& parent) {
  if (host.rootless) {
    std::uint64_t size = map_size(parent);
    return size > 1 ? Map{line_of(0, 1, size - 1)} : Map{};
  }
  Map pool;
  for (const config::SubidRange& range : TRY(config::find_subids(file, user, UINT32_MAX)))
    pool.push_back(line_of(0, range.start, range.count));
  if (pool.empty())
    return Error(
        Errc::not_found,
        concat("creating container storage: cannot find mappings for user ", quote(user),
               ": no ranges for it in ", file, "; add the line ", user, ":2147483647:2147483648"));
  return pool;
}

Result<UsernsMaps> resolve_auto(const CreateRequest& request, const Host& host,
                                const MapsInUse& in_use) {
  constexpr std::uint64_t kDefaultSize = 1024;
  const config::StorageConf storage =
      TRY(config::load_storage_conf(config::find_places(host.uid, host.home, {})));
  const std::string user =
      storage.root_auto_userns_user.empty() ? "containers" : storage.root_auto_userns_user;
  std::uint64_t size = kDefaultSize;
  if (request.defaults.auto_userns_size)
    size = static_cast<std::uint64_t>(*request.defaults.auto_userns_size);
  // storage.conf bounds what is chosen here, not what is asked for.
  if (auto least = storage.auto_userns_min_size.value_or(0); least > 0)
    size = std::max(size, static_cast<std::uint64_t>(least));
  if (auto most = storage.auto_userns_max_size.value_or(0); most > 0)
    size = std::min(size, static_cast<std::uint64_t>(most));
  std::vector<std::string> uid_lines, gid_lines;
  for (auto [key, value] :
       TRY(parse_options(request.userns.value, {"size", "uidmapping", "gidmapping"}))) {
    if (key == "size") size = TRY(number_option(value));
    if (key == "uidmapping") uid_lines.emplace_back(value);
    if (key == "gidmapping") gid_lines.emplace_back(value);
  }
  Map taken = TRY(in_use());
  UsernsMaps maps;
  maps.private_ = true;
  for (char kind : {'u', 'g'}) {
    const Map& parent = kind == 'u' ? host.uid_map : host.gid_map;
    Map fixed = TRY(parse_id_maps(kind == 'u' ? uid_lines : gid_lines, kind, parent, {}));
    Map pool = TRY(auto_pool(host, user, kind == 'u' ? "/etc/subuid" : "/etc/subgid", parent));
    for (const oci::IdMapping& line : taken)
      pool = without(pool, &oci::IdMapping::host_id, line.host_id, line.size);
    for (const oci::IdMapping& line : fixed)
      pool = without(pool, &oci::IdMapping::host_id, line.host_id, line.size);
    // Container ids that the caller has not placed are filled from the pool in order.
    Map holes = {line_of(0, 0, size)};
    for (const oci::IdMapping& line : fixed)
      holes = without(holes, &oci::IdMapping::container_id, line.container_id, line.size);
    Map& map = kind == 'u' ? maps.uid_map : maps.gid_map;
    map = fixed;
    std::size_t next = 0;
    for (oci::IdMapping hole : holes) {
      while (hole.size > 0 && next < pool.size()) {
        std::uint32_t part = std::min(hole.size, pool[next].size);
        map.push_back({hole.container_id, pool[next].host_id, part});
        hole.container_id += part;
        hole.size -= part;
        pool[next].host_id += part;
        pool[next].size -= part;
        if (pool[next].size == 0) ++next;
      }
      if (hole.size > 0)
        return Error(Errc::unavailable,
                     "creating container storage: could not find enough available IDs");
    }
    sort_by_container(&map);
  }
  return maps;
}

Result<Map> subid_map(const Host& host, const std::string& name, const char* file, const char* what,
                      const Map& parent) {
  Map map;
  std::uint64_t next = 0;
  for (const config::SubidRange& range : TRY(config::find_subids(file, name, UINT32_MAX))) {
    auto inner = host.rootless ? real_to_inner(parent, range.start, range.count) : range.start;
    if (!inner)
      return Error(Errc::invalid_argument,
                   concat(what, " range ", range.start, ":", range.count, " of ", quote(name),
                          " is not part of your own user namespace"));
    map.push_back(line_of(next, *inner, range.count));
    next += range.count;
  }
  if (map.empty())
    return Error(Errc::not_found,
                 concat("no ", what, " ranges found for user ", quote(name), " in ", file));
  return map;
}

Result<UsernsMaps> resolve_explicit(const CreateRequest& request, const Host& host) {
  UsernsMaps maps;
  maps.private_ = true;
  if (!request.subuid_name.empty() || !request.subgid_name.empty()) {
    const std::string& users =
        request.subuid_name.empty() ? request.subgid_name : request.subuid_name;
    const std::string& groups =
        request.subgid_name.empty() ? request.subuid_name : request.subgid_name;
    maps.uid_map = TRY(subid_map(host, users, "/etc/subuid", "subuid", host.uid_map));
    maps.gid_map = TRY(subid_map(host, groups, "/etc/subgid", "subgid", host.gid_map));
  }
  // A line of the one option serves the other kind too: with its letter always, without one when
  // the other option is not there.
  auto lines_of = [](const std::vector<std::string>& own, const std::vector<std::string>& other,
                     char letter) {
    std::vector<std::string> lines = own;
    for (const std::string& line : other) {
      auto parsed = parse_line(line);
      bool named = parsed && (letter == 'u' ? parsed->for_u : parsed->for_g);
      bool unnamed = !parsed || (!parsed->for_u && !parsed->for_g);
      if (named || (own.empty() && unnamed)) lines.push_back(line);
    }
    return lines;
  };
  for (char kind : {'u', 'g'}) {
    const Map& parent = kind == 'u' ? host.uid_map : host.gid_map;
    Map& map = kind == 'u' ? maps.uid_map : maps.gid_map;
    std::vector<std::string> lines = kind == 'u'
                                         ? lines_of(request.uid_maps, request.gid_maps, 'u')
                                         : lines_of(request.gid_maps, request.uid_maps, 'g');
    if (!lines.empty())
      map = TRY(parse_id_maps(lines, kind, parent, map.empty() ? identity_of(parent) : map));
  }
  if (maps.uid_map.empty() && maps.gid_map.empty())
    return Error(Errc::invalid_argument,
                 "must provide at least one UID or GID mapping to configure a user namespace");
  if (maps.uid_map.empty()) maps.uid_map = identity_of(host.uid_map);
  if (maps.gid_map.empty()) maps.gid_map = identity_of(host.gid_map);
  return maps;
}

}  // namespace

std::uint64_t map_size(const Map& map) {
  std::uint64_t size = 0;
  for (const oci::IdMapping& line : map) size += line.size;
  return map.empty() ? kAllIds : size;
}

Map identity_of(const Map& parent) {
  if (parent.empty()) return {line_of(0, 0, kAllIds)};
  Map map = parent;
  sort_by_container(&map);
  Map out;
  for (const oci::IdMapping& line : map) {
    if (!out.empty() && out.back().container_id + out.back().size == line.container_id)
      out.back().size += line.size;
    else
      out.push_back({line.container_id, line.container_id, line.size});
  }
  return out;
}

std::optional<std::uint32_t> map_to_host(const Map& map, std::uint32_t container_id) {
  for (const oci::IdMapping& line : map)
    if (container_id >= line.container_id && container_id - line.container_id < line.size)
      return line.host_id + (container_id - line.container_id);
  return {};
}

Result<Map> parse_id_maps(const std::vector<std::string>& lines, char kind, const Map& parent,
                          Map base) {
  const char* what = kind == 'u' ? "UID" : "GID";
  bool replaced = false;
  for (const std::string& text : lines) {
    auto line = parse_line(text);
    if (!line)
      return Error(
          Errc::invalid_argument,
          concat("initializing ID mappings: ", what,
                 " setting is malformed expected [\"uint32:uint32:uint32\"]: [", quote(text), "]"));
    if ((line->for_u || line->for_g) && !(kind == 'u' ? line->for_u : line->for_g)) continue;
    if (line->real) {
      auto inner = real_to_inner(parent, line->host_id, line->size);
      if (!inner)
        return Error(Errc::invalid_argument,
                     concat("initializing ID mappings: no intermediate mapping for host ", what,
                            " ", line->host_id, " in ", quote(text)));
      line->host_id = *inner;
    }
    if (line->append) {
      base = without(base, &oci::IdMapping::container_id, line->container_id, line->size);
      base = without(base, &oci::IdMapping::host_id, line->host_id, line->size);
    } else if (!replaced) {
      base.clear();
      replaced = true;
    }
    base.push_back(line_of(line->container_id, line->host_id, line->size));
  }
  sort_by_container(&base);
  return base;
}

Result<UsernsMaps> resolve_userns(const CreateRequest& request, const Host& host,
                                  const MapsInUse& in_use) {
  const bool mapped = !request.uid_maps.empty() || !request.gid_maps.empty() ||
                      !request.subuid_name.empty() || !request.subgid_name.empty();
  const std::string& mode = request.userns.mode;
  if (mapped && !mode.empty() && mode != "private")
    return Error(Errc::invalid_argument,
                 "--userns and --uidmap/--gidmap/--subuidname/--subgidname are mutually exclusive");
  UsernsMaps maps;
  if (mapped || mode == "private")
    maps = TRY(resolve_explicit(request, host));
  else if (mode == "keep-id")
    maps = TRY(resolve_keep_id(request, host));
  else if (mode == "nomap")
    maps = TRY(resolve_nomap(host));
  else if (mode == "auto")
    maps = TRY(resolve_auto(request, host, in_use));
  else
    return maps;
  TRY(check_maps(maps, host));
  return maps;
}

}  // namespace minke::engine
