#include "engine/top.h"

#include <linux/nsfs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <optional>

#include "base/str.h"
#include "engine/users.h"
#include "sys/fd.h"

namespace minke::engine {
namespace {

struct IdRange {
  std::uint64_t inside, outside, count;
};

bool shares_our_users(pid_t pid) {
  auto theirs = sys::read_link_at(sys::DirFd::cwd(), concat("/proc/", pid, "/ns/user").c_str());
  auto ours = sys::read_link_at(sys::DirFd::cwd(), "/proc/self/ns/user");
  return theirs && ours && *theirs == *ours;
}

// /proc/PID/uid_map or gid_map; the outer side is told in the reader's own ids, unless both are in
// one user namespace.
std::vector<IdRange> read_map(const std::string& path) {
  std::vector<IdRange> map;
  std::string text = sys::read_small_file(path, 64 << 10).value_or("");
  for (std::string_view line : split(text, '\n')) {
    std::uint64_t numbers[3];
    int count = 0;
    for (std::string_view word : split(line, ' '))
      if (auto number = parse_uint(word); number && count < 3) numbers[count++] = *number;
    if (count == 3) map.push_back({numbers[0], numbers[1], numbers[2]});
  }
  return map;
}

std::optional<std::uint32_t> to_inside(const std::vector<IdRange>& map, std::uint32_t id) {
  for (const IdRange& range : map)
    if (id >= range.outside && id - range.outside < range.count)
      return static_cast<std::uint32_t>(range.inside + (id - range.outside));
  return std::nullopt;
}

std::optional<std::uint32_t> to_outside(const std::vector<IdRange>& map, std::uint32_t id) {
  for (const IdRange& range : map)
    if (id >= range.inside && id - range.inside < range.count)
      return static_cast<std::uint32_t>(range.outside + (id - range.inside));
  return std::nullopt;
}

// Ids to the names of one side: the container's, or the host's.
class Names {
 public:
  Names(std::string_view passwd, std::string_view group) {
    for (const PasswdEntry& entry : parse_passwd(passwd)) users_.try_emplace(entry.uid, entry.name);
    for (const GroupEntry& entry : parse_group(group)) groups_.try_emplace(entry.gid, entry.name);
  }
  std::string user(std::optional<std::uint32_t> id) const { return name(users_, id); }
  std::string group(std::optional<std::uint32_t> id) const { return name(groups_, id); }

