#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "base/str.h"
#include "cli/commands.h"
#include "engine/engine.h"

namespace minke::cli {
namespace {

struct UnshareFlags {};
constexpr Option<UnshareFlags> kOptions[] = {
    {"rootless-netns", 0, refused, "it comes with networks"},
};
constexpr OptionTable kTables[] = {option_table<UnshareFlags>(kOptions)};

constexpr int kExitCannotRun = 126;
constexpr int kExitNotFound = 127;

Result<int> unshare(Invocation& call, UnshareFlags&) {
  engine::Engine* engine = TRY(call.engine());
  if (!engine->host().rootless)
    return Error(Errc::invalid_argument, "please use unshare with rootless");
  std::vector<std::string> words = call.args;
  if (words.empty()) {
    const char* shell = ::getenv("SHELL");
    if (shell == nullptr || *shell == '\0')
      return Error(Errc::invalid_argument, "no command specified and no $SHELL specified");
    words.emplace_back(shell);
  }
  TRY(engine->enter());
  ::setenv("CONTAINERS_GRAPHROOT", engine->host().root.c_str(), 1);
  ::setenv("CONTAINERS_RUNROOT", engine->host().runroot.c_str(), 1);
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  ::execvp(argv[0], argv.data());
  int reason = errno;
  return Error::from_errno(reason, concat("exec ", words[0]))
      .with_exit(reason == ENOENT ? kExitNotFound : kExitCannotRun);
}

}  // namespace

const constinit Command kUnshareCommand = make_command<UnshareFlags, unshare>(
    {.summary = "Run a command in a modified user namespace",
     .usage = "[options] [COMMAND [ARG...]]",
     .description = "Runs a command in a modified user namespace: the one in which rootless "
                    "containers see their "
                    "files.",
     .examples = "id\ncat /proc/self/uid_map",
     .interspersed = false},
    kTables);

}  // namespace minke::cli
