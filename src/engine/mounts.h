// Roots of containers and images mounted where people and programs can reach them. Each has a
// folder RUNROOT/mounts/KIND/ID: `merged` is the mount, `count` how often it was asked for, written
// before the mount is made, so that whoever removes the object finds it.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "engine/engine.h"

namespace minke::engine {

enum class MountKind { containers, images };

// The path. A running container's own mount is shown, that of another is made of its layers; an
// image is read-only.
Result<std::string> mount_container(Engine& engine, const std::string& id);
Result<std::string> mount_image(Engine& engine, const store::Image& image);
// False: it was not mounted. Asked for several times, it goes with the last one, or by `force`.
Result<bool> unmount(Engine& engine, MountKind kind, const std::string& id, bool force);

std::string mount_path(const Host& host, MountKind kind, const std::string& id);
// Ids of what is mounted.
Result<std::vector<std::string>> mounted_ids(const Host& host, MountKind kind);
// Of an object that goes: costs one look when there is none.
Status drop_mount(const Host& host, MountKind kind, const std::string& id);

}  // namespace minke::engine
