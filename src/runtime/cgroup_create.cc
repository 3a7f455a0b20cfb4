#include "runtime/cgroup_create.h"

#include <unistd.h>

#include <algorithm>

#include "base/str.h"
#include "runtime/cgroup_internal.h"
#include "runtime/cgroup_systemd.h"

namespace minke::runtime {
namespace {

// Present in every container, limits or not: to freeze, to count, to see what it uses. Each costs
// 0.1 ms; not cpu, whose entry waits for 3 ms.
constexpr std::string_view kAlwaysV1[] = {"freezer", "pids",    "memory",
                                          "devices", "cpuacct", "blkio"};
// What an update may ask for later.
constexpr std::string_view kOnUpdateV1[] = {"cpu", "cpuset", "hugetlb", "rdma"};

std::string inner_path(const CreateRequest& r) {
  const std::string& given = r.spec->linux_->cgroups_path;
  if (given.empty()) return concat("/minke/", r.id);
  std::string path = given[0] == '/' ? given : concat("/", given);
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

struct Hierarchy {
  std::string controllers;  // "cpu,cpuacct", "name=systemd"
  std::string place;        // "/sys/fs/cgroup/cpu,cpuacct"
};

// From /proc/self/cgroup: "4:memory:/path".
Result<std::vector<Hierarchy>> v1_hierarchies() {
  std::vector<Hierarchy> out;
  std::string text = TRY(sys::read_small_file("/proc/self/cgroup"));
  for (std::string_view line : split(text, '\n')) {
    auto first = split_once(line, ':');
    if (!first) continue;
    auto second = split_once(first->second, ':');
    if (!second || second->first.empty()) continue;
    std::string name(second->first);
    std::string place = name.starts_with("name=") ? name.substr(5) : name;
    out.push_back({name, concat(kCgroupRoot, "/", place)});
  }
  return out;
}

bool wants_systemd_hierarchy(const oci::Spec& spec) {
  for (const oci::Mount& m : spec.mounts)
    if (m.destination == "/sys/fs/cgroup/systemd") return true;
  for (const oci::Mount& m : spec.mounts)
    if (m.type == "cgroup")
      return std::find(m.options.begin(), m.options.end(), "ro") == m.options.end();
  return false;
}

Result<std::vector<CgroupWrite>> writes_for(const oci::Spec& spec, bool v2) {
  if (!spec.linux_->resources) return std::vector<CgroupWrite>();
  return limit_writes(*spec.linux_->resources, v2, false);
}

bool rights_missing(const Error& e) {
  return e.sys() == EACCES || e.sys() == EPERM || e.sys() == EROFS || e.sys() == ENOENT;
}

Status make_folder(const std::string& path) {
  if (::mkdir(path.c_str(), 0755) == 0) return {};
  // Left empty by a maker that was killed, it is made anew, so that no limit of then holds.
  if (errno == EEXIST && ::rmdir(path.c_str()) == 0 && ::mkdir(path.c_str(), 0755) == 0) return {};
  if (errno == EEXIST || errno == EBUSY)
    return Error(Errc::already_exists, concat("cgroup ", path, " is in use by another container"));
  if (errno != ENOENT) return Error::from_errno(errno, concat("make cgroup ", path));
  std::size_t slash = path.rfind('/');
  std::string parent = path.substr(0, slash);
  if (parent.size() <= kCgroupRoot.size())
    return Error::from_errno(ENOENT, concat("make cgroup ", path));
  TRY(sys::ensure_dirs(parent, 0755));
  if (::mkdir(path.c_str(), 0755) < 0)
    return Error::from_errno(errno, concat("make cgroup ", path));
  return {};
}

Status apply_devices_v1(const std::string& path, const std::vector<oci::DeviceRule>& rules) {
  std::vector<DeviceLine> lines = device_lines(rules);
  if (lines.empty()) return {};
  sys::UniqueFd allow = TRY(sys::open(concat(path, "/devices.allow"), O_WRONLY));
  sys::UniqueFd deny = TRY(sys::open(concat(path, "/devices.deny"), O_WRONLY));
  for (const DeviceLine& line : lines)
    TRY_CTX(sys::write_all((line.allow ? allow : deny).get(), line.line,
                           line.allow ? "devices.allow" : "devices.deny"),
            concat("device rule ", quote(line.line)));
  return {};
}

Status set_limit(const std::vector<Cgroup::Entry>& entries, const CgroupWrite& w) {
  const Cgroup::Entry* entry = find_entry(entries, w.controller);
  if (entry == nullptr)
    return Error(Errc::unsupported,
                 concat(w.controller, " controller: not available on this host"));
  return write_limit(*entry, w);
}

// Writes every limit and the device rules.
Status apply_limits(const CreateRequest& r, const std::vector<Cgroup::Entry>& made,
                    const std::vector<CgroupWrite>& writes, std::vector<std::string>* warnings) {
  const oci::Spec& spec = *r.spec;
  for (const CgroupWrite& w : writes) {
    Status status = set_limit(made, w);
    if (status) continue;
    if (!r.tolerate_missing_cgroup) return std::move(status.error());
    if (warnings != nullptr) warnings->push_back(status.error().message());
  }
  if (spec.linux_->resources && !spec.linux_->resources->devices.empty()) {
    for (const Cgroup::Entry& entry : made) {
      Status status;
      if (entry_has(entry, "devices")) {
        status = apply_devices_v1(entry.path, spec.linux_->resources->devices);
      } else if (entry.controllers.empty()) {
        sys::UniqueFd dir = TRY(sys::open(entry.path, O_RDONLY | O_DIRECTORY));
        status = attach_device_program(dir.get(), spec.linux_->resources->devices);
      }
      // Without the right to filter devices there is no right to make any either.
      if (!status && !(r.tolerate_missing_cgroup && rights_missing(status.error())))
        return std::move(status.error());
    }
  }
  return {};
}

}  // namespace

Status fill_cpuset(const std::string& path) {
  for (const char* file : {"cpuset.cpus", "cpuset.mems"}) {
    auto own = sys::read_small_file(concat(path, "/", file), 65536);
    if (own && !trim(*own).empty()) continue;
    std::string parent = path.substr(0, path.rfind('/'));
    if (parent.size() <= kCgroupRoot.size() + std::string_view("/cpuset").size()) {
      // the hierarchy's root always has some
    } else {
      TRY(fill_cpuset(parent));
    }
    std::string value = TRY(sys::read_small_file(concat(parent, "/", file), 65536));
    TRY_CTX(sys::write_existing(concat(path, "/", file), trim(value)), "cpuset");
  }
  return {};
}

void enable_v2(const std::string& path, const std::vector<CgroupWrite>& writes) {
  std::vector<std::string> wanted = {"memory", "pids"};
  for (const CgroupWrite& w : writes)
    if (!w.controller.empty() &&
        std::find(wanted.begin(), wanted.end(), w.controller) == wanted.end())
      wanted.push_back(w.controller);
  std::size_t at = kCgroupRoot.size();
  for (;;) {
    std::string dir = path.substr(0, at);
    auto have = sys::read_small_file(concat(dir, "/cgroup.subtree_control"), 4096);
    if (have) {
      auto names = split(trim(*have), ' ');
      for (const std::string& controller : wanted)
        if (std::find(names.begin(), names.end(), controller) == names.end())
          ignore(
              sys::write_existing(concat(dir, "/cgroup.subtree_control"), concat("+", controller)),
              "the write of the limit itself says what is missing");
    }
    at = path.find('/', at + 1);
    if (at == std::string::npos) return;
  }
}

Result<Cgroup> CgroupBuilder::plan(const CreateRequest& r) {
  if (r.cgroup_manager == CgroupManager::disabled) return Cgroup();
  CgroupMode mode = cgroup_mode();
  if (r.cgroup_manager == CgroupManager::systemd) {
    if (mode != CgroupMode::v2)
      return Error(
          Errc::unsupported,
          "cgroups by systemd need cgroup v2 on this host: use the cgroup manager cgroupfs");
    ScopeName name = TRY(parse_scope_name(r.spec->linux_->cgroups_path, r.id));
    // Where it will stand is systemd's decision; adopt() fills it in.
    return make({{"", concat(kCgroupRoot, "/", name.slice, "/", name.unit)}}, name.unit);
  }
  std::string inner = inner_path(r);
  if (mode == CgroupMode::v2) return make({{"", concat(kCgroupRoot, inner)}}, "");
  std::vector<CgroupWrite> writes = TRY(writes_for(*r.spec, false));
  std::vector<Hierarchy> hierarchies = TRY(v1_hierarchies());
  std::vector<Cgroup::Entry> entries, spare;
  auto in = [](const auto& list, std::string_view name) {
    return std::find(std::begin(list), std::end(list), name) != std::end(list);
  };
  for (const Hierarchy& h : hierarchies) {
    bool needed = h.controllers == "name=systemd" && wants_systemd_hierarchy(*r.spec);
    bool later = false;
    for (std::string_view name : split(h.controllers, ',')) {
      needed |= in(kAlwaysV1, name) || needs_controller(writes, name);
      later |= in(kOnUpdateV1, name);
    }
    if (needed || later)
      (needed ? entries : spare).push_back({h.controllers, concat(h.place, inner)});
  }
  // Memory first: its path is the one that people are shown.
  std::stable_sort(entries.begin(), entries.end(),
                   [](const Cgroup::Entry& a, const Cgroup::Entry& b) {
                     return entry_has(a, "memory") && !entry_has(b, "memory");
                   });
  return make(std::move(entries), "", std::move(spare));
}

Result<Cgroup> CgroupBuilder::create(const CreateRequest& r, std::vector<std::string>* warnings) {
  Cgroup planned = TRY(plan(r));
  const oci::Spec& spec = *r.spec;
  if (r.cgroup_manager == CgroupManager::systemd) return planned;
  bool v2 = planned.entries().size() == 1 && planned.entries()[0].controllers.empty();
  std::vector<CgroupWrite> writes = TRY(writes_for(spec, v2));
  std::vector<Cgroup::Entry> made;
  Rollback rollback;
  rollback.add([&made]() {
    for (const Cgroup::Entry& entry : made) ::rmdir(entry.path.c_str());
  });
  for (const Cgroup::Entry& entry : planned.entries()) {
    Status status = make_folder(entry.path);
    if (!status) {
      if (r.tolerate_missing_cgroup && rights_missing(status.error())) continue;
      return std::move(status.error());
    }
    made.push_back(entry);
    if (entry_has(entry, "cpuset")) TRY(fill_cpuset(entry.path));
  }
  if (made.empty() && !planned.entries().empty()) {
    if (!writes.empty() && warnings != nullptr)
      warnings->push_back(
          "resource limits are not set: no right to make a cgroup (delegate one to this user)");
    rollback.dismiss();
    return Cgroup();
  }
  if (v2 && !made.empty()) enable_v2(made[0].path, writes);
  TRY(apply_limits(r, made, writes, warnings));
  rollback.dismiss();
  return make(std::move(made), "", std::move(planned.spare_));
}

Status CgroupBuilder::adopt(const CreateRequest& r, pid_t pid, Cgroup* cgroup,
                            std::vector<std::string>* warnings) {
  ScopeName name = TRY(parse_scope_name(r.spec->linux_->cgroups_path, r.id));
  const auto& resources = r.spec->linux_->resources;
  std::string path = TRY(
      start_scope(name, r.id, pid, served_by_user_systemd(), resources ? &*resources : nullptr));
  *cgroup = make({{"", concat(kCgroupRoot, path)}}, name.unit);
  std::vector<CgroupWrite> writes = TRY(writes_for(*r.spec, true));
  return apply_limits(r, cgroup->entries(), writes, warnings);
}

Status CgroupBuilder::enter(const Cgroup& cgroup, pid_t pid) {
  std::string text = concat(pid);
  for (const Cgroup::Entry& entry : cgroup.entries())
    TRY_CTX(sys::write_existing(concat(entry.path, "/cgroup.procs"), text),
            concat("enter cgroup ", entry.path));
  return {};
}

}  // namespace minke::runtime
