// Whole files as people write them, against what they were read as. MINKE_UPDATE_GOLDEN=1 writes
// the answers anew: look at the difference before it is committed.
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/str.h"
#include "build/parse.h"
#include "sys/fd.h"

namespace minke::build {
namespace {

TEST(Golden, WholeFiles) {
  const std::string folder = concat(MINKE_TEST_DATA, "/containerfiles");
  int seen = 0;
  auto names = sys::list_dir(*sys::open_dir(folder));
  ASSERT_TRUE(names.ok());
  for (const std::string& name : *names) {
    if (name.ends_with(".json")) continue;
    SCOPED_TRACE(name);
    auto file = parse(*sys::read_small_file(concat(folder, "/", name)), name);
    ASSERT_TRUE(file.ok()) << file.error().message();
    const std::string answer = concat(folder, "/", name, ".json");
    if (std::getenv("MINKE_UPDATE_GOLDEN") != nullptr) {
      ASSERT_TRUE(sys::write_file(answer, dump(*file), 0644).ok());
    }
    EXPECT_EQ(dump(*file), sys::read_small_file(answer).value_or("no " + answer));
    ++seen;
  }
  EXPECT_GE(seen, 5);
}

}  // namespace
}  // namespace minke::build
