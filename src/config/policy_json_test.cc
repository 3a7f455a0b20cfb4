#include "config/policy_json.h"

#include <gtest/gtest.h>

#include "base/str.h"
#include "config/registries_d.h"
#include "config/testing_folder.h"

namespace minke::config {
namespace {

using Type = Requirement::Type;

Policy policy_of(std::string_view text) {
  auto policy = parse_policy(text, "p");
  EXPECT_TRUE(policy.ok()) << policy.error().message();
  return policy ? std::move(*policy) : Policy();
}

// The example of containers-policy.json(5), shortened.
constexpr const char* kManual = R"({
    "default": [{"type": "reject"}],
    "transports": {
        "docker": {
            "docker.io/openshift": [{"type": "insecureAcceptAnything"}],
            "docker.io/library/busybox": [
                {"type": "signedBy", "keyType": "GPGKeys", "keyPath": "/path/to/official-pubkey.gpg"}
            ],
            "*.temporary-project.example.com": [{"type": "insecureAcceptAnything"}],
            "hostname:5000/myns/sigstore-signed-image": [
                {"type": "sigstoreSigned", "keyPath": "/path/to/sigstore-pubkey.pub"}
            ],
            "private-mirror:5000/vendor-mirror": [
                {"type": "signedBy", "keyType": "GPGKeys", "keyPath": "/path/to/vendor-pubkey.gpg",
                 "signedIdentity": {"type": "remapIdentity", "prefix": "private-mirror:5000/vendor-mirror",
                                    "signedPrefix": "vendor.example.com"}}
            ]
        },
        "oci": {"": [{"type": "insecureAcceptAnything"}]},
        "dir": {"/srv/images": [{"type": "insecureAcceptAnything"}]}
    }
})";

TEST(Policy, TheLongestScopeCounts) {
  Policy policy = policy_of(kManual);
  auto type = [&](const char* transport, const char* scope) {
    return requirements_for(policy, transport, scope).at(0).type;
  };
  EXPECT_EQ(type("docker", "docker.io/openshift/a:1"), Type::accept_anything);
  EXPECT_EQ(type("docker", "docker.io/openshifts:1"), Type::reject);
  EXPECT_EQ(type("docker", "docker.io/library/busybox:latest"), Type::signed_by);
  EXPECT_EQ(type("docker", "docker.io/library/busybox@sha256:00"), Type::signed_by);
  EXPECT_EQ(type("docker", "a.b.temporary-project.example.com:5000/x:1"), Type::accept_anything);
  EXPECT_EQ(type("docker", "temporary-project.example.com/x:1"), Type::reject);
  EXPECT_EQ(type("docker", "hostname:5000/myns/sigstore-signed-image:1"), Type::sigstore_signed);
  EXPECT_EQ(type("oci", "/anything:1"), Type::accept_anything);
  EXPECT_EQ(type("dir", "/srv/images/a"), Type::accept_anything);
  EXPECT_EQ(type("dir", "/srv/imagesx"), Type::reject);
  EXPECT_EQ(type("docker-archive", "/x"), Type::reject);
}

TEST(Policy, WhatRejectsSaysSo) {
  Policy policy = policy_of(kManual);
  const auto& requirements = requirements_for(policy, "docker", "quay.io/a:1");
  EXPECT_FALSE(accepts_unseen(requirements));
  Status met = check_outright(requirements, "docker://quay.io/a:1");
  ASSERT_FALSE(met.ok());
  EXPECT_EQ(met.error().message(),
            "Source image rejected: Running image docker://quay.io/a:1 is rejected by policy. (p: "
            "default[0])");
  Policy fulcio = policy_of(R"({"default": [{"type": "sigstoreSigned", "fulcio": {}}]})");
  EXPECT_EQ(check_outright(fulcio.default_requirements, "x").error().code(), Errc::unsupported);
}

