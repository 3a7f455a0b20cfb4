#include "monitor/wire.h"

#include <gtest/gtest.h>

#include "sys/socket.h"

namespace minke::monitor {
namespace {

Plan sample_plan() {
  Plan plan;
  plan.id = std::string(64, 'a');
  plan.name = "web";
  plan.bundle = "/var/lib/minke/containers/aa";
  plan.overlay.lower = {"/l/1", "/l/2"};
  plan.overlay.upper = "/u";
  plan.overlay.userxattr = true;
  plan.terminal = true;
  plan.log.path = "/log";
  plan.log.max_size = 0;
  plan.timeout = 7;
  plan.cleanup_command = {"/usr/bin/minke", "container", "cleanup", ""};
  plan.preserve_fds = 2;
  return plan;
}

TEST(Wire, PlanRoundTrip) {
  Plan plan = sample_plan();
  PlanHeader header;
  header.has_stdio[1] = header.attach = true;
  std::string packed = pack(Verb::plan, header, plan);
  Unpacker unpacker(packed);
  EXPECT_EQ(unpacker.verb(), Verb::plan);
  Plan back;
  PlanHeader header_back;
  unpacker("", header_back);
  unpacker("", back);
  ASSERT_TRUE(unpacker.finish());
  EXPECT_TRUE(header_back.has_stdio[1]);
  EXPECT_FALSE(header_back.has_stdio[0]);
  EXPECT_TRUE(header_back.attach);
  EXPECT_EQ(json::dump_struct(plan), json::dump_struct(back));
  EXPECT_EQ(back.log.max_size, 0);
  EXPECT_EQ(back.cleanup_command.size(), 4u);
}

TEST(Wire, EveryCutIsNoticed) {
  Plan plan = sample_plan();
  std::string packed = pack(Verb::plan, plan);
  for (std::size_t size = 0; size < packed.size(); ++size) {
    Unpacker unpacker(std::string_view(packed).substr(0, size));
    Plan back;
    unpacker("", back);
    EXPECT_FALSE(unpacker.finish()) << size;
  }
  packed += 'x';
  Unpacker longer(packed);
  Plan back;
  longer("", back);
  EXPECT_FALSE(longer.finish());
}

TEST(Wire, ErrorKeepsCodeAndExitCode) {
  Error error = unpack_error(pack_error(Error(Errc::not_found, "no such file").with_exit(127)));
  EXPECT_EQ(error.code(), Errc::not_found);
  EXPECT_EQ(error.exit_code(), 127);
  EXPECT_EQ(error.message(), "no such file");
}

TEST(Wire, LargePlanInOneMessage) {
  auto pair = *sys::make_seqpacket_pair();
  raise_send_buffer(pair.first.get());
  Plan plan = sample_plan();
  plan.overlay.lower.assign(
      500, "/home/user/.local/share/minke/layers/" + std::string(64, '0') + "/diff");
  ASSERT_TRUE(sys::send_message(pair.first.get(), pack(Verb::plan, plan), {0, 1}));
  auto message = receive_sized(pair.second.get());
  ASSERT_TRUE(message);
  EXPECT_EQ(message->fds.size(), 2u);
  Unpacker unpacker(message->data);
  Plan back;
  unpacker("", back);
  EXPECT_TRUE(unpacker.finish());
  EXPECT_EQ(back.overlay.lower.size(), 500u);
}

TEST(Wire, ClosedPeerIsAnEmptyMessageAfterWhatItSaid) {
  auto pair = *sys::make_seqpacket_pair();
  ASSERT_TRUE(sys::send_message(pair.first.get(), "unread"));
  ASSERT_TRUE(sys::send_message(pair.second.get(), "last word"));
  pair.second.reset();
  auto message = receive_sized(pair.first.get());
  ASSERT_TRUE(message);
  EXPECT_EQ(message->data, "last word");
  message = receive_sized(pair.first.get());
  ASSERT_TRUE(message);
  EXPECT_TRUE(message->data.empty());
}

TEST(Records, JsonRoundTrip) {
  ExitRecord record;
  record.finished_at = 1'700'000'000'123'456'789;
  std::string text = json::dump_struct(record);
  EXPECT_EQ(text, R"({"exit_code":0,"finished_at":1700000000123456789})");
  record.exit_code = 137;
  record.oom_killed = true;
  auto back = json::parse_struct<ExitRecord>(json::dump_struct(record));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->exit_code, 137);
  EXPECT_TRUE(back->oom_killed);
}

}  // namespace
}  // namespace minke::monitor
