#include "imagework/worker.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

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
Status allow_reading(const char* path, std::vector<Access>* access) {
  sys::UniqueFd fd = TRY(sys::open_beneath(store::kStoreFd, path, O_PATH | O_DIRECTORY, 0, true));
  access->push_back({fd.release(), false});
  return {};
}

Status serve(const WorkerRequest& request, store::WorkerReply* reply) {
  bool writes_store =
      request.verb == "load" || request.verb == "load-dir" || request.verb == "import";
  std::vector<Access> access;
  if (writes_store) access.push_back({store::kStagingFd, true});
  if (request.verb == "unpack") access.push_back({store::kStagingFd, true});
  if (request.verb != "export" && request.verb != "unpack") {
    TRY(allow_reading("images", &access));
    TRY(allow_reading("layers", &access));
  }
  bool directory = request.format == "oci-dir" || request.format == "docker-dir";
  if (request.verb == "load-dir" || request.verb == "export")
    access.push_back({store::kDataFd, false});
  if (request.verb == "save" && directory) access.push_back({store::kDataFd, true});
  TRY_CTX(confine(access, &reply->notes), "confine minke-image");
  if (request.verb == "export") return export_tree(store::kDataFd, STDOUT_FILENO, &reply->notes);
  if (request.verb == "unpack")
    return unpack_archive(store::kDataFd, store::kStagingFd, request.rootless, &reply->notes);
  if (request.verb == "save") return save_images(store::kStoreFd, request, store::kDataFd);
  if (!writes_store) return Error(Errc::internal, concat("unknown verb ", quote(request.verb)));
  Session session(store::kStoreFd, store::kStagingFd, request.rootless);
  Status done = request.verb == "load"       ? load_archive(session, store::kDataFd)
                : request.verb == "load-dir" ? load_directory(session, store::kDataFd)
                                             : import_rootfs(session, request, store::kDataFd);
  TRY(std::move(done));
  std::vector<std::string> notes = std::move(reply->notes);
  *reply = std::move(session.reply());
  reply->notes.insert(reply->notes.begin(), notes.begin(), notes.end());
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
