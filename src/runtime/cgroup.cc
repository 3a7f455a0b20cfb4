// A container's cgroup once it exists: signals, processes, freezing, removal.
#include "runtime/cgroup.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <sys/statfs.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

#include "base/str.h"
#include "base/time.h"
#include "runtime/cgroup_create.h"
#include "runtime/cgroup_internal.h"
#include "runtime/cgroup_systemd.h"
#include "sys/fd.h"

namespace minke::runtime {
namespace {

void sleep_ms(int ms) {
  struct timespec t {
    ms / 1000, static_cast<long>(ms % 1000) * 1000000
  };
  ::nanosleep(&t, nullptr);
}

// The kernel counts folders below as links.
bool has_folders(const sys::DirFd& dir) {
  struct stat st;
  return ::fstat(dir.get(), &st) < 0 || st.st_nlink > 2;
}

// Processes of `path` and of all below it.
Status collect_pids(const sys::DirFd& dir, int depth, std::vector<pid_t>* out) {
  auto text = sys::read_small_file_at(dir, "cgroup.procs");
  if (!text) {
    // A threaded v2 cgroup lists its processes in the domain above; a removed one has none.
    if (text.error().sys() == EOPNOTSUPP || text.error().sys() == ENODEV) return {};
    return std::move(text.error());
  }
  for (std::string_view line : split(*text, '\n'))
    if (auto pid = parse_int(line)) out->push_back(static_cast<pid_t>(*pid));
  if (depth > 32 || !has_folders(dir)) return {};
  std::vector<std::string> names = TRY(sys::list_dir(dir));
  for (const std::string& name : names) {
    if (name.find('.') != std::string::npos && name.starts_with("cgroup.")) continue;
    auto below = sys::open_at(dir, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (!below) continue;  // a file, or removed meanwhile
    TRY(collect_pids(sys::DirFd(std::move(*below)), depth + 1, out));
  }
  return {};
}

// Folders of cgroups can only be removed one by one, from the bottom.
void remove_below(const sys::DirFd& dir, int depth) {
  if (depth > 32 || !has_folders(dir)) return;
  auto names = sys::list_dir(dir);
  if (!names) return;
  for (const std::string& name : *names) {
    auto below = sys::open_at(dir, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (!below) continue;
    remove_below(sys::DirFd(std::move(*below)), depth + 1);
    ignore(sys::unlink_at(dir, name.c_str(), AT_REMOVEDIR), "busy: the caller tries again");
  }
}

Status remove_folder(const std::string& path) {
  std::int64_t deadline = monotonic_ns() + 5 * kSecond;
  for (int wait = 1;; wait = std::min(wait * 2, 50)) {
    if (::rmdir(path.c_str()) == 0 || errno == ENOENT) return {};
    if (errno != EBUSY && errno != ENOTEMPTY)
      return Error::from_errno(errno, concat("remove cgroup ", path));
    if (monotonic_ns() > deadline) return Error::from_errno(EBUSY, concat("remove cgroup ", path));
    // The last process is still on its way out, or the container made groups of its own.
    if (auto dir = sys::open_dir(path)) remove_below(*dir, 0);
    if (::rmdir(path.c_str()) == 0 || errno == ENOENT) return {};
    sleep_ms(wait);
  }
}

}  // namespace

bool entry_has(const Cgroup::Entry& entry, std::string_view controller) {
  for (std::string_view name : split(entry.controllers, ','))
    if (name == controller) return true;
  return false;
}

const Cgroup::Entry* find_entry(const std::vector<Cgroup::Entry>& entries,
                                std::string_view controller) {
  for (const Cgroup::Entry& entry : entries)
    if (entry_has(entry, controller)) return &entry;
  for (const Cgroup::Entry& entry : entries)
    if (entry.controllers.empty()) return &entry;
  return nullptr;
}

CgroupMode cgroup_mode() {
  struct statfs fs;
  if (::statfs("/sys/fs/cgroup", &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC)
    return CgroupMode::v2;
  if (::statfs("/sys/fs/cgroup/unified", &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC)
    return CgroupMode::hybrid;
  return CgroupMode::v1;
}

Result<Cgroup> Cgroup::open(const std::string& saved) {
  Cgroup cgroup;
  for (std::string_view line : split(saved, '\n')) {
    if (line.empty()) continue;
    auto pair = split_once(line, '\t');
    if (!pair) return Error(Errc::corrupt, "saved cgroup: a line without path");
    if (pair->first == "scope") {
      cgroup.scope_ = std::string(pair->second);
      continue;
    }
    if (!pair->second.starts_with(kCgroupRoot) ||
        pair->second.find("/../") != std::string_view::npos)
      return Error(Errc::corrupt,
                   concat("saved cgroup: ", pair->second, " is not below ", kCgroupRoot));
    bool spare = pair->first.starts_with('?');
    Entry entry{std::string(pair->first.substr(spare ? 1 : 0)), std::string(pair->second)};
    // one that an update has made since is the container's like the others
    if (spare && !sys::exists(entry.path))
      cgroup.spare_.push_back(std::move(entry));
    else
      cgroup.entries_.push_back(std::move(entry));
  }
  return cgroup;
}

std::string Cgroup::save() const {
  std::string out;
  for (const Entry& entry : entries_) out += concat(entry.controllers, "\t", entry.path, "\n");
  for (const Entry& entry : spare_) out += concat("?", entry.controllers, "\t", entry.path, "\n");
  if (!scope_.empty()) out += concat("scope\t", scope_, "\n");
  return out;
}

Cgroup CgroupBuilder::make(std::vector<Cgroup::Entry> entries, std::string scope,
                           std::vector<Cgroup::Entry> spare) {
  Cgroup cgroup;
  cgroup.spare_ = std::move(spare);
  cgroup.entries_ = std::move(entries);
  cgroup.scope_ = std::move(scope);
  return cgroup;
}

Result<std::vector<pid_t>> Cgroup::pids() const {
  std::vector<pid_t> out;
  if (entries_.empty()) return Error(Errc::unsupported, "the container has no cgroup of its own");
  // A process may have left one hierarchy, never all of them unseen: the first that is there is
  // asked.
  for (const Entry& entry : entries_) {
    auto dir = sys::open_dir(entry.path);
    if (!dir) continue;
    TRY(collect_pids(*dir, 0, &out));
    break;
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

Status Cgroup::kill_all(int signal) const {
  if (entries_.empty()) return {};
  if (signal == SIGKILL) {
    for (const Entry& entry : entries_)
      if (entry.controllers.empty() && sys::write_existing(concat(entry.path, "/cgroup.kill"), "1"))
        return {};
  }
  // Until nobody is left who has not got it: a process may fork while we read the list. Frozen ones
  // die only once they are thawed.
  std::vector<pid_t> seen;
  for (int round = 0; round < 100; ++round) {
    auto list = pids();
    if (!list) return {};
    bool fresh = false;
    for (pid_t pid : *list) {
      if (signal != SIGKILL && std::find(seen.begin(), seen.end(), pid) != seen.end()) continue;
      seen.push_back(pid);
      fresh = true;
      ::kill(pid, signal);
    }
    if (!fresh) break;
    if (signal == SIGKILL) {
      ignore(freeze(false), "no freezer: then nothing is frozen");
      sleep_ms(round < 5 ? 1 : 10);
    }
  }
  return {};
}

Status Cgroup::freeze(bool frozen_wanted) const {
  const Entry* v1 = nullptr;
  const Entry* v2 = nullptr;
  for (const Entry& entry : entries_) {
    if (entry_has(entry, "freezer")) v1 = &entry;
    if (entry.controllers.empty()) v2 = &entry;
  }
  if (v1 == nullptr && v2 == nullptr)
    return Error(Errc::unsupported, "pause needs a cgroup with the freezer");
  std::int64_t deadline = monotonic_ns() + 10 * kSecond;
  if (v1 != nullptr) {
    std::string file = concat(v1->path, "/freezer.state");
    std::string_view want = frozen_wanted ? "FROZEN" : "THAWED";
    for (;;) {
      // Written again each time: a fork during freezing leaves the state at FREEZING.
      TRY(sys::write_existing(file, want));
      std::string now = TRY(sys::read_small_file(file, 64));
      if (trim(now) == want) return {};
      if (monotonic_ns() > deadline) break;
      sleep_ms(1);
    }
  } else {
    TRY(sys::write_existing(concat(v2->path, "/cgroup.freeze"), frozen_wanted ? "1" : "0"));
    sys::UniqueFd events = TRY(sys::open(concat(v2->path, "/cgroup.events"), O_RDONLY));
    for (;;) {
      if (::lseek(events.get(), 0, SEEK_SET) < 0)
        return Error::from_errno(errno, "read cgroup.events");
      std::string text = TRY(sys::read_all(events.get(), 4096, "cgroup.events"));
      if (text.find(frozen_wanted ? "frozen 1" : "frozen 0") != std::string::npos) return {};
      if (monotonic_ns() > deadline) break;
      struct pollfd entry {
        events.get(), POLLPRI, 0
      };
      ::poll(&entry, 1, 100);
    }
  }
  if (frozen_wanted) ignore(freeze(false), "best effort: nothing must stay half frozen");
  return Error(Errc::timeout, frozen_wanted ? "some process could not be frozen within 10 seconds"
                                            : "some process could not be thawed within 10 seconds");
}

Result<bool> Cgroup::frozen() const {
  for (const Entry& entry : entries_) {
    if (entry_has(entry, "freezer")) {
      std::string text = TRY(sys::read_small_file(concat(entry.path, "/freezer.state"), 64));
      return trim(text) != "THAWED";
    }
  }
  for (const Entry& entry : entries_) {
    if (!entry.controllers.empty()) continue;
    std::string text = TRY(sys::read_small_file(concat(entry.path, "/cgroup.events"), 4096));
    return text.find("frozen 1") != std::string::npos;
  }
  return false;
}

std::string Cgroup::path() const {
  if (entries_.empty()) return "";
  // "/sys/fs/cgroup/memory/minke/ID" on v1, "/sys/fs/cgroup/minke/ID" on v2.
  std::string rest = entries_[0].path.substr(kCgroupRoot.size());
  if (entries_[0].controllers.empty() && !rest.starts_with("/unified/")) return rest;
  std::size_t slash = rest.find('/', 1);
  return slash == std::string::npos ? "/" : rest.substr(slash);
}

bool Cgroup::try_remove() const {
  if (!scope_.empty()) return false;  // a unit has to go with it
  bool gone = true;
  for (const auto* list : {&entries_, &spare_})
    for (const Entry& entry : *list) gone &= ::rmdir(entry.path.c_str()) == 0 || errno == ENOENT;
  return gone;
}

Status Cgroup::remove() const {
  ErrorList errors;
  // systemd would wait for its own sight of the last process: told, it takes the unit down with the
  // folder.
  if (!scope_.empty()) stop_scope(scope_, served_by_user_systemd());
  for (const auto* list : {&entries_, &spare_})
    for (const Entry& entry : *list) errors.add(remove_folder(entry.path));
  return std::move(errors).to_status();
}

}  // namespace minke::runtime
