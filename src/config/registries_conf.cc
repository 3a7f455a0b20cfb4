#include "config/registries_conf.h"

#include <algorithm>
#include <cstdlib>

#include "base/str.h"
#include "config/toml_file.h"
#include "sys/fd.h"
#include "sys/lock.h"

namespace minke::config {
namespace {

using Strings = std::vector<std::string>;
using Kind = TomlNode::Kind;

constexpr const char* kDockerHub = "docker.io";

std::string env_of(const char* name) {
  const char* value = ::getenv(name);
  return value != nullptr ? value : "";
}

// One file while it is read over what others said.
class Reader {
 public:
  Reader(const std::string& path, RegistriesConf* conf, Strings* notes)
      : path_(path), conf_(*conf), notes_(notes) {}

  Status file(const TomlNode& top) {
    for (const TomlNode& entry : top.items) TRY(top_level(entry));
    return {};
  }

 private:
  std::string at(const TomlNode& node, std::string_view within = "") const {
    return concat(path_, ":", node.line, ": ", within, within.empty() ? "" : ".",
                  one_line(node.key));
  }
  Error fault(const TomlNode& node, std::string_view within, std::string_view what) const {
    return {Errc::invalid_argument, concat(at(node, within), ": ", what)};
  }
  void unknown(const TomlNode& node, std::string_view within = "") {
    if (notes_ != nullptr) notes_->push_back(concat(at(node, within), ": no effect: not known"));
  }

  Result<std::string> text(const TomlNode& node, std::string_view within) const {
    if (node.kind != Kind::string)
      return fault(node, within, concat("must be a string, is ", node.type()));
    return node.text;
  }
  Result<bool> flag(const TomlNode& node, std::string_view within) const {
    if (node.kind != Kind::boolean)
      return fault(node, within, concat("must be true or false, is ", node.type()));
    return node.flag;
  }
  Result<Strings> strings(const TomlNode& node, std::string_view within) const {
    if (node.kind != Kind::list)
      return fault(node, within, concat("must be a list of strings, is ", node.type()));
    Strings out;
    for (const TomlNode& item : node.items) {
      if (item.kind != Kind::string)
        return fault(node, within, concat("must be a list of strings, has ", item.type()));
      out.push_back(item.text);
    }
    return out;
  }

  // "host[:port][/path]" without a scheme and without a slash at its end.
  Result<std::string> location(const TomlNode& node, std::string_view within) const {
    std::string value = TRY(text(node, within));
    while (value.ends_with('/')) value.pop_back();
    if (value.find("://") != std::string::npos)
      return fault(node, within, concat(quote(value), ": is a host, and has no scheme"));
    std::size_t slash = value.find('/');
    std::string_view path =
        slash == std::string::npos ? std::string_view() : std::string_view(value).substr(slash);
    if (value.find('@') != std::string::npos || path.find(':') != std::string_view::npos)
      return fault(node, within, concat(quote(value), ": a tag or a digest is not supported here"));
    for (char c : value)
      if (static_cast<unsigned char>(c) <= ' ' || c == 0x7f)
        return fault(node, within, concat(quote(value), ": has a blank or a control character"));
    if (value.starts_with('/')) return fault(node, within, concat(quote(value), ": has no host"));
    return value;
  }

  Status top_level(const TomlNode& entry) {
    if (entry.key == "unqualified-search-registries") return search_list(entry);
    if (entry.key == "credential-helpers") {
      conf_.credential_helpers = TRY(strings(entry, ""));
      return {};
    }
    if (entry.key == "short-name-mode") return short_name_mode(entry);
    if (entry.key == "aliases") return aliases(entry);
    if (entry.key == "registry") return registries(entry);
    if (entry.key == "registries" && entry.kind == Kind::table)
      return fault(entry, "",
                   "the first version of this format is not read: use "
                   "unqualified-search-registries and [[registry]]");
    unknown(entry);
    return {};
  }

  Status search_list(const TomlNode& entry) {
    Strings list = TRY(strings(entry, ""));
    for (std::string& host : list) {
      while (host.ends_with('/')) host.pop_back();
      if (host.empty() || host.find("://") != std::string::npos ||
          host.find_first_of(" \t*@") != std::string::npos)
        return fault(entry, "", concat(quote(host), " is no registry"));
    }
    conf_.unqualified_search = std::move(list);
    return {};
  }

