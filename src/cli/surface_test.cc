// Every command of Podman's, its other names and the global options are known: they work, or are
// refused by name (tests/data/commands.tsv; the options of commands are in flags_test.cc).
#include <gtest/gtest.h>

#include "base/str.h"
#include "cli/command.h"
#include "sys/fd.h"

namespace minke::cli {
namespace {

struct Line {
  std::string command, what, name;
};

std::vector<Line> lines_of(std::string_view what) {
  std::vector<Line> lines;
  auto text = sys::read_small_file(MINKE_TEST_DATA "/commands.tsv", 1 << 20);
  EXPECT_TRUE(text.ok());
  if (!text) return lines;
  for (std::string_view line : split(*text, '\n')) {
    std::vector<std::string_view> cells = split(line, '\t');
    if (cells.size() != 3 || cells[1] != what) continue;
    lines.push_back({std::string(cells[0]), std::string(cells[1]), std::string(cells[2])});
  }
  return lines;
}

const TreeRow* find_row(std::string_view path) {
  for (const TreeRow& row : command_tree())
    if (path == row.path) return &row;
  return nullptr;
}

// Its own row, or that of a group above it that is refused as a whole.
const TreeRow* row_or_refused_group(std::string_view path) {
  if (const TreeRow* row = find_row(path)) return row;
  for (std::size_t blank = path.rfind(' '); blank != std::string_view::npos;
       blank = path.rfind(' ')) {
    path = path.substr(0, blank);
    const TreeRow* row = find_row(path);
    if (row != nullptr) return row->command == nullptr ? row : nullptr;
  }
  return nullptr;
}

bool has_alias(const TreeRow& row, std::string_view alias) {
  if (row.aliases == nullptr) return false;
  for (std::string_view name : split(row.aliases, ','))
    if (name == alias) return true;
  return false;
}

const OptionInfo* find_option(std::span<const OptionTable> tables, std::string_view name) {
  for (const OptionTable& table : tables)
    for (std::size_t i = 0; i < table.count; ++i)
      if (name == table.row(i).name) return &table.row(i);
  return nullptr;
}

TEST(Surface, EveryCommandIsKnown) {
  std::vector<Line> lines = lines_of("command");
  for (const Line& line : lines)
    EXPECT_NE(row_or_refused_group(line.command), nullptr) << line.command << " is unknown";
  EXPECT_GT(lines.size(), 200U);
}

TEST(Surface, EveryAliasIsKnown) {
  for (const Line& line : lines_of("alias")) {
    const TreeRow* row = row_or_refused_group(line.command);
    ASSERT_NE(row, nullptr) << line.command;
    if (row->command == nullptr) continue;
    EXPECT_TRUE(has_alias(*row, line.name)) << line.command << " is also called " << line.name;
  }
}

TEST(Surface, EveryGlobalOptionIsKnown) {
  const OptionTable global[] = {global_option_table(), root_option_table()};
  for (const Line& line : lines_of("option")) {
    std::span<const OptionTable> tables = global;
    if (!line.command.empty()) tables = find_row(line.command)->command->tables;
    std::vector<std::string_view> names = split(line.name, ' ');  // "--remote -r"
    const OptionInfo* option = find_option(tables, names[0].substr(2));
    ASSERT_NE(option, nullptr) << line.name << " is unknown";
    if (names.size() < 2) continue;
    EXPECT_EQ(option->shorthand, names[1][1]) << line.name;
  }
}

TEST(Surface, RefusalsGiveTheirReason) {
  for (const TreeRow& row : command_tree()) {
    if (row.command == nullptr) {
      EXPECT_TRUE(row.refused != nullptr && *row.refused != '\0') << row.path;
      continue;
    }
    for (const OptionTable& table : row.command->tables)
      for (std::size_t i = 0; i < table.count; ++i)
        EXPECT_FALSE(std::string_view(table.row(i).help).empty())
            << row.path << " --" << table.row(i).name;
  }
}

}  // namespace
}  // namespace minke::cli
