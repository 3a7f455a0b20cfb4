#include "store/worker_run.h"

#include <stdlib.h>
#include <sys/wait.h>

#include "base/log.h"
#include "base/str.h"
#include "sys/program.h"

namespace minke::store {

using sys::UniqueFd;

Result<int> fd_or_null(int fd, UniqueFd* null_fd) {
  if (fd >= 0) return fd;
  if (!*null_fd) *null_fd = TRY(sys::open("/dev/null", O_RDWR));
  return null_fd->get();
}

Error error_of(std::int32_t code, std::string text) {
  bool known = code >= 0 && code <= static_cast<int>(Errc::internal);
  return {known ? static_cast<Errc>(code) : Errc::internal, std::move(text)};
}

std::string end_of(int wait_status) {
  if (WIFSIGNALED(wait_status))
    return concat("killed by signal ", sys::signal_name(WTERMSIG(wait_status)));
  return concat("exit code ", WEXITSTATUS(wait_status));
}

Result<RunningWorker> RunningWorker::start(const WorkerRequest& request, const WorkerFds& fds) {
  std::string program = TRY(sys::program_path("minke-image"));
  UniqueFd memory = TRY(sys::make_memfd("minke-image request", json::dump_struct(request)));
  auto [reader, writer] = TRY(sys::make_pipe());
  UniqueFd null_fd;
  sys::SpawnOptions options;
  options.path = program;
  options.argv = {"minke-image", request.verb};
  options.stdio[0] = -2;
  options.stdio[1] = fds.output >= 0 ? fds.output : -2;
  options.die_with_parent = true;
  // Limits that tests set; nothing else of our environment is of use there.
  options.env.emplace();
  for (const char* name :
       {"MINKE_LIMIT_ENTRIES", "MINKE_LIMIT_BYTES", "MINKE_LIMIT_METADATA", "MINKE_FAILPOINT"})
    if (const char* value = ::getenv(name)) options.env->push_back(concat(name, "=", value));
  int store = TRY(fd_or_null(fds.store, &null_fd));
  int staging = TRY(fd_or_null(fds.staging, &null_fd));
  int data = TRY(fd_or_null(fds.data, &null_fd));
  options.pass_fds = {memory.get(), writer.get(), store, staging, data};
  RunningWorker worker;
  worker.verb_ = request.verb;
  worker.process_ = TRY_CTX(sys::spawn(options), "image worker");
  worker.reply_ = std::move(reader);
  return worker;
}

Result<WorkerReply> RunningWorker::finish() {
  auto text = sys::read_all(reply_.get(), 64 << 20, "the image worker's reply");
  int status = TRY(sys::wait_pid(process_.pid));
  WorkerReply reply;
  if (text && !text->empty())
    reply = TRY_CTX(json::parse_struct<WorkerReply>(*text), "image worker");
  if (!reply.done)
    return Error(Errc::internal, concat("the image worker ended early (", end_of(status), ")"));
  for (const std::string& note : reply.notes) log::debug(concat(verb_, ": ", note));
  if (!reply.error.empty()) return error_of(reply.error_code, std::move(reply.error));
  return reply;
}

Result<WorkerReply> run_worker(const WorkerRequest& request, const WorkerFds& fds) {
  RunningWorker worker = TRY(RunningWorker::start(request, fds));
  return worker.finish();
}

}  // namespace minke::store
