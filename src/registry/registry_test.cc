#include <gtest/gtest.h>

#include "registry/challenge.h"
#include "registry/client.h"
#include "registry/http.h"
#include "registry/image.h"

namespace minke::registry {
namespace {

TEST(Challenge, Bearer) {
  auto found = parse_challenges(
      R"(Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="a:b:pull,push")");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].scheme, "bearer");
  EXPECT_EQ(found[0].param("realm"), "https://auth.docker.io/token");
  EXPECT_EQ(found[0].param("service"), "registry.docker.io");
  EXPECT_EQ(found[0].param("scope"), "a:b:pull,push");
}

TEST(Challenge, SeveralAndOdd) {
  auto found = parse_challenges(R"(Basic realm="a \"b\"", Negotiate, BEARER Realm = x , error=y)");
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].param("realm"), R"(a "b")");
  EXPECT_EQ(found[1].scheme, "negotiate");
  EXPECT_EQ(found[2].param("realm"), "x");
  EXPECT_EQ(found[2].param("error"), "y");
  EXPECT_TRUE(parse_challenges("").empty());
  EXPECT_EQ(parse_challenges("Basic realm=\"never ends").size(), 1U);
  EXPECT_TRUE(parse_challenges(",,=\"\"").empty());
}

TEST(Url, LeadsToWebOnly) {
  EXPECT_EQ(*resolve_url("https://r:5000/v2/a", "/v2/b?x=1"), "https://r:5000/v2/b?x=1");
  EXPECT_EQ(*resolve_url("https://r/v2/a", "http://other/x"), "http://other/x");
  for (const char* bad : {"file:///etc/passwd", "ftp://r/x", "https://user@r/x", "gopher://r", ""})
    EXPECT_FALSE(resolve_url(*bad == '\0' ? "" : "https://r/", bad)) << bad;
}

TEST(Url, Origin) {
  EXPECT_EQ(url_origin("https://R.example/a"), "https://r.example:443");
  EXPECT_EQ(url_origin("http://r:5000/a?b"), "http://r:5000");
  EXPECT_NE(url_origin("http://r/"), url_origin("https://r/"));
}

TEST(Client, WhatARegistrySays) {
  HttpResponse answer;
  answer.status = 404;
  answer.body = R"({"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]})";
  Error unknown = Client::fault_of(answer);
  EXPECT_EQ(unknown.message(), "manifest unknown");
  EXPECT_EQ(unknown.code(), Errc::not_found);
  answer.status = 401;
  answer.body = "";
  EXPECT_EQ(Client::fault_of(answer).code(), Errc::permission);
  answer.status = 500;
  answer.body = "<html>";
  EXPECT_EQ(Client::fault_of(answer).message(),
            "received unexpected HTTP status: 500 (Internal Server Error)");
  answer.body = "{\"errors\":[{\"code\":\"DENIED\",\"message\":\"\x1b[2Jno\"}]}";
  EXPECT_EQ(Client::fault_of(answer).message().find('\x1b'), std::string::npos);
}

oci::Descriptor entry(const char* architecture, const char* variant) {
  oci::Descriptor d;
  d.platform.emplace();
  d.platform->os = "linux";
  d.platform->architecture = architecture;
  d.platform->variant = variant;
  return d;
}

oci::Platform platform(const char* architecture, const char* variant = "") {
  oci::Platform p;
  p.os = "linux";
  p.architecture = architecture;
  p.variant = variant;
  return p;
}

TEST(Platform, Choice) {
  oci::ImageIndex index;
  for (auto [a, v] : {std::pair{"amd64", ""}, {"arm", "v5"}, {"arm", "v6"}, {"arm64", "v8"}})
    index.manifests.push_back(entry(a, v));
  EXPECT_EQ(choose_platform(index, platform("amd64")), &index.manifests[0]);
  EXPECT_EQ(choose_platform(index, platform("arm", "v7")), &index.manifests[2]);
  EXPECT_EQ(choose_platform(index, platform("arm", "v5")), &index.manifests[1]);
  EXPECT_EQ(choose_platform(index, platform("arm64")), &index.manifests[3]);
  EXPECT_EQ(choose_platform(index, platform("s390x")), nullptr);
  oci::Platform windows = platform("amd64");
  windows.os = "windows";
  EXPECT_EQ(choose_platform(index, windows), nullptr);
}

}  // namespace
}  // namespace minke::registry