 private:
  using Table = std::map<std::uint32_t, std::string>;
  static std::string name(const Table& table, std::optional<std::uint32_t> id) {
    if (!id) return "?";
    auto found = table.find(*id);
    return found != table.end() ? found->second : concat(*id);
  }
  Table users_, groups_;
};

// What is the same for all processes of one listing.
struct Scene {
  Names inside, outside;
  std::vector<IdRange> uids, gids;            // of the container
  std::vector<IdRange> host_uids, host_gids;  // ours
  std::size_t depth = 0;                      // of the pid namespace, below ours
  TimeNs boot = 0, now = 0;
  std::int64_t ticks = 100;
};

// "Key:\tvalue" of /proc/PID/status.
std::string_view status_field(std::string_view status, std::string_view key) {
  for (std::string_view line : split(status, '\n'))
    if (line.size() > key.size() && line.starts_with(key) && line[key.size()] == ':')
      return trim(line.substr(key.size() + 1));
  return {};
}

std::vector<std::uint32_t> numbers_of(std::string_view text) {
  std::vector<std::uint32_t> numbers;
  std::size_t at = 0;
  while (at < text.size()) {
    std::size_t end = std::min(text.find_first_of(" \t", at), text.size());
    if (auto number = parse_uint(text.substr(at, end - at)))
      numbers.push_back(static_cast<std::uint32_t>(*number));
    at = end + 1;
  }
  return numbers;
}

// The pid as the namespace at `depth` sees it; 0 for a process outside it.
pid_t pid_at(std::string_view status, const char* key, std::size_t depth) {
  std::vector<std::uint32_t> pids = numbers_of(status_field(status, key));
  return depth < pids.size() ? static_cast<pid_t>(pids[depth]) : 0;
}

// The name of a terminal's device number, as the kernel numbers them (devices.txt).
std::string tty_name(std::int64_t number) {
  const auto device = static_cast<std::uint64_t>(number);
  const std::uint64_t major = (device >> 8) & 0xfff,
                      minor = (device & 0xff) | ((device >> 12) & 0xfff00);
  if (major >= 136 && major <= 143) return concat("pts/", (major - 136) * 256 + minor);
  if (major == 4) return minor < 64 ? concat("tty", minor) : concat("ttyS", minor - 64);
  if (major == 5 && minor == 1) return "console";
  return "?";
}

std::uint64_t capability_bits(std::string_view status, std::string_view key) {
  return parse_uint(status_field(status, key), 16).value_or(0);
}

// Arguments end at NUL, each followed by a blank, as Podman prints them.
std::string joined_arguments(std::string text, const std::string& comm) {
  if (text.empty()) return concat("[", comm, "]");
  for (char& c : text)
    if (c == '\0' || c == '\n' || c == '\t') c = ' ';
  return text;
}

bool read_stat(const std::string& folder, const Scene& scene, ProcessInfo* out) {
  auto text = sys::read_small_file(folder + "/stat", 8192);
  if (!text) return false;
  std::size_t open = text->find('('), close = text->rfind(')');
  if (open == std::string::npos || close == std::string::npos || close < open) return false;
  out->comm = text->substr(open + 1, close - open - 1);
  std::vector<std::string_view> fields =
      split(trim(std::string_view(*text).substr(close + 1)), ' ');
  // Field 3 of proc(5), the state, is the first here.
  auto number = [&fields](std::size_t field) -> std::int64_t {
    return field - 3 < fields.size() ? parse_int(fields[field - 3]).value_or(0) : 0;
  };
  if (fields.size() < 22) return false;
  out->state = fields[0].empty() ? '?' : fields[0][0];
  out->tty = number(7) == 0 ? "?" : tty_name(number(7));
  out->cpu_ns = (number(14) + number(15)) / scene.ticks * kSecond;
  out->nice = static_cast<std::int32_t>(number(19));
  out->started = scene.boot + number(22) / scene.ticks * kSecond;
  out->elapsed_ns = std::max<std::int64_t>(scene.now - out->started, 0);
  out->virtual_kib = static_cast<std::uint64_t>(number(23)) / 1024;
  out->resident_kib = static_cast<std::uint64_t>(number(24)) *
                      static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) / 1024;
  return true;
}

void set_accounts(std::string_view status, const Scene& scene, ProcessInfo* out) {
  std::vector<std::uint32_t> uids = numbers_of(status_field(status, "Uid")),
                             gids = numbers_of(status_field(status, "Gid"));
  uids.resize(4);
  gids.resize(4);
  out->real_user = scene.inside.user(to_inside(scene.uids, uids[0]));
  out->user = scene.inside.user(to_inside(scene.uids, uids[1]));
  out->real_group = scene.inside.group(to_inside(scene.gids, gids[0]));
  out->user_group = scene.inside.group(to_inside(scene.gids, gids[1]));
  out->host_user = scene.outside.user(to_outside(scene.host_uids, uids[1]));
  out->host_group = scene.outside.group(to_outside(scene.host_gids, gids[1]));
  for (std::uint32_t gid : numbers_of(status_field(status, "Groups"))) {
    out->groups.push_back(scene.inside.group(to_inside(scene.gids, gid)));
    auto host = to_outside(scene.host_gids, gid);
    out->host_groups.push_back(host ? concat(*host) : "?");
  }
}

std::optional<ProcessInfo> read_process(pid_t pid, const Scene& scene) {
  const std::string folder = concat("/proc/", pid);
  ProcessInfo out;
  out.host_pid = pid;
  auto status = sys::read_small_file(folder + "/status", 64 << 10);
  if (!status || !read_stat(folder, scene, &out)) return std::nullopt;  // it has just ended
  out.pid = pid_at(*status, "NSpid", scene.depth);
  out.group = pid_at(*status, "NSpgid", scene.depth);
  if (auto parent = parse_int(status_field(*status, "PPid")); parent && *parent > 0)
    if (auto other = sys::read_small_file(concat("/proc/", *parent, "/status"), 64 << 10))
      out.parent = pid_at(*other, "NSpid", scene.depth);
  out.args =
      joined_arguments(sys::read_small_file(folder + "/cmdline", 1 << 20).value_or(""), out.comm);
  std::string label = sys::read_small_file(folder + "/attr/current", 4096).value_or("");
  out.label = trim(label.substr(0, label.find('\0')));
  if (out.label.empty()) out.label = "?";
  out.seccomp = static_cast<int>(parse_int(status_field(*status, "Seccomp")).value_or(0));
  out.caps = {capability_bits(*status, "CapInh"), capability_bits(*status, "CapPrm"),
              capability_bits(*status, "CapEff"), capability_bits(*status, "CapBnd"),
              capability_bits(*status, "CapAmb")};
  set_accounts(*status, scene, &out);
  return out;
}

TimeNs boot_time() {
  std::string stat = sys::read_small_file("/proc/stat", 1 << 20).value_or("");
  for (std::string_view line : split(stat, '\n'))
    if (line.starts_with("btime ")) return parse_int(trim(line.substr(6))).value_or(0) * kSecond;
  return 0;
}

// Whether a pid namespace is `wanted` or lies below it. Answers are kept: many processes, few
// namespaces.
class Membership {
 public:
  explicit Membership(ino_t wanted) { known_[wanted] = true; }

