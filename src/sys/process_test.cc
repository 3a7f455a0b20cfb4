#include "sys/process.h"

#include <signal.h>
#include <unistd.h>

#include "base/str.h"
#include "sys/lock.h"
#include "sys/socket.h"

namespace minke::sys {
namespace {

TEST(Process, SpawnPassesDescriptorsInOrder) {
  auto [reader, writer] = std::move(*make_pipe());
  SpawnOptions options;
  options.path = "/bin/sh";
  options.argv = {"sh", "-c", "echo to3 >&3; ls /proc/self/fd | wc -l >&3"};
  options.pass_fds = {writer.get()};
  auto child = spawn(options);
  ASSERT_TRUE(child);
  writer.reset();
  std::string said = *read_all(reader.get());
  EXPECT_TRUE(said.starts_with("to3\n")) << said;
  EXPECT_EQ(*wait_pid(child->pid), 0);
}

TEST(Process, SpawnReportsExecFailure) {
  SpawnOptions options;
  options.path = "/nowhere/program";
  options.argv = {"program"};
  auto child = spawn(options);
  ASSERT_FALSE(child);
  EXPECT_EQ(child.error().sys(), ENOENT);
  EXPECT_EQ(child.error().message(), "exec /nowhere/program: No such file or directory");
}

TEST(Process, PidfdWaitsAndKills) {
  SpawnOptions options;
  options.path = "/bin/sleep";
  options.argv = {"sleep", "100"};
  auto child = spawn(options);
  ASSERT_TRUE(child);
  auto start = process_start_time(child->pid);
  ASSERT_TRUE(start);
  EXPECT_TRUE(process_alive(child->pid, *start));
  EXPECT_FALSE(process_alive(child->pid, *start + 1));
  EXPECT_FALSE(*child->pidfd.wait_exit(0));
  ASSERT_TRUE(child->pidfd.kill(SIGTERM));
  EXPECT_TRUE(*child->pidfd.wait_exit(-1));
  EXPECT_FALSE(process_alive(child->pid, *start));  // a zombie is not alive
  EXPECT_EQ(exit_code_of(*wait_pid(child->pid)), 128 + SIGTERM);
}

TEST(Process, SignalNames) {
  EXPECT_EQ(parse_signal("TERM"), SIGTERM);
  EXPECT_EQ(parse_signal("sigterm"), SIGTERM);
  EXPECT_EQ(parse_signal("15"), SIGTERM);
  EXPECT_EQ(parse_signal("RTMIN+3"), 37);
  EXPECT_EQ(parse_signal("SIGRTMAX-1"), 63);
  EXPECT_FALSE(parse_signal("0"));
  EXPECT_FALSE(parse_signal("NOPE"));
  EXPECT_FALSE(parse_signal("RTMIN+99"));
  EXPECT_EQ(signal_name(SIGTERM), "SIGTERM");
  EXPECT_EQ(signal_name(37), "SIGRTMIN+3");
}

TEST(Lock, ExcludesAndFrees) {
  char name[] = "/tmp/minke-lock-XXXXXX";
  UniqueFd first(::mkstemp(name));
  auto again = open(name, O_RDWR);
  ASSERT_TRUE(again);
  auto held = FileLock::acquire(std::move(first), LockMode::exclusive, "test");
  ASSERT_TRUE(held);
  auto refused = FileLock::try_acquire(std::move(*again), LockMode::exclusive, "test");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Errc::unavailable);
  held->release();
  auto third = open(name, O_RDWR);
  EXPECT_TRUE(FileLock::try_acquire(std::move(*third), LockMode::exclusive, "test"));
  ::unlink(name);
}

TEST(Socket, MessagesCarryDescriptors) {
  auto [a, b] = std::move(*make_seqpacket_pair());
  auto [reader, writer] = std::move(*make_pipe());
  ASSERT_TRUE(send_message(a.get(), "hello", {writer.get()}));
  writer.reset();
  auto message = receive_message(b.get());
  ASSERT_TRUE(message);
  EXPECT_EQ(message->data, "hello");
  ASSERT_EQ(message->fds.size(), 1u);
  ASSERT_TRUE(write_all(message->fds[0].get(), "through"));
  message->fds.clear();
  EXPECT_EQ(*read_all(reader.get()), "through");
  ASSERT_TRUE(send_message(a.get(), std::string(100, 'x')));
  EXPECT_EQ(receive_message(b.get(), 10).error().code(), Errc::corrupt);
  a.reset();
  EXPECT_TRUE(receive_message(b.get())->data.empty());
}

}  // namespace
}  // namespace minke::sys
