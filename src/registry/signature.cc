#include "registry/signature.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <algorithm>
#include <memory>

#include "base/str.h"
#include "codec/base64.h"
#include "codec/json.h"
#include "config/signature_payload.h"

namespace minke::registry {
namespace {

using config::Requirement;
using Type = Requirement::Type;

constexpr std::size_t kMaxAttached = 4 << 20, kMaxPayload = 1 << 20, kMaxSimple = 4 << 20;
constexpr std::size_t kMaxSignatures = 128;
constexpr std::string_view kCosignLayer = "application/vnd.dev.cosign.simplesigning.v1+json";
constexpr std::string_view kCosignSignature = "dev.cosignproject.cosign/signature";

template <typename T, void (*Free)(T*)>
struct Freed {
  void operator()(T* object) const { Free(object); }
};
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY, EVP_PKEY_free>>;
using Context = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX, EVP_MD_CTX_free>>;
using Bio = std::unique_ptr<BIO, Freed<BIO, BIO_free_all>>;

// Every public key of a PEM text.
Result<std::vector<Key>> read_keys(std::string_view pem) {
  Bio bio(::BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  std::vector<Key> keys;
  while (bio) {
    Key key(::PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr));
    if (!key) break;
    keys.push_back(std::move(key));
  }
  ::ERR_clear_error();
  if (keys.empty()) return Error(Errc::invalid_argument, "no public key in PEM");
  return keys;
}

bool verifies(EVP_PKEY* key, std::string_view payload, std::string_view signature) {
  Context context(::EVP_MD_CTX_new());
  // Ed25519 has its hash in itself.
  const EVP_MD* hash = ::EVP_PKEY_is_a(key, "ED25519") == 1 ? nullptr : ::EVP_sha256();
  auto bytes = [](std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
  };
  bool good = context && ::EVP_DigestVerifyInit(context.get(), nullptr, hash, nullptr, key) == 1 &&
              ::EVP_DigestVerify(context.get(), bytes(signature), signature.size(), bytes(payload),
                                 payload.size()) == 1;
  ::ERR_clear_error();
  return good;
}

struct Attached {
  std::string payload, signature;  // the latter in base64
};

// The layers of the manifest that cosign puts beside an image, under a tag made of its digest.
Result<std::vector<Attached>> fetch_attached(const SignedImage& image, SignatureSource& source) {
  std::string tag = image.digest;
  std::replace(tag.begin(), tag.end(), ':', '-');
  std::vector<Attached> out;
  std::optional<std::string> text = TRY(source.get_manifest(tag + ".sig", kMaxAttached));
  if (!text) return out;
  json::Value manifest = TRY_CTX(json::parse(*text, {.max_depth = 32, .max_size = kMaxAttached}),
                                 "manifest of signatures");
  const json::Value* layers = manifest.find("layers");
  if (layers == nullptr || layers->as_array() == nullptr) return out;
  for (const json::Value& layer : *layers->as_array()) {
    auto member = [&](const json::Value* of, std::string_view name) {
      const json::Value* value = of != nullptr ? of->find(name) : nullptr;
      return std::string(value != nullptr ? value->string_or("") : std::string_view());
    };
    if (member(&layer, "mediaType") != kCosignLayer) continue;
    if (out.size() == kMaxSignatures)
      return Error(Errc::invalid_argument,
                   concat("more than ", kMaxSignatures, " signatures of ", image.reference));
    std::optional<std::string> payload =
        TRY(source.get_blob(member(&layer, "digest"), kMaxPayload));
    if (!payload) continue;
    out.push_back({std::move(*payload), member(layer.find("annotations"), kCosignSignature)});
  }
  return out;
}

Status check_attached(const Requirement& requirement, const std::vector<std::string>& keys,
                      const SignedImage& image, const Attached& one) {
  if (!TRY(verify_sigstore(one.payload, one.signature, keys)))
    return Error(Errc::permission, "cryptographic signature verification failed");
  return config::check_payload(one.payload, config::kCosignType, requirement.identity,
                               image.reference, image.digest);
}

Status meet_sigstore(const Requirement& requirement, const SignedImage& image,
                     const std::vector<Attached>& signatures) {
  std::vector<std::string> keys;
  for (const std::string& data : requirement.key_data) {
    auto key = base64_decode(data);
    if (!key) return Error(Errc::invalid_argument, concat(requirement.where, ": a key is broken"));
    keys.push_back(std::move(*key));
  }
  std::string reasons;
  for (const Attached& one : signatures) {
    Status good = check_attached(requirement, keys, image, one);
    if (good) return {};
    if (good.error().code() != Errc::permission)
      return std::move(good.error()).wrap(requirement.where);
    reasons += concat(reasons.empty() ? "" : "; ", good.error().message());
  }
  std::string_view what = signatures.empty() ? "A signature was required, but no signature exists"
                                             : "None of the signatures were accepted";
  return Error(Errc::permission,
               concat("Source image rejected: ", what,
                      reasons.empty() ? "" : ", reasons: ", reasons, " (", requirement.where, ")"));
}

// LOOKASIDE/REPOSITORY@ALGORITHM=HEX/signature-N, from 1 until there is none.
Result<std::vector<std::string>> fetch_simple(const SignedImage& image,
                                              const config::SignatureStore& store,
                                              SignatureSource& source) {
  std::vector<std::string> out;
  if (store.lookaside.empty() || store.lookaside.starts_with("file:")) return out;
  while (out.size() < kMaxSignatures) {
    std::string url =
        TRY(config::signature_address(store, image.reference, image.digest, out.size() + 1));
    std::optional<std::string> bytes = TRY(source.get_url(url, kMaxSimple));
    if (!bytes) break;
    out.push_back(std::move(*bytes));
  }
  return out;
}

}  // namespace

Result<bool> verify_sigstore(std::string_view payload, std::string_view signature,
                             const std::vector<std::string>& keys) {
  auto bytes = base64_decode(signature);
  bool good = false;
  for (const std::string& pem : keys) {
    std::vector<Key> parsed = TRY(read_keys(pem));
    for (const Key& key : parsed) good = good || (bytes && verifies(key.get(), payload, *bytes));
  }
  return good;
}

Result<std::vector<std::string>> check_signatures(const std::vector<Requirement>& requirements,
                                                  const SignedImage& image,
                                                  const config::SignatureStore& store,
                                                  SignatureSource& source) {
  auto asks = [&](Type type) {
    return std::any_of(requirements.begin(), requirements.end(),
                       [&](const Requirement& one) { return one.type == type; });
  };
  if (asks(Type::sigstore_signed)) {
    std::vector<Attached> attached;
    if (store.sigstore_attachments) attached = TRY(fetch_attached(image, source));
    for (const Requirement& one : requirements)
      if (one.type == Type::sigstore_signed) TRY(meet_sigstore(one, image, attached));
  }
  if (!asks(Type::signed_by)) return std::vector<std::string>();
  return fetch_simple(image, store, source);
}

}  // namespace minke::registry
