#include <unistd.h>

#include <map>

#include "base/str.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "engine/engine.h"
#include "engine/usage.h"
#include "view/stats.h"

namespace minke::cli {
namespace {

struct StatsFlags {
  bool all = false, latest = false, no_reset = false, no_stream = false, no_trunc = false;
  std::string format;
  std::int32_t interval = 5;
};
using F = StatsFlags;
constexpr Option<F> kOptions[] = {
    {"all", 'a', &F::all, "Show all containers. Only running containers are shown by default"},
    {"format", 0, &F::format, "Pretty-print container statistics to JSON or using a Go template"},
    {"interval", 'i', &F::interval, "Time in seconds between stats reports"},
    {"latest", 'l', &F::latest, "Act on the latest container"},
    {"no-reset", 0, &F::no_reset, "Disable resetting the screen between intervals"},
    {"no-stream", 0, &F::no_stream, "Disable streaming stats and only pull the first result"},
    {"no-trunc", 0, &F::no_trunc, "Do not truncate output"},
};
constexpr OptionTable kTables[] = {option_table<F>(kOptions)};

constexpr Column kColumns[] = {
    {"ID"},
    {"ContainerID", "CONTAINER ID"},
    {"Name"},
    {"CPUPerc", "CPU %"},
    {"MemUsage", "MEM USAGE / LIMIT"},
    {"MemUsageBytes", "MEM USAGE / LIMIT"},
    {"MemPerc", "MEM %"},
    {"NetIO", "NET IO"},
    {"BlockIO", "BLOCK IO"},
    {"PIDS", "PIDS"},
    {"PIDs", "PIDS"},
    {"UpTime", "CPU TIME"},
    {"Up", "CPU TIME"},
    {"AVGCPU", "AVG CPU %"},
    {"CPU", "CPU"},
    {"AvgCPU", "AVG CPU"},
    {"CPUNano", "CPU NANO"},
    {"SystemNano", "SYSTEM NANO"},
    {"Duration", "DURATION"},
    {"MemLimit", "MEM LIMIT"},
    {"NetInput", "NET INPUT"},
    {"NetOutput", "NET OUTPUT"},
    {"BlockInput", "BLOCK INPUT"},
    {"BlockOutput", "BLOCK OUTPUT"},
};
constexpr std::string_view kFormat =
    "table "
    "{{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t{{."
    "PIDS}}\t{{.UpTime}}\t{{.AVGCPU}}";

Status check(const StatsFlags& flags, std::size_t words) {
  if (static_cast<int>(flags.all) + static_cast<int>(flags.latest) + static_cast<int>(words > 0) >
      1)
    return Error(Errc::invalid_argument, "--all, --latest and containers cannot be used together");
  if (flags.interval < 1)
    return Error(Errc::invalid_argument,
                 "invalid interval, must be a positive number greater zero");
  return {};
}

Result<std::vector<engine::ContainerSummary>> choose(engine::Engine& engine,
                                                     const StatsFlags& flags,
                                                     const std::vector<std::string>& words) {
  std::vector<engine::ContainerSummary> chosen;
  if (flags.latest) {
    std::string id = TRY(engine.latest_id());
    chosen.push_back(TRY(engine.summary(id)));
  }
  for (const std::string& word : words) {
    auto id = engine.resolve_id(word);
    if (!id)
      return std::move(id.error())
          .wrap(concat("unable to get list of containers: unable to look up container ", word));
    chosen.push_back(TRY(engine.summary(*id)));
  }
  if (flags.latest || !words.empty()) return chosen;
  for (engine::ContainerSummary& container : TRY(engine.list_containers()))
    if (flags.all || container.pid > 0) chosen.push_back(std::move(container));
  return chosen;
}

Status print(Invocation& call, const StatsFlags& flags,
             const std::vector<view::StatsSample>& samples) {
  json::Array rows, as_json;
  for (const view::StatsSample& sample : samples) {
    rows.emplace_back(view::stats_row(sample, flags.no_trunc));
    as_json.emplace_back(view::stats_json(sample, flags.no_trunc));
  }
  Listing listing{.name = "stats",
                  .columns = kColumns,
                  .default_format = kFormat,
                  .shape = view::kStatsShape,
                  .json_indent = 1};
  TRY(write_rows(call.out, listing, {.format = flags.format}, rows, &as_json));
  return call.out.flush();
}

Result<int> stats(Invocation& call, StatsFlags& flags) {
  TRY(check(flags, call.args.size()));
  engine::Engine* engine = TRY(call.engine());
  TRY(engine->enter());
  std::map<std::string, engine::Usage> before;
  for (;;) {
    std::vector<view::StatsSample> samples;
    for (const engine::ContainerSummary& container : TRY(choose(*engine, flags, call.args))) {
      auto usage = engine::read_usage(container);
      // One that ends just now has no cgroup any more.
      if (!usage && usage.error().code() != Errc::not_found) return std::move(usage.error());
      view::StatsSample sample{container.id, container.name, usage ? *usage : engine::Usage(), {}};
      if (auto old = before.find(container.id); old != before.end()) sample.before = old->second;
      before[container.id] = sample.usage;
      samples.push_back(std::move(sample));
    }
    if (!flags.no_stream && !flags.no_reset) call.out.text("\033[2J\033[1;1H");
    TRY(print(call, flags, samples));
    if (flags.no_stream || call.out.broken()) return 0;
    ::sleep(static_cast<unsigned>(flags.interval));
  }
}

}  // namespace

const constinit Command kStatsCommand = make_command<StatsFlags, stats>(
    {.summary = "Display a live stream of container resource usage statistics",
     .usage = "[options] [CONTAINER...]",
     .description =
         "Display percentage of CPU, memory, network I/O, block I/O and PIDs for one or more "
         "containers.",
     .examples = "--all --no-stream\nctrID\n--no-stream --format \"table {{.ID}} {{.Name}} "
                 "{{.MemUsage}}\" ctrID"},
    kTables);

}  // namespace minke::cli
