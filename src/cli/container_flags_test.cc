// What create and run make of their options.
#include "cli/container_flags.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace minke::cli {
namespace {

class ContainerFlagsTest : public ::testing::Test {
 protected:
  // As the command line does it: options end at the image.
  Result<engine::CreateRequest> request(std::vector<std::string> words) {
    RunFlags flags;
    std::vector<BoundTable> tables;
    for (const OptionTable& table : kRunTables) tables.push_back({table, &flags});
    auto parsed = parse_options(tables, words, {.interspersed = false});
    if (!parsed) return std::move(parsed.error());
    words.insert(words.begin(), "minke");
    GlobalOptions global;
    Output out;
    std::vector<std::string> args = std::move(parsed->positional);
    Invocation call{"minke", "run", global, std::move(args), words, *parsed, out};
    return make_run_request(call, flags);
  }
  std::string fault(std::vector<std::string> words) {
    auto made = request(std::move(words));
    return made ? "" : made.error().message();
  }
};

TEST_F(ContainerFlagsTest, OptionsEndAtTheImage) {
  auto made = request({"-it", "--rm", "img", "sh", "-c", "--name", "x"});
  ASSERT_TRUE(made);
  EXPECT_TRUE(made->terminal && made->stdin_open && made->remove);
  EXPECT_EQ(made->image, "img");
  EXPECT_EQ(made->command, (std::vector<std::string>{"sh", "-c", "--name", "x"}));
  EXPECT_EQ(made->name, "");
  EXPECT_EQ(made->create_command.front(), "minke");
}

TEST_F(ContainerFlagsTest, Limits) {
  auto made =
      request({"-m", "64m", "--memory-swap=-1", "--cpus", "1.5", "--pids-limit", "-1", "--shm-size",
               "1g", "--cpu-shares=10", "--cgroup-conf", "memory.high=1", "img"});
  ASSERT_TRUE(made);
  EXPECT_EQ(made->resources.memory->limit, 64 << 20);
  EXPECT_EQ(made->resources.memory->swap, -1);
  EXPECT_EQ(made->cpus, 1.5);
  EXPECT_EQ(made->resources.cpu->shares, 10u);
  EXPECT_EQ(made->resources.pids->limit, -1);
  EXPECT_EQ(made->shm_size, 1 << 30);
  EXPECT_EQ(made->resources.unified.at("memory.high"), "1");
  EXPECT_FALSE(request({"img"})->resources.memory);
  EXPECT_TRUE(fault({"-m", "1x", "img"}).starts_with("invalid value for memory: invalid "));
  EXPECT_EQ(fault({"--cpus", "1", "--cpu-quota", "5", "img"}),
            "--cpus and --cpu-quota cannot be set together");
}

TEST_F(ContainerFlagsTest, PairsAndStreams) {
  auto made = request({"-l", "a", "-l", "b=c=d", "--annotation", "k=v", "-a", "stdout,STDERR",
                       "--sysctl", "kernel.x=1,net.y=2", "--log-opt", "max-size=1m,tag=t", "img"});
  ASSERT_TRUE(made);
  EXPECT_EQ(made->labels, (std::map<std::string, std::string>{{"a", ""}, {"b", "c=d"}}));
  EXPECT_EQ(made->attach, (std::vector<std::string>{"stdout", "stderr"}));
  EXPECT_EQ(made->sysctls.size(), 2u);
  EXPECT_EQ(made->log.options.at("tag"), "t");
  EXPECT_EQ(fault({"-a", "foo", "img"}),
            "invalid stream \"foo\" for --attach - must be one of stdin, stdout, or stderr: "
            "invalid argument");
  EXPECT_NE(fault({"--annotation", "k", "img"}), "");
}

TEST_F(ContainerFlagsTest, EntrypointAndPull) {
  EXPECT_EQ(request({"--entrypoint", "", "img"})->entrypoint, std::vector<std::string>{""});
  EXPECT_FALSE(request({"img"})->entrypoint);
  EXPECT_EQ(request({"--pull=never", "img"})->pull, "never");
  EXPECT_EQ(fault({"--pull", "foo", "img"}), "unsupported pull policy \"foo\"");
  EXPECT_EQ(fault({"--replace", "img"}), "cannot replace container without --name being set");
}

TEST_F(ContainerFlagsTest, RefusedByName) {
  EXPECT_NE(fault({"--link-local-ip", "169.254.1.1", "img"}).find("link-local-ip"),
            std::string::npos);
  EXPECT_EQ(fault({"--restart=no", "img"}), "");
}

TEST_F(ContainerFlagsTest, Networks) {
  auto made = request({"--network", "n1:ip=10.1.1.1,alias=a", "--network", "n2", "--network-alias",
                       "b", "-p", "8080:80", "img"});
  ASSERT_TRUE(made);
  EXPECT_EQ(made->network.mode, "bridge");
  ASSERT_EQ(made->networks.size(), 2u);
  EXPECT_EQ(made->networks[0].network, "n1");
  EXPECT_EQ(made->networks[0].ip->text(), "10.1.1.1");
  EXPECT_EQ(made->networks[0].aliases, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(made->networks[1].aliases, std::vector<std::string>{"b"});
  EXPECT_EQ(made->ports.size(), 1u);
  EXPECT_EQ(request({"--network", "a,b", "img"})->networks.size(), 2u);
  EXPECT_EQ(request({"--network", "private", "img"})->network.mode, "");
  EXPECT_EQ(request({"--ip", "10.1.1.1", "img"})->networks[0].network, "default");
  const char* rows[][2] = {
      {"none",
       "cannot set multiple networks without bridge network mode, selected mode none: "
       "invalid argument"},
      {"n1:foo=1", "invalid option for network n1: unknown bridge network option: foo"},
      {"n1:alias=", "invalid option for network n1: alias cannot be empty"},
      {":ip=10.1.1.1", "network name cannot be empty"},
  };
  for (const auto& row : rows)
    EXPECT_EQ(fault({"--network", row[0], "--network", "n9", "img"}), row[1]);
  EXPECT_EQ(fault({"--network", "n1", "--network", "host", "img"}),
            "can only set extra network names, selected mode host conflicts with bridge: invalid "
            "argument");
  EXPECT_EQ(fault({"--network", "host", "--ip", "10.1.1.1", "img"}),
            "--ip can only be set when the network mode is bridge: invalid argument");
}

TEST_F(ContainerFlagsTest, RunOnly) {
  // as if we had been given them
  std::vector<int> given;
  for (int fd : {3, 4, 7, 8})
    if (::fcntl(fd, F_GETFD) < 0 && ::dup2(STDIN_FILENO, fd) == fd) given.push_back(fd);
  auto made =
      request({"--rmi", "--passwd=false", "--preserve-fds", "2", "--preserve-fd", "7,8", "img"});
  ASSERT_TRUE(made);
  EXPECT_TRUE(made->remove && made->remove_image);
  EXPECT_FALSE(made->passwd);
  EXPECT_EQ(made->preserve_fd, (std::vector<std::int32_t>{7, 8}));
  EXPECT_NE(fault({"--preserve-fd", "1", "img"}), "");
  for (int fd : given) ::close(fd);
  EXPECT_EQ(fault({"--preserve-fds", "900", "img"}).find("file descriptor "), 0u);
}

}  // namespace
}  // namespace minke::cli
