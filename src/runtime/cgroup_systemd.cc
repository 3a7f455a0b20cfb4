#include "runtime/cgroup_systemd.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/str.h"
#include "base/time.h"
#include "runtime/dbus.h"
#include "sys/fd.h"

namespace minke::runtime {
namespace {

constexpr const char* kPath = "/org/freedesktop/systemd1";
constexpr const char* kManager = "org.freedesktop.systemd1.Manager";

class Properties {
 public:
  explicit Properties(DbusWriter* w) : w_(w) {}
  void text(std::string_view name, std::string_view value) { begin(name, "s"), w_->text(value); }
  void flag(std::string_view name, bool value) { begin(name, "b"), w_->u32(value ? 1 : 0); }
  void number(std::string_view name, std::uint64_t value) { begin(name, "t"), w_->u64(value); }
  void pids(std::string_view name, pid_t pid) {
    begin(name, "au");
    std::size_t mark = w_->begin_array(4);
    w_->u32(static_cast<std::uint32_t>(pid));
    w_->end_array(mark);
  }
  // A set of numbers as systemd takes it: bit N % 8 of byte N / 8.
  void set(std::string_view name, std::string_view bytes) {
    begin(name, "ay");
    std::size_t mark = w_->begin_array(1);
    for (char c : bytes) w_->byte(static_cast<std::uint8_t>(c));
    w_->end_array(mark);
  }

