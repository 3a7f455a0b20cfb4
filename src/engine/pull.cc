// Pulling: which image is meant, whether it is needed, where it may be; then the transfer.
#include "engine/pull.h"

#include <algorithm>

#include "base/log.h"
#include "base/str.h"
#include "codec/base64.h"
#include "engine/engine.h"
#include "engine/events.h"
#include "engine/name_chooser.h"
#include "engine/pull_place.h"
#include "engine/registries.h"
#include "engine/registry_search.h"
#include "engine/simple_signing.h"
#include "engine/transfer_host.h"
#include "engine/transport.h"
#include "store/transfer.h"

namespace minke::engine {
namespace {

oci::Platform wanted_platform(const PullRequest& request) {
  oci::Platform wanted = oci::host_platform();
  if (!request.os.empty()) wanted.os = request.os;
  if (!request.arch.empty()) wanted.architecture = normal_architecture(request.arch);
  if (!request.arch.empty() || !request.variant.empty()) wanted.variant = request.variant;
  return wanted;
}

bool platform_was_asked(const PullRequest& request) {
  return !request.os.empty() || !request.arch.empty() || !request.variant.empty();
}

bool fits(const store::Image& image, const PullRequest& request) {
  oci::Platform wanted = wanted_platform(request);
  return image.config.os == wanted.os && image.config.architecture == wanted.architecture &&
         (request.variant.empty() || image.config.variant == request.variant);
}

std::string platform_text(std::string_view os, std::string_view arch, std::string_view variant) {
  return concat(os, "/", arch, variant.empty() ? "" : "/", variant);
}

void tell(const PullRequest& request, TransferEvent::Kind kind, std::string text,
          std::string digest = {}) {
  if (!request.watch) return;
  TransferEvent event;
  event.kind = kind;
  event.text = std::move(text);
  event.digest = std::move(digest);
  request.watch(event);
}

std::string_view typed_name(const PullRequest& request) {
  std::string_view name = request.reference;
  if (name.starts_with("docker://")) name.remove_prefix(9);
  return name;
}

// Pulls by one full name.
class RegistryPull {
 public:
  RegistryPull(Engine& engine, const PullRequest& request, Registries& registries)
      : engine_(engine), request_(request), registries_(registries) {}

  // `local`: what the policy "newer" compares with; may be null.
  Result<store::Image> run(const oci::Reference& name, const store::Image* local) {
    std::string full = name.str();
    store::Fetched fetched = TRY(fetch(name, local, false));
    if (!fetched.accepted) return *local;
    store::Image image = TRY(engine_.store().find_image(fetched.image_id));
    tell(request_, TransferEvent::Kind::config, "", image.manifest.config.digest.str());
    tell(request_, TransferEvent::Kind::manifest, "");
    oci::Platform wanted = wanted_platform(request_);
    if (image.config.os != wanted.os || image.config.architecture != wanted.architecture)
      log::warn(
          concat("image platform (",
                 platform_text(image.config.os, image.config.architecture, image.config.variant),
                 ") does not match the expected platform (",
                 platform_text(wanted.os, wanted.architecture, wanted.variant), ")"));
    emit_image(engine_.host(), "pull", image.id, full);
    return image;
  }

  Result<store::Fetched> fetch(const oci::Reference& name, const store::Image* local, bool borrow) {
    std::string full = name.str();
    tell(request_, TransferEvent::Kind::trying, full);
    store::FetchPlan plan;
    TRY(set_requirements(name, &plan));
    plan.request.verb = "fetch";
    for (const RegistryHost& host : TRY(registries_.pull_hosts(name)))
      plan.request.hosts.push_back(transfer_host(host));
    plan.request.reference = name.digest.empty() ? name.tag : name.digest.str();
    oci::Platform wanted = wanted_platform(request_);
    plan.request.os = wanted.os;
    plan.request.architecture = wanted.architecture;
    plan.request.variant = wanted.variant;
    set_retries(registries_.access(), &plan.request);
    if (!borrow) plan.names.push_back(full);
    plan.borrow = borrow;
    bool begun = false;
    plan.accept = [&](const store::TransferMessage& found) -> Result<bool> {
      begun = true;
      TRY(check_signatures(plan.request, found));
      if (local != nullptr && (local->manifest_descriptor.digest.str() == found.digest))
        return false;
      tell(request_, TransferEvent::Kind::started, full);
      return true;
    };
    plan.watch = [&](const store::TransferMessage& message) { forward(message); };
    auto fetched = store::fetch_image(engine_.store(), plan);
    if (!fetched && !begun)
      return std::move(fetched.error()).wrap(concat("initializing source docker://", full));
    if (!fetched) return std::move(fetched.error()).wrap(concat("copying image ", full));
    return fetched;
  }

