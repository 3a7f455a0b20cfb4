#include "engine/simple_signing.h"

#include <gtest/gtest.h>

#include "base/str.h"
#include "codec/base64.h"
#include "config/testing_folder.h"
#include "sys/capture.h"

namespace minke::engine {
namespace {

// Ed25519 keys made for this; both signed that quay.io/team/app:1 has the digest below.
constexpr const char* kKey =
    "mDMEZZIAgBYJKwYBBAHaRw8BAQdAFRvB2qK0QjkeJQTvX9rNaFezZv0A2qz9sLm1t9VkpR+0EnNpZ25lckBleGFtcG"
    "xlLmNvbYiQBBMWCAA4FiEE0JvjJL794p21/sAslYyWchdzllUFAmWSAIACGwMFCwkIBwIGFQoJCAsCBBYCAwECHgEC"
    "F4AACgkQlYyWchdzllXifwD6A7ZzWthIwOWKkwC9DCu9d5ddgqgkD18zvr0ma/qjjW0A/33NKOln6ua0Tj8cNsWx5t"
    "UKo35HhfSjPcGEZ8jzwEEG";
constexpr const char* kSignature =
    "kA0DAAgWlYyWchdzllUBrQEIYgJwbGWSAIB7ImNyaXRpY2FsIjp7InR5cGUiOiJhdG9taWMgY29udGFpbmVyIHNpZ2"
    "5hdHVyZSIsImltYWdlIjp7ImRvY2tlci1tYW5pZmVzdC1kaWdlc3QiOiJzaGEyNTY6NjJjNjZhN2E1ZGQ3MGMzMTQ2"
    "NjE4MDYzYzM0NGU1MzFlNmQ0YjU5ZTM3OTgwODQ0M2NlOTYyYjNhYmQ2M2M1YSJ9LCJpZGVudGl0eSI6eyJkb2NrZX"
    "ItcmVmZXJlbmNlIjoicXVheS5pby90ZWFtL2FwcDoxIn19LCJvcHRpb25hbCI6eyJjcmVhdG9yIjoidGVzdCIsInRp"
    "bWVzdGFtcCI6MX19iIkEABYIADEWIQTQm+Mkvv3inbX+wCyVjJZyF3OWVQUCZZIAgBMcc2lnbmVyQGV4YW1wbGUuY2"
    "9tAAoJEJWMlnIXc5ZVmmgA/2jHBLbXe+5dKeoSbIxQ1aVaVEYWDqnQXu+uJvkxyZF8AP93VTjEPc+r/+C+K9ExvGqq"
    "9LEOJDYQtjCeruqKvUNdAA==";
constexpr const char* kOther =
    "kA0DAAgWU1XSIiJy5z8BrQEIYgJwbGWSAIB7ImNyaXRpY2FsIjp7InR5cGUiOiJhdG9taWMgY29udGFpbmVyIHNpZ2"
    "5hdHVyZSIsImltYWdlIjp7ImRvY2tlci1tYW5pZmVzdC1kaWdlc3QiOiJzaGEyNTY6NjJjNjZhN2E1ZGQ3MGMzMTQ2"
    "NjE4MDYzYzM0NGU1MzFlNmQ0YjU5ZTM3OTgwODQ0M2NlOTYyYjNhYmQ2M2M1YSJ9LCJpZGVudGl0eSI6eyJkb2NrZX"
    "ItcmVmZXJlbmNlIjoicXVheS5pby90ZWFtL2FwcDoxIn19LCJvcHRpb25hbCI6eyJjcmVhdG9yIjoidGVzdCIsInRp"
    "bWVzdGFtcCI6MX19iIgEABYIADAWIQQkUYXVOeDjHpdE5u9TVdIiInLnPwUCZZIAgBIcb3RoZXJAZXhhbXBsZS5jb2"
    "0ACgkQU1XSIiJy5z+x7QD+Ou40ZjCcr2XXfQx1RL3qGXoUt7gMv+CP66k8u4EvGnUA/A3fbF8ClvlBnhSLM3VtGXb8"
    "zFR/tNhil/diVhIikxUI";
// The same text, signed by nobody.
constexpr const char* kUnsigned =
    "rQEIYgJwbGWSAIB7ImNyaXRpY2FsIjp7InR5cGUiOiJhdG9taWMgY29udGFpbmVyIHNpZ25hdHVyZSIsImltYWdlIj"
    "p7ImRvY2tlci1tYW5pZmVzdC1kaWdlc3QiOiJzaGEyNTY6NjJjNjZhN2E1ZGQ3MGMzMTQ2NjE4MDYzYzM0NGU1MzFl"
    "NmQ0YjU5ZTM3OTgwODQ0M2NlOTYyYjNhYmQ2M2M1YSJ9LCJpZGVudGl0eSI6eyJkb2NrZXItcmVmZXJlbmNlIjoicX"
    "VheS5pby90ZWFtL2FwcDoxIn19LCJvcHRpb25hbCI6eyJjcmVhdG9yIjoidGVzdCIsInRpbWVzdGFtcCI6MX19";
constexpr const char* kArmored =
    "-----BEGIN PGP PUBLIC KEY BLOCK-----\n"
    "\n"
    "mDMEZZIAgBYJKwYBBAHaRw8BAQdAFRvB2qK0QjkeJQTvX9rNaFezZv0A2qz9sLm1\n"
    "t9VkpR+0EnNpZ25lckBleGFtcGxlLmNvbYiQBBMWCAA4FiEE0JvjJL794p21/sAs\n"
    "lYyWchdzllUFAmWSAIACGwMFCwkIBwIGFQoJCAsCBBYCAwECHgECF4AACgkQlYyW\n"
    "chdzllXifwD6A7ZzWthIwOWKkwC9DCu9d5ddgqgkD18zvr0ma/qjjW0A/33NKOln\n"
    "6ua0Tj8cNsWx5tUKo35HhfSjPcGEZ8jzwEEG\n"
    "=/eAv\n"
    "-----END PGP PUBLIC KEY BLOCK-----\n";
constexpr const char* kDigest =
    "sha256:62c66a7a5dd70c3146618063c344e531e6d4b59e379808443ce962b3abd63c5a";

config::Requirement signed_by(std::string_view key_data) {
  config::Requirement out;
  out.type = config::Requirement::Type::signed_by;
  out.key_data.emplace_back(key_data);
  out.where = "policy.json: default[0]";
  return out;
}

std::string bytes_of(const char* encoded) {
  auto bytes = base64_decode(encoded);
  return bytes ? *bytes : "";
}

std::string check(const config::Requirement& requirement, std::vector<std::string> signatures,
                  const char* reference = "quay.io/team/app:1", const char* digest = kDigest) {
  Status met = check_simple_signatures({requirement}, {}, reference, digest, std::move(signatures));
  return met ? "met" : met.error().message();
}

class SimpleSigning : public testing::Test {
 protected:
  void SetUp() override {
    if (!sys::find_in_path("gpgv")) GTEST_SKIP() << "gpgv is not installed";
  }
};

TEST_F(SimpleSigning, AGoodSignatureIsEnough) {
  EXPECT_EQ(check(signed_by(kKey), {bytes_of(kSignature)}), "met");
  EXPECT_EQ(check(signed_by(kKey), {"nonsense", bytes_of(kOther), bytes_of(kSignature)}), "met");
  EXPECT_EQ(check(signed_by(base64_encode(kArmored)), {bytes_of(kSignature)}), "met");
}

TEST_F(SimpleSigning, WhatIsNoneSaysWhy) {
  constexpr const char* kNone =
      "Source image rejected: A signature was required, but no signature exists "
      "(policy.json: default[0])";
  auto bad = [](std::string_view reason) {
    return concat("Source image rejected: None of the signatures were accepted, reasons: ", reason,
                  " (policy.json: default[0])");
  };
  EXPECT_EQ(check(signed_by(kKey), {}), kNone);
  EXPECT_EQ(check(signed_by(kKey), {bytes_of(kOther)}), bad("Invalid GPG signature"));
  EXPECT_EQ(check(signed_by(kKey), {bytes_of(kUnsigned)}), bad("Invalid GPG signature"));
  EXPECT_EQ(check(signed_by(kKey), {""}), bad("Invalid GPG signature"));
  std::string changed = bytes_of(kSignature);
  changed[changed.find("team/app")] = 'b';
  EXPECT_EQ(check(signed_by(kKey), {changed}), bad("Invalid GPG signature"));
  // A good one in front of text that nobody signed.
  EXPECT_EQ(check(signed_by(kKey), {bytes_of(kUnsigned) + bytes_of(kSignature)}),
            bad("Invalid GPG signature"));
  EXPECT_EQ(check(signed_by(kKey), {bytes_of(kSignature)}, "quay.io/team/other:1"),
            bad("Signature for identity \"quay.io/team/app:1\" is not accepted"));
  EXPECT_EQ(check(signed_by(kKey), {bytes_of(kSignature)}, "quay.io/team/app:1",
                  "sha256:0000000000000000000000000000000000000000000000000000000000000000"),
            bad(concat("Signature for docker digest \"", kDigest,
                       "\" does not match the image, which has "
                       "sha256:0000000000000000000000000000000000000000000000000000000000000000")));
}

TEST_F(SimpleSigning, OfALocalStore) {
  config::TestingFolder folder;
  config::SignatureStore store;
  store.lookaside = "file://" + folder.path();
  std::string name = concat("team/app@sha256=", std::string_view(kDigest).substr(7));
  folder.write(name + "/signature-1", bytes_of(kOther));
  auto met = [&] {
    return check_simple_signatures({signed_by(kKey)}, store, "quay.io/team/app:1", kDigest, {})
        .ok();
  };
  EXPECT_FALSE(met());
  folder.write(name + "/signature-2", bytes_of(kSignature));
  EXPECT_TRUE(met());
}

}  // namespace
}  // namespace minke::engine
