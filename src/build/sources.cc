#include "build/sources.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "base/str.h"
#include "sys/fd.h"

namespace minke::build {
namespace {

using imagework::EntrySink;
using sys::UniqueFd;

constexpr int kMaxLinks = 40;
constexpr std::size_t kMaxMatches = 1 << 20;

std::string join_path(const std::string& folder, std::string_view name) {
  return folder.empty() || folder == "." ? std::string(name) : concat(folder, "/", name);
}

std::string base_of(std::string_view path) { return std::string(path.substr(path.rfind('/') + 1)); }

Result<UniqueFd> look_at(int root, const std::string& path) {
  return sys::open_beneath(root, path.c_str(), O_PATH | O_NOFOLLOW, 0, true);
}

Error missing(std::string_view source, bool ignored) {
  return Error(Errc::not_found, concat(source, ": no such file or directory",
                                       ignored ? " (the ignore file leaves it out)" : ""));
}

// The components of `path` that come before the first pattern, and the rest.
std::pair<std::string, std::string> split_pattern(const std::string& path) {
  std::vector<std::string> front, back;
  for (std::string_view part : split(path, '/')) {
    if (back.empty() && !has_wildcard(part)) {
      std::string plain;
      for (std::size_t i = 0; i < part.size(); ++i) {
        if (part[i] == '\\' && i + 1 < part.size()) ++i;
        plain += part[i];
      }
      front.push_back(std::move(plain));
    } else {
      back.emplace_back(part);
    }
  }
  return {join(front, "/"), join(back, "/")};
}

// Every path below `folder` that a pattern matches; what is below a match is part of it.
class Glob {
 public:
  Glob(int root, const IgnoreList* ignore, const PathPattern& pattern, std::string base)
      : root_(root), pattern_(pattern), base_(std::move(base)), sieve_(ignore, base_) {}
  Status walk(const std::string& below, int depth, std::vector<SourceMatch>* out) {
    if (depth > 256) return Error(Errc::unsupported, concat(below, ": nested too deep"));
    const std::string folder = below.empty() ? base_ : join_path(base_, below);
    UniqueFd fd = TRY(sys::open_beneath(root_, folder.c_str(), O_RDONLY | O_DIRECTORY, 0, true));
    for (const std::string& name : TRY(sys::list_dir(sys::DirFd(std::move(fd))))) {
      const std::string path = join_path(below, name), whole = join_path(base_, path);
      auto st = stat_beneath(root_, whole);
      if (!st) continue;  // went away
      const bool directory = S_ISDIR(st->st_mode);
      if (sieve_.judge(path, directory) == Sieve::Verdict::skip) continue;
      if (pattern_.matches(path)) {
        if (out->size() == kMaxMatches)
          return Error(Errc::unsupported, "the pattern matches more than a million files");
        out->push_back({whole, name, path, base_, directory});
      } else if (directory && pattern_.may_match_below(path)) {
        TRY(walk(path, depth + 1, out));
      }
    }
    return {};
  }

