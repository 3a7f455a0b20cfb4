#include "registry/client.h"

#include <algorithm>
#include <ctime>

#include "base/str.h"
#include "codec/base64.h"
#include "codec/json.h"

namespace minke::registry {
namespace {

constexpr std::size_t kMaxToken = 1 << 20;
constexpr std::int64_t kLongestWait = 300;  // seconds
constexpr std::int64_t kTokenSeconds = 60;  // of a token that does not say

struct TokenAnswer {
  std::string token, access_token;
  std::int64_t expires_in = 0;
};
void bind(json::Binder& b, TokenAnswer& a) {
  b("token", a.token);
  b("access_token", a.access_token);
  b("expires_in", a.expires_in);
}

bool may_pass(const Error& error) {
  return error.code() == Errc::unavailable || error.code() == Errc::timeout;
}
bool may_pass(int status) {
  return status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
}

std::string form(std::string_view key, std::string_view value) {
  return concat(key, "=", url_escape(value));
}

std::string host_of(const std::string& origin) {  // "https://auth.docker.io:443"
  std::string host = origin.substr(std::min(origin.find("://") + 3, origin.size()));
  return host.substr(0, host.rfind(':'));
}

// A token server gets credentials when it is the registry's own host, below it, or beside it in one
// domain (auth.docker.io of registry-1.docker.io), but not when all they share is a public suffix:
// a registry must not send those who ask it to a stranger with their password (CVE-2026-65388).
bool same_owner(const std::string& realm, const std::string& registry) {
  if (realm == registry || realm.ends_with("." + registry)) return true;
  bool address = registry.find_first_not_of("0123456789.") == std::string::npos ||
                 registry.find(':') != std::string::npos;
  std::size_t dot = registry.find('.');
  if (address || dot == std::string::npos) return false;
  std::string domain = registry.substr(dot + 1);
  auto parts = split_once(domain, '.');
  if (!parts) return false;
  bool suffix = parts->second.size() == 2 && parts->first.size() <= 3;  // co.uk, com.au
  return !suffix && (realm == domain || realm.ends_with("." + domain));
}

// Seconds, or a date.
std::optional<std::int64_t> retry_after(const HttpResponse& response) {
  std::string text = response.header("retry-after");
  if (text.empty()) return std::nullopt;
  if (auto seconds = parse_int(text)) return std::clamp<std::int64_t>(*seconds, 0, kLongestWait);
  std::tm when{};
  if (::strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &when) == nullptr) return std::nullopt;
  return std::clamp<std::int64_t>(::timegm(&when) - ::time(nullptr), 0, kLongestWait);
}

}  // namespace

std::string api_host(std::string_view host) {
  return host == "docker.io" ? "registry-1.docker.io" : std::string(host);
}

std::string status_text(int status) {
  struct Row {
    int status;
    const char* text;
  };
  constexpr Row kRows[] = {
      {400, "Bad Request"},
      {401, "Unauthorized"},
      {403, "Forbidden"},
      {404, "Not Found"},
      {405, "Method Not Allowed"},
      {408, "Request Timeout"},
      {413, "Request Entity Too Large"},
      {416, "Requested Range Not Satisfiable"},
      {429, "Too Many Requests"},
      {500, "Internal Server Error"},
      {501, "Not Implemented"},
      {502, "Bad Gateway"},
      {503, "Service Unavailable"},
      {504, "Gateway Timeout"},
  };
  for (const Row& row : kRows)
    if (row.status == status) return concat(status, " (", row.text, ")");
  return concat(status);
}

Client::Client(HttpClient& http, HostAccess access, RetryRules retry)
    : http_(http), access_(std::move(access)), retry_(retry) {
  access_.tls.verify = !access_.insecure;
}

bool Client::wait_to_retry(std::uint32_t number, const HttpResponse* response) {
  if (number >= retry_.retries || http_.stopped()) return false;
  std::int64_t delay = retry_.delay_ns;
  if (delay <= 0) delay = kSecond << std::min<std::uint32_t>(number, 5);
  if (response != nullptr)
    if (auto told = retry_after(*response)) delay = *told * kSecond;
  // In pieces, so that the end of the command is not waited for.
  constexpr std::int64_t kPiece = 100'000'000;
  for (; delay > 0 && !http_.stopped(); delay -= kPiece) {
    timespec piece{0, static_cast<long>(std::min(delay, kPiece))};
    ::nanosleep(&piece, nullptr);
  }
  return !http_.stopped();
}

