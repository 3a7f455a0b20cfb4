// Needs no root where the test runs in a user namespace; where owners cannot be set those cases are
// skipped.
#include "imagework/extract.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/rand.h"
#include "base/str.h"
#include "codec/tar_writer.h"

namespace minke::imagework {
namespace {

using Type = TarEntry::Type;

class StringSink final : public ByteSink {
 public:
  Status write(std::string_view bytes) override {
    text += bytes;
    return {};
  }
  std::string text;
};

TarEntry make(Type type, std::string path, std::string link = "") {
  TarEntry entry;
  entry.type = type;
  entry.path = std::move(path);
  entry.link = std::move(link);
  entry.mode = type == Type::directory ? 0755 : 0644;
  entry.uid = ::getuid();
  entry.gid = ::getgid();
  entry.mtime = 1'600'000'000'123'456'789;
  return entry;
}

// A folder with diff/ inside and a canary beside it that must never change.
class ExtractTest : public testing::Test {
 protected:
  void SetUp() override {
    ::umask(0);
    top_ = concat(testing::TempDir(), "minke-extract-", random_hex(6));
    ASSERT_TRUE(sys::ensure_dirs(top_ + "/diff", 0755).ok());
    ASSERT_TRUE(sys::write_file(top_ + "/canary", "safe", 0600).ok());
    diff_ = std::move(*sys::open(top_ + "/diff", O_RDONLY | O_DIRECTORY));
  }
  void TearDown() override {
    EXPECT_EQ(sys::read_small_file(top_ + "/canary").value_or("gone"), "safe");
    struct stat st {};
    ASSERT_EQ(::lstat((top_ + "/canary").c_str(), &st), 0);
    EXPECT_EQ(st.st_mode & 07777, 0600U);
    EXPECT_EQ(st.st_nlink, 1U);
    auto names = sys::list_dir(sys::DirFd::cwd(), top_.c_str());
    EXPECT_EQ(names->size(), 2U);
    ignore(sys::remove_tree_at(sys::DirFd::cwd(), top_.c_str()), "a temporary folder");
  }
  void add(const TarEntry& entry, std::string_view data = "") {
    TarEntry copy = entry;
    if (copy.type == Type::file && !copy.sparse) copy.size = data.size();
    ASSERT_TRUE(writer_.add(copy).ok());
    ASSERT_TRUE(data.empty() || writer_.data(data).ok());
  }
  Status extract(Extractor& extractor) {
    EXPECT_TRUE(writer_.finish().ok());
    MemorySource source(sink_.text, 4096);
    TarReader reader(source);
    TarEntry entry;
    while (TRY(reader.next(&entry))) TRY(extractor.apply(entry, reader));
    return extractor.finish();
  }
  Status extract() {
    Extractor extractor(diff_.get(), rootless(), limits_);
    return extract(extractor);
  }
  void refuses(std::string_view part) {
    Status done = extract();
    ASSERT_FALSE(done.ok());
    EXPECT_NE(done.error().message().find(part), std::string::npos) << done.error().message();
    EXPECT_EQ(done.error().message().find('\n'), std::string::npos);
  }
  static bool rootless() { return true; }
  std::string read(const std::string& path) {
    return sys::read_small_file(top_ + "/diff/" + path).value_or("<missing>");
  }
  struct stat stat_of(const std::string& path) {
    struct stat st {};
    EXPECT_EQ(::lstat((top_ + "/diff/" + path).c_str(), &st), 0) << path;
    return st;
  }
  bool is_whiteout(const std::string& path) {
    struct stat st = stat_of(path);
    return S_ISCHR(st.st_mode) && st.st_rdev == 0;
  }

