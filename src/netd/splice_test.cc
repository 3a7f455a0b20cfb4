#include "netd/splice.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <utility>

#include "netd/endpoint.h"
#include "netd/hash_table.h"
#include "netd/threads.h"
#include "sys/fd.h"

namespace minke::netd {
namespace {

struct Pair {
  sys::UniqueFd ours, theirs;
};

Pair connected() {
  sys::UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const SocketAddress any(Endpoint{net::IpAddress::loopback(false), 0, 0});
  EXPECT_EQ(::bind(listener.get(), &any.any, any.length), 0);
  EXPECT_EQ(::listen(listener.get(), 1), 0);
  const SocketAddress to(local_endpoint(listener.get()));
  Pair pair{sys::UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), {}};
  EXPECT_EQ(::connect(pair.ours.get(), &to.any, to.length), 0);
  pair.theirs = sys::UniqueFd(::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK));
  return pair;
}

std::string read_to_end(int fd) {
  std::string all;
  char buffer[65536];
  for (ssize_t n; (n = ::recv(fd, buffer, sizeof buffer, 0)) > 0;)
    all.append(buffer, static_cast<std::size_t>(n));
  return all;
}

// Two pairs whose far ends are relayed on a thread of their own.
class SpliceTest : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (!GetParam()) {  // no pipes: the other way of moving bytes
      budget_.large = 0;
      budget_.middle = 0;
      budget_.small = 0;
    }
    ASSERT_TRUE(thread_.start("relay", [] { return Status(); }));
    relay();
  }
  void TearDown() override { thread_.stop(); }

  void relay() {
    a_ = connected();
    b_ = connected();
    ASSERT_TRUE(thread_.call([this]() -> Status {
      splicer_.add(a_.theirs.release(), b_.theirs.release(), &group_);
      return {};
    }));
  }
  void wait_for_end() {
    for (int i = 0; i < 1000 && stats_.connections > 0; ++i) ::usleep(10'000);
    EXPECT_EQ(stats_.connections, 0u);
  }
  static void count_end(void* self, RelayGroup*) { ++static_cast<SpliceTest*>(self)->ended_; }

  PipeBudget budget_;
  SpliceStats stats_;
  LoopThread thread_;
  Splicer splicer_{&thread_.loop(), &budget_, &stats_, count_end, this};
  RelayGroup group_;
  std::atomic<int> ended_{0};
  Pair a_, b_;
};

TEST_P(SpliceTest, EverythingArrivesAndEndsPassOneWayAtATime) {
  const std::string much(5 << 20, 'x');
  std::thread sender([&] {
    EXPECT_TRUE(sys::write_all(a_.ours.get(), much));
    ::shutdown(a_.ours.get(), SHUT_WR);
  });
  EXPECT_EQ(read_to_end(b_.ours.get()), much);
  sender.join();
  EXPECT_EQ(stats_.connections, 1u);  // half of it is still open
  EXPECT_TRUE(sys::write_all(b_.ours.get(), "answer"));
  b_.ours.reset();
  EXPECT_EQ(read_to_end(a_.ours.get()), "answer");
  wait_for_end();
  EXPECT_EQ(stats_.bytes[0], much.size());
  EXPECT_EQ(stats_.bytes[1], 6u);
  EXPECT_EQ(stats_.resets, 0u);
  EXPECT_EQ(ended_, 1);
}

TEST_P(SpliceTest, AResetPassesThrough) {
  close_with_reset(a_.ours.release());
  char byte;
  EXPECT_EQ(::recv(b_.ours.get(), &byte, 1, 0), -1);
  EXPECT_EQ(errno, ECONNRESET);
  wait_for_end();
  EXPECT_EQ(stats_.resets, 1u);
}

