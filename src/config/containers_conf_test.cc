#include "config/containers_conf.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/str.h"
#include "config/toml_file.h"
#include "sys/fd.h"

namespace minke::config {
namespace {

struct Read {
  ContainersConf conf;
  Strings notes;
  std::string error;
};
Read read(std::string_view text) {
  Read out;
  Status status = merge_containers_conf(text, "c.conf", &out.conf, &out.notes);
  if (!status) out.error = status.error().message();
  return out;
}

TEST(ContainersConf, EveryTypeIsRead) {
  Read r = read(R"(
# a comment
[containers]
env = ["A=1", "B=2"]   # behind
init = true
pids_limit = -1
tz = "Europe/Berlin"
log_size_max = 1048576
[engine]
detach_keys = ""
events_logfile_max_size = 5
events_logger = "file"
[engine.runtimes]
crun = ["/opt/crun", "/usr/bin/crun"]
[secrets]
driver = "pass"
[secrets.opts]
root = "/x"
)");
  EXPECT_EQ(r.error, "");
  EXPECT_EQ(r.conf.env, (Strings{"A=1", "B=2"}));
  EXPECT_EQ(r.conf.init, true);
  EXPECT_EQ(r.conf.pids_limit, -1);
  EXPECT_EQ(r.conf.tz, "Europe/Berlin");
  EXPECT_EQ(r.conf.log_size_max, 1048576);
  EXPECT_EQ(r.conf.detach_keys, "");
  EXPECT_EQ(r.conf.events_logfile_max_size, "5");
  EXPECT_EQ(r.conf.runtimes["crun"], (Strings{"/opt/crun", "/usr/bin/crun"}));
  EXPECT_EQ(r.conf.secrets_driver, "pass");
  EXPECT_EQ(r.conf.secrets_opts["root"], "/x");
  EXPECT_TRUE(r.notes.empty());
}

// Found by the fuzzer: the library's assertions held these for impossible.
TEST(ContainersConf, BrokenHeadersAndKeysAreFaultsOfTheFile) {
  for (const char* text : {"[\n", "[[\n", "[a.\n]", "[.]", "a.\n", "a.=1", "[\"",
                           "[containers]\nenv.\n", "a \u00ea = 1"})
    EXPECT_NE(read(text).error, "") << text;
}

TEST(ContainersConf, AFaultIsOneLineWhateverTheFileSays) {
  EXPECT_EQ(read("a = t\n[b]\n").error,
            "c.conf:1: Error while parsing boolean: expected 'true', saw 't\\n'");
  EXPECT_EQ(read("[containers]\n\"x\\ny\\u001b\" = 1\n").notes,
            (Strings{"c.conf:2: containers.x\\ny\\x1b: no effect: not known"}));
}

TEST(ContainersConf, AFaultNamesFileLineAndKey) {
  struct Row {
    const char* text;
    const char* error;
  };
  for (const Row& row : {
           Row{"[containers]\n# x\npids_limit = \"many\"\n",
               "c.conf:3: containers.pids_limit: must be an integer, is a string"},
           Row{"[containers]\nenv = \"A\"\n",
               "c.conf:2: containers.env: must be a list of strings, is a string"},
           Row{"[containers]\nenv = [1]\n",
               "c.conf:2: containers.env: must be a list of strings, is a list with an integer"},
           Row{"[engine]\n\nnum_locks = true\n",
               "c.conf:3: engine.num_locks: must be an integer, is a boolean"},
           Row{"[containers]\ninit = 1\n",
               "c.conf:2: containers.init: must be true or false, is an integer"},
           Row{"[containers]\ntz = 1979-05-27\n",
               "c.conf:2: containers.tz: must be a string, is a date or time"},
           Row{"[engine.runtimes]\ncrun = \"/x\"\n",
               "c.conf:2: engine.runtimes.crun: must be a list of strings, is a string"},
       })
    EXPECT_EQ(read(row.text).error, row.error);
  EXPECT_TRUE(read("[containers]\nnonsense\n").error.starts_with("c.conf:2: "));
  EXPECT_TRUE(read("\n\n\x01").error.starts_with("c.conf:3: "));
}

TEST(ContainersConf, WhatHasNoEffectIsNoted) {
  Read r = read("[engine]\nnum_locks = 7\nnosuch = [1.5]\n[network]\nnetwork_backend = \"x\"\n");
  EXPECT_EQ(r.error, "");
  ASSERT_EQ(r.notes.size(), 3u);
  EXPECT_EQ(join(r.notes, "\n"),
            "c.conf:3: engine.nosuch: no effect: not known\n"
            "c.conf:2: engine.num_locks: no effect: locks are files here: there is no number of "
            "them\n"
            "c.conf:5: network.network_backend: no effect: networks are this engine's own, without "
            "plugins and helpers");
}

TEST(ContainersConf, ListsAreReplacedOrAppendedTo) {
  ContainersConf conf;
  ASSERT_TRUE(merge_containers_conf("[containers]\nenv=[\"A=1\"]", "a", &conf, nullptr));
  ASSERT_TRUE(
      merge_containers_conf("[containers]\nenv=[\"B=1\", {append=true}]", "b", &conf, nullptr));
  EXPECT_EQ(conf.env, (Strings{"A=1", "B=1"}));
  ASSERT_TRUE(merge_containers_conf("[containers]\nenv=[\"C=1\"]", "c", &conf, nullptr));
  EXPECT_EQ(conf.env, (Strings{"C=1"}));
}

TEST(ContainersConf, AHashInAStringIsNoComment) {
  Read r = read("[containers]\nenv = [\n\"A=#x\",\n# gone\n\"B=2\" ]\ntz = \"\"\"\n# kept\"\"\"\n");
  EXPECT_EQ(r.error, "");
  EXPECT_EQ(r.conf.env, (Strings{"A=#x", "B=2"}));
  EXPECT_EQ(r.conf.tz, "# kept");
  EXPECT_EQ(read("[containers]\n#x\nenv = [\n\"A=#x\",\n# gone\n\"B=2\" ]").conf.env,
            (Strings{"A=#x", "B=2"}));
}

class ConfFiles : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/conf_test.XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    root_ = name;
    places_.prefix = root_;
    places_.uid = 1000;
    places_.config_home = root_ + "/home/.config";
  }
  void TearDown() override { ASSERT_TRUE(sys::remove_tree_at(sys::DirFd::cwd(), root_.c_str())); }
  void write(const std::string& path, std::string_view text) {
    std::string whole = root_ + path;
    ASSERT_TRUE(sys::ensure_dirs(whole.substr(0, whole.rfind('/')), 0755));
    ASSERT_TRUE(sys::write_file(whole, text, 0644));
  }
  std::string tz() {
    auto conf = load_containers_conf(places_);
    return conf ? conf->tz : concat("error: ", conf.error().message());
  }

