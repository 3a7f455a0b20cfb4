#include <unistd.h>

#include "base/str.h"
#include "cli/commands.h"
#include "cli/progress.h"
#include "engine/engine.h"
#include "sys/output_file.h"

namespace minke::cli {
namespace {

struct ExportFlags {
  std::string output;
};
constexpr Option<ExportFlags> kOptions[] = {
    {"output", 'o', &ExportFlags::output,
     "Write to a specified file (default: stdout, which must be redirected)"},
};
constexpr OptionTable kTables[] = {option_table<ExportFlags>(kOptions)};

Result<int> export_(Invocation& call, ExportFlags& flags) {
  engine::Engine* engine = TRY(call.engine());
  std::string id = TRY(engine->resolve_id(call.args[0]));
  if (flags.output.empty()) {
    if (::isatty(STDOUT_FILENO) != 0)
      return Error(Errc::invalid_argument,
                   "refusing to export to terminal. Use -o flag or redirect");
    TRY(engine->export_container(id, STDOUT_FILENO));
    return 0;
  }
  // Opened first: inside of the user's namespace it might be another's file.
  sys::OutputFile file = TRY(sys::OutputFile::open(flags.output));
  ProgressBar bar("Exporting", file.fd(), ProgressBar::Measure::written_size);
  TRY(engine->export_container(id, file.fd()));
  TRY(file.keep());
  return 0;
}

}  // namespace

const constinit Command kExportCommand = make_command<ExportFlags, export_>(
    {.summary = "Export container's filesystem contents as a tar archive",
     .usage = "[options] CONTAINER",
     .description = "Exports container's filesystem contents as a tar archive and saves it on the "
                    "local machine.",
     .examples = "ctrID > myCtr.tar\n--output=\"myCtr.tar\" ctrID",
     .args = ArgRule::exactly(1)},
    kTables);

}  // namespace minke::cli
