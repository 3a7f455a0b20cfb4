#include "config/auth_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>

#include "base/str.h"
#include "config/certs_d.h"
#include "config/credential_helper.h"
#include "config/testing_folder.h"

namespace minke::config {
namespace {

std::string who(const Result<Credentials>& found) {
  if (!found.ok()) return "error";
  return concat(found->username, ":", found->password,
                found->identity_token.empty() ? "" : " " + found->identity_token);
}

Credentials login(const char* user, const char* password) {
  Credentials creds;
  creds.username = user;
  creds.password = password;
  return creds;
}

// user:pw by name in base64
constexpr const char* kFile = R"({
  "auths": {
    "quay.io": {"auth": "cXVheTphbGw="},
    "quay.io/team": {"auth": "cXVheTp0ZWFt"},
    "https://index.docker.io/v1/": {"auth": "aHViOnB3"},
    "nul.io": {"auth": "bnVsOnB3AAA="},
    "token.io": {"auth": "dToK", "identitytoken": "tok"},
    "empty.io": {}
  }
})";

TEST(AuthFile, TheNearestKeyCounts) {
  TestingFolder folder;
  std::string path = folder.write("auth.json", kFile);
  AuthStore store(folder.places(), path);
  EXPECT_EQ(who(store.find("quay.io/team/app")), "quay:team");
  EXPECT_EQ(who(store.find("quay.io/team")), "quay:team");
  EXPECT_EQ(who(store.find("quay.io/teams")), "quay:all");
  EXPECT_EQ(who(store.find("quay.io")), "quay:all");
  EXPECT_EQ(who(store.find("docker.io/library/debian")), "hub:pw");
  EXPECT_EQ(who(store.find("nul.io/x")), "nul:pw");
  EXPECT_EQ(who(store.find("token.io/x")), "u:\n tok");
  EXPECT_EQ(who(store.find("empty.io/x")), ":");
  EXPECT_EQ(who(store.find("other.io/x")), ":");
}