  std::string root_;
  ConfPlaces places_;
};

TEST_F(ConfFiles, LaterFilesWin) {
  EXPECT_EQ(tz(), "");
  // Each of these is stronger than the one before it.
  for (const char* path : {
           "/usr/share/containers/containers.conf",
           "/usr/share/containers/containers.conf.d/z.conf",
           "/etc/containers/containers.conf",
           "/etc/containers/containers.conf.d/a.conf",
           "/etc/containers/containers.conf.d/b.conf",
           "/etc/containers/containers.rootless.conf.d/a.conf",
           "/etc/containers/containers.rootless.conf.d/1000/a.conf",
           "/home/.config/containers/containers.conf",
           "/home/.config/containers/containers.conf.d/a.conf",
       }) {
    write(path, concat("[containers]\ntz=\"", path, "\"\n"));
    EXPECT_EQ(tz(), path);
  }
  write("/etc/containers/containers.conf.d/c.txt", "garbage");
  write("/etc/containers/containers.rootful.conf.d/c.conf", "garbage");
  write("/etc/containers/containers.rootless.conf.d/7/c.conf", "garbage");
  EXPECT_EQ(tz(), "/home/.config/containers/containers.conf.d/a.conf");
  write("/over.conf", "[containers]\ntz=\"over\"\n");
  write("/only.conf", "[containers]\ntz=\"only\"\n");
  places_.only = root_ + "/only.conf";
  EXPECT_EQ(tz(), "only");
  places_.override_ = root_ + "/over.conf";
  EXPECT_EQ(tz(), "over");
}

TEST_F(ConfFiles, ModulesAreFoundByName) {
  write("/etc/containers/containers.conf.modules/m.conf", "[containers]\ntz=\"etc\"\n");
  write("/usr/share/containers/containers.conf.modules/m.conf", "[containers]\ntz=\"usr\"\n");
  write("/usr/share/containers/containers.conf.modules/sub/n.conf", "[containers]\ntz=\"n\"\n");
  places_.modules = {"m.conf"};
  EXPECT_EQ(tz(), "etc");
  places_.modules = {"m.conf", "sub/n.conf"};
  EXPECT_EQ(tz(), "n");
  places_.modules = {root_ + "/usr/share/containers/containers.conf.modules/m.conf"};
  EXPECT_EQ(tz(), "usr");
  places_.modules = {"nosuch"};
  EXPECT_TRUE(tz().starts_with("error: --module nosuch: not found in ")) << tz();
}

TEST_F(ConfFiles, ANamedFileMustBeThere) {
  places_.only = root_ + "/none";
  EXPECT_TRUE(tz().starts_with("error: CONTAINERS_CONF: ")) << tz();
  places_.only.clear();
  places_.override_ = root_ + "/none";
  EXPECT_TRUE(tz().starts_with("error: CONTAINERS_CONF_OVERRIDE: ")) << tz();
}

TEST_F(ConfFiles, StorageConfGivesIdsForAuto) {
  write("/usr/share/containers/storage.conf",
        "[storage.options]\nroot-auto-userns-user = \"usr\"\nauto-userns-min-size = 5\n");
  write("/etc/containers/storage.conf",
        "[storage]\ndriver=\"overlay\"\ngraphroot=\"/x\"\n[storage.options]\n"
        "root-auto-userns-user = \"etc\"\n[storage.options.overlay]\nmountopt=\"nodev\"\n");
  Strings notes;
  auto conf = load_storage_conf(places_, &notes);
  ASSERT_TRUE(conf);
  EXPECT_EQ(conf->root_auto_userns_user, "etc");
  EXPECT_FALSE(conf->auto_userns_min_size);  // one file, not all of them
  EXPECT_EQ(notes.size(), 3u);
}

}  // namespace
}  // namespace minke::config
