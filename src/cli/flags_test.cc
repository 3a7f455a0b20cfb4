// Every option of Podman's surface for the commands that exist is known: it works, or is refused by
// name for the reason that tests/data/flags.tsv gives.
#include <gtest/gtest.h>

#include "base/str.h"
#include "cli/command.h"
#include "sys/fd.h"

namespace minke::cli {
namespace {

const Command* find_command(std::string_view path) {
  for (const TreeRow& row : command_tree())
    if (row.path == path) return row.command;
  return nullptr;
}

const OptionInfo* find_option(const Command& command, std::string_view name) {
  for (const OptionTable& table : command.tables)
    for (std::size_t i = 0; i < table.count; ++i) {
      const OptionInfo& option = table.row(i);
      if (name == option.name || (option.extra.alias != nullptr && name == option.extra.alias))
        return &option;
    }
  return nullptr;
}

TEST(Flags, EveryOneIsKnown) {
  auto text = sys::read_small_file(MINKE_TEST_DATA "/flags.tsv", 4 << 20);
  ASSERT_TRUE(text) << text.error().message();
  std::size_t rows = 0;
  for (std::string_view line : split(*text, '\n')) {
    std::vector<std::string_view> cells = split(line, '\t');
    if (cells.size() < 3 || cells[0] == "command") continue;
    SCOPED_TRACE(std::string(line));
    const Command* command = find_command(cells[0]);
    if (command == nullptr) {
      ADD_FAILURE() << "no such command";
      continue;
    }
    ++rows;
    std::vector<std::string_view> names = split(cells[1], ' ');
    const OptionInfo* option = find_option(*command, names[0].substr(2));
    if (option == nullptr) {
      ADD_FAILURE() << "unknown option";
      continue;
    }
    EXPECT_EQ(option->refused(), cells[2] == "refused");
    if (option->refused() && cells.size() > 3) {
      EXPECT_EQ(option->help, cells[3]);
    }
    for (std::size_t i = 1; i < names.size(); ++i) {
      if (names[i].starts_with("--"))
        EXPECT_EQ(find_option(*command, names[i].substr(2)), option);
      else
        EXPECT_EQ(option->shorthand, names[i][1]);
    }
  }
  EXPECT_GT(rows, 500u);
}

}  // namespace
}  // namespace minke::cli
