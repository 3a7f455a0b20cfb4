// state, kill, delete, list, ps, pause, resume, update.
#include <regex.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/str.h"
#include "main/runtime_cli.h"
#include "runtime/cgroup.h"
#include "runtime/keep.h"
#include "runtime/resctrl.h"
#include "sys/process.h"

namespace minke::runtime_cli {
namespace {

Result<Record> load_one(const Store& store, const Arguments& a) {
  if (a.words.size() != 1)
    return Error(Errc::invalid_argument, a.words.empty()
                                             ? "the container's id is missing"
                                             : concat("too many arguments: ", a.words[1]));
  return store.load(a.words[0]);
}

struct FullState {  // runc's `state`: the specification's members and some of its own
  std::string oci_version = "1.2.0", id, status, bundle, rootfs, created, owner;
  std::int32_t pid = 0;
  oci::StringMap annotations;
};
void bind(json::Binder& b, FullState& s) {
  b.required("ociVersion", s.oci_version);
  b.required("id", s.id);
  b.required("pid", s.pid);
  b.required("status", s.status);
  b.required("bundle", s.bundle);
  b.required("rootfs", s.rootfs);
  b.required("created", s.created);
  b("annotations", s.annotations);
  b.required("owner", s.owner);
}

FullState full_state(const Store& store, const Record& r) {
  FullState s;
  s.id = r.id;
  s.status = store.status(r);
  s.bundle = r.bundle;
  s.created = r.created;
  s.owner = r.owner;
  s.pid = s.status == "stopped" ? 0 : r.handle.pid;
  if (auto spec = store.load_spec(r)) {
    const std::string& path = spec->root->path;
    s.rootfs = path[0] == '/' ? path : concat(r.bundle, "/", path);
    s.annotations = spec->annotations;
    s.oci_version = spec->oci_version;
  }
  return s;
}

void print_json(const json::Value& value, int indent) {
  ::printf("%s\n", json::dump(value, indent).c_str());
}

// From /etc/passwd alone: a static program has no name service.
std::string user_name(uid_t uid) {
  auto text = sys::read_small_file("/etc/passwd");
  if (text)
    for (std::string_view line : split(*text, '\n')) {
      auto fields = split(line, ':');
      if (fields.size() > 2 && parse_uint(fields[2]) == uid) return std::string(fields[0]);
    }
  return concat("#", uid);
}

Result<runtime::Cgroup> cgroup_of(const Record& r) {
  return runtime::Cgroup::open(r.handle.cgroup);
}

}  // namespace

Result<int> run_state(const Global& g, const Arguments& a) {
  Store store(g.root);
  Record record = TRY(load_one(store, a));
  print_json(json::to_value(full_state(store, record)), 2);
  return 0;
}

namespace {

// The ids that --regex means; POSIX extended, found anywhere as crun does it.
Result<std::vector<std::string>> ids_like(const Store& store, const std::string& pattern) {
  regex_t compiled;
  if (::regcomp(&compiled, pattern.c_str(), REG_EXTENDED | REG_NOSUB) != 0)
    return Error(Errc::invalid_argument, concat("invalid regular expression ", quote(pattern)));
  std::vector<std::string> ids;
  if (auto all = store.list())
    for (std::string& id : *all)
      if (::regexec(&compiled, id.c_str(), 0, nullptr, 0) == 0) ids.push_back(std::move(id));
  ::regfree(&compiled);
  return ids;
}

Status kill_one(const Record& record, int signal, bool all) {
  runtime::Cgroup cgroup = TRY(cgroup_of(record));
  if (all) {
    TRY(cgroup.kill_all(signal));
    if (!cgroup.entries().empty()) return {};
  }
  auto init = sys::Pidfd::open(record.handle.pid, record.handle.start_time);
  if (!init) {
    if (all) return {};
    // The words that other engines look for.
    return Error(Errc::not_found,
                 concat("container ", record.id, " not running: kill: No such process"));
  }
  return init->kill(signal);
}

}  // namespace

Result<int> run_kill(const Global& g, const Arguments& a) {
  if (a.words.empty() || a.words.size() > 2)
    return Error(Errc::invalid_argument, "kill: ID [SIGNAL] expected");
  Store store(g.root);
  std::string name = a.words.size() > 1 ? a.words[1] : "SIGTERM";
  // 0 asks only whether it is there.
  auto signal = name == "0" ? std::optional<int>(0) : sys::parse_signal(name);
  if (!signal) return Error(Errc::invalid_argument, concat("unknown signal ", quote(name)));
  if (!a.has("regex")) {
    Record record = TRY(store.load(a.words[0]));
    TRY(kill_one(record, *signal, a.has("all")));
    return 0;
  }
  ErrorList errors;
  for (const std::string& id : TRY(ids_like(store, a.words[0]))) {
    auto record = store.load(id);
    // One that does not run, or is gone by now, is not meant.
    if (!record || store.status(*record) == "stopped") continue;
    errors.add(kill_one(*record, *signal, a.has("all")));
  }
  TRY(std::move(errors).to_status());
  return 0;
}

namespace {

// What a create that was killed before it recorded its container has left: its init has ended with
// it (runtime/keep.h), or is about to. As runc does it, the id is free afterwards, and whoever
// removed it is told that there was none.
void clear_unrecorded(const Global& g, const std::string& id, const Store& store) {
  auto text = sys::read_small_file(concat(store.folder(id), "/config.json"));
  if (text) {
    auto manager = g.cgroup_manager == "cgroupfs" ? runtime::CgroupManager::cgroupfs
                                                  : runtime::CgroupManager::disabled;
    if (auto spec = oci::parse_spec(*text))
      runtime::clear_unkept(concat(store.folder(id), "/start"), id, *spec, manager);
  }
  ignore(store.remove(id), "nothing is there, most often");
}

Status delete_one(const Global& g, const Store& store, const std::string& id, bool force) {
  auto record = store.load(id);
  if (!record) {
    if (record.error().code() != Errc::not_found) return std::move(record.error());
    clear_unrecorded(g, id, store);
    return force ? Status() : Status(std::move(record.error()));
  }
  std::string status = store.status(*record);
  if (status != "stopped") {
    if (!force && status != "created")
      return Error(Errc::conflict, concat("cannot delete container ", record->id,
                                          " that is not stopped: ", status));
    if (auto init = sys::Pidfd::open(record->handle.pid, record->handle.start_time)) {
      ignore(init->kill(SIGKILL), "it may have died just now");
      if (auto cgroup = cgroup_of(*record))
        ignore(cgroup->freeze(false), "only a frozen one needs it");
      bool ended = TRY(init->wait_exit(10000));
      if (!ended)
        return Error(Errc::timeout, concat("container ", record->id, ": init does not die"));
    }
  }
  return delete_container(store, *record);
}

}  // namespace

Result<int> run_delete(const Global& g, const Arguments& a) {
  if (a.words.size() != 1) return Error(Errc::invalid_argument, "delete: one ID expected");
  Store store(g.root);
  if (!a.has("regex")) {
    TRY(delete_one(g, store, a.words[0], a.has("force")));
    return 0;
  }
  ErrorList errors;
  for (const std::string& id : TRY(ids_like(store, a.words[0])))
    errors.add(delete_one(g, store, id, a.has("force")));
  TRY(std::move(errors).to_status());
  return 0;
}

Result<int> run_list(const Global& g, const Arguments& a) {
  Store store(g.root);
  std::vector<std::string> ids = TRY(store.list());
  std::vector<FullState> states;
  for (const std::string& id : ids) {
    auto record = store.load(id);
    if (!record) continue;  // being made or removed
    FullState s = full_state(store, *record);
    struct stat st;
    if (::stat(store.folder(id).c_str(), &st) == 0) {
      s.owner = user_name(st.st_uid);
    }
    states.push_back(std::move(s));
  }
  if (a.has("quiet")) {
    for (const FullState& s : states) ::printf("%s\n", s.id.c_str());
    return 0;
  }
  std::string format = a.get("format", "table");
  if (format == "json") {
    json::Array list;
    for (const FullState& s : states) list.push_back(json::to_value(s));
    print_json(json::Value(std::move(list)), 0);
    return 0;
  }
  if (format != "table")
    return Error(Errc::invalid_argument, concat("unknown format ", quote(format)));
  std::vector<std::vector<std::string>> rows = {
      {"ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"}};
  for (const FullState& s : states)
    rows.push_back({s.id, concat(s.pid), s.status, s.bundle, s.created, s.owner});
  std::vector<std::size_t> widths(rows[0].size(), 12);
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size() + 1);
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i)
      line +=
          i + 1 < row.size() ? concat(row[i], std::string(widths[i] - row[i].size(), ' ')) : row[i];
    ::printf("%s\n", line.c_str());
  }
  return 0;
}

