#include "build/copy.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/str.h"
#include "build/digest_sink.h"
#include "build/git.h"
#include "build/mode.h"
#include "build/remote.h"
#include "build/sources.h"
#include "engine/users.h"
#include "imagework/tree_sink.h"
#include "store/image_worker.h"
#include "store/step_cache.h"

namespace minke::build {
namespace {

using imagework::EntrySink;
using imagework::TreeSink;

// Everything that the instruction names, found.
struct Sources {
  struct One {
    const node::Copy::Source* source = nullptr;
    std::vector<SourceMatch> matches;  // of a path
    bool url = false;
    sys::UniqueFd repository;  // the folder of it that is asked for
    std::string commit;        // of the repository
  };
  std::vector<One> list;
  std::size_t count = 0;
};

struct Place {
  int root = -1;
  const IgnoreList* ignore = nullptr;
};
Place place_of(const CopyPlan& plan, const Sources::One* one = nullptr) {
  if (one != nullptr && one->repository) return {one->repository.get(), nullptr};
  if (plan.tree >= 0) return {plan.tree, nullptr};
  if (plan.context != nullptr) return {plan.context->root(), &plan.context->ignore()};
  return {};
}

Status find_in_repository(const CopyPlan& plan, Sources::One* one) {
  GitSource source = TRY(parse_git(one->source->path));
  if (!plan.copy->checksum.empty()) source.commit = plan.copy->checksum;
  const GitTree tree = TRY(fetch_git(source, plan.copy->keep_git_dir, plan.scratch, plan.git));
  one->repository = TRY(sys::open(tree.path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  one->commit = tree.commit;
  one->matches = TRY(find_sources(one->repository.get(), nullptr, ".", false));
  return {};
}

Result<Sources> find_all(const CopyPlan& plan) {
  const node::Copy& copy = *plan.copy;
  const Place place = place_of(plan);
  Sources out;
  bool patterns_only = true;
  for (const node::Copy::Source& source : copy.sources) {
    Sources::One one;
    one.source = &source;
    if (source.heredoc >= 0) {
      ++out.count;
      patterns_only = false;
    } else if (copy.add && is_git(source.path)) {
      TRY(find_in_repository(plan, &one));
      out.count += one.matches.size();
      patterns_only = false;
    } else if (is_url(source.path)) {
      if (!copy.add)
        return Error(Errc::unsupported, concat(source.path, ": COPY takes no URLs (ADD does)"));
      one.url = true;
      ++out.count;
      patterns_only = false;
    } else if (place.root < 0) {
      return Error(Errc::not_found, concat(source.path, ": there is no build context"));
    } else {
      one.matches = TRY(find_sources(place.root, place.ignore, source.path, copy.parents));
      out.count += one.matches.size();
      patterns_only = patterns_only && has_wildcard(source.path);
    }
    out.list.push_back(std::move(one));
  }
  if (out.count == 0 && patterns_only)
    return Error(Errc::not_found, concat(copy.sources[0].path, ": no file matches"));
  return out;
}

// --chown. A number without a group is the group too; a name brings its own.
Result<imagework::Owner> find_owner(const std::string& spec, int root) {
  auto parts = split_once(spec, ':');
  const std::string user(parts ? parts->first : std::string_view(spec));
  const std::string group(parts ? parts->second : std::string_view());
  auto number = [&](const std::string& text) -> Result<std::uint64_t> {
    auto value = parse_uint(text);
    if (!value || *value > INT32_MAX)
      return Error(Errc::invalid_argument, concat("--chown=", spec, ": ", text, " is too large"));
    return *value;
  };
  imagework::Owner owner;
  if (engine::looks_numeric(user)) {
    owner.uid = owner.gid = TRY(number(user));
  } else if (!user.empty()) {
    const auto users = engine::parse_passwd(engine::read_account_file(root, "/etc/passwd"));
    auto row = std::find_if(users.begin(), users.end(),
                            [&](const engine::PasswdEntry& entry) { return entry.name == user; });
    if (row == users.end())
      return Error(Errc::not_found, concat("--chown=", spec, ": no user ", quote(user),
                                           " in the image's /etc/passwd"));
    owner = {row->uid, row->gid};
  }
  if (group.empty()) return owner;
  if (engine::looks_numeric(group)) {
    owner.gid = TRY(number(group));
    return owner;
  }
  const auto groups = engine::parse_group(engine::read_account_file(root, "/etc/group"));
  auto row = std::find_if(groups.begin(), groups.end(),
                          [&](const engine::GroupEntry& entry) { return entry.name == group; });
  if (row == groups.end())
    return Error(Errc::not_found, concat("--chown=", spec, ": no group ", quote(group),
                                         " in the image's /etc/group"));
  owner.gid = row->gid;
  return owner;
}

// --chmod on the way.
class ModeSink final : public EntrySink {
 public:
  ModeSink(EntrySink& out, const FileMode* mode, bool strip_ids = false)
      : out_(out), mode_(mode), strip_ids_(strip_ids) {}
  Status add(const TarEntry& entry, int fd) override {
    if (entry.type == TarEntry::Type::symlink) return out_.add(entry, fd);
    TarEntry changed = entry;
    if (strip_ids_) changed.mode &= ~static_cast<std::uint32_t>(S_ISUID | S_ISGID);
    if (mode_ != nullptr)
      changed.mode = mode_->apply(changed.mode, entry.type == TarEntry::Type::directory);
    return out_.add(changed, fd);
  }

 private:
  EntrySink& out_;
  const FileMode* mode_;
  bool strip_ids_;
};

class Copier {
 public:
  Copier(const CopyPlan& plan, int root) : plan_(plan), copy_(*plan.copy), root_(root) {}

  Status run() {
    Sources sources = TRY(find_all(plan_));
    if (!copy_.chown.empty())
      owner_ = TRY(find_owner(copy_.chown, root_));
    else if (plan_.tree < 0)
      owner_ = imagework::Owner{};
    if (!copy_.chmod.empty()) mode_ = TRY(FileMode::parse(copy_.chmod));
    exclude_ = TRY(IgnoreList::from_patterns(copy_.exclude));
    TRY(find_destination(sources.count));
    TreeSink sink = TRY(TreeSink::open(root_, "", put_options(), &notes_));
    for (const Sources::One& one : sources.list) {
      if (one.source->heredoc >= 0)
        TRY(put_heredoc(copy_.heredocs[static_cast<std::size_t>(one.source->heredoc)], sink));
      if (one.url) TRY(put_url(one.source->path, sink));
      for (const SourceMatch& match : one.matches) {
        Status put = put_match(one, match, sink);
        if (!put && put.error().code() == Errc::already_exists)
          return Error(Errc::already_exists,
                       concat(one.source->path,
                              ": a folder of the image is where a file should go, or a file where "
                              "a folder should"));
        TRY(std::move(put));
      }
    }
    return sink.finish();
  }

 private:
  imagework::PutOptions put_options() const {
    imagework::PutOptions options;
    options.skip_devices = plan_.rootless;
    if (owner_) {
      options.owners.fixed = true;
      options.owners.uid = owner_->uid;
      options.owners.gid = owner_->gid;
    }
    return options;
  }

  Status find_destination(std::size_t sources) {
    std::string path = copy_.destination;
    must_be_folder_ = sources > 1 || copy_.parents || path.ends_with('/') || path == "." ||
                      path == ".." || path.ends_with("/.") || path.ends_with("/..");
    if (!path.starts_with('/')) path = concat(plan_.workdir, "/", path);
    destination_ = TRY(resolve_in_root(root_, path));
    auto st = stat_beneath(root_, destination_);
    is_folder_ = st && S_ISDIR(st->st_mode);
    if (st && !is_folder_ && must_be_folder_)
      return Error(Errc::already_exists,
                   concat(copy_.destination, ": the destination is no folder in the image"));
    return {};
  }

  std::string folder() const { return destination_ == "." ? "" : destination_; }
  std::string inside(const std::string& name) const {
    return folder().empty() ? name : concat(folder(), "/", name);
  }
  std::string file_place(const std::string& name) const {
    return is_folder_ || must_be_folder_ ? inside(name) : destination_;
  }

  // One that is there keeps what it has.
  Status ensure_folder(TreeSink& sink) {
    if (is_folder_) return {};
    if (auto st = stat_beneath(root_, destination_)) {
      if (!S_ISDIR(st->st_mode))
        return Error(Errc::conflict,
                     concat(copy_.destination, ": the destination is no folder in the image"));
      is_folder_ = true;  // made for a file before
      return {};
    }
    TarEntry entry;
    entry.type = TarEntry::Type::directory;
    entry.path = concat(destination_, "/");
    entry.mode = 0755;
    entry.mtime = now();
    TRY(sink.add(entry, -1));
    is_folder_ = true;
    return {};
  }

  Status put_heredoc(const Heredoc& heredoc, TreeSink& sink) {
    sys::UniqueFd fd = TRY(sys::make_memfd("heredoc", heredoc.content));
    TarEntry entry;
    entry.path = file_place(heredoc.name);
    entry.mode = 0644;
    entry.size = heredoc.content.size();
    entry.mtime = now();
    return ModeSink(sink, mode_ ? &*mode_ : nullptr).add(entry, fd.get());
  }

  Status put_url(const std::string& url, TreeSink& sink) {
    RemoteFile file = TRY(fetch_url(url, plan_.scratch));
    if (!copy_.checksum.empty() && file.digest != copy_.checksum)
      return Error(Errc::corrupt, concat(url, ": its digest is ", file.digest, ", not ",
                                         copy_.checksum, " as --checksum says"));
    if (copy_.unpack.value_or(false) && TRY(unpack_from(file.fd.get(), url))) return {};
    const std::string name = name_of_url(url);
    if (name.empty() && (is_folder_ || must_be_folder_))
      return Error(Errc::invalid_argument,
                   concat(url, ": it names no file (say what it is to be called: ADD URL /PATH)"));
    struct stat st {};
    if (::fstat(file.fd.get(), &st) < 0) return Error::from_errno(errno, concat("stat ", url));
    TarEntry entry;
    entry.path = file_place(name);
    entry.mode = 0600;
    entry.size = static_cast<std::uint64_t>(st.st_size);
    entry.mtime = static_cast<TimeNs>(st.st_mtim.tv_sec) * kSecond + st.st_mtim.tv_nsec;
    return ModeSink(sink, mode_ ? &*mode_ : nullptr).add(entry, file.fd.get());
  }

  Status put_match(const Sources::One& one, const SourceMatch& match, TreeSink& sink) {
    const Place place = place_of(plan_, &one);
    ModeSink modes(sink, mode_ ? &*mode_ : nullptr, plan_.strip_ids);
    ReadPlan read{place.root, place.ignore, exclude_.empty() ? nullptr : &exclude_};
    if (copy_.parents) {
      TRY(ensure_folder(sink));
      return read_source(read, match, folder(), modes, &notes_);
    }
    if (match.directory) {
      TRY(ensure_folder(sink));
      return read_source(read, match, folder(), modes, &notes_);
    }
    if (copy_.add && copy_.unpack.value_or(true) && TRY(unpack(match, place.root))) return {};
    return read_source(read, match, file_place(match.name), modes, &notes_);
  }

  // False: it is no archive.
  Result<bool> unpack(const SourceMatch& match, int source_root) {
    sys::UniqueFd fd = TRY_CTX(open_source(source_root, match.path), match.path);
    return unpack_from(fd.get(), match.path);
  }

  Result<bool> unpack_from(int fd, const std::string& name) {
    if (!TRY(may_be_archive(fd))) return false;
    if (plan_.store == nullptr) return Error(Errc::internal, "no store to unpack archives with");
    store::WorkerTree how;
    how.folder = folder();
    how.make_folder = true;
    how.skip_devices = plan_.rootless;
    how.overwrite = true;
    if (!copy_.chown.empty()) how.write_as = put_options().owners;
    Status put = store::put_archive(how, fd, root_);
    if (!put && put.error().code() == Errc::unsupported && put.error().sys() == 0) return false;
    TRY_CTX(std::move(put), name);
    is_folder_ = true;
    return true;
  }

  const CopyPlan& plan_;
  const node::Copy& copy_;
  int root_;
  std::optional<imagework::Owner> owner_;  // none: as in the tree
  std::optional<FileMode> mode_;
  IgnoreList exclude_;
  std::string destination_;  // resolved; "." is the root
  bool must_be_folder_ = false, is_folder_ = false;
  std::vector<std::string> notes_;
};

}  // namespace

Result<std::string> copy_digest(const CopyPlan& plan) {
  const node::Copy& copy = *plan.copy;
  Sources sources = TRY(find_all(plan));
  // A tree is mounted anew each time: its files are never known again.
  FileDigests files(plan.tree >= 0 || plan.store == nullptr
                        ? ""
                        : store::StepCache(plan.store->root()).folder() + "/files");
  DigestSink digest(
      plan.tree >= 0 ? DigestSink::OwnerRule::counted : DigestSink::OwnerRule::left_out, files);
  digest.note(copy.add ? "ADD" : "COPY").note(plan.workdir).note(copy.destination);
  digest.note(copy.chown).note(copy.chmod).note(copy.checksum);
  digest.note(concat(copy.link ? "l" : "", copy.parents ? "p" : "",
                     !copy.unpack   ? ""
                     : *copy.unpack ? "u"
                                    : "n"));
  digest.note(concat(sources.count));
  IgnoreList exclude = TRY(IgnoreList::from_patterns(copy.exclude));
  const Place place = place_of(plan);
  ReadPlan read{place.root, place.ignore, exclude.empty() ? nullptr : &exclude};
  std::vector<std::string> notes;
  for (const Sources::One& one : sources.list) {
    if (one.source->heredoc >= 0) {
      const Heredoc& heredoc = copy.heredocs[static_cast<std::size_t>(one.source->heredoc)];
      digest.note("heredoc").note(heredoc.name).note(heredoc.content);
    }
    // With a checksum it is known what comes.
    if (one.url) {
      digest.note("url").note(one.source->path);
      if (copy.checksum.empty()) {
        const RemoteFile file = TRY(fetch_url(one.source->path, plan.scratch));
        digest.note(file.digest);
      }
    }
    // What is in a commit never changes.
    if (one.repository) {
      const GitSource source = TRY(parse_git(one.source->path));
      digest.note("git").note(source.shown).note(one.commit).note(source.folder);
      digest.note(source.submodules ? "with submodules" : "");
      digest.note(copy.keep_git_dir ? "with .git" : "");
      for (const std::string& pattern : copy.exclude) digest.note(pattern);
      continue;
    }
    for (const SourceMatch& match : one.matches) {
      digest.note(match.directory ? "folder" : "file").note(match.directory ? "" : match.name);
      TRY(read_source(read, match, "", digest, &notes));
    }
  }
  return digest.hex();
}

Status perform_copy(const CopyPlan& plan, int root) { return Copier(plan, root).run(); }

}  // namespace minke::build
