#include "build/copy.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>

#include "base/str.h"
#include "build/parse.h"
#include "build/remote.h"
#include "build/sources.h"

namespace minke::build {
namespace {

using sys::DirFd;

class Copying : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/minke-copy-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    top_ = name;
    folder("ctx");
    folder("root");
  }
  void TearDown() override {
    ignore(sys::remove_tree_at(DirFd::cwd(), top_.c_str()), "the test is over");
  }

  void folder(const std::string& path, mode_t mode = 0755) {
    ASSERT_TRUE(sys::ensure_dirs(at(path), 0755).ok());
    ::chmod(at(path).c_str(), mode);
  }
  void file(const std::string& path, const std::string& text, mode_t mode = 0644) {
    folder(path.substr(0, path.rfind('/')));
    ASSERT_TRUE(sys::write_file(at(path), text, mode).ok());
    ::chmod(at(path).c_str(), mode);
  }
  void link(const std::string& path, const std::string& target) {
    ASSERT_EQ(::symlink(target.c_str(), at(path).c_str()), 0);
  }
  std::string at(const std::string& path) const { return concat(top_, "/", path); }
  std::string content(const std::string& path) const {
    return sys::read_small_file(at(path)).value_or("(none)");
  }
  mode_t mode(const std::string& path) const {
    struct stat st {};
    return ::lstat(at(path).c_str(), &st) == 0 ? st.st_mode & 07777 : 0;
  }
  bool there(const std::string& path) const {
    struct stat st {};
    return ::lstat(at(path).c_str(), &st) == 0;
  }
  // All files and folders below, sorted.
  std::string tree(const std::string& path, const std::string& prefix = "") const {
    std::string out;
    auto dir = sys::open_dir(at(path));
    if (!dir) return "";
    auto names = sys::list_dir(*dir);
    for (const std::string& name : *names) {
      struct stat st {};
      ::lstat(at(concat(path, "/", name)).c_str(), &st);
      out += concat(out.empty() ? "" : " ", prefix, name, S_ISDIR(st.st_mode) ? "/" : "");
      if (!S_ISDIR(st.st_mode)) continue;
      std::string below = tree(concat(path, "/", name), concat(prefix, name, "/"));
      if (!below.empty()) out += concat(" ", below);
    }
    return out;
  }

  // One instruction from ctx/ into root/; "" or the fault.
  std::string copy(const std::string& line, const std::string& workdir = "/") {
    return with_plan(line, workdir, [&](const CopyPlan& plan) -> std::string {
      sys::UniqueFd root = std::move(*sys::open(at("root"), O_RDONLY | O_DIRECTORY));
      Status done = perform_copy(plan, root.get());
      return done ? "" : done.error().message();
    });
  }
  std::string digest(const std::string& line) {
    return with_plan(line, "/", [](const CopyPlan& plan) -> std::string {
      auto text = copy_digest(plan);
      return text ? *text : text.error().message();
    });
  }
  std::string with_plan(const std::string& line, const std::string& workdir,
                        const std::function<std::string(const CopyPlan&)>& use) {
    // The test's user can give files to nobody else.
    std::string owned = line;
    if (owned.find("--chown") == std::string::npos)
      owned.insert(owned.find(' '), concat(" --chown=", ::getuid(), ":", ::getgid()));
    auto parsed = parse(concat("FROM x\n", owned, "\n"), "F");
    if (!parsed) return parsed.error().message();
    if (!sys::exists(at("ctx/Containerfile"))) file("ctx/Containerfile", "FROM x\n");
    ContextRequest request;
    request.main = at("ctx");
    auto contexts = Contexts::open(request);
    if (!contexts) return contexts.error().message();
    CopyPlan plan;
    plan.copy = parsed->stages[0].instructions[0].as<node::Copy>();
    plan.context = *(*contexts)->find("");
    plan.workdir = workdir;
    return use(plan);
  }
  std::string top_;
};