Result<int> run_ps(const Global& g, const Arguments& a) {
  if (a.words.empty()) return Error(Errc::invalid_argument, "the container's id is missing");
  Store store(g.root);
  Record record = TRY(store.load(a.words[0]));
  runtime::Cgroup cgroup = TRY(cgroup_of(record));
  std::vector<pid_t> pids = TRY(cgroup.pids());
  std::string format = a.get("format", "table");
  if (format == "json") {
    json::Array list;
    for (pid_t pid : pids) list.push_back(json::Value(pid));
    print_json(json::Value(std::move(list)), 0);
    return 0;
  }
  if (format != "table")
    return Error(Errc::invalid_argument, concat("unknown format ", quote(format)));
  // The host's ps, never one of the container.
  std::vector<std::string> argv = {"ps"};
  if (a.words.size() > 1)
    argv.insert(argv.end(), a.words.begin() + 1, a.words.end());
  else
    argv.push_back("-ef");
  auto [reader, writer] = TRY(sys::make_pipe());
  sys::SpawnOptions options;
  options.path = "/usr/bin/ps";
  options.argv = argv;
  options.stdio[0] = -2;
  options.stdio[1] = writer.get();
  sys::Spawned child = TRY(sys::spawn(options));
  writer.reset();
  std::string text = TRY(sys::read_all(reader.get(), 64 << 20, "ps"));
  TRY(sys::wait_pid(child.pid));
  std::vector<std::string_view> lines = split(text, '\n');
  if (lines.empty()) return 0;
  // The column named PID says which lines are ours.
  auto words = [](std::string_view line) {
    std::vector<std::string_view> out;
    for (std::string_view word : split(line, ' '))
      if (!word.empty()) out.push_back(word);
    return out;
  };
  std::vector<std::string_view> head = words(lines[0]);
  auto column = std::find(head.begin(), head.end(), "PID") - head.begin();
  if (static_cast<std::size_t>(column) == head.size())
    return Error(Errc::invalid_argument, "ps: no column PID in its output");
  ::printf("%s\n", std::string(lines[0]).c_str());
  for (std::size_t i = 1; i < lines.size(); ++i) {
    std::vector<std::string_view> row = words(lines[i]);
    if (row.size() <= static_cast<std::size_t>(column)) continue;
    auto pid = parse_int(row[static_cast<std::size_t>(column)]);
    if (pid && std::find(pids.begin(), pids.end(), *pid) != pids.end())
      ::printf("%s\n", std::string(lines[i]).c_str());
  }
  return 0;
}

