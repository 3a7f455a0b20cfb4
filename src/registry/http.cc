#include "registry/http.h"

#include <curl/curl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/str.h"
#include "registry/no_proxy.h"

namespace minke::registry {
namespace {

constexpr int kMaxRedirects = 10;
constexpr long kConnectSeconds = 30;
constexpr long kStallSeconds = 60;  // without a byte
constexpr std::size_t kMaxHeaders = 256 << 10;
// What comes with a redirect or a refusal, however little was asked for: a page, a signed address.
constexpr std::size_t kMaxAside = 64 << 10;

struct CurlFree {
  void operator()(char* text) const { ::curl_free(text); }
  void operator()(CURLU* url) const { ::curl_url_cleanup(url); }
  void operator()(curl_slist* list) const { ::curl_slist_free_all(list); }
};
using Url = std::unique_ptr<CURLU, CurlFree>;

std::string url_part(CURLU* url, CURLUPart part, unsigned flags = 0) {
  char* text = nullptr;
  if (::curl_url_get(url, part, &text, flags) != CURLUE_OK) return {};
  std::unique_ptr<char, CurlFree> owner(text);
  return text;
}

std::string method_word(const std::string& method) {
  if (method.size() < 2) return method;
  return method.substr(0, 1) + to_lower(std::string_view(method).substr(1));
}

// What a server says in place of an answer, a certificate it misses for one:
// "OpenSSL SSL_read: error:...::tlsv13 alert certificate required, errno 0".
std::string_view tls_alert(std::string_view text) {
  std::size_t at = text.find(" alert ");
  if (at == text.npos || text.find("SSL") == text.npos) return {};
  text.remove_prefix(at + 7);
  return text.substr(0, text.find(','));
}

// libcurl's words as Go's, where scripts look for them.
std::string reason_of(CURLcode code, int os_errno, const char* buffer, const std::string& url) {
  Url parsed(::curl_url());
  std::string host, port;
  if (::curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) == CURLUE_OK) {
    host = url_part(parsed.get(), CURLUPART_HOST);
    port = url_part(parsed.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
  }
  std::string_view text = buffer;
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return concat("dial tcp: lookup ", host, ": no such host");
    case CURLE_COULDNT_CONNECT:
      if (os_errno == 0) os_errno = ECONNREFUSED;
      return concat("dial tcp ", host, ":", port,
                    ": connect: ", to_lower(std::string_view(::strerror(os_errno))));
    case CURLE_SSL_CONNECT_ERROR:
      if (text.find("wrong version number") != text.npos ||
          text.find("packet length too long") != text.npos ||
          text.find("http request") != text.npos)
        return "http: server gave HTTP response to HTTPS client";
      return concat("tls: ", text);
    case CURLE_PEER_FAILED_VERIFICATION:
      if (text.find("subject name") != text.npos || text.find("hostname") != text.npos)
        return concat("tls: failed to verify certificate: x509: certificate is not valid for ",
                      host);
      if (text.find("expired") != text.npos)
        return "tls: failed to verify certificate: x509: certificate has expired or is not yet "
               "valid";
      return "tls: failed to verify certificate: x509: certificate signed by unknown authority";
    case CURLE_OPERATION_TIMEDOUT:
      return text.find("onnection timed out") != text.npos ||
                     text.find("onnection timeout") != text.npos
                 ? concat("dial tcp ", host, ":", port, ": i/o timeout")
                 : concat("nothing came for ", kStallSeconds, " seconds");
    case CURLE_GOT_NOTHING:
      return "EOF";
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_FAIL_REWIND:
      if (std::string_view alert = tls_alert(text); !alert.empty())
        return concat("remote error: tls: ", alert);
      return "unexpected EOF";
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
      return concat("certificate: ", text.empty() ? ::curl_easy_strerror(code) : text);
    default:
      return text.empty() ? std::string(::curl_easy_strerror(code)) : std::string(text);
  }
}

Errc code_of(CURLcode code, const char* buffer) {
  if (!tls_alert(buffer).empty()) return Errc::io;
  switch (code) {
    case CURLE_COULDNT_CONNECT:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    // A kept connection had gone, and libcurl would send the file again. How much of it has arrived
    // is to be asked first.
    case CURLE_SEND_FAIL_REWIND:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
      return Errc::unavailable;
    case CURLE_OPERATION_TIMEDOUT:
      return Errc::timeout;
    default:
      return Errc::io;
  }
}

struct BioFree {
  void operator()(BIO* bio) const { ::BIO_free_all(bio); }
};
struct X509Free {
  void operator()(X509* cert) const { ::X509_free(cert); }
};

// Whether one of the names that the server accepts has issued a certificate of the file.
bool is_accepted(const std::string& cert_file, const STACK_OF(X509_NAME) * names) {
  std::unique_ptr<BIO, BioFree> bio(::BIO_new_file(cert_file.c_str(), "r"));
  bool found = false;
  while (bio && !found) {
    std::unique_ptr<X509, X509Free> cert(::PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    if (!cert) break;
    for (int i = 0; i < sk_X509_NAME_num(names); ++i)
      if (::X509_NAME_cmp(::X509_get_issuer_name(cert.get()), sk_X509_NAME_value(names, i)) == 0)
        found = true;
  }
  ::ERR_clear_error();
  return found;
}

using Pairs = std::vector<TlsOptions::Pair>;
void free_pairs(void*, void* pairs, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<Pairs*>(pairs);
}

// The server asks who the client is.
int choose_client(SSL* ssl, void* clients) {
  const auto& pairs = *static_cast<const Pairs*>(clients);
  const STACK_OF(X509_NAME)* names = ::SSL_get0_peer_CA_list(ssl);
  auto chosen = std::find_if(pairs.begin(), pairs.end(), [&](const TlsOptions::Pair& pair) {
    return is_accepted(pair.cert_file, names);
  });
  if (chosen == pairs.end()) return 1;  // the first, as it is set
  ::SSL_certs_clear(ssl);
  return ::SSL_use_certificate_chain_file(ssl, chosen->cert_file.c_str()) == 1 &&
                 ::SSL_use_PrivateKey_file(ssl, chosen->key_file.c_str(), SSL_FILETYPE_PEM) == 1
             ? 1
             : 0;
}

std::string last_tls_reason() {
  const char* reason = ::ERR_reason_error_string(::ERR_get_error());
  ::ERR_clear_error();
  return reason != nullptr ? reason : "not usable";
}

Status set_up_tls(SSL_CTX* context, const TlsOptions& tls) {
  for (const std::string& file : tls.ca_files)
    if (::SSL_CTX_load_verify_locations(context, file.c_str(), nullptr) != 1)
      return Error(Errc::invalid_argument,
                   concat("certificate authority ", file, ": ", last_tls_reason()));
  // All of them, so that one that is broken is told; the first is the one that stays.
  for (std::size_t i = tls.clients.size(); i-- > 0;) {
    const TlsOptions::Pair& pair = tls.clients[i];
    if (::SSL_CTX_use_certificate_chain_file(context, pair.cert_file.c_str()) != 1)
      return Error(Errc::invalid_argument,
                   concat("client certificate ", pair.cert_file, ": ", last_tls_reason()));
    if (::SSL_CTX_use_PrivateKey_file(context, pair.key_file.c_str(), SSL_FILETYPE_PEM) != 1)
      return Error(Errc::invalid_argument, concat("key ", pair.key_file, ": ", last_tls_reason()));
  }
  if (tls.clients.size() < 2) return {};
  // The connection outlives who asked for it.
  static const int slot = ::SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, &free_pairs);
  auto pairs = std::make_unique<Pairs>(tls.clients);
  if (::SSL_CTX_set_ex_data(context, slot, pairs.get()) != 1)
    return Error(Errc::internal, "OpenSSL: out of memory");
  ::SSL_CTX_set_cert_cb(context, &choose_client, pairs.release());
  return {};
}

}  // namespace

