#include <algorithm>

#include "base/str.h"
#include "cli/commands.h"
#include "engine/doctor.h"

namespace minke::cli {
namespace {

struct DoctorFlags {
  std::string format;
};
constexpr Option<DoctorFlags> kOptions[] = {
    {"format", 0, &DoctorFlags::format, "Change the output format to JSON or a Go template"},
};
constexpr OptionTable kTables[] = {option_table<DoctorFlags>(kOptions)};

constexpr const char* kStates[] = {"good", "limit", "bad"};
constexpr Column kColumns[] = {{"State"}, {"Name"}, {"Text"}, {"Fix"}};

Result<int> doctor(Invocation& call, DoctorFlags& flags) {
  engine::Engine* engine = TRY(call.engine());
  std::vector<engine::Fact> facts = engine::examine_host(*engine);
  bool bad = std::any_of(facts.begin(), facts.end(), [](const engine::Fact& fact) {
    return fact.state == engine::Fact::State::bad;
  });
  if (flags.format.empty()) {
    for (const engine::Fact& fact : facts) {
      call.out.line(format("%-6s%-22s%s", kStates[static_cast<int>(fact.state)], fact.name.c_str(),
                           fact.text.c_str()));
      if (!fact.fix.empty()) call.out.line(concat("          fix: ", fact.fix));
    }
    return bad ? 1 : 0;
  }
  json::Array rows;
  for (const engine::Fact& fact : facts) {
    json::Object row;
    row.set("State", kStates[static_cast<int>(fact.state)]);
    row.set("Name", fact.name);
    row.set("Text", fact.text);
    row.set("Fix", fact.fix);
    rows.emplace_back(std::move(row));
  }
  Listing listing{"doctor", kColumns, "table {{.State}}\t{{.Name}}\t{{.Text}}\t{{.Fix}}"};
  TRY(write_rows(call.out, listing, {flags.format, false}, rows));
  return bad ? 1 : 0;
}

}  // namespace

const constinit Command kDoctorCommand = make_command<DoctorFlags, doctor>(
    {.summary = "Show what of this host limits containers, and how to mend it",
     .usage = "[options]",
     .description =
         "Each line is one fact: good, limit (something does not work) or bad (containers "
         "do not run). Below stands the command that mends it. Nothing is changed. The "
         "exit code is 1 when something is bad.",
     .args = ArgRule::none()},
    kTables);

}  // namespace minke::cli