  bool holds(pid_t pid) {
    auto space = sys::open(concat("/proc/", pid, "/ns/pid"), O_RDONLY);
    return space && holds(std::move(*space));
  }

 private:
  bool holds(sys::UniqueFd space) {
    struct stat st {};
    if (::fstat(space.get(), &st) < 0) return false;
    auto found = known_.find(st.st_ino);
    if (found != known_.end()) return found->second;
    // EPERM: the parent is not ours to see, so it is none that we look for.
    sys::UniqueFd parent(::ioctl(space.get(), NS_GET_PARENT));
    bool inside = parent && holds(std::move(parent));
    known_[st.st_ino] = inside;
    return inside;
  }
  std::map<ino_t, bool> known_;
};

Result<Scene> make_scene(pid_t init) {
  const std::string folder = concat("/proc/", init);
  sys::UniqueFd root = TRY(sys::open(folder + "/root", O_PATH | O_DIRECTORY));
  std::string status = TRY(sys::read_small_file(folder + "/status", 64 << 10));
  Scene scene{
      .inside = Names(read_account_file(root.get(), "/etc/passwd"),
                      read_account_file(root.get(), "/etc/group")),
      .outside = Names(read_account_file("/etc/passwd"), read_account_file("/etc/group")),
      .uids = read_map(folder + "/uid_map"),
      .gids = read_map(folder + "/gid_map"),
      .host_uids = read_map("/proc/self/uid_map"),
      .host_gids = read_map("/proc/self/gid_map"),
  };
  if (shares_our_users(init)) scene.uids = scene.gids = {{0, 0, UINT32_MAX}};
  std::size_t levels = numbers_of(status_field(status, "NSpid")).size();
  scene.depth = levels > 0 ? levels - 1 : 0;
  scene.boot = boot_time();
  scene.now = now();
  scene.ticks = std::max<std::int64_t>(::sysconf(_SC_CLK_TCK), 1);
  return scene;
}

}  // namespace

Result<std::vector<ProcessInfo>> list_processes(pid_t init) {
  Scene scene = TRY(make_scene(init));
  struct stat st {};
  if (::stat(concat("/proc/", init, "/ns/pid").c_str(), &st) < 0)
    return Error::from_errno(errno, concat("the pid namespace of process ", init));
  Membership membership(st.st_ino);
  std::vector<ProcessInfo> processes;
  for (const std::string& name : TRY(sys::list_dir(sys::DirFd::cwd(), "/proc"))) {
    auto pid = parse_int(name);
    if (!pid || !membership.holds(static_cast<pid_t>(*pid))) continue;
    if (auto process = read_process(static_cast<pid_t>(*pid), scene))
      processes.push_back(std::move(*process));
  }
  std::sort(processes.begin(), processes.end(),
            [](const ProcessInfo& a, const ProcessInfo& b) { return a.pid < b.pid; });
  return processes;
}

}  // namespace minke::engine
