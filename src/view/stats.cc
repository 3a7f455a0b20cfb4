#include "view/stats.h"

#include "base/str.h"
#include "codec/units.h"
#include "view/status.h"

namespace minke::view {
namespace {

double share(std::int64_t part, std::int64_t whole) {
  return whole > 0 && part > 0 ? 100.0 * static_cast<double>(part) / static_cast<double>(whole) : 0;
}

double cpu_share(const StatsSample& s) {
  if (!s.before || s.usage.cpu_ns < s.before->cpu_ns)  // it was started again meanwhile
    return share(s.usage.cpu_ns, s.usage.up_ns);
  return share(s.usage.cpu_ns - s.before->cpu_ns, s.usage.at - s.before->at);
}

double memory_share(const engine::Usage& usage) {
  return usage.memory_limit > 0
             ? 100.0 * static_cast<double>(usage.memory) / static_cast<double>(usage.memory_limit)
             : 0;
}

std::string percent(double value) { return format("%.2f%%", value); }
std::string size(std::uint64_t bytes) { return units::human_size(static_cast<double>(bytes)); }
std::string pair_of(std::uint64_t a, std::uint64_t b) { return concat(size(a), " / ", size(b)); }

constexpr gotemplate::FieldShape kFields[] = {
    {"Duration", gotemplate::FieldKind::number},
};

}  // namespace

const gotemplate::Shape kStatsShape = {"containers.containerStats", kFields};

json::Object stats_row(const StatsSample& s, bool no_trunc) {
  const engine::Usage& u = s.usage;
  json::Object row;
  const double cpu = cpu_share(s), average = share(u.cpu_ns, u.up_ns);
  row.set("ID", no_trunc ? s.id : short_id(s.id));
  row.set("ContainerID", s.id);
  row.set("Name", s.name);
  row.set("CPUPerc", percent(cpu));
  row.set("AVGCPU", percent(average));
  row.set("MemUsage", pair_of(u.memory, u.memory_limit));
  row.set("MemUsageBytes", concat(units::bytes_size(static_cast<double>(u.memory)), " / ",
                                  units::bytes_size(static_cast<double>(u.memory_limit))));
  row.set("MemPerc", percent(memory_share(u)));
  row.set("NetIO", pair_of(u.net_in, u.net_out));
  row.set("BlockIO", pair_of(u.block_in, u.block_out));
  row.set("PIDS", concat(u.pids));
  row.set("PIDs", u.pids);
  row.set("UpTime", format_duration(u.cpu_ns));
  row.set("Up", format_duration(u.cpu_ns));
  row.set("CPU", cpu);
  row.set("AvgCPU", average);
  row.set("CPUNano", u.cpu_ns);
  row.set("SystemNano", u.at);
  row.set("Duration", u.cpu_ns);
  row.set("MemLimit", u.memory_limit);
  row.set("NetInput", u.net_in);
  row.set("NetOutput", u.net_out);
  row.set("BlockInput", u.block_in);
  row.set("BlockOutput", u.block_out);
  return row;
}

json::Object stats_json(const StatsSample& s, bool no_trunc) {
  struct Row {
    const char *member, *field;
  };
  constexpr Row kRows[] = {{"id", "ID"},
                           {"name", "Name"},
                           {"cpu_time", "UpTime"},
                           {"cpu_percent", "CPUPerc"},
                           {"avg_cpu", "AVGCPU"},
                           {"mem_usage", "MemUsage"},
                           {"mem_percent", "MemPerc"},
                           {"net_io", "NetIO"},
                           {"block_io", "BlockIO"},
                           {"pids", "PIDS"}};
  json::Object row = stats_row(s, no_trunc), out;
  for (const Row& pair : kRows) out.set(pair.member, *row.find(pair.field));
  return out;
}

}  // namespace minke::view