TEST(AuthFile, FilesInOrder) {
  TestingFolder folder;
  AuthStore store(folder.places(), "");
  EXPECT_EQ(who(store.find("a.io")), ":");
  folder.write("home/.dockercfg", R"({"https://a.io/v1/": {"auth": "bGVnYWN5OnB3"}})");
  EXPECT_EQ(who(store.find("a.io")), "legacy:pw");
  folder.write("home/.docker/config.json", R"({"auths": {"a.io": {"auth": "ZG9ja2VyOnB3"}}})");
  EXPECT_EQ(who(store.find("a.io")), "docker:pw");
  folder.write("home/.config/containers/auth.json",
               R"({"auths": {"a.io": {"auth": "Y29uZmlnOnB3"}}})");
  EXPECT_EQ(who(store.find("a.io")), "config:pw");
  folder.write("run/containers/auth.json", R"({"auths": {"a.io": {"auth": "cnVuOnB3"}}})");
  EXPECT_EQ(who(store.find("a.io")), "run:pw");
  // A file that is named is the only one.
  RegistryPlaces places = folder.places();
  places.auth_file = folder.path() + "/none.json";
  EXPECT_EQ(who(AuthStore(places, "").find("a.io")), ":");
}

TEST(AuthFile, StoredErasedAndOtherSettingsKept) {
  TestingFolder folder;
  std::string path = folder.write("d/auth.json", R"({"HttpHeaders": {"A": "b"}})", 0644);
  AuthStore store(folder.places(), path);
  auto where = store.store("quay.io", login("me", "secret:with:colons"));
  ASSERT_TRUE(where.ok()) << where.error().message();
  EXPECT_EQ(*where, path);
  EXPECT_EQ(folder.read("d/auth.json"),
            "{\n\t\"HttpHeaders\": {\n\t\t\"A\": \"b\"\n\t},\n\t\"auths\": {\n\t\t\"quay.io\": "
            "{\n\t\t\t\"auth\": \"bWU6c2VjcmV0OndpdGg6Y29sb25z\"\n\t\t}\n\t}\n}");
  struct stat st {};
  ASSERT_EQ(::stat(path.c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777, 0600U);
  EXPECT_EQ(who(store.find("quay.io/x")), "me:secret:with:colons");
  auto names = store.list();
  ASSERT_TRUE(names.ok());
  EXPECT_EQ(join(*names, " "), "quay.io");
  auto erased = store.erase("quay.io");
  ASSERT_TRUE(erased.ok());
  EXPECT_TRUE(*erased);
  erased = store.erase("quay.io");
  ASSERT_TRUE(erased.ok());
  EXPECT_FALSE(*erased);
  EXPECT_NE(folder.read("d/auth.json").find("HttpHeaders"), std::string::npos);
}

TEST(AuthFile, DockersFileHasDockersKey) {
  TestingFolder folder;
  AuthStore store(folder.places(), "");
  store.use_docker_format(folder.path() + "/config.json");
  ASSERT_TRUE(store.store("docker.io", login("me", "pw")).ok());
  EXPECT_NE(folder.read("config.json").find("\"https://index.docker.io/v1/\""), std::string::npos);
  EXPECT_EQ(who(store.find("docker.io/library/x")), "me:pw");
  auto erased = store.erase("docker.io");
  ASSERT_TRUE(erased.ok());
  EXPECT_TRUE(*erased);
}

TEST(AuthFile, FaultsNameTheKeyAndNoSecret) {
  struct Row {
    const char *text, *fault;
  };
  constexpr Row kRows[] = {
      {"[]", "f: must be a JSON object"},
      {R"({"auths": []})", "f: auths: must be an object, is an array"},
      {R"({"auths": {"a": 1}})", "f: auths.a: must be an object, is a number"},
      {R"({"auths": {"a": {"auth": 1}}})", "f: auths.a.auth: must be a string, is a number"},
      {R"({"auths": {"a": {"auth": "s3cr3t!"}}})", "f: auths.a.auth: is not base64"},
      {R"({"credHelpers": {"a": 1}})", "f: credHelpers.a: must be a string, is a number"},
  };
  for (const Row& row : kRows) {
    auto file = parse_auth_file(row.text, "f");
    ASSERT_FALSE(file.ok()) << row.text;
    EXPECT_EQ(file.error().message(), row.fault);
  }
  EXPECT_TRUE(parse_auth_file("", "f").ok());
  EXPECT_TRUE(parse_auth_file("{\"auths\": null, \"credsStore\": \"\"}", "f").ok());
  EXPECT_EQ(parse_auth_file("{\"auths\": s3cr3t", "f").error().message().find("s3cr3t"),
            std::string::npos);
}

TEST(AuthFile, Creds) {
  auto both = parse_creds("me:a:b");
  ASSERT_TRUE(both.ok());
  EXPECT_EQ(both->password, "a:b");
  auto name = parse_creds("me");
  ASSERT_TRUE(name.ok());
  EXPECT_EQ(name->password, "");
  EXPECT_FALSE(parse_creds("").ok());
  EXPECT_FALSE(parse_creds(":pw").ok());
}

// A helper that keeps what it is told in files of a folder.
constexpr const char* kHelper = R"(#!/bin/sh
cd "$KEPT" || exit 1
case $1 in
  store) cat > store.json ;;
  get) read -r server
       case $server in
         slow.io) exec sleep 60 ;;
         token.io) echo '{"ServerURL":"x","Username":"<token>","Secret":"idtok"}' ;;
         broken.io) echo 'the keyring is locked'; exit 1 ;;
         https://index.docker.io/v1/) echo '{"Username":"hub","Secret":"pw"}' ;;
         known.io) [ -e gone ] && { echo 'credentials not found in native keychain'; exit 1; }
                   echo '{"ServerURL":"known.io","Username":"u","Secret":"p"}' ;;
         *) echo 'credentials not found in native keychain'; exit 1 ;;
       esac ;;
  erase) cat > erased; touch gone ;;
  list) echo '{"known.io":"u"}' ;;
esac
)";

class HelperTest : public testing::Test {
 protected:
  HelperTest() {
    folder_.write("bin/docker-credential-test", kHelper, 0700);
    const char* path = ::getenv("PATH");
    before_ = path != nullptr ? path : "";
    ::setenv("PATH", concat(folder_.path(), "/bin:", before_).c_str(), 1);
    ::setenv("KEPT", folder_.path().c_str(), 1);
  }
  ~HelperTest() override {
    ::setenv("PATH", before_.c_str(), 1);
    ::unsetenv("KEPT");
  }
  TestingFolder folder_;
  std::string before_;
};

