#include <unistd.h>

#include <algorithm>

#include "base/str.h"
#include "cli/commands.h"
#include "cli/progress.h"
#include "engine/engine.h"
#include "engine/events.h"
#include "store/image_name.h"
#include "store/image_worker.h"
#include "sys/output_file.h"

namespace minke::cli {
namespace {

struct SaveOptions {
  bool compress = false, multi = false, quiet = false, uncompressed = false;
  std::string format = "docker-archive", output;
};
constexpr Option<SaveOptions> kOptions[] = {
    {"compress", 0, &SaveOptions::compress,
     "Compress tarball image layers when saving to a directory using the 'dir' transport. (default "
     "is same compression type as source)"},
    {"format", 0, &SaveOptions::format,
     "Save image to oci-archive, oci-dir (directory with oci manifest type), docker-archive, "
     "docker-dir (directory with v2s2 manifest type)"},
    {"multi-image-archive", 'm', &SaveOptions::multi,
     "Interpret additional arguments as images not tags and create a multi-image-archive (only for "
     "docker-archive)"},
    {"output", 'o', &SaveOptions::output,
     "Write to a specified file (default: stdout, which must be redirected)"},
    {"quiet", 'q', &SaveOptions::quiet, "Suppress the output"},
    {"uncompressed", 0, &SaveOptions::uncompressed,
     "Accept uncompressed layers when copying OCI images (they are always kept as they came)"},
};
constexpr OptionTable kTables[] = {option_table<SaveOptions>(kOptions)};

struct Format {
  std::string_view name;
  store::ArchiveFormat format;
  bool directory;
};
constexpr Format kFormats[] = {
    {"oci-dir", store::ArchiveFormat::oci_dir, true},
    {"oci-archive", store::ArchiveFormat::oci_archive, false},
    {"docker-dir", store::ArchiveFormat::docker_dir, true},
    {"docker-archive", store::ArchiveFormat::docker_archive, false},
};

Result<const Format*> check_options(const SaveOptions& options) {
  const Format* format =
      std::find_if(std::begin(kFormats), std::end(kFormats),
                   [&](const Format& row) { return row.name == options.format; });
  auto fault = [](std::string text) { return Error(Errc::invalid_argument, std::move(text)); };
  if (format == std::end(kFormats))
    return fault("format value must be one of oci-dir oci-archive docker-dir docker-archive");
  if (options.compress && format->format != store::ArchiveFormat::docker_dir)
    return fault("--compress can only be set when --format is 'docker-dir'");
  if (options.multi && format->format != store::ArchiveFormat::docker_archive)
    return fault(concat("unsupported format ", quote(options.format),
                        " for saving multiple images (only docker-archive)"));
  if (options.output.find(':') != std::string::npos)
    return fault(concat("invalid filename (should not contain ':') ", quote(options.output)));
  if (options.output.empty() && format->directory)
    return fault(concat("--format ", options.format, " writes a directory: name it by --output"));
  if (options.output.empty() && ::isatty(STDOUT_FILENO) == 1)
    return fault("refusing to save to terminal. Use -o flag or redirect");
  return format;
}

// Without --multi-image-archive the arguments after the first are more names for it.
Status choose_images(const store::Store& store, const std::vector<std::string>& args, bool multi,
                     store::SaveRequest* request) {
  for (std::size_t i = 0; i < (multi ? args.size() : 1); ++i) {
    store::Image image = TRY(store.find_image(args[i]));
    std::string name = store::name_as_typed(image, args[i]);
    auto same = std::find_if(request->images.begin(), request->images.end(),
                             [&](const store::Image& other) { return other.id == image.id; });
    std::size_t at = static_cast<std::size_t>(same - request->images.begin());
    if (same == request->images.end()) {
      request->images.push_back(std::move(image));
      request->names.emplace_back();
    }
    std::vector<std::string>& names = request->names[at];
    if (!name.empty() && std::find(names.begin(), names.end(), name) == names.end())
      names.push_back(std::move(name));
  }
  if (multi) return {};
  std::vector<std::string> more;
  for (std::size_t i = 1; i < args.size(); ++i) {
    oci::Reference ref =
        TRY_CTX(oci::Reference::parse(args[i]), concat("normalizing name ", quote(args[i])));
    more.push_back(ref.normalized("localhost").str());
  }
  std::vector<std::string>& names = request->names[0];
  names.insert(names.begin(), more.begin(), more.end());
  return {};
}

Result<int> save(Invocation& call, SaveOptions& options) {
  if (call.args.empty()) return Error(Errc::invalid_argument, "need at least 1 argument");
  const Format* format = TRY(check_options(options));
  engine::Engine* engine = TRY(call.engine());
  const config::ContainersConf* defaults = TRY(engine->conf());
  if (!call.changed("multi-image-archive") &&
      format->format == store::ArchiveFormat::docker_archive)
    options.multi = defaults->multi_image_archive.value_or(false);
  TRY(engine->enter());
  store::SaveRequest request;
  request.format = format->format;
  request.compress = options.compress;
  TRY(choose_images(engine->store(), call.args, options.multi, &request));
  // Where the archive itself goes to the terminal's pipe, a bar would tell nothing.
  std::optional<ProgressBar> bar;
  if (format->directory) {
    if (!options.quiet) bar.emplace("Saving", -1, ProgressBar::Measure::written_size);
    request.output_dir = options.output;
    TRY(store::save_images(engine->store(), request));
  } else if (options.output.empty()) {
    request.output_fd = call.out.fd();
    TRY(store::save_images(engine->store(), request));
  } else {
    if (format->format == store::ArchiveFormat::docker_archive && sys::has_content(options.output))
      return Error(
          Errc::already_exists,
          concat(options.output, ": docker-archive doesn't support modifying existing images"));
    sys::OutputFile file = TRY(sys::OutputFile::open(options.output));
    request.output_fd = file.fd();
    if (!options.quiet) bar.emplace("Saving", file.fd(), ProgressBar::Measure::written_size);
    TRY(store::save_images(engine->store(), request));
    TRY(file.keep());
  }
  bar.reset();
  for (const store::Image& image : request.images)
    engine::emit_image(engine->host(), "save", image.id, options.output);
  if (!options.quiet && !options.output.empty())
    for (const store::Image& image : request.images) say_copied(image);
  return 0;
}

}  // namespace

const constinit Command kSaveCommand = make_command<SaveOptions, save>(
    {.summary = "Save image(s) to an archive",
     .usage = "[options] IMAGE [IMAGE...]",
     .description = "Save an image to docker-archive or oci-archive on the local machine. Default "
                    "is docker-archive.",
     .examples = "--quiet -o myimage.tar imageID\n--format docker-dir -o ubuntu-dir ubuntu\n"
                 "> alpine-all.tar alpine:latest"},
    kTables);

}  // namespace minke::cli
