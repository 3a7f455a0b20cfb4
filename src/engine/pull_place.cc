// Pulling from layouts, folders and archives: minke-image reads them as `load` does.
#include "engine/pull_place.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/str.h"
#include "engine/engine.h"
#include "engine/events.h"
#include "store/image_worker.h"

namespace minke::engine {
namespace {

// Podman names what comes from a layout or a folder after its path, and the image of an archive as
// it is called there.
std::string name_from(const ImagePlace& place) {
  if (place.transport == Transport::docker_archive || place.transport == Transport::oci_archive)
    return {};
  std::string path = place.path;
  while (path.starts_with('/')) path.erase(0, 1);
  auto ref = oci::Reference::parse(concat("localhost/", path));
  return ref ? ref->normalized("localhost").str() : std::string();
}

}  // namespace

Result<std::vector<store::Image>> pull_from_place(Engine& engine, const PullRequest& request,
                                                  const ImagePlace& place) {
  std::string what = concat("initializing source ", request.reference);
  Registries registries(engine.host(), request.access);
  std::vector<config::Requirement> requirements =
      TRY(registries.requirements(transport_name(place.transport), place.path, request.reference));
  if (!config::accepts_unseen(requirements))
    return Error(Errc::permission, concat("Source image rejected: ", request.reference,
                                          ": signatures are checked of images of registries only"));
  sys::UniqueFd file = TRY_CTX(sys::open(place.path, O_RDONLY), what);
  struct stat st {};
  if (::fstat(file.get(), &st) < 0) return Error::from_errno(errno, what);
  bool folder = place.transport == Transport::oci || place.transport == Transport::dir;
  if (folder != S_ISDIR(st.st_mode))
    return Error(Errc::invalid_argument,
                 concat(what, ": ", place.path, folder ? " is no directory" : " is a directory"));
  store::LoadResult loaded =
      TRY_CTX(store::load_archive(engine.store(), file.get(), folder ? place.path : "", place.name,
                                  name_from(place)),
              what);
  std::vector<store::Image> images;
  for (const std::string& id : loaded.image_ids) {
    store::Image image = TRY(engine.store().find_image(id));
    emit_image(engine.host(), "pull", id, request.reference);
    images.push_back(std::move(image));
  }
  return images;
}

}  // namespace minke::engine
