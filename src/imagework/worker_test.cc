// The worker as the engine runs it: through the store's functions, with the real minke-image
// beside.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <thread>

#include "base/rand.h"
#include "base/str.h"
#include "codec/compress.h"
#include "codec/digest.h"
#include "codec/tar_writer.h"
#include "imagework/source.h"
#include "store/image_worker.h"
#include "store/layout.h"
#include "store/store.h"

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

// A tar in memory, entry by entry.
class Tar {
 public:
  Tar& file(const std::string& path, std::string_view data = "", std::uint32_t mode = 0644) {
    TarEntry entry = of(Type::file, path);
    entry.size = data.size();
    entry.mode = mode;
    EXPECT_TRUE(writer_.add(entry).ok() && (data.empty() || writer_.data(data).ok()));
    return *this;
  }
  Tar& directory(const std::string& path, std::uint32_t mode = 0755) {
    TarEntry entry = of(Type::directory, path);
    entry.mode = mode;
    EXPECT_TRUE(writer_.add(entry).ok());
    return *this;
  }
  Tar& link(Type type, const std::string& path, const std::string& target) {
    TarEntry entry = of(type, path);
    entry.link = target;
    EXPECT_TRUE(writer_.add(entry).ok());
    return *this;
  }
  std::string done() {
    EXPECT_TRUE(writer_.finish().ok());
    return sink_.text;
  }

 private:
  static TarEntry of(Type type, const std::string& path) {
    TarEntry entry;
    entry.type = type;
    entry.path = path;
    entry.uid = ::getuid();
    entry.gid = ::getgid();
    entry.mtime = 1'000'000'000 * kSecond;
    return entry;
  }
  StringSink sink_;
  TarWriter writer_{sink_};
};

std::string gzip(std::string_view text) {
  StringSink sink;
  GzipSink out(sink);
  EXPECT_TRUE(out.write(text).ok() && out.finish().ok());
  return sink.text;
}

std::string config_of(const std::vector<std::string>& plain_layers) {
  std::string ids;
  for (const std::string& layer : plain_layers)
    ids += concat(ids.empty() ? "" : ",", "\"sha256:", sha256_hex(layer), "\"");
  return concat(
      R"({"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":[)",
      ids, "]}}");
}

std::string docker_archive(const std::vector<std::string>& layers,
                           const std::string& tag = "test:1", std::string config = "") {
  if (config.empty()) config = config_of(layers);
  Tar tar;
  std::string names;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    tar.file(concat("l", i, ".tar"), layers[i]);
    names += concat(i == 0 ? "" : ",", "\"l", i, ".tar\"");
  }
  std::string name = concat(sha256_hex(config), ".json");
  tar.file(name, config);
  tar.file("manifest.json", concat("[{\"Config\":\"", name, "\",\"RepoTags\":[\"", tag,
                                   "\"],\"Layers\":[", names, "]}]"));
  return tar.done();
}