TEST_F(HelperTest, OfOneRegistry) {
  std::string path = folder_.write("auth.json", R"({"credHelpers": {"known.io": "test",
      "token.io": "test", "unknown.io": "test", "broken.io": "test", "none.io": "nosuch",
      "evil.io": "../../bin/sh"}})");
  AuthStore store(folder_.places(), path);
  EXPECT_EQ(who(store.find("known.io/a/b")), "u:p");
  EXPECT_EQ(who(store.find("token.io/a")), ": idtok");
  EXPECT_EQ(who(store.find("unknown.io/a")), ":");
  EXPECT_EQ(store.find("broken.io/a").error().message(),
            "credential helper docker-credential-test get: exit status 1: the keyring is locked");
  EXPECT_EQ(store.find("none.io/a").error().message(),
            "credential helper docker-credential-nosuch: not found in PATH");
  EXPECT_EQ(store.find("evil.io/a").error().message(),
            "credential helper \"../../bin/sh\" is no name of a program");
  auto where = store.store("known.io", login("me", "new"));
  ASSERT_TRUE(where.ok());
  EXPECT_EQ(*where, "docker-credential-test");
  EXPECT_EQ(folder_.read("store.json"),
            R"({"ServerURL":"known.io","Username":"me","Secret":"new"})");
  EXPECT_FALSE(store.store("known.io/a", login("me", "new")).ok());
  auto erased = store.erase("known.io");
  ASSERT_TRUE(erased.ok()) << erased.error().message();
  EXPECT_TRUE(*erased);
  EXPECT_EQ(folder_.read("erased"), "known.io\n");
  erased = store.erase("known.io");
  ASSERT_TRUE(erased.ok());
  EXPECT_FALSE(*erased);
}

TEST_F(HelperTest, OfAllRegistries) {
  std::string path = folder_.write("config.json", R"({"credsStore": "test",
      "auths": {"file.io": {"auth": "ZmlsZTpwdw=="}, "known.io": {}}})");
  AuthStore store(folder_.places(), path);
  EXPECT_EQ(who(store.find("known.io")), "u:p");
  EXPECT_EQ(who(store.find("file.io")), "file:pw");
  EXPECT_EQ(who(store.find("docker.io/x")), "hub:pw");
}

TEST_F(HelperTest, NamedByRegistriesConf) {
  AuthStore store(folder_.places(), "", {"test", "containers-auth.json"});
  EXPECT_EQ(who(store.find("known.io/a")), "u:p");
  folder_.write("run/containers/auth.json", R"({"auths": {"f.io": {"auth": "ZmlsZTpwdw=="}}})");
  EXPECT_EQ(who(store.find("f.io/a")), "file:pw");
}

TEST_F(HelperTest, ASlowOneIsEnded) {
  CredentialHelper slow{"test", 100};
  EXPECT_EQ(slow.get("slow.io").error().code(), Errc::timeout);
}

TEST(CertsD, FilesByTheirEndings) {
  TestingFolder folder;
  folder.write("etc/docker/certs.d/r.io:5000/ca.crt", "x");
  auto certs = find_certs(folder.places(), "r.io:5000");
  ASSERT_TRUE(certs.ok());
  EXPECT_EQ(certs->folder, folder.path() + "/etc/docker/certs.d/r.io:5000");
  ASSERT_EQ(certs->cas.size(), 1U);

  std::string user = "home/.config/containers/certs.d/r.io:5000/";
  folder.write(user + "a.crt", "x");
  folder.write(user + "b.crt", "x");
  folder.write(user + "client.cert", "x");
  EXPECT_EQ(find_certs(folder.places(), "r.io:5000").error().message(),
            concat(folder.path(), "/", user,
                   "client.cert: missing key client.key for client certificate client.cert. CA "
                   "certificates should use the extension .crt"));
  folder.write(user + "client.key", "x");
  certs = find_certs(folder.places(), "r.io:5000");
  ASSERT_TRUE(certs.ok()) << certs.error().message();
  EXPECT_EQ(certs->cas.size(), 2U);
  ASSERT_EQ(certs->clients.size(), 1U);
  EXPECT_EQ(certs->clients[0].key, concat(folder.path(), "/", user, "client.key"));
  folder.write(user + "lost.key", "x");
  EXPECT_FALSE(find_certs(folder.places(), "r.io:5000").ok());

  EXPECT_EQ(find_certs(folder.places(), "other.io")->folder, "");
  EXPECT_EQ(find_certs(folder.places(), "..")->folder, "");
  EXPECT_FALSE(find_certs(folder.places(), "other.io", folder.path() + "/nosuch").ok());
}

}  // namespace
}  // namespace minke::config