TEST_F(Copying, OneFile) {
  file("ctx/a", "A", 0640);
  EXPECT_EQ(copy("COPY a /b"), "");
  EXPECT_EQ(content("root/b"), "A");
  EXPECT_EQ(mode("root/b"), 0640U);
  EXPECT_EQ(copy("COPY a /new/dir/"), "");
  EXPECT_EQ(content("root/new/dir/a"), "A");
  EXPECT_EQ(mode("root/new/dir"), 0755U);
  EXPECT_EQ(copy("COPY a sub/c", "/w"), "");
  EXPECT_EQ(content("root/w/sub/c"), "A");
  EXPECT_EQ(copy("COPY a .", "/w"), "");
  EXPECT_EQ(content("root/w/a"), "A");
  EXPECT_EQ(copy("COPY ../../a /../up"), "");
  EXPECT_EQ(content("root/up"), "A");
  folder("root/there");
  EXPECT_EQ(copy("COPY a /there"), "");
  EXPECT_EQ(content("root/there/a"), "A");
  file("ctx/a", "again");
  EXPECT_EQ(copy("COPY a /b"), "");
  EXPECT_EQ(content("root/b"), "again");
}

TEST_F(Copying, TimesAreKept) {
  file("ctx/a", "A");
  const timespec times[2] = {{1000, 5}, {2000, 7}};
  ASSERT_EQ(::utimensat(AT_FDCWD, at("ctx/a").c_str(), times, 0), 0);
  EXPECT_EQ(copy("COPY a /a"), "");
  struct stat st {};
  ::stat(at("root/a").c_str(), &st);
  EXPECT_EQ(st.st_mtim.tv_sec, 2000);
  EXPECT_EQ(st.st_mtim.tv_nsec, 7);
}

TEST_F(Copying, Folders) {
  file("ctx/d/x", "X");
  file("ctx/d/e/y", "Y");
  folder("ctx/d/empty", 0700);
  link("ctx/d/l", "/etc/passwd");
  EXPECT_EQ(copy("COPY d /t"), "");
  EXPECT_EQ(tree("root/t"), "e/ e/y empty/ l x");
  EXPECT_EQ(mode("root/t/empty"), 0700U);
  EXPECT_EQ(copy("COPY d/ d/e /two/"), "");
  EXPECT_EQ(tree("root/two"), "e/ e/y empty/ l x y");
  // What is there stays, and keeps what it has.
  file("root/has/old", "O");
  ::chmod(at("root/has").c_str(), 0711);
  EXPECT_EQ(copy("COPY d /has"), "");
  EXPECT_EQ(tree("root/has"), "e/ e/y empty/ l old x");
  EXPECT_EQ(mode("root/has"), 0711U);
  EXPECT_EQ(copy("COPY . /all"), "");
  EXPECT_TRUE(there("root/all/d/e/y"));
}

TEST_F(Copying, Patterns) {
  for (const char* name : {"ctx/a1.txt", "ctx/a2.txt", "ctx/b.md", "ctx/s/c.txt", "ctx/s/t/d.txt",
                           "ctx/[x].txt", "ctx/dir1/f", "ctx/dir2/g"})
    file(name, "x");
  EXPECT_EQ(copy("COPY a?.txt /p/"), "");
  EXPECT_EQ(tree("root/p"), "a1.txt a2.txt");
  EXPECT_EQ(copy("COPY *.txt /q"), "") << "several need no slash";
  EXPECT_EQ(tree("root/q"), "[x].txt a1.txt a2.txt");
  EXPECT_EQ(copy("COPY **/*.txt /r/"), "");
  EXPECT_EQ(tree("root/r"), "[x].txt a1.txt a2.txt c.txt d.txt");
  EXPECT_EQ(copy("COPY [[]x].txt /s/"), "");
  EXPECT_EQ(tree("root/s"), "[x].txt");
  EXPECT_EQ(copy("COPY s/*/d* /one"), "");
  EXPECT_TRUE(there("root/one")) << "one match is a file";
  EXPECT_EQ(copy("COPY dir* /u"), "");
  EXPECT_EQ(tree("root/u"), "f g");
  EXPECT_EQ(copy("COPY b.md lock* /v/"), "");
  EXPECT_EQ(tree("root/v"), "b.md");
  EXPECT_EQ(copy("COPY lock* /v/"), "lock*: no file matches");
  EXPECT_EQ(copy("COPY gone /v/"), "gone: no such file or directory");
}

