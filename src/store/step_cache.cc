#include "store/step_cache.h"

#include <sys/stat.h>
#include <unistd.h>

#include <set>

#include "base/str.h"
#include "store/layout.h"
#include "sys/fd.h"

namespace minke::store {
namespace {

using sys::DirFd;

constexpr const char* kUnsynced = "unsynced";
constexpr std::int64_t kStaleTemporary = 3600;  // seconds

bool is_key(std::string_view name) { return name.size() == 64 && is_hex(name); }

std::string boot_id() {
  auto text = sys::read_small_file("/proc/sys/kernel/random/boot_id", 64);
  return text ? std::string(trim(*text)) : std::string();
}

// A record that a power cut left empty is none.
std::optional<CachedStep> parse_step(const std::string& key, std::string_view text) {
  if (text.empty() || text[0] != '{') return {};
  auto step = json::parse_struct<CachedStep>(text);
  if (!step || (!step->chain_id.empty() && (!is_key(step->chain_id) || step->diff_id.empty())))
    return {};
  step->key = key;
  return std::move(*step);
}

}  // namespace

void bind(json::Binder& b, CachedStep& step) {
  b("key", step.key);
  b("layer", step.chain_id);
  std::string diff_id = step.diff_id.str();
  b("diffId", diff_id);
  if (b.reading() && !diff_id.empty())
    if (auto digest = oci::Digest::parse(diff_id)) step.diff_id = std::move(*digest);
  b("text", step.text);
  b("size", step.size);
  b("created", step.created);
}

std::string StepCache::folder() const { return root_ + "/buildcache"; }

Result<std::optional<CachedStep>> StepCache::find(const std::string& key,
                                                  std::int64_t ttl_seconds) const {
  std::string path = concat(folder(), "/steps/", key);
  auto text = sys::read_small_file(path, 1 << 20);
  if (!text) {
    if (text.error().code() == Errc::not_found) return std::optional<CachedStep>();
    return std::move(text.error());
  }
  std::optional<CachedStep> step = parse_step(key, *text);
  if (!step) return step;
  if (ttl_seconds > 0 && step->created + ttl_seconds * kSecond < now())
    return std::optional<CachedStep>();
  if (!step->chain_id.empty()) {
    std::string layer = concat(root_, "/", kLayersDir, "/", step->chain_id);
    if (!sys::exists(concat(layer, "/", kDiffDir)) || is_lost(layer))
      return std::optional<CachedStep>();
  }
  ::utimensat(AT_FDCWD, path.c_str(), nullptr, 0);
  step->used = now();
  return step;
}

Status StepCache::put(const CachedStep& step) const {
  MINKE_CHECK(is_key(step.key));
  TRY(sys::ensure_dirs(folder() + "/steps", 0700));
  return sys::write_file(concat(folder(), "/steps/", step.key), json::dump_struct(step), 0600);
}

Status StepCache::remove(const std::string& key) const {
  Status gone = sys::unlink_at(DirFd::cwd(), concat(folder(), "/steps/", key).c_str());
  if (!gone && gone.error().code() == Errc::not_found) return {};
  return gone;
}

Result<std::vector<CachedStep>> StepCache::list() const {
  std::vector<CachedStep> steps;
  std::string dir = folder() + "/steps";
  auto names = sys::list_dir(DirFd::cwd(), dir.c_str());
  if (!names) {
    if (names.error().code() == Errc::not_found) return steps;
    return std::move(names.error());
  }
  for (const std::string& name : *names) {
    std::string path = concat(dir, "/", name);
    struct stat st {};
    if (::lstat(path.c_str(), &st) < 0) continue;
    auto text = sys::read_small_file(path, 1 << 20);
    std::optional<CachedStep> step;
    if (is_key(name) && text) step = parse_step(name, *text);
    if (!step) {
      // A killed write left it, or a power cut.
      if (st.st_mtime + kStaleTemporary < now() / kSecond) ::unlink(path.c_str());
      continue;
    }
    step->used = static_cast<TimeNs>(st.st_mtim.tv_sec) * kSecond + st.st_mtim.tv_nsec;
    steps.push_back(std::move(*step));
  }
  return steps;
}

std::vector<std::string> StepCache::needed_layers() const {
  std::set<std::string> needed;
  auto steps = list();
  if (!steps) return {};
  for (const CachedStep& step : *steps) {
    std::string chain = step.chain_id;
    while (!chain.empty() && needed.insert(chain).second) {
      auto parent =
          sys::read_small_file(concat(root_, "/", kLayersDir, "/", chain, "/", kParentFile), 256);
      chain = parent ? std::string(trim(*parent)) : std::string();
    }
  }
  return {needed.begin(), needed.end()};
}

Status mark_unsynced(const std::string& layer_dir) {
  return sys::write_file(concat(layer_dir, "/", kUnsynced), boot_id(), 0600);
}

bool is_lost(const std::string& layer_dir) {
  auto boot = sys::read_small_file(concat(layer_dir, "/", kUnsynced), 256);
  return boot && trim(*boot) != boot_id();
}

void clear_unsynced(const std::string& layer_dir) {
  ::unlink(concat(layer_dir, "/", kUnsynced).c_str());
}

}  // namespace minke::store