class WorkerTest : public testing::Test {
 protected:
  void SetUp() override {
    ::umask(0022);
    top_ = concat(testing::TempDir(), "minke-worker-", random_hex(6));
    ASSERT_TRUE(sys::ensure_dirs(top_, 0755).ok());
    store_.emplace(open_store("s"));
  }
  void TearDown() override {
    for (const char* name :
         {"MINKE_LIMIT_ENTRIES", "MINKE_LIMIT_BYTES", "MINKE_LIMIT_METADATA", "MINKE_FAILPOINT"})
      ::unsetenv(name);
    ignore(sys::remove_tree_at(sys::DirFd::cwd(), top_.c_str()), "a temporary folder");
  }
  store::Store open_store(const std::string& name) {
    auto store = store::Store::open(concat(top_, "/", name), ::getuid() != 0);
    EXPECT_TRUE(store.ok());
    return std::move(*store);
  }
  Result<store::LoadResult> load(const std::string& archive, const store::Store* into = nullptr) {
    EXPECT_TRUE(sys::write_file(top_ + "/in", archive, 0600).ok());
    sys::UniqueFd fd = TRY(sys::open(top_ + "/in", O_RDONLY));
    return store::load_archive(into != nullptr ? *into : *store_, fd.get(), "");
  }
  Result<store::LoadResult> load_pipe(const std::string& archive) {
    auto [reader, writer] = TRY(sys::make_pipe());
    std::thread feeder([&archive, out = std::move(writer)] {
      // The reader may stop early; that is its right.
      ignore(sys::write_all(out.get(), archive), "a closed pipe");
    });
    auto result = store::load_archive(*store_, reader.get(), "");
    reader.reset();
    feeder.join();
    return result;
  }
  Result<std::string> import(const std::string& archive, std::vector<std::string> changes = {}) {
    EXPECT_TRUE(sys::write_file(top_ + "/in", archive, 0600).ok());
    timespec old[2] = {{1000, 0}, {1000, 0}};
    EXPECT_EQ(::utimensat(AT_FDCWD, (top_ + "/in").c_str(), old, 0), 0);
    sys::UniqueFd fd = TRY(sys::open(top_ + "/in", O_RDONLY));
    store::ImportRequest request;
    request.input_fd = fd.get();
    request.name = "imported";
    request.changes = std::move(changes);
    return store::import_rootfs(*store_, request);
  }
  std::vector<std::string> ls(const std::string& path) {
    return sys::list_dir(sys::DirFd::cwd(), concat(store_->root(), "/", path).c_str()).value_or({});
  }
  void expect_nothing() {
    EXPECT_TRUE(ls("staging").empty());
    EXPECT_TRUE(ls("layers").empty());
    EXPECT_TRUE(ls("images/blobs/sha256").empty());
    EXPECT_TRUE(store_->list_images()->empty());
  }
  template <typename T>
  void refused(Result<T> result, std::string_view part) {
    ASSERT_FALSE(result.ok());
    EXPECT_NE(result.error().message().find(part), std::string::npos) << result.error().message();
    EXPECT_EQ(result.error().message().find('\n'), std::string::npos);
    expect_nothing();
  }
  std::string top_layer(std::string_view name) {
    auto image = store_->find_image(name);
    EXPECT_TRUE(image.ok()) << (image.ok() ? "" : image.error().message());
    return image.ok() ? store_->lower_dirs(*image).at(0) : "";
  }

  std::string top_;
  std::optional<store::Store> store_;
};

std::string small_layer() { return Tar().directory("etc/", 0750).file("etc/f", "hello").done(); }

TEST_F(WorkerTest, ImportsEveryCompression) {
  std::string plain = small_layer();
  auto id = import(plain, {"CMD [\"/bin/sh\"]", "ENV A=b"});
  ASSERT_TRUE(id.ok()) << id.error().message();
  auto image = store_->find_image("imported");
  ASSERT_TRUE(image.ok());
  EXPECT_EQ(image->id, *id);
  EXPECT_EQ(image->names.at(0), "localhost/imported:latest");
  EXPECT_EQ(image->config.config.cmd->at(0), "/bin/sh");
  EXPECT_EQ(image->config.history.at(0).comment, "imported from tarball");
  EXPECT_EQ(image->manifest.layers.at(0).media_type, oci::kMediaLayerTar);
  EXPECT_EQ(sys::read_small_file(top_layer("imported") + "/etc/f").value_or(""), "hello");
  // The same tar packed is the same image, and the layer is not unpacked again.
  auto again = import(gzip(plain), {"CMD [\"/bin/sh\"]", "ENV A=b"});
  ASSERT_TRUE(again.ok()) << again.error().message();
  EXPECT_EQ(*again, *id);
  EXPECT_EQ(ls("layers").size(), 1U);
  EXPECT_EQ(store_->find_image("imported")->manifest.layers.at(0).media_type, oci::kMediaLayerGzip);
}