TEST_F(Copying, LinksNeverLeaveTheContext) {
  file("outside/secret", "S");
  file("ctx/real", "R");
  file("ctx/etc/passwd", "mine");
  link("ctx/up", "../outside/secret");
  link("ctx/abs", "/etc/passwd");
  link("ctx/folder", "../outside");
  link("ctx/fine", "real");
  link("ctx/loop", "loop");
  EXPECT_EQ(copy("COPY up /x"), "up: no such file or directory");
  EXPECT_EQ(copy("COPY folder/secret /x"), "folder/secret: no such file or directory");
  EXPECT_EQ(copy("COPY abs /y"), "");
  EXPECT_EQ(content("root/y"), "mine");
  EXPECT_EQ(copy("COPY fine /z/"), "");
  EXPECT_EQ(content("root/z/fine"), "R");
  EXPECT_FALSE(copy("COPY loop /x").empty());
  EXPECT_FALSE(there("root/x"));
}

TEST_F(Copying, LinksInTheImageStayInIt) {
  file("ctx/a", "A");
  folder("root/real");
  link("root/abs", "/real");
  link("root/out", "/../../../../../../../../../tmp");
  link("root/flink", "real/target");
  EXPECT_EQ(copy("COPY a /abs/in"), "");
  EXPECT_EQ(content("root/real/in"), "A");
  EXPECT_EQ(copy("COPY a /abs"), "");
  EXPECT_EQ(content("root/real/a"), "A");
  EXPECT_EQ(copy("COPY a /flink"), "");
  EXPECT_EQ(content("root/real/target"), "A");
  EXPECT_EQ(copy("COPY a /out/minke-copied"), "");
  EXPECT_EQ(content("root/tmp/minke-copied"), "A");
  EXPECT_FALSE(sys::exists("/tmp/minke-copied"));
}

TEST_F(Copying, IgnoredFilesAreNotThere) {
  for (const char* name : {"ctx/a", "ctx/b.log", "ctx/d/c.log", "ctx/d/keep.log", "ctx/n/m/x",
                           "ctx/n/m/keep", "ctx/n/other/y"})
    file(name, "x");
  file("ctx/.dockerignore", "**/*.log\n!**/keep.log\nn\n!n/m/keep\nContainerfile\n.dockerignore\n");
  EXPECT_EQ(copy("COPY . /t"), "");
  EXPECT_EQ(tree("root/t"), "a d/ d/keep.log n/ n/m/ n/m/keep");
  EXPECT_EQ(copy("COPY b.log /x"),
            "b.log: no such file or directory (the ignore file leaves it out)");
  EXPECT_EQ(copy("COPY *.log /x"), "*.log: no file matches");
  EXPECT_EQ(copy("COPY d/ /d"), "");
  EXPECT_EQ(tree("root/d"), "keep.log");
  file("ctx/.containerignore", "a\n");
  EXPECT_EQ(copy("COPY . /u"), "");
  EXPECT_FALSE(there("root/u/a")) << ".containerignore wins";
  EXPECT_TRUE(there("root/u/b.log"));
  file("ctx/Containerfile.dockerignore", "d\n");
  EXPECT_EQ(copy("COPY . /v"), "");
  EXPECT_TRUE(there("root/v/a")) << "the file's own wins";
  EXPECT_FALSE(there("root/v/d"));
}

