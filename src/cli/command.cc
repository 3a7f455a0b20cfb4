#include "cli/command.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <memory>

#include "base/str.h"
#include "cli/complete.h"
#include "engine/engine.h"

namespace minke::cli {
namespace {

// Options and arguments in the words of the program's own help.
struct Call {
  std::string_view program;
  std::span<const std::string> argv;
  GlobalOptions global;
  ParsedOptions root;  // what stood before the command's name
};

void print_error(std::string_view text) {
  std::string line = concat("Error: ", text, "\n");
  (void)std::fwrite(line.data(), 1, line.size(), stderr);
}

int report(Error& error) {
  print_error(error.message());
  return error.exit_code() != 0 ? error.exit_code() : kExitFault;
}

std::string joined_path(std::string_view program, std::string_view path) {
  return path.empty() ? std::string(program) : concat(program, " ", path);
}

int usage_fault(Error& error, std::string_view full_path) {
  print_error(error.code() == Errc::unsupported
                  ? error.message()
                  : concat(error.message(), "\nSee '", full_path, " --help'"));
  return kExitFault;
}

// Prints to stdout; a reader that has gone is no fault.
int print_text(std::string_view text) {
  Output out;
  out.text(text);
  if (Status status = out.flush(); !status && status.error().sys() != EPIPE)
    return report(status.error());
  return 0;
}

bool has_word(const char* list, std::string_view word) {
  if (list == nullptr) return false;
  for (std::string_view piece : split(list, ','))
    if (piece == word) return true;
  return false;
}

std::string_view parent_of(std::string_view path) {
  std::size_t blank = path.rfind(' ');
  return blank == std::string_view::npos ? std::string_view() : path.substr(0, blank);
}

const TreeRow* find_child(std::string_view parent, std::string_view word) {
  const TreeRow* by_alias = nullptr;
  for (const TreeRow& row : command_tree()) {
    if (parent_of(row.path) != parent) continue;
    if (last_word(row.path) == word) return &row;
    if (by_alias == nullptr && has_word(row.aliases, word)) by_alias = &row;
  }
  return by_alias;
}

bool is_group(const TreeRow& row) { return row.command != nullptr && row.command->run == nullptr; }

int unknown_command(std::string_view program, std::string_view parent, std::string_view word) {
  std::string full = joined_path(program, parent);
  std::string text = concat("unrecognized command `", full, " ", word, "`\n");
  std::string near;
  for (const TreeRow* row : children_of(parent)) {
    if (row->hidden || row->command == nullptr) continue;
    std::string_view name = last_word(row->path);
    if (edit_distance(to_lower(word), name) <= 2 || name.starts_with(to_lower(word)))
      near += concat("\t", name, "\n");
  }
  if (!near.empty()) text += concat("\nDid you mean this?\n", near, "\n");
  text += concat("Try '", full, " --help' for more information");
  print_error(text);
  return kExitFault;
}

Status check_args(const ArgRule& rule, std::size_t count, std::string_view full_path) {
  auto given = static_cast<int>(count);
  std::string text;
  if (rule.max == 0 && given > 0)
    text = concat("`", full_path, "` takes no arguments");
  else if (rule.min == rule.max && given != rule.min)
    text = concat("accepts ", rule.min, " arg(s), received ", given);
  else if (rule.min > 0 && rule.max >= 0 && (given < rule.min || given > rule.max))
    text = concat("accepts between ", rule.min, " and ", rule.max, " arg(s), received ", given);
  else if (given < rule.min)
    text = concat("requires at least ", rule.min, " arg(s), only received ", given);
  else if (rule.max >= 0 && given > rule.max)
    text = concat("accepts at most ", rule.max, " arg(s), received ", given);
  if (!text.empty()) return Error(Errc::invalid_argument, std::move(text));
  return {};
}

int run_leaf(Call& call, const TreeRow& row, std::span<const std::string> words) {
  const Command& command = *row.command;
  std::string full = joined_path(call.program, row.path);
  std::unique_ptr<void, void (*)(void*)> options(command.make_options(), command.free_options);
  std::vector<BoundTable> tables;
  for (const OptionTable& table : command.tables) tables.push_back({table, options.get()});
  tables.push_back({global_option_table(), &call.global, false});
  auto parsed = parse_options(tables, words, {.interspersed = command.text.interspersed});
  if (!parsed) return usage_fault(parsed.error(), full);
  if (parsed->help) return print_text(help_text(call.program, row));
  if (Status status = check_args(command.text.args, parsed->positional.size(), full); !status)
    return report(status.error());
  if (Status status = apply_global_options(call.global); !status) return report(status.error());

  Output out;
  std::vector<std::string> args = std::move(parsed->positional);
  Invocation invocation{call.program, row.path, call.global, std::move(args),
                        call.argv,    *parsed,  out};
  auto code = command.run(invocation, options.get());
  Status written = out.flush();
  if (out.broken() && !written && written.error().sys() == EPIPE) {
    // As every other filter: end by the signal that says nobody reads any more.
    ::signal(SIGPIPE, SIG_DFL);
    ::raise(SIGPIPE);
  }
  if (!code) return report(code.error());
  if (!written && *code == 0) return report(written.error());
  return *code;
}

// "podman rmm --help" is the help of what is known of it.
bool asks_for_help(std::span<const std::string> words) {
  return std::any_of(words.begin() + 1, words.end(),
                     [](const std::string& word) { return word == "--help" || word == "-h"; });
}

int print_help(const Call& call, std::string_view path) {
  for (const TreeRow& row : command_tree())
    if (path == row.path) return print_text(help_text(call.program, row));
  return print_text(root_help(call.program));
}

// Walks down the tree; options of a group may stand between the words.
int dispatch(Call& call, std::span<const std::string> words) {
  std::string path;
  while (true) {
    const TreeRow* row = find_child(path, words[0]);
    if (row == nullptr && asks_for_help(words)) return print_help(call, path);
    if (row == nullptr) return unknown_command(call.program, path, words[0]);
    if (row->command == nullptr) {
      print_error(
          concat(joined_path(call.program, row->path), ": not supported yet: ", row->refused));
      return kExitFault;
    }
    path = row->path;
    words = words.subspan(1);
    if (!is_group(*row)) return run_leaf(call, *row, words);

    const BoundTable tables[] = {{global_option_table(), &call.global, false}};
    auto parsed = parse_options(tables, words, {.interspersed = false});
    std::string full = joined_path(call.program, path);
    if (!parsed) return usage_fault(parsed.error(), full);
    if (parsed->help) return print_text(help_text(call.program, *row));
    if (parsed->positional.empty()) {
      ignore(Result<int>(print_text(help_text(call.program, *row))), "the fault follows");
      print_error(concat("missing command '", full, " COMMAND'"));
      return kExitFault;
    }
    words = words.last(parsed->positional.size());
  }
}

int run_help(const Call& call, std::span<const std::string> words) {
  const TreeRow* row = nullptr;
  std::string path;
  for (const std::string& word : words) {
    const TreeRow* next = find_child(path, word);
    if (next == nullptr || next->command == nullptr) {
      std::string text =
          concat("Unknown help topic [`", join({words.begin(), words.end()}, "` `"), "`]\n");
      (void)std::fwrite(text.data(), 1, text.size(), stderr);
      return print_text(root_help(call.program));
    }
    row = next;
    path = row->path;
    if (!is_group(*row)) break;
  }
  return print_text(row == nullptr ? root_help(call.program) : help_text(call.program, *row));
}

std::string_view program_name(std::string_view path) {
  std::size_t slash = path.rfind('/');
  std::string_view name = slash == std::string_view::npos ? path : path.substr(slash + 1);
  return name == "podman" || name == "docker" ? name : "minke";
}

// Scripts read the level of features from `podman --version`; under those names it is the API's.
std::string version_line(std::string_view program) {
  if (program == "minke") return concat("minke version ", MINKE_VERSION, "\n");
  return concat("podman version ", kPodmanApiVersion, "\n");
}

}  // namespace

std::string Invocation::full_path() const { return joined_path(program, path); }

Result<engine::Engine*> Invocation::engine() {
  if (opened == nullptr) {
    TRY(check_environment());
    std::unique_ptr<engine::Engine> made = TRY(engine::Engine::open(host_options(global)));
    opened = {made.release(), [](engine::Engine* engine) { delete engine; }};
  }
  return opened.get();
}

std::string_view last_word(std::string_view path) { return path.substr(path.rfind(' ') + 1); }

std::vector<const TreeRow*> children_of(std::string_view path) {
  std::vector<const TreeRow*> rows;
  for (const TreeRow& row : command_tree())
    if (parent_of(row.path) == path) rows.push_back(&row);
  std::sort(rows.begin(), rows.end(),
            [](const TreeRow* a, const TreeRow* b) { return std::string_view(a->path) < b->path; });
  return rows;
}

Result<int> finish(ErrorList&& errors) {
  if (errors.empty()) return 0;
  for (std::size_t i = 0; i + 1 < errors.errors().size(); ++i)
    print_error(errors.errors()[i].message());
  return Error(errors.errors().back());
}

int run_command_line(std::span<const std::string> argv) {
  Call call{argv.empty() ? "minke" : program_name(argv[0]), argv, {}, {}};
  std::span<const std::string> words = argv.empty() ? argv : argv.subspan(1);
  // Asked by the shell at each press of the tab key.
  if (!words.empty() && words[0] == "__complete")
    return print_text(complete_words(words.subspan(1)));
  if (!words.empty() && words[0] == "__completeNoDesc")
    return print_text(without_hints(complete_words(words.subspan(1))));
  const BoundTable tables[] = {{global_option_table(), &call.global},
                               {root_option_table(), &call.global}};
  auto parsed = parse_options(tables, words, {.interspersed = false});
  if (!parsed) return usage_fault(parsed.error(), call.program);
  if (parsed->help) return print_text(root_help(call.program));
  if (call.global.version) return print_text(version_line(call.program));
  if (parsed->positional.empty()) {
    ignore(Result<int>(print_text(root_help(call.program))), "the fault follows");
    print_error(concat("missing command '", call.program, " COMMAND'"));
    return kExitFault;
  }
  words = words.last(parsed->positional.size());
  call.root = std::move(*parsed);
  if (words[0] == "help") return run_help(call, words.subspan(1));
  return dispatch(call, words);
}

}  // namespace minke::cli
