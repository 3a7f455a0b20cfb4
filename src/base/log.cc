#include "base/log.h"

#include <unistd.h>

#include <ctime>

#include "base/str.h"
#include "base/time.h"

namespace minke::log {
namespace {

Level g_level = Level::warn;
constexpr std::string_view kNames[] = {"trace", "debug", "info", "warning",
                                       "error", "fatal", "panic"};

}  // namespace

void set_level(Level level) { g_level = level; }
Level level() { return g_level; }
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
  // One write per line, so that lines of several processes do not mix.
  if (::write(STDERR_FILENO, line.data(), line.size()) < 0) return;
}

}  // namespace minke::log
