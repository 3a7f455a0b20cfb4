// Another container like one that exists.
#include "engine/clone.h"

#include "base/str.h"
#include "engine/engine.h"
#include "engine/records.h"
#include "engine/specgen_internal.h"
#include "state/name_table.h"

namespace minke::engine {
namespace {

// Variables that came from the caller's environment have the values that they had then.
std::vector<std::string> settled_env(const ContainerConfig& config) {
  if (config.request.env_host) return config.env;
  std::vector<std::string> env;
  for (const std::string& entry : config.request.env) {
    if (entry.find('=') != std::string::npos) {
      env.push_back(entry);
      continue;
    }
    const bool prefix = entry.ends_with('*');
    std::string_view wanted(entry.data(), entry.size() - (prefix ? 1 : 0));
    for (const std::string& known : config.env) {
      std::string_view name = std::string_view(known).substr(0, known.find('='));
      if (prefix ? name.starts_with(wanted) : name == wanted) env.push_back(known);
    }
  }
  return env;
}

}  // namespace

// "web-clone", then "web-clone1", "web-clone2": of a clone as well.
std::string Engine::clone_name(const std::string& name) const {
  constexpr std::string_view kSuffix = "-clone";
  std::size_t at = name.rfind(kSuffix);
  bool is_clone =
      at != std::string::npos && (at + kSuffix.size() == name.size() ||
                                  parse_uint(std::string_view(name).substr(at + kSuffix.size())));
  std::string base = is_clone ? name.substr(0, at + kSuffix.size()) : concat(name, kSuffix);
  state::NameTable names(host_.root);
  std::string chosen = base;
  for (int number = 1; names.lookup(chosen).ok(); ++number) chosen = concat(base, number);
  return chosen;
}

Result<Container> Engine::clone(const std::string& id, const CloneRequest& clone) {
  TRY(enter());
  ContainerConfig source = TRY(load_config(ContainerPaths(host_, id).dir));
  CreateRequest request = source.request;
  request.env = settled_env(source);
  request.env_host = false;
  request.http_proxy = false;
  for (const std::string& entry : source.env)
    if (std::string_view name = std::string_view(entry).substr(0, entry.find('='));
        to_lower(name).ends_with("_proxy") && source.request.http_proxy &&
        !has_env(request.env, name))
      request.env.push_back(entry);
  if (!clone.image.empty()) {
    request.image = clone.image;
    request.rootfs = false;
  } else if (!source.image_id.empty()) {
    // The name may stand for another image by now.
    request.image = source.image_id;
  }
  request.name = clone.name.empty() ? clone_name(source.name) : clone.name;
  request.replace = false;
  request.create_command = clone.create_command;
  request.cid_file.clear();
  merge_limits(clone.limits, &request);
  return create(request);
}

}  // namespace minke::engine
