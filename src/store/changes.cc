#include "store/changes.h"

#include <algorithm>

#include "base/str.h"
#include "sys/process.h"

namespace minke::store {
namespace {

using oci::ImageProcessConfig;

Error invalid(std::string_view change, std::string_view why) {
  return {Errc::invalid_argument, concat("invalid change ", quote(change), " - ", why)};
}

std::string_view unquoted(std::string_view text) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"')
    return text.substr(1, text.size() - 2);
  return text;
}

// The JSON form ["a", "b"]; nothing when the text is none.
std::optional<std::vector<std::string>> json_words(std::string_view text) {
  auto value = json::parse(text);
  if (!value || value->as_array() == nullptr) return {};
  std::vector<std::string> words;
  for (const json::Value& item : *value->as_array()) {
    if (item.as_string() == nullptr) return {};
    words.push_back(*item.as_string());
  }
  return words;
}

std::vector<std::string> command_of(std::string_view value) {
  if (auto words = json_words(value)) return *words;
  return {"/bin/sh", "-c", std::string(value)};
}

Status expose(std::string_view change, std::string_view value, ImageProcessConfig* config) {
  auto parts = split(value, '/');
  if (parts.size() > 2) return invalid(change, "EXPOSE port must be formatted as PORT[/PROTO]");
  auto port = parse_int(parts[0]);
  if (!port) return invalid(change, "EXPOSE port must be an integer");
  if (*port <= 0 || *port > 65535)
    return invalid(change, "EXPOSE port must be a valid port number");
  std::string protocol = parts.size() == 2 ? to_lower(parts[1]) : "tcp";
  if (protocol != "tcp" && protocol != "udp" && protocol != "sctp")
    return invalid(change, "EXPOSE protocol must be TCP, UDP, or SCTP");
  config->exposed_ports[concat(*port, "/", protocol)] = json::Object();
  return {};
}

// KEY=VALUE, with quotes around either taken off.
std::pair<std::string, std::string> assignment(std::string_view value) {
  auto parts = split_once(value, '=');
  if (!parts) return {std::string(unquoted(value)), ""};
  return {std::string(unquoted(parts->first)), std::string(unquoted(parts->second))};
}

Status set_env(std::string_view change, std::string_view value, ImageProcessConfig* config) {
  auto [key, text] = assignment(value);
  if (key.empty()) return invalid(change, "ENV must have a name");
  std::erase_if(config->env,
                [&key = key](const std::string& old) { return old.starts_with(key + "="); });
  config->env.push_back(concat(key, "=", text));
  return {};
}

Status add_volumes(std::string_view change, std::string_view value, ImageProcessConfig* config) {
  auto paths = json_words(value);
  if (!paths) {
    paths.emplace();
    for (std::string_view path : split(value, ' '))
      if (!path.empty()) paths->emplace_back(path);
  }
  if (paths->empty()) return invalid(change, "VOLUME requires at least one argument");
  for (const std::string& path : *paths) {
    if (path.empty()) return invalid(change, "VOLUME paths must not be empty");
    config->volumes[path] = json::Object();
  }
  return {};
}

Status apply(std::string_view change, std::string_view key, std::string_view value,
             ImageProcessConfig* config) {
  if (key == "USER") {
    config->user = value;
  } else if (key == "EXPOSE") {
    return expose(change, value, config);
  } else if (key == "ENV") {
    return set_env(change, value, config);
  } else if (key == "ENTRYPOINT") {
    config->entrypoint = command_of(value);
  } else if (key == "CMD") {
    config->cmd = command_of(value);
  } else if (key == "VOLUME") {
    return add_volumes(change, value, config);
  } else if (key == "WORKDIR") {
    bool absolute = value.starts_with("/") || config->working_dir.empty();
    config->working_dir = absolute ? std::string(value) : concat(config->working_dir, "/", value);
  } else if (key == "LABEL") {
    auto [name, text] = assignment(value);
    if (name.empty()) return invalid(change, "LABEL must have a name");
    config->labels[name] = text;
  } else if (key == "STOPSIGNAL") {
    if (!sys::parse_signal(value)) return invalid(change, "STOPSIGNAL is not a signal");
    config->stop_signal = value;
  } else if (key == "ONBUILD") {
    if (!config->on_build) config->on_build.emplace();
    config->on_build->emplace_back(value);
  } else {
    return invalid(change, concat("invalid instruction ", key));
  }
  return {};
}

}  // namespace

Status apply_changes(const std::vector<std::string>& changes, ImageProcessConfig* config) {
  for (const std::string& change : changes) {
    auto parts = split_once(change, ' ');
    if (!parts || parts->first.find('=') != std::string_view::npos) {
      auto equal = split_once(change, '=');
      if (equal && (!parts || equal->first.size() < parts->first.size())) parts = equal;
    }
    if (!parts) return invalid(change, "must be formatted as KEY VALUE");
    std::string_view value = trim(parts->second);
    if (value.empty()) return invalid(change, "must be formatted as KEY VALUE");
    TRY(apply(change, to_upper(trim(parts->first)), value, config));
  }
  return {};
}

}  // namespace minke::store
