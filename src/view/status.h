// The words of listings: how a container is doing, and when things happened.
#pragma once

#include <string>

#include "base/time.h"
#include "engine/engine.h"

namespace minke::view {

// "Up 5 seconds ago", "Exited (0) 3 minutes ago", "Created", "Paused".
std::string status_text(const engine::ContainerSummary& container, TimeNs at);
// "3 hours ago".
std::string ago(TimeNs then, TimeNs at);
// Seconds since 1970; Go's zero time counts from the year 1.
std::int64_t unix_seconds(TimeNs time);
// The first 12 digits of an id.
std::string short_id(std::string_view id);

}  // namespace minke::view
