#include <unistd.h>

#include "base/str.h"
#include "cli/commands.h"
#include "engine/engine.h"

namespace minke::cli {
namespace {

struct CpFlags {
  bool archive = true, overwrite = false, pause = true;
};
constexpr Option<CpFlags> kOptions[] = {
    {"archive", 'a', &CpFlags::archive,
     "Chown copied files to the primary uid/gid of the destination container."},
    {"overwrite", 0, &CpFlags::overwrite,
     "Allow to overwrite directories with non-directories and "
     "vice versa"},
    {"pause", 0, &CpFlags::pause, "Deprecated", {.hidden = true}},
};
constexpr OptionTable kTables[] = {option_table<CpFlags>(kOptions)};

// What begins with a dot or a slash is a path of the host.
engine::CopyEnd parse_end(const std::string& word) {
  if (word.starts_with('.') || word.starts_with('/')) return {"", word};
  if (auto parts = split_once(word, ':'))
    return {std::string(parts->first), std::string(parts->second)};
  return {"", word};
}

Result<int> cp(Invocation& call, CpFlags& flags) {
  engine::CopyEnd from = parse_end(call.args[0]), to = parse_end(call.args[1]);
  if (from.path.empty() || to.path.empty())
    return Error(Errc::invalid_argument, concat("invalid arguments ", quote(call.args[0]), ", ",
                                                quote(call.args[1]), ": you must specify paths"));
  if (from.container.empty() && to.container.empty())
    return Error(Errc::invalid_argument,
                 concat("invalid arguments ", quote(call.args[0]), ", ", quote(call.args[1]),
                        ": one of them must be CONTAINER:PATH"));
  if (to.container.empty() && to.path == "-" && ::isatty(STDOUT_FILENO) == 1)
    return Error(Errc::invalid_argument, "refusing to write an archive to a terminal: redirect it");
  engine::Engine* engine = TRY(call.engine());
  TRY(engine->copy(from, to, {.archive = flags.archive, .overwrite = flags.overwrite}));
  return 0;
}

}  // namespace

const constinit Command kCpCommand = make_command<CpFlags, cp>(
    {.summary = "Copy files/folders between a container and the local filesystem",
     .usage = "[options] [CONTAINER:]SRC_PATH [CONTAINER:]DEST_PATH",
     .description = "Copies files or folders between a container and the local filesystem, or "
                    "between containers.\nWith - as the source a tar archive is read from standard "
                    "input, with - as the destination one is written to standard output.",
     .examples = "/myapp/app.conf ctrID:/myapp/app.conf\nctrID:/home/myuser/myfiles.tar /tmp\n"
                 "ctrID1:/data ctrID2:/\n- ctrID:/ < files.tar",
     .args = ArgRule::exactly(2)},
    kTables);

}  // namespace minke::cli
