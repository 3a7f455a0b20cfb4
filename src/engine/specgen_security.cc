// Capabilities, --security-opt, masked and read-only paths.
#include <fnmatch.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "base/str.h"
#include "engine/specgen_internal.h"
#include "runtime/seccomp_default.h"
#include "sys/fd.h"

namespace minke::engine {
namespace {

constexpr std::string_view kMasked[] = {
    "/proc/acpi",          "/proc/interrupts",
    "/proc/kcore",         "/proc/keys",
    "/proc/latency_stats", "/proc/sched_debug",
    "/proc/scsi",          "/proc/timer_list",
    "/proc/timer_stats",   "/sys/devices/virtual/powercap",
    "/sys/firmware",       "/sys/fs/selinux",
};
constexpr std::string_view kReadonly[] = {
    "/proc/asound", "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
};

bool contains(const std::vector<std::string>& list, std::string_view item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

// Every thermal_throttle folder: its counters tell one container what another does. CPU 0 stands
// for all, so that machines without it pay one access(2).
std::vector<std::string> thermal_throttle_paths() {
  std::vector<std::string> paths;
  if (!sys::exists("/sys/devices/system/cpu/cpu0/thermal_throttle")) return paths;
  for (long cpu = 0, count = ::sysconf(_SC_NPROCESSORS_CONF); cpu < count; ++cpu) {
    std::string path = concat("/sys/devices/system/cpu/cpu", cpu, "/thermal_throttle");
    if (sys::exists(path)) paths.push_back(std::move(path));
  }
  return paths;
}

bool is_unmasked(const SecurityOptions& options, const std::string& path) {
  if (options.unmask_all) return true;
  for (const std::string& pattern : options.unmask)
    if (::fnmatch(pattern.c_str(), path.c_str(), FNM_PATHNAME) == 0) return true;
  return false;
}

void add_paths(std::string_view list, std::vector<std::string>* out) {
  for (std::string_view part : split(list, ','))
    for (std::string_view path : split(part, ':'))
      if (!path.empty()) out->emplace_back(path);
}

Status apply_label_option(std::string_view value) {
  constexpr std::string_view kKeys[] = {"user", "role", "type", "level", "filetype"};
  if (value == "disable" || value == "nested") return {};
  for (std::string_view key : kKeys) {
    if (!value.starts_with(key) || value.substr(key.size(), 1).find_first_of(":=") != 0) continue;
    // As Podman: without SELinux a label means nothing and is passed over.
    if (!sys::exists("/sys/fs/selinux/enforce")) return {};
    return Error(Errc::unsupported,
                 concat("--security-opt label=", value, ": SELinux labels are not supported yet"));
  }
  return Error(Errc::invalid_argument,
               concat("invalid --security-opt 1: ", quote(concat("label=", value)),
                      ": Bad label option, valid options 'disable' or 'user, role, level, type, "
                      "filetype' followed by ':' and a value"));
}

// A profile has to be there before anything is made for the container.
Status check_apparmor_profile(const std::string& name) {
  constexpr const char* kProfiles = "/sys/kernel/security/apparmor/profiles";
  if (!sys::exists(kProfiles))
    return Error(Errc::invalid_argument,
                 concat("apparmor profile ", quote(name),
                        " specified, but Apparmor is not enabled on this system"));
  auto text = sys::read_small_file(kProfiles, 16U << 20);
  if (!text) return {};  // root alone may read the list: the kernel will say it
  for (std::string_view line : split(*text, '\n'))
    if (line.substr(0, line.rfind(" (")) == name) return {};
  return Error(Errc::invalid_argument,
               concat("AppArmor profile ", quote(name),
                      " specified but not loaded: load it with apparmor_parser"));
}

}  // namespace

// "seccomp=default" is an answer too.
static bool asked_for(const CreateRequest& request, std::string_view key) {
  for (const std::string& text : request.security_opts)
    if (text.starts_with(key)) return true;
  return false;
}

Result<SecurityOptions> parse_security_options(const CreateRequest& request) {
  SecurityOptions options;
  for (const std::string& text : request.security_opts) {
    if (text == "no-new-privileges") {
      options.no_new_privileges = true;
      continue;
    }
    std::size_t at = text.find('=');
    if (at == std::string::npos) at = text.find(':');  // Docker's old spelling
    if (at == std::string::npos)
      return Error(Errc::invalid_argument, concat("invalid --security-opt 1: ", quote(text)));
    std::string_view key = std::string_view(text).substr(0, at),
                     value = std::string_view(text).substr(at + 1);
    if (key == "no-new-privileges") {
      auto on = parse_bool(value);
      if (!on)
        return Error(Errc::invalid_argument, concat("invalid --security-opt 2: ", quote(text)));
      options.no_new_privileges = *on;
    } else if (key == "seccomp") {
      options.seccomp = value == "default" ? std::string_view() : value;
    } else if (key == "apparmor") {
      options.apparmor = value;
    } else if (key == "label") {
      TRY(apply_label_option(value));
    } else if (key == "mask") {
      add_paths(value, &options.mask);
    } else if (key == "unmask") {
      if (value == "ALL" || value == "all")
        options.unmask_all = true;
      else
        add_paths(value, &options.unmask);
    } else if (key == "systempaths" && value == "unconfined") {
      options.unmask_all = true;
    } else if (key == "proc-opts") {
      options.proc_opts = value;
    } else {
      return Error(Errc::invalid_argument, concat("invalid --security-opt 2: ", quote(text)));
    }
  }
  // A default is for hosts that have it; what was asked for must be there.
  if (options.seccomp.empty() && !request.privileged && !asked_for(request, "seccomp"))
    options.seccomp = request.defaults.seccomp_profile;
  if (options.apparmor.empty() && sys::exists("/sys/kernel/security/apparmor/profiles"))
    options.apparmor = request.defaults.apparmor_profile;
  if (!options.apparmor.empty() && options.apparmor != "unconfined")
    TRY(check_apparmor_profile(options.apparmor));
  return options;
}

const std::vector<std::string>& default_capabilities() {
  static const std::vector<std::string> kNames = {
      "CAP_CHOWN",   "CAP_DAC_OVERRIDE",     "CAP_FOWNER",     "CAP_FSETID",
      "CAP_KILL",    "CAP_NET_BIND_SERVICE", "CAP_SETFCAP",    "CAP_SETGID",
      "CAP_SETPCAP", "CAP_SETUID",           "CAP_SYS_CHROOT",
  };
  return kNames;
}

std::vector<std::string> all_capabilities() {
  std::vector<std::string> names;
  for (int number = 0; number < oci::kCapabilityCount; ++number)
    if (::prctl(PR_CAPBSET_READ, number, 0, 0, 0) == 1)
      if (auto name = oci::capability_name(number)) names.emplace_back(*name);
  std::sort(names.begin(), names.end());
  return names;
}

Result<std::vector<std::string>> normalize_capabilities(const std::vector<std::string>& names) {
  std::vector<std::string> out;
  for (const std::string& list : names) {
    for (std::string_view text : split(list, ',')) {
      std::string name = to_upper(trim(text));
      if (name != "ALL" && !name.starts_with("CAP_")) name.insert(0, "CAP_");
      if (name == "CAP_ALL") name = "ALL";
      if (name != "ALL" && !oci::capability_number(name))
        return Error(Errc::invalid_argument, concat(quote(name), ": unknown capability"));
      if (!contains(out, name)) out.push_back(name);
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

Result<std::vector<std::string>> bounding_capabilities(const CreateRequest& request) {
  std::vector<std::string> add = TRY(normalize_capabilities(request.cap_add));
  std::vector<std::string> drop = TRY(normalize_capabilities(request.cap_drop));
  std::vector<std::string> set = request.defaults.capabilities.value_or(default_capabilities());
  if (request.privileged) set = all_capabilities();
  if (contains(drop, "ALL")) {
    if (contains(add, "ALL"))
      return Error(Errc::invalid_argument, "adding all caps and removing all caps not allowed");
    return add;
  }
  if (contains(add, "ALL")) {
    set = all_capabilities();
    add.clear();
  }
  for (const std::string& name : drop) {
    if (contains(add, name))
      return Error(Errc::invalid_argument,
                   concat("capability ", quote(name), " cannot be dropped and added"));
    std::erase(set, name);
  }
  for (const std::string& name : add)
    if (!contains(set, name)) set.push_back(name);
  std::sort(set.begin(), set.end());
  return set;
}

Result<oci::Capabilities> process_capabilities(const CreateRequest& request,
                                               const std::vector<std::string>& bounding,
                                               bool is_root) {
  oci::Capabilities sets;
  sets.bounding = bounding;
  if (is_root) {
    sets.effective = sets.permitted = bounding;
    return sets;
  }
  std::vector<std::string> asked = TRY(normalize_capabilities(request.cap_add));
  for (const std::string& name : bounding)
    if (contains(asked, "ALL") || contains(asked, name)) sets.effective.push_back(name);
  sets.permitted = sets.effective;
  return sets;
}

static Status add_seccomp(SpecBuilder* b) {
  const std::string& profile = b->security.seccomp;
  if (profile == "unconfined" || (profile.empty() && b->request.privileged)) return {};
  const std::vector<std::string>& capabilities = b->config.cap_bounding;
  if (!b->config.seccomp_text.empty())
    b->linux_.seccomp = TRY(parse_seccomp_profile(b->config.seccomp_text, capabilities));
  else if (profile.empty())
    b->linux_.seccomp =
        runtime::default_seccomp(std::set<std::string>(capabilities.begin(), capabilities.end()));
  else
    b->linux_.seccomp = TRY(load_seccomp_profile(profile, capabilities));
  return {};
}

Status add_security(SpecBuilder* b) {
  b->process.no_new_privileges = b->security.no_new_privileges;
  b->process.capabilities =
      TRY(process_capabilities(b->request, b->config.cap_bounding, b->process.user.uid == 0));
  if (b->security.apparmor != "unconfined" && !b->request.privileged)
    b->process.apparmor_profile = b->security.apparmor;
  b->process.selinux_label = b->config.process_label;
  b->linux_.mount_label = b->config.mount_label;
  TRY(add_seccomp(b));
  if (!b->request.rdt_class.empty()) {
    b->linux_.intel_rdt.emplace();
    b->linux_.intel_rdt->clos_id = b->request.rdt_class;
  }

  std::vector<std::string>& masked = b->linux_.masked_paths;
  if (!b->request.privileged) {
    std::vector<std::string> paths(std::begin(kMasked), std::end(kMasked));
    for (std::string& path : thermal_throttle_paths()) paths.push_back(std::move(path));
    // The host's own sysfs shows more than a fresh one of a network namespace.
    if (b->host.rootless && b->host_network()) paths.emplace_back("/sys/kernel");
    for (std::string& path : paths)
      if (!is_unmasked(b->security, path)) masked.push_back(std::move(path));
    for (std::string_view path : kReadonly)
      if (!is_unmasked(b->security, std::string(path))) b->linux_.readonly_paths.emplace_back(path);
  }
  for (const std::string& path : b->security.mask)
    if (!contains(masked, path)) masked.push_back(path);
  return {};
}

}  // namespace minke::engine
