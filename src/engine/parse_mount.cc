// -v, --mount and --tmpfs.
#include <glob.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "base/str.h"
#include "engine/parse.h"
#include "engine/parse_internal.h"

namespace minke::engine {

std::string go_reason(int err) {
  std::string text = ::strerror(err);
  if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z')
    text[0] = static_cast<char>(text[0] + ('a' - 'A'));
  return text;
}

std::string clean_path(std::string_view path) {
  const bool rooted = path.starts_with('/');
  std::vector<std::string_view> kept;
  for (std::string_view part : split(path, '/')) {
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      if (!kept.empty() && kept.back() != "..") {
        kept.pop_back();
        continue;
      }
      if (rooted) continue;
    }
    kept.push_back(part);
  }
  std::string out = rooted ? "/" : "";
  for (std::string_view part : kept) {
    if (!out.empty() && out.back() != '/') out += '/';
    out += part;
  }
  return out.empty() ? "." : out;
}

Result<std::string> container_path(std::string_view path) {
  if (path.empty()) return Error(Errc::invalid_argument, "container directory cannot be empty");
  if (path[0] != '/')
    return Error(Errc::invalid_argument,
                 concat("invalid container path ", quote(path), ", must be an absolute path"));
  std::string clean = clean_path(path);
  if (clean == "/")
    return Error(Errc::invalid_argument,
                 "invalid container path \"/\", the root cannot be mounted over");
  return clean;
}

static std::string absolute(std::string_view path) {
  if (path.starts_with('/')) return clean_path(path);
  char* cwd = ::getcwd(nullptr, 0);
  std::string out = clean_path(concat(cwd != nullptr ? cwd : "/", "/", path));
  ::free(cwd);
  return out;
}

// Options of which one of a group may be given; the text stands in Podman's error.
struct OptionGroup {
  std::string_view text;
  std::vector<std::string_view> names;
};
static const std::vector<OptionGroup>& option_groups() {
  static const std::vector<OptionGroup> groups = {
      {"'rw' or 'ro'", {"rw", "ro"}},
      {"'z', 'Z', or 'O'", {"z", "Z", "O"}},
      {"'U'", {"U"}},
      {"'[r]shared', '[r]private', '[r]slave' or '[r]unbindable'",
       {"shared", "rshared", "private", "rprivate", "slave", "rslave", "unbindable",
        "runbindable"}},
      {"'[r]bind'", {"bind", "rbind"}},
      {"'noexec' or 'exec'", {"exec", "noexec"}},
      {"'nodev' or 'dev'", {"dev", "nodev"}},
      {"'nosuid' or 'suid'", {"suid", "nosuid"}},
      {"'nocopy' or 'copy'", {"copy", "nocopy"}},
      {"'idmap'", {"idmap"}},
  };
  return groups;
}

Status check_volume_options(const std::vector<std::string>& options) {
  std::vector<std::string> seen(option_groups().size());
  for (const std::string& option : options) {
    std::string_view name = option;
    if (name.starts_with("idmap=")) name = "idmap";
    bool known = false;
    for (std::string_view key : {"upperdir", "workdir"}) {
      if (!name.starts_with(concat(key, "="))) continue;
      known = true;
      if (std::count_if(options.begin(), options.end(), [&](const std::string& other) {
            return other.starts_with(concat(key, "="));
          }) > 1)
        return Error(Errc::invalid_argument, concat("invalid options ", quote(option),
                                                    ", can only specify 1 ", key, " per overlay"));
    }
    for (std::size_t i = 0; i < option_groups().size() && !known; ++i) {
      const OptionGroup& group = option_groups()[i];
      if (std::find(group.names.begin(), group.names.end(), name) == group.names.end()) continue;
      known = true;
      if (!seen[i].empty())
        return Error(Errc::invalid_argument,
                     concat("invalid options ", quote(seen[i] + ", " + option),
                            ", can only specify 1 ", group.text, " option"));
      seen[i] = option;
    }
    if (!known) return Error(Errc::invalid_argument, concat("invalid option type ", quote(option)));
  }
  auto beside_overlay = [](std::string_view name) {
    return name == "O" || name == "U" || name.starts_with("upperdir=") ||
           name.starts_with("workdir=");
  };
  if (std::find(options.begin(), options.end(), "O") != options.end() &&
      !std::all_of(options.begin(), options.end(), beside_overlay))
    return Error(Errc::invalid_argument, "can't use 'O' with other options");
  return {};
}