  Status short_name_mode(const TomlNode& entry) {
    std::string mode = TRY(text(entry, ""));
    if (mode == "enforcing")
      conf_.short_name_mode = ShortNameMode::enforcing;
    else if (mode == "permissive" || mode.empty())
      conf_.short_name_mode = ShortNameMode::permissive;
    else if (mode == "disabled")
      conf_.short_name_mode = ShortNameMode::disabled;
    else
      return fault(entry, "",
                   concat("must be enforcing, permissive or disabled, is ", quote(mode)));
    return {};
  }

  Status aliases(const TomlNode& table) {
    if (table.kind != Kind::table)
      return fault(table, "", concat("must be a table, is ", table.type()));
    for (const TomlNode& entry : table.items) {
      std::string value = TRY(text(entry, "aliases"));
      TRY(check_alias(entry));
      if (value.empty()) {
        conf_.aliases.erase(entry.key);  // as Podman: an empty one takes an earlier one away
      } else {
        conf_.aliases[entry.key] = std::move(value);
        conf_.alias_files[entry.key] = path_;
      }
    }
    return {};
  }

  Status check_alias(const TomlNode& entry) const {
    std::string_view first = std::string_view(entry.key).substr(0, entry.key.find('/'));
    bool has_slash = first.size() < entry.key.size();
    if (entry.key.empty() || entry.key.find_first_of(":@ ") != std::string::npos ||
        (has_slash && (first.find('.') != std::string_view::npos || first == "localhost")))
      return fault(entry, "aliases", "must be a short name without registry, tag and digest");
    if (entry.text.empty()) return {};
    std::size_t slash = entry.text.find('/');
    std::string_view host = std::string_view(entry.text).substr(0, slash);
    std::string_view rest =
        slash == std::string::npos ? "" : std::string_view(entry.text).substr(slash + 1);
    if (rest.empty() || rest.find_first_of(":@ ") != std::string_view::npos ||
        (host.find_first_of(".:") == std::string_view::npos && host != "localhost"))
      return fault(entry, "aliases",
                   concat(quote(entry.text), " must be a full name without tag and digest"));
    return {};
  }

  Status registries(const TomlNode& list) {
    if (list.kind != Kind::list)
      return fault(list, "", concat("must be written as [[registry]], is ", list.type()));
    Strings seen;
    for (const TomlNode& table : list.items) {
      if (table.kind != Kind::table)
        return fault(list, "", concat("must be written as [[registry]], has ", table.type()));
      RegistryRule rule = TRY(registry(table));
      if (std::find(seen.begin(), seen.end(), rule.prefix) != seen.end())
        return Error(
            Errc::invalid_argument,
            concat(rule.where, ": registry.prefix: ", quote(rule.prefix), " is there twice"));
      seen.push_back(rule.prefix);
      auto old = std::find_if(conf_.rules.begin(), conf_.rules.end(),
                              [&](const RegistryRule& r) { return r.prefix == rule.prefix; });
      if (old != conf_.rules.end())
        *old = std::move(rule);
      else
        conf_.rules.push_back(std::move(rule));
    }
    return {};
  }

  Result<RegistryRule> registry(const TomlNode& table) {
    constexpr const char* kWithin = "registry";
    RegistryRule rule;
    rule.where = concat(path_, ":", table.line);
    const TomlNode* mirrors = nullptr;
    for (const TomlNode& entry : table.items) {
      if (entry.key == "prefix")
        rule.prefix = TRY(location(entry, kWithin));
      else if (entry.key == "location")
        rule.location = TRY(location(entry, kWithin));
      else if (entry.key == "insecure")
        rule.insecure = TRY(flag(entry, kWithin));
      else if (entry.key == "blocked")
        rule.blocked = TRY(flag(entry, kWithin));
      else if (entry.key == "mirror-by-digest-only")
        rule.mirror_by_digest_only = TRY(flag(entry, kWithin));
      else if (entry.key == "pull-from-mirror")
        return fault(entry, kWithin, "belongs to a mirror, [[registry.mirror]]");
      else if (entry.key == "mirror")
        mirrors = &entry;
      else
        unknown(entry, kWithin);
    }
    bool wildcard = rule.prefix.starts_with("*.");
    if (rule.prefix.empty()) rule.prefix = rule.location;
    if (rule.prefix.empty())
      return Error(Errc::invalid_argument,
                   concat(rule.where, ": registry: has neither prefix nor location"));
    if (rule.prefix.find('*', wildcard ? 1 : 0) != std::string::npos || rule.prefix == "*.")
      return Error(Errc::invalid_argument,
                   concat(rule.where, ": registry.prefix: ", quote(rule.prefix),
                          ": a wildcard stands only at the beginning, as in *.example.com"));
    if (rule.location.find('*') != std::string::npos)
      return Error(Errc::invalid_argument,
                   concat(rule.where, ": registry.location: has a wildcard"));
    if (rule.location.empty() && !wildcard) rule.location = rule.prefix;
    if (mirrors != nullptr) TRY(read_mirrors(*mirrors, &rule));
    return rule;
  }

