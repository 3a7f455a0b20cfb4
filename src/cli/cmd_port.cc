#include "base/str.h"
#include "cli/commands.h"
#include "cli/select.h"

namespace minke::cli {
namespace {

struct PortFlags {
  bool all = false, latest = false;
};
using F = PortFlags;
constexpr Option<F> kOptions[] = {
    {"all", 'a', &F::all, "Display port information for all containers"},
    {"latest", 'l', &F::latest, "Act on the latest container"},
};
constexpr OptionTable kTables[] = {option_table<F>(kOptions)};

// PORT or PORT/PROTOCOL, as Podman reads it.
Status check_port(std::string_view text) {
  std::string_view number = text.substr(0, text.find('/'));
  auto port = parse_uint(number);
  if (!port)
    return Error(Errc::invalid_argument,
                 concat("strconv.ParseUint: parsing ", quote(number), ": invalid syntax"));
  if (*port > 65535)
    return Error(Errc::invalid_argument,
                 concat("strconv.ParseUint: parsing ", quote(number), ": value out of range"));
  return {};
}

// No container has a published port before there are networks, so there is nothing to list: what is
// asked is checked all the same.
Result<int> port(Invocation& call, PortFlags& flags) {
  auto invalid = [](const char* text) { return Error(Errc::invalid_argument, text); };
  std::vector<std::string> words = call.args;
  if (flags.all && flags.latest) return invalid("--all and --latest cannot be used together");
  if (flags.all && !words.empty()) return invalid("no arguments are needed with --all");
  if (!flags.all && !flags.latest && words.empty())
    return invalid("you must supply a running container name or id");
  engine::Engine* engine = TRY(call.engine());
  std::string id;
  if (flags.latest) {
    id = TRY(engine->latest_id());
  } else if (!words.empty()) {
    id = TRY(engine->resolve_id(words[0]));
    words.erase(words.begin());
  }
  if (!words.empty()) TRY(check_port(words[0]));
  return 0;
}

}  // namespace

const constinit Command kPortCommand = make_command<PortFlags, port>(
    {.summary = "List port mappings or a specific mapping for the container",
     .usage = "[options] CONTAINER [PORT]",
     .description = "List port mappings for the CONTAINER, or look up the public-facing port that "
                    "is NAT-ed to the PRIVATE_PORT",
     .examples = "--all\nctrID 80/tcp\n--latest 80",
     .args = ArgRule::at_most(2)},
    kTables);

}  // namespace minke::cli
