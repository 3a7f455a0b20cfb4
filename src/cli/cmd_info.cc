#include "cli/commands.h"
#include "cli/version.h"
#include "codec/yaml_dump.h"
#include "engine/engine.h"
#include "view/info.h"

namespace minke::cli {
namespace {

struct InfoOptions {
  std::string format;
};
constexpr Option<InfoOptions> kOptions[] = {
    {"format", 'f', &InfoOptions::format, "Change the output format to JSON or a Go template"},
};
constexpr OptionTable kTables[] = {option_table<InfoOptions>(kOptions)};

// Fields whose name in templates is not the one in JSON, whatever the case.
struct Renamed {
  const char* group;
  const char* member;
  const char* field;
};
constexpr Renamed kRenamed[] = {{"host", "cgroupVersion", "CgroupsVersion"}};

void add_template_names(json::Object& info) {
  for (const Renamed& row : kRenamed) {
    json::Value* group = info.find(row.group);
    if (group == nullptr || group->as_object() == nullptr) continue;
    if (const json::Value* member = group->find(row.member))
      group->as_object()->set(row.field, json::Value(*member));
  }
}

Result<int> info(Invocation& call, InfoOptions& options) {
  engine::Engine* engine = TRY(call.engine());
  TRY(engine->conf());
  json::Object facts = TRY(view::info(*engine, client_version(call.program)));
  if (!call.changed("format")) {
    call.out.text(yaml::dump(json::Value(std::move(facts))));
    return 0;
  }
  if (!is_json_format(options.format)) add_template_names(facts);
  TRY(write_object(call.out, "info", options.format, json::Value(std::move(facts)),
                   view::kInfoShape, 2));
  return 0;
}

}  // namespace

const constinit Command kInfoCommand = make_command<InfoOptions, info>(
    {.summary = "Display system information",
     .usage = "[options]",
     .description = "Display information pertaining to the host, current storage stats, and build "
                    "of the engine.",
     .examples = "",
     .args = ArgRule::none()},
    kTables);

}  // namespace minke::cli
