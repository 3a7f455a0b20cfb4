// Commands and the tree that they hang in.
//
// To add a command, write src/cli/cmd_NAME.cc:
//   namespace { struct RmOptions {...};  constexpr Option<RmOptions> kOptions[] = {...};
//               constexpr OptionTable kTables[] = {option_table<RmOptions>(kOptions)};
//               Result<int> rm(Invocation& call, RmOptions& options) { ...; return 0; } }
//   const constinit Command kRmCommand = make_command<RmOptions, rm>(
//       {.summary = "Remove one or more containers", .usage = "[options] CONTAINER
//       [CONTAINER...]"}, kTables);
// declare kRmCommand in commands.h and give it its places in the tree (command_tree.cc): one row
// for each path
// ("rm", "container rm"). The result is the exit code; an error is printed as "Error: ..." and ends
// with its own exit code or 125. Data goes to call.out, talk to stderr by base/log.h.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/global.h"
#include "cli/option.h"
#include "cli/output.h"

namespace minke::engine {
class Engine;
}

namespace minke::cli {

constexpr int kExitFault = 125;

// One run of a command: what was typed, and where results go.
struct Invocation {
  std::string_view program;  // "minke", "podman", "docker": as called
  std::string path;          // "container rm": canonical, without the program
  const GlobalOptions& global;
  std::vector<std::string> args;      // positional
  std::span<const std::string> argv;  // all words as typed, the program first
  const ParsedOptions& parsed;
  Output& out;
  std::unique_ptr<engine::Engine, void (*)(engine::Engine*)> opened{nullptr, nullptr};

  // The engine of this command, as the global options say; opened when first asked for.
  Result<engine::Engine*> engine();
  bool changed(std::string_view option) const { return parsed.is_changed(option); }
  // "podman rm", for messages.
  std::string full_path() const;
};

// How many positional arguments; the texts of faults are cobra's.
struct ArgRule {
  int min = 0;
  int max = -1;  // -1: any number
  static constexpr ArgRule any() { return {0, -1}; }
  static constexpr ArgRule none() { return {0, 0}; }
  static constexpr ArgRule exactly(int n) { return {n, n}; }
  static constexpr ArgRule at_least(int n) { return {n, -1}; }
  static constexpr ArgRule at_most(int n) { return {0, n}; }
};

struct CommandText {
  const char* summary;                // "Remove one or more containers"
  const char* usage = "";             // "[options] CONTAINER [CONTAINER...]"
  const char* description = nullptr;  // defaults to the summary
  const char* examples = nullptr;     // a line each, without program and command: "--force --all"
  ArgRule args = ArgRule::any();
  bool interspersed = true;  // false: options end at the first argument
};

struct Command {
  CommandText text;
  std::span<const OptionTable> tables;
  void* (*make_options)() = nullptr;
  void (*free_options)(void*) = nullptr;
  Result<int> (*run)(Invocation&, void*) = nullptr;  // none: a group
};

template <typename S, Result<int> (*Run)(Invocation&, S&)>
constexpr Command make_command(CommandText text, std::span<const OptionTable> tables = {}) {
  return {text, tables, []() -> void* { return new S(); },
          [](void* options) { delete static_cast<S*>(options); },
          [](Invocation& call, void* options) { return Run(call, *static_cast<S*>(options)); }};
}

// A place in the tree. Rows are sorted by nothing; a group stands before what is in it.
struct TreeRow {
  const char* path;               // "container list"
  const Command* command;         // null: known, not supported; `refused` says why
  const char* aliases = nullptr;  // "ls,ps"
  const char* refused = nullptr;
  bool hidden = false;
};
std::span<const TreeRow> command_tree();

// Runs the command line; returns the exit code. Prints faults to stderr.
int run_command_line(std::span<const std::string> argv);

// The end of a command that works on several objects: 0, or every fault but the last printed and
// the last one returned, as Podman does.
Result<int> finish(ErrorList&& errors);

// Look-up in the tree, for help, man pages and completion too.
std::vector<const TreeRow*> children_of(std::string_view path);  // "" for the top; sorted by name
std::string_view last_word(std::string_view path);
std::string help_text(std::string_view program, const TreeRow& row);
std::string root_help(std::string_view program);
// Writes a man page per command (minke-container-rm.1 ...) into the folder.
Status write_man_pages(const std::string& folder);

}  // namespace minke::cli
