#include "engine/events.h"

#include "base/log.h"
#include "base/str.h"
#include "engine/config.h"
#include "engine/engine.h"

namespace minke::engine {
namespace {

template <typename C>
void emit_for(const Host& host, std::string_view status, const C& container,
              const std::string& image, std::optional<int> exit_code) {
  if (host.events_backend == "none") return;
  monitor::Event event;
  event.type = "container";
  event.status = status;
  event.id = container.id;
  event.name = container.name;
  event.image = image;
  event.has_exit_code = exit_code.has_value();
  event.exit_code = exit_code.value_or(0);
  event.attributes = event_attributes(container.labels);
  emit(host, event);
}

}  // namespace

monitor::EventSink event_sink(const Host& host) {
  return {host.events_backend, host.events_path, host.events_max_size};
}

std::vector<monitor::Attribute> event_attributes(const std::map<std::string, std::string>& labels) {
  std::vector<monitor::Attribute> attributes;
  attributes.reserve(labels.size());
  for (const auto& [key, value] : labels) attributes.push_back({key, value});
  return attributes;
}

void emit(const Host& host, const monitor::Event& event) {
  Status recorded = monitor::record_event(event_sink(host), event);
  if (!recorded)
    log::warn(concat("event ", event.type, ' ', event.status, ": ", recorded.error().message()));
}

void emit_container(const Host& host, std::string_view status, const ContainerSummary& container,
                    std::optional<int> exit_code) {
  emit_for(host, status, container, container.image_name, exit_code);
}

void emit_container(const Host& host, std::string_view status, const ContainerConfig& container,
                    std::optional<int> exit_code) {
  emit_for(host, status, container,
           container.rootfs.empty() ? container.image_name : container.rootfs, exit_code);
}

void emit_image(const Host& host, std::string_view status, std::string_view id,
                std::string_view name) {
  monitor::Event event;
  event.type = "image";
  event.status = status;
  event.id = id.starts_with("sha256:") ? id.substr(7) : id;
  event.name = name;
  emit(host, event);
}

void emit_volume(const Host& host, std::string_view status, std::string_view name) {
  monitor::Event event;
  event.type = "volume";
  event.status = status;
  event.name = name;
  emit(host, event);
}

void emit_secret(const Host& host, std::string_view status, std::string_view id) {
  monitor::Event event;
  event.type = "secret";
  event.status = status;
  event.id = id;
  emit(host, event);
}

void emit_system(const Host& host, std::string_view status) {
  monitor::Event event;
  event.type = "system";
  event.status = status;
  emit(host, event);
}

void emit_prune(const Host& host, std::string_view type) {
  monitor::Event event;
  event.type = type;
  event.status = "prune";
  emit(host, event);
}

}  // namespace minke::engine