 private:
  Status set_requirements(const oci::Reference& name, store::FetchPlan* plan) {
    std::vector<config::Requirement> requirements =
        TRY(registries_.requirements("docker", name.str(), concat("docker://", name.str())));
    if (config::accepts_unseen(requirements)) return {};
    plan->request.requirements = std::move(requirements);
    plan->request.signatures = TRY(registries_.signature_store(name.str()));
    plan->request.signed_reference = name.str();
    return {};
  }
  // Those that were made with the keys of GnuPG; minke-transfer has seen to the others. Of a list,
  // as with Podman, the image that was chosen is what must be signed.
  static Status check_signatures(const store::TransferRequest& asked,
                                 const store::TransferMessage& found) {
    std::vector<std::string> signatures;
    for (const std::string& encoded : found.signatures)
      if (auto bytes = base64_decode(encoded)) signatures.push_back(std::move(*bytes));
    return check_simple_signatures(asked.requirements, asked.signatures, asked.signed_reference,
                                   found.digest, std::move(signatures));
  }
  void forward(const store::TransferMessage& message) {
    if (!request_.watch) return;
    TransferEvent event;
    event.digest = message.digest;
    event.done = message.done;
    event.total = message.total;
    event.kind = message.kind == "layer"      ? TransferEvent::Kind::blob
                 : message.kind == "progress" ? TransferEvent::Kind::progress
                 : message.kind == "skipped"  ? TransferEvent::Kind::skipped
                                              : TransferEvent::Kind::finished;
    request_.watch(event);
  }