// Splits at colons that no backslash protects.
static std::vector<std::string> split_volume(std::string_view text) {
  std::vector<std::string> parts(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size() && text[i + 1] == ':')
      parts.back() += text[++i];
    else if (text[i] == ':')
      parts.emplace_back();
    else
      parts.back() += text[i];
  }
  return parts;
}

static std::vector<std::string> split_options(std::string_view text) {
  std::vector<std::string> options;
  for (std::string_view option : split(text, ','))
    if (!option.empty()) options.emplace_back(option);
  return options;
}

Result<MountRequest> parse_volume(std::string_view text) {
  std::vector<std::string> parts = split_volume(text);
  if (parts.size() > 3)
    return Error(Errc::invalid_argument,
                 concat(text, ": incorrect volume format, should be [host-dir:]ctr-dir[:option]"));
  MountRequest mount;
  mount.type = "volume";
  if (parts.size() > 1) {
    if (parts[0].empty()) return Error(Errc::invalid_argument, "host directory cannot be empty");
    mount.source = parts[0];
    if (mount.source[0] == '/' || mount.source[0] == '.') {
      mount.type = "bind";
      mount.source = absolute(mount.source);
    }
  }
  mount.destination = TRY(container_path(parts.size() > 1 ? parts[1] : parts[0]));
  if (parts.size() == 3) {
    mount.options = split_options(parts[2]);
    TRY(check_volume_options(mount.options));
  }
  return mount;
}

Result<MountRequest> parse_tmpfs(std::string_view text) {
  MountRequest mount;
  mount.type = "tmpfs";
  auto pair = split_once(text, ':');
  mount.destination = TRY(container_path(pair ? pair->first : text));
  if (pair) mount.options = split_options(pair->second);
  return mount;
}

// Fields of a --mount text: comma separated, a field in double quotes may hold commas ("" is a
// quote), as CSV.
static Result<std::vector<std::string>> split_csv(std::string_view text) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (quoted && c == '"' && i + 1 < text.size() && text[i + 1] == '"') {
      fields.back() += '"';
      ++i;
    } else if (c == '"' && (quoted || fields.back().empty())) {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  if (quoted)
    return Error(Errc::invalid_argument,
                 concat("parsing --mount ", quote(text), ": a quote is not closed"));
  return fields;
}

enum : unsigned {
  kBind = 1,
  kVolume = 2,
  kTmpfs = 4,
  kRamfs = 8,
  kDevpts = 16,
  kImage = 32,
  kGlob = 64,
  kTree = kBind | kGlob,
  kUsual = kTree | kVolume | kTmpfs | kRamfs,
  kAll = 127
};
struct MountType {
  std::string_view name;
  unsigned type;
};
static constexpr MountType kMountTypes[] = {
    {"bind", kBind},     {"volume", kVolume}, {"tmpfs", kTmpfs}, {"ramfs", kRamfs},
    {"devpts", kDevpts}, {"image", kImage},   {"glob", kGlob}};

