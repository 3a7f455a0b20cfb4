// Plans and failures in words.
#include "runtime/plan.h"

#include <linux/mount.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "base/str.h"
#include "oci/spec.h"
#include "runtime/launch.h"

namespace minke::runtime {
namespace {

const char* text(const char* s) { return s == nullptr ? "" : s; }

struct FlagName {
  std::uint64_t flag;
  const char* name;
};
constexpr FlagName kNamespaceFlags[] = {
    {CLONE_NEWUSER, "user"},     {CLONE_NEWPID, "pid"}, {CLONE_NEWNET, "network"},
    {CLONE_NEWIPC, "ipc"},       {CLONE_NEWUTS, "uts"}, {CLONE_NEWNS, "mount"},
    {CLONE_NEWCGROUP, "cgroup"}, {0x80, "time"},
};
constexpr FlagName kAttributes[] = {
    {MOUNT_ATTR_RDONLY, "ro"},
    {MOUNT_ATTR_NOSUID, "nosuid"},
    {MOUNT_ATTR_NODEV, "nodev"},
    {MOUNT_ATTR_NOEXEC, "noexec"},
    {MOUNT_ATTR_NODIRATIME, "nodiratime"},
    {MOUNT_ATTR_NOSYMFOLLOW, "nosymfollow"},
    {MOUNT_ATTR_NOATIME, "noatime"},
    {MOUNT_ATTR_STRICTATIME, "strictatime"},
};
constexpr FlagName kPropagations[] = {
    {MS_PRIVATE, "private"},
    {MS_SLAVE, "slave"},
    {MS_SHARED, "shared"},
    {MS_UNBINDABLE, "unbindable"},
};
constexpr FlagName kOrders[] = {
    {kOrderMaps, "id maps"}, {kOrderCgroup, "cgroup"},     {kOrderHooks, "hooks"},
    {kOrderStart, "start"},  {kOrderListener, "listener"}, {kOrderKeep, "keep"},
};

template <std::size_t N>
std::string names(const FlagName (&table)[N], std::uint64_t flags, std::string_view between) {
  std::string out;
  for (const FlagName& row : table) {
    if ((flags & row.flag) == 0) continue;
    if (!out.empty()) out += between;
    out += row.name;
    flags &= ~row.flag;
  }
  if (flags != 0)
    out += concat(out.empty() ? "" : between,
                  format("0x%llx", static_cast<unsigned long long>(flags)));
  return out;
}

std::string propagation_name(std::uint64_t flags) {
  return concat((flags & MS_REC) != 0 ? "r" : "",
                names(kPropagations, flags & ~std::uint64_t{MS_REC}, "+"));
}

std::string describe_mount(const MountPlan& m) {
  std::string out = m.bind ? concat("bind ", text(m.source), " on ", m.target)
                           : concat("mount ", m.type, " on ", m.target);
  return out;
}

std::string mount_details(const MountPlan& m) {
  std::string out;
  auto add = [&](std::string_view word) {
    if (!word.empty()) out += concat(out.empty() ? " (" : " ", word);
  };
  if (m.bind && m.recursive) add("recursive");
  if (m.set != 0) add(names(kAttributes, m.set, " "));
  if (std::uint64_t cleared = m.clear & ~std::uint64_t{MOUNT_ATTR__ATIME})
    add(concat("not ", names(kAttributes, cleared, " not ")));
  if (m.recursive_set != 0) add(concat("below too: ", names(kAttributes, m.recursive_set, " ")));
  if (!m.bind && m.data != nullptr) add(m.data);
  for (unsigned long flags : m.propagation) add(propagation_name(flags));
  if (m.copy_up) add("copy-up");
  if (m.fallback != MountPlan::Fallback::none) add(concat("else bind ", m.fallback_source));
  if (!out.empty()) out += ")";
  return out;
}

std::string cap_names(std::uint64_t mask) {
  std::string out;
  for (int i = 0; i < oci::kCapabilityCount; ++i)
    if ((mask >> i & 1) != 0)
      out += concat(out.empty() ? "" : " ", oci::capability_name(i)->substr(4));
  return out.empty() ? "none" : out;
}

std::string list_numbers(const Step& s) {
  std::string out;
  for (std::uint32_t i = 0; i < s.count; ++i)
    out += concat(out.empty() ? "" : " ", static_cast<const std::uint32_t*>(s.data)[i]);
  return out.empty() ? "none" : out;
}

const char* call_name(Call call) {
  switch (call) {
    case Call::itself:
      return nullptr;
    case Call::open_source:
      return "open source";
    case Call::make_target:
      return "make target";
    case Call::open_target:
      return "open target";
    case Call::fsopen:
      return "fsopen";
    case Call::fsconfig:
      return nullptr;  // the kernel says itself what is wrong
    case Call::fsmount:
      return "fsmount";
    case Call::open_tree:
      return "open source";
    case Call::mount_setattr:
      return "set options";
    case Call::move_mount:
      return "attach";
    case Call::mount:
      return nullptr;
    case Call::copy_up:
      return "copy what the image has there";
    case Call::mknod:
      return nullptr;
    case Call::chown:
      return "change owner";
    case Call::symlink:
      return nullptr;
    case Call::verify:
      return "it is not what it should be";
    case Call::hook_exec:
      return "exec";
    case Call::hook_status:
      return "status";
    case Call::hook_timeout:
      return "timeout";
    case Call::unlock_pty:
      return "unlock";
    case Call::open_pty:
      return "open /dev/pts/ptmx (is devpts mounted there?)";
    case Call::send_pty:
      return "send to the console socket";
    case Call::set_controlling:
      return "make it the controlling terminal";
    case Call::stat:
      return "stat";
    case Call::outside:
      return "it lies outside the container's root";
    case Call::not_found:
      return "not found";
    case Call::write:
      return "write";
    case Call::not_regular:
      return "not a regular file";
    case Call::umount:
      return "leave the old root";
    case Call::wait:
      return "wait";
    case Call::unsupported:
      return "not supported";
  }
  return nullptr;
}

Error program_error(const std::string& program, bool by_path, int err) {
  if (err == ENOENT)
    return Error::from_errno(
               err, concat("executable file `", program, "` not found", by_path ? "" : " in $PATH"))
        .with_exit(127);
  return Error::from_errno(err, concat("open executable `", program, "`")).with_exit(126);
}

Error exec_error(const std::string& program, int err) {
  return Error::from_errno(err, concat("exec ", program)).with_exit(err == ENOENT ? 127 : 126);
}

Error hook_error(std::string what, const Report& r) {
  Call call = static_cast<Call>(r.call);
  if (r.text[0] != 0) what += concat(" ", r.text);
  if (call == Call::hook_status)
    return Error(Errc::io, concat(what, ": ended with ", r.err > 128 ? "signal " : "status ",
                                  r.err > 128 ? r.err - 128 : r.err));
  if (call == Call::hook_timeout)
    return Error(Errc::timeout, concat(what, ": ran longer than its timeout"));
  return Error::from_errno(r.err, what);
}

}  // namespace

const char* op_name(Op op) {
  switch (op) {
    case Op::wait_order:
      return "wait for";
    case Op::report:
      return "report";
    case Op::become_root:
      return "become root of the user namespace";
    case Op::not_dumpable:
      return "forbid tracing";
    case Op::join_namespace:
      return "join namespace";
    case Op::unshare:
      return "new namespace";
    case Op::enter_cgroup:
      return "enter cgroup";
    case Op::time_offsets:
      return "time offsets";
    case Op::new_session:
      return "new session";
    case Op::session_keyring:
      return "session keyring";
    case Op::enter_root_of:
      return "enter the container's root";
    case Op::propagate:
      return "propagation of /";
    case Op::root_overlay:
      return "root overlay";
    case Op::root_bind:
      return "root";
    case Op::mount:
      return "mount";
    case Op::remount_readonly:
      return "read-only";
    case Op::device:
      return "device";
    case Op::symlink:
      return "symlink";
    case Op::make_folder:
      return "folder";
    case Op::hooks:
      return "hooks";
    case Op::mask:
      return "mask";
    case Op::readonly:
      return "read-only";
    case Op::console:
      return "terminal";
    case Op::pivot:
      return "pivot_root";
    case Op::change_root:
      return "chroot";
    case Op::root_propagation:
      return "propagation of the root";
    case Op::root_readonly:
      return "read-only root";
    case Op::loopback_up:
      return "loopback device";
    case Op::hostname:
      return "hostname";
    case Op::domainname:
      return "domainname";
    case Op::sysctl:
      return "sysctl";
    case Op::own_files:
      return "give stdio to user";
    case Op::rlimits:
      return "limits";
    case Op::scheduler:
      return "scheduler";
    case Op::io_priority:
      return "io priority";
    case Op::personality:
      return "personality";
    case Op::cpu_affinity:
      return "CPU affinity";
    case Op::umask:
      return "umask";
    case Op::exec_label:
      return "label";
    case Op::key_label:
      return "label of keys";
    case Op::groups:
      return "groups";
    case Op::set_gid:
      return "gid";
    case Op::keep_capabilities:
      return "keep capabilities over the change of user";
    case Op::drop_bounding:
      return "bounding set";
    case Op::set_uid:
      return "uid";
    case Op::capabilities:
      return "capabilities";
    case Op::death_signal:
      return "die with the parent";
    case Op::change_directory:
      return "working directory";
    case Op::find_program:
      return "program";
    case Op::home:
      return "HOME";
    case Op::no_new_privileges:
      return "no new privileges";
    case Op::descriptors:
      return "descriptors";
    case Op::reset_signals:
      return "reset signals";
    case Op::wait_start:
      return "wait for start";
    case Op::seccomp:
      return "seccomp";
    case Op::final_capabilities:
      return "final capabilities";
    case Op::execute:
      return "exec";
  }
  return "?";
}

std::string describe_step(const LaunchPlan& plan, const Step& s) {
  switch (s.op) {
    case Op::mount:
      return describe_mount(*static_cast<const MountPlan*>(s.data));
    case Op::root_overlay: {
      const auto& o = *static_cast<const OverlayPlan*>(s.data);
      return concat("root overlay of ", o.lower.size(), " layers",
                    o.upper != nullptr ? concat(" with upper ", o.upper) : "");
    }
    case Op::device: {
      const auto& d = *static_cast<const DevicePlan*>(s.data);
      return d.bind ? concat("bind device ", d.host_path, " on ", d.path)
                    : concat("make device ", d.path);
    }
    case Op::symlink:
      return concat("symlink ", s.target, " to ", s.source);
    case Op::wait_order:
      return concat(op_name(s.op), " ", names(kOrders, s.flags, " "));
    case Op::enter_cgroup:
      return concat(op_name(s.op), " ", text(s.source));
    case Op::unshare:
      return concat("new ", names(kNamespaceFlags, s.flags, ", "), " namespace");
    case Op::join_namespace:
      return concat("join ", names(kNamespaceFlags, s.flags, ", "), " namespace ", text(s.source));
    case Op::propagate:
    case Op::root_propagation:
      return concat(op_name(s.op), ": ", propagation_name(s.flags));
    case Op::hooks:
      return s.flags == 1 ? "startContainer hooks" : "createContainer hooks";
    case Op::sysctl:
      return concat("sysctl ", std::string_view(s.target).substr(4), "=", s.source);
    case Op::set_gid:
    case Op::set_uid:
    case Op::own_files:
      return concat(op_name(s.op), " ", s.flags);
    case Op::umask:
      return format("umask %04llo", static_cast<unsigned long long>(s.flags));
    case Op::groups:
      return concat("groups ", list_numbers(s));
    case Op::drop_bounding:
      return concat("bounding set ", cap_names(s.flags));
    case Op::capabilities:
    case Op::final_capabilities:
      return concat(op_name(s.op), " ", cap_names(static_cast<const CapSets*>(s.data)->permitted));
    case Op::execute:
      return concat("exec ", plan.argv.empty() ? "" : plan.argv[0]);
    default:
      break;
  }
  std::string out = op_name(s.op);
  if (s.target != nullptr) out += concat(" ", s.target);
  if (s.source != nullptr) out += concat(" ", s.source);
  return out;
}

std::string print_plan(const LaunchPlan& plan) {
  std::string out = concat("clone: new ", names(kNamespaceFlags, plan.clone_flags, ", "), "\n");
  if (plan.user_namespace_fd >= 0) out += "before it: join user namespace\n";
  if (plan.pid_namespace_fd >= 0) out += "before it: join pid namespace\n";
  for (const Step& s : plan.steps) {
    out += describe_step(plan, s);
    if (s.op == Op::mount) out += mount_details(*static_cast<const MountPlan*>(s.data));
    if (s.op == Op::descriptors)
      out += concat(" 0 to ", s.count - 1, ", all others closed by exec");
    if (s.op == Op::seccomp)
      out += concat(": ", static_cast<const SeccompPlan*>(s.data)->length, " instructions");
    if (s.op == Op::rlimits) out += concat(": ", s.count);
    out += "\n";
  }
  return out;
}

Error report_error(const LaunchPlan& plan, const Report& r) {
  if (r.step >= plan.steps.size())
    return Error(Errc::internal, "the container's init reported an unknown step");
  const Step& s = plan.steps[r.step];
  auto call = static_cast<Call>(r.call);
  std::string program = plan.argv.empty() ? "" : plan.argv[0];
  if (s.op == Op::find_program)
    return program_error(program, program.find('/') != std::string::npos, r.err);
  if (s.op == Op::execute) return exec_error(program, r.err);
  std::string what = describe_step(plan, s);
  if (s.op == Op::hooks)
    return hook_error(s.flags == 1 ? "startContainer hook" : "createContainer hook", r);
  if (const char* name = call_name(call)) what += concat(": ", name);
  if (r.text[0] != 0) what += concat(": ", r.text);
  Error error = Error::from_errno(r.err, what);
  // As an engine has it for a command that cannot be run.
  if (s.op == Op::change_directory) return std::move(error).with_exit(r.err == ENOENT ? 127 : 126);
  return error;
}

Error start_error(const Report& r, const std::string& program) {
  auto call = static_cast<Call>(r.call);
  if (call == Call::hook_exec || call == Call::hook_status || call == Call::hook_timeout)
    return hook_error("startContainer hook", r);
  return exec_error(program, r.err);
}

}  // namespace minke::runtime
