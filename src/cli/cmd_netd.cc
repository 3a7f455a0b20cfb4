// What monitors and tests say to netd: not for hands.
#include <unistd.h>

#include "base/str.h"
#include "cli/commands.h"
#include "engine/engine.h"
#include "engine/netd.h"

namespace minke::cli {
namespace {

struct NoOptions {};

struct Word {
  std::string_view name;
  net::NetdVerb verb;
  bool takes_word;
};
constexpr Word kWords[] = {
    {"sync", net::NetdVerb::sync, true},
    {"drop", net::NetdVerb::drop, true},
    {"network", net::NetdVerb::network, true},
    {"status", net::NetdVerb::status, false},
};

// start: of a monitor whose netd was killed. run WORDS: a command that stands in the bridges'
// network namespace.
Result<int> system_netd(Invocation& call, NoOptions&) {
  engine::Engine* engine = TRY(call.engine());
  TRY(engine->enter());
  if (call.args[0] == "start") {
    // Its answer counts: one that is just dying still takes connections.
    TRY(engine::tell_netd(engine->host(), net::NetdVerb::status, {}));
    return 0;
  }
  for (const Word& word : kWords) {
    if (word.name != call.args[0] || (call.args.size() > 1) != word.takes_word) continue;
    std::string said = TRY(engine::tell_netd(engine->host(), word.verb,
                                             word.takes_word ? call.args[1] : std::string()));
    if (!said.empty()) call.out.line(said);
    return 0;
  }
  return Error(Errc::invalid_argument,
               concat("system netd: start, status, sync ID, drop ID or network NAME, not ",
                      quote(call.args[0])));
}

}  // namespace

const constinit Command kSystemNetdCommand =
    make_command<NoOptions, system_netd>({.summary = "Speak to the network daemon",
                                          .usage = "start|status|sync|drop|network [WORD]",
                                          .args = {1, 2}},
                                         {});

}  // namespace minke::cli
