#include "build/interpreter.h"

#include <cstdlib>

#include "base/str.h"
#include "sys/fd.h"

namespace minke::build {
namespace {

class Interpreters : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/minke-binfmt-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    folder_ = name;
    write("status", "enabled\n");
    write("register", "");
  }
  void TearDown() override { EXPECT_TRUE(sys::remove_tree_at(sys::DirFd::cwd(), folder_.c_str())); }
  void write(const char* name, std::string_view text) {
    ASSERT_TRUE(sys::write_file(concat(folder_, "/", name), text, 0600));
  }
  bool has(std::string_view architecture) const { return has_interpreter(architecture, folder_); }
  std::string folder_;
};

constexpr const char* kArm64 =
    "enabled\ninterpreter /usr/bin/any\nflags: OCF\noffset 0\n"
    "magic 7f454c460201010000000000000000000200b700\n"
    "mask ffffffffffffff00fffffffffffffffffeffffff\n";
constexpr const char* kS390x =
    "enabled\ninterpreter /usr/bin/any\nflags: OCF\noffset 0\n"
    "magic 7f454c4602020100000000000000000000020016\n"
    "mask ffffffffffffff00fffffffffffffffffffeffff\n";
constexpr const char* kMachineOnly =
    "enabled\ninterpreter /usr/bin/any\nflags: \noffset 18\nmagic f300\n";

TEST_F(Interpreters, ByWhatTheyTakeNotByName) {
  EXPECT_FALSE(has("arm64"));
  write("one", kArm64);
  write("two", kS390x);
  EXPECT_TRUE(has("arm64"));
  EXPECT_TRUE(has("s390x"));
  EXPECT_FALSE(has("riscv64"));
  EXPECT_FALSE(has("mips"));
  EXPECT_FALSE(has("nosuch"));
  write("three", kMachineOnly);
  EXPECT_TRUE(has("riscv64"));
}

TEST_F(Interpreters, OnlyWhatIsSwitchedOn) {
  write("one", concat("disabled", std::string_view(kArm64).substr(7)));
  EXPECT_FALSE(has("arm64"));
  write("one", kArm64);
  write("status", "disabled\n");
  EXPECT_FALSE(has("arm64"));
  EXPECT_FALSE(has_interpreter("arm64", folder_ + "/none"));
}

TEST_F(Interpreters, OtherEntriesAreNone) {
  write("jar", "enabled\ninterpreter /usr/bin/jexec\nflags: \noffset 0\nmagic 504b0304\n");
  write("py", "enabled\ninterpreter /usr/bin/py\nflags: \nextension .pyc\n");
  write("far", "enabled\ninterpreter /x\nflags: \noffset 60\nmagic 0000000000000000\n");
  for (const char* name : {"arm64", "amd64", "386", "mips"}) EXPECT_FALSE(has(name)) << name;
}

}  // namespace
}  // namespace minke::build
