// The text of a Containerfile as instructions: continuations joined, comments gone, heredocs read,
// flags taken apart. What the instructions mean is parse.cc's.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "build/instruction.h"

namespace minke::build {

struct ScannedLine {
  std::string keyword;             // upper case
  std::vector<std::string> flags;  // "--name=value", quotes taken away
  std::string rest;                // what follows, without blanks around
  std::string original;            // all of it
  std::vector<Heredoc> heredocs;
  SourceLines lines;
};
struct ScannedFile {
  char escape = '\\';
  std::string syntax, check;
  std::vector<ScannedLine> lines;
  std::vector<std::string> warnings;
};

// Errors are "FILENAME:LINE: what".
Result<ScannedFile> scan(std::string_view text, std::string_view filename);

// Keyword, flags and rest of one instruction that has no heredocs yet.
ScannedLine split_instruction(std::string_view line);

// Strings of a JSON array; nothing when the text is none (then it is in shell form). An array with
// anything but strings is an error.
Result<std::optional<std::vector<std::string>>> parse_json_words(std::string_view text);

// <<NAME and its kin, whole; nothing for any other word.
std::optional<Heredoc> parse_heredoc_word(std::string_view word);

// At blanks, quotes and escapes kept as they are but heeded.
std::vector<std::string> split_quoted(std::string_view text, char escape);
// At blanks, whatever stands around them.
std::vector<std::string> split_blanks(std::string_view text);

bool is_blank(char c);

}  // namespace minke::build
