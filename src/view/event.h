// An event as `events --format` shows it: the members, order and types of Podman's.
#pragma once

#include "codec/gotemplate.h"
#include "codec/json.h"
#include "monitor/event_log.h"

namespace minke::view {

json::Object event_object(const monitor::Event& event);
extern const gotemplate::Shape kEventShape;

}  // namespace minke::view
