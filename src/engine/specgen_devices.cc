// Devices: --device, --device-cgroup-rule, and all of the host's with --privileged.
#include <dirent.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>

#include "base/str.h"
#include "engine/parse_internal.h"
#include "engine/specgen_internal.h"
#include "sys/fd.h"

namespace minke::engine {
namespace {

// Made by the runtime in every container.
constexpr std::string_view kRuntimeDevices[] = {
    "/dev/null",    "/dev/zero", "/dev/full", "/dev/random",
    "/dev/urandom", "/dev/tty",  "/dev/ptmx", "/dev/console",
};
constexpr std::string_view kSkippedFolders[] = {"pts",  "shm",         "fd",   "mqueue",
                                                ".lxc", ".lxd-mounts", ".udev"};

bool is_access(std::string_view text) {
  return !text.empty() && text.find_first_not_of("rwm") == std::string_view::npos;
}

struct HostDevice {
  std::string path;
  struct stat st;
};

// Device nodes below a folder of the host, links not followed.
Status find_devices(const std::string& folder, int depth, std::vector<HostDevice>* out) {
  sys::DirFd dir = TRY(sys::open_dir(folder));
  for (const std::string& name : TRY(sys::list_dir(dir))) {
    auto st = sys::stat_at(dir, name.c_str());
    if (!st) continue;  // went away meanwhile
    std::string path = concat(folder, "/", name);
    if (S_ISDIR(st->st_mode)) {
      bool skipped = std::find(std::begin(kSkippedFolders), std::end(kSkippedFolders), name) !=
                     std::end(kSkippedFolders);
      if (!skipped && depth < 8) TRY(find_devices(path, depth + 1, out));
    } else if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode)) {
      out->push_back({path, *st});
    }
  }
  return {};
}

bool is_virtual_terminal(std::string_view path) {
  constexpr std::string_view kPrefix = "/dev/tty";
  return path.size() > kPrefix.size() && path.starts_with(kPrefix) && path[kPrefix.size()] >= '0' &&
         path[kPrefix.size()] <= '9';
}

oci::Device device_node(const HostDevice& device, const std::string& path) {
  oci::Device node;
  node.path = path;
  node.type = S_ISBLK(device.st.st_mode) ? "b" : "c";
  node.major = major(device.st.st_rdev);
  node.minor = minor(device.st.st_rdev);
  node.file_mode = device.st.st_mode & 07777;
  node.uid = device.st.st_uid;
  node.gid = device.st.st_gid;
  return node;
}

// In a user namespace nodes cannot be made: the host's own is bound in.
void bind_device(SpecBuilder* b, const std::string& source, const std::string& destination,
                 bool writable) {
  b->spec.mounts.push_back({destination,
                            "bind",
                            source,
                            {"rslave", "nosuid", "noexec", writable ? "rw" : "ro", "rbind"},
                            {},
                            {}});
}

void allow(SpecBuilder* b, const oci::Device& node, const std::string& access) {
  oci::DeviceRule rule;
  rule.allow = true;
  rule.type = node.type;
  rule.major = node.major;
  rule.minor = node.minor;
  rule.access = access;
  b->linux_.resources->devices.push_back(std::move(rule));
}

Status add_device(SpecBuilder* b, const DeviceRequest& request) {
  struct stat st {};
  if (::stat(request.source.c_str(), &st) < 0)
    return Error(Errc::not_found, concat("stat ", request.source, ": ", go_reason(errno)));
  std::vector<HostDevice> devices;
  if (S_ISDIR(st.st_mode)) {
    TRY(find_devices(request.source, 0, &devices));
    if (devices.empty())
      return Error(Errc::invalid_argument,
                   concat("no devices found in ", request.source, ": invalid argument"));
  } else if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)) {
    devices.push_back({request.source, st});
  } else {
    return Error(Errc::invalid_argument, concat(request.source, ": not a device node"));
  }
  for (const HostDevice& device : devices) {
    std::string path = concat(request.destination, device.path.substr(request.source.size()));
    if (b->in_userns()) {
      bind_device(b, device.path, path, request.access.find('w') != std::string::npos);
      if (b->host.rootless) continue;
    } else {
      b->linux_.devices.push_back(device_node(device, path));
    }
    allow(b, device_node(device, path), request.access);
  }
  return {};
}

Status add_cdi_devices(SpecBuilder* b) {
  CdiEdits edits = TRY(requested_cdi_devices(b->request));
  for (const CdiNode& node : edits.nodes) {
    DeviceRequest device;
    device.source = node.host_path;
    device.destination = clean_path(node.path);
    device.access = node.access;
    TRY(add_device(b, device));
  }
  for (const std::string& entry : edits.env) set_env(&b->process.env, entry);
  for (oci::Mount& mount : edits.mounts) b->spec.mounts.push_back(std::move(mount));
  for (std::uint32_t group : edits.groups) b->process.user.additional_gids.push_back(group);
  const oci::Hooks& h = edits.hooks;
  if (!h.prestart.empty() || !h.create_runtime.empty() || !h.create_container.empty() ||
      !h.start_container.empty() || !h.poststart.empty() || !h.poststop.empty())
    b->spec.hooks = std::move(edits.hooks);
  return {};
}

