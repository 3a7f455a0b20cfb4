// Containerfiles, as BuildKit's syntax of today has them.
#pragma once

#include <string>
#include <string_view>

#include "build/instruction.h"

namespace minke::build {

// Reads all of `text`. An error is one line, "FILENAME:LINE: what (how to mend)", and comes from
// the first instruction that is wrong. Values that depend on variables are checked by
// expand_instruction() (build/variables.h).
Result<Containerfile> parse(std::string_view text, std::string_view filename);

// One instruction from an image's ONBUILD list. `image` is for messages: "ONBUILD of IMAGE". FROM,
// ONBUILD and MAINTAINER are refused.
Result<Instruction> parse_trigger(std::string_view text, std::string_view image);

// The command that a RUN gives to its process: the stage's shell in front of the shell form,
// heredocs inside. A heredoc that begins with "#!" becomes a file: it shows, executable, at
// /dev/pipes/NAME, and `script` holds its content.
struct RunCommand {
  std::vector<std::string> argv;
  std::string script, script_name;  // empty: none
};
Result<RunCommand> run_command(const node::Run& run, const std::vector<std::string>& shell);

// The argument vector for the image's config.
std::vector<std::string> command_vector(const CommandLine& command,
                                        const std::vector<std::string>& shell);

// A readable dump of the whole file as JSON, for `minke debug containerfile` and golden tests.
std::string dump(const Containerfile& file);

}  // namespace minke::build
