// Runs minke-transfer, the confined program that speaks with registries, and beside it minke-image,
// which unpacks what arrives. Nothing here decides: names, credentials and places are resolved by
// the caller.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/image_worker.h"
#include "store/store.h"
#include "store/transfer_protocol.h"

namespace minke::store {

// One request to a registry, with who one is told as it asks for it (verb "get"; any method). The
// answer whatever its status, in `status`, `headers` (names in lower case) and `body`.
Result<TransferMessage> ask_registry(TransferRequest request);

// A message for people about a status that is not 2xx, in the registry's own words.
Error registry_fault(const TransferMessage& answer);

struct FetchPlan {
  TransferRequest request;         // verb "fetch"
  std::vector<std::string> names;  // of the image, full
  // Asked once the manifest is known, before anything else is fetched: false ends well without an
  // image (nothing newer); an error ends.
  std::function<Result<bool>(const TransferMessage& manifest)> accept;
  std::function<void(const TransferMessage&)> watch;  // layer progress finished skipped note
  bool borrow = false;                                // nothing becomes an image of the store
};
struct Fetched {
  bool accepted = false;
  std::string image_id;
  std::string index_digest;  // of the list that the image was chosen from
  std::string manifest;
  std::optional<Staging> staging;  // borrowed: the blobs that the store has not
};
// The image into the store. What has been downloaded of a blob stays in ROOT/downloads when this
// fails or is killed, and the next one goes on from there.
Result<Fetched> fetch_image(const Store& store, const FetchPlan& plan);

// Blobs and manifest to a registry. `staging`: where staged blobs lie; may be null.
Status push_blobs(const Store& store, TransferRequest request, const Staging* staging,
                  const std::function<void(const TransferMessage&)>& watch);

// The file at `url` (http or https, redirects followed) as `name` in `folder`, with the time that
// the server says it was changed; its digest. No credentials: none are known for it.
Result<std::string> download(const std::string& url, int folder, const std::string& name);

}  // namespace minke::store
