// create, run, start, exec.
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/failpoint.h"
#include "base/str.h"
#include "base/time.h"
#include "main/runtime_cli.h"
#include "runtime/keep.h"
#include "sys/process.h"
#include "sys/socket.h"

namespace minke::runtime_cli {
namespace {

Result<std::string> one_id(const Arguments& a) {
  if (a.words.size() == 1) return a.words[0];
  return Error(Errc::invalid_argument, a.words.empty()
                                           ? "the container's id is missing"
                                           : concat("too many arguments: ", a.words[1]));
}

Result<std::string> absolute(const std::string& path) {
  char* real = ::realpath(path.c_str(), nullptr);
  if (real == nullptr) return Error::from_errno(errno, concat("bundle ", path));
  std::string out = real;
  ::free(real);
  return out;
}

// Socket activation comes on top, as in runc.
std::uint64_t handed_sockets() {
  const char* listen = ::getenv("LISTEN_FDS");
  auto count = parse_uint(listen != nullptr ? listen : "");
  return count && *count < 4096 ? *count : 0;
}

// The process is told of them, as pid 1 of its own, unless its specification does.
void tell_of_sockets(oci::Process* process) {
  std::uint64_t count = handed_sockets();
  if (count == 0) return;
  for (const std::string& word : process->env)
    if (word.starts_with("LISTEN_FDS=")) return;
  process->env.push_back(concat("LISTEN_FDS=", count));
  process->env.emplace_back("LISTEN_PID=1");
  if (const char* names = ::getenv("LISTEN_FDNAMES"))
    process->env.push_back(concat("LISTEN_FDNAMES=", names));
}

Result<std::vector<int>> preserved(const Arguments& a) {
  std::vector<int> fds;
  std::uint64_t count = 0;
  if (a.has("preserve-fds")) {
    auto value = parse_uint(a.get("preserve-fds"));
    if (!value || *value > 4096)
      return Error(Errc::invalid_argument, concat("bad --preserve-fds ", a.get("preserve-fds")));
    count = *value;
  }
  count += handed_sockets();
  for (std::uint64_t i = 0; i < count; ++i) {
    auto fd = static_cast<int>(3 + i);
    if (::fcntl(fd, F_GETFD) < 0)
      return Error::from_errno(errno, concat("--preserve-fds: descriptor ", fd));
    fds.push_back(fd);
  }
  return fds;
}

struct Prepared {
  oci::Spec spec;
  std::string config;
  runtime::CreateRequest request;
  sys::UniqueFd console;
};

Result<std::unique_ptr<Prepared>> prepare(const Global& g, const Arguments& a,
                                          const std::string& id) {
  auto p = std::make_unique<Prepared>();
  p->request.bundle = TRY(absolute(a.get("bundle", ".")));
  std::string file = a.get("config", "config.json");
  p->config =
      TRY(sys::read_small_file(file[0] == '/' ? file : concat(p->request.bundle, "/", file)));
  p->spec = TRY_CTX(oci::parse_spec(p->config), file);
  p->request.id = id;
  p->request.spec = &p->spec;
  p->request.cgroup_manager = g.cgroup_manager == "systemd"    ? runtime::CgroupManager::systemd
                              : g.cgroup_manager == "disabled" ? runtime::CgroupManager::disabled
                                                               : runtime::CgroupManager::cgroupfs;
  p->request.tolerate_missing_cgroup = ::geteuid() != 0 || !sys::exists("/proc/1/root");
  auto map = sys::read_small_file("/proc/self/uid_map", 4096);
  if (map && map->find("4294967295") == std::string::npos)
    p->request.tolerate_missing_cgroup = true;
  p->request.preserve_fds = TRY(preserved(a));
  tell_of_sockets(&*p->spec.process);
  p->request.no_pivot = a.has("no-pivot");
  p->request.no_new_keyring = a.has("no-new-keyring");
  if (a.has("console-socket")) {
    if (!p->spec.process->terminal)
      return Error(Errc::invalid_argument, "--console-socket: process.terminal is false");
    p->console =
        TRY_CTX(sys::connect_unix(a.get("console-socket"), SOCK_STREAM), "--console-socket");
    p->request.console_socket = p->console.get();
  }
  return p;
}

Record make_record(const Prepared& p) {
  Record record;
  record.id = p.request.id;
  record.bundle = p.request.bundle;
  record.created = format_rfc3339(now(), -1, true);
  record.no_pivot = p.request.no_pivot;
  return record;
}

Status write_pid_file(const Arguments& a, pid_t pid) {
  if (!a.has("pid-file")) return {};
  return sys::write_file(a.get("pid-file"), concat(pid), 0644);
}

void kill_init(const runtime::Created& created) {
  ignore(created.pidfd.kill(SIGKILL), "it may be dead");
  ignore(sys::wait_pid(created.handle.pid), "reaping");
}

}  // namespace

void print_warnings(const std::vector<std::string>& warnings) {
  for (const std::string& line : warnings) ::fprintf(stderr, "warning: %s\n", line.c_str());
}

Status delete_container(const Store& store, const Record& record) {
  ErrorList errors;
  auto spec = store.load_spec(record);
  std::vector<std::string> warnings;
  errors.add(runtime::destroy(record.handle, spec ? &*spec : nullptr, record.bundle, &warnings));
  errors.add(store.remove(record.id));
  print_warnings(warnings);
  return std::move(errors).to_status();
}

Result<int> run_create(const Global& g, const Arguments& a) {
  std::string id = TRY(one_id(a));
  Store store(g.root);
  TRY(store.check_id(id));
  auto p = TRY(prepare(g, a, id));
  if (p->spec.process->terminal && !p->console)
    return Error(Errc::invalid_argument, "create: process.terminal needs --console-socket");
  TRY(store.reserve(id));
  runtime::Created created;
  Rollback rollback;  // before what it takes back goes
  rollback.add([&]() { ignore(store.remove(id), "the first failure is told"); });
  failpoint("runtime.create", 1);  // the id is taken
  TRY(store.save_config(id, p->config));
  failpoint("runtime.create", 2);  // how it shall be is known
  p->request.start_fifo = concat(store.folder(id), "/start");
  created = TRY(runtime::create(p->request));
  rollback.add([&]() {
    kill_init(created);
    ignore(runtime::destroy(created.handle, &p->spec, p->request.bundle),
           "the first failure is told");
  });
  Record record = make_record(*p);
  record.handle = created.handle;
  failpoint("runtime.create", 3);  // init waits, but nobody knows of it
  TRY(store.save(record));
  failpoint("runtime.create", 4);  // recorded, and about to end with us
  TRY(write_pid_file(a, created.handle.pid));
  TRY(runtime::keep(created));
  failpoint("runtime.create", 5);
  rollback.dismiss();
  print_warnings(created.warnings);
  return 0;
}

Result<int> run_start(const Global& g, const Arguments& a) {
  std::string id = TRY(one_id(a));
  Store store(g.root);
  Record record = TRY(store.load(id));
  std::string status = store.status(record);
  if (status != "created")
    return Error(Errc::conflict, concat("container ", id, " is ", status, ", not created"));
  oci::Spec spec = TRY(store.load_spec(record));
  runtime::CreateRequest request;
  request.id = id;
  request.bundle = record.bundle;
  request.spec = &spec;
  request.start_fifo = concat(store.folder(id), "/start");
  runtime::Created created;
  created.handle = record.handle;
  Status started = runtime::start(request, created);
  // Nobody waits there any more, whatever came of it.
  Status removed = sys::unlink_at(sys::DirFd::cwd(), request.start_fifo.c_str());
  TRY(std::move(started));
  TRY(std::move(removed));
  return 0;
}

Result<int> run_run(const Global& g, const Arguments& a) {
  std::string id = TRY(one_id(a));
  Store store(g.root);
  TRY(store.check_id(id));
  auto p = TRY(prepare(g, a, id));
  bool detach = a.has("detach");
  std::pair<sys::UniqueFd, sys::UniqueFd> console;
  if (p->spec.process->terminal && !p->console) {
    if (detach)
      return Error(Errc::invalid_argument, "run --detach: process.terminal needs --console-socket");
    console = TRY(sys::make_seqpacket_pair());
    p->request.console_socket = console.second.get();
  }
  TRY(store.reserve(id));
  runtime::Created created;
  Rollback rollback;  // before what it takes back goes
  rollback.add([&]() { ignore(store.remove(id), "the first failure is told"); });
  TRY(store.save_config(id, p->config));
  created = TRY(runtime::create(p->request));
  rollback.add([&]() {
    kill_init(created);
    ignore(runtime::destroy(created.handle, &p->spec, p->request.bundle),
           "the first failure is told");
  });
  Record record = make_record(*p);
  record.handle = created.handle;
  TRY(store.save(record));
  TRY(write_pid_file(a, created.handle.pid));
  sys::UniqueFd master;
  if (console.first) master = TRY(receive_master(console.first.get()));
  print_warnings(created.warnings);
  TRY(runtime::start(p->request, created));
  rollback.dismiss();
  if (detach) return 0;
  int code = TRY(wait_in_foreground(created.handle.pid, created.pidfd.get(), std::move(master)));
  if (!a.has("keep")) {
    ErrorList errors;
    std::vector<std::string> warnings;
    errors.add(runtime::destroy(created.handle, &p->spec, p->request.bundle, &warnings));
    errors.add(store.remove(id));
    print_warnings(warnings);
    TRY(std::move(errors).to_status());
  }
  return code;
}

namespace {

Result<oci::Process> exec_process(const oci::Spec& spec, const Arguments& a) {
  if (a.has("process")) {
    std::string text = TRY(sys::read_small_file(a.get("process")));
    return oci::parse_process(text);
  }
  oci::Process p = *spec.process;
  p.args.assign(a.words.begin() + 1, a.words.end());
  if (p.args.empty()) return Error(Errc::invalid_argument, "exec: no command");
  p.terminal = a.has("tty");
  p.console_size.reset();
  if (a.has("cwd")) p.cwd = a.get("cwd");
  if (a.has("env"))
    for (const std::string& word : a.values.at("env")) p.env.push_back(word);
  if (a.has("user")) {
    std::string user = a.get("user");
    auto parts = split(user, ':');
    auto uid = parse_uint(parts[0]);
    auto gid = parts.size() > 1 ? parse_uint(parts[1]) : std::optional<std::uint64_t>(p.user.gid);
    if (!uid || !gid || parts.size() > 2 || *uid > 0xfffffffe || *gid > 0xfffffffe)
      return Error(Errc::invalid_argument,
                   concat("--user ", quote(a.get("user")), ": must be UID or UID:GID"));
    p.user.uid = static_cast<std::uint32_t>(*uid);
    p.user.gid = static_cast<std::uint32_t>(*gid);
    p.user.additional_gids.clear();
  }
  if (a.has("additional-gids"))
    for (const std::string& word : a.values.at("additional-gids")) {
      auto gid = parse_uint(word);
      if (!gid || *gid > 0xfffffffe)
        return Error(Errc::invalid_argument, concat("bad --additional-gids ", word));
      p.user.additional_gids.push_back(static_cast<std::uint32_t>(*gid));
    }
  if (a.has("cap")) {
    if (!p.capabilities) p.capabilities.emplace();
    for (const std::string& name : a.values.at("cap")) {
      p.capabilities->bounding.push_back(name);
      p.capabilities->effective.push_back(name);
      p.capabilities->permitted.push_back(name);
    }
  }
  if (a.has("no-new-privs") || a.off.count("no-new-privs") != 0)
    p.no_new_privileges = a.has("no-new-privs");
  if (a.has("process-label")) p.selinux_label = a.get("process-label");
  if (a.has("apparmor")) p.apparmor_profile = a.get("apparmor");
  return p;
}

bool shares_controller(std::string_view one, std::string_view other) {
  for (std::string_view a : split(one, ','))
    for (std::string_view b : split(other, ','))
      if (a == b) return true;
  return false;
}

// exec --cgroup [CONTROLLERS:]PATH: a group that is there, below the container's own in all its
// hierarchies or in those of the controllers.
Result<std::string> group_below(const std::string& saved, std::string_view wanted) {
  std::string_view controllers, path = wanted;
  if (auto pair = split_once(wanted, ':')) {
    controllers = pair->first;
    path = pair->second;
  }
  for (std::string_view part : split(path, '/'))
    if (part == "..")
      return Error(Errc::invalid_argument, concat("exec --cgroup ", quote(wanted),
                                                  ": leads out of the container's cgroup"));
  std::string out;
  bool found = false;
  for (std::string_view line : split(saved, '\n')) {
    auto pair = split_once(line, '\t');
    if (!pair) continue;
    std::string folder(pair->second);
    bool plain = pair->first != "scope" && !pair->first.starts_with('?');
    if (plain && (controllers.empty() || shares_controller(pair->first, controllers))) {
      folder = concat(folder, path.starts_with('/') ? "" : "/", path);
      if (!sys::exists(folder + "/cgroup.procs"))
        return Error(Errc::not_found, concat("exec --cgroup ", quote(wanted), ": ", folder,
                                             " is no cgroup of the container"));
      found = true;
    }
    out += concat(pair->first, "\t", folder, "\n");
  }
  if (found) return out;
  return Error(Errc::not_found,
               concat("exec --cgroup ", quote(wanted), ": the container has no such cgroup"));
}

}  // namespace

Result<int> run_exec(const Global& g, const Arguments& a) {
  if (a.words.empty()) return Error(Errc::invalid_argument, "exec: the container's id is missing");
  Store store(g.root);
  Record record = TRY(store.load(a.words[0]));
  std::string status = store.status(record);
  if (status == "paused" && !a.has("ignore-paused"))
    return Error(Errc::conflict, "cannot exec in a paused container");
  if (status == "stopped") return Error(Errc::conflict, "cannot exec in a stopped container");
  oci::Spec spec = TRY(store.load_spec(record));
  oci::Process process = TRY(exec_process(spec, a));
  runtime::ExecRequest request;
  request.init_pid = record.handle.pid;
  request.init_start_time = record.handle.start_time;
  request.spec = &spec;
  request.process = &process;
  request.cgroup = a.has("cgroup") ? TRY(group_below(record.handle.cgroup, a.get("cgroup")))
                                   : record.handle.cgroup;
  request.preserve_fds = TRY(preserved(a));
  sys::UniqueFd console;
  std::pair<sys::UniqueFd, sys::UniqueFd> own;
  if (a.has("console-socket")) {
    console = TRY_CTX(sys::connect_unix(a.get("console-socket"), SOCK_STREAM), "--console-socket");
    request.console_socket = console.get();
  } else if (process.terminal) {
    if (a.has("detach"))
      return Error(Errc::invalid_argument, "exec --detach --tty needs --console-socket");
    own = TRY(sys::make_seqpacket_pair());
    request.console_socket = own.second.get();
  }
  runtime::Execed execed = TRY(runtime::exec(request));
  print_warnings(execed.warnings);
  TRY(write_pid_file(a, execed.pid));
  if (a.has("detach")) return 0;
  sys::UniqueFd master;
  if (own.first) master = TRY(receive_master(own.first.get()));
  return wait_in_foreground(execed.pid, execed.pidfd.get(), std::move(master));
}

}  // namespace minke::runtime_cli
