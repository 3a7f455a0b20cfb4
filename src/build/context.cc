#include "build/context.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "build/digest_sink.h"
#include "build/remote.h"
#include "build/sources.h"
#include "store/image_worker.h"
#include "store/step_cache.h"

namespace minke::build {
namespace {

using sys::UniqueFd;

constexpr std::size_t kMaxContainerfile = 16 << 20;

class FolderContext final : public Context {
 public:
  FolderContext(UniqueFd root, std::string place, IgnoreList ignore, std::string digests)
      : root_(std::move(root)),
        place_(std::move(place)),
        ignore_(std::move(ignore)),
        digests_(std::move(digests)) {}
  int root() const override { return root_.get(); }
  const IgnoreList& ignore() const override { return ignore_; }

  Result<std::string> host_path(std::string_view path) const override {
    const std::string resolved = TRY(resolve_in_root(root(), path));
    TRY_CTX(stat_beneath(root(), resolved), path);
    return resolved == "." ? place_ : concat(place_ == "/" ? "" : place_, "/", resolved);
  }

  Result<std::string> digest_of(std::string_view path) const override {
    const std::string text(path.empty() ? "." : path);
    // A name, never a pattern.
    const std::string resolved = TRY(resolve_in_root(root(), text));
    struct stat st = TRY_CTX(stat_beneath(root(), resolved), text);
    SourceMatch match;
    match.path = resolved;
    match.name = resolved.substr(resolved.rfind('/') + 1);
    match.directory = S_ISDIR(st.st_mode);
    FileDigests files(digests_);
    DigestSink digest(DigestSink::OwnerRule::left_out, files);
    digest.note(match.directory ? "folder" : "file");
    std::vector<std::string> notes;
    TRY(read_source({root(), &ignore_, nullptr}, match, "", digest, &notes));
    return digest.hex();
  }

 private:
  UniqueFd root_;
  std::string place_;  // on the host
  IgnoreList ignore_;
  std::string digests_;  // of FileDigests
};

struct FoundFile {
  std::string name;  // for messages
  std::string text;
};

// A file in the folder: a link in it does not lead out.
Result<std::string> read_inside(int root, const std::string& path) {
  UniqueFd fd = TRY(sys::open_in_root(root, path.c_str(), O_RDONLY | O_NONBLOCK));
  struct stat st {};
  if (::fstat(fd.get(), &st) < 0) return Error::from_errno(errno, concat("stat ", path));
  if (!S_ISREG(st.st_mode)) return Error(Errc::invalid_argument, concat(path, ": not a file"));
  return sys::read_all(fd.get(), kMaxContainerfile, path);
}

Result<FoundFile> read_first(int root, const std::string& folder,
                             std::initializer_list<std::string> names) {
  for (const std::string& name : names) {
    auto text = read_inside(root, name);
    if (text) return FoundFile{name, std::move(*text)};
    if (text.error().sys() != ENOENT) return std::move(text.error()).wrap(folder);
  }
  return Error(Errc::not_found, "");
}

class ContextsOf final : public Contexts {
 public:
  explicit ContextsOf(const ContextRequest& request) : request_(request) {}

  Status open_main() {
    bool file_from_stdin = false;
    for (const std::string& file : request_.files) file_from_stdin |= file == "-";
    if (request_.main == "-") {
      if (file_from_stdin)
        return Error(Errc::invalid_argument,
                     "standard input cannot be the context and the Containerfile at once");
      TRY(read_stdin());
    } else if (is_url(request_.main) && !is_git(request_.main)) {
      RemoteFile file = TRY(fetch_url(request_.main, request_.scratch));
      TRY(open_file(file.fd.get(), request_.main));
    } else {
      TRY(open_place(request_.main, &main_));
    }
    if (filename_.empty()) TRY(read_files());
    if (main_.root) TRY(finish(&main_, filename_, true));
    return {};
  }

  const std::string& text() const override { return text_; }
  const std::string& filename() const override { return filename_; }

  Result<Context*> find(std::string_view name) override {
    if (name.empty()) {
      if (!main_.context)
        return Error(
            Errc::not_found,
            "there is no build context (the Containerfile came from standard input; name a "
            "folder with -f -)");
      return main_.context.get();
    }
    auto it = request_.named.find(std::string(name));
    if (it == request_.named.end())
      return Error(Errc::not_found, concat("no build context ", quote(name)));
    Opened& place = named_[it->first];
    if (!place.context) {
      TRY_CTX(open_place(it->second, &place), concat("--build-context ", name));
      TRY(finish(&place, "", false));
    }
    return place.context.get();
  }

