// Signatures of an image, asked for beside it.
#include "base/str.h"
#include "codec/base64.h"
#include "registry/blob.h"
#include "registry/image.h"
#include "registry/signature.h"
#include "transfer/verbs.h"

namespace minke::transfer {
namespace {

class Source final : public registry::SignatureSource {
 public:
  Source(Desk& desk, registry::Client& client, const std::string& repository)
      : desk_(desk), client_(client), repository_(repository) {}

  Result<std::optional<std::string>> get_url(const std::string& url, std::size_t max) override {
    registry::HttpRequest request;
    request.url = url;
    request.max_body = max;
    registry::HttpResponse answer = TRY_CTX(desk_.http.perform(request), "signature store");
    if (answer.status == 404) return std::optional<std::string>();
    if (answer.status != 200)
      return registry::Client::fault_of(answer).wrap(concat("signature store ", url));
    return std::optional(std::move(answer.body));
  }

  Result<std::optional<std::string>> get_manifest(const std::string& tag, std::size_t) override {
    auto manifest = registry::get_manifest(client_, repository_, tag);
    if (manifest) return std::optional(std::move(manifest->json));
    if (manifest.error().code() == Errc::not_found) return std::optional<std::string>();
    return std::move(manifest.error());
  }

  Result<std::optional<std::string>> get_blob(const std::string& digest, std::size_t max) override {
    oci::Descriptor blob;
    blob.digest = TRY(oci::Digest::parse(digest));
    blob.size = static_cast<std::int64_t>(max);
    auto bytes = registry::get_small_blob(client_, repository_, blob);
    if (bytes) return std::optional(std::move(*bytes));
    if (bytes.error().code() == Errc::not_found) return std::optional<std::string>();
    return std::move(bytes.error());
  }

 private:
  Desk& desk_;
  registry::Client& client_;
  const std::string& repository_;
};

}  // namespace

Result<std::vector<std::string>> check_signatures(Desk& desk, registry::Client& client,
                                                  const std::string& repository,
                                                  const std::string& digest) {
  std::vector<std::string> out;
  if (config::accepts_unseen(desk.request.requirements)) return out;
  Source source(desk, client, repository);
  registry::SignedImage image;
  image.reference = desk.request.signed_reference;
  image.digest = digest;
  for (const std::string& one : TRY(registry::check_signatures(desk.request.requirements, image,
                                                               desk.request.signatures, source)))
    out.push_back(base64_encode(one));
  return out;
}

}  // namespace minke::transfer
