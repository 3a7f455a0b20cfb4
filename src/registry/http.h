// HTTP to registries, over libcurl: one blocking request at a time per thread, connections kept.
// Redirects are followed here and not by libcurl, so that what a registry answers can lead to http
// and https only, and credentials never reach another host than the one they are for.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace minke::registry {

struct TlsOptions {
  bool verify = true;
  std::vector<std::string> ca_files;  // besides the system's
  // Who the client is: the one of an authority that the server names, else the first.
  struct Pair {
    std::string cert_file, key_file;  // PEM
  };
  std::vector<Pair> clients;
};

struct HttpResponse {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case; several of a name by ", "
  std::string body;                            // empty where `on_body` took it
  std::string url;                             // that answered, after redirects
  std::string header(const std::string& lower_name) const;
};

struct HttpRequest {
  std::string method = "GET", url;
  std::vector<std::string> headers;  // "Accept: ..."
  std::string authorization;         // for the host of `url`, and for no other
  bool anonymous = false;            // whoever sends it for a registry: without one
  std::string body;
  bool secret_body = false;  // no redirect takes it to another host
  // Instead of `body`: `size` bytes of a regular file from `offset`.
  struct FilePart {
    int fd = -1;
    std::uint64_t offset = 0, size = 0;
  };
  FilePart file;
  std::size_t max_body = 4 << 20;  // a larger answer is an error
  bool follow = true;              // redirects; else they are answers
  bool plain_redirects = false;    // from https to http too
  const TlsOptions* tls = nullptr;
  // Of a 2xx: called before its body, and for each piece; without them the body is collected.
  std::function<Status(const HttpResponse&)> on_head;
  std::function<Status(std::string_view)> on_body;
  std::function<void(std::uint64_t sent)> on_sent;  // of `file`, now and then
};

// Codes of what perform() returns: `unavailable` and `timeout` for what may pass (the connection
// was refused, cut, too slow), `io` for what will not (no such host, a certificate that is not
// trusted), in the words of Go's client, which scripts match on. An answer with any status is no
// error.
class HttpClient {
 public:
  // `stop`: when it becomes true, requests end with an error. May be null.
  explicit HttpClient(const std::atomic<bool>* stop = nullptr);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;
  Result<HttpResponse> perform(const HttpRequest& request);  // any thread
  bool stopped() const { return stop_ != nullptr && stop_->load(std::memory_order_relaxed); }

 private:
  class Call;
  Result<HttpResponse> perform_once(const HttpRequest& request, const std::string& url,
                                    bool with_credentials);
  void* take_handle();
  void give_back(void* handle);
  const std::atomic<bool>* stop_;
  std::mutex mutex_;
  std::vector<void*> idle_;
};

// "https://h:5000/a/b" and "../c?x=1": the absolute address; an error when it is neither http nor
// https, has no host, or names a user.
Result<std::string> resolve_url(const std::string& base, const std::string& relative);
// "https://host:port", the port always there: what credentials are tied to.
std::string url_origin(const std::string& url);
std::string url_escape(std::string_view text);

}  // namespace minke::registry
