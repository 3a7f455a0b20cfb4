#include "view/status.h"

#include <gtest/gtest.h>

namespace minke::view {
namespace {

using engine::ContainerState;
constexpr TimeNs kNow = 1'800'000'000 * kSecond;

engine::ContainerSummary container(ContainerState state) {
  engine::ContainerSummary out;
  out.state = state;
  out.started_at = kNow - 5 * kSecond;
  out.finished_at = kNow - 180 * kSecond;
  out.exit_code = 3;
  return out;
}

TEST(Status, Texts) {
  EXPECT_EQ(status_text(container(ContainerState::running), kNow), "Up 5 seconds ago");
  EXPECT_EQ(status_text(container(ContainerState::exited), kNow), "Exited (3) 3 minutes ago");
  EXPECT_EQ(status_text(container(ContainerState::stopped), kNow), "Exited (3) 3 minutes ago");
  EXPECT_EQ(status_text(container(ContainerState::created), kNow), "Created");
  EXPECT_EQ(status_text(container(ContainerState::paused), kNow), "Paused");
  EXPECT_EQ(status_text(container(ContainerState::stopping), kNow), "Stopping");
}

TEST(Status, Times) {
  EXPECT_EQ(unix_seconds(kZeroTime), -62135596800);
  EXPECT_EQ(unix_seconds(1'500'000'000), 1);
  EXPECT_EQ(unix_seconds(-1), -1);
  EXPECT_EQ(ago(kNow - 3600 * kSecond, kNow), "About an hour ago");
  EXPECT_EQ(short_id("0123456789abcdef"), "0123456789ab");
}

}  // namespace
}  // namespace minke::view