 private:
  int root_;
  const PathPattern& pattern_;
  std::string base_;
  Sieve sieve_;
};

Result<std::vector<SourceMatch>> find_pattern(int root, const IgnoreList* ignore,
                                              const std::string& folder, const std::string& path) {
  auto [front, back] = split_pattern(path);
  const std::string base = TRY(resolve_in_root(root, join_path(folder, front)));
  std::vector<SourceMatch> out;
  auto st = stat_beneath(root, base);
  if (!st || !S_ISDIR(st->st_mode)) return out;
  PathPattern pattern = TRY(PathPattern::parse(back));
  Glob glob(root, ignore, pattern, base);
  TRY(glob.walk("", 0, &out));
  // The pivot stays where it was asked for.
  for (SourceMatch& match : out) {
    match.pivot = folder;
    match.below = join_path(front, match.below);
  }
  return out;
}

bool is_ignored(const IgnoreList* ignore, const std::string& path, bool directory) {
  if (ignore == nullptr || path == "." || !ignore->ignores(path)) return false;
  return !directory || !ignore->may_keep_below(path);
}

Result<std::vector<SourceMatch>> find_with_parents(int root, const IgnoreList* ignore,
                                                   std::string_view source) {
  const std::size_t pivot = source.find("/./");
  const std::string folder =
      pivot == std::string_view::npos ? "." : clean_relative(source.substr(0, pivot));
  const std::string path =
      clean_relative(pivot == std::string_view::npos ? source : source.substr(pivot + 3));
  if (has_wildcard(folder))
    return Error(Errc::unsupported, concat(source, ": no patterns before /./ of --parents"));
  const std::string base = TRY(resolve_in_root(root, folder));
  if (path != "." && has_wildcard(path)) return find_pattern(root, ignore, base, path);
  std::string whole = base;
  if (path != ".") {
    // The last name may be a link: it is copied as one.
    const std::size_t slash = path.rfind('/');
    const std::string above = slash == std::string::npos ? "" : path.substr(0, slash);
    whole = join_path(TRY(resolve_in_root(root, join_path(base, above))), base_of(path));
  }
  auto st = stat_beneath(root, whole);
  if (!st) return missing(source, false);
  const bool directory = S_ISDIR(st->st_mode);
  if (is_ignored(ignore, whole, directory)) return missing(source, true);
  return std::vector<SourceMatch>{{whole, base_of(path), path == "." ? "" : path, base, directory}};
}

// Between the walk and where the entries go: paths get their place, folders that are only there for
// what is in them wait for it.
class Relay final : public EntrySink {
 public:
  Relay(EntrySink& out, std::string target) : out_(out), target_(std::move(target)) {}
  void hold(const std::string& path) { held_.insert(concat(path, "/")); }

  Status add(const TarEntry& entry, int fd) override {
    std::erase_if(waiting_,
                  [&](const TarEntry& folder) { return !entry.path.starts_with(folder.path); });
    if (entry.type == TarEntry::Type::directory && held_.erase(entry.path) != 0) {
      waiting_.push_back(entry);
      return {};
    }
    for (const TarEntry& folder : waiting_) TRY(pass(folder, -1));
    waiting_.clear();
    return pass(entry, fd);
  }

