// COPY, ADD and WORKDIR: files written into the stage's layers, mounted here.
#include <fcntl.h>
#include <sys/stat.h>

#include "base/str.h"
#include "build/copy.h"
#include "build/stage.h"
#include "engine/parse_internal.h"
#include "engine/rootfs_view.h"
#include "engine/users.h"

namespace minke::build {
namespace {

// All that the instruction says.
void add_copy(const node::Copy& copy, KeyMaker* key) {
  for (const node::Copy::Source& source : copy.sources) key->add(source.path);
  key->add(copy.destination).add(copy.chown).add(copy.chmod).add(copy.exclude);
  key->add(copy.link ? 1 : 0).add(copy.parents ? 1 : 0).add(copy.checksum);
  key->add(copy.unpack ? (*copy.unpack ? "unpack" : "keep") : "");
}

}  // namespace

Status StageBuilder::copy(const node::Copy& copy, const Instruction& instruction,
                          const Step& step) {
  CopyPlan plan;
  plan.copy = &copy;
  plan.workdir = config().working_dir;
  plan.rootless = engine_.host().rootless;
  plan.strip_ids = copy.from.empty();
  plan.store = &engine_.store();
  KeyMaker key("copy 2"), quick("copy-from 1");
  for (KeyMaker* maker : {&key, &quick})
    maker->add(top()).add(config().working_dir).add(instruction.keyword).add(plan_.times);
  std::string quick_name;
  sys::UniqueFd tree;
  Origin origin = origin_of(copy.from);
  if (origin.kind == Origin::Kind::context) {
    if (!copy.from.empty() || reads_context(copy))
      plan.context = TRY(plan_.contexts->find(origin.name));
  } else {
    Tree from = TRY(tree_of(origin));
    if (from.layers.empty())
      return Error(Errc::not_found, concat("COPY --from=", copy.from, ": nothing is in it"));
    // The same layers hold the same files: they need not be read to know that.
    quick.add(from.identity);
    add_copy(copy, &quick);
    quick_name = quick.hex();
    if (copy.heredocs.empty() && TRY(use_cached(quick_name, step))) return {};
    tree = from.layers.size() == 1
               ? TRY(sys::open(from.layers[0], O_RDONLY | O_DIRECTORY))
               : TRY(engine::mount_layers(from.layers, engine_.host().rootless));
    plan.tree = tree.get();
  }
  plan.git.secrets = &plan_.options.secrets;
  plan.git.private_folder = plan_.folder;
  if (auto agent = plan_.agents.find("default"); agent != plan_.agents.end())
    plan.git.agent = agent->second;
  plan.scratch = fresh_folder("fetched");
  TRY(sys::make_dir_at(sys::DirFd::cwd(), plan.scratch.c_str(), 0700));
  key.add(TRY(copy_digest(plan)));
  const std::string name = key.hex();
  if (TRY(use_cached(name, step))) return remember_as(quick_name);
  const std::string upper = TRY(new_upper());
  {
    sys::UniqueFd root = TRY(open_writable(upper));
    TRY(perform_copy(plan, root.get()));
  }
  TRY(seal(upper, name, step));
  return remember_as(quick_name);
}

// The step that came last, under a second key.
Status StageBuilder::remember_as(const std::string& key) {
  if (key.empty() || one_layer() || result_.steps.empty()) return {};
  store::CachedStep step = result_.steps.back();
  step.key = key;
  TRY(cache_.put(step));
  result_.steps.push_back(std::move(step));
  return {};
}

// The folder is made where it is missing, owned by the user of the stage.
Status StageBuilder::workdir(const node::Workdir& workdir, const Step& step) {
  const std::string path = absolute(workdir.path);
  config().working_dir = path;
  KeyMaker key("workdir 1");
  key.add(top()).add(path).add(config().user).add(plan_.times);
  const std::string name = key.hex();
  if (TRY(use_cached(name, step))) return {};
  {
    sys::UniqueFd view = TRY(open_view());
    if (sys::open_in_root(view.get(), path.c_str(), O_PATH | O_DIRECTORY)) {
      store::CachedStep nothing;
      nothing.key = name;
      nothing.created = now();
      nothing.text = step.instruction->original;
      if (!one_layer()) {
        TRY(cache_.put(nothing));
        result_.steps.push_back(nothing);
      }
      add_history(step, true, 0);
      report_.end(false, "");
      return {};
    }
  }
  const std::string upper = TRY(new_upper());
  {
    sys::UniqueFd root = TRY(open_writable(upper));
    engine::ResolvedUser owner = TRY(engine::resolve_user(
        config().user, {}, engine::read_account_file(root.get(), "/etc/passwd"),
        engine::read_account_file(root.get(), "/etc/group")));
    sys::UniqueFd at = TRY(sys::open_in_root(root.get(), "/", O_RDONLY | O_DIRECTORY));
    std::string so_far;
    for (std::string_view part : split(std::string_view(path).substr(1), '/')) {
      so_far += concat("/", part);
      auto there = sys::open_in_root(root.get(), so_far.c_str(), O_RDONLY | O_DIRECTORY);
      if (there) {
        at = std::move(*there);
        continue;
      }
      if (there.error().sys() != ENOENT) return std::move(there.error()).wrap(path);
      const std::string child(part);
      if (::mkdirat(at.get(), child.c_str(), 0755) < 0)
        return Error::from_errno(errno, concat("mkdir ", so_far));
      sys::UniqueFd made =
          TRY(sys::open_beneath(at.get(), child.c_str(), O_RDONLY | O_DIRECTORY, 0, true));
      if (::fchown(made.get(), owner.uid, owner.gid) < 0 || ::fchmod(made.get(), 0755) < 0)
        return Error::from_errno(errno, concat("chown ", so_far));
      at = std::move(made);
    }
  }
  return seal(upper, name, step);
}

}  // namespace minke::build
