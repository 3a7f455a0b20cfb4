#include "cli/build_flags.h"

#include <cstdlib>

#include "base/log.h"
#include "base/str.h"
#include "build/platform_args.h"
#include "oci/reference.h"
#include "sys/fd.h"

namespace minke::cli {
namespace {

using build::BuildOptions;

Error invalid(std::string text) { return Error(Errc::invalid_argument, std::move(text)); }

using Pairs = std::vector<std::pair<std::string, std::string>>;

std::string environment(const char* name) {
  const char* value = ::getenv(name);
  return value != nullptr ? value : "";
}

// KEY=VALUE, in order; a key alone has an empty value.
Result<Pairs> read_pairs(const std::vector<std::string>& texts, const char* option) {
  Pairs out;
  for (const std::string& text : texts) {
    auto pair = split_once(text, '=');
    std::string_view key = pair ? pair->first : std::string_view(text);
    if (key.empty()) return invalid(concat(option, " ", text, ": a key is missing"));
    out.emplace_back(key, pair ? pair->second : std::string_view());
  }
  return out;
}

// NAME=VALUE; NAME alone has the value of our own environment, or none at all.
void add_build_arg(std::string_view text, BuildOptions* out) {
  if (auto pair = split_once(text, '=')) {
    out->build_args[std::string(pair->first)] = pair->second;
    return;
  }
  std::string name(text);
  if (const char* value = ::getenv(name.c_str())) out->build_args[name] = value;
}

Status set_build_args(const BuildFlags& f, BuildOptions* out) {
  for (const std::string& path : f.build_arg_file) {
    std::string text = TRY_CTX(sys::read_small_file(path), "--build-arg-file");
    for (std::string_view line : split(text, '\n')) {
      line = trim(line);
      if (!line.empty() && line[0] != '#') add_build_arg(line, out);
    }
  }
  for (const std::string& text : f.build_arg) add_build_arg(text, out);
  for (const std::string& text : f.build_context) {
    auto pair = split_once(text, '=');
    if (!pair || pair->first.empty() || pair->second.empty())
      return invalid(
          concat("--build-context ", text, ": while parsing the context: use name=place"));
    out->contexts[to_lower(pair->first)] = pair->second;
  }
  return {};
}

// "type=file,id=x,src=PATH": the values behind their keys.
Result<std::map<std::string, std::string>> read_words(const std::string& text, const char* option) {
  std::map<std::string, std::string> words;
  for (const std::string& part : TRY(split_csv(text))) {
    auto pair = split_once(part, '=');
    if (!pair) return invalid(concat(option, " ", text, ": ", quote(part), " has no value"));
    words[to_lower(pair->first)] = pair->second;
  }
  return words;
}

Status set_secrets(const BuildFlags& f, BuildOptions* out) {
  for (const std::string& text : f.build_secret) {
    auto words = TRY(read_words(text, "--secret"));
    build::SecretSource source;
    std::string id, type;
    for (auto& [key, value] : words) {
      if (key == "id")
        id = value;
      else if (key == "src" || key == "source")
        source.file = value;
      else if (key == "env")
        source.env = value;
      else if (key == "type" && (value == "file" || value == "env"))
        type = value;
      else
        return invalid(concat("--secret ", text, ": incorrect secret flag ", quote(key)));
    }
    if (id.empty()) return invalid(concat("--secret ", text, ": id is missing"));
    if (!source.file.empty() && !source.env.empty())
      return invalid(concat("--secret ", text, ": src and env cannot be set together"));
    if (type == "env" && source.env.empty()) source.env = source.file.empty() ? id : source.file;
    if (!source.env.empty()) source.file.clear();
    // As Docker: a variable of that name, else a file.
    if (source.file.empty() && source.env.empty())
      (::getenv(id.c_str()) != nullptr && type != "file" ? source.env : source.file) = id;
    if (!source.file.empty() && !sys::exists(source.file))
      return Error(Errc::not_found,
                   concat("could not parse secrets: ", source.file, ": no such file or directory"));
    out->secrets[id] = std::move(source);
  }
  for (const std::string& text : f.ssh) {
    auto pair = split_once(text, '=');
    const std::string id(pair ? pair->first : std::string_view(text));
    const std::string places = pair ? std::string(pair->second) : environment("SSH_AUTH_SOCK");
    if (places.empty())
      return invalid(concat("--ssh ", text, ": no agent runs (SSH_AUTH_SOCK is not set)"));
    std::vector<std::string> keys;
    for (std::string_view place : split(places, ',')) {
      const std::string path(place);
      struct stat st {};
      if (::stat(path.c_str(), &st) < 0) return Error::from_errno(errno, concat("--ssh ", path));
      if (!S_ISSOCK(st.st_mode))
        keys.push_back(path);
      else if (path == places)
        out->agents[id] = path;
      else
        return invalid(concat("--ssh ", text, ": one socket, or files of keys"));
    }
    if (!keys.empty()) out->keys[id] = std::move(keys);
  }
  return {};
}

Status set_output(const BuildFlags& f, BuildOptions* out) {
  if (f.output.size() > 1) return invalid("--output can be given once");
  if (f.output.empty()) return {};
  const std::string& text = f.output[0];
  build::OutputChoice choice;
  if (text.find('=') == std::string::npos) {  // a folder, or "-" for an archive
    choice.type = text == "-" ? build::OutputChoice::Type::tar : build::OutputChoice::Type::local;
    choice.destination = text;
    out->output = choice;
    return {};
  }
  auto words = TRY(read_words(text, "--output"));
  const std::string type = words["type"];
  choice.destination = words["dest"].empty() ? words["destination"] : words["dest"];
  if (type == "local") {
    choice.type = build::OutputChoice::Type::local;
  } else if (type == "tar") {
    choice.type = build::OutputChoice::Type::tar;
  } else if (type == "image" || type == "docker") {
    if (!choice.destination.empty() || words["push"] == "true")
      return Error(Errc::unsupported, concat("--output ", text, ": use push or save on the image"));
    if (!words["name"].empty())
      for (const std::string& name : TRY(split_csv(words["name"]))) out->names.push_back(name);
    return {};
  } else {
    return invalid(
        concat("invalid type ", quote(type), " selected for build output options ", quote(text)));
  }
  if (choice.destination.empty())
    return invalid(concat("missing required key \"dest\" in ", quote(text)));
  out->output = choice;
  return {};
}

Status set_names(const BuildFlags& f, BuildOptions* out) {
  out->names.insert(out->names.begin(), f.tag.begin(), f.tag.end());
  for (std::string& name : out->names) {
    oci::Reference reference = TRY_CTX(oci::Reference::parse(name), concat("tag ", quote(name)));
    if (!reference.digest.empty())
      return invalid(concat("tag ", name, ": an image cannot be named by a digest"));
    name = reference.normalized("localhost").str();
  }
  if (f.manifest.empty()) return {};
  oci::Reference list = TRY_CTX(oci::Reference::parse(f.manifest), "--manifest");
  if (!list.digest.empty())
    return invalid(concat("--manifest ", f.manifest, ": a list is named by a tag"));
  if (out->output) return invalid("--manifest holds images: --output has no place in it");
  out->manifest = list.normalized("localhost").str();
  return {};
}

// What is said of caches, layers and times.
Status set_making(const Invocation& call, const BuildFlags& f, BuildOptions* out) {
  std::string format = f.format.empty() ? environment("BUILDAH_FORMAT") : f.format;
  if (format == "docker")
    out->docker = true;
  else if (!format.empty() && format != "oci")
    return invalid(concat("unrecognized image type ", quote(format)));
  std::string isolation = f.isolation.empty() ? environment("BUILDAH_ISOLATION") : f.isolation;
  // Images that build inside of containers ask for it where a runtime would not start. What
  // isolates more is no less than asked for.
  if (isolation == "chroot")
    log::warn(concat(f.isolation.empty() ? "BUILDAH_ISOLATION=chroot" : "--isolation chroot",
                     ": every RUN is a container all the same, as with oci"));
  else if (!isolation.empty() && isolation != "oci" && isolation != "rootless" &&
           isolation != "default")
    return invalid(concat("unrecognized isolation type ", quote(isolation)));
  out->cache = !f.no_cache;
  std::optional<bool> layers = f.layers;
  if (!layers && !environment("BUILDAH_LAYERS").empty())
    layers = parse_bool(environment("BUILDAH_LAYERS"));
  out->layers = layers.value_or(true) && !f.squash && !f.squash_all;
  out->squash_all = f.squash_all;
  if (!f.cache_ttl.empty()) {
    auto ttl = parse_duration(f.cache_ttl);
    if (!ttl)
      return invalid(
          concat("unable to parse value provided ", quote(f.cache_ttl), " to --cache-ttl"));
    // As Podman: nothing is young enough.
    if (*ttl <= 0) out->cache = false;
    out->cache_ttl = *ttl / kSecond;
  }
  for (const std::string& text : f.cache_from)
    out->cache_from.push_back(TRY(build::parse_cache_place(text, false)));
  for (const std::string& text : f.cache_to)
    out->cache_to.push_back(TRY(build::parse_cache_place(text, true)));
  if (!out->layers && !(f.cache_from.empty() && f.cache_to.empty()))
    return invalid("--cache-from and --cache-to are for steps, of which --layers=false keeps none");
  out->timestamp = f.timestamp;
  out->source_epoch = f.source_date_epoch;
  if (!f.timestamp && !f.source_date_epoch)
    if (std::string text = environment("SOURCE_DATE_EPOCH"); !text.empty()) {
      auto epoch = parse_int(text);
      if (!epoch) return invalid(concat("SOURCE_DATE_EPOCH ", quote(text), " is no number"));
      out->source_epoch = epoch;
    }
  if (f.timestamp && f.source_date_epoch)
    return invalid("--timestamp and --source-date-epoch cannot be set together");
  out->clamp_times = f.rewrite_timestamp && !f.timestamp;
  out->jobs = f.jobs.value_or(0);
  out->omit_history = f.omit_history;
  out->inherit_labels = f.inherit_labels;
  out->inherit_annotations = f.inherit_annotations;
  out->created_annotation = f.created_annotation;
  if (!f.disable_compression && call.changed("disable-compression"))
    return Error(Errc::unsupported, "--disable-compression=false: layers are compressed by push");
  return {};
}

Status set_platform(const BuildFlags& f, BuildOptions* out) {
  for (const std::string& text : f.platforms)
    out->platforms.push_back(TRY(build::parse_platform(text)));
  if (out->platforms.size() > 1 && out->output &&
      out->output->type == build::OutputChoice::Type::tar)
    return invalid("--output type=tar holds one platform: use type=local");
  if (!f.platforms.empty()) {
  } else if (!f.os.empty() || !f.arch.empty() || !f.variant.empty()) {
    oci::Platform platform = oci::host_platform();
    if (!f.os.empty()) platform.os = f.os;
    if (!f.arch.empty()) platform.architecture = f.arch, platform.variant.clear();
    if (!f.variant.empty()) platform.variant = f.variant;
    out->platforms.push_back(platform);
  }
  if (f.os_version.empty()) return {};
  if (out->platforms.empty()) out->platforms.push_back(oci::host_platform());
  for (oci::Platform& platform : out->platforms) platform.os_version = f.os_version;
  return {};
}

Status set_registry(const Invocation& call, const BuildFlags& f, BuildOptions* out) {
  // As with Podman and Docker, --pull=false only takes a --pull back.
  const bool by_default = f.build_pull.empty() || parse_bool(f.build_pull) == false;
  out->pull = TRY(engine::parse_pull_policy(by_default ? "missing" : f.build_pull));
  out->registry.authfile = f.authfile;
  out->registry.cert_dir = f.cert_dir;
  out->registry.creds = f.creds;
  if (call.changed("tls-verify")) out->registry.tls_verify = f.tls_verify;
  if (f.retry) out->registry.retries = *f.retry;
  if (!f.retry_delay.empty()) {
    auto delay = parse_duration(f.retry_delay);
    if (!delay) return invalid(concat("--retry-delay ", quote(f.retry_delay), ": no duration"));
    out->registry.retry_delay_ns = *delay;
  }
  return {};
}

}  // namespace

Result<BuildOptions> build_options(const Invocation& call, BuildFlags& f) {
  BuildOptions out;
  out.context = call.args[0];
  out.files = f.file;
  out.ignore_file = f.ignorefile;
  out.target = f.target;
  out.from = f.from;
  TRY(set_build_args(f, &out));
  TRY(set_secrets(f, &out));
  TRY(set_output(f, &out));
  TRY(set_names(f, &out));
  TRY(set_making(call, f, &out));
  TRY(set_platform(f, &out));
  TRY(set_registry(call, f, &out));
  out.labels = TRY(read_pairs(f.label, "--label"));
  out.annotations = TRY(read_pairs(f.annotation, "--annotation"));
  out.unset_labels = f.unsetlabel;
  out.unset_annotations = f.unsetannotation;
  for (const std::string& entry : f.env) {
    if (entry.find('=') != std::string::npos)
      out.env.push_back(entry);
    else if (const char* value = ::getenv(entry.c_str()))
      out.env.push_back(concat(entry, "=", value));
  }
  out.unset_env = f.unsetenv;
  // The rest is what every RUN gets, as `run` reads it.
  ContainerFlags run = f;
  run.label.clear();
  run.annotation.clear();
  run.env.clear();
  run.unsetenv.clear();
  run.platform.clear();
  run.os.clear();
  run.arch.clear();
  run.variant.clear();
  out.run = TRY(make_request(call, run));
  out.run.command.clear();
  return out;
}

}  // namespace minke::cli
