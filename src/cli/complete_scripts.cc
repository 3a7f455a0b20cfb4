#include "base/str.h"
#include "cli/complete.h"

namespace minke::cli {
namespace {

// Bash splits words at colons and equal signs too, so they are put together first, and what stands
// before the last of them is taken off the candidates again.
constexpr std::string_view kBash = R"(# bash completion for PROGRAM
_PROGRAM_complete() {
  local IFS=$'\n' line word cut='' i
  local -a words=()
  for ((i = 1; i <= COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    if ((${#words[@]})) && [[ $word == [:=]* || ${words[-1]} == *[:=] ]]; then
      words[-1]+=$word
    else
      words+=("$word")
    fi
  done
  word=${words[-1]}
  [[ $word != *[:=]* ]] || cut=${word%"${word##*[:=]}"}
  COMPREPLY=()
  while read -r line; do
    if [[ $line == :files ]]; then
      compopt -o default
    else
      line=${line%%$'\t'*}
      COMPREPLY+=("${line#"$cut"}")
    fi
  done < <("${COMP_WORDS[0]}" ASK "${words[@]}" 2>/dev/null)
}
complete -F _PROGRAM_complete PROGRAM
)";

constexpr std::string_view kZsh = R"(#compdef PROGRAM
_PROGRAM() {
  local line
  local -a found
  for line in "${(@f)$(${words[1]} ASK "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    if [[ $line == :files ]]; then
      _files
    elif [[ $line == *$'\t'* ]]; then
      found+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
    elif [[ -n $line ]]; then
      found+=("${line//:/\\:}")
    fi
  done
  (( ${#found} )) && _describe PROGRAM found
}
if [[ $funcstack[1] == _PROGRAM ]]; then
  _PROGRAM "$@"
else
  compdef _PROGRAM PROGRAM
fi
)";

constexpr std::string_view kFish = R"(# fish completion for PROGRAM
function __PROGRAM_complete
    set -l words (commandline -opc) (commandline -ct)
    for line in ($words[1] ASK $words[2..-1] 2>/dev/null)
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

void replace_all(std::string& text, std::string_view mark, std::string_view by) {
  for (std::size_t at = text.find(mark); at != std::string::npos;
       at = text.find(mark, at + by.size()))
    text.replace(at, mark.size(), by);
}

}  // namespace

Result<std::string> completion_script(std::string_view shell, std::string_view program,
                                      bool hints) {
  for (const Shell& row : kShells) {
    if (row.name != shell) continue;
    std::string out(row.script);
    replace_all(out, "PROGRAM", program);
    replace_all(out, "ASK", hints ? "__complete" : "__completeNoDesc");
    return out;
  }
  return Error(Errc::invalid_argument,
               concat("completion: ", quote(shell), " is none of bash, zsh, fish"));
}

}  // namespace minke::cli
