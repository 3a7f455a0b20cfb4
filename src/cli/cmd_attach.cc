#include "base/str.h"
#include "cli/commands.h"
#include "engine/engine.h"

namespace minke::cli {
namespace {

struct AttachOptions {
  bool latest = false, no_stdin = false, sig_proxy = true;
  std::optional<std::string> detach_keys;
};
using F = AttachOptions;
constexpr Option<F> kOptions[] = {
    {"detach-keys",
     0,
     &F::detach_keys,
     "Select the key sequence for detaching a container",
     {.shown_default = "ctrl-p,ctrl-q"}},
    {"latest", 'l', &F::latest, "Act on the latest container"},
    {"no-stdin", 0, &F::no_stdin, "Do not attach STDIN. The default is false"},
    {"sig-proxy", 0, &F::sig_proxy, "Proxy received signals to the process"},
};
constexpr OptionTable kTables[] = {option_table<F>(kOptions)};

Result<int> attach(Invocation& call, AttachOptions& flags) {
  if (call.args.size() > 1 || (call.args.empty() && !flags.latest))
    return Error(Errc::invalid_argument,
                 concat(quote(call.full_path()), " requires a name, id, or the \"--latest\" flag"));
  if (!call.args.empty() && flags.latest)
    return Error(Errc::invalid_argument, "--latest and containers cannot be used together");
  engine::Engine* engine = TRY(call.engine());
  std::string name = call.args.empty() ? TRY(engine->latest_id()) : call.args[0];
  engine::Container container = TRY(engine->find_container(name));
  engine::AttachFlags attach;
  attach.stdin_ = !flags.no_stdin && container.config.request.stdin_open;
  attach.sig_proxy = flags.sig_proxy;
  attach.detach_keys =
      TRY(engine->detach_keys(flags.detach_keys, container.config.request.terminal));
  std::optional<int> code = TRY(engine->attach(container.config.id, attach));
  return code.value_or(0);
}

}  // namespace

const constinit Command kAttachCommand = make_command<AttachOptions, attach>(
    {.summary = "Attach to a running container",
     .usage = "[options] CONTAINER",
     .description = "The attach command allows you to attach to a running container using the "
                    "container's ID or "
                    "name, either to view its ongoing output or to control it interactively.",
     .examples = "ctrID\n1234\n--no-stdin foobar"},
    kTables);

}  // namespace minke::cli
