#include "engine/volume.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/failpoint.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/str.h"
#include "engine/events.h"
#include "engine/parse_internal.h"
#include "sys/fd.h"

namespace minke::engine {
namespace {

constexpr std::string_view kStagingPrefix = ".new-";
// .new-PID-RANDOM, left by a create that died.
bool is_abandoned(std::string_view name) {
  if (!name.starts_with(kStagingPrefix)) return false;
  name.remove_prefix(kStagingPrefix.size());
  auto pid = parse_int(name.substr(0, name.find('-')));
  return !pid || *pid <= 0 || !sys::exists(concat("/proc/", *pid));
}

constexpr std::string_view kMountWords[] = {
    "ro",   "rw",    "exec",    "noexec",   "suid",   "nosuid",  "dev",   "nodev",
    "bind", "rbind", "private", "rprivate", "shared", "rshared", "slave", "rslave",
};

Error not_supported(std::string_view option, std::string_view why) {
  return Error(Errc::unsupported, concat("volume option ", option, " is not supported yet: ", why));
}

// Of a file system of its own: all that it is mounted with.
void parse_mount_words(std::string_view text, VolumeOptions* options) {
  for (std::string_view word : split(text, ',')) {
    if (word == "nocopy")
      options->nocopy = true;
    else if (!word.empty() && word != "noquota" && word != "copy")
      options->mount_options.emplace_back(word);
  }
}

Status parse_o(std::string_view text, VolumeOptions* options) {
  for (std::string_view word : split(text, ',')) {
    if (word.empty() || word == "noquota" || word == "copy") continue;
    if (word == "nocopy") {
      options->nocopy = true;
    } else if (word.starts_with("uid=") || word.starts_with("gid=")) {
      auto number = parse_uint(word.substr(4));
      if (!number || *number > 2147483647)
        return Error(Errc::invalid_argument,
                     concat("cannot convert ", word.substr(0, 3), " ", word.substr(4),
                            " to integer: invalid argument"));
      (word[0] == 'u' ? options->uid : options->gid) = static_cast<std::int64_t>(*number);
    } else if (word.starts_with("size=") || word.starts_with("inodes=")) {
      return Error(Errc::unsupported,
                   concat("volume option ", word,
                          ": volume options size and inodes not supported. Filesystem does not "
                          "support Project Quota: use type=tmpfs for a volume with a size"));
    } else if (std::find(std::begin(kMountWords), std::end(kMountWords), word) !=
               std::end(kMountWords)) {
      options->mount_options.emplace_back(word);
    } else {
      return not_supported(concat("o=", word),
                           "known are uid, gid, nocopy, copy, noquota and flags of bind mounts");
    }
  }
  return {};
}

}  // namespace

void bind(json::Binder& b, VolumeConfig& v) {
  b.required("name", v.name);
  b("driver", v.driver);
  b("created", v.created);
  b("labels", v.labels);
  b("options", v.options);
  b("anonymous", v.anonymous);
  b("uid", v.uid);
  b("gid", v.gid);
  b.required("needsCopyUp", v.needs_copy_up);
}

Result<VolumeOptions> parse_volume_options(const std::map<std::string, std::string>& options) {
  VolumeOptions out;
  auto given = options.find("type");
  const std::string type = given == options.end() ? "" : given->second;
  const bool is_bind = type.empty() || type == "none" || type == "bind";
  if (!is_bind) out.fs_type = type;
  for (const auto& [key, value] : options) {
    if (key == "type")
      continue;
    else if (key == "device")
      out.device = value;
    else if (key == "o" && !is_bind)
      parse_mount_words(value, &out);
    else if (key == "o")
      TRY(parse_o(value, &out));
    else if ((key == "UID" || key == "GID") && !is_bind)
      parse_mount_words(concat(to_lower(key), "=", value), &out);
    else if (key == "UID" || key == "GID")
      TRY(parse_o(concat(to_lower(key), "=", value), &out));
    else if (key == "NOQUOTA" || key == "noquota" || key == "copy")
      continue;
    else if (key == "nocopy")
      out.nocopy = true;
    else
      return Error(Errc::invalid_argument,
                   concat("running volume create option: invalid mount option ", key,
                          " for driver 'local': invalid argument"));
  }
  if (!is_bind) {
    if (out.device.empty()) out.device = type;
    return out;
  }
  if (!out.device.empty() && !out.device.starts_with('/'))
    return Error(Errc::invalid_argument,
                 concat("volume option device=", out.device, ": must be an absolute path"));
  if (!type.empty() && out.device.empty())
    return Error(Errc::invalid_argument,
                 concat("volume option type=", type, " needs device=/PATH"));
  return out;
}

Status check_volume_name(std::string_view name) {
  auto alnum = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  bool right = !name.empty() && name.size() <= 255 && alnum(name[0]);
  for (char c : name) right = right && (alnum(c) || c == '_' || c == '.' || c == '-');
  if (right) return {};
  return Error(Errc::invalid_argument,
               "running volume create option: names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*: invalid "
               "argument");
}

Volumes::Volumes(const Host& host) : host_(host) {}

std::string Volumes::dir(std::string_view name) const { return concat(host_.volumes, "/", name); }
std::string Volumes::mountpoint(const std::string& name) const { return dir(name) + "/_data"; }
std::string Volumes::lock_path(const std::string& name) const {
  return concat(host_.runroot, "/volumes/", name, "/lock");
}

Result<VolumeConfig> Volumes::create(const Create& request) const {
  if (!request.driver.empty() && request.driver != "local")
    return Error(Errc::unsupported, concat("volume driver ", quote(request.driver),
                                           " is not supported yet: known is local"));
  VolumeConfig volume;
  volume.name = request.name.empty() ? random_hex(32) : request.name;
  TRY(check_volume_name(volume.name));
  VolumeOptions options = TRY(parse_volume_options(request.options));
  volume.created = now();
  volume.labels = request.labels;
  volume.options = request.options;
  volume.anonymous = request.anonymous;
  volume.uid = std::max<std::int64_t>({request.uid, options.uid, 0});
  volume.gid = std::max<std::int64_t>({request.gid, options.gid, 0});
  volume.needs_copy_up = options.device.empty() && options.fs_type.empty() && !options.nocopy;

  // The rename is the commit: a volume of that name is whole or not there. 0711 as the folders
  // above _data hold nothing to read for others, while a container's own users must get through.
  const auto cwd = sys::DirFd::cwd();
  const std::string final_dir = dir(volume.name);
  const std::string staging = dir(concat(kStagingPrefix, ::getpid(), "-", random_hex(8)));
  Status made = sys::make_dir_at(cwd, staging.c_str(), 0711);
  if (!made && made.error().code() == Errc::not_found) {
    TRY(sys::ensure_dirs(host_.volumes, 0711));
    made = sys::make_dir_at(cwd, staging.c_str(), 0711);
  }
  if (!made) return std::move(made.error());
  failpoint("engine.volume", 1);  // staged, empty
  Rollback undo;
  undo.add([&] {
    ignore(sys::remove_tree_at(sys::DirFd::cwd(), staging.c_str()), "list() removes old ones");
  });
  const std::string data = staging + "/_data";
  TRY(sys::make_dir_at(cwd, data.c_str(), 0755));
  if (::chmod(data.c_str(), 0755) < 0) return Error::from_errno(errno, concat("chmod ", data));
  if ((volume.uid != 0 || volume.gid != 0) &&
      ::lchown(data.c_str(), static_cast<uid_t>(volume.uid), static_cast<gid_t>(volume.gid)) < 0)
    return Error::from_errno(errno, concat("chown ", data));
  // An anonymous one goes with its container, which a power cut may take as well.
  TRY(sys::write_file(staging + "/config.json", json::dump_struct(volume), 0600,
                      volume.anonymous ? sys::Durability::none : sys::Durability::data));
  failpoint("engine.volume", 2);  // staged whole
  Status renamed = sys::rename_at(cwd, staging.c_str(), cwd, final_dir.c_str(), RENAME_NOREPLACE);
  failpoint("engine.volume", 3);  // it exists
  if (!renamed) {
    if (renamed.error().code() != Errc::already_exists) return std::move(renamed.error());
    if (request.ignore_existing) return load(volume.name);
    return Error(Errc::already_exists, concat("volume with name ", volume.name,
                                              " already exists: volume already exists"));
  }
  undo.dismiss();
  if (!volume.anonymous)
    if (auto folder = sys::open_dir(host_.volumes)) TRY(sys::fsync_dir(*folder));
  emit_volume(host_, "create", volume.name);
  return volume;
}

Result<VolumeConfig> Volumes::load(const std::string& name) const {
  const std::string path = dir(name) + "/config.json";
  std::string text = TRY(sys::read_small_file(path, 1 << 20));
  auto parsed = json::parse_struct<VolumeConfig>(text);
  if (!parsed) return std::move(parsed.error()).wrap(path).as(Errc::corrupt);
  VolumeConfig volume = std::move(*parsed);
  volume.name = name;
  return volume;
}

Result<VolumeConfig> Volumes::find(std::string_view name) const {
  auto missing = [&] {
    return Error(Errc::not_found,
                 concat("no volume with name ", quote(name), " found: no such volume"));
  };
  if (!check_volume_name(name)) return missing();
  auto exact = load(std::string(name));
  if (exact || exact.error().code() != Errc::not_found) return exact;
  auto folder = sys::open_dir(host_.volumes);
  if (!folder) return missing();
  std::vector<std::string> hits;
  for (const std::string& other : TRY(sys::list_dir(*folder)))
    if (other.starts_with(name)) hits.push_back(other);
  if (hits.empty()) return missing();
  if (hits.size() > 1)
    return Error(Errc::conflict, concat("more than one result for volume name ", quote(name),
                                        ": volume already exists"));
  return load(hits[0]);
}

Result<std::vector<VolumeConfig>> Volumes::list() const {
  std::vector<VolumeConfig> volumes;
  auto folder = sys::open_dir(host_.volumes);
  if (!folder) {
    if (folder.error().code() == Errc::not_found) return volumes;
    return std::move(folder.error());
  }
  for (const std::string& name : TRY(sys::list_dir(*folder))) {
    if (name.starts_with('.')) {
      if (is_abandoned(name))
        ignore(sys::remove_tree_at(*folder, name.c_str()), "tried again by the next listing");
      continue;
    }
    auto volume = load(name);
    if (volume)
      volumes.push_back(std::move(*volume));
    else if (volume.error().code() != Errc::not_found)  // else removed meanwhile
      // One that cannot be read does not hide the others.
      log::error(concat("volume ", name, ": ", volume.error().message()));
  }
  return volumes;
}

Status Volumes::remove(const std::string& name) const {
  TRY(check_volume_name(name));
  const auto cwd = sys::DirFd::cwd();
  TRY(sys::ensure_dirs(host_.root + "/trash", 0700));
  // Gone by name at once; the rest is then nobody's.
  std::string trash = concat(host_.root, "/trash/volume-", random_hex(8));
  Status moved = sys::rename_at(cwd, dir(name).c_str(), cwd, trash.c_str());
  if (!moved && moved.error().sys() == EXDEV) {
    // --volumepath is another file system: the next listing removes what is left of it there.
    trash = dir(concat(kStagingPrefix, ::getpid(), "-", random_hex(8)));
    moved = sys::rename_at(cwd, dir(name).c_str(), cwd, trash.c_str());
  }
  TRY(std::move(moved));
  return sys::remove_tree_at(cwd, trash.c_str());
}

Status Volumes::mark_copied(const std::string& name) const {
  VolumeConfig volume = TRY(load(name));
  if (!volume.needs_copy_up) return {};
  volume.needs_copy_up = false;
  return sys::write_file(dir(name) + "/config.json", json::dump_struct(volume), 0600,
                         sys::Durability::data);
}

}  // namespace minke::engine
