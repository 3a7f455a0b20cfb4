#include "view/ps.h"

#include "base/str.h"
#include "codec/units.h"
#include "sys/fd.h"
#include "view/json_make.h"
#include "view/status.h"

namespace minke::view {
namespace {

constexpr std::size_t kCommandWidth = 17;

// Files of /proc/PID/ns and what Podman calls them: in templates, and in JSON.
struct NamespaceRow {
  const char* file;
  const char* field;
  const char* member;
};
constexpr NamespaceRow kNamespaces[] = {
    {"cgroup", "Cgroup", "cgroupns"},
    {"ipc", "IPC", "ipc"},
    {"mnt", "MNT", "mnt"},
    {"net", "NET", "net"},
    {"pid", "PIDNS", "pidns"},
    {"user", "User", "userns"},
    {"uts", "UTS", "uts"},
};

// "4026531835" of "cgroup:[4026531835]"; empty when it does not run (any more).
std::string namespace_of(pid_t pid, const char* file) {
  if (pid <= 0) return {};
  auto link = sys::read_link_at(sys::DirFd::cwd(), concat("/proc/", pid, "/ns/", file).c_str());
  if (!link) return {};
  std::size_t open = link->find('[');
  if (open == std::string::npos || !link->ends_with(']')) return {};
  return link->substr(open + 1, link->size() - open - 2);
}

json::Object labels_of(const engine::ContainerSummary& container) {
  json::Object labels;
  for (const auto& [key, value] : container.labels) labels.append(key, value);
  return labels;
}

json::Array texts(const std::vector<std::string>& items) {
  json::Array array;
  for (const std::string& item : items) array.emplace_back(item);
  return array;
}

bool has_exited(const engine::ContainerSummary& container) {
  return container.state == engine::ContainerState::exited ||
         container.state == engine::ContainerState::stopped;
}

constexpr gotemplate::FieldShape kFields[] = {
    {"Labels", gotemplate::FieldKind::map},
    {"Created", gotemplate::FieldKind::time},
    {"Mounts", gotemplate::FieldKind::list},
    {"Size", gotemplate::FieldKind::text},
};

json::Value ports_json(const std::vector<net::PortMapping>& ports) {
  if (ports.empty()) return {};
  json::Array list;
  for (const net::PortMapping& port : ports) {
    json::Object entry;
    entry.set("host_ip", port.host_ip ? port.host_ip->text() : "");
    entry.set("container_port", std::int64_t{port.container_port});
    entry.set("host_port", std::int64_t{port.host_port});
    entry.set("range", std::int64_t{port.range});
    entry.set("protocol", net::protocol_name(port.protocol));
    list.emplace_back(std::move(entry));
  }
  return list;
}

}  // namespace

const gotemplate::Shape kPsShape = {"containers.psReporter", kFields};

json::Object ps_row(const engine::ContainerSummary& container,
                    const std::optional<engine::Engine::Sizes>& sizes, const PsOptions& options) {
  auto id = [&options](const std::string& full) {
    return options.no_trunc ? full : short_id(full);
  };
  std::string command = join(container.command, " ");
  if (!options.no_trunc && command.size() > kCommandWidth)
    command = concat(std::string_view(command).substr(0, kCommandWidth), "...");
  std::string created = ago(container.created, options.at);
  json::Object row;
  row.set("ID", id(container.id));
  row.set("Names", container.name);
  row.set("Image", container.image_name);
  row.set("ImageID", id(container.image_id));
  row.set("Command", std::move(command));
  row.set("CreatedHuman", created);
  row.set("RunningFor", std::move(created));
  row.set("CreatedAt", format_go_time(container.created));
  row.set("Created", format_rfc3339(container.created));
  row.set("Status", status_text(container, options.at));
  row.set("State", engine::state_name(container.state));
  row.set("Ports", net::ports_text(container.ports));
  row.set("Pod", "");
  row.set("PodName", "");
  row.set("Size", !sizes
                      ? std::string()
                      : concat(units::human_size(static_cast<double>(sizes->rw), 3), " (virtual ",
                               units::human_size(static_cast<double>(sizes->root), 3), ")"));
  row.set("Labels", labels_of(container));
  row.set("Mounts", texts(container.mounts));
  row.set("Networks", join(container.networks, ","));
  row.set("Pid", container.pid);
  row.set("Exited", has_exited(container));
  row.set("ExitedAt", unix_seconds(container.finished_at));
  row.set("ExitCode", container.exit_code);
  row.set("StartedAt", unix_seconds(container.started_at));
  row.set("Restarts", container.restarts);
  row.set("AutoRemove", container.remove);
  row.set("IsInfra", container.is_infra);
  json::Object namespaces;
  for (const NamespaceRow& space : kNamespaces) {
    std::string value =
        options.namespaces ? namespace_of(container.pid, space.file) : std::string();
    row.set(space.field, value);
    namespaces.set(space.field, std::move(value));
  }
  row.set("Namespaces", std::move(namespaces));
  return row;
}

json::Object ps_json(const engine::ContainerSummary& container,
                     const std::optional<engine::Engine::Sizes>& sizes, const PsOptions& options) {
  json::Object row;
  row.set("AutoRemove", container.remove);
  row.set("Command",
          container.command.empty() ? json::Value() : json::Value(texts(container.command)));
  row.set("CreatedAt", ago(container.created, options.at));
  row.set("Exited", has_exited(container));
  row.set("ExitedAt", unix_seconds(container.finished_at));
  row.set("ExitCode", container.exit_code);
  row.set("Id", container.id);
  row.set("Image", container.image_name);
  row.set("ImageID", container.image_id);
  row.set("IsInfra", container.is_infra);
  row.set("Labels", container.labels.empty() ? json::Value() : json::Value(labels_of(container)));
  row.set("Mounts", texts(container.mounts));
  row.set("Names", json::Array{json::Value(container.name)});
  json::Object namespaces;
  if (options.namespaces && container.pid > 0)
    for (const NamespaceRow& space : kNamespaces)
      if (std::string value = namespace_of(container.pid, space.file); !value.empty())
        namespaces.set(space.member, std::move(value));
  row.set("Namespaces", std::move(namespaces));
  row.set("Networks", to_array(container.networks));
  row.set("Pid", container.pid);
  row.set("Pod", "");
  row.set("PodName", "");
  row.set("Ports", ports_json(container.ports));
  if (sizes) {
    json::Object size;
    size.set("rootFsSize", sizes->root);
    size.set("rwSize", sizes->rw);
    row.set("Size", std::move(size));
  } else {
    row.set("Size", nullptr);
  }
  row.set("StartedAt", unix_seconds(container.started_at));
  row.set("State", engine::state_name(container.state));
  row.set("Status", status_text(container, options.at));
  row.set("Created", unix_seconds(container.created));
  return row;
}

}  // namespace minke::view
