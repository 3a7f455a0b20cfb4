#include "engine/volume_data.h"

#include "base/str.h"
#include "store/image_worker.h"

namespace minke::engine {

Result<std::string> volume_folder(Engine& engine, const VolumeConfig& volume) {
  VolumeOptions options = TRY(parse_volume_options(volume.options));
  if (!options.fs_type.empty())
    return Error(Errc::unsupported,
                 concat("volume ", volume.name, " of type ", options.fs_type,
                        " is mounted inside of containers only: it is no folder of the host"));
  TRY(engine.enter());
  return options.device.empty() ? engine.volumes().mountpoint(volume.name) : options.device;
}

Status export_volume(Engine& engine, const VolumeConfig& volume, int output_fd) {
  std::string path = TRY(volume_folder(engine, volume));
  sys::DirFd folder = TRY(sys::open_dir(path));
  return store::export_rootfs(folder.get(), output_fd);
}

Status import_volume(Engine& engine, const VolumeConfig& volume, int input_fd) {
  std::string path = TRY(volume_folder(engine, volume));
  sys::DirFd folder = TRY(sys::open_dir(path));
  return store::unpack_archive(engine.store(), input_fd, folder.get());
}

}  // namespace minke::engine
