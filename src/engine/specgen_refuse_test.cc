// What is refused, in Podman's words.
#include "engine/specgen_test_util.h"

namespace minke::engine {

struct Refusal {
  const char* name;
  void (*ask)(CreateRequest&);
  const char* error;
};

TEST_F(SpecTest, RefusesInPodmansWords) {
  const Refusal rows[] = {
      {"cap", [](CreateRequest& r) { r.cap_add = {"foo"}; }, "\"CAP_FOO\": unknown capability"},
      {"cap all",
       [](CreateRequest& r) {
         r.cap_add = {"all"};
         r.cap_drop = {"ALL"};
       },
       "adding all caps and removing all caps not allowed"},
      {"cap both",
       [](CreateRequest& r) {
         r.cap_add = {"chown"};
         r.cap_drop = {"CAP_CHOWN"};
       },
       "capability \"CAP_CHOWN\" cannot be dropped and added"},
      {"security 1", [](CreateRequest& r) { r.security_opts = {"foo"}; },
       "invalid --security-opt 1: \"foo\""},
      {"security 2", [](CreateRequest& r) { r.security_opts = {"foo=x"}; },
       "invalid --security-opt 2: \"foo=x\""},
      {"seccomp", [](CreateRequest& r) { r.security_opts = {"seccomp=/nope"}; },
       "opening seccomp profile failed: open /nope: no such file or directory"},
      {"sysctl", [](CreateRequest& r) { r.sysctls["a.b"] = "c"; }, "sysctl 'a.b' is not allowed"},
      {"sysctl net",
       [](CreateRequest& r) {
         r.sysctls["net.a"] = "1";
         r.network.mode = "host";
       },
       "sysctl \"net.a=1\" can't be set since Network Namespace set to host"},
      {"hostname",
       [](CreateRequest& r) {
         r.hostname = "x";
         r.uts.mode = "host";
       },
       "invalid config provided: cannot set hostname when running in the host UTS namespace: "
       "invalid configuration"},
      {"shm",
       [](CreateRequest& r) {
         r.shm_size = 5;
         r.ipc.mode = "host";
       },
       "invalid config provided: cannot set shmsize when running in the {host } IPC Namespace"},
      {"dns",
       [](CreateRequest& r) {
         r.dns = {"1.1.1.1"};
         r.network.mode = "none";
       },
       "conflicting options: dns and the network mode: none"},
      {"ns path",
       [](CreateRequest& r) {
         r.pid = {"ns", "/nope"};
       },
       "cannot find specified PID namespace path: stat /nope: no such file or directory"},
      {"network",
       [](CreateRequest& r) {
         r.network.mode = "bridge";
         r.networks.emplace_back().network = "nosuch";
       },
       "unable to find network with name or ID nosuch: network not found"},
      {"interfaces",
       [](CreateRequest& r) {
         r.network.mode = "bridge";
         for (const char* name : {"podman", "other"}) {
           NetworkChoice& choice = r.networks.emplace_back();
           choice.network = name;
           choice.interface = "x0";
         }
       },
       "interface_name \"x0\" is given to two networks"},
      {"ports",
       [](CreateRequest& r) {
         r.ports = {*net::parse_publish("80:80"), *net::parse_publish("80:81")};
       },
       "conflicting port mappings for host port 80 (protocol tcp)"},
      {"umask", [](CreateRequest& r) { r.umask = "9"; },
       "invalid umask string 9: invalid argument"},
      {"stop", [](CreateRequest& r) { r.stop_signal = "FOO"; }, "invalid signal: FOO"},
      {"device", [](CreateRequest& r) { r.devices = {"/dev/nope"}; },
       "stat /dev/nope: no such file or directory"},
      {"device mode", [](CreateRequest& r) { r.devices = {"/dev/null:/dev/x:q"}; },
       "invalid device mode: q"},
      {"device cdi", [](CreateRequest& r) { r.devices = {"vendor.com/x=y"}; },
       "setting up CDI devices: unresolvable CDI devices vendor.com/x=y"},
      {"device rule", [](CreateRequest& r) { r.device_cgroup_rules = {"x"}; },
       "invalid device cgroup rule requires type, major:Minor, and access rules: \"x\""},
      {"device rule type", [](CreateRequest& r) { r.device_cgroup_rules = {"q 1:3 r"}; },
       "invalid device type in device-access-add: q"},
      {"cpus",
       [](CreateRequest& r) {
         r.cpus = 1;
         r.resources.cpu.emplace().quota = 100;
       },
       "--cpu-quota and --cpus cannot be set together"},
      {"swap",
       [](CreateRequest& r) {
         r.resources.memory.emplace().limit = 20 << 20;
         r.resources.memory->swap = 10 << 20;
       },
       "minimum memoryswap limit should be larger than memory limit, see usage"},
      {"swappiness", [](CreateRequest& r) { r.resources.memory.emplace().swappiness = 101; },
       "invalid value: 101, valid memory swappiness range is 0-100"},
      {"bps", [](CreateRequest& r) { r.device_read_bps = {"x"}; }, "bad format: x"},
      {"init",
       [](CreateRequest& r) {
         r.init = true;
         r.pid.mode = "host";
       },
       "cannot add init binary as PID 1 (PID namespace isn't private)"},
      {"bind",
       [](CreateRequest& r) {
         r.mounts = {{"bind", "/nonexist", "/x", {}, false}};
       },
       "statfs /nonexist: no such file or directory"},
      {"duplicate",
       [](CreateRequest& r) {
         r.mounts = {{"bind", "/tmp", "/x", {}, true}, {"tmpfs", "", "/x/", {}, false}};
       },
       "/x: duplicate mount destination"},
      {"tmpfs",
       [](CreateRequest& r) {
         r.mounts = {{"tmpfs", "", "/x", {"foo"}, false}};
       },
       "unknown mount option \"foo\": invalid mount option"},
      {"volume name",
       [](CreateRequest& r) {
         r.mounts = {{"volume", "b@d", "/x", {}, true}};
       },
       "creating named volume \"b@d\": running volume create option: names must match "
       "[a-zA-Z0-9][a-zA-Z0-9_.-]*: invalid argument"},
      {"U on /usr",
       [](CreateRequest& r) {
         r.mounts = {{"bind", "/usr", "/x", {"U"}, true}};
       },
       "chowning host path \"/usr\" is not allowed. You can manually `chown -R` the path"},
      {"proc",
       [](CreateRequest& r) {
         r.mounts = {{"bind", "/tmp", "/proc", {}, true}};
       },
       "\"/proc\" cannot be mounted because it is not of type proc"},
      {"below proc",
       [](CreateRequest& r) {
         r.mounts = {{"tmpfs", "", "/tmp/../proc/sys", {}, false}};
       },
       "\"/proc/sys\" cannot be mounted because it is inside /proc"},
      {"sdnotify", [](CreateRequest& r) { r.sdnotify = "x"; },
       "invalid config provided: invalid argument: invalid sdnotify value \"x\": must be "
       "container, conmon, healthy or ignore"},
      {"rm and restart",
       [](CreateRequest& r) {
         r.remove = true;
         r.restart.name = "always";
       },
       "the --rm option conflicts with --restart, when the restartPolicy is not \"\" and \"no\""},
      {"volumes-from", [](CreateRequest& r) { r.volumes_from = {"nope"}; },
       "looking up container \"nope\" for volumes-from: no container with name or ID \"nope\" "
       "found: no such container"},
      {"secret", [](CreateRequest& r) { r.secrets = {"x,type=env"}; },
       "no secret with name or id \"x\": no such secret"},
      {"image volume", [](CreateRequest& r) { r.image_volume = "x"; },
       "invalid image volume mode \"x\" required value: bind, tmpfs, ignore"},
      {"expose", [](CreateRequest& r) { r.expose = {"x"}; },
       "invalid range format for --expose: x"},
      {"cgroups", [](CreateRequest& r) { r.cgroups = "x"; },
       "running container create option: invalid cgroup mode \"x\": invalid argument"},
      {"seccomp policy", [](CreateRequest& r) { r.seccomp_policy = "image"; },
       "no seccomp policy defined by image"},
      {"image mount",
       [](CreateRequest& r) {
         r.mounts = {{"image", "", "/x", {}, false}};
       },
       "must set source volume"},
      {"keep-groups", [](CreateRequest& r) { r.groups = {"keep-groups"}; },
       "--group-add keep-groups is not supported yet"},
      {"workdir", [](CreateRequest& r) { r.workdir = "rel"; },
       "the working directory \"rel\" is invalid, it needs to be an absolute path"},
  };
  const CreateRequest plain = request_;
  for (const Refusal& row : rows) {
    request_ = plain;
    row.ask(request_);
    EXPECT_EQ(error(), row.error) << row.name;
  }
}

// CVE-2019-16884: an image's VOLUME over what masks protect.
TEST_F(SpecTest, ImageVolumesNeverCoverKernelFileSystems) {
  for (const char* path : {"/proc", "/proc/self", "/sys", "/x/../proc", "/dev"}) {
    image_.config.config.volumes = {{path, json::Value(json::Object())}};
    EXPECT_NE(error().find("an image may not mount over"), std::string::npos) << path;
  }
}

TEST_F(SpecTest, UserAboveThirtyOneBitsIsNeverRoot) {
  for (const char* user : {"2147483648", "4294967296", "-1", "0x0", "+0"}) {
    request_.user = user;
    EXPECT_EQ(error(), "uids and gids must be in range 0-2147483647") << user;
    request_.user = "";
    image_.config.config.user = user;
    EXPECT_EQ(error(), "uids and gids must be in range 0-2147483647") << user;
    image_.config.config.user = "";
  }
}

}  // namespace minke::engine
