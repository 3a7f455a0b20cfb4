// Against a folder that looks like resctrl: the kernel's own needs a processor with RDT.
#include "runtime/resctrl.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "sys/fd.h"

namespace minke::runtime {
namespace {

class ResctrlTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/resctrl.XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    root_ = name;
    put("schemata", "L3:0=fff;1=fff\nMB:0=100;1=100\n");
    ASSERT_EQ(::mkdir((root_ + "/gold").c_str(), 0755), 0);
    put("gold/schemata", "    L3:0=00f;1=fff\n    MB:0= 50;1=100\n");
  }
  void TearDown() override {
    for (const char* file : {"/schemata", "/gold/schemata"}) ::unlink((root_ + file).c_str());
    for (const char* folder : {"/gold", "/c1", ""}) ::rmdir((root_ + folder).c_str());
  }
  void put(const std::string& name, std::string_view text) {
    auto fd = sys::open(concat(root_, "/", name), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    ASSERT_TRUE(fd.ok());
    ASSERT_TRUE(sys::write_all(fd->get(), text, name).ok());
  }
  std::string error(const oci::IntelRdt& rdt, const std::string& id = "c1") {
    auto group = open_resctrl_group(rdt, id, root_);
    return group ? "" : group.error().message();
  }
  std::string root_;
};

TEST_F(ResctrlTest, AClassThatIsThereIsJoined) {
  oci::IntelRdt rdt;
  rdt.clos_id = "gold";
  auto group = open_resctrl_group(rdt, "c1", root_);
  ASSERT_TRUE(group.ok());
  EXPECT_EQ(group->path, root_ + "/gold");
  EXPECT_FALSE(group->made);
  rdt.l3_cache_schema = "L3:0=f;1=0fff";
  rdt.mem_bw_schema = "MB:0=50";
  EXPECT_EQ(error(rdt), "");
}

TEST_F(ResctrlTest, AnotherSchemaThanItsOwnIsRefused) {
  oci::IntelRdt rdt;
  rdt.clos_id = "gold";
  rdt.l3_cache_schema = "L3:0=ff";
  EXPECT_EQ(error(rdt), "linux.intelRdt: the class of service \"gold\" has another schema already");
}

TEST_F(ResctrlTest, OneOfItsOwnCanBeChanged) {
  oci::IntelRdt rdt;
  rdt.l3_cache_schema = "L3:0=ff";
  ASSERT_TRUE(update_resctrl_group(rdt, root_ + "/gold").ok());
  EXPECT_EQ(sys::read_small_file(root_ + "/gold/schemata")->substr(0, 8), "L3:0=ff\n");
  EXPECT_EQ(update_resctrl_group(rdt, "").error().message(),
            "linux.intelRdt: the container has no class of service of its own to change");
  rdt.l3_cache_schema = "MB:0=5";
  EXPECT_FALSE(update_resctrl_group(rdt, root_ + "/gold").ok());
}

TEST_F(ResctrlTest, OneThatIsNotThereNeedsASchema) {
  oci::IntelRdt rdt;
  rdt.clos_id = "silver";
  EXPECT_EQ(error(rdt),
            "linux.intelRdt.closID: there is no class of service \"silver\", and no schema to make "
            "one of");
  EXPECT_FALSE(sys::exists(root_ + "/silver"));
}

TEST_F(ResctrlTest, WithoutNameItIsTheContainers) {
  auto group = open_resctrl_group(oci::IntelRdt(), "c1", root_);
  ASSERT_TRUE(group.ok());
  EXPECT_EQ(group->path, root_ + "/c1");
  EXPECT_TRUE(group->made);
  remove_resctrl_group(group->path);
  EXPECT_FALSE(sys::exists(root_ + "/c1"));
}

TEST_F(ResctrlTest, WhatIsMissingIsSaid) {
  oci::IntelRdt rdt;
  rdt.enable_cmt = true;
  EXPECT_EQ(error(rdt), "linux.intelRdt.enableCMT: not available on this processor");
  rdt.enable_cmt = false;
  rdt.clos_id = "../x";
  EXPECT_EQ(error(rdt), "linux.intelRdt.closID: \"../x\" is no name of a folder");
  ::unlink((root_ + "/schemata").c_str());
  rdt.clos_id.clear();
  EXPECT_EQ(error(rdt), concat("linux.intelRdt: no resctrl file system is mounted on ", root_));
}

}  // namespace
}  // namespace minke::runtime
