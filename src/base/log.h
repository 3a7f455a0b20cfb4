// Levelled messages on stderr in logrus' text form, as Podman prints them. Results go to stdout by
// cli/.
#pragma once

#include <string>
#include <string_view>

namespace minke::log {

enum class Level { trace, debug, info, warn, error, fatal, panic };

void set_level(Level level);  // default: warn
Level level();
bool enabled(Level level);
// Parses "debug", "info", "warn", "warning", ...; false when the name is unknown.
bool parse_level(std::string_view name, Level* level);
void set_syslog(bool on);                           // messages go to syslog(3) as well
void write(Level level, std::string_view message);  // time="..." level=warning msg="..."

inline void debug(std::string_view message) { write(Level::debug, message); }
inline void info(std::string_view message) { write(Level::info, message); }
inline void warn(std::string_view message) { write(Level::warn, message); }
inline void error(std::string_view message) { write(Level::error, message); }

}  // namespace minke::log
