#include "engine/manifest_list.h"

#include <algorithm>

#include "base/rand.h"
#include "base/str.h"
#include "engine/engine.h"
#include "engine/remote_manifest.h"
#include "state/object_lock.h"

namespace minke::engine {
namespace {

// A list while it is changed.
struct OpenList {
  store::ListContent kept;
  ImageList list;
};

// What is to be added: gathered before the list is opened, since registries may take their time.
struct Additions {
  std::vector<ListMember> members;
  std::map<std::string, std::string> sources;
};

Result<OpenList> open_list(Engine& engine, std::string_view name) {
  store::Image image = TRY(find_list(engine, name));
  OpenList open;
  open.kept.id = image.id;
  open.kept.created = image.created;
  open.kept.sources = store::Store::list_sources(image);
  open.list = TRY_CTX(ImageList::parse(image.manifest_json), name);
  return open;
}

Result<std::string> save_list(Engine& engine, OpenList open, const std::string& name = "") {
  open.kept.json = TRY(open.list.dump(ListFormat::as_needed));
  // Sources of members that have gone are of no use.
  std::erase_if(open.kept.sources,
                [&](const auto& source) { return open.list.find(source.first) == nullptr; });
  store::Store writable = engine.store();
  TRY(writable.put_list(open.kept, name));
  return open.kept.id;
}

// An image loses its name to a new list in one step: until then that has another.
Result<std::string> take_name(Engine& engine, OpenList open, const oci::Reference& name) {
  oci::Reference passing = name;
  passing.tag = concat("list-", random_hex(8));
  std::string id = TRY(save_list(engine, std::move(open), passing.str()));
  store::Image list = TRY(engine.store().find_image_or_list(passing.str()));
  TRY(engine.store().tag_image(list, name));
  TRY(engine.store().untag_image(list, passing.str()));
  return id;
}

// Reads the list, changes it and keeps it, with nobody in between.
template <typename F>
Result<std::string> change_list(Engine& engine, const std::string& name, F&& change) {
  TRY(engine.enter());
  sys::FileLock lock = TRY(state::lock_object(engine.host().runroot + "/images", "the images"));
  OpenList open = TRY(open_list(engine, name));
  TRY(change(&open));
  return save_list(engine, std::move(open));
}

void apply_notes(const MemberNotes& notes, ListMember* member) {
  auto text = [](const std::string& from, std::string* to) {
    if (!from.empty()) *to = from;
  };
  text(notes.os, &member->os);
  text(notes.architecture, &member->architecture);
  text(notes.variant, &member->variant);
  text(notes.os_version, &member->os_version);
  if (!notes.features.empty()) member->features = notes.features;
  if (!notes.os_features.empty()) member->os_features = notes.os_features;
  for (const auto& [key, value] : notes.annotations) member->annotations[key] = value;
}

void take_platform(const oci::ImageConfig& config, ListMember* member) {
  member->os = config.os;
  member->architecture = config.architecture;
  member->variant = config.variant;
  member->os_version = config.os_version;
}

Error invalid_digest(std::string_view text) {
  return {Errc::invalid_argument,
          concat("invalid image digest ", quote(text), ": invalid checksum digest format")};
}

// Finds out what is to be added.
class Adder {
 public:
  Adder(Engine& engine, const AddToList& request) : engine_(engine), request_(request) {}

  Status add(const std::string& typed) {
    if (typed.find("://") == std::string::npos) {
      auto local = engine_.store().find_image_or_list(typed);
      if (local) return local->is_list ? add_local_list(*local) : add_local(*local);
      if (local.error().code() != Errc::not_found) return std::move(local.error());
    }
    if (!typed.starts_with("docker://") && typed.find("://") != std::string::npos)
      return Error(Errc::unsupported,
                   concat(typed, ": only images of the store and docker:// are supported here"));
    Status added = add_remote(typed);
    if (added) return added;
    return std::move(added.error())
        .wrap(concat("setting up to read manifest and configuration from ",
                     quote(typed.starts_with("docker://") ? typed : concat("docker://", typed))));
  }

