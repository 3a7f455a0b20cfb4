#include "base/str.h"
#include "cli/commands.h"
#include "engine/engine.h"
#include "engine/host_ps.h"
#include "sys/process.h"
#include "view/top.h"

namespace minke::cli {
namespace {

struct TopFlags {
  bool latest = false;
};
constexpr Option<TopFlags> kOptions[] = {
    {"latest", 'l', &TopFlags::latest, "Act on the latest container"},
};
constexpr OptionTable kTables[] = {option_table<TopFlags>(kOptions)};

// Words for ps(1). Its process is visible inside, so a container that may trace others gets none.
Result<int> host_ps(Invocation& call, engine::Engine& engine, const engine::Container& container,
                    const std::vector<std::string>& words) {
  for (const std::string& name : container.config.cap_bounding)
    if (name == "CAP_SYS_PTRACE")
      return Error(
          Errc::unsupported,
          concat("ps(1) is not run beside a container with CAP_SYS_PTRACE, which could take "
                 "it over: use the descriptors ",
                 view::top_column_names()));
  TRY(engine.enter());
  TRY(call.out.flush());
  int code = sys::exit_code_of(TRY(engine::run_host_ps(container.live.pid, words)));
  if (code == 0) return 0;
  return Error(Errc::invalid_argument, concat("ps(1) failed with exit code ", code));
}

Result<int> top(Invocation& call, TopFlags& flags) {
  std::vector<std::string> words = call.args;
  if (words.empty() && !flags.latest)
    return Error(Errc::invalid_argument, "you must provide the name or id of a running container");
  engine::Engine* engine = TRY(call.engine());
  std::string name;
  if (flags.latest) {
    name = TRY(engine->latest_id());
  } else {
    name = words[0];
    words.erase(words.begin());
  }
  engine::Container container =
      TRY_CTX(engine->find_container(name), "unable to look up requested container");
  if (container.live.state != engine::ContainerState::running &&
      container.live.state != engine::ContainerState::paused)
    return Error(Errc::conflict, "top can only be used on running containers");
  auto columns = view::top_columns(words);
  if (!columns) return host_ps(call, *engine, container, words);
  TRY(engine->enter());
  std::vector<std::string> cells;
  for (const view::TopColumn* column : *columns) cells.emplace_back(column->header);
  std::string table = join(cells, "\t") + "\n";
  for (const engine::ProcessInfo& process : TRY(engine::list_processes(container.live.pid))) {
    cells.clear();
    for (const view::TopColumn* column : *columns) cells.push_back(column->value(process));
    table += join(cells, "\t") + "\n";
  }
  call.out.text(align_columns(table));
  return 0;
}

}  // namespace

const constinit Command kTopCommand = make_command<TopFlags, top>(
    {.summary = "Display the running processes of a container",
     .usage = "[options] CONTAINER [FORMAT-DESCRIPTORS|ARGS...]",
     .description =
         "Display the running processes of a container.\n\n"
         "The top command extends the ps(1) compatible AIX descriptors with container-specific "
         "ones "
         "as shown below. With other words, as -eo pid,comm, the host's ps(1) is run in the "
         "container's pid namespace.\n\n"
         "Format Descriptors:\n"
         "args, capamb, capbnd, capeff, capinh, capprm, comm, etime, group, groups, hgroup, "
         "hgroups, hpid, "
         "huser, "
         "label, nice, pcpu, pgid, pid, ppid, rgroup, rss, ruser, seccomp, state, stime, time, "
         "tty, user, vsz",
     .examples = "ctrID\n--latest\nctrID pid seccomp args %C\nctrID -eo user,pid,comm",
     .interspersed = false},
    kTables);

}  // namespace minke::cli