Status add_all_devices(SpecBuilder* b) {
  std::vector<HostDevice> devices;
  TRY(find_devices("/dev", 0, &devices));
  for (const HostDevice& device : devices) {
    const std::string& path = device.path;
    if (std::find(std::begin(kRuntimeDevices), std::end(kRuntimeDevices), path) !=
        std::end(kRuntimeDevices))
      continue;
    bool terminal = is_virtual_terminal(path);
    if (terminal && b->config.systemd_mode) continue;  // its getty would take the host's screens
    if (!b->in_userns())
      b->linux_.devices.push_back(device_node(device, path));
    else if (!terminal)
      bind_device(b, path, path, true);
  }
  return {};
}

}  // namespace

Result<CdiEdits> requested_cdi_devices(const CreateRequest& request) {
  std::vector<std::string> names;
  for (const std::string& text : request.devices)
    if (is_cdi_device(text)) names.push_back(text);
  for (const std::string& gpu : request.gpus) names.push_back(concat("nvidia.com/gpu=", gpu));
  return find_cdi_devices(
      names, request.cdi_folders.empty() ? default_cdi_folders() : request.cdi_folders);
}

Result<DeviceRequest> parse_device(std::string_view text) {
  std::vector<std::string_view> parts = split(text, ':');
  DeviceRequest device;
  device.source = parts[0];
  if (!device.source.starts_with('/')) {
    return Error(Errc::invalid_argument, concat("invalid device specification: ", text));
  }
  device.destination = device.source;
  if (parts.size() > 3)
    return Error(Errc::invalid_argument, concat("invalid device specification: ", text));
  if (parts.size() == 2 && is_access(parts[1])) {
    device.access = parts[1];
    return device;
  }
  if (parts.size() > 1 && !parts[1].empty()) {
    if (!parts[1].starts_with('/'))
      return Error(Errc::invalid_argument, concat("invalid device mode: ", parts[1]));
    device.destination = clean_path(parts[1]);
  }
  if (parts.size() == 3) {
    if (!is_access(parts[2]))
      return Error(Errc::invalid_argument, concat("invalid device mode: ", parts[2]));
    device.access = parts[2];
  }
  return device;
}

Result<oci::DeviceRule> parse_device_rule(std::string_view text) {
  std::vector<std::string_view> fields;
  for (std::string_view field : split(text, ' '))
    if (!field.empty()) fields.push_back(field);
  auto numbers = fields.size() == 3 ? split_once(fields[1], ':') : std::nullopt;
  if (!numbers)
    return Error(Errc::invalid_argument,
                 concat("invalid device cgroup rule requires type, major:Minor, and access rules: ",
                        quote(text)));
  oci::DeviceRule rule;
  rule.allow = true;
  if (fields[0] != "a" && fields[0] != "b" && fields[0] != "c")
    return Error(Errc::invalid_argument,
                 concat("invalid device type in device-access-add: ", fields[0]));
  rule.type = fields[0];
  for (auto [part, field] :
       {std::pair{numbers->first, &rule.major}, std::pair{numbers->second, &rule.minor}}) {
    if (part == "*") continue;
    auto number = parse_int(part);
    if (!number || *number < 0)
      return Error(Errc::invalid_argument,
                   concat("strconv.ParseInt: parsing ", quote(part), ": invalid syntax"));
    *field = number;
  }
  if (!is_access(fields[2]))
    return Error(Errc::invalid_argument,
                 concat("invalid device access in device-access-add: ", fields[2]));
  rule.access = fields[2];
  return rule;
}

Status add_devices(SpecBuilder* b) {
  std::vector<oci::DeviceRule>& rules = b->linux_.resources->devices;
  // Rootless device rules cannot be set, and the nodes that are there are those of the user.
  if (!b->host.rootless) {
    oci::DeviceRule rule;
    rule.allow = b->request.privileged;
    rule.access = "rwm";
    rules.insert(rules.begin(), rule);
  }
  if (b->request.privileged) TRY(add_all_devices(b));
  for (const std::string& text : b->request.devices) {
    if (is_cdi_device(text)) continue;
    DeviceRequest device = TRY(parse_device(text));
    TRY(add_device(b, device));
  }
  TRY(add_cdi_devices(b));
  for (const std::string& text : b->request.device_cgroup_rules) {
    oci::DeviceRule rule = TRY(parse_device_rule(text));
    if (!b->host.rootless) rules.push_back(std::move(rule));
  }
  return {};
}

}  // namespace minke::engine
