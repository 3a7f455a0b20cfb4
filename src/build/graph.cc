#include "build/graph.h"

#include <algorithm>

#include "base/str.h"
#include "build/parse.h"
#include "build/parse_internal.h"
#include "build/remote.h"

namespace minke::build {
namespace {

std::string stage_label(const Containerfile& file, int stage) {
  const std::string& name = file.stages[static_cast<std::size_t>(stage)].name;
  return name.empty() ? concat("stage ", stage) : concat("stage ", quote(name));
}

// The last stage of this name that stands before `before`; -1: none.
int find_stage(const Containerfile& file, std::string_view name, std::size_t before) {
  const std::string lower = to_lower(name);
  for (std::size_t i = std::min(before, file.stages.size()); i-- > 0;)
    if (!file.stages[i].name.empty() && file.stages[i].name == lower) return static_cast<int>(i);
  return -1;
}

// A word of FROM: global ARGs and those of the platform.
Result<std::string> expand_global(const Containerfile& file, const Variables::Given& given,
                                  const std::string& text, const Stage& stage) {
  const Lookup lookup = [&](std::string_view name) -> std::optional<std::string> {
    for (const auto* map : {&given.globals, &given.platform}) {
      auto it = map->find(std::string(name));
      if (it == map->end()) continue;
      auto set = given.build_args.find(it->first);
      return set != given.build_args.end() ? set->second : it->second;
    }
    return std::nullopt;
  };
  auto value = expand_word(text, lookup, {.escape = file.escape});
  if (!value) return at_line(std::move(value.error()), file, stage.lines);
  if (value->empty())
    return at_line(wrong(concat(text,
                                " is empty (give the ARG before the first FROM a value, or "
                                "--build-arg)")),
                   file, stage.lines);
  return value;
}

class GraphMaker {
 public:
  GraphMaker(const Containerfile& file, const std::set<std::string>& contexts,
             const Variables::Given& given)
      : file_(file),
        contexts_(contexts),
        given_(given),
        states_(file.stages.size(), State::untouched),
        waiting_(file.stages.size()) {}

  Result<Graph> run(int target) {
    graph_.target = target;
    TRY(visit(target, {}));
    return std::move(graph_);
  }

 private:
  enum class State { untouched, open, done };

  // `from`: the lines that need it.
  Status visit(int index, const SourceLines& from) {
    State& state = states_[static_cast<std::size_t>(index)];
    if (state == State::done) return {};
    if (state == State::open)
      return at_line(wrong(concat(stage_label(file_, index), " needs itself")), file_, from);
    state = State::open;
    StageNode node;
    node.stage = index;
    TRY(read_base(index, &node));
    TRY(read_instructions(index, &node));
    std::sort(node.needs.begin(), node.needs.end());
    node.needs.erase(std::unique(node.needs.begin(), node.needs.end()), node.needs.end());
    for (int needed : node.needs)
      TRY(visit(needed, waiting_[static_cast<std::size_t>(index)].at(needed)));
    graph_.stages.push_back(std::move(node));
    states_[static_cast<std::size_t>(index)] = State::done;
    return {};
  }

  Status read_base(int index, StageNode* node) {
    const Stage& stage = file_.stages[static_cast<std::size_t>(index)];
    const std::string base = TRY(expand_global(file_, given_, stage.base, stage));
    if (!stage.platform.empty())
      node->platform = TRY(expand_global(file_, given_, stage.platform, stage));
    const int earlier = find_stage(file_, base, static_cast<std::size_t>(index));
    if (base == "scratch") {
      node->base.kind = Origin::Kind::scratch;
    } else if (contexts_.contains(base)) {
      node->base = {Origin::Kind::context, -1, base};
      node->contexts.insert(base);
    } else if (earlier >= 0) {
      node->base = {Origin::Kind::stage, earlier, base};
      need(index, earlier, stage.lines, node);
    } else {
      node->base = {Origin::Kind::image, -1, base};
    }
    return {};
  }

  void need(int index, int other, const SourceLines& lines, StageNode* node) {
    node->needs.push_back(other);
    waiting_[static_cast<std::size_t>(index)].emplace(other, lines);
  }

  Status read_instructions(int index, StageNode* node) {
    Variables variables(given_);
    // What a base stage leaves for its children to do comes first.
    if (const int base = node->base.stage; base >= 0) {
      for (const Instruction& instruction :
           file_.stages[static_cast<std::size_t>(base)].instructions)
        if (const auto* onbuild = instruction.as<node::Onbuild>()) {
          Instruction trigger = TRY(parse_trigger(onbuild->trigger, stage_label(file_, base)));
          trigger.lines = instruction.lines;
          TRY(read_one(index, -1, trigger, &variables, node));
        }
    }
    const Stage& stage = file_.stages[static_cast<std::size_t>(index)];
    for (std::size_t i = 0; i < stage.instructions.size(); ++i)
      TRY(read_one(index, static_cast<int>(i), stage.instructions[i], &variables, node));
    return {};
  }

  Status read_one(int index, int place, const Instruction& instruction, Variables* variables,
                  StageNode* node) {
    Status done = read_sources(index, place, instruction, variables, node);
    if (!done) return at_line(std::move(done.error()), file_, instruction.lines);
    return {};
  }