  Status read_mirrors(const TomlNode& list, RegistryRule* rule) {
    constexpr const char* kWithin = "registry.mirror";
    if (list.kind != Kind::list)
      return fault(list, "registry",
                   concat("must be written as [[registry.mirror]], is ", list.type()));
    for (const TomlNode& table : list.items) {
      if (table.kind != Kind::table)
        return fault(list, "registry",
                     concat("must be written as [[registry.mirror]], has ", table.type()));
      RegistryMirror mirror;
      for (const TomlNode& entry : table.items) {
        if (entry.key == "location")
          mirror.location = TRY(location(entry, kWithin));
        else if (entry.key == "insecure")
          mirror.insecure = TRY(flag(entry, kWithin));
        else if (entry.key == "pull-from-mirror")
          mirror.use = TRY(mirror_use(entry, *rule));
        else
          unknown(entry, kWithin);
      }
      if (mirror.location.empty() || mirror.location.find('*') != std::string::npos)
        return Error(Errc::invalid_argument,
                     concat(path_, ":", table.line, ": registry.mirror.location: ",
                            mirror.location.empty() ? "is missing" : "has a wildcard"));
      rule->mirrors.push_back(std::move(mirror));
    }
    return {};
  }

  Result<MirrorUse> mirror_use(const TomlNode& entry, const RegistryRule& rule) const {
    constexpr const char* kWithin = "registry.mirror";
    std::string use = TRY(text(entry, kWithin));
    if (rule.mirror_by_digest_only && !use.empty())
      return fault(entry, kWithin, "cannot stand beside mirror-by-digest-only of its registry");
    if (use.empty() || use == "all") return MirrorUse::all;
    if (use == "digest-only") return MirrorUse::digest_only;
    if (use == "tag-only") return MirrorUse::tag_only;
    return fault(entry, kWithin, concat("must be all, digest-only or tag-only, is ", quote(use)));
  }

  const std::string& path_;
  RegistriesConf& conf_;
  Strings* notes_;
};

// How much of `name` the prefix stands for; 0: not at all.
std::size_t match_prefix(std::string_view name, std::string_view prefix) {
  auto ends = [&](std::size_t at) {
    return at == name.size() || name[at] == '/' || name[at] == ':' || name[at] == '@';
  };
  if (!prefix.starts_with("*."))
    return name.starts_with(prefix) && ends(prefix.size()) ? prefix.size() : 0;
  std::string_view tail = prefix.substr(1);
  std::size_t host_end = std::min(name.find('/'), name.size());
  for (std::size_t at = name.find(tail, 1); at != std::string_view::npos && at < host_end;
       at = name.find(tail, at + 1))
    if (ends(at + tail.size())) return at + tail.size();
  return 0;
}

Result<Endpoint> make_endpoint(std::string_view location, std::string_view rest, bool insecure,
                               const RegistryRule& rule) {
  std::string name = concat(location, rest);
  std::size_t slash = name.find('/');
  if (slash == 0 || slash == std::string::npos || slash + 1 == name.size())
    return Error(Errc::invalid_argument,
                 concat(rule.where, ": registry: ", quote(name), " has no repository"));
  Endpoint out;
  out.host = name.substr(0, slash);
  out.repository = name.substr(slash + 1);
  out.insecure = insecure;
  return out;
}

Status check_blocked(const RegistriesConf& conf, const RegistryRule& rule) {
  if (!rule.blocked) return {};
  return Error(Errc::permission, concat("registry ", rule.prefix, " is blocked in ", conf.where));
}

class Loader {
 public:
  Loader(RegistriesConf* conf, Strings* notes) : conf_(*conf), notes_(notes) {}

