// Images: what index.json says, and how it changes. Every change replaces index.json by rename
// under ROOT/images/lock.
#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <set>

#include "base/failpoint.h"
#include "base/log.h"
#include "base/str.h"
#include "codec/digest.h"
#include "store/layout.h"
#include "store/new_index.h"
#include "store/step_cache.h"
#include "store/store.h"

namespace minke::store {
namespace {

using sys::DirFd;
using sys::UniqueFd;

constexpr std::size_t kMinShortId = 3;

std::string annotation(const oci::Descriptor& d, const char* key) {
  auto it = d.annotations.find(key);
  return it == d.annotations.end() ? std::string() : it->second;
}
std::string name_of(const oci::Descriptor& d) { return annotation(d, kRefName); }

Result<oci::ImageIndex> read_index(const std::string& root) {
  std::string text = TRY(sys::read_small_file(root + "/images/index.json", 64 << 20));
  return oci::parse_index(text);
}

Status write_index(const std::string& root, const oci::ImageIndex& index) {
  return sys::write_file(root + "/images/index.json", oci::dump_index(index), 0644,
                         sys::Durability::data);
}

Result<sys::FileLock> lock_index(const std::string& root) {
  UniqueFd file = TRY(sys::open(root + "/images/lock", O_RDWR | O_CREAT, 0600));
  return sys::FileLock::acquire(std::move(file), sys::LockMode::exclusive, "the image index");
}

bool is_image(const oci::Descriptor& d) {
  return d.media_type == oci::kMediaManifest || d.media_type.empty();
}
bool is_list(const oci::Descriptor& d) { return d.media_type == oci::kMediaIndex; }

// The config's digest; from the annotation, else (an index written by another tool) from the
// manifest.
Result<std::string> id_of(const Store& store, const oci::Descriptor& d) {
  std::string id = annotation(d, kImageId);
  if (id.size() == 64 && is_hex(id)) return id;
  if (is_list(d)) return std::string(d.digest.hex());
  std::string text = TRY(store.read_blob(d.digest));
  oci::Manifest manifest = TRY(oci::parse_manifest(text));
  return std::string(manifest.config.digest.hex());
}

Result<Image> load_list(const Store& store, const oci::Descriptor& entry) {
  Image list;
  list.is_list = true;
  list.manifest_descriptor = entry;
  list.manifest_json = TRY(store.read_blob(entry.digest));
  list.id = TRY(id_of(store, entry));
  if (auto created = parse_rfc3339(annotation(entry, kListCreated))) list.created = *created;
  list.size = static_cast<std::int64_t>(list.manifest_json.size());
  return list;
}

// The image behind one entry, without its names.
Result<Image> load_entry(const Store& store, const oci::Descriptor& entry) {
  if (is_list(entry)) return load_list(store, entry);
  Image image;
  image.manifest_descriptor = entry;
  image.docker_format = annotation(entry, kImageFormat) == "docker";
  image.manifest_json = TRY(store.read_blob(entry.digest));
  image.manifest = TRY_CTX(oci::parse_manifest(image.manifest_json), entry.digest.str());
  image.id = image.manifest.config.digest.hex();
  image.config_json = TRY(store.read_blob(image.manifest.config.digest));
  image.config = TRY_CTX(oci::parse_image_config(image.config_json), image.id);
  if (image.config.diff_ids.size() != image.manifest.layers.size())
    return Error(Errc::corrupt,
                 concat("image ", image.id, ": its config names ", image.config.diff_ids.size(),
                        " layers, its manifest ", image.manifest.layers.size()));
  image.chain_ids = chain_ids_of(image.config.diff_ids);
  if (auto created = parse_rfc3339(image.config.created)) image.created = *created;
  if (auto size = parse_int(annotation(entry, kImageSize))) {
    image.size = *size;
  } else {
    image.size = static_cast<std::int64_t>(image.manifest_json.size() + image.config_json.size());
    for (const std::string& chain_id : image.chain_ids)
      if (auto layer = store.layer_size(chain_id)) image.size += *layer;
  }
  return image;
}

// Names and digests of every entry of the same image, in the order of the index.
void add_names(Image* image, const std::vector<const oci::Descriptor*>& entries) {
  for (const oci::Descriptor* entry : entries) {
    std::string name = name_of(*entry);
    if (name.empty()) continue;
    auto ref = oci::Reference::parse(name);
    if (!ref) continue;  // written by another tool: a bare tag is no name here
    image->names.push_back(name);
    for (const std::string& hash : {annotation(*entry, kIndexDigest), entry->digest.str()}) {
      std::string digest = concat(ref->name(), "@", hash);
      if (!hash.empty() &&
          std::find(image->digests.begin(), image->digests.end(), digest) == image->digests.end())
        image->digests.push_back(digest);
    }
  }
}

struct Named {
  const oci::Descriptor* entry;
  std::string id;
};

Result<std::vector<Named>> entries_of(const Store& store, const oci::ImageIndex& index) {
  std::vector<Named> out;
  for (const oci::Descriptor& entry : index.manifests) {
    if (!is_image(entry) && !is_list(entry)) continue;
    auto id = id_of(store, entry);
    if (!id) {
      log::warn(concat("image ", entry.digest.str(), " is left out: ", id.error().message()));
      continue;
    }
    out.push_back({&entry, std::move(*id)});
  }
  return out;
}

bool has_digest(const oci::Descriptor& entry, const oci::Digest& digest) {
  return entry.digest == digest || annotation(entry, kIndexDigest) == digest.str();
}

// A name of the index as the given reference: same repository and tag, or same repository and
// manifest digest.
bool matches(const oci::Descriptor& entry, const oci::Reference& wanted) {
  std::string name = name_of(entry);
  if (wanted.digest.empty()) return name == wanted.str();
  if (!has_digest(entry, wanted.digest)) return false;
  auto ref = oci::Reference::parse(name);
  return ref && ref->name() == wanted.name();
}

bool ends_with_repository(const oci::Descriptor& entry, const oci::Reference& wanted) {
  auto ref = oci::Reference::parse(name_of(entry));
  if (!ref) return false;
  if (wanted.digest.empty() ? ref->tag != wanted.tag : !has_digest(entry, wanted.digest))
    return false;
  std::string full = ref->name();
  return full.ends_with(concat("/", wanted.repository));
}

Error unknown_image(std::string_view name) {
  return {Errc::not_found, concat(name, ": image not known")};
}

// The entry whose id begins with `hex`; null when none does.
Result<const Named*> find_by_id(const std::vector<Named>& entries, std::string_view hex) {
  const Named* found = nullptr;
  for (const Named& entry : entries) {
    if (!std::string_view(entry.id).starts_with(hex)) continue;
    if (found != nullptr && found->id != entry.id)
      return Error(Errc::conflict, concat(hex, ": this short id is ambiguous; give more digits"));
    if (found == nullptr) found = &entry;
  }
  return found;
}

const Named* find_by_name(const std::vector<Named>& entries, const oci::Reference& ref) {
  auto first = [&entries](auto&& test) -> const Named* {
    for (const Named& entry : entries)
      if (test(*entry.entry)) return &entry;
    return nullptr;
  };
  if (ref.qualified()) {
    oci::Reference wanted = ref.normalized("");
    return first([&](const oci::Descriptor& e) { return matches(e, wanted); });
  }
  for (const char* registry : {"localhost", "docker.io"}) {
    oci::Reference wanted = ref.normalized(registry);
    if (const Named* found = first([&](const oci::Descriptor& e) { return matches(e, wanted); }))
      return found;
  }
  oci::Reference wanted = ref;
  if (wanted.tag.empty() && wanted.digest.empty()) wanted.tag = "latest";
  return first([&](const oci::Descriptor& e) { return ends_with_repository(e, wanted); });
}

Result<const Named*> find_entry(const std::vector<Named>& entries, std::string_view name) {
  std::string_view hex = name;
  bool is_digest = hex.starts_with("sha256:");
  if (is_digest) hex.remove_prefix(7);
  if (hex.size() >= kMinShortId && hex.size() <= 64 && is_hex(hex)) {
    if (const Named* found = TRY(find_by_id(entries, hex))) return found;
    if (hex.size() == 64) return unknown_image(name);
  }
  if (is_digest) return unknown_image(name);
  oci::Reference ref = TRY(oci::Reference::parse(name));
  if (const Named* found = find_by_name(entries, ref)) return found;
  return unknown_image(name);
}

Result<Image> load_with_names(const Store& store, const std::vector<Named>& entries,
                              const Named& wanted) {
  Image image = TRY(load_entry(store, *wanted.entry));
  std::vector<const oci::Descriptor*> same;
  for (const Named& entry : entries)
    if (entry.id == wanted.id) same.push_back(entry.entry);
  add_names(&image, same);
  return image;
}

// The member of a list that this host runs, among the images that are here.
Result<const Named*> find_member(const std::vector<Named>& entries, const Image& list) {
  oci::ImageIndex members = TRY_CTX(oci::parse_index(list.manifest_json), list.id);
  oci::Platform host = oci::host_platform();
  const oci::Descriptor* wanted = nullptr;
  for (const oci::Descriptor& member : members.manifests) {
    if (!member.platform || member.platform->os != host.os ||
        member.platform->architecture != host.architecture)
      continue;
    for (const Named& entry : entries)
      if (entry.entry->digest == member.digest && is_image(*entry.entry)) return &entry;
    if (wanted == nullptr) wanted = &member;
  }
  if (wanted == nullptr)
    return Error(Errc::not_found, concat("no image found in manifest list for architecture ",
                                         host.architecture, ", OS ", host.os));
  return Error(Errc::not_found,
               concat("could not find image instance ", wanted->digest.str(), " of manifest list ",
                      list.id, " in local containers storage: image not known"));
}

void set_annotation(oci::Descriptor* d, const char* key, std::string value) {
  if (value.empty())
    d->annotations.erase(key);
  else
    d->annotations[key] = std::move(value);
}

bool has_entry(const oci::ImageIndex& index, const oci::Digest& digest) {
  return std::any_of(index.manifests.begin(), index.manifests.end(),
                     [&](const oci::Descriptor& d) { return d.digest == digest; });
}

// Takes `name` away from whatever has it. An image that loses its last name stays, untagged; but
// not another manifest of the image `same_id`, which would only keep a second form of its layers.
void release_name(oci::ImageIndex* index, const std::string& name,
                  const std::string& same_id = "") {
  for (std::size_t i = 0; i < index->manifests.size();) {
    if (name_of(index->manifests[i]) != name) {
      ++i;
      continue;
    }
    oci::Descriptor entry = index->manifests[i];
    index->manifests.erase(index->manifests.begin() + static_cast<std::ptrdiff_t>(i));
    if (has_entry(*index, entry.digest)) continue;
    if (!same_id.empty() && annotation(entry, kImageId) == same_id) continue;
    set_annotation(&entry, kRefName, "");
    index->manifests.insert(index->manifests.begin() + static_cast<std::ptrdiff_t>(i), entry);
    ++i;
  }
}

void insert_entry(oci::ImageIndex* index, oci::Descriptor entry, const std::string& name) {
  if (name.empty()) {
    if (!has_entry(*index, entry.digest)) index->manifests.push_back(std::move(entry));
    return;
  }
  for (oci::Descriptor& d : index->manifests)
    if (name_of(d) == name && d.digest == entry.digest) {
      set_annotation(&entry, kRefName, name);
      d = std::move(entry);
      return;
    }
  release_name(index, name, annotation(entry, kImageId));
  std::erase_if(index->manifests, [&](const oci::Descriptor& d) {
    return d.digest == entry.digest && name_of(d).empty();
  });
  set_annotation(&entry, kRefName, name);
  index->manifests.push_back(std::move(entry));
}

// The descriptor as the index keeps it: with id and size, so that listings need not compute them.
oci::Descriptor entry_for(const Image& image) {
  if (image.is_list) return image.manifest_descriptor;
  oci::Descriptor entry;
  entry.media_type = oci::kMediaManifest;
  entry.digest = image.manifest_descriptor.digest;
  entry.size = static_cast<std::int64_t>(image.manifest_json.size());
  oci::Platform platform;
  platform.architecture = image.config.architecture;
  platform.os = image.config.os;
  platform.variant = image.config.variant;
  if (!platform.architecture.empty() && !platform.os.empty()) entry.platform = platform;
  set_annotation(&entry, kImageId, image.id);
  set_annotation(&entry, kImageSize, concat(image.size));
  set_annotation(&entry, kImageFormat, image.docker_format ? "docker" : "");
  set_annotation(&entry, kIndexDigest, annotation(image.manifest_descriptor, kIndexDigest));
  return entry;
}

// An image is only added when all of it is there; "run" trusts this.
Result<Image> check_complete(const Store& store, const oci::Descriptor& manifest) {
  oci::Descriptor bare = manifest;
  bare.annotations.clear();
  for (const char* key : {kImageId, kImageFormat, kIndexDigest, kListCreated})
    set_annotation(&bare, key, annotation(manifest, key));
  Image image = TRY(load_entry(store, bare));
  for (const oci::Descriptor& layer : image.manifest.layers)
    if (!sys::exists(store.blob_path(layer.digest)))
      return Error(Errc::unavailable,
                   concat("blob ", layer.digest.str(), " was removed meanwhile; try again"));
  for (const std::string& chain_id : image.chain_ids)
    if (!store.has_layer(chain_id))
      return Error(Errc::unavailable,
                   concat("layer ", chain_id, " was removed meanwhile; try again"));
  return image;
}

// Directories that hide what is below them: the marks that the confined worker may not set on the
// host.
Status mark_opaque(const std::string& layer) {
  std::string list_path = concat(layer, "/", kOpaqueFile);
  auto list = sys::read_small_file(list_path, std::size_t{1} << 30);
  if (!list) return list.error().sys() == ENOENT ? Status() : std::move(list.error());
  DirFd diff = TRY(sys::open_dir(concat(layer, "/", kDiffDir)));
  for (std::string_view rest = *list; !rest.empty();) {
    auto parts = split_once(rest, '\0');
    if (!parts) return Error(Errc::corrupt, concat(list_path, ": cut short"));
    rest = parts->second;
    std::string path(parts->first);
    UniqueFd dir = TRY(sys::open_beneath(diff.get(), path.empty() ? "." : path.c_str(),
                                         O_RDONLY | O_DIRECTORY, 0, true));
    if (::fsetxattr(dir.get(), "trusted.overlay.opaque", "y", 1, 0) < 0)
      return Error::from_errno(errno, concat("mark ", path, " opaque"));
  }
  return sys::unlink_at(DirFd::cwd(), list_path.c_str());
}

// Moves each child of `from` into `to`, where one of that name may be already.
Status move_children(const std::string& from, const std::string& to,
                     const std::function<Status(const std::string&)>& before) {
  auto names = sys::list_dir(DirFd::cwd(), from.c_str());
  if (!names) return names.error().sys() == ENOENT ? Status() : std::move(names.error());
  for (const std::string& name : *names) {
    if (name.size() != 64 || !is_hex(name)) continue;
    std::string source = concat(from, "/", name), target = concat(to, "/", name);
    if (sys::exists(target)) continue;
    TRY(before(source));
    auto moved = sys::rename_at(DirFd::cwd(), source.c_str(), DirFd::cwd(), target.c_str(),
                                RENAME_NOREPLACE);
    if (!moved && moved.error().sys() != EEXIST) return moved;
  }
  DirFd folder = TRY(sys::open_dir(to));
  return sys::fsync_dir(folder);
}

struct InUse {
  std::set<std::string> digests, chain_ids;  // digests as text
};

// Everything that the images of `index` need. An entry that cannot be read makes the answer
// unknown: an error.
Result<InUse> in_use_by(const Store& store, const oci::ImageIndex& index) {
  InUse used;
  for (const oci::Descriptor& entry : index.manifests) {
    used.digests.insert(entry.digest.str());
    if (!is_image(entry)) continue;
    Image image = TRY(load_entry(store, entry));
    used.digests.insert(image.manifest.config.digest.str());
    for (const oci::Descriptor& layer : image.manifest.layers)
      used.digests.insert(layer.digest.str());
    used.chain_ids.insert(image.chain_ids.begin(), image.chain_ids.end());
  }
  for (std::string& chain_id : StepCache(store.root()).needed_layers())
    used.chain_ids.insert(std::move(chain_id));
  return used;
}

// Sends everything to trash that is not in use: also what a killed command left without an owner.
Status sweep(const Store& store, const InUse& used, int* freed) {
  ErrorList errors;
  auto sweep_folder = [&](const std::string& folder, auto&& needed) -> Status {
    for (const std::string& name : TRY(sys::list_dir(DirFd::cwd(), folder.c_str()))) {
      if (needed(name)) continue;
      errors.add(store.move_to_trash(concat(folder, "/", name)));
      ++*freed;
    }
    return {};
  };
  errors.add(sweep_folder(concat(store.root(), "/", kLayersDir),
                          [&](const std::string& name) { return used.chain_ids.contains(name); }));
  failpoint("store.remove", 3);
  errors.add(sweep_folder(concat(store.root(), "/", kBlobsDir), [&](const std::string& name) {
    return used.digests.contains(concat("sha256:", name));
  }));
  failpoint("store.remove", 4);
  return std::move(errors).to_status();
}

bool begins_with(const oci::ImageConfig& child, const oci::ImageConfig& parent) {
  if (parent.diff_ids.size() > child.diff_ids.size() ||
      parent.history.size() >= child.history.size())
    return false;
  for (std::size_t i = 0; i < parent.diff_ids.size(); ++i)
    if (parent.diff_ids[i] != child.diff_ids[i]) return false;
  for (std::size_t i = 0; i < parent.history.size(); ++i)
    if (parent.history[i].created_by != child.history[i].created_by ||
        parent.history[i].created != child.history[i].created)
      return false;
  return true;
}

// The untagged image that `child` was built from, when no other image still is.
const Image* dangling_parent(const std::vector<Image>& images, const Image& child) {
  const Image* parent = nullptr;
  for (const Image& image : images) {
    if (image.id == child.id || !image.names.empty() || image.config.history.empty()) continue;
    if (!begins_with(child.config, image.config)) continue;
    if (parent == nullptr || image.config.history.size() > parent->config.history.size())
      parent = &image;
  }
  if (parent == nullptr) return nullptr;
  for (const Image& image : images)
    if (image.id != child.id && image.id != parent->id && begins_with(image.config, parent->config))
      return nullptr;
  return parent;
}

}  // namespace

Result<std::int64_t> Store::layer_size(const std::string& chain_id) const {
  std::string text =
      TRY(sys::read_small_file(concat(root_, "/layers/", chain_id, "/", kSizeFile), 64));
  auto size = parse_int(trim(text));
  if (!size) return Error(Errc::corrupt, concat("layer ", chain_id, ": bad size"));
  return *size;
}

Result<std::vector<Image>> Store::list_images() const {
  oci::ImageIndex index = TRY_CTX(read_index(root_), root_);
  std::vector<Named> entries = TRY(entries_of(*this, index));
  std::vector<Image> images;
  std::set<std::string> seen;
  for (const Named& entry : entries) {
    if (!seen.insert(entry.id).second) continue;
    auto image = load_with_names(*this, entries, entry);
    if (image)
      images.push_back(std::move(*image));
    else
      log::warn(concat("image ", entry.id, " is left out: ", image.error().message()));
  }
  return images;
}

Result<Image> Store::find_image(std::string_view name) const {
  oci::ImageIndex index = TRY_CTX(read_index(root_), root_);
  std::vector<Named> entries = TRY(entries_of(*this, index));
  const Named* found = TRY(find_entry(entries, name));
  Image image = TRY(load_with_names(*this, entries, *found));
  if (!image.is_list) return image;
  const Named* member = TRY(find_member(entries, image));
  return load_with_names(*this, entries, *member);
}

Result<Image> Store::find_image_or_list(std::string_view name) const {
  oci::ImageIndex index = TRY_CTX(read_index(root_), root_);
  std::vector<Named> entries = TRY(entries_of(*this, index));
  const Named* found = TRY(find_entry(entries, name));
  return load_with_names(*this, entries, *found);
}

std::map<std::string, std::string> Store::list_sources(const Image& list) {
  std::map<std::string, std::string> out;
  auto parsed = json::parse(annotation(list.manifest_descriptor, kListSources));
  if (!parsed || parsed->as_object() == nullptr) return out;
  for (const auto& [digest, reference] : *parsed->as_object())
    out[digest] = reference.string_or("");
  return out;
}

Status Store::put_list(const ListContent& list, const std::string& name) {
  oci::Descriptor entry;
  entry.media_type = oci::kMediaIndex;
  entry.digest = oci::Digest::sha256(sha256_hex(list.json));
  entry.size = static_cast<std::int64_t>(list.json.size());
  set_annotation(&entry, kImageId, list.id);
  set_annotation(&entry, kListCreated, format_rfc3339(list.created, 0, true));
  json::Object sources;
  for (const auto& [digest, reference] : list.sources) sources.set(digest, reference);
  if (!sources.empty()) set_annotation(&entry, kListSources, json::dump(std::move(sources)));
  sys::FileLock lock = TRY(lock_index(root_));
  oci::ImageIndex index = TRY_CTX(read_index(root_), root_);
  if (!name.empty())
    for (const oci::Descriptor& other : index.manifests)
      if (name_of(other) == name)
        return Error(Errc::already_exists,
                     concat("image name ", quote(name), " is already associated with image ",
                            quote(TRY(id_of(*this, other))), ": that name is already in use"));
  TRY(sys::write_file(blob_path(entry.digest), list.json, 0644, sys::Durability::data));
  std::set<std::string> gone;  // what the list was before
  failpoint("store.list", 1);
  if (!name.empty()) {
    insert_entry(&index, std::move(entry), name);
  } else {
    bool found = false;
    for (oci::Descriptor& old : index.manifests) {
      if (!is_list(old) || annotation(old, kImageId) != list.id) continue;
      std::string kept = name_of(old);
      gone.insert(blob_path(old.digest));
      old = entry;
      set_annotation(&old, kRefName, kept);
      found = true;
    }
    if (!found) return unknown_image(list.id);
  }
  TRY(write_index(root_, index));
  failpoint("store.list", 2);
  for (const oci::Descriptor& kept : index.manifests) gone.erase(blob_path(kept.digest));
  for (const std::string& path : gone) TRY(move_to_trash(path));
  return {};
}

Status Store::tag_image(const Image& image, const oci::Reference& name) {
  if (!name.digest.empty())
    return Error(Errc::invalid_argument, concat(name.str(), ": tag by digest not supported"));
  sys::FileLock lock = TRY(lock_index(root_));
  oci::ImageIndex index = TRY_CTX(read_index(root_), root_);
  if (!has_entry(index, image.manifest_descriptor.digest)) return unknown_image(image.id);
  insert_entry(&index, entry_for(image), name.normalized("localhost").str());
  failpoint("store.tag", 1);
  return write_index(root_, index);
}

Status Store::untag_image(const Image& image, const std::string& name) {
  sys::FileLock lock = TRY(lock_index(root_));
  oci::ImageIndex index = TRY_CTX(read_index(root_), root_);
  bool known =
      std::any_of(index.manifests.begin(), index.manifests.end(), [&](const oci::Descriptor& d) {
        return name_of(d) == name && annotation(d, kImageId) == image.id;
      });
  if (!known) return Error(Errc::not_found, concat(name, ": tag not known"));
  release_name(&index, name);
  failpoint("store.untag", 1);
  return write_index(root_, index);
}

Status Store::add_manifest(const oci::Descriptor& manifest, const std::string& name) {
  sys::FileLock lock = TRY(lock_index(root_));
  oci::ImageIndex index = TRY_CTX(read_index(root_), root_);
  Image image = TRY(check_complete(*this, manifest));
  insert_entry(&index, entry_for(image), name);
  return write_index(root_, index);
}

Status replace_index(const Store& store, const std::vector<oci::Descriptor>& manifests) {
  sys::FileLock lock = TRY(lock_index(store.root()));
  oci::ImageIndex index;
  for (const oci::Descriptor& manifest : manifests) {
    auto image = check_complete(store, manifest);
    if (image)
      insert_entry(&index, entry_for(*image), "");
    else  // its blobs or layers are gone, or it was no manifest after all
      log::info(concat("manifest ", manifest.digest.str(), ": ", image.error().message()));
  }
  // A second name for the damaged one, so that there is an index at each moment.
  const std::string path = store.root() + "/images/index.json", kept = path + ".damaged";
  ignore(sys::unlink_at(DirFd::cwd(), kept.c_str()), "of an earlier damage, if any");
  if (::link(path.c_str(), kept.c_str()) < 0 && errno != ENOENT)
    return Error::from_errno(errno, concat("link ", kept));
  failpoint("store.index", 1);
  return write_index(store.root(), index);
}

Status Store::commit(const Staging& staging, const NewContent& content) {
  for (const NewContent::Entry& entry : content.images)
    for (const std::string& name : entry.names) TRY_CTX(oci::Reference::parse(name), quote(name));
  // One flush for all files instead of one for each; nothing is named before it is on the disk.
  if (::syncfs(staging.lock_fd()) < 0) return Error::from_errno(errno, concat("syncfs ", root_));
  failpoint("store.load", 1);
  sys::FileLock lock = TRY(lock_index(root_));
  TRY(move_children(concat(staging.path(), "/", kStagedBlobsDir), concat(root_, "/", kBlobsDir),
                    [](const std::string&) { return Status(); }));
  failpoint("store.load", 2);
  TRY(move_children(concat(staging.path(), "/", kLayersDir), concat(root_, "/", kLayersDir),
                    mark_opaque));
  failpoint("store.load", 3);
  oci::ImageIndex index = TRY_CTX(read_index(root_), root_);
  for (const NewContent::Entry& entry : content.images) {
    Image image = TRY(check_complete(*this, entry.manifest));
    if (entry.names.empty()) insert_entry(&index, entry_for(image), "");
    for (const std::string& name : entry.names) insert_entry(&index, entry_for(image), name);
  }
  TRY(write_index(root_, index));
  failpoint("store.load", 4);
  return {};
}

Status Store::remove_image(const Image& image, const std::vector<std::string>& keep_chain_ids,
                           std::vector<std::string>* removed, bool prune) {
  sys::FileLock lock = TRY(lock_index(root_));
  oci::ImageIndex index = TRY_CTX(read_index(root_), root_);
  std::vector<Image> images = TRY(list_images());
  std::vector<std::string> untagged, deleted;
  std::vector<Image> gone;
  const Image* victim = nullptr;
  for (const Image& candidate : images)
    if (candidate.id == image.id) victim = &candidate;
  if (victim == nullptr) return unknown_image(image.id);
  while (victim != nullptr) {
    for (const std::string& name : victim->names) untagged.push_back(concat("Untagged: ", name));
    deleted.push_back(concat("Deleted: ", victim->id));
    const Image* parent = prune ? dangling_parent(images, *victim) : nullptr;
    gone.push_back(*victim);
    std::string parent_id = parent != nullptr ? parent->id : "";
    std::erase_if(images, [&](const Image& i) { return i.id == gone.back().id; });
    victim = nullptr;
    for (const Image& candidate : images)
      if (!parent_id.empty() && candidate.id == parent_id) victim = &candidate;
  }
  // All entries of those ids, whatever their manifest.
  std::erase_if(index.manifests, [&](const oci::Descriptor& entry) {
    bool known = is_image(entry) || is_list(entry);
    auto id = known ? id_of(*this, entry) : Result<std::string>(std::string());
    return id && std::any_of(gone.begin(), gone.end(), [&](const Image& g) { return g.id == *id; });
  });
  InUse used = TRY_CTX(in_use_by(*this, index), "another image is damaged");
  used.chain_ids.insert(keep_chain_ids.begin(), keep_chain_ids.end());
  failpoint("store.remove", 1);
  TRY(write_index(root_, index));
  failpoint("store.remove", 2);
  removed->insert(removed->end(), untagged.begin(), untagged.end());
  removed->insert(removed->end(), deleted.begin(), deleted.end());
  int freed = 0;
  return sweep(*this, used, &freed);
}

Status Store::collect(const std::vector<std::string>& keep_chain_ids, int* freed) {
  sys::FileLock lock = TRY(lock_index(root_));
  oci::ImageIndex index = TRY_CTX(read_index(root_), root_);
  InUse used = TRY(in_use_by(*this, index));
  used.chain_ids.insert(keep_chain_ids.begin(), keep_chain_ids.end());
  int count = 0;
  Status swept = sweep(*this, used, &count);
  if (freed != nullptr) *freed = count;
  return swept;
}

}  // namespace minke::store