  Additions take() { return std::move(out_); }

 private:
  void put(ListMember member) {
    apply_notes(request_.notes, &member);
    out_.members.push_back(std::move(member));
  }

  Status add_local(const store::Image& image) {
    ListMember member;
    member.media_type = manifest_type_of(image.manifest_json);
    member.digest = image.manifest_descriptor.digest.str();
    member.size = static_cast<std::int64_t>(image.manifest_json.size());
    take_platform(image.config, &member);
    put(std::move(member));
    return {};
  }

  Status add_local_list(const store::Image& other) {
    ImageList list = TRY(ImageList::parse(other.manifest_json));
    std::map<std::string, std::string> sources = store::Store::list_sources(other);
    auto keep_source = [&](const ListMember& member) {
      if (auto it = sources.find(member.digest); it != sources.end()) out_.sources.insert(*it);
    };
    return add_members(list, keep_source);
  }

  template <typename F>
  Status add_members(const ImageList& list, F&& keep_source) {
    oci::Platform host = oci::host_platform();
    std::string os = request_.notes.os.empty() ? host.os : request_.notes.os;
    std::string arch =
        request_.notes.architecture.empty() ? host.architecture : request_.notes.architecture;
    bool any = false;
    for (const ListMember& member : list.members) {
      if (!request_.all && (any || member.os != os || member.architecture != arch)) continue;
      any = true;
      keep_source(member);
      if (request_.all)
        out_.members.push_back(member);
      else
        put(member);
    }
    if (any || request_.all) return {};
    return Error(Errc::not_found,
                 concat("no image found in manifest list for architecture ", arch, ", OS ", os));
  }

  Status add_remote(const std::string& typed) {
    Registries registries(engine_.host(), request_.access);
    RemoteText remote = TRY(get_remote_manifest(registries, typed));
    std::string source = concat("docker://", remote.reference.name());
    if (is_list_type(remote.media_type)) {
      ImageList list = TRY(ImageList::parse(remote.json));
      return add_members(list,
                         [&](const ListMember& member) { out_.sources[member.digest] = source; });
    }
    oci::Manifest manifest = TRY(oci::parse_manifest(remote.json));
    std::string text = TRY(get_remote_blob(registries, remote.reference, manifest.config.digest));
    oci::ImageConfig config = TRY(oci::parse_image_config(text));
    ListMember member;
    member.media_type = remote.media_type;
    member.digest = remote.digest;
    member.size = static_cast<std::int64_t>(remote.json.size());
    take_platform(config, &member);
    out_.sources[member.digest] = std::move(source);
    put(std::move(member));
    return {};
  }

