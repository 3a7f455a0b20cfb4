// Reading container logs back: k8s-file and json-file (with rotated files), journald.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "monitor/plan.h"

namespace minke::monitor {

struct LogLine {
  TimeNs time = 0;
  bool is_stderr = false;
  bool partial = false;  // no newline yet: the next line goes on with it
  std::string text;      // without the newline
};
struct LogQuery {
  std::optional<TimeNs> since, until;
  std::optional<std::int64_t> tail;  // last lines; 0 none; absent all
  bool follow = false;  // until `ended` says that the container is gone and all is read
  std::function<bool()> ended;
};
// Calls `on_line` in order; stops when it returns false.
Status read_logs(const LogPlan& log, const std::string& container_id, const LogQuery& query,
                 const std::function<bool(const LogLine&)>& on_line);

}  // namespace minke::monitor
