#include "base/str.h"
#include "cli/commands.h"
#include "cli/complete.h"
#include "sys/fd.h"

namespace minke::cli {
namespace {

struct CompletionOptions {
  std::string file;
  bool no_desc = false;
};
constexpr Option<CompletionOptions> kOptions[] = {
    {"file", 'f', &CompletionOptions::file, "Output the completion to file rather than stdout."},
    {"no-desc", 0, &CompletionOptions::no_desc,
     "Don't include descriptions in the completion output."},
};
constexpr OptionTable kTables[] = {option_table<CompletionOptions>(kOptions)};

Result<int> completion(Invocation& call, CompletionOptions& options) {
  std::string script = TRY(completion_script(call.args[0], call.program, !options.no_desc));
  if (options.file.empty())
    call.out.text(script);
  else
    TRY(sys::write_file(options.file, script, 0644));
  return 0;
}

struct ManOptions {};
Result<int> generate_man(Invocation& call, ManOptions&) {
  TRY(write_man_pages(call.args[0]));
  return 0;
}

}  // namespace

const constinit Command kCompletionCommand = make_command<CompletionOptions, completion>(
    {.summary = "Generate shell autocompletions",
     .usage = "[options] {bash|zsh|fish}",
     .description =
         "Prints a script that completes commands and options in the shell that is named.",
     .examples = "bash\n-f _minke zsh",
     .args = ArgRule::exactly(1)},
    kTables);

const constinit Command kGenerateManCommand =
    make_command<ManOptions, generate_man>({.summary = "Write the manual pages into a folder",
                                            .usage = "DIRECTORY",
                                            .args = ArgRule::exactly(1)});

}  // namespace minke::cli
