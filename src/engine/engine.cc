#include "engine/engine.h"

#include <cerrno>
#include <cstdlib>

#include "base/log.h"
#include "base/str.h"
#include "engine/defaults.h"
#include "engine/records.h"
#include "monitor/detach_keys.h"

namespace minke::engine {

const char* state_name(ContainerState state) {
  constexpr const char* kNames[] = {"created", "initialized", "running",  "paused", "stopping",
                                    "stopped", "exited",      "removing", "unknown"};
  return kNames[static_cast<int>(state)];
}

Engine::Engine(Host host) : host_(std::move(host)), volumes_(host_) {}
Engine::~Engine() = default;

Result<std::unique_ptr<Engine>> Engine::open(const HostOptions& options) {
  Host host = TRY(find_host(options));
  std::unique_ptr<Engine> engine(new Engine(std::move(host)));
  TRY(sys::ensure_dirs(engine->host_.root, 0700));
  store::Store opened = TRY(store::Store::open(engine->host_.root, engine->host_.rootless));
  engine->store_ = std::make_unique<store::Store>(std::move(opened));
  for (const char* name : {"/containers", "/names", "/seccomp"})
    TRY(sys::ensure_dir_at(sys::DirFd::cwd(), (engine->host_.root + name).c_str(), 0700));
  // Where profiles other than the default are kept compiled (runtime/seccomp.h); monitors inherit
  // it.
  if (::setenv("MINKE_SECCOMP_CACHE", (engine->host_.root + "/seccomp").c_str(), 1) != 0)
    return Error::from_errno(errno, "setenv");
  return engine;
}

Result<const config::ContainersConf*> Engine::conf() {
  if (conf_) return &*conf_;
  config::ConfPlaces places = config::find_places(host_.uid, host_.home, host_.modules);
  config::Strings notes;
  const bool tell = log::enabled(log::Level::info);
  config::ContainersConf conf = TRY(config::load_containers_conf(places, tell ? &notes : nullptr));
  if (tell) ignore(config::load_storage_conf(places, &notes), "it is read where it is needed");
  for (const std::string& note : notes) log::info(note);
  for (const std::string& entry : conf.engine_env.value_or(config::Strings()))
    if (auto pair = split_once(entry, '='); pair && !pair->first.empty())
      ::setenv(std::string(pair->first).c_str(), std::string(pair->second).c_str(), 0);
  use_cgroup_manager(conf.cgroup_manager, &host_);
  TRY(use_events(conf, &host_));
  return &conf_.emplace(std::move(conf));
}

Result<std::string> Engine::detach_keys(const std::optional<std::string>& asked, bool terminal) {
  if (asked) {
    TRY(monitor::DetachKeys::parse(*asked));
    return *asked;
  }
  const std::string usual = AttachFlags().detach_keys;
  if (!terminal) return usual;
  const config::ContainersConf* defaults = TRY(conf());
  return defaults->detach_keys.value_or(usual);
}

Status Engine::enter() {
  if (entered_) return {};
  // What changes something is told to the log of events, wherever that is. A fault in the file must
  // not keep anybody from stopping or removing what he has.
  if (auto known = conf(); !known) log::warn(known.error().message());
  TRY(enter_namespaces(&host_));
  entered_ = true;
  return {};
}

}  // namespace minke::engine