TEST_F(Copying, ExcludesAndParents) {
  for (const char* name : {"ctx/s/a.c", "ctx/s/a.o", "ctx/s/lib/b.c", "ctx/s/lib/b.o", "ctx/x.o"})
    file(name, "x");
  folder("ctx/s/lib", 0700);
  EXPECT_EQ(copy("COPY --exclude=**/*.o s /e"), "");
  EXPECT_EQ(tree("root/e"), "a.c lib/ lib/b.c");
  EXPECT_EQ(copy("COPY --exclude=*.o s/* x.o /f/"), "");
  EXPECT_EQ(tree("root/f"), "a.c b.c");
  EXPECT_EQ(copy("COPY --parents s/lib/b.c s/a.c /g"), "");
  EXPECT_EQ(tree("root/g"), "s/ s/a.c s/lib/ s/lib/b.c");
  EXPECT_EQ(mode("root/g/s/lib"), 0700U);
  EXPECT_EQ(copy("COPY --parents ./s/./lib/*.c /h/"), "");
  EXPECT_EQ(tree("root/h"), "lib/ lib/b.c");
  EXPECT_EQ(copy("COPY --parents s/./lib /i/"), "");
  EXPECT_EQ(tree("root/i"), "lib/ lib/b.c lib/b.o");
  EXPECT_EQ(copy("COPY --parents --exclude=lib/*.o s/./** /j/"), "");
  EXPECT_EQ(tree("root/j"), "a.c a.o lib/ lib/b.c");
  EXPECT_EQ(copy("COPY --parents **/*.c /k/"), "");
  EXPECT_EQ(tree("root/k"), "s/ s/a.c s/lib/ s/lib/b.c");
}

TEST_F(Copying, ModesAndHeredocs) {
  file("ctx/d/run.sh", "x", 0700);
  file("ctx/d/data", "x", 0600);
  EXPECT_EQ(copy("COPY --chmod=u=rwX,go=rX d /m"), "");
  EXPECT_EQ(mode("root/m/run.sh"), 0755U);
  EXPECT_EQ(mode("root/m/data"), 0644U);
  EXPECT_EQ(copy("COPY --chmod=4711 d/data /s"), "");
  EXPECT_EQ(mode("root/s"), 04711U);
  EXPECT_EQ(copy("COPY --chmod=750 <<one <<two d/data /h/\n1\none\n2\ntwo"), "");
  EXPECT_EQ(content("root/h/one"), "1\n");
  EXPECT_EQ(content("root/h/two"), "2\n");
  EXPECT_EQ(mode("root/h/two"), 0750U);
  EXPECT_EQ(copy("COPY <<EOF /etc/motd\nhi\nEOF"), "");
  EXPECT_EQ(content("root/etc/motd"), "hi\n");
  EXPECT_EQ(mode("root/etc/motd"), 0644U);
}

TEST_F(Copying, NamesOfOwnersAreTheImages) {
  file("ctx/a", "A");
  file("root/etc/passwd", concat("me:x:", ::getuid(), ":", ::getgid(), "::/:\n"));
  file("root/etc/group", concat("us:x:", ::getgid(), ":\n"));
  EXPECT_EQ(copy("COPY --chown=me a /1"), "");
  EXPECT_EQ(copy("COPY --chown=me:us a /2"), "");
  EXPECT_EQ(copy("COPY --chown=nobody a /3"),
            "--chown=nobody: no user \"nobody\" in the image's /etc/passwd");
  EXPECT_EQ(copy("COPY --chown=me:them a /3"),
            "--chown=me:them: no group \"them\" in the image's /etc/group");
  EXPECT_EQ(copy("COPY --chown=99999999999 a /3"), "--chown=99999999999: 99999999999 is too large");
}

TEST_F(Copying, WhatCannotBe) {
  file("ctx/a", "A");
  file("ctx/d/a/b", "A");
  file("root/a", "file");
  folder("root/dir/a");
  EXPECT_EQ(copy("COPY a /a/"), "/a/: the destination is no folder in the image");
  EXPECT_EQ(copy("COPY d /a"), "/a: the destination is no folder in the image");
  EXPECT_EQ(copy("COPY a /dir/"),
            "a: a folder of the image is where a file should go, or a file where a folder should");
  EXPECT_EQ(copy("ADD git@h:x.git?ref=a#-x /x"), "git@h:x.git?ref=a: not the name of a git source");
  EXPECT_EQ(copy("COPY https://example.org/x /x"),
            "https://example.org/x: COPY takes no URLs (ADD does)");
}

