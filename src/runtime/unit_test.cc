// Tables, parsers and builders: no privileges, no namespaces.
#include <linux/mount.h>
#include <sys/mount.h>

#include "runtime/build.h"
#include "runtime/cgroup_internal.h"
#include "runtime/cgroup_systemd.h"
#include "runtime/dbus.h"
#include "runtime/idmap.h"
#include "runtime/mount_options.h"
#include "runtime/seccomp.h"
#include "runtime/seccomp_default.h"
#include "runtime/seccomp_embedded.h"

namespace minke::runtime {
namespace {

MountOptions options_of(std::string_view type, const std::vector<std::string>& words) {
  auto o = parse_mount_options(type, words);
  EXPECT_TRUE(o.ok()) << (o.ok() ? "" : o.error().message());
  return o ? *o : MountOptions();
}

TEST(MountOptions, LaterWordWins) {
  EXPECT_EQ(options_of("tmpfs", {"ro", "nosuid"}).set,
            std::uint64_t{MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID});
  MountOptions o = options_of("tmpfs", {"ro", "rw"});
  EXPECT_EQ(o.set, 0U);
  EXPECT_EQ(o.clear, std::uint64_t{MOUNT_ATTR_RDONLY});
}

TEST(MountOptions, AccessTimeIsOneField) {
  MountOptions o = options_of("tmpfs", {"noatime", "strictatime"});
  EXPECT_EQ(o.set, std::uint64_t{MOUNT_ATTR_STRICTATIME});
  EXPECT_EQ(o.clear, std::uint64_t{MOUNT_ATTR__ATIME});
}

TEST(MountOptions, BindAndRecursiveOnes) {
  MountOptions o = options_of("none", {"rbind", "rro", "rslave", "private"});
  EXPECT_TRUE(o.bind);
  EXPECT_TRUE(o.recursive);
  EXPECT_EQ(o.recursive_set, std::uint64_t{MOUNT_ATTR_RDONLY});
  ASSERT_EQ(o.propagation.size(), 2U);
  EXPECT_EQ(o.propagation[0], static_cast<unsigned long>(MS_SLAVE | MS_REC));
  EXPECT_EQ(o.propagation[1], static_cast<unsigned long>(MS_PRIVATE));
}

TEST(MountOptions, WhatIsUnknownGoesToTheFileSystem) {
  MountOptions o = options_of("tmpfs", {"size=64k", "mode=755", "nodev", "huge=never"});
  EXPECT_EQ(o.data, (std::vector<std::string>{"size=64k", "mode=755", "huge=never"}));
}

TEST(MountOptions, CopyUpIsForTmpfsOnly) {
  EXPECT_TRUE(options_of("tmpfs", {"tmpcopyup"}).copy_up);
  EXPECT_FALSE(parse_mount_options("bind", {"tmpcopyup"}).ok());
}

TEST(IdMap, OneLineForEach) {
  EXPECT_EQ(id_map_text({{0, 1000, 1}, {1, 100000, 65536}}), "0 1000 1\n1 100000 65536\n");
}

std::string writes_text(const oci::Resources& r, bool v2, bool update = false) {
  auto list = limit_writes(r, v2, update);
  if (!list) return list.error().message();
  std::string out;
  for (const CgroupWrite& w : *list) out += w.file + "=" + w.value + ";";
  return out;
}

TEST(Limits, MemoryOnBothKinds) {
  oci::Resources r;
  r.memory.emplace().limit = 64 << 20;
  r.memory->swap = 128 << 20;
  EXPECT_EQ(writes_text(r, false),
            "memory.limit_in_bytes=67108864;memory.memsw.limit_in_bytes=134217728;");
  EXPECT_EQ(writes_text(r, false, true),
            "memory.memsw.limit_in_bytes=134217728;memory.limit_in_bytes=67108864;");
  EXPECT_EQ(writes_text(r, true), "memory.max=67108864;memory.swap.max=67108864;");
  r.memory->swap = -1;
  EXPECT_EQ(writes_text(r, true), "memory.max=67108864;memory.swap.max=max;");
  r.memory->swap = 1;
  EXPECT_EQ(writes_text(r, true),
            "linux.resources.memory.swap: is below linux.resources.memory.limit");
}

TEST(Limits, CpuSharesBecomeWeights) {
  oci::Resources r;
  r.cpu.emplace().shares = 1024;
  r.cpu->quota = 50000;
  EXPECT_EQ(writes_text(r, true), "cpu.weight=39;cpu.max=50000;");
  EXPECT_EQ(writes_text(r, false), "cpu.shares=1024;cpu.cfs_quota_us=50000;");
  r.cpu->shares = 262144;
  r.cpu->quota = -1;
  EXPECT_EQ(writes_text(r, true), "cpu.weight=10000;cpu.max=max;");
  r.cpu->period = 50000;
  EXPECT_EQ(writes_text(r, true), "cpu.weight=10000;cpu.max=max 50000;");
}

TEST(Limits, UnifiedIsForV2) {
  oci::Resources r;
  r.unified["memory.high"] = "1G";
  EXPECT_EQ(writes_text(r, true), "memory.high=1G;");
  EXPECT_EQ(writes_text(r, false), "linux.resources.unified: this host has cgroup v1");
}

TEST(Devices, DefaultsFollowADenyOfAll) {
  oci::DeviceRule deny;
  deny.access = "rwm";
  std::vector<DeviceLine> lines = device_lines({deny});
  ASSERT_GT(lines.size(), 3U);
  EXPECT_FALSE(lines[0].allow);
  EXPECT_EQ(lines[0].line, "a");
  EXPECT_TRUE(lines[1].allow);
  EXPECT_EQ(lines[1].line, "c *:* m");
  EXPECT_EQ(lines[3].line, "c 1:3 rwm");
}

TEST(Devices, NoRulesNoLines) { EXPECT_TRUE(device_lines({}).empty()); }

TEST(Devices, ProgramEndsInAnAnswer) {
  oci::DeviceRule deny;
  deny.access = "rwm";
  std::vector<std::uint64_t> code = device_program({deny});
  ASSERT_GT(code.size(), 8U);
  EXPECT_EQ(code[code.size() - 2], 0x00000000000000b7ULL);  // r0 = 0
  EXPECT_EQ(code.back(), 0x0000000000000095ULL);            // exit
}

TEST(Seccomp, DefaultProfileIsTheEmbeddedOne) {
  oci::Seccomp profile = default_seccomp(default_capabilities());
  EXPECT_EQ(canonical_seccomp(profile), kEmbeddedProfile);
  auto compiled = compile_seccomp(profile);
  ASSERT_TRUE(compiled.ok());
  EXPECT_EQ(compiled->code.size(), kEmbeddedLength);
  auto loaded = load_seccomp_program(profile);
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ(loaded->code, compiled->code);
  EXPECT_LT(loaded->code.size(), 4097U);
}

TEST(Seccomp, SurvivesJson) {
  oci::Seccomp profile = default_seccomp(default_capabilities());
  auto back = json::parse_struct<oci::Seccomp>(json::dump_struct(profile));
  ASSERT_TRUE(back.ok()) << back.error().message();
  EXPECT_EQ(canonical_seccomp(*back), canonical_seccomp(profile));
}

TEST(Seccomp, CapabilitiesOpenCalls) {
  auto action = [](const oci::Seccomp& s, std::string_view name) {
    for (const oci::SeccompRule& rule : s.syscalls)
      for (const std::string& n : rule.names)
        if (n == name) return rule.action;
    return s.default_action;
  };
  EXPECT_EQ(action(default_seccomp({}), "bpf"), "SCMP_ACT_ERRNO");
  EXPECT_EQ(action(default_seccomp({"CAP_BPF"}), "bpf"), "SCMP_ACT_ALLOW");
  EXPECT_EQ(action(default_seccomp({"CAP_SYS_ADMIN"}), "bpf"), "SCMP_ACT_ALLOW");
  EXPECT_EQ(action(default_seccomp({}), "mount"), "SCMP_ACT_ALLOW");
  EXPECT_EQ(action(default_seccomp({}), "kexec_load"), "SCMP_ACT_ERRNO");
  EXPECT_EQ(action(default_seccomp({}), "io_uring_setup"), "SCMP_ACT_ERRNO");
  EXPECT_EQ(action(default_seccomp({}), "clone3"), "SCMP_ACT_ERRNO");
  EXPECT_EQ(action(default_seccomp({"CAP_SYS_ADMIN"}), "clone3"), "SCMP_ACT_ALLOW");
}

TEST(Cgroup, SavedFormIsReadBack) {
  auto c = Cgroup::open(
      "memory\t/sys/fs/cgroup/memory/x/y\npids\t/sys/fs/cgroup/pids/x/y\n"
      "?cpu\t/sys/fs/cgroup/cpu/x/y\nscope\ta.scope\n");
  ASSERT_TRUE(c.ok());
  EXPECT_EQ(c->entries().size(), 2U);
  EXPECT_EQ(c->path(), "/x/y");
  // "?": where an update would put it
  EXPECT_EQ(c->save(),
            "memory\t/sys/fs/cgroup/memory/x/y\npids\t/sys/fs/cgroup/pids/x/y\n"
            "?cpu\t/sys/fs/cgroup/cpu/x/y\nscope\ta.scope\n");
  EXPECT_FALSE(Cgroup::open("memory\t/etc").ok());
  EXPECT_FALSE(Cgroup::open("memory\t/sys/fs/cgroup/../../etc").ok());
}

TEST(Systemd, ScopeNames) {
  auto name = parse_scope_name("user.slice:libpod:0123", "x");
  ASSERT_TRUE(name.ok());
  EXPECT_EQ(name->slice, "user.slice");
  EXPECT_EQ(name->unit, "libpod-0123.scope");
  EXPECT_EQ(parse_scope_name("", "abc")->unit, "minke-abc.scope");
  EXPECT_FALSE(parse_scope_name("/libpod_parent/x", "x").ok());
  EXPECT_FALSE(parse_scope_name("user.slice:a:b/../c", "x").ok());
}

TEST(Dbus, WritesWhatItReads) {
  DbusWriter w;
  w.text("ab");
  std::size_t outer = w.begin_array(8);
  w.align(8);
  w.text("key");
  w.signature("t");
  w.u64(7);
  w.end_array(outer);
  w.u32(5);
  DbusReader r(w.data());
  EXPECT_EQ(r.text(), "ab");
  EXPECT_EQ(r.u32(), 24U);  // the item without the padding before it
  r.align(8);
  EXPECT_EQ(r.text(), "key");
  EXPECT_EQ(r.signature(), "t");
  const char* type = "t";
  r.skip(&type);
  EXPECT_EQ(r.u32(), 5U);
  EXPECT_FALSE(r.failed());
  r.u32();
  EXPECT_TRUE(r.failed());
}

}  // namespace
}  // namespace minke::runtime
