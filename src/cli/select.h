// Which containers a command is about: names, --all, --latest, --filter, --cidfile.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cli/command.h"
#include "engine/engine.h"

namespace minke::cli {

struct SelectFlags {
  bool all = false, latest = false;
  std::vector<std::string> cidfile, filter;
};

struct Selected {
  std::string id;
  std::string typed;  // what to call it in output: the word that was typed, or the full id
};

struct Selection {
  std::vector<Selected> containers;
  ErrorList errors;  // names that stand for nothing: those of others go on
};

enum class LatestText { arguments, containers };  // Podman words it in two ways

// Faults of combinations that make no sense; `words`: how many names were typed.
Status check_selection(const SelectFlags& flags, std::size_t words,
                       LatestText text = LatestText::arguments);

// `up_only`: --all means those that run.
struct SelectRules {
  bool ignore_missing = false;
  std::vector<engine::ContainerState> all_states = {};  // of --all; none: every one
};
Result<Selection> select(engine::Engine& engine, const SelectFlags& flags,
                         const std::vector<std::string>& words, const SelectRules& rules = {});

std::vector<std::string> ids_of(const Selection& selection);

// For each: what `act` says, its name printed when it went well, else its fault kept.
Result<int> for_each_selected(Invocation& call, Selection selection,
                              const std::function<Status(const Selected&)>& act);

}  // namespace minke::cli
