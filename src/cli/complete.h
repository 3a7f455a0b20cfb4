// Completion: the shell scripts ask the program itself (`minke __complete WORDS...`), which knows
// its tables.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace minke::cli {

// The candidates for the last of `words` (it may be empty), one to a line, with a tab and a hint;
// ":files" as the last line when file names fit too.
std::string complete_words(std::string_view program, std::span<const std::string> words);

}  // namespace minke::cli
