#include "base/str.h"
#include "cli/commands.h"
#include "cli/container_flags.h"
#include "cli/select.h"

namespace minke::cli {
namespace {

struct StartFlags {
  bool all = false, attach = false, interactive = false, latest = false;
  std::optional<std::string> detach_keys;
  std::optional<bool> sig_proxy;
  std::vector<std::string> filter;
};
using F = StartFlags;
constexpr Option<F> kOptions[] = {
    {"all", 0, &F::all, "Start all containers regardless of their state or configuration"},
    {"attach", 'a', &F::attach, "Attach container's STDOUT and STDERR"},
    {"detach-keys",
     0,
     &F::detach_keys,
     "Select the key sequence for detaching a container",
     {.shown_default = "ctrl-p,ctrl-q"}},
    {"filter", 'f', &F::filter, "Filter output based on conditions given"},
    {"interactive", 'i', &F::interactive, "Make STDIN available to the contained process"},
    {"latest", 'l', &F::latest, "Act on the latest container"},
    {"sig-proxy", 0, &F::sig_proxy,
     "Proxy received signals to the process (default true if attaching, false otherwise)"},
};
constexpr OptionTable kTables[] = {option_table<F>(kOptions)};

Status check(const Invocation& call, const StartFlags& flags) {
  auto invalid = [](const char* text) { return Error(Errc::invalid_argument, text); };
  if (flags.attach && (call.args.size() > 1 || flags.all || !flags.filter.empty()))
    return invalid("you cannot start and attach multiple containers at once");
  if (flags.sig_proxy.value_or(false) && !flags.attach)
    return invalid("you cannot use sig-proxy without --attach");
  if (flags.all && !call.args.empty())
    return invalid("either start all containers or the container(s) provided in the arguments");
  if (flags.latest && !call.args.empty())
    return invalid("--latest and containers cannot be used together");
  if (call.args.empty() && !flags.latest && !flags.all && flags.filter.empty())
    return invalid("start requires at least one argument");
  return {};
}

Result<int> start_attached(engine::Engine& engine, const std::string& id, const StartFlags& flags) {
  engine::Container container = TRY(engine.find_container(id));
  const engine::CreateRequest& request = container.config.request;
  warn_no_terminal(request.terminal, flags.interactive);
  engine::Engine::StartOptions options;
  options.attach = true;
  options.attach_flags.stdin_ = flags.interactive;
  options.attach_flags.sig_proxy = flags.sig_proxy.value_or(true);
  options.attach_flags.detach_keys =
      TRY(engine.detach_keys(flags.detach_keys, container.config.request.terminal));
  engine::Engine::StartResult result = TRY(engine.start(container, options));
  return result.exit_code.value_or(0);
}

Result<int> start(Invocation& call, StartFlags& flags) {
  if (flags.interactive && call.args.size() <= 1 && !flags.all && flags.filter.empty())
    flags.attach = true;
  TRY(check(call, flags));
  engine::Engine* engine = TRY(call.engine());
  SelectFlags wanted{
      .all = flags.all, .latest = flags.latest, .cidfile = {}, .filter = flags.filter};
  Selection selection = TRY(select(*engine, wanted, call.args));
  if (flags.attach && selection.containers.size() == 1)
    return start_attached(*engine, selection.containers[0].id, flags);
  return for_each_selected(call, std::move(selection), [engine](const Selected& one) -> Status {
    engine::Container container = TRY(engine->find_container(one.id));
    TRY(engine->start(container, {}));
    return {};
  });
}

}  // namespace

const constinit Command kStartCommand = make_command<StartFlags, start>(
    {.summary = "Start one or more containers",
     .usage = "[options] CONTAINER [CONTAINER...]",
     .description = "Starts one or more containers.  The container name or ID can be used.",
     .examples = "--latest\n860a4b231279 5421ab43b45\n--interactive --attach imageID"},
    kTables);

}  // namespace minke::cli
