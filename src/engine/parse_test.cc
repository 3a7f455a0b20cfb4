#include "engine/parse.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/str.h"
#include "engine/parse_internal.h"
#include "sys/fd.h"

namespace minke::engine {

template <typename T>
std::string error_of(Result<T>&& result) {
  return result ? "" : result.error().message();
}
std::string options_of(const MountRequest& m) { return join(m.options, ","); }

TEST(ParseLabelFile, TakesNoNameWithBlanks) {
  std::string path = ::testing::TempDir() + concat("minke-labels-", ::getpid());
  ASSERT_TRUE(sys::write_file(path, "# c\n\n  a=b c\nd\n", 0644));
  auto labels = parse_label_file(path);
  ASSERT_TRUE(labels);
  ASSERT_EQ(labels->size(), 2u);
  EXPECT_EQ((*labels)[0].first + "|" + (*labels)[0].second + "|" + (*labels)[1].first, "a|b c|d");
  ASSERT_TRUE(sys::write_file(path, "a =b\n", 0644));
  EXPECT_EQ(error_of(parse_label_file(path)),
            "unable to process labels: name \"a \" has white spaces, poorly formatted name");
  ::unlink(path.c_str());
}

TEST(ParseVolume, ReadsItsThreeForms) {
  MountRequest m = *parse_volume("/data");
  EXPECT_EQ(m.type + "|" + m.source + "|" + m.destination, "volume||/data");
  m = *parse_volume("vol:/data:ro,nocopy");
  EXPECT_EQ(m.type + "|" + m.source + "|" + m.destination + "|" + options_of(m),
            "volume|vol|/data|ro,nocopy");
  m = *parse_volume("/a//b/../c:/data/");
  EXPECT_EQ(m.type + "|" + m.source + "|" + m.destination, "bind|/a/c|/data");
  m = *parse_volume("/a\\:b:/data");
  EXPECT_EQ(m.source, "/a:b");
  m = *parse_volume("./x:/data");
  EXPECT_TRUE(m.source.starts_with("/") && m.source.ends_with("/x")) << m.source;
}

TEST(ParseVolume, RefusesInPodmansWords) {
  const std::pair<const char*, const char*> rows[] = {
      {"a:b", "invalid container path \"b\", must be an absolute path"},
      {"", "container directory cannot be empty"},
      {":/x", "host directory cannot be empty"},
      {"/tmp:/x:y:z",
       "/tmp:/x:y:z: incorrect volume format, should be [host-dir:]ctr-dir[:option]"},
      {"/tmp:/x:foo", "invalid option type \"foo\""},
      {"/tmp:/x:ro,rw", "invalid options \"ro, rw\", can only specify 1 'rw' or 'ro' option"},
      {"/tmp:/x:z,Z", "invalid options \"z, Z\", can only specify 1 'z', 'Z', or 'O' option"},
      {"/tmp:/x:rbind,bind",
       "invalid options \"rbind, bind\", can only specify 1 '[r]bind' option"},
      {"/tmp:/x:exec,noexec",
       "invalid options \"exec, noexec\", can only specify 1 'noexec' or 'exec' option"},
      {"a:/x:O,upperdir=/a,upperdir=/b",
       "invalid options \"upperdir=/a\", can only specify 1 upperdir per overlay"},
  };
  for (const auto& [text, error] : rows) EXPECT_EQ(error_of(parse_volume(text)), error) << text;
}

TEST(ParseMount, ReadsKeysOfEachType) {
  MountRequest m =
      *parse_mount("type=bind,src=/tmp,dst=/e,ro,bind-propagation=rshared,relabel=private");
  EXPECT_EQ(m.source + "|" + m.destination + "|" + options_of(m), "/tmp|/e|ro,rshared,Z");
  m = *parse_mount("type=tmpfs,dst=/c,tmpfs-mode=700,tmpfs-size=2m,notmpcopyup");
  EXPECT_EQ(m.type + "|" + options_of(m), "tmpfs|mode=700,size=2m,notmpcopyup");
  m = *parse_mount("type=volume,source=v,target=/v,readonly=false,U=true");
  EXPECT_EQ(m.source + "|" + options_of(m), "v|rw,U");
  EXPECT_EQ(parse_mount("type=bind,\"src=/a,b\",dst=/x")->source, "/a,b");
  EXPECT_EQ(parse_mount("type=bind,dst=/x")->source, "/x");
  EXPECT_EQ(parse_mount("dst=/x")->type, "volume");
  EXPECT_EQ(parse_mount("src=v,dst=/x,subpath=a/b")->subpath, "a/b");
  m = *parse_mount("src=v,dst=/x,volume-opt=type=tmpfs,volume-opt=o=size=1m,volume-opt=o=ro");
  EXPECT_EQ(m.volume_options["type"] + "|" + m.volume_options["o"], "tmpfs|size=1m,ro");
  EXPECT_EQ(options_of(*parse_mount("src=v,dst=/x,O,upperdir=/u,workdir=/w")),
            "O,upperdir=/u,workdir=/w");
  m = *parse_mount("type=image,src=img,dst=/x,rw=true,subpath=/a/b");
  EXPECT_EQ(m.source + "|" + m.subpath + "|" + options_of(m), "img|a/b|rw");
  EXPECT_EQ(options_of(*parse_mount("type=image,src=img,dst=/x,readwrite=false")), "ro");
  EXPECT_EQ(options_of(*parse_mount("type=ramfs,dst=/x,tmpfs-mode=700,noexec")), "mode=700,noexec");
  EXPECT_EQ(options_of(*parse_mount("type=devpts,dst=/x,uid=3,ptxmode=600")), "uid=3,ptmxmode=600");
}

TEST(ParseMount, AGlobIsOneBindForEachPath) {
  std::string dir = ::testing::TempDir() + concat("minke-glob-", ::getpid());
  ASSERT_TRUE(sys::ensure_dirs(dir, 0755));
  for (const char* name : {"/a1", "/a2", "/b"}) ASSERT_TRUE(sys::write_file(dir + name, "", 0644));
  auto expand = [&](std::string_view text) {
    std::string out;
    auto mounts = expand_glob(*parse_mount(text));
    if (!mounts) return std::string(mounts.error().message());
    for (const MountRequest& m : *mounts)
      out += concat(m.type, " ", m.source.substr(dir.size()), " ", m.destination, ",",
                    options_of(m), ";");
    return out;
  };
  EXPECT_EQ(expand(concat("type=glob,src=", dir, "/a*,dst=/t/,ro")),
            "bind /a1 /t/a1,ro;bind /a2 /t/a2,ro;");
  EXPECT_EQ(expand(concat("type=glob,src=", dir, "/b*")), concat("bind /b ", dir, "/b,;"));
  EXPECT_EQ(expand("type=glob,src=/nosuch*,dst=/t"), "no file paths matching glob \"/nosuch*\"");
  EXPECT_TRUE(sys::remove_tree_at(sys::DirFd::cwd(), dir.c_str()));
}

TEST(ParseMount, RefusesInPodmansWords) {
  const std::pair<const char*, const char*> rows[] = {
      {"type=foo,dst=/x", "invalid filesystem type \"foo\""},
      {"type=artifact,src=a,dst=/x", "mount type \"artifact\" is not supported yet"},
      {"type=image,src=a,dst=/x,ro=true", "ro: invalid mount option"},
      {"type=ramfs,dst=/x,tmpfs-size=1m", "tmpfs-size: invalid mount option"},
      {"type=bind,src=/tmp", "must set volume destination"},
      {"src=v,dst=/x,subpath=../y",
       "mount option subpath=../y: must be a path below the volume: invalid mount option"},
      {"type=tmpfs,dst=/x,foo=1", "foo: invalid mount option"},
      {"type=bind,src=/tmp,dst=/x,foo=1", "foo: invalid mount option"},
      {"type=tmpfs,src=/a,dst=/x", "\"source\" option not supported with \"tmpfs\" mount types"},
      {"type=bind,src=/a,dst=/x,bind-propagation=x,src=/",
       "bind-propagation \"x\": invalid mount option"},
      {"type=bind,src=/a,dst=/x,relabel=no", "relabel mount option must be 'private' or 'shared'"},
  };
  for (const auto& [text, error] : rows) EXPECT_EQ(error_of(parse_mount(text)), error) << text;
}

TEST(ParseUlimit, ReadsSoftAndHard) {
  Ulimit u = *parse_ulimit("nofile=1024:4096");
  EXPECT_EQ(concat(u.name, " ", u.soft, " ", u.hard), "nofile 1024 4096");
  u = *parse_ulimit("core=-1");
  EXPECT_EQ(concat(u.name, " ", u.soft, " ", u.hard), "core -1 -1");
  EXPECT_EQ(parse_ulimit("host")->name, "host");
}

TEST(ParseUlimit, RefusesInPodmansWords) {
  const std::pair<const char*, const char*> rows[] = {
      {"foo=1", "invalid ulimit type: foo"},
      {"nofile=5:3", "ulimit soft limit must be less than or equal to hard limit: 5 > 3"},
      {"nofile", "invalid ulimit argument: nofile"},
      {"nofile=a", "strconv.ParseInt: parsing \"a\": invalid syntax"},
      {"nofile=1:2:3",
       "too many limit value arguments - 1:2:3, can only have up to two, `soft[:hard]`"},
  };
  for (const auto& [text, why] : rows)
    EXPECT_EQ(error_of(parse_ulimit(text)),
              concat("ulimit option ", quote(text),
                     " requires name=SOFT:HARD, failed to be parsed: ", why));
}

TEST(ParseNamespace, KnowsTheModesOfEachFlag) {
  EXPECT_EQ(parse_namespace("pid", "container:web")->value, "web");
  EXPECT_EQ(parse_namespace("ipc", "shareable")->mode, "shareable");
  EXPECT_EQ(parse_namespace("userns", "keep-id:uid=5,gid=6")->value, "uid=5,gid=6");
  EXPECT_EQ(parse_namespace("network", "slirp4netns:mtu=9")->mode, "slirp4netns");
  for (auto [flag, text] : {std::pair{"pid", "foo"},
                            {"pid", "none"},
                            {"uts", "shareable"},
                            {"cgroupns", "auto"},
                            {"userns", "none"},
                            {"pid", "container:"},
                            {"pid", "host:x"}})
    EXPECT_EQ(error_of(parse_namespace(flag, text)),
              concat("unrecognized namespace mode ", text, " passed"));
}

TEST(ParseRestart, ReadsPolicies) {
  EXPECT_EQ(parse_restart("on-failure:5")->retries, 5u);
  EXPECT_EQ(parse_restart("unless-stopped")->name, "unless-stopped");
  EXPECT_EQ(error_of(parse_restart("foo")),
            "\"foo\" is not a valid restart policy: invalid argument");
  EXPECT_EQ(error_of(parse_restart("no:5")),
            "restart policy retries can only be specified with on-failure restart policy");
}

TEST(ParseEntrypoint, TakesAJsonArrayOrOneWord) {
  using Words = std::vector<std::string>;
  EXPECT_EQ(*parse_entrypoint("[\"a\",\"b c\"]"), (Words{"a", "b c"}));
  EXPECT_EQ(*parse_entrypoint("/bin/sh -c"), (Words{"/bin/sh -c"}));
  EXPECT_EQ(*parse_entrypoint(""), (Words{""}));
  EXPECT_EQ(*parse_entrypoint("[]"), (Words{""}));
  EXPECT_EQ(*parse_entrypoint("[1]"), (Words{"[1]"}));
}

class EnvFile : public ::testing::Test {
 protected:
  std::string write(std::string_view text) {
    std::string path = ::testing::TempDir() + concat("minke-env-", getpid());
    EXPECT_TRUE(sys::write_file(path, text, 0600));
    return path;
  }
  void TearDown() override {
    ::unlink((::testing::TempDir() + concat("minke-env-", getpid())).c_str());
  }
};

TEST_F(EnvFile, TakesNamesFromTheCaller) {
  ::setenv("MINKE_TEST_A", "1", 1);
  ::setenv("MINKE_TEST_B", "2", 1);
  auto env = parse_env_file(
      write("# no\n\n  A=b c\nMINKE_TEST_A\nMISSING_VARIABLE\nE=\nMINKE_TEST_*\r\n"));
  ASSERT_TRUE(env);
  std::vector<std::string> tail(env->begin(), env->begin() + 3);
  EXPECT_EQ(tail, (std::vector<std::string>{"A=b c", "MINKE_TEST_A=1", "E="}));
  EXPECT_EQ(env->size(), 5u);
}

TEST_F(EnvFile, RefusesBlanksInNames) {
  std::string path = write("A B=c\n");
  EXPECT_EQ(error_of(parse_env_file(path)),
            concat("parsing env file ", quote(path),
                   ": name \"A B\" has white spaces, poorly formatted name"));
}

TEST(CleanPath, FollowsGo) {
  const std::pair<const char*, const char*> rows[] = {
      {"", "."},    {"/", "/"}, {"/../a", "/a"}, {"a/../..", ".."}, {"//a//b/./c/..", "/a/b"},
      {"./a", "a"},
  };
  for (const auto& [path, clean] : rows) EXPECT_EQ(clean_path(path), clean) << path;
}

TEST(ParseSecret, MountAndEnv) {
  auto secret = parse_secret("x,target=/etc/y,uid=5,gid=6,mode=0400");
  ASSERT_TRUE(secret) << secret.error().message();
  EXPECT_EQ(secret->source, "x");
  EXPECT_EQ(secret->target, "/etc/y");
  EXPECT_EQ(secret->uid, 5u);
  EXPECT_EQ(secret->gid, 6u);
  EXPECT_EQ(secret->mode, 0400u);
  EXPECT_EQ(parse_secret("x")->mode, 0444u);
  EXPECT_TRUE(parse_secret("source=x,type=env")->env);
}

TEST(ParseSecret, FaultsInPodmansWords) {
  const std::pair<const char*, const char*> rows[] = {
      {"x,foo", "option foo must be in form option=value: parsing secret"},
      {"x,foo=1", "option foo=1 invalid: parsing secret"},
      {"x,type=bad", "type bad is invalid: parsing secret"},
      {"x,type=env,type=env", "cannot set more than one secret type: parsing secret"},
      {"x,mode=9", "mode 9 invalid: parsing secret"},
      {"x,uid=-1", "UID -1 invalid: parsing secret"},
      {"target=y", "no source found target=y: parsing secret"},
      {"x,type=env,gid=1",
       "UID, GID, Mode options cannot be set with secret type env: parsing secret"},
  };
  for (const auto& [text, message] : rows) EXPECT_EQ(error_of(parse_secret(text)), message);
}

}  // namespace minke::engine