  Engine& engine_;
  const PullRequest& request_;
  Registries& registries_;
};

// The full names that a short one may stand for, in the order to try them.
struct Candidates {
  std::vector<oci::Reference> names;
  bool chosen = false;  // by a person
};
Result<Candidates> find_candidates(Engine& engine, const PullRequest& request,
                                   Registries& registries, const oci::Reference& typed) {
  Candidates out;
  if (typed.qualified()) {
    out.names.push_back(typed.normalized(""));
    return out;
  }
  // An image made here keeps its name.
  if (auto local = engine.store().find_image(request.reference)) {
    oci::Reference name = typed.normalized("localhost");
    if (std::find(local->names.begin(), local->names.end(), name.str()) != local->names.end()) {
      out.names.push_back(std::move(name));
      return out;
    }
  }
  config::ShortName found = TRY(registries.short_name(typed, static_cast<bool>(name_chooser())));
  std::vector<std::string> shown;
  for (const std::string& text : found.candidates) {
    oci::Reference name = TRY(oci::Reference::parse(text));
    name.tag = typed.tag;
    name.digest = typed.digest;
    shown.push_back(out.names.emplace_back(name.normalized("docker.io")).str());
  }
  if (found.ambiguous) {
    std::string choice = TRY(name_chooser()(shown));
    std::erase_if(out.names, [&](const oci::Reference& name) { return name.str() != choice; });
    out.chosen = true;
  } else if (!found.where.empty()) {
    tell(request, TransferEvent::Kind::resolved,
         concat(found.alias ? "Resolved " : "Resolving ", quote(typed_name(request)),
                found.alias ? " as an alias (" : " using unqualified-search registries (",
                found.where, ")"));
  }
  return out;
}

// Only what could be pulled is worth to be remembered; that it cannot be is no reason to fail.
void remember_choice(Registries& registries, const oci::Reference& typed,
                     const oci::Reference& chosen) {
  Status kept = registries.remember_short_name(typed, chosen.name());
  if (!kept)
    log::error(concat("recording short-name alias ", quote(typed.repository), ": ",
                      kept.error().message()));
}

Error all_failed(std::vector<Error> errors) {
  if (errors.size() == 1) return std::move(errors[0]);
  std::string text = concat(errors.size(), " errors occurred while pulling:");
  for (const Error& error : errors) text += concat("\n * ", error.message());
  return Error(errors.back().code(), text);
}

Result<store::Image> pull_from_registry(Engine& engine, const PullRequest& request,
                                        const std::string& name, const store::Image* local) {
  oci::Reference typed = TRY(oci::Reference::parse(name));
  Registries registries(engine.host(), request.access);
  RegistryPull pull(engine, request, registries);
  std::vector<Error> errors;
  Candidates found = TRY(find_candidates(engine, request, registries, typed));
  for (const oci::Reference& candidate : found.names) {
    auto image = pull.run(candidate, local);
    if (image && found.chosen) remember_choice(registries, typed, candidate);
    if (image) return image;
    errors.push_back(std::move(image.error()));
  }
  if (errors.empty()) return Error(Errc::not_found, concat(name, ": no registry to ask"));
  return all_failed(std::move(errors));
}

// What is in the store already, when the policy lets it count.
Result<std::optional<store::Image>> look_here(Engine& engine, const PullRequest& request,
                                              const std::string& name) {
  auto local = engine.store().find_image(name);
  if (!local && local.error().code() != Errc::not_found) return std::move(local.error());
  if (request.policy == PullPolicy::never) {
    if (!local) return std::move(local.error());
    return std::optional(std::move(*local));
  }
  if (!local || (platform_was_asked(request) && !fits(*local, request)))
    return std::optional<store::Image>();
  return std::optional(std::move(*local));
}

struct TagList {
  std::vector<std::string> tags;
};
void bind(json::Binder& b, TagList& list) { b("tags", list.tags); }

NameChooser& chooser() {
  static NameChooser one;
  return one;
}

}  // namespace

void set_name_chooser(NameChooser one) { chooser() = std::move(one); }
const NameChooser& name_chooser() { return chooser(); }

Result<std::vector<std::string>> list_remote_tags(Registries& registries,
                                                  const oci::Reference& name) {
  constexpr std::size_t kMaxTags = 100'000;
  std::vector<RegistryHost> hosts = TRY(registries.pull_hosts(name));
  if (hosts.empty()) return Error(Errc::not_found, concat(name.str(), ": no registry to ask"));
  store::TransferRequest request;
  request.hosts.push_back(transfer_host(hosts.back()));
  const std::string& repository = request.hosts[0].repository;
  request.scope = concat("repository:", repository, ":pull");
  set_retries(registries.access(), &request);
  std::vector<std::string> tags;
  for (std::string path = concat("/v2/", repository, "/tags/list"); !path.empty();) {
    request.path = path;
    store::TransferMessage answer = TRY(store::ask_registry(request));
    if (answer.status != 200)
      return store::registry_fault(answer).wrap(
          concat("fetching tags list of ", request.hosts[0].host, "/", repository));
    TagList list = TRY_CTX(json::parse_struct<TagList>(answer.body), "tags list");
    tags.insert(tags.end(), list.tags.begin(), list.tags.end());
    if (list.tags.empty() || tags.size() > kMaxTags) break;
    path = next_page_of(answer.headers["link"]);
  }
  return tags;
}

std::string normal_architecture(std::string_view name) {
  struct Row {
    std::string_view typed, real;
  };
  constexpr Row kRows[] = {{"x86_64", "amd64"}, {"x86-64", "amd64"}, {"aarch64", "arm64"},
                           {"i386", "386"},     {"armhf", "arm"},    {"armel", "arm"}};
  std::string lower = to_lower(name);
  for (const Row& row : kRows)
    if (row.typed == lower) return std::string(row.real);
  return lower;
}

Result<PullPolicy> parse_pull_policy(std::string_view text) {
  struct Row {
    std::string_view word;
    PullPolicy policy;
  };
  constexpr Row kRows[] = {
      {"always", PullPolicy::always},        {"true", PullPolicy::always},
      {"missing", PullPolicy::missing},      {"ifmissing", PullPolicy::missing},
      {"ifnotpresent", PullPolicy::missing}, {"never", PullPolicy::never},
      {"false", PullPolicy::never},          {"newer", PullPolicy::newer},
      {"ifnewer", PullPolicy::newer},
  };
  std::string lower = to_lower(text);
  for (const Row& row : kRows)
    if (row.word == lower) return row.policy;
  return Error(Errc::invalid_argument, concat("unsupported pull policy ", quote(text)));
}

Result<store::Image> pull_image(Engine& engine, const PullRequest& request) {
  std::vector<store::Image> images = TRY(pull_images(engine, request, false));
  if (images.empty()) return Error(Errc::internal, "the transfer made no image");
  return std::move(images[0]);
}

Result<store::Fetched> borrow_image(Engine& engine, const PullRequest& request) {
  oci::Reference name = TRY(oci::Reference::parse(typed_name(request)));
  Registries registries(engine.host(), request.access);
  return RegistryPull(engine, request, registries)
      .fetch(name.normalized("docker.io"), nullptr, true);
}

Result<std::vector<store::Image>> pull_images(Engine& engine, const PullRequest& request,
                                              bool all_tags) {
  ImagePlace place = TRY(parse_image_place(request.reference));
  TRY(engine.enter());
  std::vector<store::Image> images;
  if (place.transport != Transport::docker) return pull_from_place(engine, request, place);
  if (all_tags) {
    oci::Reference name = TRY(oci::Reference::parse(place.name));
    if (!name.tag.empty() || !name.digest.empty())
      return Error(Errc::invalid_argument, "tag can't be used with --all-tags/-a");
    Registries registries(engine.host(), request.access);
    Candidates found = TRY(find_candidates(engine, request, registries, name));
    const std::vector<oci::Reference>& names = found.names;
    if (names.empty()) return Error(Errc::not_found, concat(place.name, ": no registry to ask"));
    RegistryPull pull(engine, request, registries);
    for (const std::string& tag : TRY(list_remote_tags(registries, names[0]))) {
      oci::Reference one = names[0];
      one.tag = tag;
      store::Image image = TRY(pull.run(one, nullptr));
      images.push_back(std::move(image));
    }
    if (found.chosen && !images.empty()) remember_choice(registries, name, names[0]);
    return images;
  }
  std::optional<store::Image> local;
  if (request.policy != PullPolicy::always) local = TRY(look_here(engine, request, place.name));
  if (local && request.policy != PullPolicy::newer) {
    images.push_back(std::move(*local));
    return images;
  }
  auto image = pull_from_registry(engine, request, place.name, local ? &*local : nullptr);
  if (!image && local) {
    log::debug(concat("the image here is taken: ", image.error().message()));
    images.push_back(std::move(*local));
    return images;
  }
  images.push_back(TRY(std::move(image)));
  return images;
}

}  // namespace minke::engine
