// Completion: the shell scripts ask the program itself (`minke __complete WORDS...`), which knows
// its tables and the names on disk.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace minke::cli {

// The candidates for the last of `words` (it may be empty), one to a line, with a tab and a hint;
// ":files" as the last line when file names fit too.
std::string complete_words(std::span<const std::string> words);
std::string without_hints(std::string_view candidates);

// The script for "bash", "zsh" or "fish"; without `hints` it shows bare words.
Result<std::string> completion_script(std::string_view shell, std::string_view program, bool hints);

}  // namespace minke::cli
