#include "build/file_digests.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

#include "base/str.h"
#include "codec/digest.h"
#include "sys/fd.h"

namespace minke::build {
namespace {

TEST(FileDigests, KnowsWhatHasNotChanged) {
  char name[] = "/tmp/minke-digests-XXXXXX";
  ASSERT_NE(::mkdtemp(name), nullptr);
  const std::string top = name, file = top + "/file", list = top + "/cache/files";
  ASSERT_TRUE(sys::write_file(file, "one", 0644).ok());
  auto digest = [&] {
    sys::UniqueFd fd = std::move(*sys::open(file, O_RDONLY));
    return FileDigests(list).digest_of(fd.get(), "file").value_or("error");
  };
  EXPECT_EQ(digest(), sha256_hex("one"));
  // Just written: it is read again the next time.
  EXPECT_FALSE(sys::exists(list));
  sys::UniqueFd fd = std::move(*sys::open(file, O_RDONLY));
  struct stat st {};
  ASSERT_EQ(::fstat(fd.get(), &st), 0);
  // What the list says is believed, as long as all numbers are the same.
  auto identity = [&] {
    return concat(st.st_dev, " ", st.st_ino, " ", st.st_size, " ",
                  st.st_mtim.tv_sec * 1'000'000'000 + st.st_mtim.tv_nsec, " ",
                  st.st_ctim.tv_sec * 1'000'000'000 + st.st_ctim.tv_nsec);
  };
  ASSERT_TRUE(sys::ensure_dirs(top + "/cache", 0700).ok());
  ASSERT_TRUE(
      sys::write_file(list, concat("junk\n", identity(), " ", sha256_hex("told"), "\n"), 0600)
          .ok());
  EXPECT_EQ(digest(), sha256_hex("told"));
  // Same size, mtime set back: only the ctime tells.
  ASSERT_TRUE(sys::write_existing(file, "two").ok());
  const timespec times[2] = {st.st_atim, st.st_mtim};
  ASSERT_EQ(::utimensat(AT_FDCWD, file.c_str(), times, 0), 0);
  EXPECT_EQ(digest(), sha256_hex("two"));
  ignore(sys::remove_tree_at(sys::DirFd::cwd(), top.c_str()), "the test is over");
}

}  // namespace
}  // namespace minke::build