  std::string top_;
  sys::UniqueFd diff_;
  StringSink sink_;
  TarWriter writer_{sink_};
  Limits limits_;
};

TEST_F(ExtractTest, OrdinaryTree) {
  add(make(Type::directory, "./"));
  TarEntry dir = make(Type::directory, "./usr/");
  dir.mode = 01777;
  add(dir);
  TarEntry file = make(Type::file, "./usr/f");
  file.mode = 0640;
  file.xattrs = {{"user.a", "b"}, {"user.overlay.redirect", "/etc"}, {"trusted.x", "y"}};
  add(file, "hello");
  TarEntry suid = make(Type::file, "usr/suid");
  suid.mode = 04755;
  add(suid, "x");
  add(make(Type::symlink, "link", "/etc/passwd"));
  add(make(Type::hard_link, "usr/hard", "./usr/f"));
  add(make(Type::fifo, "usr/fifo"));
  TarEntry sparse = make(Type::file, "sparse");
  sparse.size = 10 << 20;
  sparse.sparse = true;
  sparse.extents = {{5 << 20, 4}};
  add(sparse, "data");
  add(make(Type::file, "implied/deep/f"), "1");
  Extractor extractor(diff_.get(), rootless(), limits_);
  Status done = extract(extractor);
  ASSERT_TRUE(done.ok()) << done.error().message();
  EXPECT_EQ(read("usr/f"), "hello");
  EXPECT_EQ(stat_of("usr/f").st_mode & 07777, 0640U);
  EXPECT_EQ(stat_of("usr/f").st_mtim.tv_nsec, 123'456'789);
  EXPECT_EQ(stat_of("usr/f").st_nlink, 2U);
  EXPECT_EQ(stat_of("usr/suid").st_mode & 07777, 04755U);
  EXPECT_EQ(stat_of("usr").st_mode & 07777, 01777U);
  EXPECT_EQ(stat_of("usr").st_mtim.tv_sec, 1'600'000'000);
  EXPECT_TRUE(S_ISLNK(stat_of("link").st_mode));
  EXPECT_TRUE(S_ISFIFO(stat_of("usr/fifo").st_mode));
  EXPECT_EQ(stat_of("sparse").st_size, 10 << 20);
  EXPECT_LT(stat_of("sparse").st_blocks * 512, 1 << 20);
  char value[16];
  std::string path = top_ + "/diff/usr/f";
  EXPECT_EQ(::lgetxattr(path.c_str(), "user.a", value, sizeof value), 1);
  EXPECT_LT(::lgetxattr(path.c_str(), "user.overlay.redirect", value, sizeof value), 0);
  EXPECT_EQ(extractor.implied().size(), 2U);
  EXPECT_EQ(extractor.notes().size(), 2U);
}

TEST_F(ExtractTest, LaterEntriesReplaceEarlierOnes) {
  add(make(Type::file, "a"), "one");
  add(make(Type::file, "a"), "two");
  add(make(Type::file, "d/x"), "x");
  add(make(Type::file, "d"), "file now");
  add(make(Type::symlink, "s", "nowhere"));
  add(make(Type::directory, "s/"));
  add(make(Type::file, "s/in"), "in");
  add(make(Type::directory, "m/"));
  add(make(Type::file, "m/keep"), "k");
  add(make(Type::directory, "m/"));
  Status done = extract();
  ASSERT_TRUE(done.ok()) << done.error().message();
  EXPECT_EQ(read("a"), "two");
  EXPECT_EQ(read("d"), "file now");
  EXPECT_EQ(read("s/in"), "in");
  EXPECT_EQ(read("m/keep"), "k");
}

TEST_F(ExtractTest, FollowsLinksThatStayInside) {
  add(make(Type::directory, "usr/lib/"));
  add(make(Type::symlink, "lib", "usr/lib"));
  add(make(Type::file, "lib/x"), "x");
  ASSERT_TRUE(extract().ok());
  EXPECT_EQ(read("usr/lib/x"), "x");
}

TEST_F(ExtractTest, Whiteouts) {
  add(make(Type::file, "dir/.wh.gone"));
  add(make(Type::file, ".wh.top"));
  add(make(Type::file, "opaque/.wh..wh..opq"));
  add(make(Type::file, "opaque/new"), "n");
  add(make(Type::file, ".wh..wh.plnk/1.2"));
  add(make(Type::file, ".wh.both"));
  add(make(Type::file, "both/new"), "n");
  add(make(Type::directory, "late/"));
  add(make(Type::file, ".wh.late"));
  Extractor extractor(diff_.get(), false, limits_);
  Status done = extract(extractor);
  if (!done.ok() && done.error().sys() == EPERM) GTEST_SKIP() << "no right to make whiteouts here";
  ASSERT_TRUE(done.ok()) << done.error().message();
  EXPECT_TRUE(is_whiteout("dir/gone"));
  EXPECT_TRUE(is_whiteout("top"));
  EXPECT_EQ(read("opaque/new"), "n");
  EXPECT_FALSE(sys::exists(top_ + "/diff/.wh..wh.plnk"));
  EXPECT_EQ(read("both/new"), "n");
  EXPECT_TRUE(S_ISDIR(stat_of("late").st_mode));
  for (const char* path : {"opaque", "both", "late"})
    EXPECT_NE(concat('\0', extractor.opaque_list()).find(concat('\0', path, '\0')),
              std::string::npos)
        << path;
}

TEST_F(ExtractTest, RootlessMarksOpaqueDirectoriesItself) {
  add(make(Type::file, "opaque/.wh..wh..opq"));
  ASSERT_TRUE(extract().ok());
  char value[4];
  EXPECT_EQ(
      ::lgetxattr((top_ + "/diff/opaque").c_str(), "user.overlay.opaque", value, sizeof value), 1);
}

TEST_F(ExtractTest, ManyOpaqueMarksAreOne) {
  for (int i = 0; i < 20'000; ++i) add(make(Type::file, "d/.wh..wh..opq"));
  Extractor extractor(diff_.get(), false, limits_);
  ASSERT_TRUE(extract(extractor).ok());
  EXPECT_EQ(extractor.opaque_list(), std::string("d\0", 2));
}

TEST_F(ExtractTest, RefusesAbsolutePath) {
  add(make(Type::file, top_ + "/canary"), "evil");
  refuses("an absolute path");
}
TEST_F(ExtractTest, RefusesDotDot) {
  add(make(Type::file, "a/../../canary"), "evil");
  refuses("a path with \"..\"");
}
TEST_F(ExtractTest, RefusesFileThroughLeavingLink) {
  add(make(Type::symlink, "up", ".."));
  add(make(Type::file, "up/canary"), "evil");
  refuses("leaves the layer through a symbolic link");
}
TEST_F(ExtractTest, RefusesFileThroughAbsoluteLink) {
  add(make(Type::symlink, "abs", top_));
  add(make(Type::file, "abs/canary"), "evil");
  refuses("leaves the layer through a symbolic link");
}
TEST_F(ExtractTest, RefusesDirectoryThroughChainOfLinks) {
  add(make(Type::directory, "d/"));
  add(make(Type::symlink, "d/one", "../two"));
  add(make(Type::symlink, "two", "../.."));
  add(make(Type::directory, "d/one/evil/"));
  refuses("leaves the layer through a symbolic link");
}
TEST_F(ExtractTest, RefusesWhiteoutThroughLink) {
  add(make(Type::symlink, "up", ".."));
  add(make(Type::file, "up/.wh.canary"));
  refuses("leaves the layer through a symbolic link");
}
TEST_F(ExtractTest, RefusesOpaqueThroughLink) {
  add(make(Type::symlink, "up", ".."));
  add(make(Type::file, "up/.wh..wh..opq"));
  refuses("leaves the layer through a symbolic link");
}
TEST_F(ExtractTest, RefusesLinkLoop) {
  add(make(Type::symlink, "a", "b"));
  add(make(Type::symlink, "b", "a"));
  add(make(Type::file, "a/x"), "x");
  refuses("loop of symbolic links");
}
TEST_F(ExtractTest, RefusesHardLinkOut) {
  add(make(Type::hard_link, "h", "../canary"));
  refuses("a hard link to outside");
}
TEST_F(ExtractTest, RefusesAbsoluteHardLink) {
  add(make(Type::hard_link, "h", top_ + "/canary"));
  refuses("a hard link to outside");
}
TEST_F(ExtractTest, RefusesHardLinkThroughSymlink) {
  add(make(Type::symlink, "up", ".."));
  add(make(Type::hard_link, "h", "up/canary"));
  refuses("which is not in the layer");
}
TEST_F(ExtractTest, HardLinkToSymlinkTakesTheLinkItself) {
  add(make(Type::symlink, "s", top_ + "/canary"));
  add(make(Type::hard_link, "h", "s"));
  TarEntry over = make(Type::file, "h");
  over.mode = 0777;
  add(over, "evil");
  Status done = extract();
  ASSERT_TRUE(done.ok()) << done.error().message();
  EXPECT_EQ(read("h"), "evil");
}
TEST_F(ExtractTest, RefusesHardLinkToMissing) {
  add(make(Type::hard_link, "h", "nothing"));
  refuses("which is not in the layer");
}
TEST_F(ExtractTest, RefusesHardLinkToDirectory) {
  add(make(Type::directory, "d/"));
  add(make(Type::hard_link, "h", "d"));
  refuses("which is a directory");
}
TEST_F(ExtractTest, FileOverSymlinkReplacesTheLink) {
  add(make(Type::symlink, "x", top_ + "/canary"));
  add(make(Type::file, "x"), "evil");
  ASSERT_TRUE(extract().ok());
  EXPECT_EQ(read("x"), "evil");
}
TEST_F(ExtractTest, DirectoryOverSymlinkReplacesTheLink) {
  add(make(Type::symlink, "x", ".."));
  TarEntry dir = make(Type::directory, "x/");
  dir.mode = 0777;
  add(dir);
  add(make(Type::file, "x/canary"), "evil");
  ASSERT_TRUE(extract().ok());
  EXPECT_EQ(read("x/canary"), "evil");
}
TEST_F(ExtractTest, RefusesNonDirectoryParent) {
  add(make(Type::file, "f"), "f");
  add(make(Type::file, "f/x"), "x");
  refuses("its parent is not a directory");
}
TEST_F(ExtractTest, RefusesRootThatIsNoDirectory) {
  add(make(Type::symlink, "./", "/etc"));
  refuses("root is not a directory");
}
TEST_F(ExtractTest, RefusesMalformedWhiteouts) {
  for (const char* name :
       {".wh.", ".wh..", ".wh...", ".wh..wh..", ".wh..wh.evil", "d/.wh....", ".wh.x/y"}) {
    sink_.text.clear();
    add(make(Type::file, name), "");
    if (std::string_view(name) == "d/.wh....") continue;  // names "...", an ordinary file
    SCOPED_TRACE(name);
    Status done = extract();
    ASSERT_FALSE(done.ok());
    EXPECT_NE(done.error().message().find("whiteout"), std::string::npos) << done.error().message();
  }
}
TEST_F(ExtractTest, RefusesOwnerOutOfRange) {
  TarEntry entry = make(Type::file, "f");
  entry.uid = UINT32_MAX;
  add(entry, "");
  refuses("an owner out of range");
}
TEST_F(ExtractTest, RefusesUnmappedOwner) {
  auto map = sys::read_small_file("/proc/self/uid_map");
  if (map && map->find("4294967295") != std::string::npos && ::getuid() == 0)
    GTEST_SKIP() << "every id is mapped here";
  TarEntry entry = make(Type::file, "f");
  entry.uid = 4'000'000'000;
  add(entry, "");
  refuses(
      "potentially insufficient UIDs or GIDs available in user namespace (requested 4000000000:");
}
TEST_F(ExtractTest, RefusesTooManyEntries) {
  limits_.entries = 100;
  for (int i = 0; i < 101; ++i) add(make(Type::file, concat("f", i)), "");
  refuses("more than 100 entries");
}
TEST_F(ExtractTest, CountsImpliedDirectories) {
  limits_.entries = 100;
  std::string path;
  for (int i = 0; i < 150; ++i) path += "d/";
  add(make(Type::file, path + "f"), "");
  refuses("more than 100 entries");
}
TEST_F(ExtractTest, RefusesTooManyBytes) {
  limits_.bytes = 1000;
  add(make(Type::file, "f"), std::string(1001, 'x'));
  refuses("more than 1000 bytes");
}
TEST_F(ExtractTest, RefusesHugeSparseFileWithoutFillingTheDisk) {
  TarEntry entry = make(Type::file, "f");
  entry.sparse = true;
  entry.size = std::uint64_t{1} << 61;
  entry.extents = {{0, 4}};
  add(entry, "data");
  refuses("set the size");
}
TEST_F(ExtractTest, RefusesLongNames) {
  add(make(Type::file, std::string(256, 'n')), "");
  refuses("longer than 255 bytes");
}
TEST_F(ExtractTest, RefusesLongPaths) {
  std::string path;
  for (int i = 0; i < 2100; ++i) path += "d/";
  add(make(Type::file, path + "f"), "");
  refuses("too long");
}

TEST(AcceptXattr, Table) {
  std::string v3(
      "\1\0\0\3"
      "aaaabbbbccccdddd"
      "root",
      24);
  EXPECT_TRUE(accept_xattr("security.capability", &v3));
  EXPECT_EQ(v3, std::string("\1\0\0\2"
                            "aaaabbbbccccdddd",
                            20));
  std::string v2 = v3;
  EXPECT_TRUE(accept_xattr("security.capability", &v2));
  std::string bad = "\1\0\0\2";
  EXPECT_FALSE(accept_xattr("security.capability", &bad));
  std::string value = "x";
  EXPECT_TRUE(accept_xattr("user.anything", &value));
  for (const char* name :
       {"user.overlay.opaque", "user.overlay.redirect", "user.overlay.metacopy",
        "trusted.overlay.opaque", "security.selinux", "security.ima", "system.other", ""})
    EXPECT_FALSE(accept_xattr(name, &value)) << name;
}

}  // namespace
}  // namespace minke::imagework
