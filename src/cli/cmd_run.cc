#include "base/log.h"
#include "base/str.h"
#include "cli/choose.h"
#include "cli/commands.h"
#include "cli/container_flags.h"
#include "cli/transfer_report.h"
#include "engine/engine.h"

namespace minke::cli {
namespace {

engine::AttachFlags attach_flags(const engine::CreateRequest& request, const RunFlags& flags) {
  engine::AttachFlags attach;
  attach.sig_proxy = flags.sig_proxy;
  attach.stdin_ = request.stdin_open;
  if (request.attach.empty()) return attach;
  attach.stdin_ = attach.stdout_ = attach.stderr_ = false;
  for (const std::string& stream : request.attach) {
    attach.stdin_ = attach.stdin_ || stream == "stdin";
    attach.stdout_ = attach.stdout_ || stream == "stdout";
    attach.stderr_ = attach.stderr_ || stream == "stderr";
  }
  return attach;
}

Result<int> run(Invocation& call, RunFlags& flags) {
  engine::CreateRequest request = TRY(make_run_request(call, flags));
  TRY(check_cidfile(flags.cidfile));
  if (!flags.detach) warn_no_terminal(flags.tty, flags.interactive);
  TransferReport report(TransferReport::Way::pull, flags.quiet);
  request.pull_watch = report.watch();
  ask_for_short_names();
  engine::Engine* engine = TRY(call.engine());

  engine::Engine::RunOptions options;
  options.detach = flags.detach;
  options.attach_flags = attach_flags(request, flags);
  options.attach_flags.detach_keys =
      TRY(engine->detach_keys(flags.detach_keys, request.terminal && !flags.detach));
  options.on_created = [&flags](const std::string& id) {
    if (Status written = write_cidfile(flags.cidfile, id); !written)
      log::error(written.error().message());
  };
  engine::Engine::RunResult result = TRY(engine->run(request, options));
  if (flags.detach) call.out.line(result.id);
  // In the background whoever records the end does it; after a detach by keys the container goes
  // on.
  if (flags.rmi && !flags.detach && !result.detached) remove_image_after(*engine, request.image);
  return result.exit_code.value_or(0);
}

}  // namespace

const constinit Command kRunCommand = make_command<RunFlags, run>(
    {.summary = "Run a command in a new container",
     .usage = "[options] IMAGE [COMMAND [ARG...]]",
     .description = "Runs a command in a new container from the given image",
     .examples = "imageID ls -alF /etc\n--network=host imageID dnf -y install java\n"
                 "--volume /var/hostdir:/var/ctrdir -i -t fedora /bin/bash",
     .args = ArgRule::at_least(1),
     .interspersed = false},
    kRunTables);

}  // namespace minke::cli
