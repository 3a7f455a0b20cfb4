#include "store/store.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/rand.h"
#include "base/str.h"
#include "codec/digest.h"
#include "store/layout.h"

namespace minke::store {
namespace {

class StoreTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = concat(testing::TempDir(), "minke-store-", random_hex(6));
    auto store = Store::open(root_, ::getuid() != 0);
    ASSERT_TRUE(store.ok()) << store.error().message();
    store_.emplace(std::move(*store));
  }
  void TearDown() override {
    ignore(sys::remove_tree_at(sys::DirFd::cwd(), root_.c_str()), "a temporary folder");
  }

  // An image of the layers with these contents, its blobs and layers staged as minke-image would.
  oci::Descriptor stage_image(const Staging& staging, const std::vector<std::string>& layers,
                              const std::string& comment) {
    oci::ImageConfig config;
    config.os = "linux";
    config.architecture = "amd64";
    oci::Manifest manifest;
    for (const std::string& text : layers) {
      oci::Descriptor layer;
      layer.media_type = oci::kMediaLayerTar;
      layer.digest = blob(staging, text);
      layer.size = static_cast<std::int64_t>(text.size());
      config.diff_ids.push_back(layer.digest);
      config.history.push_back({.created = "2026-01-01T00:00:00Z",
                                .created_by = text,
                                .author = "",
                                .comment = "",
                                .empty_layer = false});
      manifest.layers.push_back(layer);
    }
    if (!comment.empty())
      config.history.push_back(
          {.created = "", .created_by = comment, .author = "", .comment = "", .empty_layer = true});
    for (const std::string& chain_id : chain_ids_of(config.diff_ids)) {
      std::string path = concat(staging.path(), "/layers/", chain_id, "/diff");
      EXPECT_TRUE(sys::ensure_dirs(path, 0755).ok());
      EXPECT_TRUE(
          sys::write_file(concat(staging.path(), "/layers/", chain_id, "/size"), "100\n", 0644)
              .ok());
    }
    manifest.media_type = oci::kMediaManifest;
    manifest.config.digest = blob(staging, oci::dump_image_config(config));
    std::string text = oci::dump_manifest(manifest);
    oci::Descriptor out;
    out.media_type = oci::kMediaManifest;
    out.digest = blob(staging, text);
    out.size = static_cast<std::int64_t>(text.size());
    return out;
  }
  static oci::Digest blob(const Staging& staging, const std::string& text) {
    EXPECT_TRUE(sys::ensure_dirs(staging.path() + "/blobs", 0755).ok());
    std::string hex = sha256_hex(text);
    EXPECT_TRUE(sys::write_file(concat(staging.path(), "/blobs/", hex), text, 0644).ok());
    return oci::Digest::sha256(hex);
  }
  // The id.
  std::string add_image(const std::vector<std::string>& layers, std::vector<std::string> names,
                        const std::string& comment = "") {
    auto staging = store_->stage("test");
    EXPECT_TRUE(staging.ok());
    NewContent content;
    content.images.push_back({stage_image(*staging, layers, comment), std::move(names)});
    Status done = store_->commit(*staging, content);
    EXPECT_TRUE(done.ok()) << done.error().message();
    auto all = store_->list_images();
    for (const Image& image : *all)
      if (image.manifest_descriptor.digest == content.images[0].manifest.digest) return image.id;
    return "";
  }
  Image find(std::string_view name) {
    auto image = store_->find_image(name);
    EXPECT_TRUE(image.ok()) << name << ": " << (image.ok() ? "" : image.error().message());
    return image.ok() ? *image : Image();
  }
  std::string error_of(std::string_view name) {
    auto image = store_->find_image(name);
    return image.ok() ? "found" : image.error().message();
  }
  std::vector<std::string> ls(const std::string& path) {
    return sys::list_dir(sys::DirFd::cwd(), (root_ + "/" + path).c_str()).value_or({});
  }

  std::string root_;
  std::optional<Store> store_;
};