TEST(Policy, FaultsNameTheKey) {
  struct Row {
    const char *text, *fault;
  };
  constexpr Row kRows[] = {
      {"[]", "p: must be an object, is an array"},
      {"{}", "p: default: is missing"},
      {R"({"default": []})", "p: default: has no requirement: write one, such as reject"},
      {R"({"default": [{"type": "x"}]})", "p: default[0].type: no such requirement: \"x\""},
      {R"({"default": [{}]})", "p: default[0]: has no type"},
      {R"({"default": [{"type": "reject", "a": 1}]})", "p: default[0].a: not known of reject"},
      {R"({"default": [{"type": "reject"}], "x": 1})", "p: x: not known"},
      {R"({"default": [{"type": "reject"}], "transports": {"x": {}}})",
       "p: transports.x: no such transport"},
      {R"({"default": [{"type": "reject"}], "transports": {"docker": {"a//b": []}}})",
       "p: transports.docker.\"a//b\": is neither HOST, HOST/PATH, a reference nor *.DOMAIN"},
      {R"({"default": [{"type": "signedBy", "keyPath": "/k"}]})",
       "p: default[0]: has no keyType: GPGKeys"},
      {R"({"default": [{"type": "signedBy", "keyType": "GPGKeys"}]})",
       "p: default[0]: has no key: keyPath, keyPaths or keyData"},
      {R"({"default": [{"type": "signedBy", "keyType": "GPGKeys", "keyPath": "/k", "keyData": ""}]})",
       "p: default[0]: must have exactly one of keyPath, keyPaths and keyData"},
      {R"({"default": [{"type": "sigstoreSigned", "keyData": "?"}]})",
       "p: default[0].keyData: is not base64"},
      {R"({"default": [{"type": "sigstoreSigned", "keyPath": "/k",
           "signedIdentity": {"type": "exactReference"}}]})",
       "p: default[0].signedIdentity.dockerReference: is missing"},
      {R"({"default": [{"type": "sigstoreSigned", "keyPath": "/k",
           "signedIdentity": {"type": "matchExact", "prefix": "x"}}]})",
       "p: default[0].signedIdentity.prefix: does not belong to this type of match"},
  };
  for (const Row& row : kRows) {
    auto policy = parse_policy(row.text, "p");
    ASSERT_FALSE(policy.ok()) << row.text;
    EXPECT_EQ(policy.error().message(), row.fault);
  }
}

TEST(Policy, Identities) {
  using M = SignedIdentity::Match;
  struct Row {
    M match;
    const char *reference, *wanted, *found;
    bool same;
  };
  const Row rows[] = {
      {M::match_exact, "", "q.io/a:1", "q.io/a:1", true},
      {M::match_exact, "", "q.io/a:1", "q.io/a:2", false},
      {M::match_exact, "", "q.io/a", "q.io/a", false},
      {M::match_exact, "", "q.io/a@sha256:0", "q.io/a:1", false},
      {M::match_repo_digest_or_exact, "", "q.io/a@sha256:0", "q.io/a:1", true},
      {M::match_repo_digest_or_exact, "", "q.io/a@sha256:0", "q.io/a", false},
      {M::match_repo_digest_or_exact, "", "q.io/a:1", "q.io/a:1", true},
      {M::match_repo_digest_or_exact, "", "q.io/a:1", "q.io/b:1", false},
      {M::match_repository, "", "q.io/a:1", "q.io/a", true},
      {M::match_repository, "", "q.io/a:1", "q.io/a:9", true},
      {M::match_repository, "", "q.io/a:1", "q.io/ab:1", false},
      {M::exact_reference, "v.io/x:1", "q.io/a:1", "v.io/x:1", true},
      {M::exact_reference, "v.io/x:1", "q.io/a:1", "q.io/a:1", false},
      {M::exact_repository, "v.io/x", "q.io/a:1", "v.io/x:7", true},
      {M::match_repository, "", "q.io/a:1", "", false},
  };
  for (const Row& row : rows) {
    SignedIdentity identity;
    identity.match = row.match;
    identity.reference = row.reference;
    EXPECT_EQ(identity_matches(identity, row.wanted, row.found), row.same)
        << row.wanted << " " << row.found;
  }
  SignedIdentity remap;
  remap.match = M::remap_identity;
  remap.prefix = "mirror:5000/vendor";
  remap.signed_prefix = "vendor.example.com";
  EXPECT_TRUE(identity_matches(remap, "mirror:5000/vendor/a:1", "vendor.example.com/a:1"));
  EXPECT_FALSE(identity_matches(remap, "mirror:5000/vendorx/a:1", "vendor.example.comx/a:1"));
  EXPECT_TRUE(identity_matches(remap, "q.io/a:1", "q.io/a:1"));
}

