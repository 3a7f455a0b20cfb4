#include "cli/progress.h"

#include <gtest/gtest.h>

namespace minke::cli {
namespace {

TEST(Progress, ShowsHowFarItIs) {
  EXPECT_EQ(progress_line("Loading", 50, 100, 3, 40), "Loading [=======       ] 50B / 100B  3s");
  EXPECT_EQ(progress_line("Loading", 200, 100, 3, 40), "Loading [=============] 200B / 100B  3s");
  EXPECT_EQ(progress_line("Loading", 1500000, 0, 2, 80), "Loading 1.5MB  2s");
  EXPECT_EQ(progress_line("Loading", 0, 0, 2, 80), "Loading 2s");
}

TEST(Progress, NeverIsWiderThanTheTerminal) {
  for (std::size_t width = 0; width < 120; ++width)
    EXPECT_LE(progress_line("Importing", 12345678, 99999999, 1234, width).size(), width) << width;
}

}  // namespace
}  // namespace minke::cli
