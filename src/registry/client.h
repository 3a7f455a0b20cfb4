// One registry: where it answers, who one is there, and what its answers mean.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "registry/challenge.h"
#include "registry/http.h"

namespace minke::registry {

struct HostAccess {
  std::string host;  // as users name it: "docker.io", "localhost:5000"
  bool insecure = false;
  TlsOptions tls;  // `verify` is set by `insecure`
  std::string username, password, identity_token;
};

struct RetryRules {
  std::uint32_t retries = 3;
  std::int64_t delay_ns = 0;  // 0: one second, doubled each time
};

class Client {
 public:
  Client(HttpClient& http, HostAccess access, RetryRules retry);

  // Finds out whether the host speaks https, or http where that is allowed, and how it wants to be
  // asked. Once; the other calls do it first. Errors: `pinging container registry HOST: ...`.
  Status ping();
  const std::string& base() const { return base_; }  // "https://HOST", after ping()

  // The answer, whatever its status, with who one is told as the registry asks for it.
  // `request.url` is a path ("/v2/...") or an address that the registry gave. `scopes`:
  // "repository:NAME:pull". 429 and 5xx are tried again, and so is a failure that may pass, but not
  // of a request with `on_body` or of one that sends a file: some of it may have arrived.
  Result<HttpResponse> send(HttpRequest request, const std::vector<std::string>& scopes);

  // The answer as a fault, in the registry's own words: "manifest unknown", "unauthorized: ...".
  static Error fault_of(const HttpResponse& response);

  // Sleeps before try `number` (from 0); how long the answer says, or ever longer. Returns false
  // when there are no more tries.
  bool wait_to_retry(std::uint32_t number, const HttpResponse* response);
  HttpClient& http() { return http_; }
  const HostAccess& access() const { return access_; }
  const RetryRules& retry() const { return retry_; }

 private:
  struct Token {
    std::string text;
    TimeNs expires = 0;
  };
  Result<std::string> authorization(const std::vector<std::string>& scopes);
  Result<Token> fetch_token(const Challenge& bearer, const std::vector<std::string>& scopes);
  bool knows_credentials() const {
    return !access_.username.empty() || !access_.identity_token.empty();
  }
  Result<HttpResponse> ping_at(const std::string& base);
  void forget_token(const std::vector<std::string>& scopes);
  void take_challenges(const HttpResponse& response, const std::string& base);

  HttpClient& http_;
  HostAccess access_;
  RetryRules retry_;
  std::mutex mutex_;  // of what follows
  std::string base_;
  std::optional<Challenge> bearer_;
  bool basic_ = false;
  std::map<std::string, Token> tokens_;  // by scopes
};

// The host that speaks for docker.io is registry-1.docker.io.
std::string api_host(std::string_view host);
std::string status_text(int status);  // "401 (Unauthorized)"

}  // namespace minke::registry
