// Networks as `network ls` and `network inspect` show them, and what a container has of them.
#pragma once

#include "codec/gotemplate.h"
#include "codec/json.h"
#include "engine/engine.h"
#include "net/attachment.h"

namespace minke::view {

// By the names of JSON, with the containers that are on it.
Result<json::Value> inspect_network(engine::Engine& engine, const net::Network& network);
// By the names that templates use; Labels as text, the id short.
json::Object network_row(const net::Network& network, bool short_id);
// The same with maps as maps.
Result<json::Value> network_inspect_row(engine::Engine& engine, const net::Network& network);
extern const gotemplate::Shape kNetworkShape;

// NetworkSettings of inspect; `record` of one that runs.
json::Object inspect_network_settings(const engine::ContainerConfig& config,
                                      const engine::Host& host,
                                      const std::optional<net::AttachmentRecord>& record,
                                      pid_t pid);
// "80/tcp": [{"HostIp": "", "HostPort": "8080"}], a port each.
json::Object port_bindings(const std::vector<net::PortMapping>& ports);

}  // namespace minke::view
