#include "view/status.h"

#include "base/str.h"

namespace minke::view {

namespace {
constexpr std::int64_t kYearOneSeconds = -62135596800;
}

std::string ago(TimeNs then, TimeNs at) {
  // What never happened was 292 years ago, the longest duration that Go knows.
  std::int64_t past = then == kZeroTime ? INT64_MAX : at - then;
  return concat(human_duration(past), " ago");
}

std::int64_t unix_seconds(TimeNs time) {
  if (time == kZeroTime) return kYearOneSeconds;
  return time / kSecond - (time % kSecond < 0 ? 1 : 0);
}

std::string short_id(std::string_view id) { return std::string(id.substr(0, 12)); }

std::string status_text(const engine::ContainerSummary& container, TimeNs at) {
  using engine::ContainerState;
  if (container.state == ContainerState::running)
    return concat("Up ", ago(container.started_at, at),
                  container.health.empty() ? "" : concat(" (", container.health, ")"));
  if (container.state == ContainerState::exited || container.state == ContainerState::stopped)
    return concat("Exited (", container.exit_code, ") ", ago(container.finished_at, at));
  std::string name = engine::state_name(container.state);
  name[0] = static_cast<char>(name[0] - 'a' + 'A');
  return name;
}

}  // namespace minke::view
