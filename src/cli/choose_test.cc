#include "cli/choose.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/str.h"

namespace minke::cli {
namespace {

using State = Menu::State;

TEST(Menu, IsMovedInByKeys) {
  Menu menu({"a.io/x:1", "b.io/x:1", "c.io/x:1"});
  EXPECT_EQ(menu.type("\x1b[A"), State::open);
  EXPECT_EQ(menu.chosen(), "a.io/x:1");
  EXPECT_EQ(menu.type("\x1b"), State::open);
  EXPECT_EQ(menu.type("[B"), State::open);
  EXPECT_EQ(menu.chosen(), "b.io/x:1");
  EXPECT_EQ(menu.type("jjj"), State::open);
  EXPECT_EQ(menu.chosen(), "c.io/x:1");
  EXPECT_EQ(menu.type("kq\r"), State::chosen);
  EXPECT_EQ(menu.chosen(), "b.io/x:1");
  EXPECT_EQ(menu.type("\x03"), State::given_up);
}

TEST(Menu, ShowsTheChosenOneHoweverLowTheTerminal) {
  std::vector<std::string> rows;
  for (int i = 0; i < 30; ++i) rows.push_back(concat("registry", i, ".example/x:latest"));
  Menu menu(rows);
  for (std::size_t height : {1U, 5U, 24U, 100U})
    EXPECT_NE(join(menu.picture(80, height), "\n").find("\u25b8 registry0."), std::string::npos);
  ASSERT_EQ(menu.type(std::string(20, 'j')), State::open);
  for (std::size_t height : {1U, 5U, 24U, 100U}) {
    auto lines = menu.picture(80, height);
    EXPECT_LE(lines.size(), std::max<std::size_t>(height, 2));
    EXPECT_NE(join(lines, "\n").find("\u25b8 registry20."), std::string::npos);
  }
  for (const std::string& line : menu.picture(10, 24)) EXPECT_LE(line.size(), 26U);
}

}  // namespace
}  // namespace minke::cli