TEST_F(Copying, DigestsSayWhatWouldBeCopied) {
  file("ctx/d/a", "A");
  file("ctx/d/b", "B");
  const std::string before = digest("COPY d /t");
  EXPECT_EQ(before.size(), 64U) << before;
  const timespec times[2] = {{1, 0}, {1, 0}};
  ::utimensat(AT_FDCWD, at("ctx/d/a").c_str(), times, 0);
  EXPECT_EQ(digest("COPY d /t"), before) << "times do not count";
  file("ctx/other", "x");
  EXPECT_EQ(digest("COPY d /t"), before) << "nor do other files";
  EXPECT_NE(digest("COPY d /u"), before);
  EXPECT_NE(digest("COPY --chmod=600 d /t"), before);
  EXPECT_NE(digest("COPY --exclude=b d /t"), before);
  file("ctx/.dockerignore", "d/b\n");
  EXPECT_EQ(digest("COPY --exclude=b d /t"), digest("COPY d /t"));
  ::unlink(at("ctx/.dockerignore").c_str());
  ::chmod(at("ctx/d/a").c_str(), 0600);
  EXPECT_NE(digest("COPY d /t"), before) << "modes do";
  ::chmod(at("ctx/d/a").c_str(), 0644);
  EXPECT_EQ(digest("COPY d /t"), before);
  file("ctx/d/a", "a");
  EXPECT_NE(digest("COPY d /t"), before);
  file("ctx/d/a", "A");
  ::rename(at("ctx/d/b").c_str(), at("ctx/d/c").c_str());
  EXPECT_NE(digest("COPY d /t"), before);
}

TEST_F(Copying, FromATree) {
  file("stage/usr/bin/tool", "T", 0755);
  link("stage/bin", "usr/bin");
  auto parsed = parse("FROM x\nCOPY --from=s /bin/tool /opt/\nCOPY --from=s / /\n", "F");
  sys::UniqueFd tree = std::move(*sys::open(at("stage"), O_RDONLY | O_DIRECTORY));
  sys::UniqueFd root = std::move(*sys::open(at("root"), O_RDONLY | O_DIRECTORY));
  CopyPlan plan;
  plan.tree = tree.get();
  plan.workdir = "/";
  plan.copy = parsed->stages[0].instructions[0].as<node::Copy>();
  Status done = perform_copy(plan, root.get());
  if (::getuid() != 0 && !done) GTEST_SKIP() << "folders are made for root";
  ASSERT_TRUE(done.ok()) << done.error().message();
  EXPECT_EQ(content("root/opt/tool"), "T");
  plan.copy = parsed->stages[0].instructions[1].as<node::Copy>();
  ASSERT_TRUE(perform_copy(plan, root.get()).ok());
  EXPECT_EQ(Copying::tree("root"), "bin opt/ opt/tool usr/ usr/bin/ usr/bin/tool");
}

TEST(Remote, NamesOfFiles) {
  EXPECT_EQ(name_of_url("https://h/a/b.tar?x=/y#z"), "b.tar");
  EXPECT_EQ(name_of_url("https://h/a%20b%"), "a b%");
  EXPECT_EQ(name_of_url("https://h/a%4"), "a%4");
  EXPECT_EQ(name_of_url("https://h/a/"), "");
  EXPECT_EQ(name_of_url("https://h"), "");
  EXPECT_EQ(name_of_url("https://h/.."), "");
  EXPECT_EQ(name_of_url("https://h/%2e%2e"), "");
  EXPECT_EQ(name_of_url("https://h/a%2fb"), "");
}