TEST_F(WorkerTest, LoadsFromFileAndPipeAlike) {
  std::vector<std::string> layers = {
      Tar().directory("d/", 0711).file("d/a", "1").file("d/b", "2").done(),
      Tar().file("d/.wh.a").file("d/c", "3").done(), small_layer()};
  auto first = load(docker_archive(layers));
  ASSERT_TRUE(first.ok()) << first.error().message();
  EXPECT_EQ(first->names, (std::vector<std::string>{"docker.io/library/test:1"}));
  auto image = store_->find_image("test:1");
  ASSERT_EQ(image->chain_ids.size(), 3U);
  std::string middle = store_->lower_dirs(*image).at(1);
  struct stat st {};
  ASSERT_EQ(::lstat((middle + "/d/a").c_str(), &st), 0);
  EXPECT_TRUE(S_ISCHR(st.st_mode) && st.st_rdev == 0);
  // No entry describes d/ in the second layer: it must look as it does below.
  ASSERT_EQ(::lstat((middle + "/d").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 07777, 0711U);
  EXPECT_EQ(st.st_mtim.tv_sec, 1'000'000'000);
  EXPECT_EQ(sys::read_small_file(concat(store_->root(), "/layers/", image->chain_ids[1], "/parent"))
                .value_or(""),
            image->chain_ids[0] + "\n");
  for (const std::string& packed : {docker_archive(layers), gzip(docker_archive(layers))}) {
    std::vector<std::string> removed;
    ASSERT_TRUE(store_->remove_image(*store_->find_image("test:1"), {}, &removed).ok());
    auto piped = load_pipe(packed);
    ASSERT_TRUE(piped.ok()) << piped.error().message();
    EXPECT_EQ(piped->image_ids, first->image_ids);
    EXPECT_EQ(store_->find_image("test:1")->manifest_descriptor.digest,
              image->manifest_descriptor.digest);
  }
}

TEST_F(WorkerTest, KnownLayersAreNotUnpackedAgain) {
  ASSERT_TRUE(load(docker_archive({small_layer()})).ok());
  struct stat before {
  }, after{};
  std::string path = top_layer("test:1");
  ASSERT_EQ(::stat(path.c_str(), &before), 0);
  ASSERT_TRUE(load(docker_archive({small_layer()}, "again:1")).ok());
  ASSERT_EQ(::stat(path.c_str(), &after), 0);
  EXPECT_EQ(before.st_ino, after.st_ino);
  EXPECT_EQ(store_->find_image("again:1")->names.size(), 2U);
}

TEST_F(WorkerTest, OneLayerTwice) {
  auto loaded = load(docker_archive({small_layer(), Tar().file("x", "x").done(), small_layer()}));
  ASSERT_TRUE(loaded.ok()) << loaded.error().message();
  EXPECT_EQ(ls("layers").size(), 3U);
  EXPECT_EQ(sys::read_small_file(top_layer("test:1") + "/etc/f").value_or(""), "hello");
}

TEST_F(WorkerTest, HundredsOfLayers) {
  std::vector<std::string> layers;
  for (int i = 0; i < 200; ++i) layers.push_back(Tar().file(concat("f", i), concat(i)).done());
  auto loaded = load(docker_archive(layers));
  ASSERT_TRUE(loaded.ok()) << loaded.error().message();
  EXPECT_EQ(store_->find_image("test:1")->chain_ids.size(), 200U);
  EXPECT_EQ(sys::read_small_file(top_layer("test:1") + "/f199").value_or(""), "199");
}

TEST_F(WorkerTest, SaveAndLoadKeepTheImage) {
  ASSERT_TRUE(
      load(docker_archive({small_layer(), Tar().file("x", std::string(100'000, 'x')).done()}))
          .ok());
  auto image = store_->find_image("test:1");
  ASSERT_TRUE(image.ok());
  using store::ArchiveFormat;
  for (ArchiveFormat format : {ArchiveFormat::docker_archive, ArchiveFormat::oci_archive,
                               ArchiveFormat::oci_dir, ArchiveFormat::docker_dir}) {
    SCOPED_TRACE(static_cast<int>(format));
    bool directory = format == ArchiveFormat::oci_dir || format == ArchiveFormat::docker_dir;
    std::string digests[2];
    for (std::string& digest : digests) {
      store::SaveRequest request;
      request.images = {*image};
      request.names = {image->names};
      request.format = format;
      sys::UniqueFd out;
      if (directory) {
        request.output_dir = concat(top_, "/out", static_cast<int>(format));
      } else {
        out = std::move(*sys::open(top_ + "/out.tar", O_RDWR | O_CREAT | O_TRUNC, 0600));
        request.output_fd = out.get();
      }
      Status saved = store::save_images(*store_, request);
      ASSERT_TRUE(saved.ok()) << saved.error().message();
      if (!directory) digest = sha256_hex(sys::read_small_file(top_ + "/out.tar").value_or(""));
    }
    EXPECT_EQ(digests[0], digests[1]);
    store::Store other = open_store(concat("other", static_cast<int>(format)));
    sys::UniqueFd in;
    if (!directory) in = std::move(*sys::open(top_ + "/out.tar", O_RDONLY));
    auto loaded = store::load_archive(
        other, in.get(), directory ? concat(top_, "/out", static_cast<int>(format)) : "");
    ASSERT_TRUE(loaded.ok()) << loaded.error().message();
    EXPECT_EQ(loaded->image_ids.at(0), image->id);
    EXPECT_TRUE(format == ArchiveFormat::docker_dir || loaded->names == image->names);
    EXPECT_TRUE(format == ArchiveFormat::docker_dir ||
                other.find_image(image->id)->manifest_json == image->manifest_json);
  }
}

TEST_F(WorkerTest, ExportKeepsEverything) {
  std::string tree = top_ + "/tree";
  ASSERT_TRUE(sys::ensure_dirs(tree + "/d", 0755).ok());
  ASSERT_TRUE(sys::write_file(tree + "/d/f", "data", 0640).ok());
  ASSERT_EQ(::link((tree + "/d/f").c_str(), (tree + "/hard").c_str()), 0);
  ASSERT_EQ(::symlink("/etc", (tree + "/sym").c_str()), 0);
  ASSERT_EQ(::mkfifo((tree + "/fifo").c_str(), 0600), 0);
  std::string long_name = concat(tree, "/d/", std::string(200, 'n'));
  ASSERT_TRUE(sys::write_file(long_name, "", 0600).ok());
  {
    auto sparse = sys::open(tree + "/sparse", O_RDWR | O_CREAT, 0600);
    ASSERT_EQ(::ftruncate(sparse->get(), 64 << 20), 0);
    ASSERT_EQ(::pwrite(sparse->get(), "end", 3, 50 << 20), 3);
  }
  bool xattrs = ::setxattr((tree + "/d/f").c_str(), "user.k", "v", 1, 0) == 0;
  auto out = sys::open(top_ + "/out.tar", O_RDWR | O_CREAT | O_TRUNC, 0600);
  auto root = sys::open(tree, O_RDONLY | O_DIRECTORY);
  Status done = store::export_rootfs(root->get(), out->get());
  ASSERT_TRUE(done.ok()) << done.error().message();
  struct stat st {};
  ASSERT_EQ(::fstat(out->get(), &st), 0);
  EXPECT_LT(st.st_size, 1 << 20);
  auto id = import(sys::read_small_file(top_ + "/out.tar").value_or(""));
  ASSERT_TRUE(id.ok()) << id.error().message();
  std::string diff = top_layer("imported");
  EXPECT_EQ(sys::read_small_file(diff + "/hard").value_or(""), "data");
  ASSERT_EQ(::lstat((diff + "/d/f").c_str(), &st), 0);
  EXPECT_EQ(st.st_nlink, 2U);
  EXPECT_EQ(st.st_mode & 07777, 0640U);
  ASSERT_EQ(::lstat((diff + "/sparse").c_str(), &st), 0);
  EXPECT_EQ(st.st_size, 64 << 20);
  EXPECT_LT(st.st_blocks * 512, 1 << 20);
  char value[4];
  EXPECT_TRUE(!xattrs || ::getxattr((diff + "/d/f").c_str(), "user.k", value, sizeof value) == 1);
  ASSERT_EQ(::lstat((diff + "/fifo").c_str(), &st), 0);
  EXPECT_TRUE(S_ISFIFO(st.st_mode));
}

TEST_F(WorkerTest, RefusesWrongDigests) {
  std::string layer = small_layer();
  refused(load(docker_archive({layer}, "x:1", config_of({layer + "x"}))), "digest mismatch");
  std::string archive = docker_archive({layer});
  std::string bent = archive;
  bent[bent.find("hello")] = 'J';
  refused(load(bent), "digest mismatch");
  refused(load_pipe(bent), "digest mismatch");
  // The config's name is its digest.
  std::string config = config_of({layer});
  Tar tar;
  tar.file("l.tar", layer).file(concat(std::string(64, 'a'), ".json"), config);
  tar.file("manifest.json", concat("[{\"Config\":\"", std::string(64, 'a'),
                                   ".json\",\"RepoTags\":null,\"Layers\":[\"l.tar\"]}]"));
  refused(load(tar.done()), "digest mismatch");
}

TEST_F(WorkerTest, RefusesSwappedBlobsOfLayouts) {
  std::string layer = gzip(small_layer()), config = config_of({small_layer()});
  auto archive = [&](const std::string& layer_bytes, const std::string& config_bytes,
                     const std::string& manifest_tail) {
    std::string manifest = concat(
        R"({"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","size":)",
        config.size(), R"(,"digest":"sha256:)", sha256_hex(config),
        R"("},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","size":)",
        layer.size(), R"(,"digest":"sha256:)", sha256_hex(layer), R"("}]})");
    std::string index = concat(R"({"schemaVersion":2,"manifests":[{"size":)", manifest.size(),
                               R"(,"digest":"sha256:)", sha256_hex(manifest),
                               R"(","annotations":{"org.opencontainers.image.ref.name":"x:1"}}]})");
    return Tar()
        .file("oci-layout", store::kOciLayout)
        .file("index.json", index)
        .file("blobs/sha256/" + sha256_hex(layer), layer_bytes)
        .file("blobs/sha256/" + sha256_hex(config), config_bytes)
        .file("blobs/sha256/" + sha256_hex(manifest), manifest + manifest_tail)
        .done();
  };
  for (bool pipe : {false, true}) {
    auto run = [&](const std::string& bytes) { return pipe ? load_pipe(bytes) : load(bytes); };
    refused(run(archive(gzip(Tar().file("evil", "x").done()), config, "")), "digest mismatch");
    refused(run(archive(layer, config_of({"evil"}), "")), "digest mismatch");
    refused(run(archive(layer, config, " ")), "digest mismatch");
  }
  auto good = load(archive(layer, config, ""));
  ASSERT_TRUE(good.ok()) << good.error().message();
  EXPECT_EQ(good->names.at(0), "localhost/x:1");
}

TEST_F(WorkerTest, RefusesDamagedStreams) {
  std::string packed = gzip(docker_archive({small_layer()}));
  refused(load(packed.substr(0, packed.size() / 2)), "gzip: truncated");
  refused(load_pipe(packed.substr(0, 30)), "gzip");
  refused(load(""), "is empty");
  refused(load("neither tar nor anything"), "tar:");
  refused(load(Tar().file("x", "y").done()), "does not match any of the supported image formats");
  refused(load(docker_archive({small_layer()}).substr(0, 1500)), "unexpected end");
  refused(load(docker_archive({"not a tar"})), "tar:");
  refused(load(docker_archive({small_layer()}, "Bad Name:1")), "repository name must be lowercase");
  refused(
      load(Tar().file("manifest.json", "[{\"Config\":\"../../etc/passwd\",\"Layers\":[]}]").done()),
      "is missing");
  refused(load(Tar().file("manifest.json", std::string(100'000, '[')).done()), "manifest.json");
  refused(import(""), "is empty");
}

TEST_F(WorkerTest, RefusesHostileLayers) {
  refused(load(docker_archive({Tar().file("/abs", "x").done()})), "an absolute path");
  refused(load(docker_archive({small_layer(), Tar().file("a/../../x", "x").done()})),
          "a path with");
  refused(load(docker_archive({Tar().link(Type::symlink, "up", top_).file("up/evil", "x").done()})),
          "through a symbolic link");
  refused(
      load_pipe(docker_archive({Tar().link(Type::hard_link, "h", "../../../../version").done()})),
      "a hard link to outside");
  refused(import(Tar().file(".wh...").done()), "malformed whiteout");
  EXPECT_FALSE(sys::exists(top_ + "/evil"));
}

TEST_F(WorkerTest, LinksOfTheArchiveStayInIt) {
  std::string config = config_of({small_layer()});
  for (const char* target : {"/etc/passwd", "../../../../etc/passwd", "loop/layer.tar"}) {
    Tar tar;
    tar.link(Type::symlink, "loop/layer.tar", target).file("c.json", config);
    tar.file("manifest.json", R"([{"Config":"c.json","Layers":["loop/layer.tar"]}])");
    auto result = load(tar.done());
    ASSERT_FALSE(result.ok());
    expect_nothing();
  }
  Tar tar;
  tar.file("1/layer.tar", small_layer())
      .link(Type::symlink, "2/layer.tar", "../1/layer.tar")
      .file("c.json", config);
  tar.file("manifest.json",
           R"([{"Config":"c.json","RepoTags":["old:1"],"Layers":["2/layer.tar"]}])");
  std::string legacy = tar.done();
  ASSERT_TRUE(load_pipe(legacy).ok());
  ASSERT_TRUE(load(legacy).ok());
}

TEST_F(WorkerTest, BoundsBombs) {
  ::setenv("MINKE_LIMIT_BYTES", "1000000", 1);
  refused(import(gzip(Tar().file("f", std::string(2'000'000, '\0')).done())),
          "more than 1000000 bytes");
  refused(load(docker_archive({Tar().file("f", std::string(2'000'000, '\0')).done()})),
          "more than 1000000 bytes");
  ::unsetenv("MINKE_LIMIT_BYTES");
  ::setenv("MINKE_LIMIT_ENTRIES", "50", 1);
  Tar many;
  for (int i = 0; i < 60; ++i) many.file(concat("f", i));
  refused(import(many.done()), "more than 50 entries");
}

TEST_F(WorkerTest, BadLayersLeaveNoDescriptors) {
  auto count = [] { return sys::list_dir(sys::DirFd::cwd(), "/proc/self/fd").value_or({}).size(); };
  std::string bad = docker_archive({Tar().file("../x").done()});
  EXPECT_FALSE(load(bad).ok());
  std::size_t before = count();
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(load(bad).ok());
  EXPECT_EQ(count(), before);
}

TEST_F(WorkerTest, AKilledLoadIsHealedByTheNext) {
  for (int step = 0; step <= 4; ++step) {
    SCOPED_TRACE(step);
    pid_t child = ::fork();
    if (child == 0) {
      ::setenv("MINKE_FAILPOINT", concat("store.load:", step).c_str(), 1);
      auto result = load(docker_archive({small_layer()}));
      ::_exit(result.ok() ? 0 : 1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status));
    EXPECT_LE(store_->list_images()->size(), 1U);
    auto again = load(docker_archive({small_layer()}));
    ASSERT_TRUE(again.ok()) << again.error().message();
    EXPECT_TRUE(ls("staging").empty());
    EXPECT_EQ(sys::read_small_file(top_layer("test:1") + "/etc/f").value_or(""), "hello");
    std::vector<std::string> removed;
    ASSERT_TRUE(store_->remove_image(*store_->find_image("test:1"), {}, &removed).ok());
    EXPECT_TRUE(ls("layers").empty());
  }
}

}  // namespace
}  // namespace minke::imagework
