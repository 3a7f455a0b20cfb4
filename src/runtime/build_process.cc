// The end of every plan: what the process may do, who it is, and what it runs. Order matters
// throughout.
#include <linux/capability.h>
#include <linux/sched.h>
#include <sched.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/statfs.h>

#include <algorithm>

#include "base/str.h"
#include "runtime/build.h"
#include "runtime/seccomp.h"

namespace minke::runtime {
namespace {

constexpr std::uint64_t bit(int number) { return std::uint64_t{1} << number; }

std::uint64_t mask_of(const std::vector<std::string>& names) {
  std::uint64_t mask = 0;
  for (const std::string& name : names)
    if (auto number = oci::capability_number(name)) mask |= bit(*number);
  return mask;
}

std::string names_of(std::uint64_t mask) {
  std::string out;
  for (int i = 0; i < oci::kCapabilityCount; ++i)
    if ((mask & bit(i)) != 0) out += concat(out.empty() ? "" : " ", *oci::capability_name(i));
  return out;
}

struct NamedValue {
  std::string_view name;
  std::uint64_t value;
};
constexpr NamedValue kPolicies[] = {{"SCHED_OTHER", 0}, {"SCHED_FIFO", 1}, {"SCHED_RR", 2},
                                    {"SCHED_BATCH", 3}, {"SCHED_IDLE", 5}, {"SCHED_DEADLINE", 6}};
constexpr NamedValue kSchedFlags[] = {
    {"SCHED_FLAG_RESET_ON_FORK", 0x01}, {"SCHED_FLAG_RECLAIM", 0x02},
    {"SCHED_FLAG_DL_OVERRUN", 0x04},    {"SCHED_FLAG_KEEP_POLICY", 0x08},
    {"SCHED_FLAG_KEEP_PARAMS", 0x10},   {"SCHED_FLAG_UTIL_CLAMP_MIN", 0x20},
    {"SCHED_FLAG_UTIL_CLAMP_MAX", 0x40}};
constexpr NamedValue kIoClasses[] = {
    {"IOPRIO_CLASS_RT", 1}, {"IOPRIO_CLASS_BE", 2}, {"IOPRIO_CLASS_IDLE", 3}};

template <std::size_t N>
std::uint64_t value_of(const NamedValue (&table)[N], std::string_view name) {
  for (const NamedValue& row : table)
    if (row.name == name) return row.value;
  return 0;  // validate_process() has refused it
}

void add_scheduling(const oci::Process& p, LaunchPlan* plan) {
  if (p.scheduler) {
    SchedPlan& s = plan->schedulers.emplace_back();
    s = {};
    s.size = sizeof s;
    s.policy = static_cast<std::uint32_t>(value_of(kPolicies, p.scheduler->policy));
    for (const std::string& flag : p.scheduler->flags) s.flags |= value_of(kSchedFlags, flag);
    s.nice = p.scheduler->nice;
    s.priority = static_cast<std::uint32_t>(p.scheduler->priority);
    s.runtime = p.scheduler->runtime;
    s.deadline = p.scheduler->deadline;
    s.period = p.scheduler->period;
    plan->add(Op::scheduler).data = &s;
  }
  if (p.io_priority)
    plan->add(Op::io_priority).flags = value_of(kIoClasses, p.io_priority->io_class) << 13 |
                                       static_cast<std::uint64_t>(p.io_priority->priority);
}

// "0-3,7" as bits.
Result<std::vector<std::uint64_t>> parse_cpus(std::string_view text, std::string_view path) {
  std::vector<std::uint64_t> bits;
  auto bad = [&]() {
    return Error(Errc::invalid_argument, concat(path, ": bad list of CPUs ", quote(text)));
  };
  for (std::string_view part : split(text, ',')) {
    part = trim(part);
    if (part.empty()) continue;
    auto range = split_once(part, '-');
    auto first = parse_uint(range ? range->first : part);
    auto last = range ? parse_uint(range->second) : first;
    if (!first || !last || *last < *first || *last >= 8192) return bad();
    bits.resize(std::max<std::size_t>(bits.size(), *last / 64 + 1));
    for (std::uint64_t cpu = *first; cpu <= *last; ++cpu)
      bits[cpu / 64] |= std::uint64_t{1} << cpu % 64;
  }
  if (bits.empty()) return bad();
  return bits;
}

Status add_affinity(const std::string& cpus, std::string_view path, LaunchPlan* plan) {
  if (cpus.empty()) return {};
  std::vector<std::uint64_t> bits = TRY(parse_cpus(cpus, path));
  plan->masks.push_back(std::move(bits));
  Step& step = plan->add(Op::cpu_affinity);
  step.data = plan->masks.back().data();
  step.count = static_cast<std::uint32_t>(plan->masks.back().size());
  step.source = plan->keep(cpus);
  return {};
}

bool apparmor_enabled() {
  auto text = sys::read_small_file("/sys/module/apparmor/parameters/enabled", 64);
  return text && !text->empty() && (*text)[0] == 'Y';
}
bool selinux_enabled() {
  struct statfs fs;
  constexpr long kSelinuxMagic = 0xf97cff8c;
  return ::statfs("/sys/fs/selinux", &fs) == 0 &&
         static_cast<std::uint32_t>(fs.f_type) == static_cast<std::uint32_t>(kSelinuxMagic);
}

// A label that was asked for and cannot be had is an error: the container would run with less
// isolation than told.
Status add_labels(const oci::Process& p, LaunchPlan* plan) {
  auto add = [&](Op op, const char* file, std::string text) {
    Step& step = plan->add(op);
    step.target = file;
    step.source = plan->keep(std::move(text));
  };
  if (!p.selinux_label.empty()) {
    if (!selinux_enabled())
      return Error(Errc::unsupported, "process.selinuxLabel: SELinux is not enabled on this host");
    add(Op::key_label, "thread-self/attr/keycreate", p.selinux_label);
    add(Op::exec_label, "thread-self/attr/exec", p.selinux_label);
  }
  if (!p.apparmor_profile.empty() && p.apparmor_profile != "unconfined") {
    if (!apparmor_enabled())
      return Error(Errc::unsupported,
                   "process.apparmorProfile: AppArmor is not enabled on this host");
    bool own_folder =
        sys::exists("/proc/self/attr/apparmor/exec");  // Linux 5.1, needed beside another module
    add(Op::exec_label, own_folder ? "thread-self/attr/apparmor/exec" : "thread-self/attr/exec",
        concat("exec ", p.apparmor_profile));
  }
  return {};
}

void add_environment(const oci::Process& p, const char* extra, LaunchPlan* plan,
                     std::string_view* path) {
  std::string_view extra_name =
      extra == nullptr ? std::string_view() : split_once(extra, '=')->first;
  bool has_home = false;
  *path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  for (const std::string& word : p.env) {
    if (word.starts_with("HOME=") && word.size() > 5) has_home = true;
    if (word.starts_with("PATH=")) *path = std::string_view(word).substr(5);
    if (extra != nullptr && word.starts_with(concat(extra_name, "="))) continue;
    if (word == "HOME=") continue;  // an empty one counts as none
    plan->env.push_back(const_cast<char*>(plan->keep(word)));
  }
  if (extra != nullptr) plan->env.push_back(const_cast<char*>(extra));
  if (!has_home) {
    plan->home_slot = static_cast<int>(plan->env.size());
    plan->env.push_back(plan->home);
  }
  plan->env.push_back(nullptr);
}

void add_program(const oci::Process& p, std::string_view path, LaunchPlan* plan) {
  for (const std::string& word : p.args) plan->argv.push_back(const_cast<char*>(plan->keep(word)));
  plan->argv.push_back(nullptr);
  if (p.args[0].find('/') != std::string::npos) {
    plan->programs.push_back(plan->argv[0]);
    return;
  }
  for (std::string_view folder : split(path, ':')) {
    // An empty entry means the working directory to execvp(3); nobody means it in a container.
    if (folder.empty()) continue;
    plan->programs.push_back(plan->keep(concat(folder, "/", p.args[0])));
  }
  if (plan->programs.empty()) plan->programs.push_back(plan->argv[0]);
}

Status add_descriptors(const ProcessInput& in, LaunchPlan* plan) {
  std::vector<int> fds(in.stdio, in.stdio + 3);
  fds.insert(fds.end(), in.preserve_fds->begin(), in.preserve_fds->end());
  std::vector<std::uint32_t>& numbers = plan->numbers.emplace_back();
  auto count = static_cast<int>(fds.size());
  for (int i = 0; i < count; ++i) {
    int fd = fds[static_cast<std::size_t>(i)];
    // One above all numbers that will be given is never overwritten by giving another.
    if (fd != i && (fd < count + 16 || (::fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0)) {
      int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, count + 16);
      if (copy < 0)
        return Error::from_errno(errno, concat("descriptor ", fd, " for the container"));
      plan->keep_fd(sys::UniqueFd(copy));
      fd = copy;
    }
    numbers.push_back(static_cast<std::uint32_t>(fd));
  }
  Step& step = plan->add(Op::descriptors);
  step.data = numbers.data();
  step.count = static_cast<std::uint32_t>(numbers.size());
  return {};
}

struct CapChoice {
  CapSets final_;
  std::uint64_t bounding = 0;
};

CapChoice choose_capabilities(const ProcessInput& in) {
  CapChoice c;
  if (!in.process.capabilities) return c;
  const oci::Capabilities& want = *in.process.capabilities;
  c.final_ = {mask_of(want.effective), mask_of(want.permitted), mask_of(want.inheritable),
              mask_of(want.ambient)};
  c.bounding = mask_of(want.bounding);
  // The kernel makes ambient only what is permitted and inheritable (capabilities(7)); the bundle
  // that `runc spec` writes asks for more, and runs everywhere.
  c.final_.ambient &= c.final_.permitted & c.final_.inheritable;
  if (in.own_user_namespace) return c;
  // Nobody can give what he does not have.
  std::uint64_t missing =
      (c.final_.effective | c.final_.permitted | c.final_.inheritable | c.bounding) &
      ~in.host.permitted;
  if (missing != 0 && in.warnings != nullptr)
    in.warnings->push_back(
        concat("capabilities that are not held here are left out: ", names_of(missing)));
  for (std::uint64_t* set :
       {&c.final_.effective, &c.final_.permitted, &c.final_.inheritable, &c.final_.ambient})
    *set &= in.host.permitted;
  return c;
}

Status add_seccomp(const ProcessInput& in, LaunchPlan* plan) {
  SeccompProgram program = TRY(load_seccomp_program(*in.linux_->seccomp));
  SeccompPlan& s = plan->seccomps.emplace_back();
  plan->masks.push_back(std::move(program.code));
  s.program = plan->masks.back().data();
  s.length = static_cast<std::uint16_t>(plan->masks.back().size());
  s.flags = program.flags;
  s.listener = program.listener;
  plan->add(Op::seccomp).data = &s;
  return {};
}

}  // namespace

Status build_process(const ProcessInput& in, LaunchPlan* plan) {
  const oci::Process& p = in.process;
  plan->uid = p.user.uid;
  std::string_view path;
  add_environment(p, in.extra_env, plan, &path);
  add_program(p, path, plan);

  // Raising limits and priorities needs capabilities that go below.
  if (!p.rlimits.empty()) {
    std::vector<RlimitPlan>& limits = plan->rlimits.emplace_back();
    for (const oci::Rlimit& limit : p.rlimits)
      limits.push_back({*oci::rlimit_number(limit.type), {limit.soft, limit.hard}});
    Step& step = plan->add(Op::rlimits);
    step.data = limits.data();
    step.count = static_cast<std::uint32_t>(limits.size());
  }
  add_scheduling(p, plan);
  if (in.linux_ != nullptr && in.linux_->personality)
    plan->add(Op::personality).flags =
        in.linux_->personality->domain == "LINUX32" ? PER_LINUX32 : PER_LINUX;
  if (p.exec_cpu_affinity && in.is_exec)
    TRY(add_affinity(p.exec_cpu_affinity->final_.empty() ? p.exec_cpu_affinity->initial
                                                         : p.exec_cpu_affinity->final_,
                     "process.execCPUAffinity.final", plan));
  TRY(add_labels(p, plan));
  Step& early = plan->add(Op::change_directory);
  early.target = plan->keep(p.cwd);
  early.flags = 1;
  const char* cwd = early.target;

  if (p.user.uid != 0 && !p.terminal) {
    Step& step = plan->add(Op::own_files);
    std::vector<std::uint32_t>& numbers = plan->numbers.emplace_back();
    for (int i = 0; i < 3; ++i) numbers.push_back(static_cast<std::uint32_t>(in.stdio[i]));
    step.data = numbers.data();
    step.count = 3;
    step.flags = p.user.uid;
  }
  // Groups before the user: the right to change them goes with uid 0.
  std::vector<std::uint32_t>& groups = plan->numbers.emplace_back(p.user.additional_gids);
  Step& step = plan->add(Op::groups);
  step.data = groups.data();
  step.count = static_cast<std::uint32_t>(groups.size());
  plan->add(Op::set_gid).flags = p.user.gid;
  CapChoice caps = choose_capabilities(in);
  if (p.user.uid != 0) plan->add(Op::keep_capabilities);
  plan->add(Op::drop_bounding).flags = caps.bounding;
  plan->add(Op::set_uid).flags = p.user.uid;
  bool seccomp = in.linux_ != nullptr && in.linux_->seccomp.has_value();
  // Without no_new_privs a filter needs CAP_SYS_ADMIN: it is kept until then, and dropped right
  // after.
  bool late_drop = seccomp && !p.no_new_privileges;
  CapSets& interim = plan->cap_sets.emplace_back(caps.final_);
  if (late_drop) {
    interim.effective |= bit(CAP_SYS_ADMIN);
    interim.permitted |= bit(CAP_SYS_ADMIN);
    // The ambient set may hold only what is permitted and inheritable, which these are.
  }
  plan->add(Op::capabilities).data = &interim;
  // A change of credentials takes the signal away, so it is set when they stand.
  if (in.die_with_parent) plan->add(Op::death_signal);
  plan->add(Op::change_directory).target = cwd;
  // Before the program is looked for: its path may name /proc/self/fd.
  TRY(add_descriptors(in, plan));
  plan->add(Op::find_program);
  if (plan->home_slot >= 0) plan->add(Op::home);
  plan->add(Op::umask).flags = p.user.umask.value_or(0022);
  if (p.no_new_privileges) plan->add(Op::no_new_privileges);
  plan->add(Op::reset_signals);
  plan->add(Op::wait_start);
  if (in.start_hooks != nullptr) TRY(add_hooks(*in.start_hooks, nullptr, plan));
  // As late as can be: all that follows must be allowed by the profile.
  if (seccomp) TRY(add_seccomp(in, plan));
  if (late_drop) plan->add(Op::final_capabilities).data = &plan->cap_sets.emplace_back(caps.final_);
  plan->add(Op::execute);
  return {};
}

}  // namespace minke::runtime
