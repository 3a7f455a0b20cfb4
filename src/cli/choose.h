// A list on the terminal to choose from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace minke::cli {

// The list as it is moved in: arrows, or j and k, and Enter; Ctrl-C gives up.
class Menu {
 public:
  enum class State : std::uint8_t { open, chosen, given_up };
  explicit Menu(std::vector<std::string> rows) : rows_(std::move(rows)) {}

  State type(std::string_view bytes);  // as they come; sequences of escape may come in parts
  const std::string& chosen() const { return rows_[at_]; }
  // Lines for a terminal of that size, the chosen one always among them.
  std::vector<std::string> picture(std::size_t width, std::size_t height) const;

 private:
  void move(int by);
  std::vector<std::string> rows_;
  std::size_t at_ = 0;
  std::string pending_;
};

// From here on a person is asked which image a short name stands for, when standard input and
// output are terminals.
void ask_for_short_names();

}  // namespace minke::cli
