#include "oci/image.h"

#include <gtest/gtest.h>

#include "base/str.h"

namespace minke::oci {
namespace {

const std::string kHex(64, 'b');
const std::string kDigest = "sha256:" + kHex;

std::string manifest_with(const std::string& digest) {
  return R"({"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","size":2,"digest":")" +
         digest + R"("},"layers":[]})";
}

// CVE-2024-3727: a digest of a manifest becomes a path and part of an URL.
TEST(Digest, RefusesWhatCouldBeAPath) {
  const std::string rows[] = {"sha256:../..",
                              "sha256:" + std::string(64, 'A'),
                              "sha256:" + std::string(63, 'a'),
                              "sha256:" + std::string(65, 'a'),
                              "md5:" + kHex,
                              "sha512:" + kHex,
                              kHex,
                              "",
                              ":",
                              "sha256:",
                              "SHA256:" + kHex,
                              "sha256:" + std::string(63, 'a') + "/",
                              "sha256:" + std::string(63, 'a') + std::string(1, '\0')};
  for (const std::string& text : rows) {
    EXPECT_FALSE(Digest::parse(text).ok()) << text;
    EXPECT_FALSE(parse_manifest(manifest_with(text)).ok()) << text;
  }
  auto good = Digest::parse(kDigest);
  ASSERT_TRUE(good.ok());
  EXPECT_EQ(good->hex(), kHex);
  EXPECT_EQ(good->algorithm(), "sha256");
  EXPECT_TRUE(Digest::parse("sha512:" + kHex + kHex).ok());
}

// CVE-2021-41190: one document that is both.
TEST(Manifest, RefusesAnAmbiguousDocument) {
  std::string d = R"({"size":1,"digest":")" + kDigest + R"("})";
  const std::string bad[] = {
      R"({"schemaVersion":2,"config":)" + d + R"(,"layers":[],"manifests":[]})",
      R"({"schemaVersion":2,"layers":[],"manifests":[]})",
      R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","config":)" + d +
          R"(,"layers":[]})",
      R"({"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.list.v2+json","config":)" +
          d + R"(,"layers":[]})",
      R"({"schemaVersion":2,"mediaType":"text/plain","config":)" + d + R"(,"layers":[]})",
      R"({"schemaVersion":2,"manifests":[]})",
      R"({"schemaVersion":1,"config":)" + d + R"(,"layers":[]})",
      R"({"schemaVersion":1,"fsLayers":[]})",
      R"({"schemaVersion":2,"layers":[]})",
      R"({"schemaVersion":2,"config":{"size":-1,"digest":")" + kDigest + R"("},"layers":[]})",
      R"([])",
      R"("x")",
      "",
  };
  for (const std::string& text : bad) EXPECT_FALSE(parse_manifest(text).ok()) << text;
  EXPECT_FALSE(
      parse_index(
          R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","manifests":[]})")
          .ok());
  EXPECT_FALSE(parse_index(manifest_with(kDigest)).ok());
  EXPECT_TRUE(parse_index(R"({"schemaVersion":2,"manifests":[]})").ok());
}

TEST(Manifest, ReadsDockersTypesAsTheirTwins) {
  auto m = parse_manifest(
      R"({"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json",)"
      R"("config":{"mediaType":"application/vnd.docker.container.image.v1+json","size":7,"digest":")" +
      kDigest +
      R"("},"layers":[{"mediaType":"application/vnd.docker.image.rootfs.diff.tar.gzip",)" +
      R"("size":9,"digest":")" + kDigest + R"("}]})");
  ASSERT_TRUE(m.ok()) << m.error().message();
  EXPECT_EQ(m->media_type, kMediaManifest);
  EXPECT_EQ(m->config.media_type, kMediaConfig);
  EXPECT_EQ(m->layers.at(0).media_type, kMediaLayerGzip);
  EXPECT_EQ(m->layers.at(0).size, 9);
  EXPECT_EQ(docker_media_type(kMediaLayerTar), "application/vnd.docker.image.rootfs.diff.tar");
}

TEST(Manifest, LimitsLayers) {
  std::string layers;
  for (int i = 0; i < 1001; ++i)
    layers += concat(i ? "," : "", R"({"size":1,"digest":")", kDigest, "\"}");
  EXPECT_FALSE(parse_manifest(R"({"schemaVersion":2,"config":{"size":1,"digest":")" + kDigest +
                              R"("},"layers":[)" + layers + "]}")
                   .ok());
}

TEST(ImageConfig, RoundTrip) {
  std::string text =
      R"({"created":"2026-01-01T00:00:00Z","architecture":"amd64","os":"linux","config":{"User":"1:1",)"
      R"("ExposedPorts":{"80/tcp":{}},"Env":["A=b"],"Entrypoint":["/e"],"Cmd":["c"],"Volumes":{"/data":{}},)"
      R"("WorkingDir":"/w","Labels":{"k":"v"},"StopSignal":"SIGTERM"},"rootfs":{"type":"layers","diff_ids":[")" +
      kDigest +
      R"("]},"history":[{"created":"2026-01-01T00:00:00Z","created_by":"x","empty_layer":true}]})";
  auto config = parse_image_config(text);
  ASSERT_TRUE(config.ok()) << config.error().message();
  EXPECT_EQ(config->config.entrypoint.value().at(0), "/e");
  EXPECT_EQ(config->diff_ids.at(0).str(), kDigest);
  EXPECT_TRUE(config->history.at(0).empty_layer);
  EXPECT_EQ(dump_image_config(*config), text);
  // What Docker writes for "none".
  auto empty = parse_image_config(
      R"({"architecture":"","os":"","config":{"Cmd":null,"Volumes":null,"Labels":null}})");
  ASSERT_TRUE(empty.ok()) << empty.error().message();
  EXPECT_FALSE(empty->config.cmd.has_value());
  EXPECT_FALSE(parse_image_config(R"({"rootfs":{"diff_ids":["sha256:../../x"]}})").ok());
  EXPECT_FALSE(parse_image_config(R"({"config":{"ExposedPorts":[1]}})").ok());
}

TEST(ImageConfig, SurvivesDepth) {
  std::string deep(10'000, '[');
  EXPECT_FALSE(parse_image_config(deep).ok());
  EXPECT_FALSE(parse_manifest(deep).ok());
}

}  // namespace
}  // namespace minke::oci
