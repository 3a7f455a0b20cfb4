#include "engine/registry_search.h"

#include "base/str.h"
#include "codec/json.h"
#include "engine/transfer_host.h"
#include "store/transfer.h"

namespace minke::engine {
namespace {

constexpr std::size_t kPage = 1000, kMaxNames = 1'000'000;
constexpr std::uint64_t kMaxBody = 16 << 20;

struct FoundRow {
  std::string name, description;
  std::int64_t star_count = 0;
  bool is_official = false, is_automated = false;
};
void bind(json::Binder& b, FoundRow& row) {
  b("name", row.name);
  b("description", row.description);
  b("star_count", row.star_count);
  b("is_official", row.is_official);
  b("is_automated", row.is_automated);
}
struct Found {
  std::vector<FoundRow> results;
};
void bind(json::Binder& b, Found& found) { b("results", found.results); }

struct Catalogue {
  std::vector<std::string> repositories;
};
void bind(json::Binder& b, Catalogue& c) { b("repositories", c.repositories); }

std::string escaped(std::string_view text) {
  std::string out;
  for (char c : text) {
    bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                 c == '-' || c == '.' || c == '_' || c == '~';
    out += plain ? std::string(1, c) : concat("%", to_upper(hex(std::string_view(&c, 1))));
  }
  return out;
}

class Search {
 public:
  Search(const RegistryAccess& access, store::TransferHost host) : host_(std::move(host)) {
    set_retries(access, &request_);
    request_.method = "GET";
    request_.max_body = kMaxBody;
  }

  Result<store::TransferMessage> ask(const std::string& path, const std::string& scope,
                                     store::TransferRequest request) {
    if (request.hosts.empty()) request.hosts = {host_};
    request.path = path;
    request.scope = scope;
    return store::ask_registry(std::move(request));
  }

  // Nothing when the registry has no such search.
  Result<std::optional<std::vector<SearchHit>>> by_index(std::string_view term, std::size_t limit) {
    std::optional<std::vector<SearchHit>> none;
    store::TransferRequest request = request_;
    request.hosts = {host_};
    // Docker's index is a host of its own. The search of all of them is for everybody; a token of
    // the registry means nothing to it.
    if (host_.host == "docker.io") request.hosts[0].host = "index.docker.io";
    request.anonymous = true;
    auto answer = ask(concat("/v1/search?q=", escaped(term), "&n=", limit), "", std::move(request));
    if (!answer) return std::move(answer.error());
    if (answer->status != 200) return none;
    auto said = json::parse(answer->body, {.max_depth = 16, .max_size = kMaxBody});
    if (!said || said->find("results") == nullptr) return none;
    Found found = TRY_CTX(json::from_value<Found>(*said), "search");
    std::vector<SearchHit> hits;
    for (FoundRow& row : found.results) {
      if (hits.size() == limit) break;
      hits.push_back({std::move(row.name), std::move(row.description), row.star_count,
                      row.is_official, row.is_automated});
    }
    return std::optional(std::move(hits));
  }

  Result<std::vector<SearchHit>> by_catalogue(std::string_view term, std::size_t limit) {
    std::vector<SearchHit> hits;
    std::size_t seen = 0;
    for (std::string path = concat("/v2/_catalog?n=", kPage); !path.empty();) {
      store::TransferMessage answer = TRY(ask(path, "registry:catalog:*", request_));
      if (answer.status != 200) return store::registry_fault(answer);
      Catalogue page = TRY_CTX(
          json::parse_struct<Catalogue>(answer.body, {.max_depth = 16, .max_size = kMaxBody}),
          "catalogue");
      for (std::string& name : page.repositories) {
        if (hits.size() == limit) return hits;
        if (name.find(term) == std::string::npos) continue;
        SearchHit& hit = hits.emplace_back();
        hit.name = std::move(name);
      }
      seen += page.repositories.size();
      if (page.repositories.empty() || seen > kMaxNames) break;
      path = next_page_of(answer.headers["link"]);
    }
    return hits;
  }

 private:
  store::TransferHost host_;
  store::TransferRequest request_;
};

Result<std::vector<SearchHit>> search(Registries& registries, const std::string& registry,
                                      std::string_view term, std::size_t limit) {
  RegistryHost host = TRY(registries.registry(registry));
  Search search(registries.access(), transfer_host(host));
  auto indexed = TRY(search.by_index(term, limit));
  if (indexed) return std::move(*indexed);
  return search.by_catalogue(term, limit);
}

}  // namespace

std::string next_page_of(std::string_view link) {
  std::size_t open = link.find('<'), close = link.find('>');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open ||
      link.find("next", close) == std::string_view::npos)
    return {};
  std::string_view address = link.substr(open + 1, close - open - 1);
  // An absolute one is of the same registry: only its path counts, so it cannot lead elsewhere.
  if (std::size_t scheme = address.find("://"); scheme != std::string_view::npos) {
    std::size_t path = address.find('/', scheme + 3);
    if (path == std::string_view::npos) return {};
    address = address.substr(path);
  }
  return address.starts_with("/v2/") ? std::string(address) : std::string();
}

Result<std::vector<SearchHit>> search_registry(Registries& registries, const std::string& registry,
                                               std::string_view term, std::size_t limit) {
  auto hits = search(registries, registry, term, limit);
  if (!hits)
    return std::move(hits.error()).wrap(concat("couldn't search registry ", quote(registry)));
  return hits;
}

}  // namespace minke::engine