TEST_F(Copying, ResolvesInsideTheRoot) {
  folder("root/a/b");
  link("root/a/up", "../..");
  link("root/a/l", "/a/b");
  sys::UniqueFd root = std::move(*sys::open(at("root"), O_RDONLY | O_DIRECTORY));
  auto resolved = [&](std::string_view path) {
    return resolve_in_root(root.get(), path).value_or("error");
  };
  EXPECT_EQ(resolved(""), ".");
  EXPECT_EQ(resolved("/"), ".");
  EXPECT_EQ(resolved("a/l/../x"), "a/x");
  EXPECT_EQ(resolved("a/up/up/a"), "up/a");
  EXPECT_EQ(resolved("../../a//b/."), "a/b");
  EXPECT_EQ(resolved("gone/../a/l"), "a/b");
}

class Opening : public Copying {
 protected:
  Result<std::unique_ptr<Contexts>> open(const std::string& main,
                                         std::vector<std::string> files = {}) {
    ContextRequest request;
    request.main = main;
    request.files = std::move(files);
    request.named = {{"other", at("other")}, {"bad", at("nowhere")}, {"web", "https://x/y.git#-z"}};
    return Contexts::open(request);
  }
};

TEST_F(Opening, FindsTheContainerfile) {
  auto none = open(at("ctx"));
  EXPECT_EQ(none.error().message(),
            concat("no Containerfile or Dockerfile specified or found in context directory, ",
                   at("ctx")));
  file("ctx/Dockerfile", "FROM d\n");
  EXPECT_EQ((*open(at("ctx")))->filename(), "Dockerfile");
  file("ctx/Containerfile", "FROM c");
  EXPECT_EQ((*open(at("ctx")))->text(), "FROM c");
  auto two = open(at("ctx"), {"Containerfile", at("ctx/Dockerfile")});
  EXPECT_EQ((*two)->text(), "FROM c\nFROM d\n") << "in the context, and where we stand";
  EXPECT_EQ((*two)->filename(), "Containerfile");
  EXPECT_EQ(open(at("ctx"), {"Gone"}).error().message(),
            "the specified Containerfile or Dockerfile does not exist, Gone: no such file or "
            "directory");
  EXPECT_FALSE(open(at("gone")).ok());
  EXPECT_EQ(open("https://example.org/x.git#-x").error().code(), Errc::invalid_argument);
  file("hidden/secret", "S");
  ::unlink(at("ctx/Containerfile").c_str());
  link("ctx/Containerfile", "../hidden/secret");
  EXPECT_EQ((*open(at("ctx")))->filename(), "Dockerfile") << "a link leads nowhere else";
}

TEST_F(Opening, NamedContextsAndPlaces) {
  file("ctx/Containerfile", "FROM c");
  file("other/sub/f", "F");
  file("other/.dockerignore", "skipped\n");
  link("other/out", "../ctx");
  link("other/in", "sub");
  auto contexts = std::move(*open(at("ctx")));
  auto other = contexts->find("other");
  ASSERT_TRUE(other.ok()) << other.error().message();
  EXPECT_EQ((*other)->host_path("in/f").value_or(""), at("other/sub/f"));
  EXPECT_EQ((*other)->host_path("/").value_or(""), at("other"));
  EXPECT_FALSE((*other)->host_path("out").ok());
  const std::string before = (*other)->digest_of("sub").value_or("");
  EXPECT_EQ(before.size(), 64U);
  file("other/skipped", "x");
  file("other/sub/g", "x");
  EXPECT_NE((*other)->digest_of("sub").value_or(""), before);
  const std::string all = (*other)->digest_of("").value_or("");
  file("other/skipped", "y");
  EXPECT_EQ((*other)->digest_of(".").value_or(""), all);
  EXPECT_EQ(contexts->find("nobody").error().message(), "no build context \"nobody\"");
  EXPECT_EQ(contexts->find("bad").error().code(), Errc::not_found);
  EXPECT_EQ(contexts->find("web").error().code(), Errc::invalid_argument);
}

}  // namespace
}  // namespace minke::build
