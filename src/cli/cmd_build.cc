#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "cli/build_flags.h"
#include "cli/build_progress.h"
#include "cli/choose.h"
#include "cli/commands.h"
#include "codec/json.h"
#include "engine/engine.h"
#include "engine/name_chooser.h"

namespace minke::cli {
namespace {

// --metadata-file, in the words of Docker's.
Status write_metadata(const std::string& path, const build::BuildOutcome& outcome,
                      const store::Image& image) {
  json::Object root;
  root["containerimage.config.digest"] = concat("sha256:", outcome.id);
  root["containerimage.digest"] = image.manifest_descriptor.digest.str();
  if (!outcome.names.empty()) root["image.name"] = join(outcome.names, ",");
  return sys::write_file(path, json::dump(json::Value(std::move(root))), 0644);
}

// Asks for short names on a terminal, as pull does, for as long as it lives: below what has ended.
class Asking {
 public:
  explicit Asking(BuildProgress& progress) {
    ask_for_short_names();
    engine::NameChooser ask = engine::name_chooser();
    if (!ask) return;
    engine::set_name_chooser([ask, &progress](const std::vector<std::string>& names) {
      progress.make_room();
      return ask(names);
    });
  }
  Asking(const Asking&) = delete;
  Asking& operator=(const Asking&) = delete;
  ~Asking() { engine::set_name_chooser({}); }
};

Result<int> build(Invocation& call, BuildFlags& flags) {
  if (call.args.empty()) call.args.emplace_back(".");
  build::BuildOptions options = TRY(build_options(call, flags));
  sys::UniqueFd log;
  if (!flags.logfile.empty())
    log = TRY(sys::open(flags.logfile, O_WRONLY | O_CREAT | O_TRUNC, 0644));
  const int fd = log ? log.get() : STDERR_FILENO;
  using Form = BuildProgress::Form;
  Form form = flags.quiet ? Form::none : ::isatty(fd) == 1 ? Form::live : Form::plain;
  engine::Engine* engine = TRY(call.engine());
  build::BuildOutcome outcome;
  {
    BuildProgress progress(fd, form);
    Asking asking(progress);
    outcome = TRY(build::build(
        *engine, options, [&progress](const build::BuildEvent& event) { progress.take(event); }));
  }
  if (!flags.quiet)
    for (const std::string& warning : outcome.warnings) log::warn(warning);
  if (outcome.id.empty()) return 0;
  if (!flags.iidfile.empty())
    TRY(sys::write_file(flags.iidfile, concat("sha256:", outcome.id), 0644));
  if (!flags.iidfile_raw.empty()) TRY(sys::write_file(flags.iidfile_raw, outcome.id, 0644));
  if (!flags.metadata_file.empty()) {
    store::Image image = TRY(engine->store().find_image_or_list(outcome.id));
    TRY(write_metadata(flags.metadata_file, outcome, image));
  }
  if (!flags.quiet)
    for (const std::string& name : outcome.names)
      call.out.line(concat("Successfully tagged ", name));
  call.out.line(outcome.id);
  return 0;
}

}  // namespace

const constinit Command kBuildCommand = make_command<BuildFlags, build>(
    {.summary = "Build an image using instructions from Containerfiles",
     .usage = "[options] [CONTEXT]",
     .description = "Builds an OCI or Docker image using instructions from one or more "
                    "Containerfiles and a specified build context directory.",
     .examples = ".\n--creds=username:password -t imageName -f Containerfile.simple .\n"
                 "--layers --force-rm --tag imageName .",
     .args = ArgRule::at_most(1)},
    kBuildTables);

}  // namespace minke::cli