Error Client::fault_of(const HttpResponse& response) {
  Errc code = response.status == 404                             ? Errc::not_found
              : response.status == 401 || response.status == 403 ? Errc::permission
              : may_pass(response.status)                        ? Errc::unavailable
                                                                 : Errc::io;
  auto parsed = json::parse(response.body, {.max_depth = 16, .max_size = 1 << 20});
  const json::Value* errors = parsed ? parsed->find("errors") : nullptr;
  if (errors != nullptr && errors->as_array() != nullptr && !errors->as_array()->empty()) {
    const json::Value& first = errors->as_array()->front();
    const json::Value* word = first.find("code");
    const json::Value* text = first.find("message");
    std::string name = word != nullptr ? to_lower(word->string_or("")) : "";
    std::replace(name.begin(), name.end(), '_', ' ');
    std::string message(text != nullptr ? text->string_or("") : "");
    // Not what a terminal would take for more than text.
    for (char& c : message)
      if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = ' ';
    message.resize(std::min<std::size_t>(message.size(), 500));
    if (!name.empty() || !message.empty())
      return {code, name == message || message.empty() ? name
                    : name.empty()                     ? message
                                                       : concat(name, ": ", message)};
  }
  if (response.status == 401) return {code, "unauthorized: authentication required"};
  if (response.status == 403) return {code, "denied: requested access to the resource is denied"};
  if (response.status == 429) return {code, "toomanyrequests: too many requests"};
  return {code, concat("received unexpected HTTP status: ", status_text(response.status))};
}

// Where its token server is, is for the registry to say. Who a redirect led to is not the
// registry: a stranger must not send those who ask to himself with their password (CVE-2020-15157).
void Client::take_challenges(const HttpResponse& response, const std::string& base) {
  if (knows_credentials() && url_origin(response.url) != url_origin(base)) return;
  for (Challenge& challenge : parse_challenges(response.header("www-authenticate"))) {
    if (challenge.scheme == "basic") basic_ = true;
    if (challenge.scheme == "bearer" && !challenge.param("realm").empty())
      bearer_ = std::move(challenge);
  }
}

Result<HttpResponse> Client::ping_at(const std::string& base) {
  HttpRequest request;
  request.url = concat(base, "/v2/");
  request.tls = &access_.tls;
  request.plain_redirects = access_.insecure;
  return http_.perform(request);
}

Status Client::ping() {
  std::lock_guard guard(mutex_);
  if (!base_.empty()) return {};
  std::string host = api_host(access_.host);
  std::string what = concat("pinging container registry ", access_.host);
  std::string base = concat("https://", host);
  for (std::uint32_t number = 0;; ++number) {
    auto answer = ping_at(base);
    if (!answer && access_.insecure) {
      std::string plain = concat("http://", host);
      auto other = ping_at(plain);
      if (other) {
        base = plain;
        answer = std::move(other);
      }
    }
    if (!answer) {
      // Who is not there at all will hardly come; that is for --retry to say.
      bool refused = answer.error().message().find("connection refused") != std::string::npos;
      if (!refused && may_pass(answer.error()) && wait_to_retry(number, nullptr)) continue;
      return std::move(answer.error()).wrap(what);
    }
    if (answer->status == 401) {
      take_challenges(*answer, base);
    } else if (answer->status != 200) {
      if (may_pass(answer->status) && wait_to_retry(number, &*answer)) continue;
      // Some registries have nothing there, and answer everything else.
      if (answer->status != 404) return fault_of(*answer).wrap(what);
    }
    base_ = base;
    return {};
  }
}

