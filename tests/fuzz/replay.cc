// The corpora on an ordinary build: each input, and what is left of it when it breaks off, through
// its fuzz target.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/str.h"
#include "fuzz_targets.h"
#include "sys/fd.h"

#define MINKE_DECLARE(NAME) extern "C" int fuzz_##NAME(const std::uint8_t*, std::size_t);
MINKE_FUZZ_TARGETS(MINKE_DECLARE)

namespace {

using namespace minke;

void replay(const char* name, int (*target)(const std::uint8_t*, std::size_t)) {
  const char* place = std::getenv("MINKE_FUZZ_CORPUS");
  std::string folder = concat(place != nullptr ? place : MINKE_FUZZ_CORPUS_DIR, "/", name);
  auto dir = sys::open_dir(folder);
  ASSERT_TRUE(dir.ok()) << folder;
  auto files = sys::list_dir(*dir);
  ASSERT_TRUE(files.ok() && !files->empty()) << folder;
  for (const std::string& file : *files) {
    SCOPED_TRACE(file);
    auto text = sys::read_small_file(concat(folder, "/", file), 1 << 20);
    ASSERT_TRUE(text.ok());
    auto run = [&](std::size_t size) {
      // A copy of its own, so that a read past the end is seen.
      std::string input(text->data(), size);
      EXPECT_EQ(target(reinterpret_cast<const std::uint8_t*>(input.data()), input.size()), 0);
    };
    run(text->size());
    for (std::size_t part = 0; part < 16; ++part) run(text->size() * part / 16);
  }
}

#define MINKE_REPLAY(NAME) \
  TEST(Fuzz, NAME) { replay(#NAME, fuzz_##NAME); }
MINKE_FUZZ_TARGETS(MINKE_REPLAY)

}  // namespace
