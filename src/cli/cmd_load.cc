// load and import: archives become images. minke-image reads them; here is only who asks.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <optional>

#include "base/str.h"
#include "cli/commands.h"
#include "cli/progress.h"
#include "engine/engine.h"
#include "engine/events.h"
#include "store/image_worker.h"

namespace minke::cli {
namespace {

Result<sys::UniqueFd> open_archive(const std::string& path) {
  sys::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return Error::from_errno(errno, concat("open ", path));
  return fd;
}

// A fault in foreign bytes says whose bytes they are.
Error about(Error error, std::string_view source) {
  if (error.code() != Errc::corrupt) return error;
  return std::move(error).wrap(source.empty() || source == "-" ? "standard input" : source);
}

struct LoadOptions {
  std::string input;
  bool quiet = false;
};
constexpr Option<LoadOptions> kLoadOptions[] = {
    {"input", 'i', &LoadOptions::input, "Read from specified archive file (default: stdin)"},
    {"quiet", 'q', &LoadOptions::quiet, "Suppress the output"},
};
constexpr OptionTable kLoadTables[] = {option_table<LoadOptions>(kLoadOptions)};

Result<int> load(Invocation& call, LoadOptions& options) {
  sys::UniqueFd file;
  std::string directory;
  int input = STDIN_FILENO;
  if (!options.input.empty()) {
    file = TRY(open_archive(options.input));
    struct stat st = {};
    if (::fstat(file.get(), &st) < 0)
      return Error::from_errno(errno, concat("stat ", options.input));
    if (S_ISDIR(st.st_mode)) directory = options.input;
    input = file.get();
  } else if (::isatty(STDIN_FILENO) == 1) {
    return Error(Errc::invalid_argument,
                 "cannot read from terminal, use command-line redirection or the --input flag");
  }
  engine::Engine* engine = TRY(call.engine());
  TRY(engine->enter());
  std::optional<ProgressBar> bar;
  if (!options.quiet)
    bar.emplace("Loading", directory.empty() ? input : -1, ProgressBar::Measure::read_offset);
  auto result = store::load_archive(engine->store(), input, directory);
  bar.reset();
  if (!result) return about(std::move(result.error()), options.input);
  store::LoadResult& loaded = *result;
  for (const std::string& id : loaded.image_ids)
    engine::emit_image(engine->host(), "loadfromarchive", id,
                       options.input.empty() ? "-" : options.input);
  if (!options.quiet)
    for (const std::string& id : loaded.image_ids) say_copied(TRY(engine->store().find_image(id)));
  for (const std::string& name : loaded.names) {
    bool untagged = name.size() == 64 && is_hex(name);
    call.out.line(concat("Loaded image: ", untagged ? "sha256:" : "", name));
  }
  return 0;
}

struct ImportOptions {
  std::vector<std::string> change;
  std::string message, os, arch, variant;
  bool quiet = false;
};
constexpr Option<ImportOptions> kImportOptions[] = {
    {"arch", 0, &ImportOptions::arch, "Set the architecture of the imported image"},
    {"change", 'c', &ImportOptions::change,
     "Apply the following possible instructions to the created image: CMD | ENTRYPOINT | ENV | "
     "EXPOSE | LABEL | ONBUILD | STOPSIGNAL | USER | VOLUME | WORKDIR"},
    {"message", 'm', &ImportOptions::message, "Set commit message for imported image"},
    {"os", 0, &ImportOptions::os, "Set the OS of the imported image"},
    {"quiet", 'q', &ImportOptions::quiet, "Suppress output"},
    {"variant", 0, &ImportOptions::variant, "Set the variant of the imported image"},
};
constexpr OptionTable kImportTables[] = {option_table<ImportOptions>(kImportOptions)};

Result<std::string> import_name(std::string_view typed) {
  oci::Reference ref =
      TRY_CTX(oci::Reference::parse(typed), concat("normalizing name ", quote(typed)));
  if (!ref.digest.empty())
    return Error(Errc::invalid_argument,
                 concat(quote(typed), ": an image cannot be named by a digest"));
  return ref.normalized("localhost").str();
}

Result<int> import(Invocation& call, ImportOptions& options) {
  const std::string& source = call.args[0];
  store::ImportRequest request;
  if (call.args.size() > 1) request.name = TRY(import_name(call.args[1]));
  sys::UniqueFd file;
  if (source == "-") {
    if (::isatty(STDIN_FILENO) == 1)
      return Error(Errc::invalid_argument,
                   "cannot read from terminal, use command-line redirection");
    request.input_fd = STDIN_FILENO;
  } else if (source.find("://") != std::string::npos) {
    return Error(Errc::unsupported,
                 concat(call.full_path(), ": ", source,
                        ": addresses are not supported yet: fetch it first, or pipe it in"));
  } else {
    file = TRY_CTX(open_archive(source), concat("error opening ", quote(source)));
    request.input_fd = file.get();
  }
  request.changes = options.change;
  request.message = options.message;
  request.os = options.os;
  request.architecture = options.arch;
  request.variant = options.variant;

  engine::Engine* engine = TRY(call.engine());
  TRY(engine->enter());
  std::optional<ProgressBar> bar;
  if (!options.quiet) bar.emplace("Importing", request.input_fd, ProgressBar::Measure::read_offset);
  auto imported = store::import_rootfs(engine->store(), request);
  bar.reset();
  if (!imported) return about(std::move(imported.error()), source);
  const std::string& id = *imported;
  engine::emit_image(engine->host(), "import", id, source);
  if (!options.quiet) say_copied(TRY(engine->store().find_image(id)));
  call.out.line(concat("sha256:", id));
  return 0;
}

}  // namespace

const constinit Command kLoadCommand = make_command<LoadOptions, load>(
    {.summary = "Load image(s) from a tar archive",
     .usage = "[options]",
     .description = "Loads an image from a locally stored archive (tar file) or OCI layout into "
                    "container storage.",
     .examples = "-i image.tar",
     .args = ArgRule::none()},
    kLoadTables);

const constinit Command kImportCommand = make_command<ImportOptions, import>(
    {.summary = "Import a tarball to create a filesystem image",
     .usage = "[options] PATH [REFERENCE]",
     .description =
         "Create a container image from the contents of the specified tarball (.tar, .tar.gz, "
         ".tgz, .bzip, .tar.xz, .txz, .tar.zst).\n"
         "With - the tarball is read from standard input. Instructions of the image are given by "
         "--change.",
     .examples = "--message \"importing the ctr.tar tarball\" ctr.tar image-imported",
     .args = {1, 2}},
    kImportTables);

}  // namespace minke::cli