TEST_F(StoreTest, FindsByEveryName) {
  std::string id = add_image({"a"}, {"docker.io/library/debian:12"});
  std::string mine = add_image({"b"}, {"localhost/app:latest", "quay.io/x/y/tool:v1"});
  EXPECT_EQ(find("debian:12").id, id);
  EXPECT_EQ(find("docker.io/debian:12").id, id);
  EXPECT_EQ(find("docker.io/library/debian:12").id, id);
  EXPECT_EQ(find("library/debian:12").id, id);
  EXPECT_EQ(find(id).id, id);
  EXPECT_EQ(find("sha256:" + id).id, id);
  EXPECT_EQ(find(id.substr(0, 12)).id, id);
  EXPECT_EQ(find("app").id, mine);
  EXPECT_EQ(find("tool:v1").id, mine);
  EXPECT_EQ(find("y/tool:v1").id, mine);
  EXPECT_EQ(find(find("app").digests.at(0)).id, mine);
  EXPECT_EQ(find("app").names,
            (std::vector<std::string>{"localhost/app:latest", "quay.io/x/y/tool:v1"}));
  EXPECT_EQ(error_of("debian"), "debian: image not known");
  EXPECT_EQ(error_of("ol:v1"), "ol:v1: image not known");
  EXPECT_EQ(error_of(std::string(64, 'f')), std::string(64, 'f') + ": image not known");
  EXPECT_EQ(error_of("Debian:12"), "repository name must be lowercase");
  EXPECT_EQ(error_of("debian@sha256:" + std::string(64, '0')),
            "debian@sha256:" + std::string(64, '0') + ": image not known");
}

TEST_F(StoreTest, ComputesSizeAndChain) {
  add_image({"a", "b", "c"}, {"localhost/x:latest"});
  Image image = find("x");
  ASSERT_EQ(image.chain_ids.size(), 3U);
  EXPECT_EQ(image.chain_ids[0], sha256_hex("a"));
  EXPECT_EQ(image.chain_ids[1],
            sha256_hex(concat("sha256:", sha256_hex("a"), " sha256:", sha256_hex("b"))));
  EXPECT_EQ(image.size,
            300 + static_cast<std::int64_t>(image.config_json.size() + image.manifest_json.size()));
  auto dirs = store_->lower_dirs(image);
  EXPECT_EQ(dirs.at(0), concat(root_, "/layers/", image.chain_ids[2], "/diff"));
  EXPECT_TRUE(store_->has_layer(image.chain_ids[1]));
  EXPECT_TRUE(ls("staging").empty());
}

TEST_F(StoreTest, ANameMovesAndLeavesAnUntaggedImage) {
  std::string first = add_image({"a"}, {"localhost/x:latest"});
  std::string second = add_image({"b"}, {"localhost/x:latest"});
  EXPECT_EQ(find("x").id, second);
  EXPECT_TRUE(find(first).names.empty());
  EXPECT_EQ(store_->list_images()->size(), 2U);
}

TEST_F(StoreTest, TagsAndUntags) {
  std::string id = add_image({"a"}, {"localhost/x:latest"});
  auto ref = oci::Reference::parse("other:1");
  ASSERT_TRUE(store_->tag_image(find("x"), *ref).ok());
  ASSERT_TRUE(store_->tag_image(find("x"), *ref).ok());
  EXPECT_EQ(find("other:1").names,
            (std::vector<std::string>{"localhost/x:latest", "localhost/other:1"}));
  ASSERT_TRUE(store_->untag_image(find("x"), "localhost/x:latest").ok());
  ASSERT_TRUE(store_->untag_image(find(id), "localhost/other:1").ok());
  EXPECT_TRUE(find(id).names.empty());
  Status again = store_->untag_image(find(id), "localhost/other:1");
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().message(), "localhost/other:1: tag not known");
  auto digest = oci::Reference::parse("x@sha256:" + std::string(64, '1'));
  EXPECT_FALSE(store_->tag_image(find(id), *digest).ok());
}

