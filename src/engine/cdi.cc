#include "engine/cdi.h"

#include <algorithm>
#include <map>
#include <optional>

#include "base/log.h"
#include "base/str.h"
#include "codec/json.h"
#include "engine/hook_stages.h"
#include "sys/fd.h"

namespace minke::engine {
namespace {

constexpr std::size_t kMaxFile = 16 << 20;

struct Node {
  std::string path, host_path, permissions;
};
void bind(json::Binder& b, Node& n) {
  b("path", n.path);
  b("hostPath", n.host_path);
  b("permissions", n.permissions);
}
struct Mount {
  std::string host_path, container_path, type;
  std::vector<std::string> options;
};
void bind(json::Binder& b, Mount& m) {
  b("hostPath", m.host_path);
  b("containerPath", m.container_path);
  b("type", m.type);
  b("options", m.options);
}
struct Hook {
  std::string name, path;
  std::vector<std::string> args, env;
  std::optional<std::int32_t> timeout;
};
void bind(json::Binder& b, Hook& h) {
  b("hookName", h.name);
  b("path", h.path);
  b("args", h.args);
  b("env", h.env);
  b("timeout", h.timeout);
}
struct Edits {
  std::vector<std::string> env;
  std::vector<Node> nodes;
  std::vector<Mount> mounts;
  std::vector<Hook> hooks;
  std::vector<std::uint32_t> groups;
};
void bind(json::Binder& b, Edits& e) {
  b("env", e.env);
  b("deviceNodes", e.nodes);
  b("mounts", e.mounts);
  b("hooks", e.hooks);
  b("additionalGIDs", e.groups);
}
struct DeviceEntry {
  std::string name;
  Edits edits;
};
void bind(json::Binder& b, DeviceEntry& d) {
  b("name", d.name);
  b("containerEdits", d.edits);
}
struct Description {
  std::string version, kind;
  std::vector<DeviceEntry> devices;
  Edits edits;
};
void bind(json::Binder& b, Description& d) {
  b("cdiVersion", d.version);
  b("kind", d.kind);
  b("devices", d.devices);
  b("containerEdits", d.edits);
}

Status add_hook(const Hook& hook, oci::Hooks* hooks) {
  if (add_to_stage(hook.name, {hook.path, hook.args, hook.env, hook.timeout}, hooks)) return {};
  return Error(Errc::invalid_argument, concat("CDI: unknown hook ", quote(hook.name)));
}

Status add_edits(const Edits& from, CdiEdits* to) {
  to->env.insert(to->env.end(), from.env.begin(), from.env.end());
  for (const Node& node : from.nodes) {
    CdiNode out;
    out.path = node.path;
    out.host_path = node.host_path.empty() ? node.path : node.host_path;
    if (!node.permissions.empty()) out.access = node.permissions;
    if (!out.path.starts_with('/') || !out.host_path.starts_with('/'))
      return Error(Errc::invalid_argument,
                   concat("CDI: device node ", quote(out.path), ": its paths must be absolute"));
    to->nodes.push_back(std::move(out));
  }
  for (const Mount& mount : from.mounts) {
    oci::Mount out;
    out.destination = mount.container_path;
    out.source = mount.host_path;
    out.type = mount.type.empty() ? "bind" : mount.type;
    out.options = mount.options;
    if (out.type == "bind" &&
        std::none_of(out.options.begin(), out.options.end(),
                     [](const std::string& o) { return o == "bind" || o == "rbind"; }))
      out.options.emplace_back("bind");
    to->mounts.push_back(std::move(out));
  }
  for (const Hook& hook : from.hooks) TRY(add_hook(hook, &to->hooks));
  to->groups.insert(to->groups.end(), from.groups.begin(), from.groups.end());
  return {};
}

// Every description of the folders by its file; broken ones are told and left out, so that they do
// not stand in the way of other devices.
std::vector<Description> read_descriptions(const std::vector<std::string>& folders) {
  std::vector<Description> all;
  for (const std::string& folder : folders) {
    auto names = sys::list_dir(sys::DirFd::cwd(), folder.c_str());
    if (!names) continue;
    for (const std::string& name : *names) {
      std::string path = concat(folder, "/", name);
      if (name.ends_with(".yaml") || name.ends_with(".yml"))
        log::warn(concat("CDI: ", path, " is not read: only JSON is"));
      if (!name.ends_with(".json")) continue;
      auto text = sys::read_small_file(path, kMaxFile);
      auto parsed = text ? json::parse_struct<Description>(*text)
                         : Result<Description>(std::move(text.error()));
      if (parsed)
        all.push_back(std::move(*parsed));
      else
        log::warn(concat("CDI: ", path, ": ", parsed.error().message()));
    }
  }
  return all;
}

}  // namespace

bool is_cdi_device(std::string_view text) {
  auto pair = split_once(text, '=');
  if (!pair || text.starts_with('/') || pair->second.empty()) return false;
  auto kind = split_once(pair->first, '/');
  return kind && !kind->first.empty() && !kind->second.empty();
}

std::vector<std::string> default_cdi_folders() { return {"/etc/cdi", "/var/run/cdi"}; }

Result<CdiEdits> find_cdi_devices(const std::vector<std::string>& names,
                                  const std::vector<std::string>& folders) {
  CdiEdits out;
  if (names.empty()) return out;
  std::vector<Description> all = read_descriptions(folders);
  std::vector<const Description*> used;
  std::vector<std::string> missing;
  for (const std::string& name : names) {
    auto pair = split_once(name, '=');
    const Description* description = nullptr;
    const DeviceEntry* device = nullptr;
    for (const Description& candidate : all)
      for (const DeviceEntry& entry : candidate.devices)
        if (pair && candidate.kind == pair->first && entry.name == pair->second) {
          description = &candidate;
          device = &entry;
        }
    if (device == nullptr) {
      missing.push_back(name);
      continue;
    }
    TRY(add_edits(device->edits, &out));
    if (std::find(used.begin(), used.end(), description) == used.end()) {
      used.push_back(description);
      TRY(add_edits(description->edits, &out));
    }
  }
  if (!missing.empty())
    return Error(Errc::not_found,
                 concat("setting up CDI devices: unresolvable CDI devices ", join(missing, ", ")));
  return out;
}

}  // namespace minke::engine
