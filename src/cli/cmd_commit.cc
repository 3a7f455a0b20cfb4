#include "base/str.h"
#include "cli/commands.h"
#include "cli/progress.h"
#include "engine/engine.h"

namespace minke::cli {
namespace {

struct CommitFlags {
  std::string author, config, format, iidfile, message;
  std::vector<std::string> change;
  bool include_volumes = false, pause = false, quiet = false, squash = false;
};
constexpr Option<CommitFlags> kOptions[] = {
    {"author", 'a', &CommitFlags::author, "Set the author for the image committed"},
    {"change",
     'c',
     &CommitFlags::change,
     "Apply the following possible instructions to the created image (default []): CMD | "
     "ENTRYPOINT | ENV | EXPOSE | LABEL | ONBUILD | STOPSIGNAL | USER | VOLUME | WORKDIR",
     {.value_name = "stringArray"}},
    {"config", 0, &CommitFlags::config,
     "`file` containing a container configuration to merge into the image"},
    {"format",
     'f',
     &CommitFlags::format,
     "`Format` of the image manifest and metadata",
     {.shown_default = "oci"}},
    {"iidfile", 0, &CommitFlags::iidfile, "`file` to write the image ID to"},
    {"include-volumes", 0, &CommitFlags::include_volumes,
     "Include container volumes as image volumes"},
    {"message", 'm', &CommitFlags::message, "Set commit message for imported image"},
    {"pause", 'p', &CommitFlags::pause, "Pause container during commit"},
    {"quiet", 'q', &CommitFlags::quiet, "Suppress output"},
    {"squash", 's', &CommitFlags::squash, "Squash newly built layers into a single new layer"},
};
constexpr OptionTable kTables[] = {option_table<CommitFlags>(kOptions)};

Result<int> commit(Invocation& call, CommitFlags& flags) {
  engine::CommitOptions options;
  if (flags.format.empty()) flags.format = "oci";
  options.docker = flags.format == "docker";
  if (!options.docker && flags.format != "oci")
    return Error(Errc::invalid_argument, concat("unrecognized image format ", quote(flags.format)));
  if (!flags.message.empty() && !options.docker)
    return Error(Errc::invalid_argument,
                 "messages are only compatible with the docker image format (-f docker)");
  if (!flags.config.empty())
    options.config_json = TRY(sys::read_small_file(flags.config, std::size_t{8} << 20));
  if (call.args.size() > 1) options.name = call.args[1];
  options.author = flags.author;
  options.message = flags.message;
  options.changes = flags.change;
  options.include_volumes = flags.include_volumes;
  options.pause = flags.pause;
  options.squash = flags.squash;
  engine::Engine* engine = TRY(call.engine());
  std::string container = TRY(engine->resolve_id(call.args[0]));
  std::string id = TRY(engine->commit(container, options));
  if (!flags.quiet) say_copied(TRY(engine->store().find_image(id)));
  if (!flags.iidfile.empty()) TRY(sys::write_file(flags.iidfile, id, 0644));
  call.out.line(id);
  return 0;
}

}  // namespace

const constinit Command kCommitCommand = make_command<CommitFlags, commit>(
    {.summary = "Create new image based on the changed container",
     .usage = "[options] CONTAINER [IMAGE]",
     .description = "Create an image from a container's changes. Optionally tag the image created, "
                    "set the author with the --author flag, set the commit message with the "
                    "--message flag, and make changes to the instructions with the --change flag.",
     .examples = "-q --message \"committing container to image\" -f docker reverent_golick "
                 "image-committed\n"
                 "-q --author \"firstName lastName\" reverent_golick image-committed\n"
                 "-q --pause=false containerID image-committed\ncontainerID",
     .args = {1, 2}},
    kTables);

}  // namespace minke::cli
