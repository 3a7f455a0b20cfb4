#include "view/event.h"

namespace minke::view {
namespace {

using gotemplate::FieldKind;
// JSON leaves these out when they are empty.
constexpr gotemplate::FieldShape kFields[] = {
    {"ContainerExitCode", FieldKind::pointer},
    {"ID", FieldKind::text},
    {"Image", FieldKind::text},
    {"Name", FieldKind::text},
    {"Network", FieldKind::text},
    {"HealthStatus", FieldKind::text},
    {"HealthLog", FieldKind::text},
    {"HealthFailingStreak", FieldKind::number},
    {"Error", FieldKind::text},
    {"PodID", FieldKind::text},
    {"Attributes", FieldKind::map},
};

}  // namespace

const gotemplate::Shape kEventShape = {"system.Event", kFields};

json::Object event_object(const monitor::Event& event) {
  json::Object out;
  auto text = [&out](std::string_view key, const std::string& value) {
    if (!value.empty()) out.set(key, value);
  };
  if (event.has_exit_code) out.set("ContainerExitCode", std::int64_t{event.exit_code});
  text("ID", event.id);
  text("Image", event.image);
  text("Name", event.name);
  text("network", event.network);
  out.set("Status", event.status);
  out.set("time", event.time / kSecond);
  out.set("timeNano", event.time);
  out.set("Type", event.type);
  text("health_status", event.health_status);
  text("health_log", event.health_log);
  if (event.health_failing_streak != 0)
    out.set("health_failing_streak", std::int64_t{event.health_failing_streak});
  text("Error", event.error);
  json::Object attributes;
  for (const auto& [key, value] : event.attributes) attributes.set(key, value);
  bool none = event.attributes.empty() && event.type != "container";
  out.set("Attributes", none ? json::Value() : json::Value(std::move(attributes)));
  return out;
}

}  // namespace minke::view
