// Hook files of hooks_dir (oci-hooks(5)), version 1.0.0.
#include <regex.h>
#include <unistd.h>

#include <algorithm>
#include <map>

#include "base/log.h"
#include "base/str.h"
#include "codec/json.h"
#include "engine/hook_stages.h"
#include "engine/specgen_internal.h"
#include "sys/fd.h"

namespace minke::engine {
namespace {

struct When {
  std::optional<bool> always, has_bind_mounts;
  std::map<std::string, std::string> annotations;  // pattern of a key: pattern of its value
  std::vector<std::string> commands;               // patterns of the program
};
struct HookFile {
  std::string version;
  oci::Hook hook;
  When when;
  std::vector<std::string> stages;
};

void bind(json::Binder& b, When& w) {
  b("always", w.always);
  b("hasBindMounts", w.has_bind_mounts);
  b("annotations", w.annotations);
  b("commands", w.commands);
}
void bind(json::Binder& b, HookFile& f) {
  b.required("version", f.version);
  b.required("hook", f.hook);
  b("when", f.when);
  b("stages", f.stages);
}

Result<bool> matches(const std::string& pattern, const std::string& text) {
  regex_t compiled;
  if (::regcomp(&compiled, pattern.c_str(), REG_EXTENDED | REG_NOSUB) != 0)
    return Error(Errc::invalid_argument, concat("bad pattern ", quote(pattern)));
  bool found = ::regexec(&compiled, text.c_str(), 0, nullptr, 0) == 0;
  ::regfree(&compiled);
  return found;
}

Result<bool> any_annotation(const oci::StringMap& annotations, const std::string& key_pattern,
                            const std::string& value_pattern) {
  for (const auto& [key, value] : annotations)
    if (TRY(matches(key_pattern, key)) && TRY(matches(value_pattern, value))) return true;
  return false;
}

// Every condition that is there must hold, and one must be there.
Result<bool> applies(const When& when, const SpecBuilder& b) {
  bool any = false;
  if (when.always) {
    if (!*when.always) return false;
    any = true;
  }
  if (when.has_bind_mounts) {
    bool has = std::any_of(b.config.mounts.begin(), b.config.mounts.end(),
                           [](const ResolvedMount& m) { return m.type == "bind"; });
    if (has != *when.has_bind_mounts) return false;
    any = true;
  }
  for (const auto& [key, value] : when.annotations) {
    if (!TRY(any_annotation(b.config.annotations, key, value))) return false;
    any = true;
  }
  if (!when.commands.empty()) {
    bool found = false;
    for (const std::string& pattern : when.commands)
      found = found || (!b.process.args.empty() && TRY(matches(pattern, b.process.args[0])));
    if (!found) return false;
    any = true;
  }
  return any;
}

Status add_stage(const std::string& name, const oci::Hook& hook, oci::Hooks* hooks) {
  if (add_to_stage(name, hook, hooks)) return {};
  if (name == "precreate")
    return Error(Errc::unsupported,
                 "stage precreate, which rewrites the specification, is not run");
  return Error(Errc::invalid_argument, concat("unknown stage ", quote(name)));
}

Status add_file(const std::string& path, SpecBuilder* b) {
  HookFile file;
  std::string text = TRY(sys::read_small_file(path));
  json::Value value = TRY(json::parse(text));
  json::Binder binder(value);
  bind(binder, file);
  TRY(std::move(binder).status());
  if (file.version != "1.0.0")
    return Error(Errc::unsupported,
                 concat("version ", quote(file.version), " is not 1.0.0, the only one known"));
  if (!file.hook.path.starts_with('/'))
    return Error(Errc::invalid_argument,
                 concat("hook.path ", quote(file.hook.path), " is no absolute path"));
  if (file.stages.empty()) return Error(Errc::invalid_argument, "stages: none is named");
  if (::access(file.hook.path.c_str(), F_OK) < 0)
    return Error(Errc::not_found, concat("stat ", file.hook.path, ": no such file or directory"));
  if (!TRY(applies(file.when, *b))) return {};
  if (!b->spec.hooks) b->spec.hooks.emplace();
  for (const std::string& stage : file.stages) TRY(add_stage(stage, file.hook, &*b->spec.hooks));
  return {};
}

}  // namespace

Status add_hooks(SpecBuilder* b) {
  if (b->request.defaults.hooks_dirs.empty()) return {};
  // By name over all folders; of one name, the last folder's counts.
  std::map<std::string, std::string> files;
  for (const std::string& dir : b->request.defaults.hooks_dirs) {
    auto names = sys::list_dir(sys::DirFd::cwd(), dir.c_str());
    if (!names && names.error().code() == Errc::not_found) continue;
    if (!names) return std::move(names.error()).wrap("hooks_dir");
    for (const std::string& name : *names)
      if (name.ends_with(".json")) files[name] = concat(dir, "/", name);
  }
  for (const auto& [name, path] : files) TRY_CTX(add_file(path, b), path);
  return {};
}

}  // namespace minke::engine
