// Which namespaces are new, joined or the host's.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/log.h"
#include "base/str.h"
#include "engine/network_helper.h"
#include "engine/parse_internal.h"
#include "engine/specgen_internal.h"
#include "engine/userns.h"
#include "sys/fd.h"

namespace minke::engine {
namespace {

struct Kind {
  const char* flag;  // as Podman's errors name it
  const char* title;
  NamespaceMode CreateRequest::*request;
  std::string ContainerConfig::*mode;
  const char* fallback;   // what "" means
  const char* spec_type;  // in the spec
  const char* proc_name;  // below /proc/PID/ns
};
constexpr Kind kKinds[] = {
    {"pid", "PID", &CreateRequest::pid, &ContainerConfig::pid_mode, "private", "pid", "pid"},
    {"ipc", "IPC", &CreateRequest::ipc, &ContainerConfig::ipc_mode, "shareable", "ipc", "ipc"},
    {"uts", "UTS", &CreateRequest::uts, &ContainerConfig::uts_mode, "private", "uts", "uts"},
    {"cgroup", "cgroup", &CreateRequest::cgroupns, &ContainerConfig::cgroupns_mode, "", "cgroup",
     "cgroup"},
    {"network", "network", &CreateRequest::network, &ContainerConfig::network_mode, "", "network",
     "net"},
};

Status check_path(const char* title, const std::string& path) {
  struct stat st {};
  if (::stat(path.c_str(), &st) == 0) return {};
  return Error(Errc::not_found, concat("cannot find specified ", title, " namespace path: stat ",
                                       path, ": ", go_reason(errno)));
}

void depend_on(ContainerConfig* config, const std::string& id) {
  if (std::find(config->depends_on.begin(), config->depends_on.end(), id) ==
      config->depends_on.end())
    config->depends_on.push_back(id);
}

Result<ContainerConfig> find_other(const ResolveContext& context, const char* flag,
                                   const std::string& name) {
  return TRY_CTX(context.find_container(name),
                 concat("looking up container to share ", flag, " namespace with"));
}

// "container:NAME" and "ns:PATH" as they are kept; other modes as they stand.
Result<std::string> resolve_mode(const Kind& kind, const NamespaceMode& mode,
                                 const ResolveContext& context, ContainerConfig* config) {
  if (mode.mode == "pod")
    return Error(Errc::unsupported, concat("--", kind.flag, " pod: pods are not supported yet"));
  if (mode.mode == "container") {
    ContainerConfig other = TRY(find_other(context, kind.flag, mode.value));
    if (kind.request == &CreateRequest::ipc && other.ipc_mode == "private")
      return Error(Errc::invalid_argument, concat("ipc namespace of container ", other.id,
                                                  " is private and cannot be shared"));
    depend_on(config, other.id);
    return concat("container:", other.id);
  }
  if (mode.mode == "ns") {
    TRY(check_path(kind.title, mode.value));
    return concat("ns:", mode.value);
  }
  return mode.mode;
}

Result<std::string> resolve_network(const CreateRequest& request, const ResolveContext& context,
                                    ContainerConfig* config) {
  const Kind& kind = kKinds[4];
  const NamespaceMode& mode = request.network;
  if (mode.mode == "none" || mode.mode == "host" || mode.mode == "container" || mode.mode == "ns" ||
      mode.mode == "pod")
    return resolve_mode(kind, mode, context, config);
  if (is_helper_mode(mode.mode)) return mode.mode;
  if (!mode.mode.empty() && mode.mode != "bridge")
    return Error(Errc::unsupported,
                 concat("network mode ", quote(mode.mode), " is not supported yet"));
  return std::string("bridge");
}

bool cgroup_v2() { return sys::exists("/sys/fs/cgroup/cgroup.controllers"); }

std::string host_name() {
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 ? name : "localhost";
}

Status resolve_hostname(const CreateRequest& request, const ResolveContext& context,
                        ContainerConfig* config) {
  if (!request.domainname.empty() && config->uts_mode != "private")
    return Error(Errc::invalid_argument,
                 "invalid config provided: cannot set domainname without a UTS namespace of the "
                 "container's own: invalid configuration");
  if (request.domainname.size() > 64)
    return Error(Errc::invalid_argument,
                 concat("domainname ", quote(request.domainname), " is longer than 64 bytes"));
  if (!request.hostname.empty()) {
    if (config->uts_mode == "host")
      return Error(Errc::invalid_argument,
                   "invalid config provided: cannot set hostname when running in the host UTS "
                   "namespace: invalid configuration");
    if (config->uts_mode != "private")
      return Error(
          Errc::invalid_argument,
          concat("invalid config provided: cannot set hostname when joining the UTS namespace of ",
                 config->uts_mode, ": invalid configuration"));
    if (request.hostname.size() > 64)
      return Error(Errc::invalid_argument,
                   concat("hostname ", quote(request.hostname), " is longer than 64 bytes"));
    config->hostname = request.hostname;
    return {};
  }
  if (config->uts_mode.starts_with("container:")) {
    ContainerConfig other = TRY(context.find_container(config->uts_mode.substr(10)));
    config->hostname = other.hostname;
  } else if (config->uts_mode == "host" || config->network_mode == "host") {
    config->hostname = host_name();
  } else {
    config->hostname = context.id.substr(0, 12);
  }
  return {};
}

Status resolve_user_namespace(const CreateRequest& request, const ResolveContext& context,
                              ContainerConfig* config) {
  const NamespaceMode& mode = request.userns;
  if (mode.mode == "pod")
    return Error(Errc::unsupported, "--userns pod: pods are not supported yet");
  if (mode.mode == "container") {
    ContainerConfig other = TRY(find_other(context, "user", mode.value));
    depend_on(config, other.id);
    config->uid_map = other.uid_map;
    config->gid_map = other.gid_map;
    config->userns_mode = concat("container:", other.id);
    return {};
  }
  if (mode.mode == "ns") {
    TRY(check_path("user", mode.value));
    config->userns_mode = concat("ns:", mode.value);
    return {};
  }
  UsernsMaps maps = TRY(resolve_userns(request, *context.host, context.auto_maps_in_use));
  config->uid_map = std::move(maps.uid_map);
  config->gid_map = std::move(maps.gid_map);
  config->userns_mode = maps.private_ && mode.mode.empty() ? "private" : mode.mode;
  config->user = maps.user;
  return {};
}

}  // namespace

Status resolve_namespaces(const CreateRequest& request, const ResolveContext& context,
                          ContainerConfig* config) {
  for (const Kind& kind : kKinds) {
    if (kind.request == &CreateRequest::network) continue;
    std::string mode = TRY(resolve_mode(kind, request.*kind.request, context, config));
    if (mode.empty()) mode = kind.fallback;
    config->*kind.mode = mode;
  }
  // On cgroup v1 Podman leaves the container in the host's cgroup namespace.
  if (config->cgroupns_mode.empty()) config->cgroupns_mode = cgroup_v2() ? "private" : "host";
  config->network_mode = TRY(resolve_network(request, context, config));
  TRY(resolve_user_namespace(request, context, config));
  TRY(resolve_hostname(request, context, config));
  if (request.shm_size &&
      (config->ipc_mode == "host" || config->ipc_mode.starts_with("container:")))
    return Error(Errc::invalid_argument,
                 concat("invalid config provided: cannot set shmsize when running in the {",
                        config->ipc_mode, " } IPC Namespace"));
  if (!request.dns.empty() || !request.dns_search.empty() || !request.dns_options.empty()) {
    if (config->network_mode == "none" || config->network_mode.starts_with("container:"))
      return Error(Errc::invalid_argument,
                   concat("conflicting options: dns and the network mode: ",
                          config->network_mode.substr(0, config->network_mode.find(':'))));
  }
  return check_sysctls(request, *config);
}

// Adds one namespace to the spec: new, by path, or not at all for the host's.
static Status add_one(SpecBuilder* b, const char* type, const char* proc_name,
                      const std::string& mode) {
  if (mode == "host") return {};
  oci::Namespace space{type, ""};
  if (mode.starts_with("ns:")) space.path = mode.substr(3);
  if (mode.starts_with("container:")) {
    pid_t pid = TRY(b->context.container_pid(mode.substr(10)));
    space.path = concat("/proc/", pid, "/ns/", proc_name);
  }
  b->linux_.namespaces.push_back(std::move(space));
  return {};
}

Status add_namespaces(SpecBuilder* b) {
  for (const Kind& kind : kKinds)
    TRY(add_one(b, kind.spec_type, kind.proc_name, b->config.*kind.mode));
  b->linux_.namespaces.push_back({"mount", ""});
  const std::string& userns = b->config.userns_mode;
  const bool joins =
      userns.starts_with("ns:") || (userns.starts_with("container:") && b->own_userns());
  if (joins) {
    TRY(add_one(b, "user", "user", userns));
  } else if (b->own_userns()) {
    b->linux_.namespaces.push_back({"user", ""});
    b->linux_.uid_mappings = b->config.uid_map;
    b->linux_.gid_mappings = b->config.gid_map;
  }
  if (b->config.uts_mode == "private") {
    b->spec.hostname = b->config.hostname;
    b->spec.domainname = b->request.domainname;
  }
  return {};
}

}  // namespace minke::engine
