#include "imagework/worker.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "base/str.h"
#include "imagework/confine.h"
#include "imagework/session.h"
#include "imagework/verbs.h"
#include "store/layout.h"
#include "store/worker_protocol.h"

namespace minke::imagework {
namespace {

using store::WorkerRequest;

// Read-only access to a part of the store, by a descriptor that lives as long as the process.
Status allow_reading(const char* path, std::vector<sys::PathAccess>* access) {
  sys::UniqueFd fd = TRY(sys::open_beneath(store::kStoreFd, path, O_PATH | O_DIRECTORY, 0, true));
  access->push_back({fd.release(), false});
  return {};
}

// What a verb works on besides the archive.
struct Verb {
  std::string_view name;
  bool store = false;        // reads images and layers
  bool staging = false;      // makes new ones
  bool reads_data = false;   // kDataFd is a directory
  bool writes_root = false;  // kStoreFd is the root of a tree that is written
};
constexpr Verb kVerbs[] = {
    {.name = "load", .store = true, .staging = true},
    {.name = "load-dir", .store = true, .staging = true, .reads_data = true},
    {.name = "import", .store = true, .staging = true},
    {.name = "pack", .store = true, .staging = true},
    {.name = "pull", .store = true, .staging = true},
    {.name = "restore", .store = true, .staging = true},
    {.name = "commit", .store = true, .staging = true, .reads_data = true},
    {.name = "seal", .staging = true, .reads_data = true},
    {.name = "assemble", .store = true, .staging = true},
    {.name = "save", .store = true},
    {.name = "export", .reads_data = true},
    {.name = "read-tree", .reads_data = true},
    {.name = "copy-tree", .reads_data = true, .writes_root = true},
    {.name = "put-tree", .writes_root = true},
    {.name = "unpack", .staging = true},
};

Result<std::vector<sys::PathAccess>> reachable(const Verb& verb, const WorkerRequest& request) {
  std::vector<sys::PathAccess> access;
  if (verb.staging) access.push_back({store::kStagingFd, true});
  if (verb.writes_root) access.push_back({store::kStoreFd, true});
  if (verb.store) {
    TRY(allow_reading("images", &access));
    TRY(allow_reading("layers", &access));
  }
  struct stat st {};
  bool folder = ::fstat(store::kDataFd, &st) == 0 && S_ISDIR(st.st_mode);
  if (verb.reads_data && folder) access.push_back({store::kDataFd, false});
  if (request.format == "oci-dir" || request.format == "docker-dir")
    access.push_back({store::kDataFd, true});
  return access;
}

TreeOptions tree_options(const store::WorkerTree& tree) {
  TreeOptions options;
  options.name = tree.name;
  options.owners = tree.read_as;
  options.container_root = tree.container_root;
  return options;
}

Status serve(const WorkerRequest& request, store::WorkerReply* reply) {
  const Verb* verb = std::find_if(std::begin(kVerbs), std::end(kVerbs),
                                  [&](const Verb& row) { return row.name == request.verb; });
  if (verb == std::end(kVerbs))
    return Error(Errc::internal, concat("unknown verb ", quote(request.verb)));
  std::vector<sys::PathAccess> access = TRY(reachable(*verb, request));
  std::vector<std::string>* notes = &reply->notes;
  TRY_CTX(confine(access, notes), "confine minke-image");
  if (verb->name == "export" || verb->name == "read-tree") {
    TreeOptions options = tree_options(request.tree);
    options.one_mount = verb->name == "export";
    return write_tree(store::kDataFd, STDOUT_FILENO, std::move(options), notes);
  }
  if (verb->name == "copy-tree")
    return copy_tree(store::kDataFd, store::kStoreFd, request.tree, notes);
  if (verb->name == "put-tree")
    return put_archive(store::kDataFd, store::kStoreFd, request.tree, notes);
  if (verb->name == "unpack")
    return unpack_archive(store::kDataFd, store::kStagingFd, request.rootless, notes);
  if (verb->name == "save") return save_images(store::kStoreFd, request, store::kDataFd);
  if (verb->name == "seal") return seal_tree(store::kDataFd, store::kStagingFd, reply);
  Session session(store::kStoreFd, store::kStagingFd, request.rootless);
  Status done =
      verb->name == "load" ? load_archive(session, store::kDataFd, {request.pick, request.name})
      : verb->name == "load-dir"
          ? load_directory(session, store::kDataFd, {request.pick, request.name})
      : verb->name == "pack"     ? pack_image(session, request)
      : verb->name == "pull"     ? pull_image(session, request, store::kDataFd)
      : verb->name == "restore"  ? restore_layers(session, request)
      : verb->name == "assemble" ? assemble_image(session, request, store::kStagingFd)
      : verb->name == "commit"   ? commit_tree(session, request, store::kDataFd, store::kStagingFd)
                                 : import_rootfs(session, request, store::kDataFd);
  TRY(std::move(done));
  std::vector<std::string> before = std::move(reply->notes);
  *reply = std::move(session.reply());
  reply->notes.insert(reply->notes.begin(), before.begin(), before.end());
  return {};
}

}  // namespace

int run_worker() {
  struct stat st {};
  if (::fstat(store::kRequestFd, &st) < 0 || ::fstat(store::kReplyFd, &st) < 0) {
    std::fputs("minke-image is started by minke; it has no use by itself\n", stderr);
    return 125;
  }
  ::umask(0);
  ::signal(SIGPIPE, SIG_IGN);
  store::WorkerReply reply;
  auto text = sys::read_all(store::kRequestFd, 64 << 20, "the request");
  auto request = text ? json::parse_struct<WorkerRequest>(*text)
                      : Result<WorkerRequest>(std::move(text.error()));
  Status done = request ? serve(*request, &reply) : Status(std::move(request.error()));
  if (!done) {
    reply.error = done.error().message();
    reply.error_code = static_cast<std::int32_t>(done.error().code());
    reply.error_errno = done.error().sys();
    reply.images.clear();
  }
  reply.done = true;
  return sys::write_all(store::kReplyFd, json::dump_struct(reply), "reply") ? 0 : 1;
}

}  // namespace minke::imagework