 private:
  void begin(std::string_view name, std::string_view type) {
    w_->align(8);
    w_->text(name);
    w_->signature(type);
  }
  DbusWriter* w_;
};

// "0-3,7" as a bit set; empty when it is no such list (the kernel then says so).
std::string list_bits(std::string_view list) {
  std::string bits;
  for (std::string_view item : split(trim(list), ',')) {
    auto pair = split_once(item, '-');
    auto first = parse_uint(pair ? pair->first : item);
    auto last = pair ? parse_uint(pair->second) : first;
    if (!first || !last || *last < *first || *last > 65535) return "";
    for (std::uint64_t n = *first; n <= *last; ++n) {
      if (bits.size() <= n / 8) bits.resize(n / 8 + 1);
      bits[n / 8] = static_cast<char>(static_cast<unsigned char>(bits[n / 8]) | (1U << (n % 8)));
    }
  }
  return bits;
}

// Limits that systemd manages itself are told to it, or a later daemon-reload would put its own
// idea back.
void add_limits(const oci::Resources& r, Properties* p) {
  constexpr std::uint64_t kInfinity = UINT64_MAX;
  auto bytes = [&](std::int64_t v) { return v < 0 ? kInfinity : static_cast<std::uint64_t>(v); };
  if (r.memory && r.memory->limit && *r.memory->limit != 0) {
    p->number("MemoryMax", bytes(*r.memory->limit));
    if (r.memory->swap && *r.memory->swap != 0)
      p->number("MemorySwapMax", *r.memory->swap < 0 ? kInfinity
                                                     : bytes(std::max<std::int64_t>(
                                                           0, *r.memory->swap - *r.memory->limit)));
  }
  if (r.memory && r.memory->reservation && *r.memory->reservation != 0)
    p->number("MemoryLow", bytes(*r.memory->reservation));
  if (r.cpu && r.cpu->shares && *r.cpu->shares != 0) {
    std::uint64_t shares = std::clamp<std::uint64_t>(*r.cpu->shares, 2, 262144);
    p->number("CPUWeight", 1 + (shares - 2) * 9999 / 262142);
  }
  if (r.cpu && r.cpu->quota && *r.cpu->quota != 0) {
    std::uint64_t period = r.cpu->period.value_or(0) != 0 ? *r.cpu->period : 100000;
    // Microseconds of a second, in steps of 10 ms as systemd keeps it.
    std::uint64_t per_second = *r.cpu->quota < 0
                                   ? kInfinity
                                   : static_cast<std::uint64_t>(*r.cpu->quota) * 1000000 / period;
    if (*r.cpu->quota > 0 && per_second % 10000 != 0) per_second = (per_second / 10000 + 1) * 10000;
    p->number("CPUQuotaPerSecUSec", per_second);
  }
  if (r.cpu && !r.cpu->cpus.empty()) p->set("AllowedCPUs", list_bits(r.cpu->cpus));
  if (r.cpu && !r.cpu->mems.empty()) p->set("AllowedMemoryNodes", list_bits(r.cpu->mems));
  if (r.pids && r.pids->limit != 0) p->number("TasksMax", bytes(r.pids->limit));
}

std::string start_body(const ScopeName& name, const std::string& id, pid_t pid,
                       const oci::Resources* resources) {
  DbusWriter w;
  w.text(name.unit);
  w.text("replace");
  std::size_t mark = w.begin_array(8);
  Properties p(&w);
  p.text("Description", concat("container ", id));
  if (!name.slice.empty()) p.text("Slice", name.slice);
  p.pids("PIDs", pid);
  p.flag("Delegate", true);
  p.flag("DefaultDependencies", false);
  // Without this a container that ended by a signal leaves its unit behind.
  p.text("CollectMode", "inactive-or-failed");
  for (const char* accounting :
       {"MemoryAccounting", "CPUAccounting", "TasksAccounting", "IOAccounting"})
    p.flag(accounting, true);
  if (resources != nullptr) add_limits(*resources, &p);
  w.end_array(mark);
  w.end_array(w.begin_array(8));  // no auxiliary units
  return w.data();
}

std::string cgroup_of(pid_t pid) {
  auto text = sys::read_small_file(concat("/proc/", pid, "/cgroup"));
  if (text)
    for (std::string_view line : split(*text, '\n'))
      if (line.starts_with("0::")) return std::string(line.substr(3));
  return "";
}

}  // namespace

Result<ScopeName> parse_scope_name(const std::string& cgroups_path, const std::string& id) {
  ScopeName name;
  if (cgroups_path.empty()) {
    name.unit = concat("minke-", id, ".scope");
    return name;
  }
  std::vector<std::string_view> parts = split(cgroups_path, ':');
  if (parts.size() != 3)
    return Error(Errc::invalid_argument, concat("linux.cgroupsPath: ", quote(cgroups_path),
                                                " must be SLICE:PREFIX:NAME with systemd cgroups"));
  name.slice = parts[0];
  if (!name.slice.empty() && !name.slice.ends_with(".slice"))
    return Error(Errc::invalid_argument,
                 concat("linux.cgroupsPath: ", quote(name.slice), " is no slice"));
  if (parts[2].ends_with(".slice") || parts[2].ends_with(".scope"))
    name.unit = parts[2];
  else
    name.unit =
        parts[1].empty() ? concat(parts[2], ".scope") : concat(parts[1], "-", parts[2], ".scope");
  if (name.unit.ends_with(".slice"))
    return Error(Errc::unsupported, "linux.cgroupsPath: a container cannot be a slice of its own");
  if (name.unit.find('/') != std::string::npos)
    return Error(Errc::invalid_argument,
                 concat("linux.cgroupsPath: ", quote(name.unit), " is no unit"));
  return name;
}

Result<std::string> start_scope(const ScopeName& name, const std::string& id, pid_t pid, bool user,
                                const oci::Resources* resources) {
  DbusConnection bus = TRY(DbusConnection::open(user));
  // Signals are sent to those only who ask; the match is made first, so that the answer cannot be
  // missed.
  DbusWriter match;
  match.text("type='signal',interface='org.freedesktop.systemd1.Manager',member='JobRemoved'");
  TRY(bus.call("/org/freedesktop/DBus", "org.freedesktop.DBus", "AddMatch", "s", match.data()));
  TRY(bus.call(kPath, kManager, "Subscribe", "", ""));
  DbusMessage answer = TRY_CTX(bus.call(kPath, kManager, "StartTransientUnit", "ssa(sv)a(sa(sv))",
                                        start_body(name, id, pid, resources)),
                               concat("scope ", name.unit));
  std::string job = DbusReader(answer.body).text();
  for (;;) {
    DbusMessage signal = TRY_CTX(bus.wait_signal("JobRemoved"), concat("scope ", name.unit));
    DbusReader body(signal.body);  // id, job, unit, result
    body.u32();
    if (body.text() != job) continue;
    body.text();
    std::string result = body.text();
    if (result != "done")
      return Error(Errc::unavailable, concat("scope ", name.unit, ": systemd says ", result));
    break;
  }
  std::string path = cgroup_of(pid);
  if (!path.ends_with(name.unit))
    return Error(Errc::internal, concat("scope ", name.unit, ": the process is in ", path));
  return path;
}

Status update_scope(const std::string& unit, bool user, const oci::Resources& resources) {
  DbusConnection bus = TRY(DbusConnection::open(user));
  DbusWriter w;
  w.text(unit);
  w.u32(1);  // for as long as the unit runs
  std::size_t mark = w.begin_array(8);
  Properties p(&w);
  add_limits(resources, &p);
  w.end_array(mark);
  TRY_CTX(bus.call(kPath, kManager, "SetUnitProperties", "sba(sv)", w.data()),
          concat("scope ", unit));
  return {};
}

void stop_scope(const std::string& unit, bool user) {
  auto bus = DbusConnection::open(user);
  if (!bus) return;
  DbusWriter stop;
  stop.text(unit);
  stop.text("replace");
  ignore(bus->call(kPath, kManager, "StopUnit", "ss", stop.data()),
         "it is gone already, as it should be");
}

bool served_by_user_systemd() {
  struct stat st {};
  constexpr ino_t kInitUserNamespace = 0xEFFFFFFD;
  return ::geteuid() != 0 || ::stat("/proc/self/ns/user", &st) < 0 ||
         st.st_ino != kInitUserNamespace;
}

}  // namespace minke::runtime
