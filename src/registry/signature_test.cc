#include "registry/signature.h"

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <map>

#include "base/str.h"
#include "codec/base64.h"

namespace minke::registry {
namespace {

constexpr const char* kDigest =
    "sha256:62c66a7a5dd70c3146618063c344e531e6d4b59e379808443ce962b3abd63c5a";

// A pair of keys of its own.
class Signer {
 public:
  explicit Signer(const char* curve) : key_(::EVP_EC_gen(curve)) {}
  explicit Signer(std::nullptr_t) : key_(::EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")) {}
  Signer(const Signer&) = delete;
  Signer& operator=(const Signer&) = delete;
  ~Signer() { ::EVP_PKEY_free(key_); }

  std::string pem() const {
    BIO* bio = ::BIO_new(::BIO_s_mem());
    ::PEM_write_bio_PUBKEY(bio, key_);
    char* data = nullptr;
    long size = ::BIO_get_mem_data(bio, &data);
    std::string out(data, static_cast<std::size_t>(size));
    ::BIO_free_all(bio);
    return out;
  }
  std::string sign(std::string_view payload) const {
    EVP_MD_CTX* context = ::EVP_MD_CTX_new();
    const EVP_MD* hash = ::EVP_PKEY_is_a(key_, "ED25519") == 1 ? nullptr : ::EVP_sha256();
    unsigned char bytes[512];
    std::size_t size = sizeof bytes;
    EXPECT_EQ(::EVP_DigestSignInit(context, nullptr, hash, nullptr, key_), 1);
    EXPECT_EQ(
        ::EVP_DigestSign(context, bytes, &size,
                         reinterpret_cast<const unsigned char*>(payload.data()), payload.size()),
        1);
    ::EVP_MD_CTX_free(context);
    return base64_encode({reinterpret_cast<const char*>(bytes), size});
  }

 private:
  EVP_PKEY* key_;
};

class Source final : public SignatureSource {
 public:
  Result<std::optional<std::string>> get_url(const std::string& url, std::size_t) override {
    asked += url + "\n";
    return find(url);
  }
  Result<std::optional<std::string>> get_manifest(const std::string& tag, std::size_t) override {
    return find(tag);
  }
  Result<std::optional<std::string>> get_blob(const std::string& digest, std::size_t) override {
    return find(digest);
  }
  std::map<std::string, std::string> files;
  std::string asked;

 private:
  std::optional<std::string> find(const std::string& name) const {
    auto it = files.find(name);
    return it == files.end() ? std::nullopt : std::optional(it->second);
  }
};

std::string payload_of(std::string_view reference, std::string_view digest = kDigest,
                       std::string_view type = "cosign container image signature") {
  return concat(R"({"critical":{"identity":{"docker-reference":")", reference,
                R"("},"image":{"docker-manifest-digest":")", digest, R"("},"type":")", type,
                R"("},"optional":null})");
}