TEST_F(StoreTest, RemoveKeepsSharedLayers) {
  std::string one = add_image({"base", "one"}, {"localhost/one:latest"});
  std::string two = add_image({"base", "two"}, {"localhost/two:latest", "localhost/deux:latest"});
  EXPECT_EQ(ls("layers").size(), 3U);
  std::vector<std::string> removed;
  ASSERT_TRUE(store_->remove_image(find("two"), {}, &removed).ok());
  EXPECT_EQ(removed,
            (std::vector<std::string>{"Untagged: localhost/two:latest",
                                      "Untagged: localhost/deux:latest", "Deleted: " + two}));
  EXPECT_EQ(ls("layers").size(), 2U);
  EXPECT_EQ(find("one").id, one);
  Image last = find("one");
  removed.clear();
  // A container still stands on the upper layer.
  ASSERT_TRUE(store_->remove_image(last, {last.chain_ids[0], last.chain_ids[1]}, &removed).ok());
  EXPECT_EQ(ls("layers").size(), 2U);
  EXPECT_TRUE(ls("images/blobs/sha256").empty());
  int freed = 0;
  ASSERT_TRUE(store_->collect({last.chain_ids[0]}, &freed).ok());
  EXPECT_EQ(freed, 1);
  EXPECT_EQ(ls("layers").size(), 1U);
  EXPECT_FALSE(ls("trash").empty());
  ASSERT_TRUE(store_->empty_trash().ok());
  EXPECT_FALSE(store_->has_trash());
  EXPECT_EQ(store_->remove_image(last, {}, &removed).error().message(), one + ": image not known");
}

TEST_F(StoreTest, RemoveTakesUntaggedParentsAlong) {
  std::string base = add_image({"l1"}, {"localhost/base:latest"});
  std::string step = add_image({"l1", "l2"}, {});
  std::string top = add_image({"l1", "l2", "l3"}, {"localhost/top:latest"});
  std::vector<std::string> removed;
  ASSERT_TRUE(store_->remove_image(find("top"), {}, &removed).ok());
  EXPECT_EQ(removed, (std::vector<std::string>{"Untagged: localhost/top:latest", "Deleted: " + top,
                                               "Deleted: " + step}));
  EXPECT_EQ(find("base").id, base);
  EXPECT_EQ(store_->list_images()->size(), 1U);
}

TEST_F(StoreTest, CommitRefusesAnIncompleteImage) {
  auto staging = store_->stage("test");
  NewContent content;
  content.images.push_back({stage_image(*staging, {"a"}, ""), {"localhost/x:latest"}});
  ASSERT_TRUE(sys::remove_tree_at(sys::DirFd::cwd(), (staging->path() + "/layers").c_str()).ok());
  Status done = store_->commit(*staging, content);
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code(), Errc::unavailable);
  EXPECT_TRUE(store_->list_images()->empty());
}

TEST_F(StoreTest, NoticesADamagedBlob) {
  add_image({"a"}, {"localhost/x:latest"});
  Image image = find("x");
  ASSERT_TRUE(sys::write_file(store_->blob_path(image.manifest.config.digest), "{}", 0644).ok());
  EXPECT_NE(error_of("x").find("is damaged on disk"), std::string::npos);
}

TEST_F(StoreTest, RefusesANewerLayout) {
  ASSERT_TRUE(sys::write_file(root_ + "/version", "2\n", 0644).ok());
  auto again = Store::open(root_, false);
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code(), Errc::unsupported);
  ASSERT_TRUE(sys::write_file(root_ + "/version", "x\n", 0644).ok());
  EXPECT_FALSE(Store::open(root_, false).ok());
}

TEST_F(StoreTest, AbandonedStagingIsCleared) {
  pid_t child = ::fork();
  if (child == 0) {
    auto path = store_->make_staging("killed");
    ::_exit(path.ok() ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  auto held = store_->make_staging("held");
  ASSERT_TRUE(held.ok());
  EXPECT_EQ(ls("staging").size(), 2U);
  ASSERT_TRUE(store_->empty_trash().ok());
  ASSERT_EQ(ls("staging").size(), 1U);
  EXPECT_TRUE(sys::exists(*held));
}

TEST_F(StoreTest, ConcurrentTagsAllSurvive) {
  add_image({"a"}, {"localhost/x:latest"});
  std::vector<pid_t> children;
  for (int i = 0; i < 8; ++i) {
    pid_t child = ::fork();
    if (child == 0) {
      auto image = store_->find_image("x");
      auto ref = oci::Reference::parse(concat("t:", i));
      ::_exit(image.ok() && store_->tag_image(*image, *ref).ok() ? 0 : 1);
    }
    children.push_back(child);
  }
  for (pid_t child : children) {
    int status = 1;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(find("x").names.size(), 9U);
}

}  // namespace
}  // namespace minke::store
