// The parts of the parser for each other. Errors here have no file and no line yet.
#pragma once

#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "build/scan.h"

namespace minke::build {

// " (did you mean X?)", or nothing when no candidate is near.
std::string did_you_mean(std::string_view text, const std::vector<std::string_view>& candidates);

// A flag in front of an instruction's words, and where its value goes.
struct FlagRow {
  std::string_view name;
  std::variant<std::string*, bool*, std::optional<bool>*, std::vector<std::string>*> value;
};
Status read_flags(const ScannedLine& line, std::initializer_list<FlagRow> rows);

Error wrong(std::string_view what);

// RUN, CMD, ENTRYPOINT and the test of HEALTHCHECK.
Result<CommandLine> parse_command(std::string_view text, std::string_view keyword);

Result<Node> parse_run(const ScannedLine& line);
Result<Node> parse_copy(const ScannedLine& line);

// The value of --mount with its variables replaced by `expand`; without it only type, from and the
// names of the keys are looked at.
using ExpandText = std::function<Result<std::string>(std::string_view)>;
Result<RunMount> parse_mount(std::string_view text, const ExpandText* expand);

// --chmod: nothing is wrong with it.
Status check_mode(std::string_view text);

}  // namespace minke::build
