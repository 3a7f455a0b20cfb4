#include "cli/select.h"

#include "base/str.h"
#include "cli/container_filter.h"
#include "sys/fd.h"

namespace minke::cli {

Status check_selection(const SelectFlags& flags, std::size_t words, LatestText text) {
  auto invalid = [](const char* message) { return Error(Errc::invalid_argument, message); };
  if (flags.all && flags.latest) return invalid("--all and --latest cannot be used together");
  if (!flags.cidfile.empty() && (flags.all || flags.latest))
    return invalid("--all, --latest, and --cidfile cannot be used together");
  if (!flags.filter.empty()) {
    if (flags.latest) return invalid("--filter and --latest cannot be used together");
    if (words > 0) return invalid("--filter takes no arguments");
    return {};
  }
  if (words > 0 && flags.all) return invalid("no arguments are needed with --all");
  if (words > 0 && flags.latest)
    return invalid(text == LatestText::arguments
                       ? "--latest and arguments cannot be used together"
                       : "--latest and containers cannot be used together");
  if (words == 0 && !flags.all && !flags.latest && flags.cidfile.empty())
    return invalid("you must provide at least one name or id");
  return {};
}

Result<Selection> select(engine::Engine& engine, const SelectFlags& flags,
                         const std::vector<std::string>& words, const SelectRules& rules) {
  Selection out;
  if (flags.latest) {
    std::string id = TRY(engine.latest_id());
    out.containers.push_back({id, id});
    return out;
  }
  if (flags.all || !flags.filter.empty()) {
    ContainerFilter filter = TRY(ContainerFilter::make(engine, flags.filter));
    for (const engine::ContainerSummary& container : TRY(engine.list_containers())) {
      bool wanted = rules.all_states.empty();
      for (engine::ContainerState state : rules.all_states)
        wanted = wanted || state == container.state;
      if (wanted && filter.matches(container))
        out.containers.push_back({container.id, container.id});
    }
    return out;
  }
  auto add = [&](const std::string& word, const std::string& typed) {
    auto id = engine.resolve_id(word);
    if (id) {
      for (const Selected& known : out.containers)
        if (known.id == *id) return;
      out.containers.push_back({std::move(*id), typed});
    } else if (!rules.ignore_missing || id.error().code() != Errc::not_found) {
      out.errors.add(std::move(id.error()));
    }
  };
  for (const std::string& path : flags.cidfile) {
    auto text = sys::read_small_file(path);
    if (!text) {
      if (rules.ignore_missing && text.error().code() == Errc::not_found) continue;
      return std::move(text.error()).wrap("reading CIDFile");
    }
    std::string id(trim(std::string_view(*text).substr(0, text->find('\n'))));
    add(id, id);
  }
  for (const std::string& word : words) add(word, word);
  return out;
}

std::vector<std::string> ids_of(const Selection& selection) {
  std::vector<std::string> ids;
  for (const Selected& one : selection.containers) ids.push_back(one.id);
  return ids;
}

Result<int> for_each_selected(Invocation& call, Selection selection,
                              const std::function<Status(const Selected&)>& act) {
  for (const Selected& container : selection.containers) {
    Status done = act(container);
    if (done)
      call.out.line(container.typed);
    else
      selection.errors.add(std::move(done.error()));
  }
  return finish(std::move(selection.errors));
}

}  // namespace minke::cli