Result<Client::Token> Client::fetch_token(const Challenge& bearer,
                                          const std::vector<std::string>& scopes) {
  std::string realm = TRY_CTX(resolve_url("", bearer.param("realm")), "token server");
  if (knows_credentials() && realm.starts_with("http:") && !access_.insecure &&
      base_.starts_with("https:"))
    return Error(Errc::unsupported,
                 concat("token server ", quote(realm),
                        ": credentials are not sent by plain http; --tls-verify=false allows it"));
  if (knows_credentials() && !same_owner(host_of(url_origin(realm)), host_of(url_origin(base_))))
    return Error(Errc::unsupported, concat("token server ", quote(realm),
                                           ": it is in another domain than ", access_.host,
                                           ", and credentials are not sent there (what is public "
                                           "comes without: --authfile FILE, with {} in it)"));
  std::vector<std::string> wanted = scopes;
  std::string asked = bearer.param("scope");
  for (std::string_view scope : split(asked, ' '))
    if (!scope.empty() && std::find(wanted.begin(), wanted.end(), scope) == wanted.end())
      wanted.emplace_back(scope);
  HttpRequest request;
  request.tls = &access_.tls;
  request.plain_redirects = access_.insecure;
  request.max_body = kMaxToken;
  std::string service = bearer.param("service");
  if (!access_.identity_token.empty()) {
    request.method = "POST";
    request.url = realm;
    request.secret_body = true;
    request.headers.push_back("Content-Type: application/x-www-form-urlencoded");
    request.body = concat("grant_type=refresh_token&client_id=minke&",
                          form("refresh_token", access_.identity_token), "&",
                          form("scope", join(wanted, " ")));
    if (!service.empty()) request.body += concat("&", form("service", service));
  } else {
    std::vector<std::string> query;
    if (!access_.username.empty()) query.push_back(form("account", access_.username));
    for (const std::string& scope : wanted) query.push_back(form("scope", scope));
    if (!service.empty()) query.push_back(form("service", service));
    request.url = query.empty()
                      ? realm
                      : concat(realm, realm.find('?') == realm.npos ? "?" : "&", join(query, "&"));
    if (!access_.username.empty())
      request.authorization =
          concat("Basic ", base64_encode(concat(access_.username, ":", access_.password)));
  }
  for (std::uint32_t number = 0;; ++number) {
    auto answer = http_.perform(request);
    if (!answer) {
      if (may_pass(answer.error()) && wait_to_retry(number, nullptr)) continue;
      return std::move(answer.error()).wrap("requesting bearer token");
    }
    if (may_pass(answer->status) && wait_to_retry(number, &*answer)) continue;
    if (answer->status == 401 || answer->status == 403)
      return fault_of(*answer).wrap("unable to retrieve auth token: invalid username/password");
    if (answer->status != 200)
      return Error(Errc::io, concat("requesting bearer token: invalid status code from registry ",
                                    status_text(answer->status)));
    auto parsed = json::parse_struct<TokenAnswer>(answer->body, {.max_depth = 16});
    if (!parsed) return std::move(parsed.error()).wrap("token server");
    Token token;
    token.text = parsed->token.empty() ? parsed->access_token : parsed->token;
    if (token.text.empty() || token.text.find_first_of("\r\n") != std::string::npos)
      return Error(Errc::corrupt,
                   concat("token server ", quote(realm), ": its answer has no token"));
    std::int64_t seconds = std::clamp<std::int64_t>(parsed->expires_in, kTokenSeconds, 86400);
    token.expires = now() + (seconds - 10) * kSecond;
    return token;
  }
}

Result<std::string> Client::authorization(const std::vector<std::string>& scopes) {
  std::lock_guard guard(mutex_);
  if (bearer_) {
    std::string key = join(scopes, " ");
    auto known = tokens_.find(key);
    if (known == tokens_.end() || known->second.expires <= now()) {
      Token token = TRY(fetch_token(*bearer_, scopes));
      known = tokens_.insert_or_assign(key, std::move(token)).first;
    }
    return concat("Bearer ", known->second.text);
  }
  if (basic_ && !access_.username.empty())
    return concat("Basic ", base64_encode(concat(access_.username, ":", access_.password)));
  return std::string();
}

void Client::forget_token(const std::vector<std::string>& scopes) {
  std::lock_guard guard(mutex_);
  tokens_.erase(join(scopes, " "));
}

Result<HttpResponse> Client::send(HttpRequest request, const std::vector<std::string>& scopes) {
  TRY(ping());
  if (request.url.starts_with('/')) request.url = base_ + request.url;
  bool ours = url_origin(request.url) == url_origin(base_);
  if (base_.starts_with("https:") && request.url.starts_with("http:") && !access_.insecure)
    return Error(Errc::corrupt, concat(access_.host, " leads from https to ", quote(request.url),
                                       ": not followed; --tls-verify=false allows it"));
  request.tls = &access_.tls;
  request.plain_redirects = access_.insecure;
  int refused = 0;
  for (std::uint32_t number = 0;;) {
    request.authorization.clear();
    if (ours && !request.anonymous) request.authorization = TRY(authorization(scopes));
    auto answer = http_.perform(request);
    if (!answer) {
      // Downloads and uploads go on from where they were cut: their callers see to that.
      bool again = !request.on_body && request.file.fd < 0 && may_pass(answer.error());
      if (!again || !wait_to_retry(number++, nullptr)) return std::move(answer.error());
      continue;
    }
    bool asks = answer->status == 401 && ours && !request.anonymous &&
                url_origin(answer->url) == url_origin(base_);
    if (asks && refused++ < 1) {
      // A token that has run out, or a registry that asks for one only here.
      std::unique_lock guard(mutex_);
      bool knew = bearer_.has_value() || basic_;
      take_challenges(*answer, base_);
      bool knows = bearer_.has_value() || (basic_ && !access_.username.empty());
      bool again = knows && (!knew || bearer_.has_value());
      guard.unlock();
      forget_token(scopes);
      if (again) continue;
    }
    if (may_pass(answer->status) && request.file.fd < 0 && wait_to_retry(number, &*answer)) {
      ++number;
      continue;
    }
    return answer;
  }
}

}  // namespace minke::registry
