#include "view/top.h"

#include <algorithm>

#include "base/str.h"
#include "oci/spec.h"

namespace minke::view {
namespace {

using engine::ProcessInfo;

// "CHOWN,KILL", "full" or "none".
std::string capabilities(std::uint64_t bits) {
  constexpr std::uint64_t kFull = (std::uint64_t{1} << oci::kCapabilityCount) - 1;
  if (bits == 0) return "none";
  if ((bits & kFull) == kFull) return "full";
  std::vector<std::string> names;
  for (int number = 0; number < 64; ++number) {
    if ((bits >> number & 1) == 0) continue;
    auto name = oci::capability_name(number);
    names.emplace_back(name ? name->substr(sizeof "CAP_" - 1) : "unknown");
  }
  std::sort(names.begin(), names.end());
  return join(names, ",");
}

std::string cpu_share(const ProcessInfo& p) {
  if (p.elapsed_ns <= 0) return "0.000";
  return format("%.3f", 100.0 * static_cast<double>(p.cpu_ns) / static_cast<double>(p.elapsed_ns));
}

const char* seccomp_name(int mode) {
  constexpr const char* kNames[] = {"disabled", "strict", "filter"};
  return mode >= 0 && mode < 3 ? kNames[mode] : "?";
}

constexpr TopColumn kColumns[] = {
    {"args", 'a', "COMMAND", [](const ProcessInfo& p) { return p.args; }},
    {"capamb", 0, "AMBIENT CAPS",
     [](const ProcessInfo& p) { return capabilities(p.caps.ambient); }},
    {"capbnd", 0, "BOUNDING CAPS",
     [](const ProcessInfo& p) { return capabilities(p.caps.bounding); }},
    {"capeff", 0, "EFFECTIVE CAPS",
     [](const ProcessInfo& p) { return capabilities(p.caps.effective); }},
    {"capinh", 0, "INHERITED CAPS",
     [](const ProcessInfo& p) { return capabilities(p.caps.inheritable); }},
    {"capprm", 0, "PERMITTED CAPS",
     [](const ProcessInfo& p) { return capabilities(p.caps.permitted); }},
    {"comm", 'c', "COMMAND", [](const ProcessInfo& p) { return p.comm; }},
    {"etime", 't', "ELAPSED", [](const ProcessInfo& p) { return format_duration(p.elapsed_ns); }},
    {"group", 'G', "GROUP", [](const ProcessInfo& p) { return p.user_group; }},
    {"groups", 0, "GROUPS", [](const ProcessInfo& p) { return join(p.groups, ","); }},
    {"hgroup", 0, "HGROUP", [](const ProcessInfo& p) { return p.host_group; }},
    {"hgroups", 0, "HGROUPS", [](const ProcessInfo& p) { return join(p.host_groups, ","); }},
    {"hpid", 0, "HPID", [](const ProcessInfo& p) { return concat(p.host_pid); }},
    {"huser", 0, "HUSER", [](const ProcessInfo& p) { return p.host_user; }},
    {"label", 0, "LABEL", [](const ProcessInfo& p) { return p.label; }},
    {"nice", 'n', "NI", [](const ProcessInfo& p) { return concat(p.nice); }},
    {"pcpu", 'C', "%CPU", cpu_share},
    {"pgid", 'r', "PGID", [](const ProcessInfo& p) { return concat(p.group); }},
    {"pid", 'p', "PID", [](const ProcessInfo& p) { return concat(p.pid); }},
    {"ppid", 'P', "PPID", [](const ProcessInfo& p) { return concat(p.parent); }},
    {"rgroup", 'g', "RGROUP", [](const ProcessInfo& p) { return p.real_group; }},
    {"rss", 0, "RSS", [](const ProcessInfo& p) { return concat(p.resident_kib); }},
    {"ruser", 'u', "RUSER", [](const ProcessInfo& p) { return p.real_user; }},
    {"seccomp", 0, "SECCOMP",
     [](const ProcessInfo& p) { return std::string(seccomp_name(p.seccomp)); }},
    {"state", 0, "STATE", [](const ProcessInfo& p) { return std::string(1, p.state); }},
    {"stime", 0, "STIME", [](const ProcessInfo& p) { return format_go_time(p.started); }},
    {"time", 'x', "TIME", [](const ProcessInfo& p) { return format_duration(p.cpu_ns); }},
    {"tty", 'y', "TTY", [](const ProcessInfo& p) { return p.tty; }},
    {"user", 'U', "USER", [](const ProcessInfo& p) { return p.user; }},
    {"vsz", 'z', "VSZ", [](const ProcessInfo& p) { return concat(p.virtual_kib); }},
};

constexpr std::string_view kUsual[] = {"user",  "pid", "ppid", "pcpu",
                                       "etime", "tty", "time", "args"};

const TopColumn* find(std::string_view word) {
  for (const TopColumn& column : kColumns)
    if (word == column.name ||
        (word.size() == 2 && word[0] == '%' && column.code != 0 && word[1] == column.code))
      return &column;
  return nullptr;
}

}  // namespace

Result<std::vector<const TopColumn*>> top_columns(const std::vector<std::string>& words) {
  std::vector<const TopColumn*> columns;
  for (const std::string& word : words)
    for (std::string_view name : split(word, ',')) {
      const TopColumn* column = find(name);
      if (column == nullptr)
        return Error(Errc::not_found, concat("unknown descriptor ", quote(name)));
      columns.push_back(column);
    }
  if (columns.empty())
    for (std::string_view name : kUsual) columns.push_back(find(name));
  return columns;
}

std::string top_column_names() {
  std::vector<std::string> names;
  for (const TopColumn& column : kColumns) names.emplace_back(column.name);
  return join(names, ",");
}

}  // namespace minke::view