// What a key of --mount becomes: how its value is read, and for which types it is known.
enum class KeyKind {
  source,
  target,
  flag,
  negated_flag,
  value,
  propagation,
  relabel,
  idmap,
  subpath,
  writable,
  volume_opt,
  ignored
};
struct MountKey {
  std::string_view name;
  unsigned types;
  KeyKind kind;
  std::string_view option;  // of flag, value: the mount option that it becomes
};
static constexpr MountKey kMountKeys[] = {
    {"src", kTree | kVolume | kImage, KeyKind::source, ""},
    {"source", kTree | kVolume | kImage, KeyKind::source, ""},
    {"target", kAll, KeyKind::target, ""},
    {"dst", kAll, KeyKind::target, ""},
    {"destination", kAll, KeyKind::target, ""},
    {"ro", kUsual, KeyKind::flag, "ro"},
    {"readonly", kUsual, KeyKind::flag, "ro"},
    {"rw", kUsual, KeyKind::negated_flag, "ro"},
    {"rw", kImage, KeyKind::writable, ""},
    {"readwrite", kImage, KeyKind::writable, ""},
    {"nosuid", kUsual, KeyKind::flag, "nosuid"},
    {"suid", kUsual, KeyKind::flag, "suid"},
    {"nodev", kUsual, KeyKind::flag, "nodev"},
    {"dev", kUsual, KeyKind::flag, "dev"},
    {"noexec", kUsual, KeyKind::flag, "noexec"},
    {"exec", kUsual, KeyKind::flag, "exec"},
    {"bind-nonrecursive", kTree, KeyKind::flag, "bind"},
    {"shared", kTree, KeyKind::flag, "shared"},
    {"rshared", kTree, KeyKind::flag, "rshared"},
    {"private", kTree, KeyKind::flag, "private"},
    {"rprivate", kTree, KeyKind::flag, "rprivate"},
    {"slave", kTree, KeyKind::flag, "slave"},
    {"rslave", kTree, KeyKind::flag, "rslave"},
    {"unbindable", kTree, KeyKind::flag, "unbindable"},
    {"runbindable", kTree, KeyKind::flag, "runbindable"},
    {"bind-propagation", kTree, KeyKind::propagation, ""},
    {"relabel", kTree, KeyKind::relabel, ""},
    {"U", kUsual, KeyKind::flag, "U"},
    {"chown", kUsual, KeyKind::flag, "U"},
    {"idmap", kTree | kVolume, KeyKind::idmap, ""},
    {"nocopy", kVolume, KeyKind::flag, "nocopy"},
    {"volume-nocopy", kVolume, KeyKind::flag, "nocopy"},
    {"subpath", kVolume | kImage, KeyKind::subpath, ""},
    {"volume-subpath", kVolume, KeyKind::subpath, ""},
    {"volume-opt", kVolume, KeyKind::volume_opt, ""},
    {"O", kTree | kVolume, KeyKind::flag, "O"},
    {"upperdir", kTree | kVolume, KeyKind::value, "upperdir"},
    {"workdir", kTree | kVolume, KeyKind::value, "workdir"},
    {"z", kTree | kVolume, KeyKind::flag, "z"},
    {"Z", kTree | kVolume, KeyKind::flag, "Z"},
    {"tmpcopyup", kTmpfs, KeyKind::flag, "tmpcopyup"},
    {"notmpcopyup", kTmpfs, KeyKind::flag, "notmpcopyup"},
    {"tmpfs-size", kTmpfs, KeyKind::value, "size"},
    {"tmpfs-mode", kTmpfs | kRamfs, KeyKind::value, "mode"},
    {"uid", kDevpts, KeyKind::value, "uid"},
    {"gid", kDevpts, KeyKind::value, "gid"},
    {"mode", kDevpts, KeyKind::value, "mode"},
    {"ptxmode", kDevpts, KeyKind::value, "ptmxmode"},
    {"max", kDevpts, KeyKind::value, "max"},
    {"newinstance", kDevpts, KeyKind::flag, "newinstance"},
    {"consistency", kAll, KeyKind::ignored,
     ""},  // Docker's option for other systems; Docker ignores it here too
};

static const MountKey* find_mount_key(std::string_view name, unsigned type) {
  for (const MountKey& key : kMountKeys)
    if (key.name == name && (key.types & type) != 0) return &key;
  return nullptr;
}

static Result<bool> flag_value(std::string_view name,
                               const std::optional<std::string_view>& value) {
  if (!value) return true;
  auto on = parse_bool(*value);
  if (!on)
    return Error(Errc::invalid_argument,
                 concat("mount option ", name, ": strconv.ParseBool: parsing ", quote(*value),
                        ": invalid syntax"));
  return *on;
}

static Status apply_mount_key(const MountKey& key, const std::optional<std::string_view>& value,
                              MountRequest* mount) {
  switch (key.kind) {
    case KeyKind::source:
      if (!value || value->empty())
        return Error(Errc::invalid_argument, "host directory cannot be empty");
      mount->source = *value;
      return {};
    case KeyKind::target:
      mount->destination = TRY(container_path(value ? *value : std::string_view()));
      return {};
    case KeyKind::flag:
    case KeyKind::negated_flag: {
      bool on = TRY(flag_value(key.name, value));
      if (key.kind == KeyKind::negated_flag) on = !on;
      if (on)
        mount->options.emplace_back(key.option);
      else if (key.option == "ro")
        mount->options.emplace_back("rw");
      return {};
    }
    case KeyKind::value:
      if (!value || value->empty())
        return Error(Errc::invalid_argument,
                     concat("mount option ", quote(key.name), " needs a value"));
      mount->options.push_back(concat(key.option, "=", *value));
      return {};
    case KeyKind::propagation:
      if (!value || find_mount_key(*value, kBind) == nullptr ||
          option_groups()[3].names.end() ==
              std::find(option_groups()[3].names.begin(), option_groups()[3].names.end(), *value))
        return Error(Errc::invalid_argument,
                     concat("bind-propagation ", quote(value ? *value : std::string_view()),
                            ": invalid mount option"));
      mount->options.emplace_back(*value);
      return {};
    case KeyKind::relabel:
      if (value != "shared" && value != "private")
        return Error(Errc::invalid_argument,
                     concat(key.name, " mount option must be 'private' or 'shared'"));
      mount->options.emplace_back(value == "shared" ? "z" : "Z");
      return {};
    case KeyKind::idmap:
      mount->options.push_back(value ? concat("idmap=", *value) : "idmap");
      return {};
    case KeyKind::subpath:
      mount->subpath = value ? *value : std::string_view();
      // Of an image it is often written as the image has it.
      if (mount->type == "image" && mount->subpath.starts_with('/')) mount->subpath.erase(0, 1);
      if (mount->subpath.empty() || mount->subpath[0] == '/' ||
          clean_path(mount->subpath).starts_with(".."))
        return Error(Errc::invalid_argument,
                     concat("mount option ", key.name, "=", mount->subpath,
                            ": must be a path below the volume: invalid mount option"));
      return {};
    case KeyKind::writable:
      mount->options.emplace_back(TRY(flag_value(key.name, value)) ? "rw" : "ro");
      return {};
    case KeyKind::volume_opt: {
      std::string_view text = value ? *value : std::string_view();
      std::size_t equals = text.find('=');
      bool has_value = equals != std::string_view::npos;
      std::string name(text.substr(0, equals));
      std::string_view given = has_value ? text.substr(equals + 1) : std::string_view();
      if (name.empty())
        return Error(Errc::invalid_argument,
                     concat("mount option ", quote(key.name), " needs a value"));
      // As `volume create -o o=a -o o=b` would not: compose gives one option at a time.
      std::string& option = mount->volume_options[name];
      if (name == "o" && !option.empty() && has_value) option += ",";
      if (name == "o")
        option += given;
      else
        option = given;
      return {};
    }
    case KeyKind::ignored:
      return {};
  }
  return {};
}

