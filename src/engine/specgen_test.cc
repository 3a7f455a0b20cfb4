// Specs as a whole: what every container gets.
#include "engine/specgen_test_util.h"

namespace minke::engine {

TEST_F(SpecTest, MountsOfAnOrdinaryContainer) {
  auto made = spec();
  ASSERT_TRUE(made) << made.error().message();
  std::vector<std::string> lines;
  for (const oci::Mount& mount : made->mounts) lines.push_back(line(mount));
  const std::vector<std::string> wanted = {
      "/proc proc proc nosuid,noexec,nodev",
      "/dev tmpfs tmpfs nosuid,strictatime,mode=755,size=65536k",
      "/sys sysfs sysfs nosuid,noexec,nodev,ro",
      "/dev/pts devpts devpts nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5",
      "/dev/mqueue mqueue mqueue nosuid,noexec,nodev",
      "/dev/shm tmpfs shm nosuid,noexec,nodev,mode=1777,size=65536000",
      "/etc/hosts bind DIR/root/containers/c/hosts bind,rprivate",
      "/etc/resolv.conf bind DIR/root/containers/c/resolv.conf bind,rprivate",
      "/etc/hostname bind DIR/root/containers/c/hostname bind,rprivate",
      "/run/.containerenv bind DIR/root/containers/c/containerenv bind,rprivate",
      "/sys/fs/cgroup cgroup cgroup rprivate,nosuid,noexec,nodev,relatime,ro",
  };
  EXPECT_EQ(lines, wanted);
}

TEST_F(SpecTest, ProcessOfAnOrdinaryContainer) {
  auto made = spec();
  ASSERT_TRUE(made) << made.error().message();
  const oci::Process& process = *made->process;
  EXPECT_EQ(join(process.args, " "), "sleep 1");
  EXPECT_EQ(join(process.env, " "),
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin container=podman "
            "HOSTNAME=cccccccccccc HOME=/root");
  EXPECT_EQ(process.cwd, "/");
  EXPECT_EQ(process.user.additional_gids, (std::vector<std::uint32_t>{0, 10}));
  EXPECT_EQ(*process.user.umask, 0022u);
  EXPECT_EQ(process.capabilities->bounding.size(), 11u);
  EXPECT_EQ(process.capabilities->effective, process.capabilities->bounding);
  EXPECT_FALSE(process.no_new_privileges);
  EXPECT_EQ(made->hostname, "cccccccccccc");
  EXPECT_TRUE(made->linux_->seccomp.has_value());
  EXPECT_EQ(made->linux_->resources->pids->limit, 2048);
  EXPECT_EQ(made->linux_->cgroups_path, "/minke/" + std::string(64, 'c'));
  EXPECT_EQ(made->linux_->sysctl.at("net.ipv4.ping_group_range"), "0 0");
  EXPECT_TRUE(oci::validate_spec(*made)) << oci::validate_spec(*made).error().message();
}

// CVE-2026-94603, CVE-2024-3154, CVE-2026-53488, CVE-2026-121885: what an image carries never
// reaches the spec.
TEST_F(SpecTest, ImageLabelsAndAnnotationsChangeNothing) {
  auto plain = spec();
  ASSERT_TRUE(plain);
  for (const char* key :
       {"io.podman.annotations.privileged", "io.podman.annotations.init", "io.container.manager",
        "io.containers.capabilities", "run.oci.handler", "run.oci.keep_original_groups",
        "run.oci.systemd.subgroup", "org.systemd.property.ExecStart", "PODMAN_SYSTEMD_UNIT",
        "io.containers.autoupdate", "org.opencontainers.image.stopSignal",
        "io.kubernetes.cri-o.TTY", "io.podman.annotations.checkpoint",
        "io.podman.annotations.seccomp"}) {
    image_.config.config.labels[key] = "TRUE";
    image_.manifest.annotations[key] = "TRUE";
    image_.manifest_descriptor.annotations[key] = "TRUE";
    image_.manifest.config.annotations[key] = "TRUE";
  }
  image_.config.config.labels["weird"] = "a\nb %n $HOME \"q\" 'q'";
  auto hostile = spec();
  ASSERT_TRUE(hostile);
  EXPECT_EQ(json::dump_struct(*plain), json::dump_struct(*hostile));
  EXPECT_EQ(resolve()->labels.at("weird"), "a\nb %n $HOME \"q\" 'q'");
  EXPECT_TRUE(resolve()->annotations.empty());
}

// CVE-2026-57231: an entry of the image without "=" never takes a value from us.
TEST_F(SpecTest, ImageEnvironmentTakesNothingFromTheCaller) {
  ::setenv("SECRET", "s3cret", 1);
  image_.config.config.env = {"SECRET", "S*", "=x", "", "*", "GOOD=1"};
  auto made = spec();
  ASSERT_TRUE(made);
  EXPECT_EQ(join(made->process->env, " ").find("s3cret"), std::string::npos);
  EXPECT_TRUE(has_env(made->process->env, "GOOD"));
  EXPECT_FALSE(has_env(made->process->env, "SECRET"));
  request_.env = {"SECRET"};
  EXPECT_NE(join(spec()->process->env, " ").find("SECRET=s3cret"), std::string::npos);
}

TEST_F(SpecTest, EnvironmentOrder) {
  image_.config.config.env = {"A=image", "PATH=/bin", "C=1"};
  request_.env = {"A=asked", "HOME=/h", "B=2"};
  request_.unset_env = {"C"};
  request_.env_merge = {"PATH=${PATH}:/x"};
  request_.terminal = true;
  EXPECT_EQ(join(spec()->process->env, " "),
            "PATH=/bin:/x TERM=xterm container=podman A=asked HOME=/h B=2 HOSTNAME=cccccccccccc");
  request_.env = {"=x"};
  EXPECT_EQ(error(), "invalid environment variable: \"=x\"");
}

TEST_F(SpecTest, EntrypointAndCommand) {
  auto args = [&] { return join(spec()->process->args, " "); };
  image_.config.config.entrypoint = std::vector<std::string>{"/entry"};
  EXPECT_EQ(args(), "/entry sleep 1");
  request_.command = {"ls", "-l"};
  EXPECT_EQ(args(), "/entry ls -l");
  request_.entrypoint = std::vector<std::string>{"/other"};
  EXPECT_EQ(args(), "/other ls -l");
  request_.command.clear();
  EXPECT_EQ(args(), "/other");
  request_.entrypoint = std::vector<std::string>{""};
  EXPECT_EQ(error(), "no command or entrypoint provided, and no CMD or ENTRYPOINT from image");
  request_.command = {"ls"};
  EXPECT_EQ(args(), "ls");
  request_.init = true;
  EXPECT_EQ(args(), "/run/podman-init -- ls");
}

TEST_F(SpecTest, UnknownUsersGetAnEntry) {
  request_.user = "55";
  auto made = spec();
  ASSERT_TRUE(made);
  EXPECT_EQ(made->process->user.uid, 55u);
  EXPECT_TRUE(made->process->capabilities->effective.empty());
  EXPECT_TRUE(made->process->capabilities->permitted.empty());
  EXPECT_TRUE(made->process->capabilities->inheritable.empty());
  EXPECT_TRUE(made->process->capabilities->ambient.empty());
  EXPECT_EQ(made->process->capabilities->bounding.size(), 11u);
  EXPECT_EQ(mount_at(*made, "/etc/passwd"),
            "/etc/passwd bind DIR/root/containers/c/passwd bind,rprivate");
  std::string passwd = *sys::read_small_file(dir_ + "/root/containers/c/passwd");
  EXPECT_TRUE(passwd.ends_with(
      "app:x:1000:1000:app:/home/app:/bin/sh\n55:*:55:0:container user:/:/bin/sh\n"))
      << passwd;
  request_.passwd = false;
  EXPECT_EQ(mount_at(*spec(), "/etc/passwd"), "");
}

TEST_F(SpecTest, UpperLayersOfAccountsWin) {
  put("layer2/etc/passwd", "app:x:77:78::/seventy:/bin/sh\n");
  request_.user = "app";
  auto made = spec();
  ASSERT_TRUE(made);
  EXPECT_EQ(concat(made->process->user.uid, ":", made->process->user.gid), "77:78");
  EXPECT_TRUE(has_env(made->process->env, "HOME"));
  ASSERT_TRUE(sys::ensure_dirs(dir_ + "/root/containers/c/upper/etc", 0755));
  put("root/containers/c/upper/etc/passwd", "app:x:90:91::/ninety:/bin/sh\n");
  EXPECT_EQ(spec()->process->user.uid, 90u);
}

TEST_F(SpecTest, Privileged) {
  request_.privileged = true;
  auto made = spec();
  ASSERT_TRUE(made);
  EXPECT_EQ(made->process->capabilities->bounding, all_capabilities());
  EXPECT_FALSE(made->linux_->seccomp.has_value());
  EXPECT_TRUE(made->linux_->masked_paths.empty());
  EXPECT_TRUE(made->linux_->readonly_paths.empty());
  EXPECT_TRUE(mount_at(*made, "/sys").ends_with(",rw"));
  EXPECT_TRUE(mount_at(*made, "/sys/fs/cgroup").ends_with(",rw"));
  ASSERT_EQ(made->linux_->resources->devices.size(), 1u);
  EXPECT_TRUE(made->linux_->resources->devices[0].allow);
  request_.user = "1000";
  EXPECT_TRUE(spec()->process->capabilities->effective.empty());
}

TEST_F(SpecTest, MasksFollowTheOptions) {
  auto masked = [&](std::string_view path) {
    auto made = spec();
    const auto& list = made->linux_->masked_paths;
    return std::find(list.begin(), list.end(), path) != list.end();
  };
  EXPECT_TRUE(masked("/proc/kcore"));
  EXPECT_TRUE(masked("/proc/interrupts"));
  request_.security_opts = {"unmask=/proc/k*:/proc/scsi", "mask=/a:/b"};
  EXPECT_FALSE(masked("/proc/kcore"));
  EXPECT_FALSE(masked("/proc/scsi"));
  EXPECT_TRUE(masked("/proc/acpi"));
  EXPECT_TRUE(masked("/b"));
  request_.security_opts = {"unmask=ALL"};
  EXPECT_FALSE(masked("/proc/acpi"));
  EXPECT_TRUE(spec()->linux_->readonly_paths.empty());
}

TEST_F(SpecTest, SystemdMode) {
  request_.command = {"/sbin/init"};
  auto made = spec();
  ASSERT_TRUE(made);
  for (const char* path : {"/run", "/run/lock", "/tmp", "/var/log/journal"})
    EXPECT_EQ(mount_at(*made, path),
              concat(path, " tmpfs tmpfs rw,rprivate,nosuid,nodev,tmpcopyup"));
  // On version 1 it may change its own hierarchy and no limit.
  bool own_hierarchy = sys::exists("/sys/fs/cgroup/systemd");
  EXPECT_TRUE(mount_at(*made, "/sys/fs/cgroup").ends_with(own_hierarchy ? ",ro" : ",rw"));
  EXPECT_EQ(mount_at(*made, "/sys/fs/cgroup/systemd") != "", own_hierarchy);
  EXPECT_EQ(made->annotations.at("org.opencontainers.image.stopSignal"), "37");
  EXPECT_NE(join(made->process->env, " ").find("container_uuid=" + std::string(32, 'c')),
            std::string::npos);
  request_.systemd = "false";
  EXPECT_EQ(mount_at(*spec(), "/run/lock"), "");
  request_.systemd = "x";
  EXPECT_EQ(error(),
            "invalid config provided: --systemd values must be one of \"true, false, always\": "
            "invalid configuration");
  request_.systemd = "always";
  request_.init = true;
  EXPECT_EQ(error(), "cannot use container-init binary with systemd=always");
}

TEST_F(SpecTest, RootlessDifferences) {
  host_.rootless = true;
  host_.uid_map = host_.gid_map = {{0, 1001, 1}, {1, 100000, 65536}};
  request_.network.mode = "host";
  request_.pid.mode = "host";
  auto made = spec();
  ASSERT_TRUE(made);
  EXPECT_EQ(mount_at(*made, "/sys"), "/sys bind /sys rprivate,nosuid,noexec,nodev,rro,rbind");
  EXPECT_EQ(mount_at(*made, "/proc"), "/proc bind /proc rbind,nosuid,noexec,nodev");
  EXPECT_TRUE(mount_at(*made, "/sys/fs/cgroup").ends_with(",ro"));
  EXPECT_FALSE(made->linux_->resources->pids.has_value());
  EXPECT_TRUE(made->linux_->resources->devices.empty());
  EXPECT_NE(mount_at(*made, "/etc/resolv.conf"), "");
  request_.user = "70000";
  EXPECT_TRUE(error().starts_with("user 70000 is not mapped")) << error();
  host_.single_id = true;
  host_.uid_map = host_.gid_map = {{0, 1001, 1}};
  request_.user = "1000";
  EXPECT_NE(error().find("usermod --add-subuids"), std::string::npos) << error();
  request_.user = "";
  EXPECT_TRUE(mount_at(*spec(), "/dev/pts").ends_with("mode=0620"));
}

TEST_F(SpecTest, AWorkingDirectoryThatWasAskedForMustExist) {
  const std::string id(64, 'c');
  lower_ = {dir_ + "/layer1"};  // no mount is needed, so no rights
  request_.workdir = "/nope";
  EXPECT_EQ(error(), "workdir \"/nope\" does not exist on container " + id);
  request_.workdir = "/etc/passwd";
  EXPECT_EQ(error(),
            "workdir \"/etc/passwd\" exists on container " + id + ", but is not a directory");
  request_.workdir = "/etc//x/..";
  EXPECT_EQ(spec()->process->cwd, "/etc");
  request_.workdir = "";
  image_.config.config.working_dir = "/made/later";
  EXPECT_EQ(spec()->process->cwd, "/made/later");
}

TEST_F(SpecTest, NamespacesOfAnother) {
  other_.emplace();
  other_->id = std::string(64, 'd');
  other_->name = "web";
  other_->hostname = "webhost";
  other_->ipc_mode = "shareable";
  for (auto space :
       {&CreateRequest::pid, &CreateRequest::ipc, &CreateRequest::uts, &CreateRequest::network})
    request_.*space = {"container", "web"};
  auto config = resolve();
  ASSERT_TRUE(config) << config.error().message();
  EXPECT_EQ(config->pid_mode, "container:" + other_->id);
  EXPECT_EQ(config->depends_on, std::vector<std::string>{other_->id});
  EXPECT_EQ(config->hostname, "webhost");
  auto made = spec();
  ASSERT_TRUE(made);
  EXPECT_EQ(made->linux_->namespaces[0].path, "/proc/42/ns/pid");
  EXPECT_EQ(mount_at(*made, "/dev/shm"),
            "/dev/shm bind /proc/42/root/dev/shm bind,rprivate,nosuid,noexec,nodev");
  request_.pid.value = "nope";
  EXPECT_EQ(error(),
            "looking up container to share pid namespace with: no container with name or ID "
            "\"nope\" found: no such container");
}

TEST_F(SpecTest, ExecTakesTheContainersProcess) {
  image_.config.config.env = {"A=1"};
  request_.user = "app";
  auto config = resolve();
  auto made = spec();
  ASSERT_TRUE(config && made);
  auto root = sys::open_dir(dir_ + "/layer1");
  ExecOptions options;
  options.command = {"id"};
  options.env = {"B=2"};
  auto process = make_exec_process(*config, *made, options, root->get());
  ASSERT_TRUE(process) << process.error().message();
  EXPECT_EQ(process->user.uid, 1000u);
  EXPECT_TRUE(has_env(process->env, "A") && has_env(process->env, "B"));
  options.user = "0:wheel";
  options.workdir = "/tmp/..//x";
  process = make_exec_process(*config, *made, options, root->get());
  EXPECT_EQ(concat(process->user.uid, ":", process->user.gid, " ", process->cwd), "0:10 /x");
  EXPECT_EQ(process->capabilities->effective.size(), 11u);
  EXPECT_TRUE(process->capabilities->inheritable.empty() && process->capabilities->ambient.empty());
  options.user = "4294967296";
  EXPECT_EQ(make_exec_process(*config, *made, options, root->get()).error().message(),
            "uids and gids must be in range 0-2147483647");
  options.user = "5";
  options.privileged = true;
  EXPECT_EQ(make_exec_process(*config, *made, options, root->get())->capabilities->bounding,
            all_capabilities());
}

TEST_F(SpecTest, ConfigsSurviveTheDisk) {
  request_.user = "app";
  request_.mounts = {{"tmpfs", "", "/t", {"size=1m"}, false}};
  request_.read_only_tmpfs = false;
  request_.stop_timeout = 0;
  request_.entrypoint = std::vector<std::string>{""};
  request_.command = {"x"};
  request_.cpus = 1.5;
  auto config = resolve();
  ASSERT_TRUE(config) << config.error().message();
  std::string text = json::dump_struct(*config);
  auto back = json::parse_struct<ContainerConfig>(text);
  ASSERT_TRUE(back);
  EXPECT_EQ(json::dump_struct(*back), text);
  EXPECT_FALSE(back->request.read_only_tmpfs);
  EXPECT_EQ(back->stop_timeout, 0);
  EXPECT_EQ(back->request.stop_timeout, 0);
}

}  // namespace minke::engine
