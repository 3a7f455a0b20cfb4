// A container as a row of `ps`: one object for templates and tables, one for --format json.
#pragma once

#include <optional>

#include "codec/gotemplate.h"
#include "codec/json.h"
#include "engine/engine.h"

namespace minke::view {

struct PsOptions {
  TimeNs at = 0;  // now
  bool no_trunc = false;
  bool namespaces = false;  // read them from /proc
};

// What templates may name: .ID .Names .Image .Command .CreatedAt .RunningFor .Status .Ports .Size
// .Labels ...
json::Object ps_row(const engine::ContainerSummary& container,
                    const std::optional<engine::Engine::Sizes>& sizes, const PsOptions& options);
extern const gotemplate::Shape kPsShape;

// The members and order of `podman ps --format json`.
json::Object ps_json(const engine::ContainerSummary& container,
                     const std::optional<engine::Engine::Sizes>& sizes, const PsOptions& options);

}  // namespace minke::view
