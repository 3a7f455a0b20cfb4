// Changes of a container that exists: limits at once, the rest for its next start.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/config.h"
#include "engine/request.h"

namespace minke::engine {

// The health check: what is given takes the place of what there is.
struct HealthUpdate {
  bool any = false;
  bool disabled = false;                                       // --no-healthcheck: alone
  std::optional<std::vector<std::string>> test, startup_test;  // as in HealthRequest
  std::optional<std::int64_t> interval, timeout, start_period, startup_interval,
      startup_timeout;  // ns
  std::optional<std::int32_t> retries, startup_retries, startup_successes;
  std::optional<std::string> on_failure, log_destination;
  std::optional<std::uint32_t> max_log_count, max_log_size;
};

struct UpdateRequest {
  CreateRequest limits;  // of which only the limits count
  std::vector<std::string> env, unset_env;
  std::vector<Ulimit> ulimits;
  std::optional<RestartPolicy> restart;
  HealthUpdate health;
};

// Both the record of what was asked for and what follows from it.
Status merge_health(const HealthUpdate& changes, ContainerConfig* config);
Status merge_restart(const RestartPolicy& policy, ContainerConfig* config);

// Lays the limits of `changes` over those of `request`; what was not asked for stays. Used by clone
// too.
void merge_limits(const CreateRequest& changes, CreateRequest* request);

}  // namespace minke::engine
