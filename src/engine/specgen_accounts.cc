// /etc/passwd and /etc/group of a container: found without a mount in the usual case, and completed
// for users that the image does not know.
#include <pwd.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>

#include "base/str.h"
#include "engine/specgen_internal.h"
#include "sys/fd.h"

namespace minke::engine {
namespace {

// Where a name below /etc comes from in a stack of layers. `unclear`: links, whiteouts or opaque
// folders are in play, so that only a real overlay mount can tell.
enum class Found { here, nowhere, unclear };

bool hides_lower(const std::string& etc, bool userxattr) {
  const char* opaque = userxattr ? "user.overlay.opaque" : "trusted.overlay.opaque";
  const char* redirect = userxattr ? "user.overlay.redirect" : "trusted.overlay.redirect";
  char value[8];
  return ::lgetxattr(etc.c_str(), opaque, value, sizeof value) >= 0 || errno == ERANGE ||
         ::lgetxattr(etc.c_str(), redirect, nullptr, 0) >= 0;
}

Found find_in_layers(const std::vector<std::string>& layers, const char* name, bool userxattr,
                     std::string* path) {
  for (const std::string& layer : layers) {
    std::string etc = layer + "/etc";
    struct stat st {};
    if (::lstat(etc.c_str(), &st) < 0) {
      if (errno == ENOENT) continue;
      return Found::unclear;
    }
    if (!S_ISDIR(st.st_mode)) return Found::unclear;
    std::string file = concat(etc, "/", name);
    if (::lstat(file.c_str(), &st) == 0) {
      if (!S_ISREG(st.st_mode)) return Found::unclear;
      *path = std::move(file);
      return Found::here;
    }
    if (errno != ENOENT || hides_lower(etc, userxattr)) return Found::unclear;
  }
  return Found::nowhere;
}

// The user's own mount at /etc/NAME, or one of /etc that holds it.
std::optional<std::string> mounted_over(const ContainerConfig& config, const char* name,
                                        bool* exact) {
  std::optional<std::string> source;
  for (const ResolvedMount& mount : config.mounts) {
    if (mount.destination == concat("/etc/", name)) {
      *exact = true;
      return mount.source;
    }
    if (mount.destination == "/etc" && mount.type != "tmpfs")
      source = concat(mount.source, "/", name);
  }
  return source;
}

const passwd* host_user(const std::string& name) {
  auto uid = parse_uint(name);
  return uid ? ::getpwuid(static_cast<uid_t>(*uid)) : ::getpwnam(name.c_str());
}

// $USERNAME, $UID, $GID, $NAME, $HOME of --passwd-entry, $GROUPNAME and $GID of --group-entry.
std::string fill_template(std::string text,
                          std::initializer_list<std::pair<std::string_view, std::string>> values) {
  for (const auto& [name, value] : values)
    for (std::size_t at = 0; (at = text.find(name, at)) != std::string::npos; at += value.size())
      text.replace(at, name.size(), value);
  return text + "\n";
}

void append_lines(std::string* text, const std::string& lines) {
  if (!text->empty() && text->back() != '\n') *text += '\n';
  *text += lines;
}

}  // namespace

Result<Accounts> read_accounts(const ContainerConfig& config, const Host& host,
                               const std::string& upper) {
  Accounts accounts;
  sys::UniqueFd view;
  std::vector<std::string> layers;
  if (config.rootfs.empty()) {
    layers.push_back(upper);
    layers.insert(layers.end(), config.lower.begin(), config.lower.end());
  }
  struct File {
    const char* name;
    std::string* text;
    bool* mounted;
  };
  for (const File& file : {File{"passwd", &accounts.passwd, &accounts.passwd_mounted},
                           File{"group", &accounts.group, &accounts.group_mounted}}) {
    if (auto source = mounted_over(config, file.name, file.mounted)) {
      *file.text = read_account_file(*source);
      continue;
    }
    std::string path;
    Found found = config.rootfs.empty() ? find_in_layers(layers, file.name, host.rootless, &path)
                                        : Found::unclear;
    if (found == Found::here) *file.text = read_account_file(path);
    if (found != Found::unclear) continue;
    if (!view) view = TRY(open_rootfs_view(config, host, upper));
    *file.text = read_account_file(view.get(), concat("etc/", file.name).c_str());
  }
  return accounts;
}

// The home that a user of the host has in the container: his own where something is mounted there.
static std::string home_inside(const ContainerConfig& config, std::string home) {
  for (std::string place = home; place.size() > 1; place.resize(place.rfind('/')))
    for (const ResolvedMount& mount : config.mounts)
      if (mount.destination == place) return home;
  return config.workdir;
}

Result<AccountFiles> make_account_files(const ContainerConfig& config, const Host& host,
                                        const Accounts& accounts, const ResolvedUser& user) {
  const CreateRequest& request = config.request;
  AccountFiles files;
  if (!request.passwd) return files;
  std::string users, groups;
  std::vector<std::string> added;
  auto knows = [&](std::string_view name, std::uint32_t uid) {
    if (std::find(added.begin(), added.end(), name) != added.end()) return true;
    for (const PasswdEntry& entry : parse_passwd(accounts.passwd))
      if (entry.name == name || entry.uid == uid) return true;
    return false;
  };
  for (const std::string& name : request.host_users) {
    const passwd* entry = host_user(name);
    if (entry == nullptr) return Error(Errc::not_found, concat("user: unknown user ", name));
    if (knows(entry->pw_name, entry->pw_uid)) continue;
    users += concat(entry->pw_name, ":*:", entry->pw_uid, ":", entry->pw_gid, ":", entry->pw_gecos,
                    ":", home_inside(config, entry->pw_dir), ":/bin/sh\n");
    added.emplace_back(entry->pw_name);
  }
  // keep-id makes the caller himself known inside.
  const bool keep_id = config.userns_mode == "keep-id" && !user.in_passwd && user.uid != 0;
  const std::string name =
      keep_id && !knows(host.user_name, user.uid) ? host.user_name : concat(user.uid);
  if (!user.in_passwd && user.uid != 0 && !knows(name, user.uid)) {
    if (!request.passwd_entry.empty())
      users += fill_template(request.passwd_entry, {{"$USERNAME", name},
                                                    {"$UID", concat(user.uid)},
                                                    {"$GID", concat(user.gid)},
                                                    {"$NAME", "container user"},
                                                    {"$HOME", config.workdir}});
    else
      users += concat(name, ":*:", user.uid, ":", user.gid, ":", keep_id ? "" : "container user",
                      ":", config.workdir, ":/bin/sh\n");
  }
  if (!user.in_group && user.gid != 0) {
    if (!request.group_entry.empty())
      groups += fill_template(
          request.group_entry,
          {{"$GROUPNAME", concat(user.gid)}, {"$GID", concat(user.gid)}, {"$USERLIST", name}});
    else
      groups += concat(keep_id ? name : concat(user.gid), ":x:", user.gid, ":",
                       user.in_passwd ? user.name : name, "\n");
  }
  if (!users.empty() && !accounts.passwd_mounted && !accounts.passwd.empty()) {
    files.passwd = accounts.passwd;
    append_lines(&*files.passwd, users);
  }
  if (!groups.empty() && !accounts.group_mounted && !accounts.group.empty()) {
    files.group = accounts.group;
    append_lines(&*files.group, groups);
  }
  return files;
}

}  // namespace minke::engine