 private:
  struct Opened {
    UniqueFd root;
    std::string path;      // on the host
    bool archive = false;  // somebody else's files
    std::unique_ptr<Context> context;
  };

  Status read_stdin() {
    // A pipe can be read once: what it holds goes to a file, which then is looked at.
    const std::string path = concat(request_.scratch, "/stdin");
    UniqueFd file = TRY(sys::open(path, O_RDWR | O_CREAT | O_EXCL, 0600));
    std::string buffer(1 << 16, '\0');
    for (;;) {
      ssize_t n = ::read(STDIN_FILENO, buffer.data(), buffer.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return Error::from_errno(errno, "read standard input");
      if (n == 0) break;
      TRY(sys::write_all(file.get(), {buffer.data(), static_cast<std::size_t>(n)}, path));
    }
    TRY(open_file(file.get(), "standard input"));
    return sys::unlink_at(sys::DirFd::cwd(), path.c_str());
  }

  // An archive that is the context, or a Containerfile without one.
  Status open_file(int fd, const std::string& name) {
    if (TRY(may_be_archive(fd))) return unpack(fd, name, &main_);
    if (!request_.files.empty())
      return Error(Errc::invalid_argument,
                   concat(name, " is no archive, so that -f names nothing in it"));
    if (::lseek(fd, 0, SEEK_SET) < 0) return Error::from_errno(errno, "seek");
    text_ = TRY(sys::read_all(fd, kMaxContainerfile, name));
    if (text_.empty())
      return Error(Errc::invalid_argument,
                   concat(name, " is empty (it holds the Containerfile or an archive)"));
    filename_ = name == "standard input" ? "-" : name;
    return {};
  }

  // A folder, or an archive or a repository that becomes one.
  Status open_place(const std::string& path, Opened* out) {
    if (is_git(path) && !sys::exists(path)) return open_repository(path, out);
    if (is_url(path)) {
      RemoteFile file = TRY(fetch_url(path, request_.scratch));
      return unpack(file.fd.get(), path, out);
    }
    auto fd = sys::open(path, O_RDONLY | O_NONBLOCK);
    if (!fd) {
      if (fd.error().sys() == ENOENT)
        return Error(Errc::not_found,
                     concat("context must be a directory: ", quote(path), " does not exist"));
      return std::move(fd.error());
    }
    struct stat st {};
    if (::fstat(fd->get(), &st) < 0) return Error::from_errno(errno, concat("stat ", path));
    if (S_ISREG(st.st_mode)) return unpack(fd->get(), path, out);
    if (!S_ISDIR(st.st_mode))
      return Error(Errc::invalid_argument, concat(path, ": neither a folder nor an archive"));
    out->path =
        TRY(sys::read_link_at(sys::DirFd::cwd(), concat("/proc/self/fd/", fd->get()).c_str()));
    out->root = std::move(*fd);
    return {};
  }

  Status open_repository(const std::string& text, Opened* out) {
    const GitSource source = TRY(parse_git(text));
    const GitTree tree =
        TRY(fetch_git(source, request_.keep_git_dir, request_.scratch, request_.git));
    out->path = tree.path;
    out->archive = true;
    out->root = TRY(sys::open(tree.path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    return {};
  }

  Status unpack(int input, const std::string& name, Opened* out) {
    if (request_.store == nullptr) return Error(Errc::internal, "no store to unpack archives with");
    if (::lseek(input, 0, SEEK_SET) < 0) return Error::from_errno(errno, concat("seek ", name));
    out->path = concat(request_.scratch, "/context-", ++unpacked_);
    out->archive = true;
    TRY(sys::make_dir_at(sys::DirFd::cwd(), out->path.c_str(), 0700));
    out->root = TRY(sys::open(out->path, O_RDONLY | O_DIRECTORY));
    TRY_CTX(store::unpack_archive(*request_.store, input, out->root.get()),
            concat(name, ": neither a folder nor an archive"));
    return {};
  }

  Status read_files() {
    if (request_.files.empty()) {
      auto found = read_first(main_.root.get(), request_.main, {"Containerfile", "Dockerfile"});
      if (!found && found.error().code() == Errc::not_found)
        return Error(
            Errc::not_found,
            concat("no Containerfile or Dockerfile specified or found in context directory, ",
                   main_.archive ? request_.main : main_.path));
      FoundFile file = TRY(std::move(found));
      filename_ = std::move(file.name);
      text_ = std::move(file.text);
      return {};
    }
    for (const std::string& file : request_.files) {
      FoundFile found = TRY(read_one(file));
      if (filename_.empty()) filename_ = std::move(found.name);
      if (!text_.empty() && !text_.ends_with('\n')) text_ += '\n';
      text_ += found.text;
    }
    return {};
  }

  // Where we stand, else in the context.
  Result<FoundFile> read_one(const std::string& file) {
    if (file == "-")
      return FoundFile{"-", TRY(sys::read_all(STDIN_FILENO, kMaxContainerfile, "standard input"))};
    if (is_git(file))
      return Error(Errc::unsupported,
                   concat(file, ": a repository is a context, not a Containerfile"));
    if (is_url(file)) {
      RemoteFile remote = TRY(fetch_url(file, request_.scratch));
      return FoundFile{file, TRY(sys::read_all(remote.fd.get(), kMaxContainerfile, file))};
    }
    if (file.ends_with(".in"))
      return Error(Errc::unsupported,
                   concat(file,
                          ": files for the C preprocessor are not supported (run cpp -E, and "
                          "name its output)"));
    if (!main_.archive) {
      auto text = sys::read_small_file(file, kMaxContainerfile);
      if (text) return FoundFile{file, std::move(*text)};
      if (text.error().sys() != ENOENT) return std::move(text.error());
    }
    auto text = read_inside(main_.root.get(), file);
    if (text) return FoundFile{file, std::move(*text)};
    if (text.error().sys() == ENOENT)
      return Error(Errc::not_found,
                   concat("the specified Containerfile or Dockerfile does not exist, ", file,
                          ": no such file or directory"));
    return std::move(text.error());
  }

  Status finish(Opened* place, const std::string& containerfile, bool is_main) {
    IgnoreList ignore = TRY(read_ignore(*place, containerfile, is_main));
    UniqueFd root = TRY(sys::duplicate(place->root.get()));
    std::string digests;
    if (request_.store != nullptr && !place->archive)
      digests = store::StepCache(request_.store->root()).folder() + "/files";
    place->context = std::make_unique<FolderContext>(std::move(root), place->path,
                                                     std::move(ignore), std::move(digests));
    return {};
  }

  // --ignorefile; beside the Containerfile under its name; at the top of the context.
  Result<IgnoreList> read_ignore(const Opened& place, const std::string& containerfile,
                                 bool is_main) {
    if (is_main && !request_.ignore_file.empty()) {
      const std::string text = TRY(sys::read_small_file(request_.ignore_file));
      return IgnoreList::parse(text, request_.ignore_file);
    }
    if (is_main && containerfile != "-" && !is_url(containerfile)) {
      for (const char* suffix : {".containerignore", ".dockerignore"}) {
        const std::string path = concat(containerfile, suffix);
        auto text = request_.files.empty() || place.archive ? read_inside(place.root.get(), path)
                                                            : sys::read_small_file(path);
        if (!text && !request_.files.empty() && text.error().sys() == ENOENT)
          text = read_inside(place.root.get(), path);
        if (text) return IgnoreList::parse(*text, path);
        if (text.error().sys() != ENOENT) return std::move(text.error());
      }
    }
    auto found = read_first(place.root.get(), place.path, {".containerignore", ".dockerignore"});
    if (found) return IgnoreList::parse(found->text, found->name);
    if (found.error().code() == Errc::not_found) return IgnoreList();
    return std::move(found.error());
  }

  ContextRequest request_;
  Opened main_;
  std::map<std::string, Opened> named_;
  std::string text_, filename_;
  int unpacked_ = 0;
};

}  // namespace

Result<std::unique_ptr<Contexts>> Contexts::open(const ContextRequest& request) {
  auto contexts = std::make_unique<ContextsOf>(request);
  TRY(contexts->open_main());
  return Result<std::unique_ptr<Contexts>>(std::move(contexts));
}

}  // namespace minke::build