Result<MountRequest> parse_mount(std::string_view text) {
  static constexpr std::string_view kNotYet[] = {"artifact", "npipe"};
  std::vector<std::string> fields = TRY(split_csv(text));
  MountRequest mount;
  mount.type = "volume";
  for (const std::string& field : fields)
    if (field.starts_with("type=")) mount.type = field.substr(5);
  unsigned type = 0;
  for (const MountType& known : kMountTypes)
    if (known.name == mount.type) type = known.type;
  if (type == 0) {
    if (std::find(std::begin(kNotYet), std::end(kNotYet), mount.type) != std::end(kNotYet))
      return Error(Errc::unsupported,
                   concat("mount type ", quote(mount.type), " is not supported yet"));
    return Error(Errc::invalid_argument, concat("invalid filesystem type ", quote(mount.type)));
  }
  for (const std::string& field : fields) {
    if (field.starts_with("type=")) continue;
    auto pair = split_once(field, '=');
    std::string_view name = pair ? pair->first : std::string_view(field);
    const MountKey* key = find_mount_key(name, type);
    if (key == nullptr && type == kTmpfs && (name == "src" || name == "source"))
      return Error(Errc::invalid_argument,
                   "\"source\" option not supported with \"tmpfs\" mount types");
    if (key == nullptr)
      return Error(Errc::invalid_argument, concat(name, ": invalid mount option"));
    std::optional<std::string_view> value;
    if (pair) value = pair->second;
    TRY(apply_mount_key(*key, value, &mount));
  }
  // A glob alone: each path where it is on the host.
  if (mount.destination.empty() && type != kGlob)
    return Error(Errc::invalid_argument, "must set volume destination");
  if (type == kBind)
    mount.source = absolute(mount.source.empty() ? mount.destination : mount.source);
  if ((type & (kTree | kVolume)) != 0) TRY(check_volume_options(mount.options));
  return mount;
}

Result<std::vector<MountRequest>> expand_glob(MountRequest mount) {
  std::vector<MountRequest> out;
  if (mount.type != "glob") {
    out.push_back(std::move(mount));
    return out;
  }
  if (mount.source.empty()) return Error(Errc::invalid_argument, "must set source volume");
  glob_t found{};
  int fault = ::glob(mount.source.c_str(), GLOB_NOSORT, nullptr, &found);
  for (std::size_t i = 0; fault == 0 && i < found.gl_pathc; ++i) {
    MountRequest one = mount;
    one.type = "bind";
    one.source = absolute(found.gl_pathv[i]);
    std::string_view name = std::string_view(one.source).substr(one.source.rfind('/') + 1);
    one.destination = TRY(container_path(
        mount.destination.empty() ? one.source : concat(mount.destination, "/", name)));
    out.push_back(std::move(one));
  }
  ::globfree(&found);
  if (out.empty())
    return Error(Errc::not_found, concat("no file paths matching glob ", quote(mount.source)));
  return out;
}

}  // namespace minke::engine
