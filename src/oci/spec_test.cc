#include "oci/spec.h"

namespace minke::oci {
namespace {

constexpr std::string_view kGood = R"({
  "ociVersion": "1.2.0",
  "process": {"user": {"uid": 0, "gid": 0}, "args": ["sh"], "env": ["A=b"], "cwd": "/",
              "capabilities": {"bounding": ["CAP_KILL"]}, "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 1, "hard": 2}]},
  "root": {"path": "rootfs", "readonly": true},
  "hostname": "h",
  "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}],
  "linux": {"namespaces": [{"type": "mount"}, {"type": "uts"}, {"type": "pid"}]}
})";

std::string replaced(std::string_view what, std::string_view by) {
  std::string text(kGood);
  std::size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), by);
}

std::string fault(const std::string& text) {
  auto spec = parse_spec(text);
  return spec ? "valid" : spec.error().message();
}

TEST(Spec, AGoodOneIsReadAndWrittenBack) {
  auto spec = parse_spec(kGood);
  ASSERT_TRUE(spec.ok()) << spec.error().message();
  EXPECT_TRUE(spec->root->readonly);
  EXPECT_EQ(spec->process->args[0], "sh");
  std::string text = json::dump_struct(*spec);
  auto again = parse_spec(text);
  ASSERT_TRUE(again.ok()) << again.error().message();
  EXPECT_EQ(json::dump_struct(*again), text);
}

TEST(Spec, FaultsNameTheirPath) {
  EXPECT_EQ(fault(replaced(R"({"type": "uts"})", R"({"type": "foo"})")),
            "linux.namespaces[1].type: unknown namespace \"foo\"");
  EXPECT_EQ(fault(replaced(R"({"type": "pid"})", R"({"type": "uts"})")),
            "linux.namespaces[2].type: namespace \"uts\" is given twice");
  EXPECT_EQ(fault(replaced("CAP_KILL", "CAP_FLY")),
            "process.capabilities.bounding[0]: unknown capability \"CAP_FLY\"");
  EXPECT_EQ(fault(replaced(R"("bounding": ["CAP_KILL"])",
                           R"("effective": ["CAP_KILL", "CAP_CHOWN"], "permitted": ["CAP_KILL"])")),
            "process.capabilities.effective[1]: CAP_CHOWN is not in permitted");
  EXPECT_EQ(fault(replaced("RLIMIT_NOFILE", "RLIMIT_X")),
            "process.rlimits[0].type: unknown limit \"RLIMIT_X\"");
  EXPECT_EQ(fault(replaced(R"("soft": 1)", R"("soft": 3)")),
            "process.rlimits[0].soft: is above the hard limit");
  EXPECT_EQ(fault(replaced(R"("cwd": "/")", R"("cwd": "x")")),
            "process.cwd: must be an absolute path, not \"x\"");
  EXPECT_EQ(fault(replaced(R"(["sh"])", "[]")),
            "process.args: is empty: there is no program to run");
  EXPECT_EQ(fault(replaced("A=b", "SECRET")), "process.env[0]: must be NAME=VALUE, not \"SECRET\"");
  EXPECT_EQ(fault(replaced("1.2.0", "2.0.0")),
            "ociVersion: version \"2.0.0\" is not known, only 1.x is");
  EXPECT_EQ(fault(replaced(R"("destination": "/proc")", R"("destination": "proc")")),
            "mounts[0].destination: must be an absolute path, not \"proc\"");
  EXPECT_EQ(
      fault(replaced(R"({"type": "mount"}, )", "")),
      "linux.namespaces: a mount namespace is needed: its root and mounts would change the host's");
  EXPECT_EQ(fault(replaced(R"("uid": 0)", R"("uid": 4294967295)")),
            "process.user.uid: 4294967295 is not a user id");
}

TEST(Spec, NumbersAreNeverCut) {
  EXPECT_NE(fault(replaced(R"("uid": 0)", R"("uid": 4294967296)")), "valid");
  EXPECT_NE(fault(replaced(R"("uid": 0)", R"("uid": -1)")), "valid");
  EXPECT_NE(fault(replaced(R"("uid": 0)", R"("uid": "0")")), "valid");
}

TEST(Spec, MappingsNeedANamespaceAndMayNotOverlap) {
  auto with = [](std::string_view mappings) {
    return replaced(R"("namespaces": [)",
                    std::string(mappings) + R"("namespaces": [{"type": "user"}, )");
  };
  EXPECT_EQ(
      fault(with(
          R"("uidMappings": [{"containerID": 0, "hostID": 1, "size": 10}], "gidMappings": [{"containerID": 0, "hostID": 1, "size": 1}], )")),
      "valid");
  EXPECT_EQ(fault(with("")),
            "linux.namespaces: a new user namespace needs linux.uidMappings and linux.gidMappings");
  EXPECT_EQ(
      fault(with(
          R"("uidMappings": [{"containerID": 0, "hostID": 1, "size": 10}, {"containerID": 9, "hostID": 100, "size": 1}], )")),
      "linux.uidMappings[1].containerID: overlaps linux.uidMappings[0]");
  EXPECT_EQ(
      fault(with(R"("uidMappings": [{"containerID": 4294967290, "hostID": 1, "size": 10}], )")),
      "linux.uidMappings[0]: reaches beyond the last id");
  EXPECT_EQ(fault(with(R"("uidMappings": [{"containerID": 0, "hostID": 1, "size": 0}], )")),
            "linux.uidMappings[0].size: must be greater than zero");
}

TEST(Spec, SysctlsOfTheHostAreRefused) {
  auto with = [](std::string_view name) {
    return replaced(R"("namespaces": [)",
                    "\"sysctl\": {\"" + std::string(name) + R"(": "1"}, "namespaces": [)");
  };
  EXPECT_EQ(fault(with("kernel.panic")),
            "linux.sysctl.kernel.panic: is not bound to a namespace, so it would change the host");
  EXPECT_EQ(fault(with("net.ipv4.ip_forward")),
            "linux.sysctl.net.ipv4.ip_forward: needs a network namespace of the container's own");
  EXPECT_EQ(fault(with("net/../kernel/panic")),
            "linux.sysctl.net/../kernel/panic: is not the name of a sysctl");
  EXPECT_EQ(fault(with("kernel.domainname")), "valid");
}

TEST(Names, CapabilitiesAndLimits) {
  EXPECT_EQ(capability_number("CAP_CHOWN"), 0);
  EXPECT_EQ(capability_number("CAP_CHECKPOINT_RESTORE"), 40);
  EXPECT_EQ(capability_number("CHOWN"), std::nullopt);
  for (int i = 0; i < kCapabilityCount; ++i) EXPECT_EQ(capability_number(*capability_name(i)), i);
  EXPECT_EQ(capability_name(41), std::nullopt);
  EXPECT_EQ(rlimit_number("RLIMIT_NOFILE"), 7);
}

}  // namespace
}  // namespace minke::oci