namespace {

Result<int> set_frozen(const Global& g, const Arguments& a, bool frozen) {
  Store store(g.root);
  Record record = TRY(load_one(store, a));
  std::string status = store.status(record);
  if (frozen ? status != "running" && status != "created" : status != "paused")
    return Error(Errc::conflict, concat("container ", record.id, " is ", status));
  runtime::Cgroup cgroup = TRY(cgroup_of(record));
  TRY(cgroup.freeze(frozen));
  return 0;
}

}  // namespace

Result<int> run_pause(const Global& g, const Arguments& a) { return set_frozen(g, a, true); }
Result<int> run_resume(const Global& g, const Arguments& a) { return set_frozen(g, a, false); }

namespace {

// "100", "64m" (binary units), "-1".
Result<std::int64_t> parse_bytes(const Arguments& a, const std::string& name) {
  std::string text = a.get(name);
  std::int64_t factor = 1;
  std::string digits = to_lower(text);
  if (digits.ends_with("b") && digits.size() > 1) digits.pop_back();
  if (!digits.empty()) {
    std::size_t unit = std::string_view("kmgt").find(digits.back());
    if (unit != std::string_view::npos) {
      for (std::size_t i = 0; i <= unit; ++i) factor *= 1024;
      digits.pop_back();
    }
  }
  auto value = parse_int(digits);
  if (!value || *value > INT64_MAX / factor)
    return Error(Errc::invalid_argument, concat("--", name, " ", quote(text), ": not a number"));
  return *value * factor;
}

Result<std::uint64_t> parse_number(const Arguments& a, const std::string& name) {
  auto value = parse_uint(a.get(name));
  if (!value)
    return Error(Errc::invalid_argument,
                 concat("--", name, " ", quote(a.get(name)), ": not a number"));
  return *value;
}

Status read_flags(const Arguments& a, oci::Resources* r) {
  auto memory = [&]() -> oci::Memory& { return r->memory ? *r->memory : r->memory.emplace(); };
  auto cpu = [&]() -> oci::Cpu& { return r->cpu ? *r->cpu : r->cpu.emplace(); };
  if (a.has("memory")) memory().limit = TRY(parse_bytes(a, "memory"));
  if (a.has("memory-reservation")) memory().reservation = TRY(parse_bytes(a, "memory-reservation"));
  if (a.has("memory-swap")) memory().swap = TRY(parse_bytes(a, "memory-swap"));
  if (a.has("cpu-period")) cpu().period = TRY(parse_number(a, "cpu-period"));
  if (a.has("cpu-quota")) cpu().quota = TRY(parse_bytes(a, "cpu-quota"));
  if (a.has("cpu-burst")) cpu().burst = TRY(parse_number(a, "cpu-burst"));
  if (a.has("cpu-share")) cpu().shares = TRY(parse_number(a, "cpu-share"));
  if (a.has("cpu-idle")) cpu().idle = TRY(parse_bytes(a, "cpu-idle"));
  if (a.has("cpu-rt-period")) cpu().realtime_period = TRY(parse_number(a, "cpu-rt-period"));
  if (a.has("cpu-rt-runtime")) cpu().realtime_runtime = TRY(parse_bytes(a, "cpu-rt-runtime"));
  if (a.has("cpuset-cpus")) cpu().cpus = a.get("cpuset-cpus");
  if (a.has("cpuset-mems")) cpu().mems = a.get("cpuset-mems");
  if (a.has("blkio-weight")) {
    std::uint64_t weight = TRY(parse_number(a, "blkio-weight"));
    if (weight > 65535) return Error(Errc::invalid_argument, "--blkio-weight: too large");
    r->block_io.emplace().weight = static_cast<std::uint16_t>(weight);
  }
  if (a.has("pids-limit")) r->pids.emplace().limit = TRY(parse_bytes(a, "pids-limit"));
  return {};
}

}  // namespace