  Status read_sources(int index, int place, const Instruction& instruction, Variables* variables,
                      StageNode* node) {
    if (instruction.as<node::Arg>() != nullptr || instruction.as<node::Env>() != nullptr) {
      // Values that only the base image knows are empty here; the executor expands them again.
      Instruction expanded = instruction;
      if (!expand_instruction(&expanded, variables->lookup(), file_.escape)) return {};
      if (const auto* arg = expanded.as<node::Arg>())
        for (const node::Arg::Item& item : arg->items)
          variables->declare_arg(item.name, item.value);
      if (const auto* env = expanded.as<node::Env>())
        for (const KeyValue& pair : env->pairs) variables->set_env(pair.key, pair.value);
    } else if (const auto* copy = instruction.as<node::Copy>()) {
      if (!copy->from.empty())
        return add_origin(index, {place, 0}, copy->from, instruction.lines, *variables, node);
      node->reads_context = node->reads_context || reads_context(*copy);
    } else if (const auto* run = instruction.as<node::Run>()) {
      for (std::size_t i = 0; i < run->mounts.size(); ++i) {
        const RunMount& mount = run->mounts[i];
        if (!mount.from.empty())
          TRY(add_origin(index, {place, static_cast<int>(i)}, mount.from, instruction.lines,
                         *variables, node));
        else if (mount.type == RunMount::Type::bind)
          node->reads_context = true;
      }
    }
    return {};
  }

  Status add_origin(int index, std::pair<int, int> place, const std::string& text,
                    const SourceLines& lines, const Variables& variables, StageNode* node) {
    const Lookup lookup = [&](std::string_view name) -> std::optional<std::string> {
      if (auto value = variables.find(name)) return value;
      auto it = given_.globals.find(std::string(name));
      if (it == given_.globals.end()) return std::nullopt;
      return it->second;
    };
    const std::string from = TRY(expand_word(text, lookup, {.escape = file_.escape}));
    if (from.empty())
      return wrong(concat("from=", text, " is empty (only ARGs have a value here)"));
    Origin origin = resolve_origin(file_, from, contexts_);
    auto number = parse_uint(from);
    if (origin.kind == Origin::Kind::image && number)
      return wrong(concat("no stage ", from, " (there are ", file_.stages.size(), ", from 0 on)"));
    switch (origin.kind) {
      case Origin::Kind::stage:
        need(index, origin.stage, lines, node);
        break;
      case Origin::Kind::context:
        node->contexts.insert(origin.name);
        break;
      case Origin::Kind::image:
        node->images.insert(origin.name);
        break;
      case Origin::Kind::scratch:
        break;
    }
    if (place.first >= 0) node->origins.emplace(place, std::move(origin));
    return {};
  }

  const Containerfile& file_;
  const std::set<std::string>& contexts_;
  const Variables::Given& given_;
  Graph graph_;
  std::vector<State> states_;
  std::vector<std::map<int, SourceLines>> waiting_;  // by stage: what it needs, and where
};

}  // namespace

bool reads_context(const node::Copy& copy) {
  return copy.from.empty() &&
         std::any_of(copy.sources.begin(), copy.sources.end(), [&](const auto& source) {
           const bool remote = copy.add && (is_url(source.path) || is_git(source.path));
           return source.heredoc < 0 && !remote;
         });
}

const StageNode* Graph::find(int stage) const {
  for (const StageNode& node : stages)
    if (node.stage == stage) return &node;
  return nullptr;
}

Origin resolve_origin(const Containerfile& file, std::string_view from,
                      const std::set<std::string>& contexts) {
  const std::string name(from);
  if (contexts.contains(name)) return {Origin::Kind::context, -1, name};
  if (int stage = find_stage(file, from, file.stages.size()); stage >= 0)
    return {Origin::Kind::stage, stage, name};
  if (auto number = parse_uint(from); number && *number < file.stages.size())
    return {Origin::Kind::stage, static_cast<int>(*number), name};
  if (name == "scratch") return {Origin::Kind::scratch, -1, name};
  return {Origin::Kind::image, -1, name};
}

void base_on_folders(Containerfile* file, const std::set<std::string>& folders,
                     const Variables::Given& given) {
  if (folders.empty()) return;
  for (Stage& stage : file->stages) {
    // What is wrong with a base is told when the stage is needed.
    const std::string base = expand_global(*file, given, stage.base, stage).value_or("");
    if (base == "scratch" || !folders.contains(base)) continue;
    node::Copy copy;
    copy.from = base;
    copy.sources.push_back({".", -1});
    copy.destination = "/";
    stage.instructions.insert(
        stage.instructions.begin(),
        Instruction{std::move(copy), "COPY", concat("COPY --from=", base, " . /"), stage.lines});
    stage.base = "scratch";
  }
}

Result<Graph> make_graph(const Containerfile& file, std::string_view target,
                         const std::set<std::string>& contexts, const Variables::Given& given) {
  int stage = static_cast<int>(file.stages.size()) - 1;
  if (!target.empty()) {
    stage = find_stage(file, target, file.stages.size());
    auto number = parse_uint(target);
    if (stage < 0 && number && *number < file.stages.size()) stage = static_cast<int>(*number);
    if (stage < 0) {
      std::vector<std::string_view> names;
      for (const Stage& candidate : file.stages)
        if (!candidate.name.empty()) names.push_back(candidate.name);
      return Error(Errc::not_found, concat(file.filename, ": no stage ", quote(target),
                                           did_you_mean(to_lower(target), names)));
    }
  }
  return GraphMaker(file, contexts, given).run(stage);
}

}  // namespace minke::build
