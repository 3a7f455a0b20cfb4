// volume export, import, mount, unmount and reload: what is in a volume.
#include <unistd.h>

#include "base/str.h"
#include "cli/commands.h"
#include "engine/engine.h"
#include "engine/volume_data.h"
#include "sys/output_file.h"

namespace minke::cli {
namespace {

Result<engine::VolumeConfig> find_volume(engine::Engine& engine, const std::string& name) {
  auto volume = engine.volumes().find(name);
  if (!volume && volume.error().code() == Errc::not_found)
    return Error(Errc::not_found, concat("no such volume ", name));
  return volume;
}

struct ExportOptions {
  std::string output;
};
constexpr Option<ExportOptions> kExportOptions[] = {
    {"output",
     'o',
     &ExportOptions::output,
     "Write to a specified file (default: stdout, which must be redirected)",
     {.shown_default = "/dev/stdout"}},
};
constexpr OptionTable kExportTables[] = {option_table<ExportOptions>(kExportOptions)};

Result<int> export_(Invocation& call, ExportOptions& options) {
  engine::Engine* engine = TRY(call.engine());
  engine::VolumeConfig volume = TRY(find_volume(*engine, call.args[0]));
  if (options.output.empty() || options.output == "/dev/stdout") {
    if (::isatty(STDOUT_FILENO) != 0)
      return Error(Errc::invalid_argument,
                   "refusing to export to terminal. Use -o flag or redirect");
    TRY(engine::export_volume(*engine, volume, STDOUT_FILENO));
    return 0;
  }
  // Opened first: inside of the user's namespace it might be another's file.
  sys::OutputFile file = TRY(sys::OutputFile::open(options.output));
  TRY(engine::export_volume(*engine, volume, file.fd()));
  TRY(file.keep());
  return 0;
}

struct NoOptions {};
Result<int> import_(Invocation& call, NoOptions&) {
  engine::Engine* engine = TRY(call.engine());
  sys::UniqueFd file;
  int input = STDIN_FILENO;
  std::string source = call.args.size() > 1 ? call.args[1] : "-";
  if (source != "-") {
    file = sys::UniqueFd(::open(source.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return Error::from_errno(errno, concat("open ", source));
    input = file.get();
  } else if (::isatty(STDIN_FILENO) == 1) {
    return Error(Errc::invalid_argument, "cannot read from terminal, use command-line redirection");
  }
  engine::VolumeConfig volume = TRY(find_volume(*engine, call.args[0]));
  TRY(engine::import_volume(*engine, volume, input));
  return 0;
}

Status need_unshare(const engine::Engine& engine, const Invocation& call) {
  if (!engine.host().rootless || engine.host().in_user_namespace) return {};
  return Error(Errc::permission,
               concat("cannot run command ", quote(call.full_path()),
                      " in rootless mode, must execute `", call.program, " unshare` first"));
}

Result<int> mount(Invocation& call, NoOptions&) {
  engine::Engine* engine = TRY(call.engine());
  TRY(need_unshare(*engine, call));
  engine::VolumeConfig volume = TRY(engine->volumes().find(call.args[0]));
  call.out.line(TRY(engine::volume_folder(*engine, volume)));
  return 0;
}

Result<int> unmount(Invocation& call, NoOptions&) {
  engine::Engine* engine = TRY(call.engine());
  TRY(need_unshare(*engine, call));
  engine::VolumeConfig volume = TRY(engine->volumes().find(call.args[0]));
  TRY(engine::volume_folder(*engine, volume));
  call.out.line(volume.name);
  return 0;
}

// As Podman without plugins: nothing is added, nothing removed, nothing said.
Result<int> reload(Invocation& call, NoOptions&) {
  TRY(call.engine());
  return 0;
}

}  // namespace

const constinit Command kVolumeExportCommand = make_command<ExportOptions, export_>(
    {.summary = "Export volumes",
     .usage = "[options] VOLUME",
     .description = "Writes what is in a volume as a tar archive.",
     .examples = "myvol > myvol.tar\n--output=myvol.tar myvol",
     .args = ArgRule::exactly(1)},
    kExportTables);

const constinit Command kVolumeImportCommand = make_command<NoOptions, import_>(
    {.summary = "Import a tarball contents into a volume",
     .usage = "VOLUME [SOURCE]",
     .description =
         "Unpacks a tar archive (plain, or compressed by gzip, bzip2, xz or zstd) into a "
         "volume that exists. What the archive names is replaced, all else stays.",
     .examples = "my_vol /home/user/import.tar",
     .args = {1, 2}});

const constinit Command kVolumeMountCommand = make_command<NoOptions, mount>(
    {.summary = "Mount volume",
     .usage = "NAME",
     .description = "Prints the folder that a volume is. An ordinary user runs it inside of "
                    "`unshare`, where the files have the owners that containers see.",
     .examples = "myvol",
     .args = ArgRule::exactly(1)});

const constinit Command kVolumeUnmountCommand = make_command<NoOptions, unmount>(
    {.summary = "Unmount volume",
     .usage = "NAME",
     .description = "Undoes `volume mount`: nothing has to be done, since a volume is a folder.",
     .examples = "myvol",
     .args = ArgRule::exactly(1)});

const constinit Command kVolumeReloadCommand = make_command<NoOptions, reload>(
    {.summary = "Reload all volumes from volume plugins",
     .usage = "",
     .description = "Asks volume plugins for their volumes. There are no plugins here, so there is "
                    "nothing to reload.",
     .args = ArgRule::none()});

}  // namespace minke::cli
