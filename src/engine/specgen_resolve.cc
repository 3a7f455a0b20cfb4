// A request, an image and the defaults become a ContainerConfig.
#include <sys/stat.h>

#include <algorithm>

#include "base/str.h"
#include "codec/units.h"
#include "engine/parse_internal.h"
#include "engine/specgen_internal.h"

namespace minke::engine {
namespace {

constexpr std::int64_t kDefaultShmSize = 65536000;
constexpr std::string_view kLogDrivers[] = {"k8s-file", "json-file",   "journald",
                                            "none",     "passthrough", "passthrough-tty"};

Error not_yet(std::string_view what, std::string_view why) {
  return Error(Errc::unsupported, concat(what, " is not supported yet: ", why));
}

// What this version does not do, by name, before anything is made.
Status refuse_unsupported(const CreateRequest& request) {
  if (!request.seccomp_policy.empty() && request.seccomp_policy != "default" &&
      request.seccomp_policy != "image")
    return Error(Errc::invalid_argument,
                 concat("invalid seccomp policy ", quote(request.seccomp_policy),
                        ": valid policies are [\"default\" \"image\"]"));
  constexpr std::string_view kCgroups[] = {"", "enabled", "disabled", "no-conmon", "split"};
  if (request.cgroups == "split" && !request.cgroup_parent.empty())
    return Error(Errc::invalid_argument,
                 "cannot specify --cgroup-mode=split with a cgroup-parent: invalid argument");
  if (std::find(std::begin(kCgroups), std::end(kCgroups), request.cgroups) == std::end(kCgroups))
    return Error(Errc::invalid_argument,
                 concat("running container create option: invalid cgroup mode ",
                        quote(request.cgroups), ": invalid argument"));
  constexpr std::string_view kNotify[] = {"", "container", "conmon", "healthy", "ignore"};
  if (std::find(std::begin(kNotify), std::end(kNotify), request.sdnotify) == std::end(kNotify))
    return Error(Errc::invalid_argument,
                 concat("invalid config provided: invalid argument: invalid sdnotify value ",
                        quote(request.sdnotify), ": must be container, conmon, healthy or ignore"));
  if (request.remove &&
      (request.restart.name == "always" || request.restart.name == "unless-stopped"))
    return Error(
        Errc::invalid_argument,
        "the --rm option conflicts with --restart, when the restartPolicy is not \"\" and \"no\"");
  return {};
}

Status add_required(const CreateRequest& request, const ResolveContext& context,
                    ContainerConfig* config) {
  for (const std::string& name : request.requires_) {
    ContainerConfig other =
        TRY_CTX(context.find_container(name),
                concat(quote(name), " is not a valid container, cannot be used as a dependency"));
    if (std::find(config->depends_on.begin(), config->depends_on.end(), other.id) ==
        config->depends_on.end())
      config->depends_on.push_back(other.id);
  }
  return {};
}

Result<std::int64_t> log_size(const std::string& text) {
  if (text == "-1") return std::int64_t{0};
  // Of 1000, as Podman and Docker count here.
  return TRY_CTX(units::parse_human_size(text), concat("invalid --log-opt max-size=", text));
}

// "80", "80/udp", "8000-8002/tcp" as single ports with their protocol.
Status add_ports(std::string_view text, std::vector<std::string>* out) {
  auto pair = split_once(text, '/');
  std::string_view range = pair ? pair->first : text;
  std::string protocol = pair ? to_lower(pair->second) : "tcp";
  auto bounds = split_once(range, '-');
  auto first = parse_uint(bounds ? bounds->first : range),
       last = parse_uint(bounds ? bounds->second : range);
  if (!first || !last || *first == 0 || *last > 65535 || *first > *last)
    return Error(Errc::invalid_argument, concat("invalid range format for --expose: ", text));
  if (protocol != "tcp" && protocol != "udp" && protocol != "sctp")
    return Error(Errc::invalid_argument, concat("invalid protocol for --expose: ", text));
  for (std::uint64_t port = *first; port <= *last; ++port) {
    std::string name = concat(port, "/", protocol);
    if (std::find(out->begin(), out->end(), name) == out->end()) out->push_back(std::move(name));
  }
  return {};
}

void name_image(const ResolveContext& context, const CreateRequest& request,
                ContainerConfig* config) {
  if (request.rootfs || context.image == nullptr) {
    config->image_name = request.rootfs ? "" : request.image;
    return;
  }
  const store::Image& image = *context.image;
  config->image_id = image.id;
  config->image_digest = image.manifest_descriptor.digest.str();
  // The name that was asked for when it is one of the image's; an id shows the first name.
  config->image_name = image.names.empty() ? image.id : image.names[0];
  for (const std::string& name : image.names)
    if (name == request.image || name.ends_with(concat("/", request.image)) ||
        name.ends_with(concat("/", request.image, ":latest"))) {
      config->image_name = name;
      break;
    }
}

Status resolve_rootfs(const CreateRequest& request, ContainerConfig* config) {
  if (!request.rootfs) return {};
  std::string_view path = request.image;
  for (std::string_view suffix : {":O", ":idmap"})
    if (path.ends_with(suffix)) return not_yet(concat("--rootfs ", path), "give the path alone");
  char* real = ::realpath(std::string(path).c_str(), nullptr);
  if (real == nullptr) return Error(Errc::not_found, concat("stat ", path, ": ", go_reason(errno)));
  config->rootfs = real;
  ::free(real);
  return {};
}

// The one place where a label of an image means anything for isolation: somebody asked for it.
Status take_image_seccomp(const CreateRequest& request, const ResolveContext& context,
                          ContainerConfig* config) {
  if (request.seccomp_policy != "image") return {};
  if (context.image == nullptr)
    return Error(Errc::invalid_argument, "cannot read seccomp profile without a valid image");
  const auto& labels = context.image->config.config.labels;
  auto found = labels.find("io.containers.seccomp.profile");
  if (found == labels.end() || found->second.empty())
    return Error(Errc::invalid_argument, "no seccomp policy defined by image");
  TRY_CTX(parse_seccomp_profile(found->second, config->cap_bounding),
          "label io.containers.seccomp.profile of the image");
  config->seccomp_text = found->second;
  return {};
}

Status check_spec_options(const CreateRequest& request, const ResolveContext& context,
                          ContainerConfig* config) {
  SecurityOptions security = TRY(parse_security_options(request));
  config->seccomp_profile =
      security.seccomp.empty() && request.privileged ? "unconfined" : security.seccomp;
  config->apparmor_profile = security.apparmor;
  config->cap_bounding = TRY(bounding_capabilities(request));
  TRY(take_image_seccomp(request, context, config));
  std::string user = config->user.substr(0, config->user.find(':'));
  const bool root =
      (user.empty() || user == "root" || user == "0") && request.userns.mode != "keep-id";
  config->cap_effective = TRY(process_capabilities(request, config->cap_bounding, root)).effective;
  if (!security.seccomp.empty() && security.seccomp != "unconfined")
    TRY(load_seccomp_profile(security.seccomp, config->cap_bounding));
  TRY(resolve_resources(request, *context.host));
  if (context.host->cgroup_manager == runtime::CgroupManager::systemd &&
      !request.cgroup_parent.empty() && !request.cgroup_parent.ends_with(".slice"))
    return Error(Errc::invalid_argument,
                 "did not receive systemd slice as cgroup parent when using systemd to manage "
                 "cgroups: invalid argument");
  TRY(resolve_rlimits(request));
  for (const std::string& text : request.devices) {
    if (is_cdi_device(text)) continue;
    DeviceRequest device = TRY(parse_device(text));
    struct stat st {};
    if (::stat(device.source.c_str(), &st) < 0)
      return Error(Errc::not_found, concat("stat ", device.source, ": ", go_reason(errno)));
  }
  TRY(requested_cdi_devices(request));
  for (const std::string& text : request.device_cgroup_rules) TRY(parse_device_rule(text));
  return {};
}

}  // namespace

Result<monitor::LogPlan> resolve_log(const CreateRequest& request,
                                     const std::string& container_dir) {
  monitor::LogPlan plan;
  if (!request.log.driver.empty()) plan.driver = request.log.driver;
  if (plan.driver == "none" || std::find(std::begin(kLogDrivers), std::end(kLogDrivers),
                                         plan.driver) != std::end(kLogDrivers)) {
    plan.path =
        plan.driver == "k8s-file" || plan.driver == "json-file" ? container_dir + "/ctr.log" : "";
  } else {
    return Error(Errc::invalid_argument,
                 concat("running container create option: invalid log driver ", quote(plan.driver),
                        ": invalid argument"));
  }
  if (request.defaults.log_max_size) plan.max_size = *request.defaults.log_max_size;
  for (const auto& [key, value] : request.log.options) {
    if (key == "path" && value.starts_with('/')) {
      plan.path = value;
    } else if (key == "max-size") {
      plan.max_size = TRY(log_size(value));
    } else if (key == "max-file") {
      auto count = parse_uint(value);
      if (!count || *count == 0 || *count > 1000)
        return Error(Errc::invalid_argument,
                     concat("invalid --log-opt max-file=", value, ": must be 1 to 1000"));
      plan.max_files = static_cast<std::int32_t>(*count);
    } else if (key == "tag") {
      plan.tag = value;
    } else {
      return Error(Errc::invalid_argument,
                   concat("invalid --log-opt ", key, "=", value,
                          ": known are path (absolute), max-size, max-file and tag"));
    }
  }
  return plan;
}

Result<ContainerConfig> resolve_config(const CreateRequest& request,
                                       const ResolveContext& context) {
  TRY(refuse_unsupported(request));
  ContainerConfig config;
  config.id = context.id;
  config.name = request.name;
  config.request = request;
  name_image(context, request, &config);
  TRY(resolve_rootfs(request, &config));
  TRY(resolve_namespaces(request, context, &config));
  TRY(resolve_process(request, context, &config));
  TRY(check_spec_options(request, context, &config));
  TRY(add_required(request, context, &config));
  config.shm_size = request.shm_size.value_or(request.defaults.shm_size.value_or(kDefaultShmSize));
  if (config.shm_size < 0) return Error(Errc::invalid_argument, "--shm-size must not be negative");
  config.log = TRY(resolve_log(request, context.container_dir));
  for (const std::string& text : request.expose) TRY(add_ports(text, &config.expose));
  if (context.image != nullptr)
    for (const auto& [port, unused] : context.image->config.config.exposed_ports)
      ignore(add_ports(port, &config.expose), "an image's word for people, no more");
  TRY(resolve_networks(request, context, &config));
  // Last, since it makes volumes: all that can be refused has been.
  TRY(resolve_mounts(request, context, &config));
  TRY(resolve_secrets(request, context, &config));
  return config;
}

}  // namespace minke::engine
