// Restart policies: a container that has ended by itself is started anew after a wait that grows
// from 100 ms to a minute while it keeps ending within ten seconds. The wait is a process of its
// own, the monitor's last child, so that the monitor's end still means the end of the run.
//
//   RUNROOT/containers/ID/restart  RestartRecord
//   ROOT/containers/ID/stopped     a user has stopped it: no policy holds until it is started
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "monitor/plan.h"

namespace minke::monitor {

struct RestartRecord {
  std::uint32_t count = 0;    // restarts by the policy since a user started it
  std::int64_t delay_ms = 0;  // the last wait
  pid_t pid = -1;             // who waits, or is about to start it
  std::uint64_t start_time = 0;
};
void bind(json::Binder& b, RestartRecord& r);

Result<std::optional<RestartRecord>> load_restart(const std::string& run_dir);
Status save_restart(const std::string& run_dir, const RestartRecord& record);

// Whether the policy wants another run after this end.
bool policy_restarts(const RestartPlan& plan, int exit_code, bool stopped_by_user);
// The wait before the next start when the last one was `delay_ms` and it ran for `ran_ns`.
std::int64_t next_delay_ms(std::int64_t delay_ms, std::int64_t ran_ns);
// Starts the process that waits and then runs plan.restart.command, and records it.
// `listeners`: sockets of published ports, which the next run is given too (LISTEN_FDS).
Status schedule_restart(const Plan& plan, std::int64_t ran_ns,
                        const std::vector<sys::UniqueFd>& listeners = {});

}  // namespace minke::monitor
