#include "runtime/resctrl.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <map>

#include "base/str.h"
#include "sys/fd.h"

namespace minke::runtime {
namespace {

// "L3:0=f;1=f0" as resource and domains, so that order and leading zeros do not matter.
using Schemata = std::map<std::string, std::map<std::string, std::string>>;

Schemata parse_schemata(std::string_view text) {
  Schemata out;
  for (std::string_view line : split(text, '\n')) {
    auto pair = split_once(trim(line), ':');
    if (!pair) continue;
    auto& domains = out[std::string(trim(pair->first))];
    for (std::string_view domain : split(pair->second, ';')) {
      auto entry = split_once(trim(domain), '=');
      if (!entry) continue;
      std::string value = to_lower(trim(entry->second));
      value.erase(0, std::min(value.find_first_not_of('0'), value.size() - 1));
      domains[std::string(trim(entry->first))] = std::move(value);
    }
  }
  return out;
}

// What the specification lets each member hold: no MB line in l3CacheSchema, those alone in
// memBwSchema.
std::string wanted_schemata(const oci::IntelRdt& rdt) {
  std::string out;
  for (std::string_view line : split(rdt.l3_cache_schema, '\n'))
    if (!trim(line).empty() && !trim(line).starts_with("MB:")) out += concat(trim(line), "\n");
  for (std::string_view line : split(rdt.mem_bw_schema, '\n'))
    if (trim(line).starts_with("MB:")) out += concat(trim(line), "\n");
  return out;
}

bool holds(const Schemata& present, const Schemata& wanted) {
  for (const auto& [resource, domains] : wanted) {
    auto found = present.find(resource);
    if (found == present.end()) return false;
    for (const auto& [domain, value] : domains) {
      auto entry = found->second.find(domain);
      if (entry == found->second.end() || entry->second != value) return false;
    }
  }
  return true;
}

Status check_monitoring(const oci::IntelRdt& rdt, const std::string& root) {
  if (!rdt.enable_cmt && !rdt.enable_mbm) return {};
  // Every group counts by itself where the processor can.
  std::string features =
      sys::read_small_file(concat(root, "/info/L3_MON/mon_features")).value_or("");
  if (rdt.enable_cmt && features.find("llc_occupancy") == std::string::npos)
    return Error(Errc::unsupported, "linux.intelRdt.enableCMT: not available on this processor");
  if (rdt.enable_mbm && features.find("mbm_") == std::string::npos)
    return Error(Errc::unsupported, "linux.intelRdt.enableMBM: not available on this processor");
  return {};
}

}  // namespace

Result<ResctrlGroup> open_resctrl_group(const oci::IntelRdt& rdt, const std::string& id,
                                        const std::string& root) {
  const std::string& name = rdt.clos_id.empty() ? id : rdt.clos_id;
  if (name == "." || name == ".." || name.find('/') != std::string::npos)
    return Error(Errc::invalid_argument,
                 concat("linux.intelRdt.closID: ", quote(name), " is no name of a folder"));
  if (!sys::exists(concat(root, "/schemata")))
    return Error(Errc::unsupported,
                 concat("linux.intelRdt: no resctrl file system is mounted on ", root));
  TRY(check_monitoring(rdt, root));
  ResctrlGroup group{concat(root, "/", name)};
  std::string wanted = wanted_schemata(rdt);
  group.made = ::mkdir(group.path.c_str(), 0755) == 0;
  if (!group.made && errno != EEXIST)
    return Error::from_errno(errno, concat("make the class of service ", group.path));
  if (!group.made) {
    std::string present = TRY(sys::read_small_file(concat(group.path, "/schemata")));
    if (!holds(parse_schemata(present), parse_schemata(wanted)))
      return Error(Errc::conflict, concat("linux.intelRdt: the class of service ", quote(name),
                                          " has another schema already"));
    return group;
  }
  Status filled;
  if (!wanted.empty())
    filled = sys::write_existing(concat(group.path, "/schemata"), wanted);
  else if (!rdt.clos_id.empty())
    filled = Error(Errc::not_found, concat("linux.intelRdt.closID: there is no class of service ",
                                           quote(name), ", and no schema to make one of"));
  if (filled) return group;
  remove_resctrl_group(group.path);
  return std::move(filled.error());
}

Status update_resctrl_group(const oci::IntelRdt& rdt, const std::string& path) {
  if (path.empty())
    return Error(Errc::unsupported,
                 "linux.intelRdt: the container has no class of service of its own to change");
  std::string wanted = wanted_schemata(rdt);
  if (wanted.empty())
    return Error(Errc::invalid_argument, "linux.intelRdt: no line of a schema in what was given");
  return sys::write_existing(concat(path, "/schemata"), wanted);
}

Status enter_resctrl_group(const std::string& path, pid_t pid) {
  return sys::write_existing(concat(path, "/tasks"), concat(pid));
}

std::string resctrl_group_of(pid_t pid) {
  std::string text =
      sys::read_small_file(concat("/proc/", pid, "/cpu_resctrl_groups")).value_or("");
  for (std::string_view line : split(text, '\n'))
    if (line.starts_with("res:/")) return concat(kResctrlRoot, line.substr(4));
  return "";
}

void remove_resctrl_group(const std::string& path) { ::rmdir(path.c_str()); }

}  // namespace minke::runtime
