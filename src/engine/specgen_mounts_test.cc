// Mounts that were asked for, and their volumes.
#include <sys/stat.h>

#include "engine/specgen_test_util.h"

namespace minke::engine {

TEST_F(SpecTest, UserMountsHaveTheirOptions) {
  std::string data = dir_ + "/data";
  ASSERT_TRUE(sys::ensure_dirs(data, 0755));
  request_.mounts = {
      {"bind", data, "/a", {"ro", "z", "suid", "dev", "exec"}, true},
      {"volume", "vol", "/b", {}, true},
      {"tmpfs", "", "/c", {"size=1m"}, false},
      {"tmpfs", "", "/c3", {"mode=700", "notmpcopyup"}, false},
      {"bind", data, "/e/f", {"rshared", "suid", "dev", "exec"}, false},
  };
  auto made = spec();
  ASSERT_TRUE(made) << made.error().message();
  EXPECT_EQ(mount_at(*made, "/a"), "/a bind DIR/data suid,dev,exec,rbind,ro,rprivate");
  EXPECT_EQ(mount_at(*made, "/b"),
            "/b bind DIR/root/volumes/vol/_data nosuid,nodev,rbind,rw,rprivate");
  EXPECT_EQ(mount_at(*made, "/c"), "/c tmpfs tmpfs size=1m,nosuid,nodev,tmpcopyup,rw,rprivate");
  EXPECT_EQ(mount_at(*made, "/c3"), "/c3 tmpfs tmpfs mode=700,nosuid,nodev,rw,rprivate");
  EXPECT_EQ(mount_at(*made, "/e/f"), "/e/f bind DIR/data suid,dev,exec,rbind,rw,rshared");
  EXPECT_EQ(made->linux_->rootfs_propagation, "shared");
}

TEST_F(SpecTest, TheUsersMountsReplaceTheEngines) {
  request_.mounts = {{"bind", "/tmp", "/dev/shm", {}, true},
                     {"bind", "/etc/hostname", "/etc/hosts", {}, true}};
  auto made = spec();
  ASSERT_TRUE(made) << made.error().message();
  EXPECT_TRUE(mount_at(*made, "/dev/shm").starts_with("/dev/shm bind /tmp "));
  EXPECT_TRUE(mount_at(*made, "/etc/hosts").starts_with("/etc/hosts bind /etc/hostname "));
  std::size_t count = 0;
  for (const oci::Mount& mount : made->mounts) count += mount.destination == "/dev/shm";
  EXPECT_EQ(count, 1u);
}

TEST_F(SpecTest, ProcfsAtProcIsAllowed) {
  request_.mounts = {{"bind", "/proc", "/proc", {}, true},
                     {"bind", "/etc/hostname", "/proc/uptime", {"ro"}, true}};
  auto made = spec();
  ASSERT_TRUE(made) << made.error().message();
  EXPECT_TRUE(mount_at(*made, "/proc").starts_with("/proc bind /proc "));
}

TEST_F(SpecTest, ReadOnlyRootHasScratchSpace) {
  request_.read_only = true;
  auto made = spec();
  ASSERT_TRUE(made);
  EXPECT_TRUE(made->root->readonly);
  for (const char* path : {"/run", "/tmp", "/var/tmp"})
    EXPECT_EQ(mount_at(*made, path),
              concat(path, " tmpfs tmpfs rw,rprivate,nosuid,nodev,tmpcopyup"));
  request_.read_only_tmpfs = false;
  made = spec();
  EXPECT_EQ(mount_at(*made, "/tmp"), "");
  EXPECT_TRUE(mount_at(*made, "/dev").ends_with(",ro"));
}

TEST_F(SpecTest, ImageVolumesAreAnonymousOnes) {
  image_.config.config.volumes = {{"/data", json::Value(json::Object())},
                                  {"/mine", json::Value(json::Object())}};
  request_.mounts = {{"tmpfs", "", "/mine", {}, false}};
  auto config = resolve();
  ASSERT_TRUE(config) << config.error().message();
  ASSERT_EQ(config->mounts.size(), 2u);
  EXPECT_TRUE(config->mounts[0].anonymous && config->mounts[0].copy_up);
  EXPECT_EQ(config->mounts[0].volume_name.size(), 64u);
  EXPECT_EQ(config->mounts[1].type, "tmpfs");
  request_.image_volume = "tmpfs";
  EXPECT_EQ(resolve()->mounts[0].type, "tmpfs");
  request_.image_volume = "ignore";
  EXPECT_EQ(resolve()->mounts.size(), 1u);
}

TEST_F(SpecTest, VolumesOfAnother) {
  other_.emplace();
  other_->id = std::string(64, 'd');
  other_->name = "web";
  ResolvedMount bound;
  bound.type = "bind";
  bound.source = "/tmp";
  bound.destination = "/shared";
  bound.options = {"rbind"};
  bound.propagation = "rprivate";
  other_->mounts = {bound};
  request_.volumes_from = {"web:ro"};
  auto config = resolve();
  ASSERT_TRUE(config) << config.error().message();
  ASSERT_EQ(config->mounts.size(), 1u);
  EXPECT_FALSE(config->mounts[0].read_write);
  EXPECT_EQ(config->depends_on, std::vector<std::string>{other_->id});
  request_.volumes_from = {"web:foo"};
  EXPECT_EQ(error(),
            "invalid option \"foo\" specified - volumes from another container can only use "
            "z,ro,rw options");
}

class VolumeTest : public SpecTest {
 protected:
  std::string data(const std::string& path) { return dir_ + "/root/volumes/vol/_data" + path; }
  Status prepare() {
    ContainerConfig config = TRY(resolve());
    sys::DirFd root = TRY(sys::open_dir(dir_ + "/layer1"));
    return prepare_volumes(config, host_, root.get());
  }
};

TEST_F(VolumeTest, EmptyVolumesAreFilledOnceFromTheImage) {
  ASSERT_TRUE(sys::ensure_dirs(dir_ + "/layer1/data/sub", 0755));
  ASSERT_EQ(::chmod((dir_ + "/layer1/data").c_str(), 02750), 0);
  put("layer1/data/sub/file", "content");
  ASSERT_EQ(::link((dir_ + "/layer1/data/sub/file").c_str(), (dir_ + "/layer1/data/hard").c_str()),
            0);
  ASSERT_EQ(::symlink("/etc/passwd", (dir_ + "/layer1/data/link").c_str()), 0);
  ASSERT_EQ(::mkfifo((dir_ + "/layer1/data/fifo").c_str(), 0640), 0);
  request_.mounts = {{"volume", "vol", "/data", {}, true}};
  Status done = prepare();
  ASSERT_TRUE(done) << done.error().message();
  EXPECT_EQ(*sys::read_small_file(data("/sub/file")), "content");
  struct stat a {
  }, b{};
  ASSERT_EQ(::stat(data("/hard").c_str(), &a), 0);
  ASSERT_EQ(::stat(data("/sub/file").c_str(), &b), 0);
  EXPECT_EQ(a.st_ino, b.st_ino);
  EXPECT_EQ(*sys::read_link_at(sys::DirFd::cwd(), data("/link").c_str()), "/etc/passwd");
  ASSERT_EQ(::stat(data("/fifo").c_str(), &a), 0);
  EXPECT_TRUE(S_ISFIFO(a.st_mode));
  ASSERT_EQ(::stat(data("").c_str(), &a), 0);
  EXPECT_EQ(a.st_mode & 07777, 02750u);

  // CVE-2020-1726: never again.
  ASSERT_EQ(::unlink(data("/hard").c_str()), 0);
  put("layer1/data/new", "x");
  ASSERT_TRUE(prepare());
  EXPECT_FALSE(sys::exists(data("/hard")));
  EXPECT_FALSE(sys::exists(data("/new")));
}

TEST_F(VolumeTest, VolumesWithContentOrNocopyStayAsTheyAre) {
  ASSERT_TRUE(sys::ensure_dirs(dir_ + "/layer1/data", 0755));
  put("layer1/data/file", "image");
  request_.mounts = {{"volume", "vol", "/data", {"nocopy"}, true}};
  ASSERT_TRUE(prepare());
  EXPECT_FALSE(sys::exists(data("/file")));
  ASSERT_TRUE(sys::write_file(data("/mine"), "1", 0644));
  request_.mounts[0].options.clear();
  ASSERT_TRUE(prepare());
  EXPECT_FALSE(sys::exists(data("/file")));
}

TEST_F(VolumeTest, TheImagesLinkNeverLeadsOut) {
  ASSERT_TRUE(sys::ensure_dirs(dir_ + "/canary", 0755));
  put("canary/secret", "host");
  ASSERT_EQ(::symlink((dir_ + "/canary").c_str(), (dir_ + "/layer1/data").c_str()), 0);
  request_.mounts = {{"volume", "vol", "/data", {}, true}};
  ASSERT_TRUE(prepare());
  EXPECT_FALSE(sys::exists(data("/secret")));
}

TEST_F(VolumeTest, CreateFindListRemove) {
  Volumes volumes(host_);
  Volumes::Create create;
  create.name = "alpha";
  create.labels["k"] = "v";
  create.options["o"] = "nocopy";
  ASSERT_TRUE(volumes.create(create));
  auto again = volumes.create(create);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().message(),
            "volume with name alpha already exists: volume already exists");
  create.name = "alpine";
  ASSERT_TRUE(volumes.create(create));
  EXPECT_EQ(volumes.find("alph")->name, "alpha");
  EXPECT_FALSE(volumes.find("alpha")->needs_copy_up);
  EXPECT_EQ(volumes.find("al").error().message(),
            "more than one result for volume name \"al\": volume already exists");
  EXPECT_EQ(volumes.find("nope").error().message(),
            "no volume with name \"nope\" found: no such volume");
  EXPECT_EQ(volumes.find("../alpha").error().code(), Errc::not_found);
  EXPECT_EQ(volumes.list()->size(), 2u);
  ASSERT_TRUE(volumes.remove("alpha"));
  EXPECT_FALSE(sys::exists(dir_ + "/root/volumes/alpha"));
  EXPECT_EQ(volumes.list()->size(), 1u);
}

