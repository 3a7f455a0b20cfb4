// What minke-transfer does, one function for each verb of store/transfer_protocol.h. All of it runs
// confined.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "registry/client.h"
#include "store/transfer_protocol.h"

namespace minke::transfer {

// What the verbs share.
struct Desk {
  const store::TransferRequest& request;
  registry::HttpClient& http;
  std::atomic<bool>& stop;
  // To minke; from any thread.
  std::function<Status(const store::TransferMessage&)> tell;
};

Status get(Desk& desk);
Status fetch(Desk& desk);
Status push(Desk& desk);
Status download(Desk& desk);

// Meets what the request asks of signatures of the manifest with `digest` (of a list, the list's),
// or is an error. Returned, in base64: those that minke has to look at.
Result<std::vector<std::string>> check_signatures(Desk& desk, registry::Client& client,
                                                  const std::string& repository,
                                                  const std::string& digest);

registry::HostAccess access_of(const store::TransferHost& host);
registry::RetryRules retry_of(const store::TransferRequest& request);

// job(i) for 0 <= i < count on up to `threads` threads; the first failure stops the others.
Status in_parallel(std::size_t count, std::size_t threads, std::atomic<bool>* stop,
                   const std::function<Status(std::size_t)>& job);

}  // namespace minke::transfer
