#include "view/image.h"

#include "base/str.h"
#include "codec/units.h"
#include "oci/reference.h"
#include "view/json_make.h"
#include "view/status.h"

namespace minke::view {
namespace {

using gotemplate::FieldKind;

constexpr gotemplate::FieldShape kRowFields[] = {
    {"Labels", FieldKind::map},
};

constexpr gotemplate::FieldShape kFields[] = {
    {"Created", FieldKind::time},
    {"Labels", FieldKind::map},
    {"Annotations", FieldKind::map},
    {"GraphDriver.Data", FieldKind::map},
    {"HealthCheck", FieldKind::pointer},
    {"Config.User", FieldKind::text},
    {"Config.ExposedPorts", FieldKind::map},
    {"Config.Env", FieldKind::list},
    {"Config.Entrypoint", FieldKind::list},
    {"Config.Cmd", FieldKind::list},
    {"Config.Volumes", FieldKind::map},
    {"Config.WorkingDir", FieldKind::text},
    {"Config.Labels", FieldKind::map},
    {"Config.StopSignal", FieldKind::text},
    {"History.created_by", FieldKind::text},
    {"History.author", FieldKind::text},
    {"History.comment", FieldKind::text},
    {"History.empty_layer", FieldKind::boolean},
    {"History.created", FieldKind::time},
    {"History.CreatedBy", FieldKind::text},
    {"History.Author", FieldKind::text},
    {"History.Comment", FieldKind::text},
    {"History.EmptyLayer", FieldKind::boolean},
};

std::string digest_of(const store::Image& image) { return image.manifest_descriptor.digest.str(); }

std::string manifest_type(const store::Image& image) {
  if (!image.docker_format) return image.manifest.media_type;
  return std::string(oci::docker_media_type(oci::kMediaManifest));
}

// "localhost/busybox" and "1" of "localhost/busybox:1"; the tag is "<none>" for a name by digest.
std::pair<std::string, std::string> split_name(const std::string& name) {
  std::size_t at = name.find('@');
  if (at != std::string::npos) return {name.substr(0, at), "<none>"};
  std::size_t colon = name.rfind(':');
  if (colon == std::string::npos || name.find('/', colon) != std::string::npos)
    return {name, "<none>"};
  return {name.substr(0, colon), name.substr(colon + 1)};
}

// The newest name first.
std::vector<std::string> history_of(const store::Image& image) {
  return {image.names.rbegin(), image.names.rend()};
}

std::string size_text(std::int64_t size) {
  return units::human_size_spaced(static_cast<double>(size));
}

}  // namespace

const gotemplate::Shape kImageRowShape = {"images.imageReporter", kRowFields};
const gotemplate::Shape kImageShape = {"interface {}", kFields};

json::Object image_json(const store::Image& image, std::int64_t containers) {
  json::Object out;
  out.set("Id", image.id);
  out.set("ParentId", "");
  out.set("RepoTags", nullptr);
  out.set("RepoDigests", array_or_null(image.digests));
  out.set("Size", image.size);
  out.set("SharedSize", 0);
  out.set("VirtualSize", image.size);
  out.set("Labels", object_or_null(image.config.config.labels));
  out.set("Containers", containers);
  if (image.names.empty()) out.set("Dangling", true);
  if (!image.names.empty()) out.set("Names", to_array(image.names));
  out.set("Digest", digest_of(image));
  if (!image.names.empty()) out.set("History", to_array(history_of(image)));
  out.set("Created", unix_seconds(image.created));
  out.set("CreatedAt", format_rfc3339(image.created, 0, true));
  return out;
}

json::Array image_rows(const store::Image& image, const ImageRowOptions& options) {
  json::Object base;
  std::string created = ago(image.created, options.at);
  std::string at = format_go_time(unix_seconds(image.created) * kSecond, true);
  base.set("ID", options.no_trunc ? concat("sha256:", image.id) : short_id(image.id));
  base.set("Id", image.id);
  base.set("Digest", digest_of(image));
  base.set("Created", created);
  base.set("CreatedSince", std::move(created));
  base.set("CreatedAt", at);
  base.set("CreatedTime", std::move(at));
  base.set("Size", size_text(image.size));
  base.set("SharedSize", 0);
  base.set("VirtualSize", image.size);
  base.set("Containers", options.containers);
  base.set("Names", to_array(image.names));
  base.set("History", join(history_of(image), ", "));
  base.set("Labels", to_object(image.config.config.labels));
  base.set("RepoDigests", to_array(image.digests));
  base.set("RepoTags", to_array(image.names));
  base.set("ReadOnly", false);
  base.set("IsReadOnly", false);
  base.set("ParentId", "");
  base.set("Dangling", image.names.empty());
  json::Array rows;
  auto add = [&rows, &base](std::string repository, std::string tag) {
    json::Object row;
    row.set("Repository", std::move(repository));
    row.set("Tag", std::move(tag));
    for (const auto& [key, value] : base) row.set(key, value);
    rows.emplace_back(std::move(row));
  };
  for (const std::string& name : image.names) {
    auto [repository, tag] = split_name(name);
    add(std::move(repository), std::move(tag));
  }
  if (rows.empty()) add("<none>", "<none>");
  return rows;
}

json::Object inspect_image(const store::Store& store, const store::Image& image) {
  const oci::ImageConfig& config = image.config;
  std::vector<std::string> tags, layers;
  for (const std::string& name : image.names)
    if (name.find('@') == std::string::npos) tags.push_back(name);
  for (const oci::Digest& digest : config.diff_ids) layers.push_back(digest.str());
  std::string comment = config.comment;
  if (!image.docker_format && !config.history.empty()) comment = config.history.front().comment;

  json::Object data;
  std::vector<std::string> lower = store.lower_dirs(image);  // topmost first
  if (lower.size() > 1) data.set("LowerDir", join({lower.begin() + 1, lower.end()}, ":"));
  if (!lower.empty()) data.set("UpperDir", lower.front());
  json::Object driver;
  driver.set("Name", "overlay");
  driver.set("Data", std::move(data));
  json::Object root;
  root.set("Type", "layers");
  root.set("Layers", to_array(layers));
  json::Array history;
  for (const oci::History& entry : config.history) history.push_back(json::to_value(entry));

  json::Object out;
  out.set("Id", image.id);
  out.set("Digest", digest_of(image));
  out.set("RepoTags", to_array(tags));
  out.set("RepoDigests", to_array(image.digests));
  out.set("Parent", "");
  out.set("Comment", comment);
  out.set("Created", config.created.empty() ? json::Value(nullptr) : json::Value(config.created));
  out.set("Config", json::to_value(config.config));
  out.set("Version", "");
  out.set("Author", config.author);
  out.set("Architecture", config.architecture);
  out.set("Os", config.os);
  out.set("Size", image.size);
  out.set("VirtualSize", image.size);
  out.set("GraphDriver", std::move(driver));
  out.set("RootFS", std::move(root));
  out.set("Labels", object_or_null(config.config.labels));
  out.set("Annotations", to_object(image.manifest.annotations));
  out.set("ManifestType", manifest_type(image));
  out.set("User", config.config.user);
  out.set("History", std::move(history));
  out.set("NamesHistory", to_array(history_of(image)));
  return out;
}

}  // namespace minke::view
