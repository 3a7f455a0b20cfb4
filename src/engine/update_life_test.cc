#include <gtest/gtest.h>

#include "base/str.h"
#include "base/time.h"
#include "engine/update.h"

namespace minke::engine {
namespace {

using Words = std::vector<std::string>;

class UpdateLifeTest : public testing::Test {
 protected:
  // The fault, or nothing.
  std::string health(const HealthUpdate& changes) {
    HealthUpdate with = changes;
    with.any = true;
    Status merged = merge_health(with, &config_);
    return merged ? "" : std::string(merged.error().message());
  }
  std::string restart(const char* name) {
    Status merged = merge_restart({name, 0}, &config_);
    return merged ? "" : std::string(merged.error().message());
  }
  ContainerConfig config_;
};

TEST_F(UpdateLifeTest, ACheckWhereThereWasNone) {
  HealthUpdate changes;
  changes.interval = kSecond;
  EXPECT_EQ(health(changes), "healthcheck command is not set");
  changes.test = Words{"CMD", "true"};
  EXPECT_EQ(health(changes), "");
  EXPECT_EQ(config_.health.check.interval, kSecond);
  EXPECT_EQ(config_.health.check.timeout, 30 * kSecond);
  EXPECT_EQ(config_.health.check.retries, 3);
  EXPECT_EQ(config_.request.health.test, (Words{"CMD", "true"}));
}

TEST_F(UpdateLifeTest, WhatIsNotNamedStays) {
  config_.health.check = {{"CMD", "a"}, 5, 6, 7};
  config_.health.startup = {{"CMD", "s"}, 8, 9, 10};
  config_.health.no_events = true;
  HealthUpdate changes;
  changes.retries = 2;
  changes.startup_successes = 4;
  changes.max_log_count = 0;
  EXPECT_EQ(health(changes), "");
  EXPECT_EQ(config_.health.check.test, (Words{"CMD", "a"}));
  EXPECT_EQ(config_.health.check.interval, 5);
  EXPECT_EQ(config_.health.check.retries, 2);
  EXPECT_EQ(config_.health.startup.retries, 10);
  EXPECT_EQ(config_.health.startup_successes, 4);
  EXPECT_EQ(config_.health.max_log_count, 0u);
  EXPECT_TRUE(config_.health.no_events);
}

TEST_F(UpdateLifeTest, NoneAndNoHealthcheckTakeBothAway) {
  HealthUpdate none, off;
  none.test = Words{"NONE"};
  off.disabled = true;
  for (const HealthUpdate& changes : {none, off}) {
    config_.health.check = {{"CMD", "a"}, 5, 6, 7};
    config_.health.startup = {{"CMD", "s"}, 8, 9, 10};
    EXPECT_EQ(health(changes), "");
    EXPECT_TRUE(config_.health.check.test.empty());
    EXPECT_TRUE(config_.health.startup.test.empty());
    EXPECT_TRUE(config_.request.health.disabled);
  }
}

TEST_F(UpdateLifeTest, WhatDoesNotGoTogether) {
  config_.health.check.test = {"CMD", "a"};
  HealthUpdate changes;
  changes.startup_retries = 1;
  EXPECT_EQ(health(changes), "startup healthcheck command is not set");
  EXPECT_EQ(restart("always"), "");
  HealthUpdate action;
  action.on_failure = "restart";
  EXPECT_EQ(health(action),
            "the --restart flag and --health-on-failure=restart cannot be used together");
  config_ = ContainerConfig();
  config_.id = "0123456789abcdef";
  config_.request.remove = true;
  EXPECT_EQ(restart("no"), "");
  EXPECT_EQ(restart("on-failure"),
            "container 0123456789ab is removed at its end (--rm): it cannot be started again");
}

}  // namespace
}  // namespace minke::engine
