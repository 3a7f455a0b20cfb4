// Containerfiles: whatever parses can be expanded, ordered and printed.
#include <cstddef>
#include <cstdint>

#include "build/graph.h"
#include "build/parse.h"
#include "build/platform_args.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace minke::build;
  if (size > 8192) return 0;  // patterns take their time with the square of a value
  auto file = parse({reinterpret_cast<const char*>(data), size}, "F");
  if (!file) {
    if (!file.error().message().starts_with("F")) __builtin_trap();
    return 0;
  }
  if (file->stages.empty()) __builtin_trap();
  dump(*file);
  Variables::Given given;
  given.build_args = {{"A", "a/b"}};
  given.platform =
      platform_args({"amd64", "linux", "", "", {}}, {"arm64", "linux", "", "", {}}, "");
  auto globals = resolve_globals(*file, given.build_args, given.platform);
  if (globals) given.globals = *globals;
  minke::ignore(make_graph(*file, "", {"ctx"}, given), "any answer will do");
  for (Stage& stage : file->stages) {
    Variables variables(given);
    for (Instruction& instruction : stage.instructions) {
      if (!expand_instruction(&instruction, variables.lookup(), file->escape)) continue;
      if (const auto* run = instruction.as<node::Run>())
        minke::ignore(run_command(*run, {"/bin/sh", "-c"}), "any answer will do");
      if (const auto* env = instruction.as<node::Env>())
        for (const KeyValue& pair : env->pairs) variables.set_env(pair.key, pair.value);
      if (const auto* onbuild = instruction.as<node::Onbuild>())
        minke::ignore(parse_trigger(onbuild->trigger, "x"), "any answer will do");
    }
  }
  return 0;
}
