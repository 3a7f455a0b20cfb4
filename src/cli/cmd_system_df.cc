#include "cli/commands.h"
#include "engine/disk_usage.h"
#include "view/disk_usage.h"

namespace minke::cli {
namespace {

struct DfOptions {
  std::string format;
  bool verbose = false;
};
constexpr Option<DfOptions> kOptions[] = {
    {"format", 0, &DfOptions::format, "Pretty-print images using a Go template"},
    {"verbose", 'v', &DfOptions::verbose, "Show detailed information on disk usage"},
};
constexpr OptionTable kTables[] = {option_table<DfOptions>(kOptions)};

constexpr Column kSummary[] = {{"Type"},        {"Total"},   {"Active"},         {"Size"},
                               {"Reclaimable"}, {"RawSize"}, {"RawReclaimable"}, {"TotalCount"}};
constexpr Column kImages[] = {{"Repository"},
                              {"Tag"},
                              {"ImageID", "IMAGE ID"},
                              {"Created"},
                              {"Size"},
                              {"SharedSize", "SHARED SIZE"},
                              {"UniqueSize", "UNIQUE SIZE"},
                              {"Containers"}};
constexpr Column kContainers[] = {{"ContainerID", "CONTAINER ID"},
                                  {"Image"},
                                  {"Command"},
                                  {"LocalVolumes", "LOCAL VOLUMES"},
                                  {"RWSize", "SIZE"},
                                  {"Size"},
                                  {"Created"},
                                  {"Status"},
                                  {"Names"}};
constexpr Column kVolumes[] = {
    {"VolumeName", "VOLUME NAME"}, {"Links"}, {"Size"}, {"ReclaimableSize"}};

Status write_verbose(Output& out, const engine::DiskUsage& usage) {
  TimeNs at = now();
  Listing images{"df", kImages,
                 "table {{.Repository}}\t{{.Tag}}\t{{.ImageID}}\t{{.Created}}\t{{.Size}}\t"
                 "{{.SharedSize}}\t{{.UniqueSize}}\t{{.Containers}}"};
  Listing containers{"df", kContainers,
                     "table {{.ContainerID}}\t{{.Image}}\t{{.Command}}\t{{.LocalVolumes}}\t"
                     "{{.RWSize}}\t{{.Created}}\t{{.Status}}\t{{.Names}}"};
  Listing volumes{"df", kVolumes, "table {{.VolumeName}}\t{{.Links}}\t{{.Size}}"};
  out.text("Images space usage:\n\n");
  TRY(write_rows(out, images, {}, view::disk_images(usage, at)));
  out.text("\nContainers space usage:\n\n");
  TRY(write_rows(out, containers, {}, view::disk_containers(usage, at)));
  out.text("\nLocal Volumes space usage:\n\n");
  return write_rows(out, volumes, {}, view::disk_volumes(usage));
}

Result<int> df(Invocation& call, DfOptions& options) {
  if (options.verbose && call.changed("format"))
    return Error(Errc::invalid_argument, "cannot combine --format and --verbose flags");
  engine::Engine* engine = TRY(call.engine());
  engine::DiskUsage usage = TRY(engine::disk_usage(*engine));
  if (options.verbose) {
    TRY(write_verbose(call.out, usage));
    return 0;
  }
  Listing listing{"df",
                  kSummary,
                  "table {{.Type}}\t{{.Total}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}",
                  {},
                  4};
  TRY(write_rows(call.out, listing, {options.format, false}, view::disk_summary(usage)));
  return 0;
}

}  // namespace

const constinit Command kSystemDfCommand = make_command<DfOptions, df>(
    {.summary = "Show disk usage",
     .usage = "[options]",
     .description = "Shows what images, containers and volumes take on disk, and how much of it a "
                    "prune would give back.",
     .args = ArgRule::none()},
    kTables);

}  // namespace minke::cli