TEST(Policy, FilesInOrderAndNone) {
  TestingFolder folder;
  auto none = load_policy(folder.places());
  ASSERT_TRUE(none.ok());
  EXPECT_TRUE(accepts_unseen(requirements_for(*none, "docker", "q.io/a:1")));
  folder.write("etc/containers/policy.json", R"({"default": [{"type": "reject"}]})");
  auto system = load_policy(folder.places());
  ASSERT_TRUE(system.ok());
  EXPECT_EQ(system->default_requirements[0].type, Type::reject);
  folder.write("home/.config/containers/policy.json",
               R"({"default": [{"type": "insecureAcceptAnything"}]})");
  EXPECT_TRUE(accepts_unseen(load_policy(folder.places())->default_requirements));
  EXPECT_FALSE(load_policy(folder.places(), folder.path() + "/nosuch").ok());
}

TEST(Policy, GoesToTheWorkerAndBack) {
  TestingFolder folder;
  std::string key = folder.write("key", "PEM\n");
  Policy policy = policy_of(concat(R"({"default": [{"type": "sigstoreSigned", "keyPath": ")", key,
                                   R"(", "signedIdentity": {"type": "matchExact"}}]})"));
  ASSERT_TRUE(load_keys(&policy.default_requirements).ok());
  auto back = json::parse_struct<Requirement>(json::dump_struct(policy.default_requirements[0]));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->type, Type::sigstore_signed);
  EXPECT_EQ(back->identity.match, SignedIdentity::Match::match_exact);
  EXPECT_TRUE(back->key_paths.empty());
  EXPECT_EQ(join(back->key_data, " "), "UEVNCg==");
}

TEST(RegistriesD, TheNearestNamespaceCounts) {
  TestingFolder folder;
  RegistryPlaces places = folder.places();
  auto lookaside = [&](const char* reference) {
    auto found = find_signature_store(places, reference);
    return found ? concat(found->lookaside, found->sigstore_attachments ? " +" : "")
                 : "error: " + found.error().message();
  };
  EXPECT_EQ(lookaside("q.io/a:1"), "");
  folder.write("etc/containers/registries.d/default.yaml",
               "default-docker:\n  lookaside: file:///var/lib/containers/sigstore\n");
  folder.write("etc/containers/registries.d/x.yaml", R"(
docker:
  registry.test-registry.com:
    sigstore: http://registry.test-registry.com/sigstore/
    sigstore-staging: file:///mnt/private/sigstore
  private-registry.com/ns:
    use-sigstore-attachments: true
  "*.example.com":
    lookaside: https://sigs.example.com
)");
  EXPECT_EQ(lookaside("q.io/a:1"), "file:///var/lib/containers/sigstore");
  EXPECT_EQ(lookaside("registry.test-registry.com/a:1"),
            "http://registry.test-registry.com/sigstore");
  EXPECT_EQ(lookaside("private-registry.com/ns/a@sha256:00"),
            "file:///var/lib/containers/sigstore +");
  EXPECT_EQ(lookaside("a.b.example.com:443/x:1"), "https://sigs.example.com");
  folder.write("etc/containers/registries.d/y.yaml", "docker:\n  registry.test-registry.com: {}\n");
  EXPECT_EQ(lookaside("q.io/a:1"),
            concat("error: ", folder.path(),
                   "/etc/containers/registries.d/y.yaml: docker.registry.test-registry.com: was "
                   "said by ",
                   folder.path(), "/etc/containers/registries.d/x.yaml already"));
  folder.write("etc/containers/registries.d/y.yaml", "docker:\n  q.io:\n    lookaside: ftp://x\n");
  EXPECT_NE(lookaside("q.io/a:1").find("is no http, https or file address"), std::string::npos);
}

}  // namespace
}  // namespace minke::config
