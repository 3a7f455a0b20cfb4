// Lists of images in the store: made, changed, and sent to registries.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/image_list.h"
#include "engine/registry_access.h"
#include "store/store.h"

namespace minke::engine {

class Engine;

// What is said of a member, in place of what its image says.
struct MemberNotes {
  std::string os, architecture, variant, os_version;
  std::vector<std::string> features, os_features;
  std::map<std::string, std::string> annotations;
};

struct AddToList {
  std::vector<std::string> images;  // of the store by name or id, else of a registry
  bool all = false;                 // of a list: every image of it, else the one for this host
  MemberNotes notes;
  RegistryAccess access;
};

// What becomes of a list or an image that has the name already.
enum class IfThere : std::uint8_t {
  fail,
  amend,    // a list is gone on with
  replace,  // a list gets these members alone, an image loses the name
};
// A new list under `name`; its id. Nothing is left when an image cannot be added.
Result<std::string> create_list(Engine& engine, const std::string& name, const AddToList& members,
                                IfThere if_there,
                                const std::map<std::string, std::string>& annotations);
// Each returns the id of the list. Errors: `NAME: image not known`, `NAME: image is not a manifest
// list`.
Result<std::string> add_to_list(Engine& engine, const std::string& name, const AddToList& members);
Result<std::string> annotate_member(Engine& engine, const std::string& name,
                                    const std::string& image, const MemberNotes& notes);
Result<std::string> annotate_list(Engine& engine, const std::string& name,
                                  const std::map<std::string, std::string>& annotations);
Result<std::string> remove_from_list(Engine& engine, const std::string& name,
                                     const std::string& digest);

Result<store::Image> find_list(Engine& engine, std::string_view name);
// The list of the store, or what a registry has under the name: the bytes.
Result<std::string> read_list(Engine& engine, const std::string& name, const RegistryAccess& access,
                              bool* single);

struct PushList {
  std::string list, destination;  // NAME[:TAG] or docker://NAME[:TAG]
  bool all = true;                // the images too, not only the list
  ListFormat format = ListFormat::as_needed;
  RegistryAccess access;
  TransferWatch watch;
};
// The digest of the list as the registry has it.
Result<std::string> push_list(Engine& engine, const PushList& request);

}  // namespace minke::engine
