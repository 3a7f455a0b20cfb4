#include "base/str.h"
#include "cli/commands.h"
#include "cli/container_flags.h"
#include "engine/engine.h"
#include "engine/parse.h"
#include "runtime/protect.h"
#include "sys/fd.h"

namespace minke::cli {
namespace {

struct ExecFlags {
  std::string cidfile, user, workdir;
  bool detach = false, interactive = false, latest = false, no_session = false, privileged = false,
       tty = false;
  std::optional<std::string> detach_keys;
  std::vector<std::string> env, env_file, preserve_fd;
  std::uint32_t preserve_fds = 0;
};
using F = ExecFlags;
constexpr Option<F> kOptions[] = {
    {"cidfile", 0, &F::cidfile, "Read the container ID from the file"},
    {"detach", 'd', &F::detach, "Run the exec session in detached mode (backgrounded)"},
    {"detach-keys",
     0,
     &F::detach_keys,
     "Select the key sequence for detaching a container",
     {.shown_default = "ctrl-p,ctrl-q"}},
    {"env", 'e', &F::env, "Set environment variables"},
    {"env-file", 0, &F::env_file, "Read in a file of environment variables"},
    {"interactive", 'i', &F::interactive, "Make STDIN available to the contained process"},
    {"latest", 'l', &F::latest, "Act on the latest container"},
    {"no-session", 0, &F::no_session,
     "Do not keep a record of the session (one in the foreground never has one)"},
    {"preserve-fd",
     0,
     &F::preserve_fd,
     "Pass a list of additional file descriptors to the container",
     {.csv = true}},
    {"preserve-fds", 0, &F::preserve_fds, "Pass N additional file descriptors to the container"},
    {"privileged", 0, &F::privileged,
     "Give the process extended Linux capabilities inside the container"},
    {"tty", 't', &F::tty, "Allocate a pseudo-TTY. The default is false"},
    {"user", 'u', &F::user,
     "Sets the username or UID used and optionally the groupname or GID for the specified command"},
    {"workdir", 'w', &F::workdir, "Working directory inside the container"},
};
constexpr OptionTable kTables[] = {option_table<F>(kOptions)};

// As Podman ends when the container does not run or no command is given.
constexpr int kExitNoSession = 255;

// Takes the container's word from the arguments unless an option names it.
Result<std::string> container_id(engine::Engine& engine, const ExecFlags& flags,
                                 std::vector<std::string>* args) {
  if (flags.latest) return engine.latest_id();
  if (!flags.cidfile.empty()) {
    std::string text = TRY_CTX(sys::read_small_file(flags.cidfile), "reading CIDFile");
    return engine.resolve_id(trim(std::string_view(text).substr(0, text.find('\n'))));
  }
  std::string word = std::move(args->front());
  args->erase(args->begin());
  return engine.resolve_id(word);
}

Result<int> exec(Invocation& call, ExecFlags& flags) {
  if (call.args.empty() && !flags.latest && flags.cidfile.empty())
    return Error(Errc::invalid_argument,
                 "exec requires the name or ID of a container or the --latest or --cidfile flag");
  if (flags.latest && !flags.cidfile.empty())
    return Error(Errc::invalid_argument, "--latest and --cidfile cannot be used together");
  // We enter the container ourselves: our file must not be writable through /proc/self/exe from
  // there. First of all, since the program starts again.
  if (!flags.detach) TRY(runtime::protect_own_binary());
  engine::ExecOptions options;
  for (const std::string& path : flags.env_file)
    for (std::string& entry : TRY(engine::parse_env_file(path)))
      options.env.push_back(std::move(entry));
  options.env.insert(options.env.end(), flags.env.begin(), flags.env.end());
  options.user = flags.user;
  options.workdir = flags.workdir;
  options.terminal = flags.tty;
  options.stdin_open = flags.interactive;
  options.privileged = flags.privileged;
  TRY(check_preserved(flags.preserve_fds));
  options.preserve_fds = flags.preserve_fds;
  options.preserve_fd = TRY(parse_descriptors(flags.preserve_fd));
  if (!flags.detach) warn_no_terminal(flags.tty, flags.interactive);

  engine::Engine* engine = TRY(call.engine());
  options.detach_keys = TRY(engine->detach_keys(flags.detach_keys, flags.tty && !flags.detach));
  std::string id = TRY(container_id(*engine, flags, &call.args));
  if (call.args.empty())
    return Error(Errc::invalid_argument,
                 "must provide a non-empty command to start an exec session: invalid argument")
        .with_exit(kExitNoSession);
  options.command = std::move(call.args);
  engine::AttachFlags attach;
  attach.stdin_ = flags.interactive;
  attach.detach_keys = options.detach_keys;
  auto result = engine->exec(id, options, attach, flags.detach);
  if (!result) {
    if (result.error().code() == Errc::conflict && result.error().exit_code() == 0)
      return std::move(result.error()).with_exit(kExitNoSession);
    return std::move(result.error());
  }
  if (flags.detach) call.out.line(result->session);
  return result->exit_code;
}

}  // namespace

const constinit Command kExecCommand = make_command<ExecFlags, exec>(
    {.summary = "Run a process in a running container",
     .usage = "[options] CONTAINER COMMAND [ARG...]",
     .description = "Execute the specified command inside a running container.",
     .examples = "-it ctrID ls\n-it -w /tmp myCtr pwd\n--user root ctrID ls",
     .interspersed = false},
    kTables);

}  // namespace minke::cli