std::string HttpResponse::header(const std::string& lower_name) const {
  auto it = headers.find(lower_name);
  return it == headers.end() ? std::string() : it->second;
}

Result<std::string> resolve_url(const std::string& base, const std::string& relative) {
  Url url(::curl_url());
  if (!base.empty() &&
      ::curl_url_set(url.get(), CURLUPART_URL, base.c_str(), CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK)
    return Error(Errc::invalid_argument, concat("not an address: ", quote(base)));
  if (::curl_url_set(url.get(), CURLUPART_URL, relative.c_str(), CURLU_NON_SUPPORT_SCHEME) !=
      CURLUE_OK)
    return Error(Errc::corrupt, concat("not an address: ", quote(relative.substr(0, 200))));
  std::string scheme = url_part(url.get(), CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https")
    return Error(Errc::corrupt, concat("the server leads to ", quote(relative.substr(0, 200)),
                                       ": only http and https are followed"));
  if (!url_part(url.get(), CURLUPART_USER).empty() ||
      !url_part(url.get(), CURLUPART_PASSWORD).empty())
    return Error(Errc::corrupt, "the server leads to an address with a user name: not followed");
  std::string out = url_part(url.get(), CURLUPART_URL);
  if (out.empty() || url_part(url.get(), CURLUPART_HOST).empty())
    return Error(Errc::corrupt, concat("not an address: ", quote(relative.substr(0, 200))));
  return out;
}

std::string url_origin(const std::string& text) {
  Url url(::curl_url());
  if (::curl_url_set(url.get(), CURLUPART_URL, text.c_str(), CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK)
    return {};
  return concat(url_part(url.get(), CURLUPART_SCHEME), "://",
                to_lower(url_part(url.get(), CURLUPART_HOST)), ":",
                url_part(url.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT));
}

std::string url_escape(std::string_view text) {
  std::string out;
  for (char c : text) {
    bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                 c == '-' || c == '_' || c == '.' || c == '~';
    if (plain)
      out += c;
    else
      out += concat('%', to_upper(hex({&c, 1})));
  }
  return out;
}

HttpClient::HttpClient(const std::atomic<bool>* stop) : stop_(stop) {
  static std::once_flag once;
  std::call_once(once, [] { ::curl_global_init(CURL_GLOBAL_DEFAULT); });
}

HttpClient::~HttpClient() {
  for (void* handle : idle_) ::curl_easy_cleanup(static_cast<CURL*>(handle));
}

void* HttpClient::take_handle() {
  {
    std::lock_guard guard(mutex_);
    if (!idle_.empty()) {
      void* handle = idle_.back();
      idle_.pop_back();
      return handle;
    }
  }
  return ::curl_easy_init();
}

void HttpClient::give_back(void* handle) {
  ::curl_easy_reset(static_cast<CURL*>(handle));  // keeps the connections
  std::lock_guard guard(mutex_);
  idle_.push_back(handle);
}

// One exchange. The callbacks run inside of curl_easy_perform(), so what they find wrong is kept
// here until it ends.
class HttpClient::Call {
 public:
  Call(HttpClient& client, const HttpRequest& request, const std::string& url)
      : client_(client), request_(request), handle_(static_cast<CURL*>(client.take_handle())) {
    response_.url = url;
    left_ = request.file.size;
    at_ = request.file.offset;
  }
  ~Call() {
    if (handle_ != nullptr) client_.give_back(handle_);
  }
  Result<HttpResponse> run(bool with_credentials) {
    if (handle_ == nullptr) return Error(Errc::internal, "libcurl: out of memory");
    TRY(prepare(with_credentials));
    CURLcode code = ::curl_easy_perform(handle_);
    if (fault_) return std::move(*fault_);
    if (code != CURLE_OK) {
      if (client_.stopped()) return Error(Errc::internal, "stopped");
      long os_errno = 0;
      ::curl_easy_getinfo(handle_, CURLINFO_OS_ERRNO, &os_errno);
      return Error(code_of(code, message_),
                   concat(method_word(request_.method), " ", quote(response_.url), ": ",
                          reason_of(code, static_cast<int>(os_errno), message_, response_.url)));
    }
    finish();
    if (fault_) return std::move(*fault_);
    // libcurl takes a head that was cut off for all of it.
    if (!head_ended_)
      return Error(Errc::unavailable, concat(method_word(request_.method), " ",
                                             quote(response_.url), ": unexpected EOF"));
    return std::move(response_);
  }

 private:
  template <typename T>
  void set(CURLoption option, T value) {
    ::curl_easy_setopt(handle_, option, value);
  }
  Status prepare(bool with_credentials);
  void prepare_body();
  void prepare_tls();
  void begin_body();
  // An answer without a body has its status and its head all the same.
  void finish() {
    if (!body_began_) begin_body();
  }
  bool add_header(const std::string& line) {
    curl_slist* list = ::curl_slist_append(headers_.get(), line.c_str());
    if (list != nullptr && headers_ == nullptr) headers_.reset(list);  // else it is what it was
    return list != nullptr;
  }
  std::size_t take_header(std::string_view line);
  std::size_t take_body(std::string_view bytes);
  std::size_t give_body(char* out, std::size_t room);

  static std::size_t on_header(char* data, std::size_t, std::size_t size, void* self) {
    return static_cast<Call*>(self)->take_header({data, size});
  }
  static std::size_t on_write(char* data, std::size_t, std::size_t size, void* self) {
    return static_cast<Call*>(self)->take_body({data, size});
  }
  static std::size_t on_read(char* data, std::size_t one, std::size_t count, void* self) {
    return static_cast<Call*>(self)->give_body(data, one * count);
  }
  static CURLcode on_tls(CURL*, void* context, void* self) {
    auto* call = static_cast<Call*>(self);
    Status ready = set_up_tls(static_cast<SSL_CTX*>(context), *call->request_.tls);
    if (!ready) call->fault_ = std::move(ready.error());
    return ready ? CURLE_OK : CURLE_SSL_CERTPROBLEM;
  }
  static int on_tick(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<Call*>(self)->client_.stopped() ? 1 : 0;
  }

  HttpClient& client_;
  const HttpRequest& request_;
  CURL* handle_;
  std::unique_ptr<curl_slist, CurlFree> headers_;
  HttpResponse response_;
  std::optional<Error> fault_;
  std::size_t header_bytes_ = 0;
  bool head_ended_ = false;
  bool body_began_ = false;
  std::uint64_t at_ = 0, left_ = 0;
  char message_[CURL_ERROR_SIZE] = "";
};

Status HttpClient::Call::prepare(bool with_credentials) {
  set(CURLOPT_ERRORBUFFER, message_);
  set(CURLOPT_URL, response_.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_USERAGENT, "minke/" MINKE_VERSION);
  // Each transfer has a connection of its own; in HTTP/2 one window would be shared by all.
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  set(CURLOPT_LOW_SPEED_LIMIT, 1L);
  set(CURLOPT_LOW_SPEED_TIME, kStallSeconds);
  set(CURLOPT_BUFFERSIZE, 256L << 10);
  set(CURLOPT_UPLOAD_BUFFERSIZE, 256L << 10);
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_XFERINFODATA, this);
  set(CURLOPT_XFERINFOFUNCTION, &Call::on_tick);
  set(CURLOPT_HEADERDATA, this);
  set(CURLOPT_HEADERFUNCTION, &Call::on_header);
  set(CURLOPT_WRITEDATA, this);
  set(CURLOPT_WRITEFUNCTION, &Call::on_write);
  Url url(::curl_url());
  if (::curl_url_set(url.get(), CURLUPART_URL, response_.url.c_str(), 0) != CURLUE_OK)
    return Error(Errc::invalid_argument, concat("not an address: ", quote(response_.url)));
  const char* no_proxy = ::getenv("no_proxy");
  const std::string port = url_part(url.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
  const bool directly = is_asked_directly(url_part(url.get(), CURLUPART_HOST),
                                          static_cast<std::uint16_t>(parse_uint(port).value_or(0)),
                                          no_proxy == nullptr ? "" : no_proxy);
  set(CURLOPT_NOPROXY, directly ? "*" : "");
  bool room = add_header("Expect:");
  for (const std::string& line : request_.headers) room = room && add_header(line);
  if (with_credentials && !request_.authorization.empty())
    room = room && add_header(concat("Authorization: ", request_.authorization));
  prepare_body();
  if (!room) return Error(Errc::internal, "libcurl: out of memory");
  set(CURLOPT_HTTPHEADER, headers_.get());
  prepare_tls();
  return {};
}

void HttpClient::Call::prepare_body() {
  if (request_.file.fd >= 0) {
    set(CURLOPT_UPLOAD, 1L);
    set(CURLOPT_READDATA, this);
    set(CURLOPT_READFUNCTION, &Call::on_read);
    set(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(request_.file.size));
  } else if (request_.method == "HEAD") {
    set(CURLOPT_NOBODY, 1L);
    return;
  } else if (request_.method != "GET") {
    set(CURLOPT_POST, 1L);
    set(CURLOPT_POSTFIELDS, request_.body.c_str());
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
  }
  set(CURLOPT_CUSTOMREQUEST, request_.method.c_str());
}

void HttpClient::Call::prepare_tls() {
  // As Go has it, in place of the system's; libcurl itself asks for neither.
  if (const char* file = ::getenv("SSL_CERT_FILE")) set(CURLOPT_CAINFO, file);
  if (const char* folder = ::getenv("SSL_CERT_DIR")) set(CURLOPT_CAPATH, folder);
  if (request_.tls == nullptr) return;
  const TlsOptions& tls = *request_.tls;
  if (!tls.verify) {
    set(CURLOPT_SSL_VERIFYPEER, 0L);
    set(CURLOPT_SSL_VERIFYHOST, 0L);
  }
  if (tls.ca_files.empty() && tls.clients.empty()) return;
  set(CURLOPT_SSL_CTX_DATA, this);
  set(CURLOPT_SSL_CTX_FUNCTION, &Call::on_tls);
}

std::size_t HttpClient::Call::take_header(std::string_view line) {
  header_bytes_ += line.size();
  if (header_bytes_ > kMaxHeaders) {
    fault_ = Error(Errc::corrupt, concat(quote(response_.url), ": the header is endless"));
    return 0;
  }
  if (trim(line).empty()) head_ended_ = true;
  if (line.starts_with("HTTP/")) {  // also after "100 Continue"
    head_ended_ = false;
    response_.headers.clear();
    response_.status = 0;
  } else if (auto parts = split_once(line, ':')) {
    std::string& value = response_.headers[to_lower(trim(parts->first))];
    if (!value.empty()) value += ", ";
    value += trim(parts->second);
  }
  return line.size();
}

void HttpClient::Call::begin_body() {
  body_began_ = true;
  long status = 0;
  ::curl_easy_getinfo(handle_, CURLINFO_RESPONSE_CODE, &status);
  response_.status = static_cast<int>(status);
  if (!request_.on_head || status / 100 != 2) return;
  if (Status ok = request_.on_head(response_); !ok) fault_ = std::move(ok.error());
}

std::size_t HttpClient::Call::take_body(std::string_view bytes) {
  if (!body_began_) begin_body();
  if (fault_) return 0;
  if (request_.on_body && response_.status / 100 == 2) {
    Status ok = request_.on_body(bytes);
    if (ok) return bytes.size();
    fault_ = std::move(ok.error());
    return 0;
  }
  const std::size_t most =
      response_.status / 100 == 2 ? request_.max_body : std::max(request_.max_body, kMaxAside);
  if (response_.body.size() + bytes.size() > most) {
    fault_ = Error(Errc::corrupt,
                   concat(quote(response_.url), ": the answer is larger than ", most, " bytes"));
    return 0;
  }
  response_.body += bytes;
  return bytes.size();
}

std::size_t HttpClient::Call::give_body(char* out, std::size_t room) {
  std::size_t want = std::min<std::uint64_t>(room, left_);
  if (want == 0) return 0;
  ssize_t n = ::pread(request_.file.fd, out, want, static_cast<off_t>(at_));
  if (n <= 0) {
    fault_ = n < 0 ? Error::from_errno(errno, "read of the blob")
                   : Error(Errc::corrupt, "the blob is shorter than it should be");
    return CURL_READFUNC_ABORT;
  }
  at_ += static_cast<std::uint64_t>(n);
  left_ -= static_cast<std::uint64_t>(n);
  if (request_.on_sent) request_.on_sent(request_.file.size - left_);
  return static_cast<std::size_t>(n);
}

Result<HttpResponse> HttpClient::perform_once(const HttpRequest& request, const std::string& url,
                                              bool with_credentials) {
  Call call(*this, request, url);
  HttpResponse response = TRY(call.run(with_credentials));
  return response;
}

Result<HttpResponse> HttpClient::perform(const HttpRequest& request) {
  std::string url = TRY(resolve_url("", request.url));
  std::string home = url_origin(url);
  for (int hops = 0;; ++hops) {
    HttpResponse response = TRY(perform_once(request, url, url_origin(url) == home));
    bool redirect = response.status == 301 || response.status == 302 || response.status == 303 ||
                    response.status == 307 || response.status == 308;
    std::string to = response.header("location");
    if (!redirect || !request.follow || to.empty()) return response;
    if (hops >= kMaxRedirects)
      return Error(Errc::corrupt, concat(method_word(request.method), " ", quote(request.url),
                                         ": stopped after ", kMaxRedirects, " redirects"));
    std::string next = TRY(resolve_url(url, to));
    if (request.secret_body && url_origin(next) != home)
      return Error(Errc::corrupt, concat("the server leads from ", home, " to ", quote(next),
                                         ": credentials are not taken there"));
    if (url.starts_with("https:") && next.starts_with("http:") && !request.plain_redirects)
      return Error(Errc::corrupt, concat("the server leads from https to ", quote(next),
                                         ": not followed; --tls-verify=false allows it"));
    url = std::move(next);
  }
}

}  // namespace minke::registry
