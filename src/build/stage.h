// One stage of a build, from its FROM to its last instruction. Runs in a process of its own.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "build/cache_key.h"
#include "build/exchange.h"
#include "build/plan.h"
#include "engine/engine.h"
#include "store/step_cache.h"

namespace minke::build {

// What a stage tells while it is built. What its commands print goes to our standard streams.
struct StageReport {
  std::function<void(const std::string& name)> begin;
  std::function<void(bool cached, const std::string& error)> end;
  std::function<void(const std::string& text)> warn;
};

class StageBuilder {
 public:
  // `done`: the stages that this one needs.
  StageBuilder(engine::Engine& engine, const Plan& plan, int stage,
               const std::map<int, StageResult>& done, StageReport report);
  Result<StageResult> build();

 private:
  // A tree that COPY --from and mounts read: layers, or a folder of the host.
  struct Tree {
    std::vector<std::string> layers;  // folders, topmost first
    std::string identity;             // for keys: what is in it
  };
  // What a step begins with: the instruction, and what it is called.
  struct Step {
    const Instruction* instruction = nullptr;
    std::string created_by;  // in the history
  };

  Status begin_base();
  Status run_triggers();
  Status one(const Instruction& instruction, bool trigger);
  Status apply(Instruction* instruction, const Step& step);

  // stage_meta.cc: what changes nothing but the configuration.
  Status apply_meta(const Instruction& instruction);
  Status take(const node::Cmd& cmd);
  Status take(const node::Entrypoint& entrypoint);
  Status take(const node::Env& env);
  Status take(const node::Label& label);
  Status take(const node::Arg& arg);
  Status take(const node::User& user);
  Status take(const node::Expose& expose);
  Status take(const node::Volume& volume);
  Status take(const node::Shell& shell);
  Status take(const node::Healthcheck& check);
  Status take(const node::Stopsignal& signal);
  Status take(const node::Onbuild& onbuild);
  Status take(const node::Maintainer& maintainer);

  // stage_run.cc
  Status run(const node::Run& run, const Step& step);
  struct RunMounts;
  static std::string mount_key(const RunMount& mount);
  Status add_mounts(const node::Run& run, RunMounts* mounts);
  Status add_bind(const RunMount& mount, RunMounts* mounts);
  Status add_cache(const RunMount& mount, RunMounts* mounts);
  Status add_tmpfs(const RunMount& mount, RunMounts* mounts);
  Status add_secret(const RunMount& mount, RunMounts* mounts);
  Status add_agent(const RunMount& mount, RunMounts* mounts);
  Result<std::string> run_key(const node::Run& run, const std::vector<std::string>& argv,
                              const std::string& script, const RunMounts& mounts);
  Status check_platform();

  // stage_copy.cc
  Status copy(const node::Copy& copy, const Instruction& instruction, const Step& step);
  Status remember_as(const std::string& key);
  Status workdir(const node::Workdir& workdir, const Step& step);
  Origin origin_of(const std::string& from) const;  // empty: the main context
  Result<Tree> tree_of(const Origin& origin);

  // Changes of a step: a folder that overlay writes to, below `work_`.
  Result<std::string> new_upper();
  // Makes the changes a layer, and the step known under `key`.
  Status seal(const std::string& upper, const std::string& key, const Step& step);
  // Takes the layer that the step has made before; false: there is none.
  Result<bool> use_cached(const std::string& key, const Step& step);
  void add_history(const Step& step, bool empty, TimeNs created);
  // What is mounted to write files: the stage's layers with `upper` on top.
  Result<sys::UniqueFd> open_writable(const std::string& upper);
  Result<sys::UniqueFd> open_view();
  std::vector<std::string> lower() const;  // topmost first
  std::string top() const;                 // chain id, or "scratch"
  std::string fresh_folder(const char* name);
  bool one_layer() const { return !plan_.options.layers; }
  oci::ImageProcessConfig& config() { return result_.config.config; }
  std::string absolute(const std::string& path) const;  // from WORKDIR

  engine::Engine& engine_;
  const Plan& plan_;
  const Stage& stage_;
  const StageNode& node_;
  const std::map<int, StageResult>& done_;
  StageReport report_;
  store::StepCache cache_;
  RemoteSteps remote_;
  std::optional<store::Staging> work_;
  StageResult result_;
  Variables variables_;
  std::vector<std::string> shell_;
  bool own_cmd_ = false;
  std::string upper_;  // with one_layer(): of all steps so far; empty: nothing has run
  int folders_ = 0;
};

// Every file below `folder`, and itself, gets the time; with `only_newer` those that are newer.
Status set_tree_times(const std::string& folder, std::int64_t seconds, bool only_newer);

}  // namespace minke::build
