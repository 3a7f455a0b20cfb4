// events: what a container's cgroup uses, in runc's JSON (its types/events.go), and its OOM kills.
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include <algorithm>
#include <initializer_list>

#include "base/str.h"
#include "base/time.h"
#include "main/runtime_cli.h"
#include "runtime/cgroup.h"
#include "sys/process.h"

namespace minke::runtime_cli {
namespace {

using json::Object;
using json::Value;
using Entry = runtime::Cgroup::Entry;

constexpr std::uint64_t kNoLimit = UINT64_MAX;  // of v2's "max"

std::string text_of(const std::string& path) { return sys::read_small_file(path).value_or(""); }

// 0 for a file that is not there.
std::uint64_t number_of(const std::string& path) {
  std::string text = text_of(path);
  if (trim(text) == "max") return kNoLimit;
  return parse_uint(trim(text)).value_or(0);
}

std::vector<std::string> parts_of(std::string_view text, char at) {
  std::vector<std::string> parts;
  for (std::string_view part : split(text, at))
    if (!part.empty()) parts.emplace_back(part);
  return parts;
}
std::vector<std::string> words_of(std::string_view line) { return parts_of(line, ' '); }
std::vector<std::string> lines_of(const std::string& path) { return parts_of(text_of(path), '\n'); }

// A file of lines of "name number".
Object pairs_of(const std::string& path) {
  Object out;
  for (const std::string& line : lines_of(path)) {
    auto words = words_of(line);
    if (words.size() == 2) out.append(words[0], parse_uint(words[1]).value_or(0));
  }
  return out;
}
std::uint64_t member(const Object& object, std::string_view name) {
  const Value* value = object.find(name);
  if (value == nullptr) return 0;
  if (const std::uint64_t* large = value->as_uint()) return *large;
  return value->as_int() != nullptr ? static_cast<std::uint64_t>(*value->as_int()) : 0;
}

// Members that are 0 are left out, as Go's omitempty has it.
void set_some(Object* object, std::string_view name, std::uint64_t value) {
  if (value != 0) object->set(name, value);
}

Value cpu_usage(std::uint64_t total, std::uint64_t kernel, std::uint64_t user,
                std::initializer_list<std::pair<const char*, json::Array>> lists) {
  Object usage;
  set_some(&usage, "total", total);
  for (const auto& [name, list] : lists)
    if (!list.empty()) usage.set(name, Value(list));
  usage.set("kernel", kernel);
  usage.set("user", user);
  return Value(std::move(usage));
}

Value throttling(const Object& stat, const char* time, std::uint64_t unit) {
  Object out;
  set_some(&out, "periods", member(stat, "nr_periods"));
  set_some(&out, "throttledPeriods", member(stat, "nr_throttled"));
  set_some(&out, "throttledTime", member(stat, time) * unit);
  return Value(std::move(out));
}

Value cpu_v1(const std::string& account, const std::string& cpu) {
  Object stat = pairs_of(account + "/cpuacct.stat");
  auto tick = static_cast<std::uint64_t>(1'000'000'000 / ::sysconf(_SC_CLK_TCK));
  json::Array all, user, kernel;
  for (const std::string& word : words_of(trim(text_of(account + "/cpuacct.usage_percpu"))))
    all.push_back(Value(parse_uint(word).value_or(0)));
  for (const std::string& line : lines_of(account + "/cpuacct.usage_all")) {
    auto words = words_of(line);  // "cpu user system"
    if (words.size() != 3 || !parse_uint(words[0])) continue;
    user.push_back(Value(parse_uint(words[1]).value_or(0)));
    kernel.push_back(Value(parse_uint(words[2]).value_or(0)));
  }
  Object out;
  out.set("usage", cpu_usage(number_of(account + "/cpuacct.usage"), member(stat, "system") * tick,
                             member(stat, "user") * tick,
                             {{"percpu", all}, {"percpu_kernel", kernel}, {"percpu_user", user}}));
  out.set("throttling", throttling(pairs_of(cpu + "/cpu.stat"), "throttled_time", 1));
  return Value(std::move(out));
}

Value cpu_v2(const std::string& path) {
  Object stat = pairs_of(path + "/cpu.stat");
  Object out;
  out.set("usage", cpu_usage(member(stat, "usage_usec") * 1000, member(stat, "system_usec") * 1000,
                             member(stat, "user_usec") * 1000, {}));
  out.set("throttling", throttling(stat, "throttled_usec", 1000));
  return Value(std::move(out));
}

Value numbers_in(const std::string& list) {
  json::Array out;
  for (std::string_view range : split(trim(list), ',')) {
    auto ends = split_once(range, '-');
    auto first = parse_uint(ends ? ends->first : range);
    auto last = ends ? parse_uint(ends->second) : first;
    if (!first || !last || *last > 65535) continue;
    for (std::uint64_t n = *first; n <= *last; ++n) out.push_back(Value(n));
  }
  return Value(std::move(out));
}

Value cpuset(const std::string& path) {  // "" on v2, where runc tells nothing
  Object out;
  if (!path.empty()) out.set("cpus", numbers_in(text_of(path + "/cpuset.cpus")));
  out.set("cpu_exclusive", number_of(path + "/cpuset.cpu_exclusive"));
  if (!path.empty()) out.set("mems", numbers_in(text_of(path + "/cpuset.mems")));
  for (const char* name : {"mem_hardwall", "mem_exclusive", "memory_migrate", "memory_spread_page",
                           "memory_spread_slab", "memory_pressure", "sched_load_balance"})
    out.set(name, path.empty() ? 0 : number_of(concat(path, "/cpuset.", name)));
  std::string level = path.empty() ? "" : text_of(path + "/cpuset.sched_relax_domain_level");
  out.set("sched_relax_domain_level", parse_int(trim(level)).value_or(0));
  return Value(std::move(out));
}

Value memory_entry(std::uint64_t limit, std::uint64_t usage, std::uint64_t max,
                   std::uint64_t failed) {
  Object out;
  out.set("limit", limit);
  set_some(&out, "usage", usage);
  set_some(&out, "max", max);
  out.set("failcnt", failed);
  return Value(std::move(out));
}

Value memory_of(Value usage, Value swap, Value kernel, Value tcp, Object raw, const char* cache) {
  Object out;
  set_some(&out, "cache", member(raw, cache));
  out.set("usage", std::move(usage));
  out.set("swap", std::move(swap));
  out.set("kernel", std::move(kernel));
  out.set("kernelTCP", std::move(tcp));
  out.set("raw", Value(std::move(raw)));
  return Value(std::move(out));
}

Value memory_v1(const std::string& path) {
  auto entry = [&](const char* kind) {
    auto file = [&](const char* name) {
      return number_of(concat(path, "/memory.", kind, *kind == 0 ? "" : ".", name));
    };
    return memory_entry(file("limit_in_bytes"), file("usage_in_bytes"), file("max_usage_in_bytes"),
                        file("failcnt"));
  };
  return memory_of(entry(""), entry("memsw"), entry("kmem"), entry("kmem.tcp"),
                   pairs_of(path + "/memory.stat"), "cache");
}

// Swap is told together with memory, as v1 has it.
Value memory_v2(const std::string& path) {
  auto file = [&](const char* name) { return number_of(concat(path, "/memory.", name)); };
  std::uint64_t limit = file("max"), usage = file("current"), swap = file("swap.max");
  return memory_of(memory_entry(limit, usage, 0, member(pairs_of(path + "/memory.events"), "max")),
                   memory_entry(swap == kNoLimit || limit == kNoLimit ? kNoLimit : swap + limit,
                                usage + file("swap.current"), 0, 0),
                   memory_entry(0, 0, 0, 0), memory_entry(0, 0, 0, 0),
                   pairs_of(path + "/memory.stat"), "file");
}

void add_block(json::Array* list, std::string_view device, std::string_view what,
               std::uint64_t value) {
  auto numbers = split_once(device, ':');
  if (!numbers) return;
  Object one;
  set_some(&one, "major", parse_uint(numbers->first).value_or(0));
  set_some(&one, "minor", parse_uint(numbers->second).value_or(0));
  if (!what.empty()) one.set("op", what);
  set_some(&one, "value", value);
  list->push_back(Value(std::move(one)));
}

void set_list(Object* object, const char* name, json::Array list) {
  if (!list.empty()) object->set(name, Value(std::move(list)));
}

// Of the scheduler that counts, or else of the throttling that always does.
Value blkio_v1(const std::string& path) {
  auto read = [&](const std::string& file) {
    json::Array list;
    for (const std::string& line : lines_of(concat(path, "/blkio.", file))) {
      auto words = words_of(line);  // "8:0 Read 4096", "8:0 4096", "Total 4096"
      if (words.size() == 3) add_block(&list, words[0], words[1], parse_uint(words[2]).value_or(0));
      if (words.size() == 2 && words[0] != "Total")
        add_block(&list, words[0], "", parse_uint(words[1]).value_or(0));
    }
    return list;
  };
  Object out;
  for (const auto& [name, file] : std::initializer_list<std::pair<const char*, const char*>>{
           {"ioServiceBytesRecursive", "io_service_bytes"},
           {"ioServicedRecursive", "io_serviced"},
           {"ioQueueRecursive", "io_queued"},
           {"ioServiceTimeRecursive", "io_service_time"},
           {"ioWaitTimeRecursive", "io_wait_time"},
           {"ioMergedRecursive", "io_merged"},
           {"ioTimeRecursive", "time"},
           {"sectorsRecursive", "sectors"}}) {
    json::Array list;
    for (const char* by : {"bfq.", "", "throttle."})
      if (list.empty()) list = read(concat(by, file, "_recursive"));
    set_list(&out, name, std::move(list));
  }
  return Value(std::move(out));
}

Value blkio_v2(const std::string& path) {
  json::Array bytes, operations;
  for (const std::string& line : lines_of(path + "/io.stat")) {
    auto words = words_of(line);  // "8:0 rbytes=4096 wbytes=0 rios=1 wios=0 ..."
    for (const std::string& word : words) {
      auto pair = split_once(word, '=');
      if (!pair) continue;
      std::uint64_t value = parse_uint(pair->second).value_or(0);
      if (pair->first == "rbytes") add_block(&bytes, words[0], "Read", value);
      if (pair->first == "wbytes") add_block(&bytes, words[0], "Write", value);
      if (pair->first == "rios") add_block(&operations, words[0], "Read", value);
      if (pair->first == "wios") add_block(&operations, words[0], "Write", value);
    }
  }
  Object out;
  set_list(&out, "ioServiceBytesRecursive", std::move(bytes));
  set_list(&out, "ioServicedRecursive", std::move(operations));
  return Value(std::move(out));
}

Value pids_of(const std::string& path) {
  Object out;
  set_some(&out, "current", number_of(path + "/pids.current"));
  std::uint64_t limit = number_of(path + "/pids.max");
  set_some(&out, "limit", limit == kNoLimit ? 0 : limit);
  return Value(std::move(out));
}

// hugetlb.2MB.max and the like say which sizes there are.
Value hugetlb_of(const std::string& path, bool v2) {
  Object out;
  auto pages = sys::open_dir("/sys/kernel/mm/hugepages");
  auto sizes = pages ? sys::list_dir(*pages) : Result<std::vector<std::string>>(pages.error());
  if (!sizes) return Value(std::move(out));
  for (const std::string& folder : *sizes) {  // "hugepages-2048kB"
    constexpr std::string_view kBegin = "hugepages-", kEnd = "kB";
    if (!folder.starts_with(kBegin) || !folder.ends_with(kEnd)) continue;
    auto kib = parse_uint(std::string_view(folder).substr(
        kBegin.size(), folder.size() - kBegin.size() - kEnd.size()));
    if (!kib) continue;
    std::string size = *kib >= 1 << 20   ? concat(*kib >> 20, "GB")
                       : *kib >= 1 << 10 ? concat(*kib >> 10, "MB")
                                         : concat(*kib, "KB");
    std::string file = concat(path, "/hugetlb.", size);
    if (!sys::exists(file + (v2 ? ".current" : ".usage_in_bytes"))) continue;
    Object one;
    set_some(&one, "usage", number_of(file + (v2 ? ".current" : ".usage_in_bytes")));
    if (!v2) set_some(&one, "max", number_of(file + ".max_usage_in_bytes"));
    one.set("failcnt",
            v2 ? member(pairs_of(file + ".events"), "max") : number_of(file + ".failcnt"));
    out.set(size, Value(std::move(one)));
  }
  return Value(std::move(out));
}

Value stats_of(const Record& record, const runtime::Cgroup& cgroup) {
  const std::vector<Entry>& entries = cgroup.entries();
  const bool v2 = !entries.empty() && entries[0].controllers.empty();
  auto path = [&](std::string_view controller) -> std::string {
    for (const Entry& entry : entries)
      for (std::string_view one : split(entry.controllers, ','))
        if (v2 || one == controller) return entry.path;
    return "/nonexistent";
  };
  const std::string cpuset_path = path("cpuset");
  Object data;
  data.set("cpu", v2 ? cpu_v2(path("cpu")) : cpu_v1(path("cpuacct"), path("cpu")));
  data.set("cpuset", cpuset(v2 || !sys::exists(cpuset_path) ? "" : cpuset_path));
  data.set("memory", v2 ? memory_v2(path("memory")) : memory_v1(path("memory")));
  data.set("pids", pids_of(path("pids")));
  data.set("blkio", v2 ? blkio_v2(path("io")) : blkio_v1(path("blkio")));
  data.set("hugetlb", hugetlb_of(path("hugetlb"), v2));
  data.set("intel_rdt", Value(Object()));
  data.set("network_interfaces", Value());
  Object out;
  out.set("type", "stats");
  out.set("id", record.id);
  out.set("data", Value(std::move(data)));
  return Value(std::move(out));
}

void print_line(const Value& value) {
  ::printf("%s\n", json::dump(value).c_str());
  ::fflush(stdout);
}

// Until the container ends.
Status follow(const Record& record, const runtime::Cgroup& cgroup, std::int64_t interval_ms) {
  sys::Pidfd init = TRY(sys::Pidfd::open(record.handle.pid, record.handle.start_time));
  sys::UniqueFd oom;
  if (auto fd = cgroup.oom_event_fd()) oom.reset(*fd);
  std::uint64_t kills = cgroup.oom_kills().value_or(0);
  for (;;) {
    struct pollfd polls[2] = {{init.get(), POLLIN, 0}, {oom.get(), POLLIN | POLLPRI, 0}};
    if (::poll(polls, 2, static_cast<int>(interval_ms)) < 0 && errno != EINTR)
      return Error::from_errno(errno, "poll");
    if (polls[0].revents != 0) return {};
    if (polls[1].revents == 0) {
      print_line(stats_of(record, cgroup));
      continue;
    }
    char drain[4096];
    if (::read(oom.get(), drain, sizeof drain) < 0 && errno != EAGAIN)
      return Error::from_errno(errno, "read OOM events");
    std::uint64_t now_kills = cgroup.oom_kills().value_or(0);
    Object event;
    event.set("type", "oom");
    event.set("id", record.id);
    if (now_kills > kills) print_line(Value(std::move(event)));
    kills = now_kills;
  }
}

}  // namespace

Result<int> run_events(const Global& g, const Arguments& a) {
  if (a.words.size() != 1) return Error(Errc::invalid_argument, "events: one ID expected");
  Store store(g.root);
  Record record = TRY(store.load(a.words[0]));
  runtime::Cgroup cgroup = TRY(runtime::Cgroup::open(record.handle.cgroup));
  auto interval = parse_duration(a.get("interval", "5s"));
  if (!interval || *interval <= 0)
    return Error(Errc::invalid_argument, "--interval: not a duration");
  if (store.status(record) == "stopped")
    return Error(Errc::conflict, concat("container ", record.id, " is not running"));
  if (cgroup.entries().empty())
    return Error(Errc::unsupported, "the container has no cgroup of its own");
  if (a.has("stats"))
    print_line(stats_of(record, cgroup));
  else
    TRY(follow(record, cgroup, *interval / 1'000'000));
  return 0;
}

}  // namespace minke::runtime_cli
