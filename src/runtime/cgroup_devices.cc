// Device rules: as lines of the v1 devices controller, and as a BPF program on v2.
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/str.h"
#include "runtime/cgroup_internal.h"
#include "sys/fd.h"

namespace minke::runtime {
namespace {

struct DefaultRule {
  char type;
  int major, minor;  // -1: any
  const char* access;
};
// What a container may always use: making nodes is harmless without opening them, and the default
// devices.
constexpr DefaultRule kDefaults[] = {
    {'c', -1, -1, "m"},    {'b', -1, -1, "m"}, {'c', 1, 3, "rwm"}, {'c', 1, 5, "rwm"},
    {'c', 1, 7, "rwm"},    {'c', 1, 8, "rwm"}, {'c', 1, 9, "rwm"}, {'c', 5, 0, "rwm"},
    {'c', 136, -1, "rwm"}, {'c', 5, 2, "rwm"}, {'c', 5, 1, "rwm"},
};

std::vector<oci::DeviceRule> with_defaults(const std::vector<oci::DeviceRule>& rules) {
  std::vector<oci::DeviceRule> out = rules;
  for (const DefaultRule& d : kDefaults) {
    oci::DeviceRule rule;
    rule.allow = true;
    rule.type = d.type;
    if (d.major >= 0) rule.major = d.major;
    if (d.minor >= 0) rule.minor = d.minor;
    rule.access = d.access;
    out.push_back(rule);
  }
  return out;
}

bool all_devices(const oci::DeviceRule& r) {
  return (r.type.empty() || r.type == "a") && r.major.value_or(-1) < 0 && r.minor.value_or(-1) < 0;
}

std::string number(std::optional<std::int64_t> n) { return n && *n >= 0 ? concat(*n) : "*"; }

}  // namespace

std::vector<DeviceLine> device_lines(const std::vector<oci::DeviceRule>& rules) {
  std::vector<DeviceLine> out;
  if (rules.empty()) return out;
  bool open = true;  // a new group allows what its parent does
  for (const oci::DeviceRule& r : with_defaults(rules)) {
    std::string access = r.access.empty() ? "rwm" : r.access;
    if (all_devices(r)) {
      out.clear();  // it undoes all before it
      open = r.allow;
      out.push_back({r.allow, "a"});
      continue;
    }
    // The controller keeps one list of exceptions to its default: an "allow" in an open group says
    // nothing.
    if (open && r.allow) continue;
    for (char type : r.type.empty() || r.type == "a" ? std::string("cb") : r.type)
      out.push_back(
          {r.allow, concat(type, " ", number(r.major), ":", number(r.minor), " ", access)});
  }
  return out;
}

namespace {

// The few instructions that a device filter needs. The program gets struct bpf_cgroup_dev_ctx in
// r1: access_type (access << 16 | type), major, minor; it answers 1 to allow and 0 to refuse.
class ProgramBuilder {
 public:
  void load_context() {
    emit(BPF_LDX | BPF_W | BPF_MEM, 2, 1, 0, 0);    // r2 = access_type
    emit(BPF_ALU64 | BPF_MOV | BPF_X, 3, 2, 0, 0);  // r3 = access
    emit(BPF_ALU64 | BPF_RSH | BPF_K, 3, 0, 0, 16);
    emit(BPF_ALU64 | BPF_AND | BPF_K, 2, 0, 0, 0xffff);  // r2 = type
    emit(BPF_LDX | BPF_W | BPF_MEM, 4, 1, 4, 0);         // r4 = major
    emit(BPF_LDX | BPF_W | BPF_MEM, 5, 1, 8, 0);         // r5 = minor
  }
  void rule(const oci::DeviceRule& r, char type) {
    std::vector<std::size_t> skips;
    auto skip_unless_equal = [&](int reg, std::int32_t value) {
      skips.push_back(code_.size());
      emit(BPF_JMP | BPF_JNE | BPF_K, reg, 0, 0, value);
    };
    if (type != 0) skip_unless_equal(2, type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
    int access = access_bits(r.access);
    if (access != 7) {
      // An allowing rule must cover all that is asked for; a denying one counts when it names any
      // of it.
      emit(BPF_ALU64 | BPF_MOV | BPF_X, 6, 3, 0, 0);
      emit(BPF_ALU64 | BPF_AND | BPF_K, 6, 0, 0, r.allow ? ~access & 7 : access);
      skips.push_back(code_.size());
      emit(BPF_JMP | (r.allow ? BPF_JNE : BPF_JEQ) | BPF_K, 6, 0, 0, 0);
    }
    if (r.major.value_or(-1) >= 0) skip_unless_equal(4, static_cast<std::int32_t>(*r.major));
    if (r.minor.value_or(-1) >= 0) skip_unless_equal(5, static_cast<std::int32_t>(*r.minor));
    answer(r.allow);
    for (std::size_t at : skips) code_[at].off = static_cast<std::int16_t>(code_.size() - at - 1);
  }
  void answer(bool allow) {
    emit(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, allow ? 1 : 0);
    emit(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
  }
  const std::vector<bpf_insn>& code() const { return code_; }

 private:
  static int access_bits(const std::string& access) {
    int bits = 0;
    for (char c : access)
      bits |= c == 'm' ? BPF_DEVCG_ACC_MKNOD : c == 'r' ? BPF_DEVCG_ACC_READ : BPF_DEVCG_ACC_WRITE;
    return access.empty() ? 7 : bits;
  }
  void emit(int code, int dst, int src, int off, std::int32_t imm) {
    bpf_insn i{};
    i.code = static_cast<std::uint8_t>(code);
    i.dst_reg = static_cast<std::uint8_t>(dst) & 15;
    i.src_reg = static_cast<std::uint8_t>(src) & 15;
    i.off = static_cast<std::int16_t>(off);
    i.imm = imm;
    code_.push_back(i);
  }
  std::vector<bpf_insn> code_;
};

int sys_bpf(int cmd, union bpf_attr* attr) {
  return static_cast<int>(::syscall(SYS_bpf, cmd, attr, sizeof *attr));
}

}  // namespace

std::vector<std::uint64_t> device_program(const std::vector<oci::DeviceRule>& rules) {
  std::vector<oci::DeviceRule> all = with_defaults(rules);
  // The last rule that fits decides, so they are asked from the end; a rule for all devices ends
  // the list.
  bool otherwise = true;
  ProgramBuilder program;
  program.load_context();
  for (auto it = all.rbegin(); it != all.rend(); ++it) {
    std::string access = it->access.empty() ? "rwm" : it->access;
    bool whole = access.find('r') != std::string::npos && access.find('w') != std::string::npos &&
                 access.find('m') != std::string::npos;
    if (all_devices(*it) && whole) {
      otherwise = it->allow;
      break;
    }
    program.rule(*it, it->type.empty() || it->type == "a" ? 0 : it->type[0]);
  }
  program.answer(otherwise);
  std::vector<std::uint64_t> out(program.code().size());
  static_assert(sizeof(bpf_insn) == sizeof(std::uint64_t));
  ::memcpy(out.data(), program.code().data(), out.size() * sizeof(std::uint64_t));
  return out;
}

Status attach_device_program(int cgroup_fd, const std::vector<oci::DeviceRule>& rules) {
  std::vector<std::uint64_t> code = device_program(rules);
  union bpf_attr load {};
  load.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
  load.insns = reinterpret_cast<std::uint64_t>(code.data());
  load.insn_cnt = static_cast<std::uint32_t>(code.size());
  load.license = reinterpret_cast<std::uint64_t>("Apache-2.0");
  sys::UniqueFd program(sys_bpf(BPF_PROG_LOAD, &load));
  if (!program) return Error::from_errno(errno, "load the device filter");
  // Programs that are there already (an update, or systemd's own) are replaced by ours: all
  // attached ones must agree, so a second, stricter one would stay in force.
  std::uint32_t ids[64] = {};
  union bpf_attr query {};
  query.query.target_fd = static_cast<std::uint32_t>(cgroup_fd);
  query.query.attach_type = BPF_CGROUP_DEVICE;
  query.query.prog_ids = reinterpret_cast<std::uint64_t>(ids);
  query.query.prog_cnt = 64;
  std::uint32_t present = sys_bpf(BPF_PROG_QUERY, &query) == 0 ? query.query.prog_cnt : 0;
  union bpf_attr attach {};
  attach.target_fd = static_cast<std::uint32_t>(cgroup_fd);
  attach.attach_bpf_fd = static_cast<std::uint32_t>(program.get());
  attach.attach_type = BPF_CGROUP_DEVICE;
  attach.attach_flags = BPF_F_ALLOW_MULTI;
  if (sys_bpf(BPF_PROG_ATTACH, &attach) < 0)
    return Error::from_errno(errno, "attach the device filter");
  for (std::uint32_t i = 0; i < present && i < 64; ++i) {
    union bpf_attr get {};
    get.prog_id = ids[i];
    sys::UniqueFd old(sys_bpf(BPF_PROG_GET_FD_BY_ID, &get));
    if (!old) continue;
    union bpf_attr detach {};
    detach.target_fd = static_cast<std::uint32_t>(cgroup_fd);
    detach.attach_bpf_fd = static_cast<std::uint32_t>(old.get());
    detach.attach_type = BPF_CGROUP_DEVICE;
    if (sys_bpf(BPF_PROG_DETACH, &detach) < 0 && errno != ENOENT)
      return Error::from_errno(errno, "detach the former device filter");
  }
  return {};
}

}  // namespace minke::runtime
