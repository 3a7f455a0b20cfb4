// Secrets of a container. What is mounted is copied into the container's own folder when it is
// made, so that it outlives the secret; at each start the copy goes to the run folder, which is
// memory, and from there into the container. What is an environment variable is looked up at each
// start. Neither record nor spec ever holds a secret's content.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/str.h"
#include "engine/parse.h"
#include "engine/parse_internal.h"
#include "engine/secret.h"
#include "engine/specgen_internal.h"
#include "engine/userns.h"
#include "sys/fd.h"

namespace minke::engine {
namespace {

constexpr const char* kPlace = "/run/secrets";

// ROOT/containers/ID/secrets/N, RUNROOT/containers/ID/secrets/{files/TARGET,N,env}.
std::string copy_of(const std::string& container_dir, std::size_t index) {
  return concat(container_dir, "/secrets/", index);
}

std::string target_of(const ContainerSecret& secret) {
  if (secret.target.empty()) return concat(kPlace, "/", secret.name);
  if (secret.target.starts_with('/')) return clean_path(secret.target);
  return clean_path(concat(kPlace, "/", secret.target));
}

// The name below /run/secrets, or "" for a place elsewhere.
std::string name_below_place(const std::string& target) {
  std::string prefix = concat(kPlace, "/");
  return target.starts_with(prefix) ? target.substr(prefix.size()) : "";
}

bool place_is_taken(const ContainerConfig& config) {
  return std::any_of(config.mounts.begin(), config.mounts.end(), [](const ResolvedMount& m) {
    return m.destination == kPlace || m.destination.starts_with(concat(kPlace, "/"));
  });
}

// Mounted as one folder, unless the user has mounts of his own there.
bool in_folder(const ContainerConfig& config, const std::string& target) {
  return !name_below_place(target).empty() && !place_is_taken(config);
}

Result<std::uint32_t> host_id(const std::vector<oci::IdMapping>& map, std::uint32_t id,
                              const ContainerSecret& secret) {
  if (map.empty()) return id;
  if (auto host = map_to_host(map, id)) return *host;
  return Error(Errc::invalid_argument,
               concat("secret ", secret.name, ": owner ", id,
                      " is not mapped in the user namespace of the container"));
}

Status place_file(const ContainerConfig& config, const ContainerSecret& secret,
                  const std::string& path, std::string_view data) {
  uid_t uid = TRY(host_id(config.uid_map, secret.uid, secret));
  gid_t gid = TRY(host_id(config.gid_map, secret.gid, secret));
  sys::UniqueFd file =
      TRY(sys::open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  TRY(sys::write_all(file.get(), data, path));
  if (::fchown(file.get(), uid, gid) < 0)
    return Error::from_errno(
        errno, concat("secret ", secret.name, ": chown to ", secret.uid, ":", secret.gid));
  // After the owner: chown takes set-id bits away.
  if (::fchmod(file.get(), secret.mode & 07777) < 0)
    return Error::from_errno(errno, concat("chmod ", path));
  return {};
}

}  // namespace

Status resolve_secrets(const CreateRequest& request, const ResolveContext& context,
                       ContainerConfig* config) {
  if (request.secrets.empty()) return {};
  Secrets store(*context.host);
  for (const std::string& text : request.secrets) {
    SecretRequest asked = TRY(parse_secret(text));
    SecretConfig found = TRY(store.find(asked.source));
    ContainerSecret secret;
    secret.id = found.id;
    secret.name = found.name;
    secret.env = asked.env;
    secret.target = asked.target;
    secret.uid = asked.uid;
    secret.gid = asked.gid;
    secret.mode = asked.mode;
    if (secret.env && secret.target.empty()) secret.target = asked.source;
    if (!secret.env) {
      std::string target = target_of(secret);
      for (const ContainerSecret& other : config->secrets)
        if (!other.env && target_of(other) == target)
          return Error(Errc::invalid_argument, concat(target, ": duplicate mount destination"));
      TRY(container_path(target));
      for (std::string_view kept : {"/proc", "/sys"})
        if (target == kept || target.starts_with(concat(kept, "/")))
          return Error(Errc::invalid_argument,
                       concat("secret ", secret.name, ": ", quote(target),
                              " cannot be mounted because it is inside ", kept));
    }
    config->secrets.push_back(std::move(secret));
  }
  return {};
}

void add_secret_mounts(SpecBuilder* b) {
  const std::vector<std::string> options = {"bind", "rprivate", "nosuid", "nodev", "noexec", "ro"};
  const std::string run = b->context.run_dir + "/secrets/";
  bool folder = false;
  for (std::size_t i = 0; i < b->config.secrets.size(); ++i) {
    const ContainerSecret& secret = b->config.secrets[i];
    if (secret.env) continue;
    std::string target = target_of(secret);
    if (!in_folder(b->config, target))
      b->spec.mounts.push_back({target, "bind", concat(run, i), options, {}, {}});
    else if (!std::exchange(folder, true))
      b->spec.mounts.push_back({kPlace, "bind", run + "files", options, {}, {}});
  }
}

Status copy_secrets(const ContainerConfig& config, const Host& host, const std::string& dir) {
  if (config.secrets.empty()) return {};
  Secrets store(host);
  TRY(sys::make_dir_at(sys::DirFd::cwd(), (dir + "/secrets").c_str(), 0700));
  for (std::size_t i = 0; i < config.secrets.size(); ++i) {
    const ContainerSecret& secret = config.secrets[i];
    if (secret.env) continue;
    SecretConfig found = TRY(store.find(secret.name));
    std::string data = TRY(store.data(found));
    TRY(sys::write_file(copy_of(dir, i), data, 0600));
  }
  return {};
}

Result<std::vector<std::string>> prepare_secrets(const ContainerConfig& config, const Host& host,
                                                 const std::string& container_dir,
                                                 const std::string& run_dir) {
  std::vector<std::string> env;
  if (config.secrets.empty()) return env;
  const auto cwd = sys::DirFd::cwd();
  const std::string run = run_dir + "/secrets";
  TRY(sys::remove_tree_at(cwd, run.c_str()));
  TRY(sys::make_dir_at(cwd, run.c_str(), 0700));
  const std::string files = run + "/files";
  TRY(sys::make_dir_at(cwd, files.c_str(), 0755));
  uid_t root = map_to_host(config.uid_map, 0).value_or(0);
  gid_t group = map_to_host(config.gid_map, 0).value_or(0);
  if (::chmod(files.c_str(), 0755) < 0 || ::lchown(files.c_str(), root, group) < 0)
    return Error::from_errno(errno, concat("chown ", files));
  Secrets store(host);
  std::string kept;
  for (std::size_t i = 0; i < config.secrets.size(); ++i) {
    const ContainerSecret& secret = config.secrets[i];
    if (secret.env) {
      SecretConfig found = TRY(store.find(secret.name));
      std::string data = TRY(store.data(found));
      env.push_back(concat(secret.target, "=", data));
      kept += env.back() + '\0';
      continue;
    }
    std::string data =
        TRY_CTX(sys::read_small_file(copy_of(container_dir, i)), concat("secret ", secret.name));
    std::string target = target_of(secret), path = concat(run, "/", i);
    if (in_folder(config, target)) {
      path = concat(files, "/", name_below_place(target));
      std::string above = path.substr(0, path.rfind('/'));
      TRY(sys::ensure_dirs(above, 0755));
    }
    TRY(place_file(config, secret, path, data));
  }
  // For exec.
  if (!kept.empty()) TRY(sys::write_file(run + "/env", kept, 0600));
  return env;
}

Status add_secret_env(const ContainerConfig& config, const std::string& run_dir,
                      std::vector<std::string>* env) {
  bool any = std::any_of(config.secrets.begin(), config.secrets.end(),
                         [](const ContainerSecret& secret) { return secret.env; });
  if (!any) return {};
  std::string path = run_dir + "/secrets/env";
  std::string kept = TRY(sys::read_small_file(path));
  for (std::string_view entry : split(kept, '\0'))
    if (!entry.empty()) set_env(env, entry);
  return {};
}

}  // namespace minke::engine