  Engine& engine_;
  const AddToList& request_;
  Additions out_;
};

Result<Additions> gather(Engine& engine, const AddToList& members) {
  Adder adder(engine, members);
  for (const std::string& image : members.images) TRY(adder.add(image));
  return adder.take();
}

void put_all(const Additions& added, OpenList* open) {
  for (const ListMember& member : added.members) open->list.put(member);
  for (const auto& [digest, source] : added.sources) open->kept.sources[digest] = source;
}

}  // namespace

Result<store::Image> find_list(Engine& engine, std::string_view name) {
  store::Image image = TRY(engine.store().find_image_or_list(name));
  if (image.is_list) return image;
  return Error(Errc::invalid_argument,
               concat(image.names.empty() ? std::string(name) : image.names.front(),
                      ": image is not a manifest list"));
}

Result<std::string> create_list(Engine& engine, const std::string& name, const AddToList& members,
                                IfThere if_there,
                                const std::map<std::string, std::string>& annotations) {
  TRY(engine.enter());
  oci::Reference reference = TRY(oci::Reference::parse(name));
  if (!reference.digest.empty())
    return Error(Errc::invalid_argument, concat(name, ": a list is named by a tag"));
  std::string full = reference.normalized("localhost").str();
  auto there = engine.store().find_image_or_list(full);
  bool found =
      there.ok() && std::find(there->names.begin(), there->names.end(), full) != there->names.end();
  // Before anything is asked of a registry.
  if (found && if_there == IfThere::fail)
    return Error(Errc::already_exists, concat("creating image to hold manifest list: image name ",
                                              quote(full), " is already associated with image ",
                                              quote(there->id), ": that name is already in use"));
  Additions added = TRY(gather(engine, members));
  auto fill = [&](OpenList* open) -> Status {
    if (if_there == IfThere::replace) open->list = {};
    for (const auto& [key, value] : annotations) open->list.annotations[key] = value;
    put_all(added, open);
    return {};
  };
  if (found && (if_there == IfThere::amend || there->is_list))
    return change_list(engine, full, fill);
  OpenList open;
  open.kept.id = random_hex(32);
  open.kept.created = now();
  TRY(fill(&open));
  if (found) return take_name(engine, std::move(open), reference.normalized("localhost"));
  return TRY_CTX(save_list(engine, std::move(open), full), "creating image to hold manifest list");
}

Result<std::string> add_to_list(Engine& engine, const std::string& name, const AddToList& members) {
  TRY(engine.enter());
  TRY(find_list(engine, name));
  Additions added = TRY(gather(engine, members));
  return change_list(engine, name, [&](OpenList* open) -> Status {
    put_all(added, open);
    return {};
  });
}

Result<std::string> annotate_member(Engine& engine, const std::string& name,
                                    const std::string& image, const MemberNotes& notes) {
  return change_list(engine, name, [&](OpenList* open) -> Status {
    std::string digest = image;
    if (!oci::Digest::parse(image)) {
      auto local = engine.store().find_image(image);
      if (!local) return invalid_digest(image);
      digest = local->manifest_descriptor.digest.str();
    }
    ListMember* member = open->list.find(digest);
    if (member == nullptr)
      return Error(Errc::not_found,
                   concat("no manifest matching digest ", quote(digest),
                          " was found in list: no image instance matching the specified digest "
                          "was found in the list or index"));
    apply_notes(notes, member);
    return {};
  });
}

Result<std::string> annotate_list(Engine& engine, const std::string& name,
                                  const std::map<std::string, std::string>& annotations) {
  return change_list(engine, name, [&](OpenList* open) -> Status {
    for (const auto& [key, value] : annotations) open->list.annotations[key] = value;
    return {};
  });
}

Result<std::string> remove_from_list(Engine& engine, const std::string& name,
                                     const std::string& digest) {
  return change_list(engine, name, [&](OpenList* open) -> Status {
    if (!oci::Digest::parse(digest)) return invalid_digest(digest);
    if (open->list.find(digest) == nullptr)
      return Error(Errc::not_found,
                   concat("removing from manifest list ", name, ": no instance matching digest ",
                          quote(digest), " found in manifest list: file does not exist"));
    std::erase_if(open->list.members,
                  [&](const ListMember& member) { return member.digest == digest; });
    return {};
  });
}

Result<std::string> read_list(Engine& engine, const std::string& name, const RegistryAccess& access,
                              bool* single) {
  *single = false;
  if (!name.starts_with("docker://")) {
    auto local = engine.store().find_image_or_list(name);
    if (local && local->is_list) return std::move(local->manifest_json);
    if (!local && local.error().code() != Errc::not_found) return std::move(local.error());
    // An image of the store is no list; the registry may have one under that name.
  }
  Registries registries(engine.host(), access);
  std::string place = name.starts_with("docker://") ? name : concat("docker://", name);
  RemoteText remote =
      TRY_CTX(get_remote_manifest(registries, name), concat("reading image ", quote(place)));
  *single = !is_list_type(remote.media_type);
  return std::move(remote.json);
}

}  // namespace minke::engine
