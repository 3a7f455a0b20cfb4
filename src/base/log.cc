#include "base/log.h"

#include <syslog.h>
#include <unistd.h>

#include <ctime>

#include "base/str.h"
#include "base/time.h"

namespace minke::log {
namespace {

Level g_level = Level::warn;
bool g_syslog = false;
// trace to panic
constexpr int kPriorities[] = {LOG_DEBUG, LOG_DEBUG, LOG_INFO, LOG_WARNING,
                               LOG_ERR,   LOG_CRIT,  LOG_CRIT};
constexpr std::string_view kNames[] = {"trace", "debug", "info", "warning",
                                       "error", "fatal", "panic"};

}  // namespace

void set_level(Level level) { g_level = level; }
Level level() { return g_level; }
void set_syslog(bool on) { g_syslog = on; }
bool enabled(Level level) { return level >= g_level; }

bool parse_level(std::string_view name, Level* level) {
  std::string lower = to_lower(name);
  if (lower == "warn") lower = "warning";
  for (std::size_t i = 0; i < std::size(kNames); ++i)
    if (kNames[i] == lower) {
      *level = static_cast<Level>(i);
      return true;
    }
  return false;
}

void write(Level level, std::string_view message) {
  if (!enabled(level)) return;
  std::string line =
      concat("time=", quote(format_rfc3339(now(), 0)), " level=", kNames[static_cast<int>(level)],
             " msg=", quote(message), "\n");
  if (g_syslog)
    ::syslog(LOG_USER | kPriorities[static_cast<int>(level)], "%.*s",
             static_cast<int>(message.size()), message.data());
  // One write per line, so that lines of several processes do not mix.
  if (::write(STDERR_FILENO, line.data(), line.size()) < 0) return;
}

}  // namespace minke::log