// One signature of `payload` as cosign attaches it.
void attach(Source* source, std::string_view payload, std::string_view signature) {
  source->files["sha256:payload"] = payload;
  source->files[concat("sha256-", std::string_view(kDigest).substr(7), ".sig")] = concat(
      R"({"schemaVersion":2,"layers":[{"mediaType":"application/other","digest":"x","size":1},
         {"mediaType":"application/vnd.dev.cosign.simplesigning.v1+json","digest":"sha256:payload",
          "size":1,"annotations":{"dev.cosignproject.cosign/signature":")",
      signature, "\"}}]}");
}

std::string check(const config::Requirement& requirement, Source& source, bool attachments = true) {
  config::SignatureStore store;
  store.sigstore_attachments = attachments;
  auto met = check_signatures({requirement}, {"quay.io/team/app:1", kDigest}, store, source);
  return met ? "met" : met.error().message();
}

config::Requirement sigstore(const std::string& pem) {
  config::Requirement out;
  out.type = config::Requirement::Type::sigstore_signed;
  out.key_data.push_back(base64_encode(pem));
  out.where = "policy.json: default[0]";
  return out;
}

TEST(Sigstore, KeysOfSeveralKinds) {
  const Signer signers[] = {Signer("P-256"), Signer("P-384"), Signer(nullptr)};
  for (const Signer& signer : signers) {
    auto good = verify_sigstore("text", signer.sign("text"), {signer.pem()});
    ASSERT_TRUE(good.ok());
    EXPECT_TRUE(*good);
    auto bad = verify_sigstore("texts", signer.sign("text"), {signer.pem()});
    ASSERT_TRUE(bad.ok());
    EXPECT_FALSE(*bad);
  }
  auto other = verify_sigstore("text", signers[0].sign("text"), {signers[1].pem()});
  ASSERT_TRUE(other.ok());
  EXPECT_FALSE(*other);
  auto second =
      verify_sigstore("text", signers[0].sign("text"), {signers[1].pem(), signers[0].pem()});
  ASSERT_TRUE(second.ok());
  EXPECT_TRUE(*second);
  auto broken = verify_sigstore("text", "?", {signers[0].pem()});
  ASSERT_TRUE(broken.ok());
  EXPECT_FALSE(*broken);
  EXPECT_FALSE(verify_sigstore("text", "", {"no key"}).ok());
}

TEST(Sigstore, AnAttachedSignature) {
  Signer signer("P-256"), stranger("P-256");
  config::Requirement wanted = sigstore(signer.pem());
  Source source;
  constexpr const char* kNone =
      "Source image rejected: A signature was required, but no signature exists "
      "(policy.json: default[0])";
  auto bad = [](std::string_view reason) {
    return concat("Source image rejected: None of the signatures were accepted, reasons: ", reason,
                  " (policy.json: default[0])");
  };
  EXPECT_EQ(check(wanted, source), kNone);
  std::string payload = payload_of("quay.io/team/app:1");
  attach(&source, payload, signer.sign(payload));
  EXPECT_EQ(check(wanted, source), "met");
  EXPECT_EQ(check(wanted, source, false), kNone);
  attach(&source, payload, stranger.sign(payload));
  EXPECT_EQ(check(wanted, source), bad("cryptographic signature verification failed"));

  payload = payload_of("quay.io/team/app");
  attach(&source, payload, signer.sign(payload));
  EXPECT_EQ(check(wanted, source),
            bad("Signature for identity \"quay.io/team/app\" is not accepted"));
  wanted.identity.match = config::SignedIdentity::Match::match_repository;
  EXPECT_EQ(check(wanted, source), "met");

  payload = payload_of("quay.io/team/app", "sha256:00");
  attach(&source, payload, signer.sign(payload));
  EXPECT_NE(check(wanted, source).find("does not match the image"), std::string::npos);
  payload = payload_of("quay.io/team/app", kDigest, "atomic container signature");
  attach(&source, payload, signer.sign(payload));
  EXPECT_NE(check(wanted, source).find("Unrecognized signature type"), std::string::npos);
}

TEST(SimpleSignatures, AreFetchedUntilThereIsNone) {
  Source source;
  config::SignatureStore store;
  store.lookaside = "https://sigs.local/store";
  std::string base =
      concat("https://sigs.local/store/team/app@sha256=", std::string_view(kDigest).substr(7), "/");
  source.files[base + "signature-1"] = "one";
  source.files[base + "signature-2"] = "two";
  config::Requirement requirement;
  requirement.type = config::Requirement::Type::signed_by;
  auto got = check_signatures({requirement}, {"quay.io/team/app:1", kDigest}, store, source);
  ASSERT_TRUE(got.ok()) << got.error().message();
  EXPECT_EQ(join(*got, " "), "one two");
  EXPECT_EQ(source.asked,
            concat(base, "signature-1\n", base, "signature-2\n", base, "signature-3\n"));
}

}  // namespace
}  // namespace minke::registry