Result<int> run_update(const Global& g, const Arguments& a) {
  Store store(g.root);
  Record record = TRY(load_one(store, a));
  if (store.status(record) == "stopped")
    return Error(Errc::conflict, concat("container ", record.id, " is not running"));
  for (const char* gone : {"kernel-memory", "kernel-memory-tcp"})
    if (a.has(gone))
      return Error(Errc::unsupported,
                   concat("--", gone, ": Linux has no limit of kernel memory any more"));
  oci::IntelRdt rdt;
  rdt.l3_cache_schema = a.get("l3-cache-schema");
  rdt.mem_bw_schema = a.get("mem-bw-schema");
  oci::Resources resources;
  if (a.has("resources")) {
    std::string file = a.get("resources");
    std::string text = file == "-" ? TRY(sys::read_all(0)) : TRY(sys::read_small_file(file));
    resources = TRY_CTX(json::parse_struct<oci::Resources>(text), file);
  }
  TRY(read_flags(a, &resources));
  if (a.has("l3-cache-schema") || a.has("mem-bw-schema"))
    TRY(runtime::update_resctrl_group(rdt, record.handle.resctrl));
  runtime::Cgroup cgroup = TRY(cgroup_of(record));
  TRY(cgroup.update(resources));
  return 0;
}

}  // namespace minke::runtime_cli