  Result<bool> file(const std::string& path, bool named = false) {
    auto text = sys::read_small_file(path);
    if (!text) {
      if (!named && text.error().code() == Errc::not_found) return false;
      if (named) return std::move(text.error()).wrap("loading registries configuration");
      return std::move(text.error());
    }
    TRY(merge_registries_conf(*text, path, &conf_, notes_));
    return true;
  }

  Status folder(const std::string& path) {
    auto names = sys::list_dir(sys::DirFd::cwd(), path.c_str());
    if (!names) {
      if (names.error().code() == Errc::not_found) return {};
      return std::move(names.error());
    }
    std::sort(names->begin(), names->end());
    bool any = false;
    for (const std::string& name : *names)
      if (name.ends_with(".conf")) {
        bool read = TRY(file(concat(path, "/", name)));
        any = any || read;
      }
    if (any) conf_.where += concat(conf_.where.empty() ? "" : " or ", path);
    return {};
  }

 private:
  RegistriesConf& conf_;
  Strings* notes_;
};

// The user's own aliases, where choices are recorded.
std::string alias_file(const RegistryPlaces& places) {
  if (places.uid == 0) return places.prefix + "/var/cache/containers/short-name-aliases.conf";
  std::string cache = env_of("XDG_CACHE_HOME");
  if (cache.empty() && !places.home.empty()) cache = places.home + "/.cache";
  return cache.empty() ? "" : cache + "/containers/short-name-aliases.conf";
}

}  // namespace

RegistryPlaces find_registry_places(uid_t uid, const std::string& home) {
  RegistryPlaces places;
  places.uid = uid;
  places.home = home;
  places.config_home = env_of("XDG_CONFIG_HOME");
  if (places.config_home.empty() && !home.empty()) places.config_home = home + "/.config";
  places.runtime_dir = env_of("XDG_RUNTIME_DIR");
  places.conf = env_of("CONTAINERS_REGISTRIES_CONF");
  if (places.conf.empty()) places.conf = env_of("REGISTRIES_CONFIG_PATH");
  places.conf_dir = env_of("CONTAINERS_REGISTRIES_CONF_DIR");
  places.auth_file = env_of("REGISTRY_AUTH_FILE");
  places.docker_config = env_of("DOCKER_CONFIG");
  return places;
}

Status merge_registries_conf(std::string_view text, const std::string& path, RegistriesConf* conf,
                             Strings* notes) {
  TomlNode top = TRY(parse_toml_tree(text, path));
  return Reader(path, conf, notes).file(top);
}

Result<RegistriesConf> load_registries_conf(const RegistryPlaces& places, Strings* notes) {
  RegistriesConf conf;
  Loader loader(&conf, notes);
  std::string system = places.prefix + "/etc/containers/registries.conf";
  std::string user =
      places.config_home.empty() ? "" : places.config_home + "/containers/registries.conf";
  bool own = false;
  std::string main = system;
  if (!places.conf.empty()) {
    main = places.conf;
  } else if (!user.empty() && sys::exists(user)) {
    main = user;
    own = true;
  }
  if (TRY(loader.file(main, !places.conf.empty()))) conf.path = conf.where = main;
  if (!places.conf_dir.empty()) {
    TRY(loader.folder(places.conf_dir));
  } else {
    // As Podman: a file of the user's own stands in place of all that the system says.
    if (!own) TRY(loader.folder(system + ".d"));
    if (!user.empty()) TRY(loader.folder(user + ".d"));
  }
  if (std::string path = alias_file(places); !path.empty()) TRY(loader.file(path));
  return conf;
}

const RegistryRule* find_rule(const RegistriesConf& conf, std::string_view name) {
  const RegistryRule* best = nullptr;
  for (const RegistryRule& rule : conf.rules)
    if (match_prefix(name, rule.prefix) > 0 &&
        (best == nullptr || rule.prefix.size() > best->prefix.size()))
      best = &rule;
  return best;
}

Result<Endpoint> resolve_push(const RegistriesConf& conf, std::string_view registry,
                              std::string_view repository) {
  std::string name = concat(registry, "/", repository);
  const RegistryRule* rule = find_rule(conf, name);
  if (rule == nullptr) return Endpoint{std::string(registry), std::string(repository)};
  TRY(check_blocked(conf, *rule));
  if (rule->location.empty())
    return Endpoint{std::string(registry), std::string(repository), rule->insecure};
  std::string_view rest = std::string_view(name).substr(match_prefix(name, rule->prefix));
  return make_endpoint(rule->location, rest, rule->insecure, *rule);
}

Result<std::vector<Endpoint>> resolve(const RegistriesConf& conf, std::string_view registry,
                                      std::string_view repository, bool by_digest) {
  std::vector<Endpoint> out;
  std::string name = concat(registry, "/", repository);
  if (const RegistryRule* rule = find_rule(conf, name)) {
    TRY(check_blocked(conf, *rule));
    std::string_view rest = std::string_view(name).substr(match_prefix(name, rule->prefix));
    MirrorUse never = by_digest ? MirrorUse::tag_only : MirrorUse::digest_only;
    for (const RegistryMirror& mirror : rule->mirrors) {
      if (mirror.use == never || (rule->mirror_by_digest_only && !by_digest)) continue;
      Endpoint endpoint = TRY(make_endpoint(mirror.location, rest, mirror.insecure, *rule));
      endpoint.mirror = true;
      out.push_back(std::move(endpoint));
    }
  }
  Endpoint itself = TRY(resolve_push(conf, registry, repository));
  out.push_back(std::move(itself));
  return out;
}

Result<ShortName> short_name_candidates(const RegistriesConf& conf, std::string_view name,
                                        bool terminal) {
  auto full = [&](std::string_view host) {
    bool library = host == kDockerHub && name.find('/') == std::string_view::npos;
    return concat(host, "/", library ? "library/" : "", name);
  };
  ShortName out;
  bool aliased = conf.short_name_mode != ShortNameMode::disabled;
  auto alias = conf.aliases.find(std::string(name));
  if (aliased && alias != conf.aliases.end()) {
    out.candidates.push_back(alias->second);
    out.alias = true;
    if (auto file = conf.alias_files.find(alias->first); file != conf.alias_files.end())
      out.where = file->second;
    return out;
  }
  if (conf.where.empty()) {
    out.candidates.push_back(full(kDockerHub));
    return out;
  }
  if (conf.unqualified_search.empty())
    return Error(Errc::not_found,
                 concat("short-name ", quote(name),
                        " did not resolve to an alias and no unqualified-search registries are "
                        "defined in ",
                        quote(conf.path.empty() ? conf.where : conf.path)));
  for (const std::string& host : conf.unqualified_search) out.candidates.push_back(full(host));
  out.where = conf.path.empty() ? conf.where : conf.path;
  if (out.candidates.size() > 1 && aliased) {
    if (conf.short_name_mode == ShortNameMode::enforcing && !terminal)
      return Error(Errc::invalid_argument,
                   "short-name resolution enforced but cannot prompt without a TTY");
    out.ambiguous = terminal;
  }
  return out;
}

Status remember_short_name(const RegistryPlaces& places, std::string_view name,
                           std::string_view value) {
  std::string path = alias_file(places);
  if (path.empty()) return {};
  std::string folder = path.substr(0, path.rfind('/'));
  TRY(sys::ensure_dirs(folder, 0700));
  sys::FileLock lock = TRY(sys::FileLock::lock_folder(folder));
  RegistriesConf kept;
  auto text = sys::read_small_file(path);
  if (!text && text.error().code() != Errc::not_found) return std::move(text.error());
  if (text) TRY(merge_registries_conf(*text, path, &kept));
  kept.aliases[std::string(name)] = value;
  std::string out = "[aliases]\n";
  for (const auto& [key, full] : kept.aliases)
    out += concat("  ", quote(key), " = ", quote(full), "\n");
  return sys::write_file(path, out, 0600, sys::Durability::data);
}

}  // namespace minke::config
