// What is in a volume, from outside of containers.
#pragma once

#include <string>

#include "base/result.h"
#include "engine/engine.h"

namespace minke::engine {

// The folder that a volume is: _data, or what device= names. unsupported for volumes that are a
// file system of their own (type=tmpfs): they are mounted inside of containers only.
Result<std::string> volume_folder(Engine& engine, const VolumeConfig& volume);
// As tar to a file or pipe, by the confined worker.
Status export_volume(Engine& engine, const VolumeConfig& volume, int output_fd);
// A tar archive, plain or compressed, into it: by descriptor, so that no entry and no link that a
// container makes meanwhile leads out of it.
Status import_volume(Engine& engine, const VolumeConfig& volume, int input_fd);

// The rest of an import that was killed when its archive was whole. The caller has the volume's
// lock.
Status finish_import(const Host& host, const std::string& name);

}  // namespace minke::engine
