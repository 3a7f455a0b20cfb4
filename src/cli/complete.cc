#include "cli/complete.h"

#include "base/str.h"
#include "cli/command.h"

namespace minke::cli {
namespace {

const TreeRow* child(std::string_view parent, std::string_view word) {
  for (const TreeRow* row : children_of(parent)) {
    if (row->command == nullptr) continue;
    if (last_word(row->path) == word) return row;
    if (row->aliases != nullptr)
      for (std::string_view alias : split(row->aliases, ','))
        if (alias == word) return row;
  }
  return nullptr;
}

const OptionInfo* find_option(std::span<const OptionTable> tables, std::string_view word) {
  for (const OptionTable& table : tables) {
    for (std::size_t i = 0; i < table.count; ++i) {
      const OptionInfo& row = table.row(i);
      if (word.starts_with("--") ? word.substr(2) == row.name
                                 : word.size() >= 2 && word.back() == row.shorthand)
        return &row;
    }
  }
  return nullptr;
}

void add_options(std::span<const OptionTable> tables, std::string_view prefix, std::string& out) {
  for (const OptionTable& table : tables) {
    for (std::size_t i = 0; i < table.count; ++i) {
      const OptionInfo& row = table.row(i);
      std::string name = concat("--", row.name);
      if (row.refused() || row.extra.hidden || !std::string_view(name).starts_with(prefix))
        continue;
      std::string help = option_text(row).help;
      out += concat(name, "\t", help.substr(0, help.find('\n')), "\n");
    }
  }
}

}  // namespace

std::string complete_words(std::string_view, std::span<const std::string> words) {
  if (words.empty()) return "";
  std::string path;
  const TreeRow* row = nullptr;
  bool options_ended = false;
  bool value_wanted = false;
  std::vector<OptionTable> tables = {global_option_table(), root_option_table()};
  for (const std::string& word : words.first(words.size() - 1)) {
    if (value_wanted) {
      value_wanted = false;
    } else if (options_ended) {
      continue;
    } else if (word == "--") {
      options_ended = true;
    } else if (word.starts_with('-')) {
      const OptionInfo* option =
          word.find('=') == std::string::npos ? find_option(tables, word) : nullptr;
      value_wanted = option != nullptr && !option->refused() && !option->type->boolean &&
                     option->extra.no_value == nullptr;
    } else if (row == nullptr || row->command->run == nullptr) {
      row = child(path, word);
      if (row == nullptr) return "";
      path = row->path;
      tables.assign(row->command->tables.begin(), row->command->tables.end());
    } else if (!row->command->text.interspersed) {
      options_ended = true;
    }
  }
  const std::string& last = words.back();
  std::string out;
  if (value_wanted || options_ended) return ":files\n";
  if (last.starts_with('-')) {
    add_options(tables, last, out);
    return out;
  }
  if (row != nullptr && row->command->run != nullptr) return ":files\n";
  for (const TreeRow* next : children_of(path)) {
    std::string_view name = last_word(next->path);
    if (next->hidden || next->command == nullptr || !name.starts_with(last)) continue;
    out += concat(name, "\t", next->command->text.summary, "\n");
  }
  return out;
}

namespace {

constexpr std::string_view kBash = R"(# bash completion for PROGRAM
_PROGRAM_complete() {
  local IFS=$'\n' line
  COMPREPLY=()
  while read -r line; do
    if [[ $line == :files ]]; then
      compopt -o default
    else
      COMPREPLY+=("${line%%$'\t'*}")
    fi
  done < <("${COMP_WORDS[0]}" __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _PROGRAM_complete PROGRAM
)";

constexpr std::string_view kZsh = R"(#compdef PROGRAM
_PROGRAM() {
  local line
  local -a found
  for line in "${(@f)$(${words[1]} __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    if [[ $line == :files ]]; then
      _files
    elif [[ -n $line ]]; then
      found+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
    fi
  done
  (( ${#found} )) && _describe PROGRAM found
}
compdef _PROGRAM PROGRAM
)";

constexpr std::string_view kFish = R"(# fish completion for PROGRAM
function __PROGRAM_complete
    set -l words (commandline -opc) (commandline -ct)
    for line in ($words[1] __complete $words[2..-1] 2>/dev/null)
        if test "$line" = ":files"
            __fish_complete_path (commandline -ct)
        else
            echo $line
        end
    end
end
complete -c PROGRAM -f -a '(__PROGRAM_complete)'
)";

struct Shell {
  std::string_view name;
  std::string_view script;
};
constexpr Shell kShells[] = {{"bash", kBash}, {"zsh", kZsh}, {"fish", kFish}};

}  // namespace

Result<std::string> completion_script(std::string_view shell, std::string_view program) {
  for (const Shell& row : kShells) {
    if (row.name != shell) continue;
    std::string out(row.script);
    constexpr std::string_view kMark = "PROGRAM";
    for (std::size_t at = out.find(kMark); at != std::string::npos;
         at = out.find(kMark, at + program.size()))
      out.replace(at, kMark.size(), program);
    return out;
  }
  return Error(Errc::invalid_argument,
               concat("completion: ", quote(shell), " is none of bash, zsh, fish"));
}

}  // namespace minke::cli