TEST_P(SpliceTest, AResetPassesAReaderWhoDoesNotRead) {
  std::string much(64 << 10, 'x');
  // until nothing more goes
  while (::send(a_.ours.get(), much.data(), much.size(), MSG_DONTWAIT) > 0 || [&] {
    pollfd room{a_.ours.get(), POLLOUT, 0};
    return ::poll(&room, 1, 300) == 1;
  }()) {
  }
  close_with_reset(a_.ours.release());
  wait_for_end();
  // what is in its own queue it may still read
  for (ssize_t n = 1; n > 0;) n = ::recv(b_.ours.get(), much.data(), much.size(), 0);
  EXPECT_EQ(errno, ECONNRESET);
}

TEST_P(SpliceTest, AGroupIsResetTogetherAndOthersStay) {
  Pair a = std::move(a_), b = std::move(b_);
  RelayGroup other;
  a_ = connected();
  b_ = connected();
  ASSERT_TRUE(thread_.call([&]() -> Status {
    splicer_.add(a_.theirs.release(), b_.theirs.release(), &other);
    splicer_.reset_all(&group_);
    return {};
  }));
  EXPECT_EQ(stats_.connections, 1u);
  EXPECT_EQ(group_.count, 0u);
  char byte;
  EXPECT_EQ(::recv(a.ours.get(), &byte, 1, 0), -1);
  EXPECT_TRUE(sys::write_all(a_.ours.get(), "x"));
  EXPECT_EQ(::recv(b_.ours.get(), &byte, 1, 0), 1);
  ASSERT_TRUE(thread_.call([&]() -> Status {
    splicer_.reset_all(&other);
    return {};
  }));
}

TEST_P(SpliceTest, PipesComeBack) {
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(sys::write_all(a_.ours.get(), "x"));
    char byte;
    EXPECT_EQ(::recv(b_.ours.get(), &byte, 1, 0), 1);
  }
  // one was in use, and waits for the next
  EXPECT_EQ(budget_.large, GetParam() ? 31 : 0);
  EXPECT_EQ(budget_.middle, GetParam() ? 64 : 0);
}

INSTANTIATE_TEST_SUITE_P(Pipes, SpliceTest, ::testing::Bool());

TEST(TimeoutList, ExpiresInOrderAndOnlyWhatIsDue) {
  std::vector<Timed*> expired;
  TimeoutList list(
      100, [](void* owner, Timed* t) { static_cast<std::vector<Timed*>*>(owner)->push_back(t); },
      &expired);
  Timed a, b, c;
  EXPECT_EQ(list.next_due(), INT64_MAX);
  list.touch(&a, 0);
  list.touch(&b, 10);
  list.touch(&c, 20);
  list.touch(&a, 30);  // moves to the end
  TimeoutList::remove(&c);
  TimeoutList::remove(&c);
  EXPECT_EQ(list.next_due(), 110);
  list.run_due(109);
  EXPECT_TRUE(expired.empty());
  list.run_due(129);
  EXPECT_EQ(expired, std::vector<Timed*>{&b});
  list.run_due(130);
  EXPECT_EQ(expired, (std::vector<Timed*>{&b, &a}));
  EXPECT_EQ(list.oldest(), nullptr);
}

TEST(HashTable, FindsAndForgets) {
  struct Item {
    Item* chain = nullptr;
    std::uint64_t hash = 0;
  };
  std::vector<Item> items(1000);
  HashTable<Item> table;
  EXPECT_EQ(table.first(7), nullptr);
  for (std::size_t i = 0; i < items.size(); ++i) table.insert(&items[i], i * 16);
  EXPECT_EQ(table.size(), 1000u);
  const auto find = [&](std::size_t i) {
    for (Item* item = table.first(i * 16); item != nullptr; item = item->chain)
      if (item == &items[i]) return true;
    return false;
  };
  for (std::size_t i = 0; i < items.size(); ++i) EXPECT_TRUE(find(i)) << i;
  for (std::size_t i = 0; i < items.size(); i += 2) table.remove(&items[i]);
  for (std::size_t i = 0; i < items.size(); ++i) EXPECT_EQ(find(i), i % 2 == 1) << i;
  EXPECT_EQ(table.size(), 500u);
}

}  // namespace
}  // namespace minke::netd