 private:
  Status pass(TarEntry entry, int fd) {
    entry.path = entry.path.empty() ? target_ : join_path(target_, entry.path);
    if (entry.type == TarEntry::Type::hard_link) entry.link = join_path(target_, entry.link);
    return out_.add(entry, fd);
  }
  EntrySink& out_;
  std::string target_;
  std::set<std::string> held_;
  std::vector<TarEntry> waiting_;
};

Result<TarEntry> folder_entry(int root, const std::string& path, const std::string& place) {
  struct stat st = TRY(stat_beneath(root, path));
  TarEntry entry;
  entry.type = TarEntry::Type::directory;
  entry.path = concat(place, "/");
  entry.mode = st.st_mode & 07777;
  entry.uid = st.st_uid;
  entry.gid = st.st_gid;
  entry.mtime = static_cast<TimeNs>(st.st_mtim.tv_sec) * kSecond + st.st_mtim.tv_nsec;
  return entry;
}

// The folders from the pivot down to the match.
Status read_parents(const ReadPlan& plan, const SourceMatch& match, const std::string& target,
                    EntrySink& sink) {
  for (std::size_t slash = match.below.find('/'); slash != std::string::npos;
       slash = match.below.find('/', slash + 1)) {
    const std::string below = match.below.substr(0, slash);
    const std::string path = TRY(resolve_in_root(plan.root, join_path(match.pivot, below)));
    const TarEntry folder = TRY(folder_entry(plan.root, path, join_path(target, below)));
    TRY(sink.add(folder, -1));
  }
  return {};
}

// A link by itself: only --parents copies one that is named.
Status read_link(UniqueFd fd, const struct stat& st, const std::string& place, EntrySink& sink) {
  TarEntry entry;
  entry.type = TarEntry::Type::symlink;
  entry.path = place;
  entry.link = TRY(sys::read_link_at(sys::DirFd(std::move(fd)), ""));
  entry.mode = 0777;
  entry.uid = st.st_uid;
  entry.gid = st.st_gid;
  entry.mtime = static_cast<TimeNs>(st.st_mtim.tv_sec) * kSecond + st.st_mtim.tv_nsec;
  return sink.add(entry, -1);
}

}  // namespace

Result<std::string> resolve_in_root(int root, std::string_view path) {
  std::vector<std::string> todo, done;
  auto push = [&todo](std::string_view text) {
    std::vector<std::string_view> parts = split(text, '/');
    for (auto it = parts.rbegin(); it != parts.rend(); ++it)
      if (!it->empty() && *it != ".") todo.emplace_back(*it);
  };
  push(path);
  int links = 0;
  bool gone = false;
  while (!todo.empty()) {
    const std::string part = std::move(todo.back());
    todo.pop_back();
    if (part == "..") {
      if (!done.empty()) done.pop_back();
      gone = false;
      continue;
    }
    done.push_back(part);
    if (gone) continue;
    auto fd = look_at(root, join(done, "/"));
    if (!fd) {
      if (fd.error().sys() != ENOENT && fd.error().sys() != ENOTDIR) return std::move(fd.error());
      gone = true;
      continue;
    }
    struct stat st {};
    if (::fstat(fd->get(), &st) < 0) return Error::from_errno(errno, concat("stat ", part));
    if (!S_ISLNK(st.st_mode)) continue;
    if (++links > kMaxLinks) return Error::from_errno(ELOOP, path);
    const std::string link = TRY(sys::read_link_at(sys::DirFd(std::move(*fd)), ""));
    done.pop_back();
    if (link.starts_with('/')) done.clear();
    push(link);
  }
  return done.empty() ? "." : join(done, "/");
}

Result<struct stat> stat_beneath(int root, const std::string& resolved) {
  UniqueFd fd = TRY(look_at(root, resolved));
  struct stat st {};
  if (::fstat(fd.get(), &st) < 0) return Error::from_errno(errno, concat("stat ", resolved));
  return st;
}

Result<UniqueFd> open_source(int root, const std::string& resolved) {
  struct stat st = TRY(stat_beneath(root, resolved));
  int flags = O_PATH | O_NOFOLLOW;
  if (S_ISDIR(st.st_mode)) flags = O_RDONLY | O_DIRECTORY;
  if (S_ISREG(st.st_mode)) flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;
  return sys::open_beneath(root, resolved.c_str(), flags, 0, true);
}

Result<bool> may_be_archive(int fd) {
  unsigned char head[512];
  ssize_t n = ::pread(fd, head, sizeof head, 0);
  if (n < 0) return Error::from_errno(errno, "read");
  const std::string_view text(reinterpret_cast<const char*>(head), static_cast<std::size_t>(n));
  constexpr std::string_view kMagics[] = {
      "\x1f\x8b", "BZh", {"\xfd\x37zXZ\0", 6}, "\x28\xb5\x2f\xfd"};
  for (std::string_view magic : kMagics)
    if (text.starts_with(magic)) return true;
  if (n < 512) return false;
  unsigned sum = 0;
  for (std::size_t i = 0; i < 512; ++i) sum += i >= 148 && i < 156 ? ' ' : head[i];
  std::string_view field = text.substr(148, 8);
  while (field.starts_with(' ')) field.remove_prefix(1);
  field = field.substr(0, field.find_first_of(std::string_view("\0 ", 2)));
  auto stored = parse_uint(field, 8);
  return stored && *stored == sum;
}

Result<std::vector<SourceMatch>> find_sources(int root, const IgnoreList* ignore,
                                              std::string_view source, bool parents) {
  if (parents) return find_with_parents(root, ignore, source);
  const std::string path = clean_relative(source);
  if (has_wildcard(path)) {
    std::vector<SourceMatch> out = TRY(find_pattern(root, ignore, ".", path));
    std::vector<SourceMatch> kept;
    for (SourceMatch& match : out) {
      match.below.clear();
      // A link that a pattern matches is followed as one that is named.
      const std::string followed = TRY(resolve_in_root(root, match.path));
      auto st = stat_beneath(root, followed);
      if (!st) return missing(match.path, false);
      match.path = followed;
      match.directory = S_ISDIR(st->st_mode);
      if (!is_ignored(ignore, followed, match.directory)) kept.push_back(std::move(match));
    }
    return kept;
  }
  const std::string whole = TRY(resolve_in_root(root, path));
  auto st = stat_beneath(root, whole);
  if (!st) {
    if (st.error().sys() != ENOENT && st.error().sys() != ENOTDIR) return std::move(st.error());
    return missing(source, false);
  }
  const bool directory = S_ISDIR(st->st_mode);
  if (is_ignored(ignore, whole, directory)) return missing(source, true);
  return std::vector<SourceMatch>{{whole, path == "." ? "" : base_of(path), "", "", directory}};
}

Sieve::Sieve(const IgnoreList* list, std::string_view base)
    : list_(list != nullptr && !list->empty() ? list : nullptr), base_(base == "." ? "" : base) {
  if (list_ == nullptr) return;
  Level top;
  if (!base_.empty()) list_->ignores(base_, nullptr, &top.above);
  levels_.push_back(std::move(top));
}

Sieve::Verdict Sieve::judge(const std::string& path, bool directory) {
  if (list_ == nullptr) return Verdict::take;
  const std::size_t slash = path.rfind('/');
  const std::string_view folder =
      std::string_view(path).substr(0, slash == std::string::npos ? 0 : slash);
  while (levels_.size() > 1 && levels_.back().path != folder) levels_.pop_back();
  Level level{path, {}};
  const std::string whole = base_.empty() ? path : concat(base_, "/", path);
  const bool ignored =
      list_->ignores(whole, levels_.back().path == folder ? &levels_.back().above : nullptr,
                     directory ? &level.above : nullptr);
  if (directory) levels_.push_back(std::move(level));
  if (!ignored) return Verdict::take;
  return directory && list_->may_keep_below(whole) ? Verdict::hold : Verdict::skip;
}

Status read_source(const ReadPlan& plan, const SourceMatch& match, const std::string& target,
                   EntrySink& sink, std::vector<std::string>* notes) {
  const std::string name = match.below.empty() ? match.name : match.below;
  Sieve ignored(plan.ignore, match.path);
  Sieve excluded(plan.exclude, match.below);
  if (!match.directory && plan.exclude != nullptr && plan.exclude->ignores(name)) return {};
  if (match.directory && !match.below.empty() && plan.exclude != nullptr &&
      plan.exclude->ignores(match.below) && !plan.exclude->may_keep_below(match.below))
    return {};
  if (!match.below.empty()) TRY(read_parents(plan, match, target, sink));
  const std::string place = match.below.empty() ? target : join_path(target, match.below);
  UniqueFd fd = TRY_CTX(open_source(plan.root, match.path), match.path);
  struct stat st {};
  if (::fstat(fd.get(), &st) < 0) return Error::from_errno(errno, concat("stat ", match.path));
  if (S_ISLNK(st.st_mode)) return read_link(std::move(fd), st, place, sink);
  if (!match.below.empty() && match.directory) {
    const TarEntry folder = TRY(folder_entry(plan.root, match.path, place));
    TRY(sink.add(folder, -1));
  }
  Relay relay(sink, place);
  imagework::TreeOptions options;
  options.skip = [&](const std::string& path, bool directory) {
    const Sieve::Verdict by_ignore = ignored.judge(path, directory);
    const Sieve::Verdict by_exclude = excluded.judge(path, directory);
    if (by_ignore == Sieve::Verdict::skip || by_exclude == Sieve::Verdict::skip) return true;
    if (by_ignore == Sieve::Verdict::hold || by_exclude == Sieve::Verdict::hold) relay.hold(path);
    return false;
  };
  return imagework::TreeReader(relay, std::move(options), notes).read(fd.get());
}

}  // namespace minke::build