TEST_F(VolumeTest, OptionsAreCheckedByName) {
  const std::pair<std::map<std::string, std::string>, const char*> rows[] = {
      {{{"foo", "bar"}},
       "running volume create option: invalid mount option foo for driver 'local': invalid "
       "argument"},
      {{{"o", "size=1g"}},
       "volume option size=1g: volume options size and inodes not supported. Filesystem does not "
       "support Project Quota: use type=tmpfs for a volume with a size"},
      {{{"o", "uid=x"}}, "cannot convert uid x to integer: invalid argument"},
      {{{"type", "bind"}, {"device", "x"}}, "volume option device=x: must be an absolute path"},
  };
  for (const auto& [options, error] : rows)
    EXPECT_EQ(parse_volume_options(options).error().message(), error);
  EXPECT_EQ(parse_volume_options({{"type", "none"}, {"device", "/d"}, {"o", "bind,uid=5"}})->uid,
            5);
  auto tmpfs = parse_volume_options({{"type", "tmpfs"}, {"o", "size=1g,uid=5,nocopy"}});
  ASSERT_TRUE(tmpfs);
  EXPECT_EQ(tmpfs->fs_type + "|" + tmpfs->device, "tmpfs|tmpfs");
  EXPECT_EQ(tmpfs->mount_options, (std::vector<std::string>{"size=1g", "uid=5"}));
  EXPECT_TRUE(tmpfs->nocopy);
}

}  // namespace minke::engine
