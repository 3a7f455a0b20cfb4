// check: the index, blobs against their digests, layers.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/str.h"
#include "codec/digest.h"
#include "engine/check_internal.h"
#include "engine/records.h"
#include "state/object_lock.h"
#include "store/image_worker.h"
#include "store/layout.h"
#include "store/new_index.h"
#include "store/step_cache.h"

namespace minke::engine {
namespace {

using sys::DirFd;

Status hash_blob(const std::string& path, std::string_view expected) {
  sys::UniqueFd file = TRY(sys::open(path, O_RDONLY | O_NOFOLLOW));
  Hasher hasher(HashKind::sha256);
  std::string buffer(256 << 10, '\0');
  for (;;) {
    ssize_t n = ::read(file.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Error::from_errno(errno, concat("read ", path));
    if (n == 0) break;
    hasher.update({buffer.data(), static_cast<std::size_t>(n)});
  }
  std::string found = hasher.hex();
  if (found == expected) return {};
  return Error(Errc::corrupt, concat("its bytes have the digest sha256:", found));
}

Result<oci::ImageIndex> read_index(const std::string& path) {
  std::string text = TRY(sys::read_small_file(path, 64 << 20));
  return oci::parse_index(text);
}

// What is wrong with a layer, or "".
std::string layer_fault(const std::string& root, const std::string& chain_id) {
  const std::string dir = concat(root, "/layers/", chain_id);
  struct stat st {};
  if (::lstat(dir.c_str(), &st) < 0) return "it is missing";
  if (::lstat(concat(dir, "/", store::kDiffDir).c_str(), &st) < 0 || !S_ISDIR(st.st_mode))
    return "its files are missing";
  auto size = sys::read_small_file(concat(dir, "/", store::kSizeFile), 64);
  if (!size || !parse_int(trim(*size))) return "its recorded size cannot be read";
  return "";
}

// What a blob is, when it may be a manifest or a list of images.
std::optional<std::string_view> manifest_kind(std::string_view text) {
  if (auto manifest = oci::parse_manifest(text); manifest && !manifest->config.digest.empty())
    return oci::kMediaManifest;
  if (auto list = oci::parse_index(text); list && list->media_type != oci::kMediaManifest)
    if (auto value = json::parse(text); value && value->find("manifests") != nullptr)
      return oci::kMediaIndex;
  return std::nullopt;
}

// A damaged index is made anew of the images and lists whose blobs are there; only their names are
// lost.
Status rebuild_index(Checker* c) {
  std::vector<oci::Descriptor> manifests;
  const std::string blobs = concat(c->root(), "/", store::kBlobsDir);
  for (const std::string& name : TRY(sys::list_dir(DirFd::cwd(), blobs.c_str()))) {
    constexpr off_t kMaxManifest = 4 << 20;
    struct stat st {};
    const std::string blob = concat(blobs, "/", name);
    if (::lstat(blob.c_str(), &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > kMaxManifest)
      continue;
    auto digest = oci::Digest::parse("sha256:" + name);
    auto text = sys::read_small_file(blob, kMaxManifest);
    if (!digest || !text || !text->starts_with('{')) continue;
    auto kind = manifest_kind(*text);
    if (!kind) continue;
    oci::Descriptor& descriptor = manifests.emplace_back();
    descriptor.media_type = *kind;
    descriptor.digest = std::move(*digest);
    descriptor.size = static_cast<std::int64_t>(text->size());
    if (*kind != oci::kMediaIndex) continue;
    descriptor.annotations[store::kImageId] = name;
    descriptor.annotations[store::kListCreated] =
        format_rfc3339(static_cast<TimeNs>(st.st_mtim.tv_sec) * kSecond, 0, true);
  }
  return store::replace_index(c->engine.store(), manifests);
}

// Whether a container that runs stands on the layer: its files are not taken from under it.
bool runs_on(Engine& engine, const std::string& layer) {
  auto containers = engine.list_containers();
  if (!containers) return true;
  for (const ContainerSummary& container : *containers) {
    if (container.pid == 0) continue;
    auto config = load_config(ContainerPaths(engine.host(), container.id).dir);
    if (!config) return true;
    for (const std::string& lower : config->lower)
      if (lower.starts_with(layer + "/")) return true;
  }
  return false;
}

// Blobs are verified and layers are only what they unpack to: what is wrong with a layer goes, and
// comes again from the image's blobs.
Status restore_image(Checker* c, const store::Image& image) {
  for (const std::string& chain_id : image.chain_ids) {
    if (layer_fault(c->root(), chain_id).empty()) continue;
    const std::string layer = concat(c->root(), "/layers/", chain_id);
    if (!sys::exists(layer)) continue;
    if (runs_on(c->engine, layer))
      return Error(Errc::in_use, "a running container stands on it: stop it first");
    TRY(c->engine.store().move_to_trash(layer));
  }
  return store::restore_layers(c->engine.store(), image);
}

// An image that the index names.
void check_image(Checker* c, const store::Image& image,
                 const std::map<std::string, std::string>& bad_blobs) {
  std::string fault;
  auto blame = [&](std::string text) {
    if (fault.empty()) fault = std::move(text);
  };
  auto check_blob = [&](const oci::Digest& digest) {
    auto bad = bad_blobs.find(std::string(digest.hex()));
    if (bad != bad_blobs.end()) blame(concat("blob ", digest.str(), ": ", bad->second));
    if (!sys::exists(c->engine.store().blob_path(digest)))
      blame(concat("blob ", digest.str(), " is missing"));
  };
  check_blob(image.manifest_descriptor.digest);
  if (!image.is_list) check_blob(image.manifest.config.digest);
  for (const oci::Descriptor& layer : image.manifest.layers) check_blob(layer.digest);
  const bool blobs_are_well = fault.empty();
  for (const std::string& chain_id : image.chain_ids)
    if (std::string text = layer_fault(c->root(), chain_id); !text.empty())
      blame(concat("layer ", chain_id, ": ", text));
  if (fault.empty()) return;
  if (blobs_are_well && (c->options.repair || c->options.force)) {
    Status restored = restore_image(c, image);
    if (restored || restored.error().code() == Errc::in_use) {
      if (!restored) fault += concat(" (", restored.error().message(), ")");
      return c->found(concat("image ", image.id.substr(0, 12)), fault,
                      restored ? "unpacked anew from its blob" : "");
    }
    fault += concat(" (could not be unpacked anew: ", restored.error().message(), ")");
  }
  std::string mended;
  if (c->options.repair || c->options.force) {
    auto users = c->engine.image_users(image.id);
    if (users && !users->empty() && !c->options.force) {
      fault += ", and containers use it (--force removes them too)";
    } else {
      auto removed = c->engine.remove_image(image.id, {.force = true});
      if (removed)
        mended = "removed";
      else
        fault += concat(" (could not be removed: ", removed.error().message(), ")");
    }
  }
  c->found(concat("image ", image.id.substr(0, 12)), fault, mended);
}

// An entry whose manifest or config cannot be read hides from every listing: taken out of the
// index.
Status check_entries(Checker* c, const std::vector<store::Image>& images,
                     const std::string& index_path) {
  oci::ImageIndex index = TRY(read_index(index_path));
  for (const oci::Descriptor& entry : index.manifests) {
    bool readable = std::any_of(images.begin(), images.end(), [&](const store::Image& image) {
      return image.manifest_descriptor.digest == entry.digest;
    });
    auto id = entry.annotations.find(store::kImageId);
    // Another manifest of an image that is listed by its first.
    if (!readable && id != entry.annotations.end())
      readable = std::any_of(images.begin(), images.end(),
                             [&](const store::Image& image) { return image.id == id->second; }) &&
                 sys::exists(c->engine.store().blob_path(entry.digest));
    if (readable) continue;
    c->found_and(
        concat("image of manifest ", entry.digest.str()), "its manifest or config cannot be read",
        "taken out of the index", [&]() -> Status {
          sys::UniqueFd file = TRY(sys::open(c->root() + "/images/lock", O_RDWR | O_CREAT, 0600));
          sys::FileLock lock = TRY(
              sys::FileLock::acquire(std::move(file), sys::LockMode::exclusive, "the image index"));
          oci::ImageIndex now_there = TRY(read_index(index_path));
          std::erase_if(now_there.manifests,
                        [&](const oci::Descriptor& d) { return d.digest == entry.digest; });
          return sys::write_file(index_path, oci::dump_index(now_there), 0644,
                                 sys::Durability::data);
        });
  }
  return {};
}

// Blobs whose bytes are others than their names say.
Result<std::map<std::string, std::string>> read_blobs(Checker* c) {
  std::map<std::string, std::string> bad;
  const std::string blobs = concat(c->root(), "/", store::kBlobsDir);
  for (const std::string& name : TRY(sys::list_dir(DirFd::cwd(), blobs.c_str()))) {
    const std::string path = concat(blobs, "/", name);
    if (name.size() != 64 || !is_hex(name)) {
      c->found_and(concat("file ", path), "it is no blob: its name is no digest", "removed",
                   [&] { return c->engine.store().move_to_trash(path); });
      continue;
    }
    if (c->options.quick) continue;
    Status hashed = hash_blob(path, name);
    if (!hashed && hashed.error().code() == Errc::not_found) continue;  // removed meanwhile
    if (!hashed) bad.emplace(name, hashed.error().message());
  }
  return bad;
}

// Blobs and layers that nobody needs: left by a killed command, or on their way in right now.
Status check_unreferenced(Checker* c, const std::vector<store::Image>& images) {
  std::set<std::string> chains, digests;
  for (const store::Image& image : images) {
    chains.insert(image.chain_ids.begin(), image.chain_ids.end());
    digests.emplace(image.manifest_descriptor.digest.hex());
    digests.emplace(image.manifest.config.digest.hex());
    for (const oci::Descriptor& layer : image.manifest.layers) digests.emplace(layer.digest.hex());
  }
  // And the other manifests of an image that is listed by its first.
  for (const oci::Descriptor& entry : TRY(read_index(c->root() + "/images/index.json")).manifests) {
    digests.emplace(entry.digest.hex());
    auto text = c->engine.store().read_blob(entry.digest);
    if (!text) continue;
    auto manifest = oci::parse_manifest(*text);
    if (!manifest) continue;
    for (const oci::Descriptor& layer : manifest->layers) digests.emplace(layer.digest.hex());
  }
  for (const std::string& chain : layers_of_containers(c->engine)) chains.insert(chain);
  for (const std::string& chain : store::StepCache(c->root()).needed_layers()) chains.insert(chain);
  bool any = false;
  auto look = [&](const std::string& folder, const char* kind,
                  const std::set<std::string>& needed) -> Status {
    for (const std::string& name : TRY(sys::list_dir(DirFd::cwd(), folder.c_str()))) {
      if (needed.contains(name) || !c->old_enough(concat(folder, "/", name))) continue;
      any = true;
      c->found(concat(kind, " ", name), "no image and no container needs it",
               c->options.repair || c->options.force ? "removed" : "");
    }
    return {};
  };
  TRY(look(c->root() + "/layers", "layer", chains));
  TRY(look(concat(c->root(), "/", store::kBlobsDir), "blob", digests));
  if (any && (c->options.repair || c->options.force)) {
    sys::FileLock lock =
        TRY(state::lock_object(c->engine.host().runroot + "/images", "the images"));
    TRY(c->engine.store().collect(layers_of_containers(c->engine), nullptr));
  }
  return {};
}

}  // namespace

Status check_images(Checker* c) {
  const std::string index = c->root() + "/images/index.json";
  auto parsed = read_index(index);
  if (!parsed) {
    c->found_and("the image index", concat(index, ": ", parsed.error().message()),
                 "made anew; images in it have lost their names", [&] { return rebuild_index(c); });
    if (!c->options.repair && !c->options.force) return {};
  }
  std::map<std::string, std::string> bad = TRY(read_blobs(c));
  std::vector<store::Image> images = TRY(c->engine.store().list_images());
  TRY(check_entries(c, images, index));
  for (const store::Image& image : images) check_image(c, image, bad);
  images = TRY(c->engine.store().list_images());
  return check_unreferenced(c, images);
}

}  // namespace minke::engine
