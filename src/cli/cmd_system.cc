// system check, reset, migrate and renumber.
#include <cstdio>

#include "base/str.h"
#include "cli/commands.h"
#include "cli/confirm.h"
#include "engine/check.h"

namespace minke::cli {
namespace {

struct CheckFlags {
  bool force = false, quick = false, repair = false;
  Duration max{std::int64_t{24} * 3600 * kSecond};
};
constexpr Option<CheckFlags> kCheckOptions[] = {
    {"force", 'f', &CheckFlags::force, "Remove inconsistent images and containers"},
    {"max",
     'm',
     &CheckFlags::max,
     "Maximum allowed age of unreferenced layers",
     {.shown_default = "24h0m0s"}},
    {"quick", 'q', &CheckFlags::quick,
     "Skip time-consuming checks. The default is to include time-consuming checks"},
    {"repair", 'r', &CheckFlags::repair, "Remove inconsistent images"},
};
constexpr OptionTable kCheckTables[] = {option_table<CheckFlags>(kCheckOptions)};

bool print(Output& out, const engine::CheckReport& report) {
  bool left = false;
  for (const engine::Finding& finding : report.findings) {
    out.line(concat(finding.what, ": ", finding.fault, finding.mended.empty() ? "" : ": ",
                    finding.mended));
    left = left || finding.mended.empty();
  }
  return left;
}

Result<int> check(Invocation& call, CheckFlags& flags) {
  engine::CheckOptions options{.quick = flags.quick,
                               .repair = flags.repair,
                               .force = flags.force,
                               .max_age_s = flags.max.ns / kSecond};
  engine::Engine* engine = TRY(call.engine());
  engine::CheckReport report = TRY(engine::check(*engine, options));
  bool left = print(call.out, report);
  if (!left) return 0;
  TRY(call.out.flush());
  if (!flags.repair && !flags.force)
    return Error(Errc::corrupt, "damage detected in local storage");
  return Error(Errc::corrupt, "damage in local storage still present after attempted repair");
}

struct ResetFlags {
  bool force = false;
};
constexpr Option<ResetFlags> kResetOptions[] = {
    {"force", 'f', &ResetFlags::force, "Do not prompt for confirmation"},
};
constexpr OptionTable kResetTables[] = {option_table<ResetFlags>(kResetOptions)};

Result<int> reset(Invocation& call, ResetFlags& flags) {
  engine::Engine* engine = TRY(call.engine());
  std::string warning = "WARNING! This will remove:\n        - all containers\n";
  for (const char* what : {"pods", "images", "networks", "build cache", "volumes", "secrets"})
    warning += concat("        - all ", what, "\n");
  warning += concat("        - the graphRoot directory: ", quote(engine->host().root),
                    "\n        - the runRoot directory: ", quote(engine->host().runroot), "\n");
  if (!flags.force && !TRY(confirm(call.out, warning))) return 0;
  TRY(engine::reset(*engine));
  return 0;
}

struct MigrateFlags {
  std::string new_runtime;
  bool migrate_db = false;
};
constexpr Option<MigrateFlags> kMigrateOptions[] = {
    {"migrate-db", 0, &MigrateFlags::migrate_db, "Migrate database to SQLite"},
    {"new-runtime", 0, refused,
     "the runtime of a container is chosen when it is made: --runtime of create and run"},
};
constexpr OptionTable kMigrateTables[] = {option_table<MigrateFlags>(kMigrateOptions)};

Result<int> migrate(Invocation& call, MigrateFlags& flags) {
  TRY(call.engine());
  std::fputs(flags.migrate_db ? "nothing to migrate: files are the database here\n"
                              : "nothing to migrate: there is no older layout\n",
             stderr);
  return 0;
}

struct NoOptions {};
Result<int> renumber(Invocation& call, NoOptions&) {
  TRY(call.engine());
  std::fputs("nothing to renumber: locks are files here and have no numbers\n", stderr);
  return 0;
}

}  // namespace

const constinit Command kSystemCheckCommand = make_command<CheckFlags, check>(
    {.summary = "Perform consistency checks on image and container storage",
     .usage = "[options]",
     .description =
         "Looks over all that is on disk: blobs against their digests, layers, containers, names, "
         "volumes, secrets, and what killed commands left. With --repair what is damaged is "
         "mended, "
         "and images that cannot be mended are removed unless a container uses them; with --force "
         "also containers that cannot be mended.",
     .examples = "--quick\n--repair",
     .args = ArgRule::none()},
    kCheckTables);

const constinit Command kSystemResetCommand = make_command<ResetFlags, reset>(
    {.summary = "Reset storage",
     .usage = "[options]",
     .description =
         "Stops and removes all containers, and removes all images, networks, volumes and "
         "secrets. What others have put into the folders of the engine stays.",
     .args = ArgRule::none()},
    kResetTables);

const constinit Command kSystemMigrateCommand = make_command<MigrateFlags, migrate>(
    {.summary = "Migrate containers",
     .usage = "[options]",
     .description = "There is nothing to migrate: the layout on disk has had one version only.",
     .args = ArgRule::none()},
    kMigrateTables);

const constinit Command kSystemRenumberCommand = make_command<NoOptions, renumber>(
    {.summary = "Migrate lock numbers",
     .usage = "",
     .description = "There is nothing to renumber: each object has a lock file of its own.",
     .args = ArgRule::none()});

}  // namespace minke::cli
