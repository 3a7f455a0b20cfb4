// What follows from an end and from a check: decisions without a container.
#include <gtest/gtest.h>

#include "monitor/health.h"
#include "monitor/restart.h"

namespace minke::monitor {
namespace {

TEST(RestartPolicy, WhoIsStartedAnew) {
  struct Case {
    const char* policy;
    std::uint32_t retries, count;
    int exit_code;
    bool stopped, want;
  };
  constexpr Case kCases[] = {
      {"", 0, 0, 1, false, false},
      {"no", 0, 0, 1, false, false},
      {"always", 0, 99, 0, false, true},
      {"always", 0, 0, 137, true, false},
      {"unless-stopped", 0, 3, 0, false, true},
      {"unless-stopped", 0, 3, 0, true, false},
      {"on-failure", 0, 99, 1, false, true},
      {"on-failure", 0, 0, 0, false, false},
      {"on-failure", 2, 1, 1, false, true},
      {"on-failure", 2, 2, 1, false, false},
      {"on-failure", 2, 0, 1, true, false},
  };
  for (const Case& c : kCases) {
    RestartPlan plan;
    plan.policy = c.policy;
    plan.retries = c.retries;
    plan.count = c.count;
    EXPECT_EQ(policy_restarts(plan, c.exit_code, c.stopped), c.want)
        << c.policy << ':' << c.retries << " after " << c.count << ", exit code " << c.exit_code;
  }
}

TEST(RestartPolicy, WaitsGrowUntilItRanWell) {
  std::int64_t delay = 0;
  for (std::int64_t want : {100, 200, 400, 800}) {
    delay = next_delay_ms(delay, kSecond);
    EXPECT_EQ(delay, want);
  }
  for (int i = 0; i < 20; ++i) delay = next_delay_ms(delay, kSecond);
  EXPECT_EQ(delay, 60'000);
  EXPECT_EQ(next_delay_ms(delay, 10 * kSecond), 100);
}

TEST(HealthCheck, UnhealthyAfterItsRetriesOnly) {
  HealthPlan plan;
  plan.check.retries = 2;
  HealthRecord record;
  record.status = "starting";
  EXPECT_EQ(apply_check(plan, false, false, &record).status, "starting");
  HealthResult second = apply_check(plan, false, false, &record);
  EXPECT_EQ(second.status, "unhealthy");
  EXPECT_TRUE(second.became_unhealthy);
  EXPECT_EQ(apply_check(plan, true, false, &record).status, "healthy");
  EXPECT_EQ(record.failing_streak, 0);
  EXPECT_EQ(apply_check(plan, false, false, &record).status, "healthy");
}

TEST(HealthCheck, FailuresOfTheStartPeriodDoNotCount) {
  HealthPlan plan;
  plan.check.retries = 1;
  HealthRecord record;
  record.status = "starting";
  EXPECT_EQ(apply_check(plan, false, true, &record).status, "starting");
  EXPECT_EQ(record.failing_streak, 0);
  EXPECT_EQ(apply_check(plan, false, false, &record).status, "unhealthy");
}

TEST(HealthCheck, StartupCheckComesFirst) {
  HealthPlan plan;
  plan.startup.test = {"CMD", "true"};
  plan.startup.retries = 2;
  plan.startup_successes = 2;
  HealthRecord record;
  record.status = "starting";
  EXPECT_FALSE(apply_check(plan, true, false, &record).startup_passed);
  EXPECT_FALSE(apply_check(plan, false, false, &record).startup_passed);  // counts anew
  EXPECT_TRUE(apply_check(plan, false, false, &record).startup_failed);
  EXPECT_FALSE(apply_check(plan, true, false, &record).startup_passed);
  EXPECT_TRUE(apply_check(plan, true, false, &record).startup_passed);
  EXPECT_EQ(record.status, "starting");  // the regular check says the rest
}

}  // namespace
}  // namespace minke::monitor
